// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "controller/ssh/framer.h"
#include "controller/ssh/wire.h"

#define REQUEST_IDENTITIES 11U
#define IDENTITIES_ANSWER 12U
#define SIGN_REQUEST 13U
#define SIGN_RESPONSE 14U
#define REPLY_MAX (256U * 1024U)
#define REQUEST_MAX (64U * 1024U)
#define IDENTITIES_MAX 256U
#define WAIT_S 5

struct pending {
	struct pending *next;
	agent_signed done;
	void *context;
	uint64_t token;
};

struct agent {
	uv_pipe_t pipe;
	struct framer framer;
	struct pending *first;
	struct pending **last;
	bool over;
	char buffer[16384];
};

struct asking {
	uv_write_t request;
	uint8_t data[];
};

static int connect_to(const char *path, struct error *err)
{
	struct timeval wait = {.tv_sec = WAIT_S};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		return error_set(err, ERROR_CONFIG, ENAMETOOLONG, "ssh-agent: path too long");
	}
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		error_set(err, ERROR_CONFIG, errno, "ssh-agent at %s: %s", path, strerror(errno));
		if (fd >= 0) {
			(void)close(fd);
		}
		return -1;
	}
	return fd;
}

static bool read_exactly(int fd, uint8_t *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		to += n;
		len -= (size_t)n;
	}
	return true;
}

static int list(int fd, agent_identity identity, void *context, struct error *err)
{
	static const uint8_t request[] = {0, 0, 0, 1, REQUEST_IDENTITIES};
	struct wire_reader r;
	uint8_t *reply = NULL;
	uint8_t head[4];
	uint32_t len, count;
	int result = -1;

	if (write(fd, request, sizeof(request)) != (ssize_t)sizeof(request) ||
	    !read_exactly(fd, head, sizeof(head))) {
		return error_set(err, ERROR_CONFIG, errno, "ssh-agent does not answer");
	}
	r = wire_reader_make(bytes_make(head, sizeof(head)));
	len = wire_read_u32(&r);
	if (len == 0 || len > REPLY_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "ssh-agent answers nonsense");
	}
	reply = malloc(len);
	if (!reply) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for ssh-agent's answer");
	}
	if (!read_exactly(fd, reply, len)) {
		error_set(err, ERROR_CONFIG, errno, "ssh-agent stopped in its answer");
		goto out;
	}
	r = wire_reader_make(bytes_make(reply, len));
	if (wire_read_byte(&r) != IDENTITIES_ANSWER) {
		error_set(err, ERROR_CONFIG, 0, "ssh-agent does not list its keys (locked?)");
		goto out;
	}
	count = wire_read_u32(&r);
	for (uint32_t i = 0; i < count && i < IDENTITIES_MAX; i++) {
		struct bytes blob = wire_read_string(&r);
		struct bytes comment = wire_read_string(&r);

		if (r.failed) {
			error_set(err, ERROR_CONFIG, 0, "ssh-agent answers nonsense");
			goto out;
		}
		identity(context, blob, comment);
	}
	result = 0;
out:
	free(reply);
	return result;
}

static void answer(struct agent *agent, struct bytes signature)
{
	struct pending *pending = agent->first;

	agent->first = pending->next;
	if (!agent->first) {
		agent->last = &agent->first;
	}
	pending->done(pending->context, pending->token, signature);
	free(pending);
}

static void end(struct agent *agent)
{
	agent->over = true;
	(void)uv_read_stop((uv_stream_t *)&agent->pipe);
	while (agent->first) {
		answer(agent, (struct bytes){NULL, 0});
	}
	uv_unref((uv_handle_t *)&agent->pipe);
}

