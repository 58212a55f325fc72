// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/session_private.h"

#define READ_ROUNDS 8U /* then the others have their turn */

/* What the host said beside the protocol, as a tail for a reason: ": text" or nothing. */
const char *session_said(const struct session *session, char *to, size_t room)
{
	struct bytes text = {session->excerpt, session->excerpt_len};

	while (text.len > 0 && text.data[text.len - 1] <= ' ') {
		text.len--;
	}
	while (text.len > 0 && text.data[0] <= ' ') {
		text.data++;
		text.len--;
	}
	if (text.len == 0) {
		to[0] = '\0';
		return to;
	}
	(void)snprintf(to, room, ": ");
	escape_text(text, to + 2, room - 2);
	return to;
}

void session_keep_excerpt(struct session *session, struct bytes data)
{
	size_t room = sizeof(session->excerpt) - session->excerpt_len;
	size_t count = data.len < room ? data.len : room;

	if (count > 0) {
		memcpy(session->excerpt + session->excerpt_len, data.data, count);
		session->excerpt_len += count;
	}
}

/* --- bootstrap and output --- */

static enum progress start_upload(struct session *session)
{
	const struct session_shared *shared = session->shared;
	char hex[2 * DIGEST_SIZE + 1];
	char line[32 + sizeof(hex)];
	struct error err;

	for (size_t i = 0; i < shared->probe_count; i++) {
		const struct session_probe *probe = &shared->probe[i];

		if (strcmp(probe->arch, session->bootstrap.word) != 0 ||
		    probe->have != probe->size) {
			continue;
		}
		for (size_t j = 0; j < DIGEST_SIZE; j++) {
			(void)snprintf(hex + 2 * j, 3, "%02x", probe->sha256.bytes[j]);
		}
		(void)snprintf(line, sizeof(line), "%zu %s\n", probe->size, hex);
		if (session_queue(session, bytes_from_string(line), &err) < 0) {
			return session_finish(session, OUTCOME_INTERNAL, "no memory");
		}
		session->probe = probe;
		session_set_state(session, SESSION_UPLOAD);
		return PROGRESS_NEXT;
	}
	return session_finish(session, OUTCOME_ARCH_UNKNOWN, "there is no probe for %s",
			      session->bootstrap.word);
}

static enum progress take_bootstrap(struct session *session, struct bytes *data)
{
	struct bytes before = *data;
	char text[160];

	switch (bootstrap_feed(&session->bootstrap, data)) {
	case BOOTSTRAP_MORE:
		if (session->state == SESSION_BOOTSTRAP) {
			session_keep_excerpt(session, before);
		}
		return PROGRESS_NEXT;
	case BOOTSTRAP_SHELL:
		session->shell_works = true;
		session->excerpt_len = 0;
		return PROGRESS_NEXT;
	case BOOTSTRAP_READY:
		session->excerpt_len = 0;
		return start_upload(session);
	case BOOTSTRAP_FAILED:
		if (strcmp(session->bootstrap.word, "short") == 0) {
			return session_finish(session, OUTCOME_NO_PLACE,
					      "the probe arrived cut short%s",
					      session_said(session, text, sizeof(text)));
		}
		session->excerpt_len = 0;
		return session_finish(session, OUTCOME_NO_PLACE,
				      "no folder can be written and executed from");
	case BOOTSTRAP_STREAM:
		session_set_state(session, SESSION_RUNNING);
		return PROGRESS_NEXT;
	case BOOTSTRAP_TOO_MUCH:
		break;
	}
	session_keep_excerpt(session, before);
	return session_finish(session, OUTCOME_OVER_LIMIT,
			      "output without end instead of a shell's answer%s",
			      session_said(session, text, sizeof(text)));
}

static bool on_frame(void *context, struct bytes payload)
{
	struct session *session = context;

	session->frames++;
	session->handler.frame(session->context, payload);
	return true;
}

static enum progress take_stream(struct session *session, struct bytes data)
{
	switch (framer_feed(&session->framer, data, on_frame, session)) {
	case FRAMER_OK:
	case FRAMER_STOPPED:
		return PROGRESS_NEXT;
	case FRAMER_INVALID:
		session->excerpt_len = 0;
		session_keep_excerpt(session, data);
		return session_finish(session, OUTCOME_PROTOCOL_ERROR,
				      "a message with an impossible length");
	case FRAMER_NOMEM:
		break;
	}
	return session_finish(session, OUTCOME_INTERNAL, "no memory for a message");
}

static enum progress count_received(struct session *session, size_t len)
{
	session->received_bytes += len;
	session->window_bytes += len;
	if (session->state == SESSION_RUNNING) {
		session->phase_end_ms = session->now_ms + SESSION_SILENCE_MS;
	}
	if (session->start.cap_bytes != 0 && session->received_bytes > session->start.cap_bytes) {
		return session_finish(session, OUTCOME_OVER_LIMIT, "sent more than %llu bytes",
				      (unsigned long long)session->start.cap_bytes);
	}
	return PROGRESS_NEXT;
}

static enum progress take_output(struct session *session, struct bytes data)
{
	enum progress progress = count_received(session, data.len);

	while (progress == PROGRESS_NEXT && data.len > 0) {
		if (session->state == SESSION_RUNNING) {
			return take_stream(session, data);
		}
		progress = take_bootstrap(session, &data);
	}
	return progress;
}

