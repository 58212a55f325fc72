// SPDX-License-Identifier: MIT
#include "controller/ssh/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/frame.h"

#define BUFFER_SIZE (FRAME_HEAD + CONTROL_MAX)
#define OUT_SIZE 65536U
#define LARGE 16384U /* is not worth a copy */

struct queued {
	uv_write_t request;
	struct link *link;
	uint8_t data[];
};

static void on_gone(uv_handle_t *handle)
{
	struct link *link = handle->data;

	if (--link->handles > 0) {
		return;
	}
	framer_clear(&link->framer);
	free(link->buffer);
	free(link->out);
	link->buffer = NULL;
	link->out = NULL;
	if (link->handler.gone) {
		link->handler.gone(link->context);
	}
}

static void end(struct link *link, const char *why)
{
	if (!link->ended) {
		link->ended = true;
		(void)uv_read_stop((uv_stream_t *)&link->pipe);
		link->handler.ended(link->context, why);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	const struct link *link = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)link->buffer, BUFFER_SIZE);
}

static bool on_frame(void *context, struct bytes payload)
{
	struct link *link = context;
	struct control_message message;

	if (!control_decode(payload, &message)) {
		end(link, "sent what is no message");
		return false;
	}
	link->handler.message(link->context, &message);
	return !link->ended;
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct link *link = stream->data;

	if (link->ended || nread == 0) {
		return;
	}
	if (nread < 0) {
		end(link, nread == UV_EOF ? "ended" : uv_strerror((int)nread));
		return;
	}
	switch (framer_feed(&link->framer, bytes_make(buffer->base, (size_t)nread), on_frame,
			    link)) {
	case FRAMER_OK:
	case FRAMER_STOPPED:
		break;
	case FRAMER_INVALID:
		end(link, "sent an impossible length");
		break;
	case FRAMER_NOMEM:
		end(link, "no memory for a message");
		break;
	}
}

int link_init(struct link *link, uv_loop_t *loop, const struct link_handler *handler, void *context,
	      struct error *err)
{
	int rc;

	*link = (struct link){.handler = *handler, .context = context};
	framer_init(&link->framer, CONTROL_MAX);
	link->buffer = malloc(BUFFER_SIZE);
	link->out = malloc(OUT_SIZE);
	rc = link->buffer && link->out ? uv_pipe_init(loop, &link->pipe, 0) : UV_ENOMEM;
	if (rc != 0) {
		free(link->buffer);
		free(link->out);
		link->buffer = NULL;
		link->out = NULL;
		return error_set(err, rc == UV_ENOMEM ? ERROR_NOMEM : ERROR_SYSTEM, -rc,
				 "no link: %s", uv_strerror(rc));
	}
	(void)uv_idle_init(loop, &link->flush);
	link->pipe.data = link;
	link->flush.data = link;
	link->handles = 2;
	return 0;
}

int link_open_fd(struct link *link, int fd, struct error *err)
{
	int rc = uv_pipe_open(&link->pipe, fd);

	return rc == 0 ? 0
		       : error_set(err, ERROR_SYSTEM, -rc, "descriptor %d: %s", fd,
				   uv_strerror(rc));
}

int link_start(struct link *link, struct error *err)
{
	int rc = uv_read_start((uv_stream_t *)&link->pipe, on_alloc, on_read);

	return rc == 0 ? 0 : error_set(err, ERROR_SYSTEM, -rc, "link: %s", uv_strerror(rc));
}

size_t link_queued(const struct link *link)
{
	return link->out_len + uv_stream_get_write_queue_size((const uv_stream_t *)&link->pipe);
}

static void tell_drained(struct link *link)
{
	if (link->handler.drained && link_queued(link) == 0) {
		link->handler.drained(link->context);
	}
}

static void on_written(uv_write_t *request, int status)
{
	struct queued *queued = (struct queued *)request;
	struct link *link = queued->link;

	free(queued);
	if (status == 0) {
		tell_drained(link);
	}
}

#define PARTS 3

