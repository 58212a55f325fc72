// SPDX-License-Identifier: MIT
#include "controller/ssh/session/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>

#include "controller/ssh/session/session_carry.h"
#include "controller/ssh/session/session_private.h"
#include "schema/frame.h"

#define ENDING_MS 10000U
#define CARRYING_MS (UINT64_MAX / 2) /* as long as the parent wants it */
#define WINDOW_SIZE 65536U
#define PACKET_SIZE 32768U

const char *session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATES] = {
		[SESSION_CONNECT] = "connect",     [SESSION_HANDSHAKE] = "handshake",
		[SESSION_AUTH] = "auth",           [SESSION_CARRYING] = "carrying",
		[SESSION_CHANNEL] = "channel",     [SESSION_EXEC] = "exec",
		[SESSION_BOOTSTRAP] = "bootstrap", [SESSION_UPLOAD] = "upload",
		[SESSION_RUNNING] = "running",     [SESSION_ENDING] = "ending",
		[SESSION_CLOSED] = "closed",
	};

	return state < SESSION_STATES ? names[state] : "unknown";
}

/* The only place where the state changes. */
void session_set_state(struct session *session, enum session_state state)
{
	static const int stages[SESSION_STATES] = {
		[SESSION_CONNECT] = STAGE_CONNECTING,
		[SESSION_HANDSHAKE] = STAGE_HANDSHAKE,
		[SESSION_AUTH] = STAGE_AUTH,
		[SESSION_CARRYING] = STAGE_CARRYING,
		[SESSION_CHANNEL] = -1,
		[SESSION_EXEC] = -1,
		[SESSION_BOOTSTRAP] = STAGE_BOOTSTRAP,
		[SESSION_UPLOAD] = STAGE_UPLOAD,
		[SESSION_RUNNING] = STAGE_RUNNING,
		[SESSION_ENDING] = -1,
		[SESSION_CLOSED] = -1,
	};
	uint64_t phase_ms = session->start.connect_timeout_ms;

	session->state = state;
	if (state == SESSION_BOOTSTRAP || state == SESSION_UPLOAD) {
		phase_ms *= PACE_SHELL_PATIENCE;
	} else if (state == SESSION_ENDING) {
		phase_ms = ENDING_MS;
	} else if (state == SESSION_RUNNING) {
		phase_ms = PACE_SILENCE_MS;
	} else if (state == SESSION_CARRYING) {
		phase_ms = CARRYING_MS;
	}
	pace_phase(&session->pace, phase_ms);
	if (stages[state] >= 0) {
		session->handler.stage(session->context, (enum control_stage)stages[state]);
	}
}

static struct bytes copy_into(uint8_t **at, struct bytes from)
{
	struct bytes to = {*at, from.len};

	if (from.len > 0) {
		memcpy(*at, from.data, from.len);
	}
	*at += from.len;
	return to;
}

static size_t start_size(const struct control_start *start)
{
	size_t total = start->user.len + start->hostkey_types.len + start->host.len;

	for (size_t i = 0; i < start->address_count; i++) {
		total += start->address[i].ip.len;
	}
	for (size_t i = 0; i < start->pin_count; i++) {
		total += start->pin[i].len;
	}
	for (size_t i = 0; i < start->key_count; i++) {
		total += start->key[i].len;
	}
	return total;
}

int session_new(const struct control_start *start, const char *tag, struct session_shared *shared,
		const struct session_handler *handler, void *context, struct session **session_out,
		struct error *err)
{
	struct session *session = calloc(1, sizeof(*session) + start_size(start));
	uint8_t *at;

	if (!session) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a session");
	}
	session->start = *start;
	at = session->storage;
	session->start.user = copy_into(&at, start->user);
	session->start.hostkey_types = copy_into(&at, start->hostkey_types);
	session->start.host = copy_into(&at, start->host);
	for (size_t i = 0; i < start->address_count; i++) {
		session->start.address[i].ip = copy_into(&at, start->address[i].ip);
	}
	for (size_t i = 0; i < start->pin_count; i++) {
		session->start.pin[i] = copy_into(&at, start->pin[i]);
	}
	for (size_t i = 0; i < start->key_count; i++) {
		session->start.key[i] = copy_into(&at, start->key[i]);
	}
	(void)snprintf(session->tag, sizeof(session->tag), "%.*s", BOOTSTRAP_TAG_SIZE, tag);
	session->shared = shared;
	session->handler = *handler;
	session->context = context;
	session->fd = -1;
	session->memory.cap_bytes = SESSION_MEMORY_CAP;
	session->out_tail = &session->out;
	talk_init(&session->talk, session->tag,
		  start->pinned ? BECOME_PINNED
		  : start->sudo ? BECOME_SUDO
				: BECOME_NONE,
		  start->cap_bytes, handler->frame, context);
	*session_out = session;
	return 0;
}

