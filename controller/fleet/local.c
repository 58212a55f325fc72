// SPDX-License-Identifier: MIT
#include "controller/fleet/local.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/framer.h"
#include "controller/ssh/helper.h"
#include "controller/ssh/piped.h"
#include "controller/ssh/probe_end.h"
#include "schema/escape.h"
#include "schema/frame.h"

#define EXCERPT_MAX 512U

struct local {
	struct transport transport;
	uv_loop_t *loop;
	char probe[4096];
	uint8_t read_buffer[PIPED_READ_SIZE]; /* one loop, one read at a time */
	unsigned channels;
};

struct channel {
	struct local *local;
	struct channel_handler handler;
	void *context;
	struct piped *piped;
	uv_timer_t timer;
	struct framer framer;
	uint64_t cap_bytes;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	bool sudo;
	bool ending;
	bool framed; /* the probe has spoken */
	enum outcome outcome;
	char reason[TRANSPORT_REASON_SIZE];
	uint8_t excerpt[EXCERPT_MAX]; /* standard error, or what was no frame */
	size_t excerpt_len;
};

static void channel_free(struct channel *channel)
{
	channel->local->channels--;
	framer_clear(&channel->framer);
	free(channel);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct channel *channel = handle->data;

	if (channel->handler.closed) {
		struct channel_close report = {
			.transport = "local",
			.outcome = channel->outcome,
			.excerpt = {channel->excerpt, channel->excerpt_len},
			.sent_bytes = channel->sent_bytes,
			.received_bytes = channel->received_bytes,
		};

		memcpy(report.reason, channel->reason, sizeof(report.reason));
		channel->handler.closed(channel->context, &report);
	}
	channel_free(channel);
}

static void on_gone(void *context)
{
	struct channel *channel = context;

	uv_close((uv_handle_t *)&channel->timer, on_timer_closed);
}

/* Sets how the channel ends (once) and takes it down; `closed` comes when all of it is gone. */
static void end(struct channel *channel, enum outcome outcome, const char *reason)
{
	if (channel->ending) {
		return;
	}
	channel->ending = true;
	channel->outcome = outcome;
	(void)snprintf(channel->reason, sizeof(channel->reason), "%s", reason);
	piped_stop(channel->piped);
}

static void on_ended(void *context, int status, int term_signal)
{
	struct channel *channel = context;
	char text[4 * EXCERPT_MAX + 1];
	char reason[sizeof(channel->reason)];
	struct bytes said = {channel->excerpt, channel->excerpt_len};

	while (said.len > 0 && said.data[said.len - 1] <= ' ') {
		said.len--;
	}
	escape_text(said, text, sizeof(text));
	if (status == 0 && term_signal == 0) {
		if (channel->framed && framer_is_empty(&channel->framer)) {
			end(channel, OUTCOME_CLEAN, "");
		} else {
			end(channel, OUTCOME_KILLED, "the probe ended in the middle of a message");
		}
	} else if (term_signal != 0) {
		(void)snprintf(reason, sizeof(reason), "the probe died of signal %d (%s)",
			       term_signal, strsignal(term_signal));
		end(channel, OUTCOME_KILLED, reason);
	} else {
		const char *own = probe_end_text(status);
		bool refused = channel->sudo && !channel->framed && !own;

		(void)snprintf(reason, sizeof(reason), "%s exited with status %d%s%s%s%.120s",
			       refused ? "sudo" : "the probe", status, own ? ": " : "",
			       own ? own : "", text[0] ? ": " : "", text);
		end(channel, refused ? OUTCOME_NO_SUDO : probe_end_outcome(status, channel->framed),
		    reason);
	}
}

static void keep_excerpt(struct channel *channel, struct bytes data)
{
	size_t room = EXCERPT_MAX - channel->excerpt_len;
	size_t count = data.len < room ? data.len : room;

	if (count > 0) {
		memcpy(channel->excerpt + channel->excerpt_len, data.data, count);
		channel->excerpt_len += count;
	}
}

static bool on_frame(void *context, struct bytes payload)
{
	struct channel *channel = context;

	channel->framed = true;
	channel->handler.frame(channel->context, payload);
	return !channel->ending;
}

