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
#include "controller/ssh/probe_end.h"
#include "schema/escape.h"
#include "schema/frame.h"

#define EXCERPT_MAX 512U
#define READ_SIZE 65536U
/* How long a killed child may take to be reaped before it is left to itself (sudo is root's). */
#define REAP_MS 2000U

struct local {
	struct transport transport;
	uv_loop_t *loop;
	char probe[4096];
	uint8_t read_buffer[READ_SIZE]; /* one loop, one read at a time */
	unsigned channels;
};

enum local_handle { HANDLE_PROCESS, HANDLE_IN, HANDLE_OUT, HANDLE_ERR, HANDLE_TIMER, HANDLES };

struct channel {
	struct local *local;
	struct channel_handler handler;
	void *context;
	uv_process_t process;
	uv_pipe_t in;
	uv_pipe_t out;
	uv_pipe_t err;
	uv_timer_t timer;
	struct framer framer;
	uint64_t cap_bytes;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	bool sudo;
	bool exited;
	bool out_ended;
	bool ending;
	bool framed; /* the probe has spoken */
	unsigned open_handles;
	int64_t exit_status;
	int term_signal;
	enum outcome outcome;
	char reason[TRANSPORT_REASON_SIZE];
	uint8_t excerpt[EXCERPT_MAX]; /* standard error, or what was no frame */
	size_t excerpt_len;
};

struct sending {
	uv_write_t request;
	uint8_t head[FRAME_HEAD];
	uint8_t payload[];
};

static uv_handle_t *handle_of(struct channel *channel, enum local_handle which)
{
	switch (which) {
	case HANDLE_PROCESS:
		return (uv_handle_t *)&channel->process;
	case HANDLE_IN:
		return (uv_handle_t *)&channel->in;
	case HANDLE_OUT:
		return (uv_handle_t *)&channel->out;
	case HANDLE_ERR:
		return (uv_handle_t *)&channel->err;
	case HANDLE_TIMER:
	case HANDLES:
		break;
	}
	return (uv_handle_t *)&channel->timer;
}

static void channel_free(struct channel *channel)
{
	channel->local->channels--;
	framer_clear(&channel->framer);
	free(channel);
}

static void on_closed(uv_handle_t *handle)
{
	struct channel *channel = handle->data;

	if (--channel->open_handles > 0) {
		return;
	}
	if (channel->handler.closed) {
		struct channel_close report = {
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

static void close_all(struct channel *channel)
{
	for (unsigned i = 0; i < HANDLES; i++) {
		uv_handle_t *handle = handle_of(channel, (enum local_handle)i);

		if (!uv_is_closing(handle)) {
			uv_close(handle, on_closed);
		}
	}
}

static void on_reap_late(uv_timer_t *timer)
{
	close_all(timer->data);
}

/* Sets how the channel ends (once) and takes it down; `closed` comes when every handle is gone. */
static void end(struct channel *channel, enum outcome outcome, const char *reason)
{
	if (channel->ending) {
		return;
	}
	channel->ending = true;
	channel->outcome = outcome;
	(void)snprintf(channel->reason, sizeof(channel->reason), "%s", reason);
	(void)uv_read_stop((uv_stream_t *)&channel->out);
	if (channel->exited) {
		close_all(channel);
		return;
	}
	(void)uv_process_kill(&channel->process, SIGKILL);
	uv_close((uv_handle_t *)&channel->in, on_closed);
	uv_close((uv_handle_t *)&channel->out, on_closed);
	(void)uv_timer_start(&channel->timer, on_reap_late, REAP_MS, 0);
}

static void end_by_exit(struct channel *channel)
{
	char text[4 * EXCERPT_MAX + 1];
	char reason[sizeof(channel->reason)];
	struct bytes said = {channel->excerpt, channel->excerpt_len};

	while (said.len > 0 && said.data[said.len - 1] <= ' ') {
		said.len--;
	}
	escape_text(said, text, sizeof(text));
	if (channel->exit_status == 0 && channel->term_signal == 0) {
		if (channel->framed && framer_is_empty(&channel->framer)) {
			end(channel, OUTCOME_CLEAN, "");
		} else {
			end(channel, OUTCOME_KILLED, "the probe ended in the middle of a message");
		}
	} else if (channel->term_signal != 0) {
		(void)snprintf(reason, sizeof(reason), "the probe died of signal %d (%s)",
			       channel->term_signal, strsignal(channel->term_signal));
		end(channel, OUTCOME_KILLED, reason);
	} else {
		int status = (int)channel->exit_status;
		const char *own = probe_end_text(status);
		bool refused = channel->sudo && !channel->framed && !own;

		(void)snprintf(reason, sizeof(reason), "%s exited with status %d%s%s%s%.120s",
			       refused ? "sudo" : "the probe", status, own ? ": " : "",
			       own ? own : "", text[0] ? ": " : "", text);
		end(channel, refused ? OUTCOME_NO_SUDO : probe_end_outcome(status, channel->framed),
		    reason);
	}
}

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
	struct channel *channel = process->data;

	channel->exited = true;
	channel->exit_status = exit_status;
	channel->term_signal = term_signal;
	if (channel->ending) {
		close_all(channel);
	} else if (channel->out_ended) {
		end_by_exit(channel);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	const struct channel *channel = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)channel->local->read_buffer, READ_SIZE);
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

static void take_output(struct channel *channel, struct bytes data)
{
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

static void on_output(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct channel *channel = stream->data;

	if (channel->ending) {
		return;
	}
	if (nread > 0) {
		take_output(channel, bytes_make(buffer->base, (size_t)nread));
	} else if (nread < 0) {
		channel->out_ended = true;
		(void)uv_read_stop(stream);
		if (channel->exited) {
			end_by_exit(channel);
		}
	}
}

static void on_error_output(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	if (nread > 0) {
		keep_excerpt(stream->data, bytes_make(buffer->base, (size_t)nread));
	} else if (nread < 0) {
		(void)uv_read_stop(stream);
	}
}

static void on_deadline(uv_timer_t *timer)
{
	struct channel *channel = timer->data;

	end(channel, channel->framed ? OUTCOME_KILLED : OUTCOME_TIMEOUT,
	    channel->framed ? "not finished at its deadline" : "no word from the probe in time");
}

static int spawn(struct channel *channel, struct error *err)
{
	static char sudo[] = "sudo", no_prompt[] = "-n", no_more[] = "--", stdio[] = "--stdio";
	struct local *local = channel->local;
	char *plain_args[] = {local->probe, stdio, NULL};
	char *sudo_args[] = {sudo, no_prompt, no_more, local->probe, stdio, NULL};
	uv_stdio_container_t pipes[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
		 .data.stream = (uv_stream_t *)&channel->in},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&channel->out},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&channel->err},
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_status,
		.file = channel->sudo ? sudo : local->probe,
		.args = channel->sudo ? sudo_args : plain_args,
		.stdio_count = 3,
		.stdio = pipes,
	};
	int rc = uv_spawn(local->loop, &channel->process, &options);

	if (rc == 0) {
		rc = uv_read_start((uv_stream_t *)&channel->out, on_alloc, on_output);
	}
	if (rc == 0) {
		rc = uv_read_start((uv_stream_t *)&channel->err, on_alloc, on_error_output);
	}
	if (rc != 0) {
		if (channel->process.pid > 0) {
			(void)uv_process_kill(&channel->process, SIGKILL);
		}
		return error_set(err, ERROR_SYSTEM, -rc, "%s cannot be started: %s", options.file,
				 uv_strerror(rc));
	}
	return 0;
}

