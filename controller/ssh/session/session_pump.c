// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/session/probe_pack.h"
#include "controller/ssh/session/session_private.h"

#define READ_ROUNDS 8U /* then the others have their turn */

/* --- what comes --- */

/* As this host takes it. Without memory to pack it it goes as it is. */
static struct bytes upload_of(struct session_probe *probe, bool unpacks)
{
	struct bytes plain = {probe->data, probe->size};

	if (unpacks && !probe->packed) {
		probe->packed = probe_pack(plain, &probe->packed_size);
	}
	return unpacks && probe->packed ? (struct bytes){probe->packed, probe->packed_size} : plain;
}

static enum progress start_upload(struct session *session)
{
	struct session_shared *shared = session->shared;
	char line[TALK_HEAD_SIZE];
	struct talk_end end;
	struct error err;

	for (size_t i = 0; i < shared->probe_count; i++) {
		struct session_probe *probe = &shared->probe[i];
		struct bytes upload;
		size_t len;

		if (strcmp(probe->arch, session->talk.bootstrap.word) != 0 ||
		    probe->have != probe->size) {
			continue;
		}
		upload = upload_of(probe, session->talk.bootstrap.unpacks);
		len = talk_head(probe->size, &probe->sha256,
				upload.data == probe->data ? 0 : upload.len, line);
		if (session_queue(session, bytes_make(line, len), &err) < 0) {
			return session_finish(session, OUTCOME_INTERNAL, "no memory");
		}
		session->upload = upload;
		session_set_state(session, SESSION_UPLOAD);
		return PROGRESS_NEXT;
	}
	talk_no_probe(&session->talk, &end);
	return session_finish(session, end.outcome, "%s", end.reason);
}

static enum progress count_received(struct session *session, size_t len)
{
	struct talk_end end;

	pace_moved(&session->pace, len);
	if (session->state == SESSION_RUNNING) {
		session->pace.phase_end_ms = session->pace.now_ms + PACE_SILENCE_MS;
	}
	return talk_count(&session->talk, len, &end) == TALK_OVER
		       ? session_finish(session, end.outcome, "%s", end.reason)
		       : PROGRESS_NEXT;
}

static enum progress take_output(struct session *session, struct bytes data)
{
	enum progress progress = count_received(session, data.len);
	struct talk_end end;

	while (progress == PROGRESS_NEXT && data.len > 0) {
		switch (talk_output(&session->talk, &data, &end)) {
		case TALK_MORE:
			break;
		case TALK_ARCH:
			progress = start_upload(session);
			break;
		case TALK_STREAM:
			session_set_state(session, SESSION_RUNNING);
			break;
		case TALK_OVER:
			return session_finish(session, end.outcome, "%s", end.reason);
		}
	}
	return progress;
}

/* --- the pump: writes what waits, reads what has come --- */

static enum progress end_of_output(struct session *session)
{
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
	talk_keep_excerpt(&session->talk, bytes_make(session->shared->scratch, (size_t)n));
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

	if (session->upload.data && !session->probe_sent && session->header_sent) {
		return (struct bytes){session->upload.data + session->probe_at,
				      session->upload.len - session->probe_at};
	}
	return out ? (struct bytes){out->data + session->out_at, out->len - session->out_at}
		   : (struct bytes){NULL, 0};
}

static void advance_out(struct session *session, size_t len)
{
	session->sent_bytes += len;
	pace_moved(&session->pace, len);
	if (session->upload.data && !session->probe_sent && session->header_sent) {
		session->probe_at += len;
		session->probe_bytes += len;
		session->probe_sent = session->probe_at == session->upload.len;
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
