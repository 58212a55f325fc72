// SPDX-License-Identifier: MIT
#include "tests/bench/sim/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define OUT_MOST 65536U
#define WRITE_MOST 32768U
#define FRAME_ROOM (FRAME_HEAD + FRAME_MAX)

enum { STATUS_BAD_COPY = 65, STATUS_BROKEN = 66 };

static void end(struct session *session, int status)
{
	session->status = status;
	session->stage = SESSION_END;
}

/* The shell: what the bootstrap would print, and what it would read. */

static bool take_hex(const char *command, const char *before, char *to, size_t digits)
{
	const char *at = strstr(command, before);

	if (!at || strlen(at + strlen(before)) < digits) {
		return false;
	}
	memcpy(to, at + strlen(before), digits);
	to[digits] = '\0';
	return strspn(to, "0123456789abcdef") == digits;
}

static void say(struct session *session, const char *text)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "%s %s\n", session->marker, text);

	out_put(&session->out, line, (size_t)len);
}

static void run_command(struct session *session, const char *command)
{
	char half[17], other[17];

	if (!take_hex(command, "m=MUSTER", half, 16) || !take_hex(command, "k=", other, 16)) {
		session->shared->stats.commands++;
		end(session, 0);
		return;
	}
	(void)snprintf(session->marker, sizeof(session->marker), "MUSTER%s%s", half, other);
	if (session->behaviour == BEHAVE_NO_SHELL) {
		static const char refusal[] = "This account is currently not available.\n";

		out_put(&session->out, refusal, sizeof(refusal) - 1);
		end(session, 1);
		return;
	}
	if (strstr(command, "exec sudo -n ")) {
		say(session, "s");
	}
	if (session->behaviour == BEHAVE_BABBLE) {
		session->stage = SESSION_BABBLE;
		return;
	}
	say(session, "z x86_64");
	session->stage = SESSION_LINE;
}

static void start_probe(struct session *session)
{
	static const uint8_t giant[] = {0x7f, 0xff, 0xff, 0xff}, half[] = {0, 0, 1, 0, 'x'};
	struct timespec now;

	if (session->behaviour == BEHAVE_NO_PROBE) {
		end(session, 126);
	} else if (session->behaviour == BEHAVE_NOISE) {
		out_put(&session->out, "a word of my own\n", 17);
		session->stage = SESSION_TALK;
	} else if (session->behaviour == BEHAVE_GIANT) {
		out_put(&session->out, giant, sizeof(giant));
		session->stage = SESSION_TALK;
	} else if (session->behaviour == BEHAVE_HALF) {
		out_put(&session->out, half, sizeof(half));
		end(session, 0);
	} else {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		talk_init(&session->talk, session->shared->fleet, session->host,
			  session->shared->night, session->behaviour);
		talk_hello(&session->talk, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
			   &session->out);
		session->stage = SESSION_TALK;
	}
}

static void check_upload(struct session *session)
{
	bool whole = upload_is_whole(&session->upload);

	upload_clear(&session->upload);
	if (!whole) {
		session->shared->stats.broken++;
		end(session, STATUS_BAD_COPY);
		return;
	}
	session->shared->stats.uploads++;
	start_probe(session);
}

static void read_line(struct session *session)
{
	if (!upload_begin(&session->upload, session->line, &session->shared->known)) {
		session->shared->stats.broken++;
		end(session, 1);
		return;
	}
	session->stage = SESSION_UPLOAD;
}

static size_t take_line(struct session *session, struct bytes data)
{
	for (size_t i = 0; i < data.len; i++) {
		if (data.data[i] == '\n') {
			session->line[session->line_len] = '\0';
			read_line(session);
			return i + 1;
		}
		if (session->line_len + 1 < sizeof(session->line)) {
			session->line[session->line_len++] = (char)data.data[i];
		}
	}
	return data.len;
}

static size_t take_upload(struct session *session, struct bytes data)
{
	size_t count = upload_take(&session->upload, data);

	if (upload_is_over(&session->upload)) {
		check_upload(session);
	}
	return count;
}

