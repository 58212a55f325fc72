// SPDX-License-Identifier: MIT
#include "controller/ssh/pool/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/escape.h"

static void maybe_free(struct child_process *child)
{
	if (--child->handles == 0) {
		free(child);
	}
}

static void on_closed(uv_handle_t *handle)
{
	maybe_free(handle->data);
}

static void on_link_gone(void *context)
{
	maybe_free(context);
}

static void report(struct child_process *child, const char *why)
{
	char said[4 * sizeof(child->said) + 1];
	char text[512];
	struct bytes last = bytes_make(child->said, child->said_len);

	if (child->reported || child->closing) {
		return;
	}
	child->reported = true;
	while (last.len > 0 && last.data[last.len - 1] <= ' ') {
		last.len--;
	}
	escape_text(last, said, sizeof(said));
	if (child->exited && child->term_signal != 0) {
		(void)snprintf(text, sizeof(text), "muster-ssh died of signal %d%s%.300s",
			       child->term_signal, said[0] ? ": " : "", said);
	} else if (child->exited) {
		(void)snprintf(text, sizeof(text), "muster-ssh ended with status %d%s%.300s",
			       (int)child->exit_status, said[0] ? ": " : "", said);
	} else {
		(void)snprintf(text, sizeof(text), "muster-ssh %s%s%.300s", why,
			       said[0] ? ": " : "", said);
	}
	child->gone(child->context, text);
}

static void on_message(void *context, const struct control_message *message)
{
	struct child_process *child = context;

	if (!child->closing) {
		child->message(child->context, message);
	}
}

/* Usually its death, the status of which comes a moment later. */
static void on_link_ended(void *context, const char *why)
{
	struct child_process *child = context;

	if (child->exited) {
		report(child, why);
	} else {
		(void)uv_process_kill(&child->process, SIGTERM);
	}
}

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
	struct child_process *child = process->data;

	child->exited = true;
	child->exit_status = exit_status;
	child->term_signal = term_signal;
	/* What it sent before must be read first. */
	if (child->link.ended) {
		report(child, "ended");
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct child_process *child = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(child->said_buffer, sizeof(child->said_buffer));
}

static void on_said(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct child_process *child = stream->data;
	size_t count = nread > 0 ? (size_t)nread : 0;
	size_t room = sizeof(child->said);

	if (nread < 0) {
		(void)uv_read_stop(stream);
		return;
	}
	/* The last words tell most. */
	if (count > room) {
		count = room;
	}
	if (child->said_len + count > room) {
		size_t drop = child->said_len + count - room;

		memmove(child->said, child->said + drop, child->said_len - drop);
		child->said_len -= drop;
	}
	memcpy(child->said + child->said_len, buffer->base + ((size_t)nread - count), count);
	child->said_len += count;
}

static int spawn(struct child_process *child, const char *path, struct error *err)
{
	static char *const environment[] = {NULL};
	char name[] = "muster-ssh", serve[] = "--serve";
	char *args[] = {name, serve, NULL};
	uv_stdio_container_t stdio[4] = {
		{.flags = UV_IGNORE},
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&child->said_pipe},
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&child->link.pipe},
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_status,
		.file = path,
		.args = args,
		.env = (char **)(uintptr_t)environment,
		.stdio_count = 4,
		.stdio = stdio,
	};
	int rc;

	rc = uv_spawn(child->process.loop, &child->process, &options);
	child->exited = rc != 0;
	if (rc == 0) {
		rc = uv_read_start((uv_stream_t *)&child->said_pipe, on_alloc, on_said);
	}
	return rc == 0 ? 0
		       : error_set(err, ERROR_CONFIG, -rc, "%s cannot be started: %s", path,
				   uv_strerror(rc));
}

int child_start(uv_loop_t *loop, const char *path,
		void (*message)(void *context, const struct control_message *message),
		void (*gone)(void *context, const char *why), void *context,
		struct child_process **child_out, struct error *err)
{
	static const struct link_handler handler = {
		.message = on_message, .ended = on_link_ended, .gone = on_link_gone};
	struct child_process *child = calloc(1, sizeof(*child));

	if (!child) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory to start muster-ssh");
	}
	child->message = message;
	child->gone = gone;
	child->context = context;
	child->process.loop = loop;
	if (link_init(&child->link, loop, &handler, child, err) < 0) {
		free(child);
		return -1;
	}
	(void)uv_pipe_init(loop, &child->said_pipe, 0);
	child->handles = 3;
	if (spawn(child, path, err) < 0 || link_start(&child->link, err) < 0) {
		child->process.data = child;
		child->said_pipe.data = child;
		child_close(child);
		return -1;
	}
	child->process.data = child;
	child->said_pipe.data = child;
	*child_out = child;
	return 0;
}

void child_close(struct child_process *child)
{
	if (!child || child->closing) {
		return;
	}
	child->closing = true;
	/* It ends with its link; nobody waits for it, and init reaps what is left. */
	if (!child->exited) {
		(void)uv_process_kill(&child->process, SIGTERM);
	}
	link_close(&child->link);
	uv_close((uv_handle_t *)&child->said_pipe, on_closed);
	uv_close((uv_handle_t *)&child->process, on_closed);
}

void child_hold(struct child_process *child, bool hold)
{
	void (*change)(uv_handle_t *) = hold ? uv_ref : uv_unref;

	change((uv_handle_t *)&child->process);
	change((uv_handle_t *)&child->said_pipe);
	change((uv_handle_t *)&child->link.pipe);
}
