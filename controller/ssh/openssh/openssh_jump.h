// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_OPENSSH_OPENSSH_JUMP_H
#define MUSTER_CONTROLLER_SSH_OPENSSH_OPENSSH_JUMP_H

/*
 * How OpenSSH's ssh gets through jump hosts: one more ssh for each, which reads what the configuration
 * says of it and forwards to the next (-W), locked as far as a way needs it. ssh's own ProxyJump would
 * leave the first of several without those locks, and without the known_hosts and keys that were given
 * to muster. Each command stands in an environment variable of its own, so that nothing is quoted
 * twice. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/ssh/route/route.h"

/* The whole environment of ssh must fit into openssh_environment's. */
#define OPENSSH_JUMP_ROOM 16384U

struct openssh_jumps {
	const struct route *route;
	const char *config; /* ssh -F; NULL: ssh's own files */
	bool no_config;     /* nor these */
	/* Instead of those that the configuration names, where there are any. */
	const char *const *known_hosts;
	size_t known_hosts_count;
	/* Beside those of the configuration. */
	const char *const *identities;
	size_t identity_count;
	uint32_t connect_timeout_ms;
};

/*
 * "MUSTER_HOP_N=COMMAND": goes to jump host `index` of the route, through those before it, and from there
 * to host $1, port $2. False where it does not fit. Paths have no double quotes and no line ends.
 */
bool openssh_jump_variable(const struct openssh_jumps *jumps, size_t index, char *to, size_t room);
/* The option of an ssh that is to go through jump host `index`. */
bool openssh_jump_option(size_t index, char *to, size_t room);

#endif
