// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_LOCAL_H
#define MUSTER_CONTROLLER_FLEET_LOCAL_H

/*
 * The transport without SSH: starts the probe of this machine's architecture as a child, with pipes
 * for its input and output (`muster check localhost`, tests). As BECOME_SUDO through `sudo -n`. The
 * probe file stays where it is: nothing is copied and nothing unlinked. Target name, address, user
 * and port are not looked at.
 */

#include <uv.h>

#include "controller/fleet/transport.h"
#include "schema/error.h"

/*
 * `probe_path` may be NULL: beside the running program or in libexec. The loop must outlive the
 * transport; free it only when every channel has been closed. Ignores SIGPIPE in this process.
 */
int local_new(uv_loop_t *loop, const char *probe_path, struct transport **transport,
	      struct error *err) MUST_CHECK;

#endif