void session_free(struct session *session)
{
	if (!session) {
		return;
	}
	session_io_close(session);
	while (session->out) {
		struct session_out *next = session->out->next;

		free(session->out);
		session->out = next;
	}
	talk_clear(&session->talk);
	free(session->signature);
	free(session);
}

/* How it ends, once; the caller returns what this returns. */
enum progress session_finish(struct session *session, enum outcome outcome, const char *format, ...)
{
	struct control_closed closed = {
		.id = session->start.id,
		.outcome = outcome,
		.excerpt = {session->talk.excerpt, session->talk.excerpt_len},
		.hostkey = session->bad_hostkey,
		.via = session->via_fault,
		.sent_bytes = session->sent_bytes,
		.received_bytes = session->talk.received_bytes,
		.probe_bytes = session->probe_bytes,
	};
	char reason[CONTROL_REASON_MAX + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	closed.reason = bytes_from_string(reason);
	session_set_state(session, SESSION_CLOSED);
	session->handler.closed(session->context, &closed);
	session_io_close(session);
	return PROGRESS_DONE;
}

/* --- states --- */

/* The way through the jump host is not there, or not there any more. */
static enum progress finish_by_via(struct session *session)
{
	static const char *const words[VIAS] = {
		[VIA_FINE] = "",
		[VIA_LOST] = "the connection to the jump host broke",
		[VIA_FULL] = "the jump host has no channel left",
		[VIA_FORBIDDEN] = "the jump host may not connect there",
		[VIA_REFUSED] = "the jump host cannot connect there",
		[VIA_SLOW] = "the jump host did not connect there in time",
	};
	enum outcome outcome = session->via_fault == VIA_REFUSED ? OUTCOME_NO_ROUTE
			       : session->via_fault == VIA_SLOW  ? OUTCOME_TIMEOUT
								 : OUTCOME_JUMP_FAILED;

	return session_finish(session, outcome, "%s", words[session->via_fault]);
}

static enum progress step_connect(struct session *session)
{
	enum outcome outcome = OUTCOME_NO_ROUTE;
	char why[96];

	if (session->start.via != 0 && !session->carrier) {
		return PROGRESS_AGAIN;
	}
	switch (session_io_connect(session, &outcome, why, sizeof(why))) {
	case PROGRESS_AGAIN:
		return PROGRESS_AGAIN;
	case PROGRESS_NEXT:
		break;
	case PROGRESS_DONE:
		return session_finish(session, outcome, "%s", why);
	}
	if (session_io_start(session) < 0) {
		return session_finish(session, OUTCOME_INTERNAL, "no memory for a session");
	}
	session_set_state(session, SESSION_HANDSHAKE);
	return PROGRESS_NEXT;
}

static enum progress check_hostkey(struct session *session)
{
	size_t len = 0;
	int type = 0;
	const char *key = libssh2_session_hostkey(session->ssh, &len, &type);
	struct bytes blob = bytes_make(key, key ? len : 0);

	for (size_t i = 0; i < session->start.pin_count; i++) {
		if (blob.len > 0 && bytes_equal(blob, session->start.pin[i])) {
			session_set_state(session, SESSION_AUTH);
			return PROGRESS_NEXT;
		}
	}
	session->bad_hostkey = blob;
	if (session->start.pin_count == 0) {
		return session_finish(session, OUTCOME_KEY_UNKNOWN, "its host key is not known");
	}
	return session_finish(session, OUTCOME_KEY_MISMATCH, "its host key is another one");
}

static enum progress step_handshake(struct session *session)
{
	enum outcome outcome = OUTCOME_LOST;
	char why[CONTROL_REASON_MAX + 1];
	/* One that is carried has no socket: libssh2 only asks whether it blocks. */
	int rc = libssh2_session_handshake(session->ssh, session_io_root_fd(session));

