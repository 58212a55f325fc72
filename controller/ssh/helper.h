// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_HELPER_H
#define MUSTER_CONTROLLER_SSH_HELPER_H

/*
 * Where the programs are that muster starts or sends: muster-ssh and the probes. Beside the running
 * program (a build tree), else in the libexec folder of an installation. Never from PATH: what is
 * sent to every host must not depend on the caller's environment.
 */

#include <stddef.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define HELPER_PROBE_MAX (8U << 20) /* bytes; a probe is far smaller */

/* The path of helper `name` ("muster-ssh", "probe-x86_64") into `path`. */
int helper_path(const char *name, char *path, size_t room, struct error *err) MUST_CHECK;

/* "x86_64": of this machine, as probes are named. */
const char *helper_native_arch(void);

/* Reads a whole file of at most `most` bytes; *data is the caller's to free. */
int helper_read(const char *path, size_t most, uint8_t **data, size_t *len,
		struct error *err) MUST_CHECK;

#endif