static void on_progress(const struct channel *channel, const char *stage)
{
	if (channel->handler.progress) {
		channel->handler.progress(channel->context, stage);
	}
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
	(void)uv_pipe_init(local->loop, &channel->in, 0);
	(void)uv_pipe_init(local->loop, &channel->out, 0);
	(void)uv_pipe_init(local->loop, &channel->err, 0);
	(void)uv_timer_init(local->loop, &channel->timer);
	local->channels++;
	channel->open_handles = HANDLES;
	if (spawn(channel, err) < 0) {
		/* uv_spawn made a handle of `process` even where it failed. */
		channel->handler.closed = NULL;
		for (unsigned i = 0; i < HANDLES; i++) {
			handle_of(channel, (enum local_handle)i)->data = channel;
		}
		channel->exited = true;
		end(channel, OUTCOME_INTERNAL, "");
		return -1;
	}
	for (unsigned i = 0; i < HANDLES; i++) {
		handle_of(channel, (enum local_handle)i)->data = channel;
	}
	if (target->timeout_ms != 0) {
		(void)uv_timer_start(&channel->timer, on_deadline, target->timeout_ms, 0);
	}
	on_progress(channel, "probe started");
	*channel_out = channel;
	return 0;
}

static void on_sent(uv_write_t *request, int status)
{
	(void)status; /* a broken pipe shows as the end of the probe's output */
	free(request->data);
}

static int local_send(struct channel *channel, struct bytes payload, struct error *err)
{
	struct sending *sending;
	uv_buf_t buffer;
	int rc;

	assert(payload.len > 0 && payload.len <= FRAME_MAX);
	if (channel->ending) {
		return 0;
	}
	sending = malloc(sizeof(*sending) + payload.len);
	if (!sending) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a message");
	}
	frame_head((uint32_t)payload.len, sending->head);
	memcpy(sending->payload, payload.data, payload.len);
	sending->request.data = sending;
	buffer = uv_buf_init((char *)sending->head, (unsigned)(FRAME_HEAD + payload.len));
	rc = uv_write(&sending->request, (uv_stream_t *)&channel->in, &buffer, 1, on_sent);
	if (rc != 0) {
		free(sending); /* not queued; the end of output will say why */
		return 0;
	}
	channel->sent_bytes += FRAME_HEAD + payload.len;
	return 0;
}

static void local_pause(struct channel *channel, bool paused)
{
	if (channel->ending || channel->out_ended) {
		return;
	}
	if (paused) {
		(void)uv_read_stop((uv_stream_t *)&channel->out);
	} else {
		(void)uv_read_start((uv_stream_t *)&channel->out, on_alloc, on_output);
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