	if (rc == LIBSSH2_ERROR_EAGAIN) {
		return PROGRESS_AGAIN;
	}
	if (rc != 0) {
		session_io_explain_handshake(session, rc, &outcome, why, sizeof(why));
		if (outcome == OUTCOME_KEX_FAILED) {
			/* The evidence, by which muster sees whether OpenSSH would get further. */
			talk_keep_excerpt(&session->talk, session_io_offers(session));
		}
		return session_finish(session, outcome, "%s", why);
	}
	return check_hostkey(session);
}

static int on_sign(LIBSSH2_SESSION *ssh, unsigned char **signature, size_t *signature_len,
		   const unsigned char *data, size_t data_len, void **abstract)
{
	struct session *session = *abstract;
	struct exchange exchange;
	struct control_sign sign;
	unsigned char *copy;

	(void)ssh;
	if (session->signing == SIGNING_ASKED) {
		return LIBSSH2_ERROR_EAGAIN;
	}
	if (session->signing == SIGNING_NONE) {
		exchange_read((struct bytes){session->head, session->head_len}, &exchange);
		sign = (struct control_sign){
			.id = session->start.id,
			.key = (uint32_t)session->key,
			.data = {data, data_len},
			.hostkey = exchange.hostkey,
			.signature = exchange.signature,
		};
		session->signing = SIGNING_ASKED;
		session->handler.sign(session->context, &sign);
		return LIBSSH2_ERROR_EAGAIN;
	}
	session->signing = SIGNING_NONE;
	copy = session->signature_len > 0
		       ? session_memory_alloc(&session->memory, session->signature_len)
		       : NULL;
	if (!copy) {
		return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
	}
	memcpy(copy, session->signature, session->signature_len);
	*signature = copy;
	*signature_len = session->signature_len;
	return 0;
}

static enum progress step_auth(struct session *session)
{
	const struct bytes *key = &session->start.key[session->key];
	void *abstract = session;
	int rc;

	if (session->key == session->start.key_count) {
		return session_finish(session, OUTCOME_AUTH_FAILED,
				      "none of %zu keys is accepted for this user",
				      session->start.key_count);
	}
	rc = libssh2_userauth_publickey(session->ssh, session->user, key->data, key->len, on_sign,
					&abstract);
	switch (rc) {
	case LIBSSH2_ERROR_EAGAIN:
		return PROGRESS_AGAIN;
	case 0:
		session_io_forget_head(session);
		if (session->start.jump && session_carry_begin(session) < 0) {
			return session_finish(session, OUTCOME_INTERNAL, "no memory");
		}
		session_set_state(session,
				  session->start.jump ? SESSION_CARRYING : SESSION_CHANNEL);
		return PROGRESS_NEXT;
	case LIBSSH2_ERROR_SOCKET_DISCONNECT:
	case LIBSSH2_ERROR_SOCKET_RECV:
	case LIBSSH2_ERROR_SOCKET_SEND:
		return session_finish(session, OUTCOME_AUTH_FAILED,
				      "closed the connection at key %zu of %zu", session->key + 1,
				      session->start.key_count);
	default:
		session->signing = SIGNING_NONE;
		session->key++;
		return PROGRESS_NEXT;
	}
}

static enum progress step_channel(struct session *session)
{
	session->channel = libssh2_channel_open_ex(session->ssh, "session", 7, WINDOW_SIZE,
						   PACKET_SIZE, NULL, 0);
	if (session->channel) {
		session_set_state(session, SESSION_EXEC);
		return PROGRESS_NEXT;
	}
	switch (libssh2_session_last_errno(session->ssh)) {
	case LIBSSH2_ERROR_EAGAIN:
		return PROGRESS_AGAIN;
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
		return session_finish(session, OUTCOME_SHELL_REFUSED, "opens no session channel");
	default:
		return session_finish(session, OUTCOME_LOST,
				      "the connection broke after authentication");
	}
}

static size_t largest_probe(const struct session_shared *shared)
{
	size_t most = 0;

	for (size_t i = 0; i < shared->probe_count; i++) {
		most = shared->probe[i].size > most ? shared->probe[i].size : most;
	}
	return most;
}

static enum progress step_exec(struct session *session)
{
	char command[BOOTSTRAP_COMMAND_MAX];
	size_t len = bootstrap_command(session->tag, session->talk.become,
				       largest_probe(session->shared), command, sizeof(command));
	int rc;

