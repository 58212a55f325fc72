// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_TRANSPORT_H
#define MUSTER_CONTROLLER_FLEET_TRANSPORT_H

/*
 * How a conversation reaches its probe: an interface with several implementations (muster-ssh over
 * libssh2, a local pipe). All calls and callbacks happen on the thread of the event loop; nothing
 * blocks. A channel delivers whole frames, in order, within the byte cap, and ends in exactly one
 * `closed`; what came before the probe's first frame (banners, bootstrap) is the transport's own
 * business.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/outcome.h"

/*
 * SUDO: everything on the host runs as root, through `sudo -n /bin/sh`. PINNED: the probe alone does,
 * from a fixed place, by a sudoers rule that holds its digest (muster sudoers).
 */
enum become { BECOME_NONE, BECOME_SUDO, BECOME_PINNED };

/* Which program speaks SSH with a host. AUTO: libssh2, but OpenSSH's ssh for what libssh2 cannot do. */
enum speaker { SPEAKER_AUTO, SPEAKER_LIBSSH2, SPEAKER_SSH };

/* Where a host is and how to get in. Strings are borrowed until open returns. */
struct target {
	const char *name;    /* inventory name: identity in store and reports */
	const char *address; /* host name or address to connect to; NULL: name */
	const char *user;    /* NULL: the transport's default */
	uint16_t port;       /* 0: the transport's default */
	/* A private key's file that is offered first; NULL: none beyond the transport's own. */
	const char *identity;
	/* As ProxyJump has it ("a,user@b:22"; "none": directly); NULL: what ssh_config says. */
	const char *jump;
	enum become become;
	enum speaker speaker;
	uint32_t connect_timeout_ms;
	uint32_t timeout_ms; /* total, from open to closed; 0: none */
	uint64_t cap_bytes;  /* most that the host may send; 0: none */
};

/* Two lists of algorithms must fit. */
#define TRANSPORT_REASON_SIZE 768U

struct channel; /* one host's, owned by the transport from open to closed */

/* "ssh (jump host NAME: REASON)" fits. */
#define TRANSPORT_WHO_SIZE 160U

struct channel_close {
	enum outcome
		outcome; /* OUTCOME_CLEAN: the probe ended with status 0 and the stream was whole */
	char reason[TRANSPORT_REASON_SIZE]; /* escaped, for people */
	/* Who spoke with it, and why where it was not libssh2: "ssh (ProxyCommand)"; NULL: nobody. Borrowed. */
	const char *transport;
	struct bytes excerpt; /* capped raw bytes as evidence, borrowed during the callback */
	uint64_t sent_bytes;  /* channel bytes to the host, the probe included */
	uint64_t received_bytes;
	uint64_t probe_bytes; /* the part of sent_bytes that was the probe */
};

struct channel_handler {
	/* One whole frame's payload, borrowed during the call. */
	void (*frame)(void *context, struct bytes payload);
	/* Exactly once; the channel is gone afterwards. Never called from inside open or send. */
	void (*closed)(void *context, const struct channel_close *close);
	/* Progress for -v and the log: "connecting", "key accepted" ... May be NULL. */
	void (*progress)(void *context, const char *stage);
};

struct transport {
	const char *name; /* "ssh", "local" */
	int (*open)(struct transport *self, const struct target *target,
		    const struct channel_handler *handler, void *context, struct channel **channel,
		    struct error *err);
	/* Queues one frame (payload without its head). Fails only for lack of memory. */
	int (*send)(struct channel *channel, struct bytes payload, struct error *err);
	/* Stop reading from the host until resumed: back-pressure. */
	void (*pause)(struct channel *channel, bool paused);
	/* Ends the session now; `closed` follows with this outcome and reason. */
	void (*abort)(struct channel *channel, enum outcome outcome, const char *reason);
	void (*free)(struct transport *self);
};

#endif
