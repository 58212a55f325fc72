// SPDX-License-Identifier: MIT
/* What a channel's child, or ssh, says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/keys/authreq.h"
#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/pool/pool_private.h"
#include "schema/escape.h"

/*
 * The child has escaped what came from the host, and is not trusted to have done it: all but the
 * backslashes of its escapes is escaped again.
 */
static void take_reason(struct channel *channel, struct bytes text)
{
	char *to = channel->close.reason;
	size_t room = sizeof(channel->close.reason);

	to[0] = '\0';
	while (text.len > 0 && room > 2) {
		const uint8_t *slash = memchr(text.data, '\\', text.len);
		size_t run = slash ? (size_t)(slash - text.data) : text.len;
		size_t used = escape_bytes(ESCAPE_TEXT, bytes_make(text.data, run), to, room);

		to += used;
		room -= used;
		if (slash && room > 2) {
			*to++ = '\\';
			*to = '\0';
			room--;
			run++;
		}
		text.data += run;
		text.len -= run;
	}
}

/* What to do about a host key, in words: fingerprints, file and line. */
static void explain_key(struct channel *channel, struct bytes blob)
{
	char got[PUBKEY_FINGERPRINT_SIZE], pinned[PUBKEY_FINGERPRINT_SIZE];
	const struct known_host *known = NULL;
	struct bytes type = pubkey_type(blob);
	struct channel_close *to = &channel->close;

	pubkey_fingerprint(blob, got);
	if (channel_is_revoked(channel, blob, &known)) {
		to->outcome = OUTCOME_KEY_MISMATCH;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "its host key %s is revoked by %.100s:%u", got, known->file,
			       known->line);
		return;
	}
	for (size_t i = 0; i < channel->known_count && !known; i++) {
		if (channel_is_pin(channel, i) &&
		    bytes_equal(pubkey_type(channel->known[i].blob), type)) {
			known = &channel->known[i];
		}
	}
	if (to->outcome == OUTCOME_KEY_MISMATCH && known && !channel->known_by_name_only) {
		pubkey_fingerprint(known->blob, pinned);
		(void)snprintf(to->reason, sizeof(to->reason),
			       "host key changed: got %s, expected %s from %.90s:%u", got, pinned,
			       known->file, known->line);
		return;
	}
	to->outcome = OUTCOME_KEY_UNKNOWN;
	(void)snprintf(to->reason, sizeof(to->reason),
		       "its host key %.*s %s is not known: compare, then `muster hosts keys %.80s "
		       "--import FILE`",
		       (int)(type.len < 30 ? type.len : 30), (const char *)type.data, got,
		       channel->name);
}

static void on_closed(struct channel *channel, const struct control_closed *closed)
{
	struct channel_close *to = &channel->close;

	if (channel_fall_back(channel, closed)) {
		return;
	}
	to->sent_bytes = closed->sent_bytes;
	to->received_bytes = closed->received_bytes;
	to->probe_bytes = closed->probe_bytes;
	memcpy(channel->excerpt, closed->excerpt.data, closed->excerpt.len);
	to->excerpt.len = closed->excerpt.len;
	if (channel->aborting) {
		channel_end_later(channel);
		return;
	}
	if (channel_jump_moves(channel, closed->via)) {
		return;
	}
	to->outcome = closed->outcome;
	take_reason(channel, closed->reason);
	if (channel->fetching) {
		channel->hostkey = closed->hostkey.len > 0 ? malloc(closed->hostkey.len) : NULL;
		if (channel->hostkey) {
			memcpy(channel->hostkey, closed->hostkey.data, closed->hostkey.len);
			channel->hostkey_len = closed->hostkey.len;
		}
	} else if (closed->hostkey.len > 0 && (closed->outcome == OUTCOME_KEY_UNKNOWN ||
					       closed->outcome == OUTCOME_KEY_MISMATCH)) {
		explain_key(channel, closed->hostkey);
	} else if (closed->outcome == OUTCOME_AUTH_FAILED && channel->refused) {
		to->outcome = OUTCOME_INTERNAL;
		(void)snprintf(to->reason, sizeof(to->reason), "nothing was signed: %s",
			       channel->refused);
	}
	channel_jump_explain(channel, closed->via);
	channel_jump_explain_ssh(channel);
	channel_end_later(channel);
}

