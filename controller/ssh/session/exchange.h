// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_EXCHANGE_H
#define MUSTER_CONTROLLER_SSH_SESSION_EXCHANGE_H

/*
 * What a server says in the clear before encryption starts (RFC 4253, sections 4.2, 6, 7 and 8; RFC
 * 4419 and 5656 for the reply's number), read beside libssh2, which keeps it to itself: the
 * algorithms it offers, so that a failed negotiation can be explained, and its signature over the
 * session id, which proves to the keeper of the keys whose session is asking. Pure; borrows.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

enum exchange_list {
	EXCHANGE_KEX,
	EXCHANGE_HOSTKEY,
	EXCHANGE_CIPHER_OUT, /* client to server */
	EXCHANGE_CIPHER,     /* server to client */
	EXCHANGE_MAC_OUT,
	EXCHANGE_MAC,
	EXCHANGE_LISTS
};

struct exchange {
	struct bytes banner; /* "SSH-2.0-...", without its line end */
	bool has_lists;
	struct bytes list[EXCHANGE_LISTS]; /* names with commas between */
	struct bytes hostkey;              /* K_S, empty where no reply came */
	struct bytes signature;            /* over H */
};

/* Reads as much as is there; what is malformed or cut off is left empty. */
void exchange_read(struct bytes stream, struct exchange *exchange);

/* Whether any name of `ours` is in `theirs` (both with commas). */
bool exchange_has_common(struct bytes ours, struct bytes theirs);
/*
 * The first list with no name in common, or EXCHANGE_LISTS, as libssh2 goes about it: AES-GCM, which
 * brings its own MAC, wants none of the MACs; those names of the first list that are no algorithms but markers do not count.
 */
enum exchange_list exchange_failed_list(const struct bytes ours[EXCHANGE_LISTS],
					const struct bytes theirs[EXCHANGE_LISTS]);
/* "a, b, c" for people: escaped, without markers, cut behind a name (", ...") where it does not fit. */
const char *exchange_print(struct bytes list, char *to, size_t room);

#endif