/* --- the pump: writes what waits, reads what has come --- */

static enum progress end_of_output(struct session *session)
{
	session->state_before_end = session->state;
	session_set_state(session, SESSION_ENDING);
	return PROGRESS_NEXT;
}

static enum progress read_stream(struct session *session, int stream, bool *got)
{
	ssize_t n = libssh2_channel_read_ex(session->channel, stream,
					    (char *)session->shared->scratch, SESSION_READ_SIZE);

	session->blocked = BLOCKED_NOT;
	if (n == LIBSSH2_ERROR_EAGAIN) {
		if (libssh2_session_block_directions(session->ssh) &
		    LIBSSH2_SESSION_BLOCK_OUTBOUND) {
			session->blocked = stream == 0 ? BLOCKED_READ : BLOCKED_READ_ERROR;
		}
		return PROGRESS_AGAIN;
	}
	if (n < 0) {
		return session_finish(session, OUTCOME_LOST, "the connection broke");
	}
	if (n == 0) {
		return PROGRESS_AGAIN;
	}
	*got = true;
	if (stream == 0) {
		return take_output(session, bytes_make(session->shared->scratch, (size_t)n));
	}
	session_keep_excerpt(session, bytes_make(session->shared->scratch, (size_t)n));
	return count_received(session, (size_t)n);
}

bool session_may_read(const struct session *session)
{
	return !session->paused && !session->shared->congested;
}

static enum progress read_some(struct session *session)
{
	for (unsigned round = 0; round < READ_ROUNDS; round++) {
		bool got = false;

		if (session->blocked != BLOCKED_READ &&
		    (read_stream(session, SSH_EXTENDED_DATA_STDERR, &got) == PROGRESS_DONE)) {
			return PROGRESS_DONE;
		}
		if (session->blocked == BLOCKED_READ_ERROR) {
			return PROGRESS_AGAIN;
		}
		if (read_stream(session, 0, &got) == PROGRESS_DONE) {
			return PROGRESS_DONE;
		}
		if (session->blocked != BLOCKED_NOT) {
			return PROGRESS_AGAIN;
		}
		if (!got) {
			return libssh2_channel_eof(session->channel) == 1 ? end_of_output(session)
									  : PROGRESS_AGAIN;
		}
	}
	session->more = true;
	return PROGRESS_AGAIN;
}

/* What is to be written now: the head of the queue, then the probe, then the rest of the queue. */
struct bytes session_next_out(const struct session *session)
{
	const struct session_out *out = session->out;

	if (session->probe && !session->probe_sent && session->header_sent) {
		return (struct bytes){session->probe->data + session->probe_at,
				      session->probe->size - session->probe_at};
	}
	return out ? (struct bytes){out->data + session->out_at, out->len - session->out_at}
		   : (struct bytes){NULL, 0};
}

static void advance_out(struct session *session, size_t len)
{
	session->sent_bytes += len;
	session->window_bytes += len;
	if (session->probe && !session->probe_sent && session->header_sent) {
		session->probe_at += len;
		session->probe_bytes += len;
		session->probe_sent = session->probe_at == session->probe->size;
		return;
	}
	session->out_at += len;
	if (session->out_at == session->out->len) {
		struct session_out *done = session->out;

		session->out = done->next;
		if (!session->out) {
			session->out_tail = &session->out;
		}
		session->out_at = 0;
		session->header_sent = true;
		free(done);
	}
}

static enum progress write_some(struct session *session)
{
	struct bytes data = session_next_out(session);

	session->blocked = BLOCKED_NOT;
	while (data.len > 0 && !session->deaf) {
		ssize_t n = libssh2_channel_write_ex(session->channel, 0, (const char *)data.data,
						     data.len);

		if (n == LIBSSH2_ERROR_EAGAIN) {
			if (libssh2_session_block_directions(session->ssh) &
			    LIBSSH2_SESSION_BLOCK_OUTBOUND) {
				session->blocked = BLOCKED_WRITE;
			}
			return PROGRESS_AGAIN;
		}
		if (n == LIBSSH2_ERROR_CHANNEL_CLOSED || n == LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
			session->deaf = true; /* what it said before will tell why */
			break;
		}
		if (n < 0) {
			return session_finish(session, OUTCOME_LOST, "the connection broke");
		}
		advance_out(session, (size_t)n);
		data = session_next_out(session);
	}
	return PROGRESS_AGAIN;
}

/*
 * libssh2 has one packet in flight at most, and wants the call that began it again before any other
 * (transport.c, send_existing): the blocked call goes first, and alone while it stays blocked.
 */
enum progress session_pump(struct session *session)
{
	bool reading_first = session->blocked == BLOCKED_READ ||
			     session->blocked == BLOCKED_READ_ERROR;
	enum progress progress;

	if (!reading_first) {
		progress = write_some(session);
		if (progress == PROGRESS_DONE || session->blocked != BLOCKED_NOT ||
		    !session_may_read(session)) {
			return progress;
		}
	}
	progress = read_some(session);
	if (progress != PROGRESS_AGAIN || session->blocked != BLOCKED_NOT) {
		return progress;
	}
	/* What was read may have queued something: the probe after the marker. */
	return write_some(session);
}