static bool on_reply(void *context, struct bytes payload)
{
	struct agent *agent = context;
	struct wire_reader r = wire_reader_make(payload);
	struct bytes signature = {NULL, 0};

	if (!agent->first) {
		return true; /* nobody asked */
	}
	if (wire_read_byte(&r) == SIGN_RESPONSE) {
		signature = wire_read_string(&r);
		if (r.failed) {
			signature.len = 0;
		}
	}
	answer(agent, signature);
	if (!agent->first) {
		uv_unref((uv_handle_t *)&agent->pipe);
	}
	return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct agent *agent = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(agent->buffer, sizeof(agent->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
	struct agent *agent = stream->data;

	if (nread < 0 ||
	    (nread > 0 && framer_feed(&agent->framer, bytes_make(buffer->base, (size_t)nread),
				      on_reply, agent) != FRAMER_OK)) {
		end(agent);
	}
}

static void on_written(uv_write_t *request, int status)
{
	(void)status; /* shows as the end of what is read */
	free(request);
}

int agent_sign(struct agent *agent, struct bytes blob, struct bytes data, uint32_t flags,
	       agent_signed done, void *context, uint64_t token, struct error *err)
{
	size_t len = 4 + 1 + 4 + blob.len + 4 + data.len + 4;
	struct pending *pending;
	struct asking *asking;
	struct wire_writer w;
	uv_buf_t buffer;

	if (agent->over || len > REQUEST_MAX) {
		return error_set(err, ERROR_AUTH, 0, "ssh-agent is gone");
	}
	pending = calloc(1, sizeof(*pending));
	asking = malloc(sizeof(*asking) + len);
	if (!pending || !asking) {
		free(pending);
		free(asking);
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory to ask ssh-agent");
	}
	w = (struct wire_writer){.data = asking->data, .room = len};
	wire_write_u32(&w, (uint32_t)(len - 4));
	wire_write_byte(&w, SIGN_REQUEST);
	wire_write_string(&w, blob);
	wire_write_string(&w, data);
	wire_write_u32(&w, flags);
	buffer = uv_buf_init((char *)asking->data, (unsigned)len);
	if (uv_write(&asking->request, (uv_stream_t *)&agent->pipe, &buffer, 1, on_written) != 0) {
		free(pending);
		free(asking);
		return error_set(err, ERROR_AUTH, 0, "ssh-agent is gone");
	}
	*pending = (struct pending){.done = done, .context = context, .token = token};
	*agent->last = pending;
	agent->last = &pending->next;
	uv_ref((uv_handle_t *)&agent->pipe);
	return 0;
}

int agent_new(uv_loop_t *loop, const char *path, agent_identity identity, void *context,
	      struct agent **agent_out, struct error *err)
{
	struct agent *agent = NULL;
	int fd = connect_to(path, err);

	if (fd < 0) {
		return -1;
	}
	if (list(fd, identity, context, err) < 0) {
		(void)close(fd);
		return -1;
	}
	agent = calloc(1, sizeof(*agent));
	if (!agent || uv_pipe_init(loop, &agent->pipe, 0) != 0) {
		free(agent);
		(void)close(fd);
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for ssh-agent");
	}
	agent->pipe.data = agent;
	agent->last = &agent->first;
	framer_init(&agent->framer, REPLY_MAX);
	if (uv_pipe_open(&agent->pipe, fd) != 0 ||
	    uv_read_start((uv_stream_t *)&agent->pipe, on_alloc, on_read) != 0) {
		agent_free(agent);
		return error_set(err, ERROR_SYSTEM, 0, "ssh-agent cannot be polled");
	}
	uv_unref((uv_handle_t *)&agent->pipe);
	*agent_out = agent;
	return 0;
}

static void on_gone(uv_handle_t *handle)
{
	struct agent *agent = handle->data;

	framer_clear(&agent->framer);
	free(agent);
}

void agent_free(struct agent *agent)
{
	if (!agent) {
		return;
	}
	agent->over = true;
	while (agent->first) {
		answer(agent, (struct bytes){NULL, 0});
	}
	uv_close((uv_handle_t *)&agent->pipe, on_gone);
}
