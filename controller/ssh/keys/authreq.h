// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_KEYS_AUTHREQ_H
#define MUSTER_CONTROLLER_SSH_KEYS_AUTHREQ_H

/*
 * What a key may sign: the request of RFC 4252, section 7, and nothing else. The child that asks is
 * not trusted, so the request is taken apart here: the session must be proved to be one with a host
 * key that is pinned, by the host's own signature over the session id (RFC 4253, section 8), and
 * user and key must be the ones meant. Pure.
 */

#include <stdbool.h>

#include "schema/bytes.h"

struct authreq {
	struct bytes session_id;
	struct bytes user;
	struct bytes algorithm; /* to sign with, "-cert-v01@openssh.com" taken off */
	struct bytes blob;      /* public key or certificate */
};

/* Takes the data to be signed apart; false: it is not such a request. Borrows. */
bool authreq_read(struct bytes data, struct authreq *request);

#endif
