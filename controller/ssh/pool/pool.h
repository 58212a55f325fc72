// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_POOL_POOL_H
#define MUSTER_CONTROLLER_SSH_POOL_POOL_H

/*
 * The SSH transport as muster sees it: starts the muster-ssh children, resolves names, looks up host
 * keys, holds the keys and signs, gives each host to a child, and turns what comes back into the
 * callbacks of controller/fleet/transport.h. A host that libssh2 is no match for is OpenSSH's
 * (openssh.h), by the same interface. A child that dies takes only its own hosts with it
 * (OUTCOME_INTERNAL); the next host gets a new one. Sees no libssh2. Everything on one loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "controller/fleet/transport.h"
#include "controller/ssh/route/route.h"
#include "schema/error.h"

/* Most hosts at once through one jump host, by the name that the configuration has for it. */
struct pool_jump_limit {
	const char *host;
	size_t most;
};

/* Strings are copied. Zero or NULL: the default. */
struct pool_options {
	unsigned children; /* one a core */
	const char *user;  /* ssh_config's, or this process's user */
	uint16_t port;     /* ssh_config's, or 22 */
	/* Private keys to log in with; none: ssh_config's, ~/.ssh/id_{ed25519,ecdsa,rsa}. */
	const char *const *identities;
	size_t identity_count;
	bool no_agent; /* leave SSH_AUTH_SOCK alone */
	/* Instead of the user's and the system's files. */
	const char *const *known_hosts;
	size_t known_hosts_count;
	const char *ssh_config;    /* ssh -F FILE; NULL: ssh's own files */
	bool no_ssh_config;        /* do not ask `ssh -G` at all */
	const char *helper;        /* path of muster-ssh */
	const char *guard;         /* path of muster-run-ssh */
	const char *const *probes; /* files named probe-ARCH; NULL: those beside muster */
	size_t probe_count;
	size_t jump_channels; /* most hosts through one session of a jump host; then another is opened */
	const struct pool_jump_limit *jump_limits;
	size_t jump_limit_count;
};

/*
 * Fails with ERROR_CONFIG where a file that was named cannot be used. Freed by transport->free when
 * no channel is open; the loop must run on afterwards until it is empty.
 */
int pool_new(uv_loop_t *loop, const struct pool_options *options, struct transport **transport,
	     struct error *err) MUST_CHECK;

/* `route` is borrowed during the call; a host whose way cannot be told yet has an empty one. */
typedef void (*pool_route)(void *context, uint64_t token, const struct route *route);

/* How a host will be reached, by its inventory or ssh_config. Calls `told` once, perhaps from inside. */
int pool_ask_route(struct transport *transport, const struct target *target, pool_route told,
		   void *context, uint64_t token, struct error *err) MUST_CHECK;

/* One type of a host's keys, as the host showed it just now: nothing says that it is right. */
struct pool_hostkey {
	struct bytes type;
	struct bytes blob;
	char fingerprint[64];
	char known[16]; /* "same", "other", "unknown", "revoked": against known_hosts */
	/* Under which known_hosts has it, as ssh_config and inventory say; port 0 and 22: the name alone. */
	const char *name;
	uint16_t port;
};

/* Called once. No keys: outcome and reason say why. Borrowed during the call. */
typedef void (*pool_hostkeys)(void *context, const char *host, const struct pool_hostkey *key,
			      size_t count, enum outcome outcome, const char *reason);

/* Fetches the host keys of all types, without logging in. */
int pool_fetch_hostkeys(struct transport *transport, const struct target *target,
			pool_hostkeys done, void *context, struct error *err) MUST_CHECK;

#endif
