// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_ROUTE_CHOOSE_H
#define MUSTER_CONTROLLER_SSH_ROUTE_CHOOSE_H

/*
 * Who speaks SSH with a host: libssh2 in its sandbox, which is quick and holds no key, or OpenSSH's
 * ssh, which can do more and has the keys; only where it is needed, with the reason in words. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "controller/fleet/transport.h"
#include "controller/ssh/route/ssh_config.h"
#include "schema/bytes.h"

/* What is known of a host before anybody connects to it. */
struct choose_facts {
	enum speaker speaker;                   /* as configured */
	const struct ssh_config_answer *answer; /* NULL: ssh_config was not asked */
	bool proxy_command;
	bool alone_authority; /* a @cert-authority is known for its name, and no key */
	size_t keys;          /* to offer by libssh2 */
	bool security_keys;   /* there are such that a FIDO token holds */
};

/* Why ssh; NULL: libssh2. */
const char *choose_speaker(const struct choose_facts *facts);

/* libssh2 has come to this end. `offers`: the names the server put up where none was common. */
struct choose_end {
	enum outcome outcome;
	struct bytes offers;
	bool authority; /* a @cert-authority is known for its name */
	bool security_keys;
};
/* Why ssh should try; NULL: it would come to the same end. */
const char *choose_again(const struct choose_end *end);

#endif