static void on_output(void *context, struct bytes data)
{
	struct channel *channel = context;

	channel->received_bytes += data.len;
	if (channel->cap_bytes != 0 && channel->received_bytes > channel->cap_bytes) {
		end(channel, OUTCOME_OVER_LIMIT, "the probe sent more than a host may");
		return;
	}
	switch (framer_feed(&channel->framer, data, on_frame, channel)) {
	case FRAMER_OK:
	case FRAMER_STOPPED:
		break;
	case FRAMER_INVALID:
		keep_excerpt(channel, data);
		end(channel, OUTCOME_PROTOCOL_ERROR, "a message with an impossible length");
		break;
	case FRAMER_NOMEM:
		end(channel, OUTCOME_INTERNAL, "no memory for a message");
		break;
	}
}

static void on_error_output(void *context, struct bytes data)
{
	keep_excerpt(context, data);
}

static void on_deadline(uv_timer_t *timer)
{
	struct channel *channel = timer->data;

	end(channel, channel->framed ? OUTCOME_KILLED : OUTCOME_TIMEOUT,
	    channel->framed ? "not finished at its deadline" : "no word from the probe in time");
}

static int start(struct channel *channel, struct error *err)
{
	static const struct piped_handler handler = {
		.output = on_output,
		.error_output = on_error_output,
		.ended = on_ended,
		.gone = on_gone,
	};
	static char sudo[] = "sudo", no_prompt[] = "-n", no_more[] = "--", stdio[] = "--stdio";
	struct local *local = channel->local;
	char *plain_args[] = {local->probe, stdio, NULL};
	char *sudo_args[] = {sudo, no_prompt, no_more, local->probe, stdio, NULL};
	const struct piped_options options = {
		.file = channel->sudo ? sudo : local->probe,
		.args = channel->sudo ? sudo_args : plain_args,
		.buffer = local->read_buffer,
		.stop_signal = SIGKILL,
	};

	return piped_start(local->loop, &options, &handler, channel, &channel->piped, err);
}

static int local_open(struct transport *self, const struct target *target,
		      const struct channel_handler *handler, void *context,
		      struct channel **channel_out, struct error *err)
{
	struct local *local = (struct local *)self;
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a channel");
	}
	channel->local = local;
	channel->handler = *handler;
	channel->context = context;
	channel->cap_bytes = target->cap_bytes;
	/* Here the probe has its place already; a rule for that one is sudo's to know. */
	channel->sudo = target->become != BECOME_NONE;
	framer_init(&channel->framer, FRAME_MAX);
	(void)uv_timer_init(local->loop, &channel->timer);
	channel->timer.data = channel;
	local->channels++;
	if (start(channel, err) < 0) {
		channel->handler.closed = NULL;
		on_gone(channel);
		return -1;
	}
	if (target->timeout_ms != 0) {
		(void)uv_timer_start(&channel->timer, on_deadline, target->timeout_ms, 0);
	}
	if (handler->progress) {
		handler->progress(context, "probe started");
	}
	*channel_out = channel;
	return 0;
}

static int local_send(struct channel *channel, struct bytes payload, struct error *err)
{
	uint8_t head[FRAME_HEAD];

	assert(payload.len > 0 && payload.len <= FRAME_MAX);
	if (channel->ending) {
		return 0;
	}
	frame_head((uint32_t)payload.len, head);
	if (piped_write(channel->piped, bytes_make(head, sizeof(head)), payload, err) < 0) {
		return -1;
	}
	channel->sent_bytes += FRAME_HEAD + payload.len;
	return 0;
}

static void local_pause(struct channel *channel, bool paused)
{
	if (!channel->ending) {
		piped_pause(channel->piped, paused);
	}
}

static void local_abort(struct channel *channel, enum outcome outcome, const char *reason)
{
	end(channel, outcome, reason);
}

static void local_free(struct transport *self)
{
	struct local *local = (struct local *)self;

	if (local) {
		assert(local->channels == 0);
		free(local);
	}
}

int local_new(uv_loop_t *loop, const char *probe_path, struct transport **transport,
	      struct error *err)
{
	struct local *local = calloc(1, sizeof(*local));
	char name[64];

	if (!local) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a transport");
	}
	local->transport = (struct transport){
		.name = "local",
		.open = local_open,
		.send = local_send,
		.pause = local_pause,
		.abort = local_abort,
		.free = local_free,
	};
	local->loop = loop;
	(void)snprintf(name, sizeof(name), "probe-%s", helper_native_arch());
	if (probe_path) {
		(void)snprintf(local->probe, sizeof(local->probe), "%s", probe_path);
	} else if (helper_path(name, local->probe, sizeof(local->probe), err) < 0) {
		free(local);
		return -1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	*transport = &local->transport;
	return 0;
}