static size_t take_frames(struct session *session, struct bytes data)
{
	size_t room = FRAME_ROOM - session->in_len, taken = 0;
	size_t count = data.len < room ? data.len : room;
	struct bytes payload = {NULL, 0};
	enum frame_result result;

	if (!session->in) {
		session->in = malloc(FRAME_ROOM);
		if (!session->in) {
			abort();
		}
	}
	memcpy(session->in + session->in_len, data.data, count);
	session->in_len += count;
	while ((result = frame_split(bytes_make(session->in, session->in_len), &payload, &taken)) ==
	       FRAME_WHOLE) {
		if (!talk_frame(&session->talk, payload)) {
			result = FRAME_INVALID;
			break;
		}
		if (session->behaviour == BEHAVE_SLOW) {
			session->wait_until_ms = session->now_ms + session->shared->latency_ms;
		}
		session->in_len -= taken;
		memmove(session->in, session->in + taken, session->in_len);
	}
	if (result == FRAME_INVALID) {
		session->shared->stats.broken++;
		end(session, STATUS_BROKEN);
	}
	if (session->in_len == 0) {
		free(session->in);
		session->in = NULL;
	}
	return count;
}

/* What libssh calls */

static int on_auth(ssh_session ssh, const char *user, struct ssh_key_struct *key, char state,
		   void *context)
{
	const struct session *session = context;

	(void)ssh;
	(void)user;
	(void)key;
	(void)state;
	return session->behaviour == BEHAVE_NO_LOGIN ? SSH_AUTH_DENIED : SSH_AUTH_SUCCESS;
}

static int on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t len, int is_stderr,
		   void *context)
{
	struct session *session = context;
	struct bytes left = bytes_make(data, len);

	(void)ssh;
	(void)channel;
	(void)is_stderr;
	while (left.len > 0) {
		size_t taken = left.len;

		if (session->stage == SESSION_LINE) {
			taken = take_line(session, left);
		} else if (session->stage == SESSION_UPLOAD) {
			taken = take_upload(session, left);
		} else if (session->stage == SESSION_TALK && session->talk.fleet) {
			taken = take_frames(session, left);
		}
		left.data += taken;
		left.len -= taken;
	}
	return (int)len;
}

static int on_exec(ssh_session ssh, ssh_channel channel, const char *command, void *context)
{
	struct session *session = context;

	(void)ssh;
	(void)channel;
	if (session->stage != SESSION_COMMAND) {
		return -1;
	}
	run_command(session, command);
	return 0;
}

static int on_pty(ssh_session ssh, ssh_channel channel, const char *term, int columns, int rows,
		  int x, int y, void *context)
{
	(void)ssh;
	(void)channel;
	(void)term;
	(void)columns;
	(void)rows;
	(void)x;
	(void)y;
	(void)context;
	return 0;
}

static ssh_channel on_open(ssh_session ssh, void *context)
{
	struct session *session = context;

	if (session->channel) {
		return NULL;
	}
	session->channel = ssh_channel_new(ssh);
	if (!session->channel) {
		return NULL;
	}
	session->channel_calls = (struct ssh_channel_callbacks_struct){
		.userdata = session,
		.channel_data_function = on_data,
		.channel_pty_request_function = on_pty,
		.channel_exec_request_function = on_exec,
	};
	ssh_callbacks_init(&session->channel_calls);
	(void)ssh_set_channel_callbacks(session->channel, &session->channel_calls);
	session->stage = SESSION_COMMAND;
	return session->channel;
}

/* Life */

struct session *session_new(struct session_shared *shared, int fd, uint32_t host,
			    enum behaviour behaviour)
{
	struct session *session = calloc(1, sizeof(*session));
	bool other = behaviour == BEHAVE_OTHER_KEY && shared->other;
	bool nodelay = true;

