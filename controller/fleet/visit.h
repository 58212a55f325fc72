// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_VISIT_H
#define MUSTER_CONTROLLER_FLEET_VISIT_H

/*
 * A visit goes all the way that a scan would go, and scans nothing: it connects, logs in, becomes root
 * where that is asked for, brings the probe onto the host and starts it; with the probe's greeting it
 * ends. What would stop a scan stops a visit, in the same named state. Keeps nothing.
 */

#include <uv.h>

#include "controller/fleet/sweep.h"
#include "schema/message.h"

struct visit_result {
	const char *host;
	enum outcome outcome;      /* OUTCOME_CLEAN: the probe has spoken */
	const char *reason;        /* escaped, may be "" */
	const char *transport;     /* who spoke with it: "libssh2", "ssh (why)"; NULL: nobody */
	const struct hello *hello; /* NULL where it has not */
	int64_t clock_offset_ns;   /* of the host's clock against ours, as the greeting came */
	uint64_t took_ms;
};

/* Calls back for each host as it ends. Runs the loop until all have. */
int visit_run(uv_loop_t *loop, const struct sweep_host *hosts, size_t count, size_t parallel,
	      void (*callback)(void *context, const struct visit_result *result), void *context,
	      struct error *err) MUST_CHECK;

#endif