static const char *check_sign(struct channel *channel, const struct control_sign *sign,
			      struct authreq *request)
{
	bool pinned = false;

	if (sign->key >= channel->key_count || !authreq_read(sign->data, request)) {
		return "the request is no login";
	}
	if (!bytes_equal_string(request->user, channel->user) ||
	    !bytes_equal(request->blob, keys_blob(channel->pool->keys, channel->key[sign->key]))) {
		return "the request is for another user or key";
	}
	for (size_t i = 0; i < channel->known_count; i++) {
		pinned = pinned || (channel_is_pin(channel, i) &&
				    bytes_equal(channel->known[i].blob, sign->hostkey));
	}
	if (!pinned) {
		return "the session is not with a known host key";
	}
	if (channel->session_id_len == 0) {
		if (!pubkey_verify(sign->hostkey, sign->signature, request->session_id)) {
			return "the host has not signed the session";
		}
		memcpy(channel->session_id, request->session_id.data, request->session_id.len);
		channel->session_id_len = request->session_id.len;
	}
	return bytes_equal(request->session_id,
			   bytes_make(channel->session_id, channel->session_id_len))
		       ? NULL
		       : "the session is another one";
}

static void send_signed(struct channel *channel, struct bytes value)
{
	if (channel->state == CHANNEL_STARTED &&
	    !link_send_data(&channel->child->process->link, CONTROL_SIGNED, channel->id, value)) {
		channel_end(channel, OUTCOME_INTERNAL, "no memory for a signature");
	}
}

static void on_signed(void *context, uint64_t id, struct bytes value)
{
	struct pool *pool = context;
	struct channel *channel = NULL;

	HASH_FIND(hh, pool->channels, &id, sizeof(id), channel);
	if (channel) {
		send_signed(channel, value);
	}
}

static void on_sign(struct channel *channel, const struct control_sign *sign)
{
	struct authreq request;
	const char *refused = check_sign(channel, sign, &request);

	if (refused) {
		channel->refused = refused;
		send_signed(channel, (struct bytes){NULL, 0});
		return;
	}
	keys_sign(channel->pool->keys, channel->key[sign->key], request.algorithm, sign->data,
		  on_signed, channel->pool, channel->id);
}

void channel_message(struct channel *channel, const struct control_message *message)
{
	static const char *const stages[STAGES] = {
		[STAGE_CONNECTING] = "connecting",      [STAGE_HANDSHAKE] = "connected",
		[STAGE_AUTH] = "host key accepted",     [STAGE_BOOTSTRAP] = "logged in",
		[STAGE_UPLOAD] = "sending the probe",   [STAGE_RUNNING] = "probe started",
		[STAGE_CARRYING] = "goes on from here",
	};

	switch (message->type) {
	case CONTROL_STAGE:
		channel_jump_stage(channel, message->stage.stage);
		channel_progress(channel, stages[message->stage.stage]);
		break;
	case CONTROL_FRAME:
		if (!channel->aborting) {
			channel->handler.frame(channel->context, message->data.payload);
		}
		break;
	case CONTROL_SIGN:
		on_sign(channel, &message->sign);
		break;
	case CONTROL_CLOSED:
		on_closed(channel, &message->closed);
		break;
	case CONTROL_PROBE:
	case CONTROL_START:
	case CONTROL_SEND:
	case CONTROL_PAUSE:
	case CONTROL_ABORT:
	case CONTROL_SIGNED:
	case CONTROL_READY:
		break;
	}
}
