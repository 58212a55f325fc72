// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_PROBES_H
#define MUSTER_CONTROLLER_CMD_PROBES_H

/* The probes that go to hosts, as files here: what allow-lists and sudoers rules are made of. */

#include <stddef.h>

#include "schema/error.h"

struct probe_file {
	char path[4096];
	char sha256[65];
	size_t size;
};

/* "probe-x86_64" ...; NULL behind the last. */
const char *probes_name(size_t index);
/* CONFIG error where it was not built or cannot be read. */
int probes_read(const char *name, struct probe_file *probe, struct error *err) MUST_CHECK;

#endif
