// SPDX-License-Identifier: MIT
#include "controller/ssh/piped.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a killed child may take to be reaped before it is left to itself (sudo is root's). */
#define REAP_MS 2000U
/* So long an ended child's pipes are read: whoever inherited them may hold them open for ever. */
#define LINGER_MS 2000U

enum pipe_name { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPE_LOG, PIPES };

struct piped {
	struct piped_handler handler;
	void *context;
	uint8_t *buffer;
	int stop_signal;
	uv_process_t process;
	uv_pipe_t pipe[PIPES];
	uv_timer_t timer;
	unsigned pipe_count;
	unsigned handles;
	bool ended[PIPES];
	bool paused;
	bool has_process;
	bool exited;
	bool stopping;
	int status;
	int term_signal;
};

struct writing {
	uv_write_t request;
	struct piped *piped;
	size_t len;
	bool borrowed;
	uint8_t data[];
};

static void on_closed(uv_handle_t *handle)
{
	struct piped *piped = handle->data;

	if (--piped->handles > 0) {
		return;
	}
	if (piped->handler.gone) {
		piped->handler.gone(piped->context);
	}
	free(piped);
}

static void close_one(uv_handle_t *handle)
{
	if (!uv_is_closing(handle)) {
		uv_close(handle, on_closed);
	}
}

static void close_pipes(struct piped *piped)
{
	for (unsigned i = 0; i < piped->pipe_count; i++) {
		close_one((uv_handle_t *)&piped->pipe[i]);
	}
}

static void close_all(struct piped *piped)
{
	close_pipes(piped);
	if (piped->has_process) {
		close_one((uv_handle_t *)&piped->process);
	}
	close_one((uv_handle_t *)&piped->timer);
}

/* --- its end --- */

static void finish(struct piped *piped)
{
	piped->stopping = true;
	piped->handler.ended(piped->context, piped->status, piped->term_signal);
	close_all(piped);
}

static void maybe_finish(struct piped *piped)
{
	if (!piped->exited || piped->stopping) {
		return;
	}
	for (unsigned i = PIPE_OUT; i < piped->pipe_count; i++) {
		if (!piped->ended[i]) {
			return;
		}
	}
	finish(piped);
}

static void on_linger(uv_timer_t *timer)
{
	struct piped *piped = timer->data;

	if (piped->stopping) {
		close_all(piped);
	} else if (piped->paused) {
		/* What it said last is still to be read. */
		(void)uv_timer_start(timer, on_linger, LINGER_MS, 0);
	} else {
		finish(piped);
	}
}

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
	struct piped *piped = process->data;

	piped->exited = true;
	piped->status = (int)exit_status;
	piped->term_signal = term_signal;
	if (piped->stopping) {
		close_all(piped);
		return;
	}
	(void)uv_timer_start(&piped->timer, on_linger, LINGER_MS, 0);
	maybe_finish(piped);
}

static void on_reap_late(uv_timer_t *timer)
{
	struct piped *piped = timer->data;

	(void)uv_process_kill(&piped->process, SIGKILL);
	close_all(piped);
}

void piped_stop(struct piped *piped)
{
	if (piped->stopping) {
		return;
	}
	piped->stopping = true;
	if (piped->exited) {
		close_all(piped);
		return;
	}
	(void)uv_process_kill(&piped->process, piped->stop_signal);
	close_pipes(piped);
	(void)uv_timer_start(&piped->timer, on_reap_late, REAP_MS, 0);
}

/*
 * A pipe of ours is of no use any more. The child knows nothing of it, and would wait for us as long
 * as we for it.
 */
static void give_up(struct piped *piped, const char *what, int error)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "muster: %s: %s", what, uv_strerror(error));

	if (!piped->stopping && !piped->exited) {
		piped->handler.error_output(piped->context, bytes_make(text, (size_t)len));
		(void)uv_process_kill(&piped->process, SIGKILL);
	}
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	const struct piped *piped = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)piped->buffer, PIPED_READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct piped *piped = stream->data;
	unsigned which = (unsigned)((uv_pipe_t *)stream - piped->pipe);

	if (piped->stopping) {
		return;
	}
	if (nread < 0) {
		piped->ended[which] = true;
		(void)uv_read_stop(stream);
		if (nread != UV_EOF) {
			give_up(piped, "reading what it says", (int)nread);
		}
		maybe_finish(piped);
	} else if (nread > 0) {
		struct bytes data = bytes_make(buffer->base, (size_t)nread);

		if (which == PIPE_OUT) {
			piped->handler.output(piped->context, data);
		} else if (which == PIPE_ERR) {
			piped->handler.error_output(piped->context, data);
		} else {
			piped->handler.log(piped->context, data);
		}
	}
}

static int read_from(struct piped *piped, unsigned which)
{
	return piped->ended[which]
		       ? 0
		       : uv_read_start((uv_stream_t *)&piped->pipe[which], on_alloc, on_read);
}

void piped_pause(struct piped *piped, bool paused)
{
	piped->paused = paused;
	if (piped->stopping) {
		return;
	}
	if (paused) {
		(void)uv_read_stop((uv_stream_t *)&piped->pipe[PIPE_OUT]);
		(void)uv_read_stop((uv_stream_t *)&piped->pipe[PIPE_ERR]);
	} else {
		(void)read_from(piped, PIPE_OUT);
		(void)read_from(piped, PIPE_ERR);
	}
}

/* --- writing --- */

