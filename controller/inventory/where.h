// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_WHERE_H
#define MUSTER_CONTROLLER_INVENTORY_WHERE_H

/*
 * What may stand around a host's name where a host is named: USER@NAME:PORT, and [NAME]:PORT for an
 * IPv6 address, whose own colons would hide the port's. NAME may hold ranges. Pure; borrows.
 */

#include <stdbool.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define WHERE_USER_MAX 128
#define WHERE_JUMP_MAX 512
#define WHERE_PATH_MAX 4096

struct where {
	char user[WHERE_USER_MAX + 1]; /* "": not said */
	uint16_t port;                 /* 0: not said */
	struct bytes name;
};

/* CONFIG error for a user or port that is none. The name is not looked at. */
int where_cut(struct bytes term, struct where *where, struct error *err) MUST_CHECK;

bool where_user_is_valid(const char *user);
/* Whether it may be a ProxyJump; the transport takes it apart. */
bool where_jump_is_valid(const char *jump);
/* Whether it may name a private key's file. */
bool where_identity_is_valid(const char *path);

#endif