	assert(len > 0);
	rc = libssh2_channel_process_startup(session->channel, "exec", 4, command, (unsigned)len);
	switch (rc) {
	case LIBSSH2_ERROR_EAGAIN:
		return PROGRESS_AGAIN;
	case 0:
		session_set_state(session, SESSION_BOOTSTRAP);
		return PROGRESS_NEXT;
	case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
		return session_finish(session, OUTCOME_SHELL_REFUSED,
				      "the server refuses to run a command");
	default:
		return session_finish(session, OUTCOME_LOST, "the connection broke at the command");
	}
}

/* --- the end --- */

static enum progress finish_by_status(struct session *session)
{
	int status = libssh2_channel_get_exit_status(session->channel);
	struct talk_end end;
	char *name = NULL;
	size_t name_len = 0;

	(void)libssh2_channel_get_exit_signal(session->channel, &name, &name_len, NULL, NULL, NULL,
					      NULL);
	talk_ended(&session->talk, status, bytes_make(name, name ? name_len : 0), &end);
	session_memory_free(&session->memory, name);
	return session_finish(session, end.outcome, "%s", end.reason);
}

static enum progress step_ending(struct session *session)
{
	int rc = libssh2_channel_wait_closed(session->channel);

	if (rc == LIBSSH2_ERROR_EAGAIN) {
		return PROGRESS_AGAIN;
	}
	if (rc == 0) {
		ssize_t n = libssh2_channel_read_ex(session->channel, SSH_EXTENDED_DATA_STDERR,
						    (char *)session->shared->scratch,
						    SESSION_READ_SIZE);

		if (n > 0) {
			talk_keep_excerpt(&session->talk,
					  bytes_make(session->shared->scratch, (size_t)n));
		}
	}
	return finish_by_status(session);
}

/* --- deadlines --- */

static enum progress phase_over(struct session *session)
{
	bool running = session->state >= SESSION_RUNNING;

	if (session->state == SESSION_CONNECT && session_io_skip_address(session)) {
		session_set_state(session, SESSION_CONNECT);
		return PROGRESS_NEXT;
	}
	if (session->state == SESSION_CONNECT && session->start.via != 0) {
		session->via_fault = VIA_SLOW;
		return finish_by_via(session);
	}
	if (session->state == SESSION_ENDING) {
		return finish_by_status(session);
	}
	return session_finish(session, running ? OUTCOME_KILLED : OUTCOME_TIMEOUT,
			      running ? "the probe says nothing any more"
				      : "no answer in time (%s)",
			      session_state_name(session->state));
}

static enum progress check_deadlines(struct session *session, uint64_t now_ms)
{
	bool running = session->state >= SESSION_RUNNING;

	if (session->pace.end_ms == 0) {
		pace_begin(&session->pace, now_ms, session->start.timeout_ms);
		session_set_state(session, SESSION_CONNECT);
	}
	switch (pace_check(&session->pace, now_ms, session_may_read(session),
			   session->state == SESSION_RUNNING &&
				   !framer_is_empty(&session->talk.framer))) {
	case PACE_ON:
		break;
	case PACE_DEADLINE:
		return session_finish(session, running ? OUTCOME_KILLED : OUTCOME_TIMEOUT,
				      "not finished at its deadline (%s)",
				      session_state_name(session->state));
	case PACE_STALLED:
		return session_finish(session, OUTCOME_KILLED, "a message that does not go on");
	case PACE_PHASE:
		return phase_over(session);
	}
	return PROGRESS_NEXT;
}

bool session_is_due(const struct session *session, uint64_t now_ms)
{
	/*
	 * Through a jump host there is no socket of its own to say that it can be written to again: what
	 * waits is tried at each tick, if nothing has come for it before.
	 */
	if (session->via && ((session_wants(session) & SESSION_WANT_WRITE) != 0 ||
			     session_next_out(session).len > 0)) {
		return true;
	}

	return pace_is_due(&session->pace, now_ms);
}

static enum progress step_state(struct session *session)
{
	switch (session->state) {
	case SESSION_CONNECT:
		return step_connect(session);
	case SESSION_HANDSHAKE:
		return step_handshake(session);
	case SESSION_AUTH:
		return step_auth(session);
	case SESSION_CARRYING:
		return session_carry_step(session);
	case SESSION_CHANNEL:
		return step_channel(session);
	case SESSION_EXEC:
		return step_exec(session);
	case SESSION_BOOTSTRAP:
	case SESSION_UPLOAD:
	case SESSION_RUNNING:
		return session_pump(session);
	case SESSION_ENDING:
		return step_ending(session);
	case SESSION_CLOSED:
	case SESSION_STATES:
		break;
	}
	return PROGRESS_DONE;
}

enum step session_step(struct session *session, uint64_t now_ms, bool *more)
{
	enum progress progress;