	if (!session) {
		abort();
	}
	session->shared = shared;
	session->fd = fd;
	session->host = host;
	session->behaviour = behaviour;
	if (behaviour == BEHAVE_MUTE) {
		return session;
	}
	session->ssh = ssh_new();
	session->event = ssh_event_new();
	if (!session->ssh || !session->event ||
	    ssh_bind_accept_fd(other ? shared->other : shared->bind, session->ssh, fd) != SSH_OK) {
		abort();
	}
	(void)ssh_options_set(session->ssh, SSH_OPTIONS_NODELAY, &nodelay);
	ssh_set_blocking(session->ssh, 0);
	ssh_set_auth_methods(session->ssh, SSH_AUTH_METHOD_PUBLICKEY);
	session->server = (struct ssh_server_callbacks_struct){
		.userdata = session,
		.auth_pubkey_function = on_auth,
		.channel_open_request_session_function = on_open,
	};
	ssh_callbacks_init(&session->server);
	(void)ssh_set_server_callbacks(session->ssh, &session->server);
	if (ssh_handle_key_exchange(session->ssh) == SSH_ERROR ||
	    ssh_event_add_session(session->event, session->ssh) != SSH_OK) {
		session->stage = SESSION_CLOSING;
	}
	return session;
}

void session_free(struct session *session)
{
	if (session->event) {
		(void)ssh_event_remove_session(session->event, session->ssh);
		ssh_event_free(session->event);
	}
	if (session->ssh) {
		/* Takes the channel and the descriptor with it. */
		ssh_free(session->ssh);
	} else {
		(void)close(session->fd);
	}
	upload_clear(&session->upload);
	if (session->talk.fleet) {
		talk_clear(&session->talk);
	}
	out_clear(&session->out);
	free(session->in);
	free(session);
}

static void write_out(struct session *session)
{
	struct out *out = &session->out;

	for (;;) {
		uint32_t window;
		size_t count;
		int n;

		if (session->stage == SESSION_TALK && session->talk.fleet &&
		    session->wait_until_ms == 0) {
			talk_fill(&session->talk, out, OUT_MOST);
		} else if (session->stage == SESSION_BABBLE) {
			while (out->len - out->at < OUT_MOST) {
				out_put(out, "no shell here, only noise\n", 26);
			}
		}
		count = out->len - out->at;
		window = ssh_channel_window_size(session->channel);
		if (count == 0 || window == 0 ||
		    (ssh_get_poll_flags(session->ssh) & SSH_WRITE_PENDING)) {
			return;
		}
		count = count < window ? count : window;
		count = count < WRITE_MOST ? count : WRITE_MOST;
		n = ssh_channel_write(session->channel, out->data + out->at, (uint32_t)count);
		if (n <= 0) {
			session->stage = SESSION_CLOSING;
			return;
		}
		out_take(out, (size_t)n);
	}
}

static void finish_if_said(struct session *session)
{
	if (session->stage == SESSION_TALK && session->talk.stage == TALK_OVER) {
		session->shared->stats.conversations++;
		end(session, 0);
	}
	if (session->stage == SESSION_END && session->out.len == session->out.at) {
		(void)ssh_channel_request_send_exit_status(session->channel, session->status);
		(void)ssh_channel_send_eof(session->channel);
		(void)ssh_channel_close(session->channel);
		session->stage = SESSION_CLOSING;
	}
}

bool session_step(struct session *session, uint64_t now_ms)
{
	session->now_ms = now_ms;
	if (!session->ssh) {
		char byte[256];

		return recv(session->fd, byte, sizeof(byte), MSG_DONTWAIT) != 0;
	}
	if (session->wait_until_ms != 0 && now_ms >= session->wait_until_ms) {
		session->wait_until_ms = 0;
	}
	if (ssh_event_dopoll(session->event, 0) == SSH_ERROR ||
	    (ssh_get_status(session->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR))) {
		return false;
	}
	if (session->channel && session->stage != SESSION_CLOSING) {
		write_out(session);
		finish_if_said(session);
	}
	/* Where a write fails libssh closes the descriptor, and says nothing. */
	return ssh_is_connected(session->ssh) && ssh_get_fd(session->ssh) == session->fd;
}

uint32_t session_events(const struct session *session)
{
	bool writing = session->ssh && (ssh_get_poll_flags(session->ssh) & SSH_WRITE_PENDING);

	return EPOLLIN | (writing ? EPOLLOUT : 0);
}
