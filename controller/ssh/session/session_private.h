// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_SESSION_PRIVATE_H
#define MUSTER_CONTROLLER_SSH_SESSION_SESSION_PRIVATE_H

/*
 * The inside of a session, shared by the state machine (session.c), what moves bytes once the shell
 * runs (session_pump.c), socket, callbacks and errors of libssh2 (session_io.c), and going through a
 * jump host (session_carry.c). Nobody else includes this.
 */

#include <stdarg.h>

#include <libssh2.h>

#include "controller/ssh/pace.h"
#include "controller/ssh/session/exchange.h"
#include "controller/ssh/session/session.h"
#include "controller/ssh/session/session_memory.h"
#include "controller/ssh/talk.h"
#include "schema/escape.h"

/* The clear part of a connection: two KEXINITs, a group, a reply. More than this is not kept. */
#define SESSION_HEAD_MAX 16384U

#define SESSION_MEMORY_CAP (2U << 20)

enum progress {
	PROGRESS_AGAIN, /* nothing more without the socket */
	PROGRESS_NEXT,  /* go on at once */
	PROGRESS_DONE,  /* closed was called */
};

enum signing { SIGNING_NONE, SIGNING_ASKED, SIGNING_ANSWERED };

enum blocked { BLOCKED_NOT, BLOCKED_WRITE, BLOCKED_READ, BLOCKED_READ_ERROR };

struct session_out {
	struct session_out *next;
	size_t len;
	uint8_t data[];
};

struct session {
	struct session_shared *shared;
	struct session_handler handler;
	void *context;
	struct control_start start; /* bytes point into storage */
	enum session_state state;
	struct pace pace;

	int fd;
	size_t next_address;
	int connect_errno;
	LIBSSH2_SESSION *ssh;
	LIBSSH2_CHANNEL *channel;
	struct session_memory memory;
	bool dry;           /* in this step the socket has no more */
	bool dead;          /* the socket is shut: libssh2 gets errors only */
	bool head_whole;    /* nothing more is kept of the clear part */
	bool bannerless;    /* so much came, and no SSH banner */
	uint8_t *head;      /* the connection's first bytes, read ahead of libssh2 */
	size_t head_len;    /* filled */
	size_t head_at;     /* handed to libssh2 */
	uint64_t raw_bytes; /* from the socket */
	size_t step_bytes;  /* of them, in this step */

	struct carry *carry;          /* of a jump host that is logged in to: session_carry.c */
	struct session *via;          /* the one it goes through; NULL: none, or it is gone */
	LIBSSH2_CHANNEL *carrier;     /* of `via`: what stands for the socket */
	struct session *next_carried; /* by the same */
	enum control_via via_fault;
	unsigned open_tries;

	char user[CONTROL_TEXT_MAX + 1];
	char tag[BOOTSTRAP_TAG_SIZE + 1];
	size_t key; /* the one being tried */
	enum signing signing;
	uint8_t *signature;
	size_t signature_len;
	struct bytes bad_hostkey;

	struct talk talk;
	struct bytes upload; /* the probe as it is sent; empty: not known yet */
	size_t probe_at;
	bool header_sent;
	bool probe_sent;

	struct session_out *out;
	struct session_out **out_tail;
	size_t out_at;
	enum blocked blocked;
	bool deaf; /* the host takes no more input */
	bool paused;
	bool aborted;
	bool more;

	uint64_t sent_bytes;
	uint64_t probe_bytes;
	uint8_t storage[];
};

/* session.c */
/* The only place where the state changes. */
void session_set_state(struct session *session, enum session_state state);
/* How it ends, once; the caller returns what this returns. */
enum progress session_finish(struct session *session, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Bytes for the host, behind what waits. */
int session_queue(struct session *session, struct bytes data, struct error *err) MUST_CHECK;

/* session_pump.c */
/* Writes what waits, reads what has come; bootstrap, upload and running. */
enum progress session_pump(struct session *session);
/* Neither side of us asks to wait. */
bool session_may_read(const struct session *session);
/* What is to be written now; empty: nothing. */
struct bytes session_next_out(const struct session *session);

/* session_io.c */
/* The socket below it, its own or that of the first jump host. */
int session_io_root_fd(const struct session *session);
/* NEXT: connected. DONE: no address is left; *outcome and `why` say why. */
enum progress session_io_connect(struct session *session, enum outcome *outcome, char *why,
				 size_t room);
/* Gives up the address being tried; false where it was the last. */
bool session_io_skip_address(struct session *session);
/* Makes the libssh2 session on the connected socket. */
int session_io_start(struct session *session) MUST_CHECK;
void session_io_explain_handshake(const struct session *session, int rc, enum outcome *outcome,
				  char *why, size_t room);
/* Of the list that has nothing in common with ours: what the server has; may be empty. */
struct bytes session_io_offers(const struct session *session);
void session_io_forget_head(struct session *session);
/* Takes everything down, without waiting. May be called twice. */
void session_io_close(struct session *session);

#endif