	*more = false;
	if (session->state == SESSION_CLOSED) {
		return STEP_DONE;
	}
	session->more = false;
	session->dry = false;
	session->step_bytes = 0;
	if (session->via_fault != VIA_FINE) {
		(void)finish_by_via(session);
		return STEP_DONE;
	}
	if (session->aborted) {
		(void)session_finish(session, OUTCOME_NOT_ASKED, "ended by us");
		return STEP_DONE;
	}
	progress = check_deadlines(session, now_ms);
	while (progress == PROGRESS_NEXT) {
		progress = step_state(session);
	}
	*more = session->more;
	return progress == PROGRESS_DONE ? STEP_DONE : STEP_AGAIN;
}

/* --- what the owner asks and says --- */

int session_fd(const struct session *session)
{
	return session->fd;
}

enum session_state session_state(const struct session *session)
{
	return session->state;
}

unsigned session_wants(const struct session *session)
{
	unsigned wants = 0;
	int directions;

	if ((session->fd < 0 && !session->carrier) || session->signing == SIGNING_ASKED) {
		return 0;
	}
	if (session->state == SESSION_CONNECT) {
		return SESSION_WANT_WRITE;
	}
	if (session->state == SESSION_CARRYING) {
		return session_carry_wants(session);
	}
	directions = libssh2_session_block_directions(session->ssh);
	if (directions & LIBSSH2_SESSION_BLOCK_INBOUND) {
		wants |= SESSION_WANT_READ;
	}
	if (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) {
		wants |= SESSION_WANT_WRITE;
	}
	if (session->state < SESSION_BOOTSTRAP || session->state > SESSION_RUNNING) {
		return wants ? wants : SESSION_WANT_READ;
	}
	if (session->blocked != BLOCKED_NOT) {
		return SESSION_WANT_WRITE;
	}
	if (session_may_read(session)) {
		return SESSION_WANT_READ;
	}
	return session_next_out(session).len > 0 && !session->deaf ? SESSION_WANT_READ : 0;
}

int session_queue(struct session *session, struct bytes data, struct error *err)
{
	struct session_out *out = malloc(sizeof(*out) + data.len);

	if (!out) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a message");
	}
	out->next = NULL;
	out->len = data.len;
	memcpy(out->data, data.data, data.len);
	*session->out_tail = out;
	session->out_tail = &out->next;
	return 0;
}

int session_send(struct session *session, struct bytes payload, struct error *err)
{
	uint8_t head[FRAME_HEAD];

	/* Nothing goes to the host before its probe has spoken. */
	if (session->state != SESSION_RUNNING || payload.len == 0 || payload.len > FRAME_MAX) {
		return 0;
	}
	frame_head((uint32_t)payload.len, head);
	if (session_queue(session, (struct bytes){head, FRAME_HEAD}, err) < 0) {
		return -1;
	}
	return session_queue(session, payload, err);
}

void session_pause(struct session *session, bool paused)
{
	session->paused = paused;
	pace_restart(&session->pace);
}

void session_abort(struct session *session)
{
	session->aborted = true;
}

void session_signed(struct session *session, struct bytes signature)
{
	if (session->signing != SIGNING_ASKED) {
		return;
	}
	free(session->signature);
	session->signature = signature.len > 0 ? malloc(signature.len) : NULL;
	session->signature_len = session->signature ? signature.len : 0;
	if (session->signature) {
		memcpy(session->signature, signature.data, signature.len);
	}
	session->signing = SIGNING_ANSWERED;
}