/* What the socket did not take. */
static bool queue(struct link *link, const struct bytes part[PARTS], size_t written)
{
	struct queued *queued;
	uv_buf_t buffer;
	size_t len = part[0].len + part[1].len + part[2].len - written, at = 0;

	queued = malloc(sizeof(*queued) + len);
	if (!queued) {
		return false;
	}
	queued->link = link;
	for (size_t i = 0; i < PARTS; i++) {
		size_t skip = written < part[i].len ? written : part[i].len;

		if (part[i].len > skip) {
			memcpy(queued->data + at, part[i].data + skip, part[i].len - skip);
			at += part[i].len - skip;
		}
		written -= skip;
	}
	buffer = uv_buf_init((char *)queued->data, (unsigned)len);
	if (uv_write(&queued->request, (uv_stream_t *)&link->pipe, &buffer, 1, on_written) != 0) {
		free(queued); /* the reading side will see the end */
	}
	return true;
}

/* What was gathered, then the message, if there is one. */
static bool write_now(struct link *link, struct bytes head, struct bytes tail)
{
	const struct bytes part[PARTS] = {{link->out, link->out_len}, head, tail};
	size_t len = part[0].len + part[1].len + part[2].len;
	uv_buf_t buffer[PARTS];
	unsigned count = 0;
	int rc = 0;

	link->out_len = 0;
	if (len == 0 || link->ended || uv_is_closing((uv_handle_t *)&link->pipe)) {
		return true;
	}
	if (link_queued(link) == 0) {
		for (size_t i = 0; i < PARTS; i++) {
			/* libuv takes char *, and does not write to it. */
			if (part[i].len > 0) {
				buffer[count++] =
					(uv_buf_t){.base = (char *)(uintptr_t)part[i].data,
						   .len = part[i].len};
			}
		}
		rc = uv_try_write((uv_stream_t *)&link->pipe, buffer, count);
		if (rc == UV_EAGAIN) {
			rc = 0;
		}
		if (rc < 0 || (size_t)rc == len) {
			return true;
		}
	}
	return queue(link, part, (size_t)rc);
}

static void on_flush(uv_idle_t *idle)
{
	static const struct bytes none = {NULL, 0};
	struct link *link = idle->data;

	(void)uv_idle_stop(idle);
	if (!write_now(link, none, none)) {
		end(link, "no memory for a message");
		return;
	}
	tell_drained(link);
}

static bool write_out(struct link *link, struct bytes head, struct bytes tail)
{
	if (link->ended || uv_is_closing((uv_handle_t *)&link->pipe)) {
		return true;
	}
	if (head.len + tail.len > LARGE || head.len + tail.len > OUT_SIZE - link->out_len) {
		return write_now(link, head, tail);
	}
	memcpy(link->out + link->out_len, head.data, head.len);
	if (tail.len > 0) {
		memcpy(link->out + link->out_len + head.len, tail.data, tail.len);
	}
	link->out_len += head.len + tail.len;
	(void)uv_idle_start(&link->flush, on_flush);
	return true;
}

bool link_send(struct link *link, const struct control_message *message)
{
	uint8_t small[4096];
	uint8_t *room = small;
	size_t len = control_encode(message, small + FRAME_HEAD, sizeof(small) - FRAME_HEAD);
	bool sent;

	if (len == 0) {
		room = malloc(BUFFER_SIZE);
		if (!room) {
			return false;
		}
		len = control_encode(message, room + FRAME_HEAD, CONTROL_MAX);
		if (len == 0) {
			free(room);
			return false;
		}
	}
	frame_head((uint32_t)len, room);
	sent = write_out(link, (struct bytes){room, FRAME_HEAD + len}, (struct bytes){NULL, 0});
	if (room != small) {
		free(room);
	}
	return sent;
}

bool link_send_data(struct link *link, enum control_type type, uint64_t id, struct bytes payload)
{
	uint8_t head[CONTROL_HEAD_MAX];
	size_t len = control_data_head(type, id, payload.len, head);

	return write_out(link, (struct bytes){head, len}, payload);
}

void link_close(struct link *link)
{
	link->ended = true;
	if (!uv_is_closing((uv_handle_t *)&link->pipe)) {
		uv_close((uv_handle_t *)&link->pipe, on_gone);
		uv_close((uv_handle_t *)&link->flush, on_gone);
	}
}
