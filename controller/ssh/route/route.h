// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_ROUTE_ROUTE_H
#define MUSTER_CONTROLLER_SSH_ROUTE_ROUTE_H

/*
 * The way to a host as the configuration says it (ssh_config(5), ProxyJump and ProxyCommand; an
 * inventory), never as a host does: the jump hosts in the order in which they are gone through, or a
 * command that muster-ssh cannot run and the OpenSSH transport can. Plain data that owns its strings; an
 * all-zero one is the direct way. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define ROUTE_JUMPS_MAX 8
#define ROUTE_TEXT_MAX 2048U

struct route_jump {
	char *host;    /* as it was written: a name for ssh_config */
	char *user;    /* NULL: what ssh_config says of the host */
	uint16_t port; /* 0: likewise */
};

struct route {
	struct route_jump jump[ROUTE_JUMPS_MAX]; /* the first one is connected to directly */
	size_t jump_count;
	char *command; /* ProxyCommand; NULL: none. Never beside jumps */
};

/*
 * Reads ProxyJump's value: [user@]host[:port], [user@][IPv6]:port or ssh://[user@]host[:port], with
 * commas between; "none" is the direct way. CONFIG error for anything else.
 */
int route_read_jumps(const char *text, struct route *route, struct error *err) MUST_CHECK;
int route_set_command(const char *command, struct route *route, struct error *err) MUST_CHECK;
/* `count` jumps of `from`, from the first one on. */
int route_copy(const struct route *from, size_t count, struct route *to,
	       struct error *err) MUST_CHECK;
void route_clear(struct route *route);

/* The jumps as one text, the same for equal ones; false where it does not fit. */
bool route_print(const struct route *route, char *to, size_t room);

#endif