static void on_written(uv_write_t *request, int status)
{
	struct writing *writing = request->data;
	struct piped *piped = writing->piped;

	/* A broken pipe shows as the end of its output. */
	if (status != 0 && status != UV_EPIPE && status != UV_ECANCELED) {
		give_up(piped, "writing to it", status);
	}
	if (piped->handler.written) {
		piped->handler.written(piped->context, writing->len, writing->borrowed,
				       status == 0);
	}
	free(writing);
}

static int queue(struct writing *writing, const void *data)
{
	uv_buf_t buffer =
		uv_buf_init((char *)(uintptr_t)data, (unsigned)writing->len); /* it only reads */

	int rc;

	writing->request.data = writing;
	rc = uv_write(&writing->request, (uv_stream_t *)&writing->piped->pipe[PIPE_IN], &buffer, 1,
		      on_written);
	if (rc != 0) {
		if (rc != UV_EPIPE) {
			give_up(writing->piped, "writing to it", rc);
		}
		free(writing); /* the end of its output will say why */
	}
	return 0;
}

static struct writing *writing_new(struct piped *piped, size_t len, bool borrowed,
				   struct error *err)
{
	struct writing *writing = malloc(sizeof(*writing) + (borrowed ? 0 : len));

	if (!writing) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a message");
		return NULL;
	}
	writing->piped = piped;
	writing->len = len;
	writing->borrowed = borrowed;
	return writing;
}

int piped_write(struct piped *piped, struct bytes head, struct bytes data, struct error *err)
{
	struct writing *writing;

	if (piped->stopping) {
		return 0;
	}
	writing = writing_new(piped, head.len + data.len, false, err);
	if (!writing) {
		return -1;
	}
	if (head.len > 0) {
		memcpy(writing->data, head.data, head.len);
	}
	if (data.len > 0) {
		memcpy(writing->data + head.len, data.data, data.len);
	}
	return queue(writing, writing->data);
}

int piped_write_borrowed(struct piped *piped, struct bytes data, struct error *err)
{
	struct writing *writing;

	if (piped->stopping) {
		return 0;
	}
	writing = writing_new(piped, data.len, true, err);
	return writing ? queue(writing, data.data) : -1;
}

/* --- the start --- */

/* A pipe, where libuv makes sockets: it can be opened anew by its name in /proc. */
static int open_log(struct piped *piped, int *other_end)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	rc = uv_pipe_open(&piped->pipe[PIPE_LOG], ends[0]);
	if (rc != 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return rc;
	}
	*other_end = ends[1];
	return 0;
}

static int spawn(struct piped *piped, uv_loop_t *loop, const struct piped_options *options)
{
	static const int directions[PIPE_LOG] = {UV_READABLE_PIPE, UV_WRITABLE_PIPE,
						 UV_WRITABLE_PIPE};
	uv_stdio_container_t stdio[PIPES];
	int log_end = -1;
	uv_process_options_t process = {
		.exit_cb = on_exit_status,
		.file = options->file,
		.args = (char **)(uintptr_t)options->args, /* execv wants it so */
		.env = (char **)(uintptr_t)options->environment,
		.flags = options->own_session ? UV_PROCESS_DETACHED : 0,
		.stdio_count = (int)piped->pipe_count,
		.stdio = stdio,
	};
	int rc;

	for (unsigned i = 0; i < PIPE_LOG; i++) {
		stdio[i].flags = (uv_stdio_flags)(UV_CREATE_PIPE | directions[i]);
		stdio[i].data.stream = (uv_stream_t *)&piped->pipe[i];
	}
	rc = piped->pipe_count > PIPE_LOG ? open_log(piped, &log_end) : 0;
	stdio[PIPE_LOG].flags = UV_INHERIT_FD;
	stdio[PIPE_LOG].data.fd = log_end;
	if (rc == 0) {
		/* Where it fails it has made a handle all the same. */
		piped->has_process = true;
		piped->handles++;
		rc = uv_spawn(loop, &piped->process, &process);
		piped->process.data = piped;
	}
	if (log_end >= 0) {
		(void)close(log_end);
	}
	piped->exited = rc != 0;
	for (unsigned i = PIPE_OUT; i < piped->pipe_count && rc == 0; i++) {
		rc = read_from(piped, i);
	}
	return rc;
}

int piped_start(uv_loop_t *loop, const struct piped_options *options,
		const struct piped_handler *handler, void *context, struct piped **piped_out,
		struct error *err)
{
	struct piped *piped = calloc(1, sizeof(*piped));
	int rc;

	if (!piped) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a child process");
	}
	piped->handler = *handler;
	piped->context = context;
	piped->buffer = options->buffer;
	piped->stop_signal = options->stop_signal;
	piped->pipe_count = handler->log ? PIPES : PIPE_LOG;
	piped->handles = piped->pipe_count + 1;
	for (unsigned i = 0; i < piped->pipe_count; i++) {
		(void)uv_pipe_init(loop, &piped->pipe[i], 0);
		piped->pipe[i].data = piped;
	}
	(void)uv_timer_init(loop, &piped->timer);
	piped->timer.data = piped;
	rc = spawn(piped, loop, options);
	if (rc != 0) {
		piped->handler = (struct piped_handler){.gone = NULL};
		piped_stop(piped);
		return error_set(err, ERROR_SYSTEM, -rc, "%s cannot be started: %s", options->file,
				 uv_strerror(rc));
	}
	*piped_out = piped;
	return 0;
}
