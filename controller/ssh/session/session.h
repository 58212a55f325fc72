// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_SESSION_H
#define MUSTER_CONTROLLER_SSH_SESSION_SESSION_H

/*
 * One host's SSH session inside muster-ssh: connects, checks the host key against the pinned ones,
 * authenticates with signatures made elsewhere, runs the bootstrap, sends the probe, and then carries
 * frames. A state machine over non-blocking libssh2 that never waits: the owner polls session_fd for
 * session_wants and calls session_step. It holds no key and opens no file; its memory, its bytes and
 * its time are bounded, whatever the host does. Ends in exactly one `closed`, after which it may only
 * be freed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "controller/ssh/control.h"
#include "schema/error.h"

#define SESSION_READ_SIZE 32768U
#define SESSION_PROBES_MAX 4

/* Shared by all sessions of a process; outlives them. */
struct session_probe {
	char arch[32];
	struct digest sha256;
	uint8_t *data;
	size_t size;
	size_t have; /* bytes that have arrived; equal to size: usable */
	/* The same in gzip's format, made for the first host that can unpack it. NULL: not yet. */
	uint8_t *packed;
	size_t packed_size;
};
struct session_shared {
	struct session_probe probe[SESSION_PROBES_MAX];
	size_t probe_count;
	uint8_t scratch[SESSION_READ_SIZE];
	bool congested; /* the parent is behind: read from no host */
};

struct session_handler {
	void (*stage)(void *context, enum control_stage stage);
	void (*frame)(void *context, struct bytes payload);
	void (*sign)(void *context, const struct control_sign *sign);
	/* Wants a step soon, because of what another session did. From inside that one's step, or free. */
	void (*ready)(void *context);
	/* From inside session_step only. */
	void (*closed)(void *context, const struct control_closed *closed);
};

enum session_state {
	SESSION_CONNECT,
	SESSION_HANDSHAKE,
	SESSION_AUTH,
	SESSION_CARRYING, /* a jump host: others go through it */
	SESSION_CHANNEL,
	SESSION_EXEC,
	SESSION_BOOTSTRAP, /* waiting for the marker and where to send the probe */
	SESSION_UPLOAD,    /* until the probe's first frame */
	SESSION_RUNNING,
	SESSION_ENDING, /* end of output seen, waiting for the exit status */
	SESSION_CLOSED,
	SESSION_STATES
};

enum step { STEP_AGAIN, STEP_DONE };

enum session_want { SESSION_WANT_READ = 1, SESSION_WANT_WRITE = 2 };

struct session;

/* Copies what it keeps of `start`. `tag`: BOOTSTRAP_TAG_SIZE random hexadecimal digits. */
int session_new(const struct control_start *start, const char *tag, struct session_shared *shared,
		const struct session_handler *handler, void *context, struct session **session,
		struct error *err) MUST_CHECK;
void session_free(struct session *session);
/*
 * For one whose start says `via`, once, before its first step: the jump host's session, or NULL where
 * there is none any more, which ends it. Either may be freed first.
 */
void session_go_through(struct session *session, struct session *jump);
/* The context of the session that it goes through, or NULL. */
void *session_via_context(const struct session *session);

/*
 * Goes as far as it can without waiting. `now_ms` is monotonic. STEP_DONE: closed was called, or had
 * been. `more` is set where it stopped only to let others have their turn.
 */
enum step session_step(struct session *session, uint64_t now_ms, bool *more);
/* The socket to poll, or -1 (it goes through another); changes while connecting. */
int session_fd(const struct session *session);
/* What to poll it for: enum session_want, 0: nothing. */
unsigned session_wants(const struct session *session);
/* Whether a deadline wants a step now. */
bool session_is_due(const struct session *session, uint64_t now_ms);
enum session_state session_state(const struct session *session);
const char *session_state_name(enum session_state state);

/* These take effect in the next step. session_send fails only for lack of memory. */
int session_send(struct session *session, struct bytes payload, struct error *err) MUST_CHECK;
void session_pause(struct session *session, bool paused);
void session_abort(struct session *session);
/* The answer to `sign`; empty: refused. */
void session_signed(struct session *session, struct bytes signature);

#endif
