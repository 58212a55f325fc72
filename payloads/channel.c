// SPDX-License-Identifier: MIT
#include "payloads/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void channel_quit(enum status status)
{
	_exit((int)status);
}

void channel_init(struct channel *channel, int in_fd, int out_fd)
{
	channel->in_fd = in_fd;
	channel->out_fd = out_fd;
	channel->is_hashing = false;
	channel->in_len = 0;
	channel->in_taken = 0;
	channel->first_len = 0;
}

void channel_send(struct channel *channel, size_t len)
{
	uint8_t *at = channel->out;
	size_t left = FRAME_HEAD + len;

	frame_head((uint32_t)len, channel->out);
	if (channel->is_hashing) {
		sha256_update(&channel->stream, channel_room(channel), len);
	} else {
		memcpy(channel->first, channel_room(channel), len);
		channel->first_len = len;
	}
	while (left > 0) {
		ssize_t put = write(channel->out_fd, at, left);

		if (put >= 0) {
			at += put;
			left -= (size_t)put;
		} else if (errno == EAGAIN) {
			struct pollfd out = {.fd = channel->out_fd, .events = POLLOUT};

			(void)poll(&out, 1, -1);
		} else if (errno != EINTR) {
			channel_quit(STATUS_CONNECTION);
		}
	}
}

void channel_bind(struct channel *channel, struct bytes nonce)
{
	sha256_init(&channel->stream);
	sha256_update(&channel->stream, nonce.data, nonce.len);
	sha256_update(&channel->stream, channel->first, channel->first_len);
	channel->is_hashing = true;
}

void channel_digest(const struct channel *channel, struct digest *digest)
{
	struct sha256 copy = channel->stream;

	sha256_final(&copy, digest->bytes);
}

static void read_more(struct channel *channel)
{
	ssize_t got = read(channel->in_fd, channel->in + channel->in_len,
			   sizeof(channel->in) - channel->in_len);

	if (got > 0) {
		channel->in_len += (size_t)got;
	} else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
		channel_quit(STATUS_CONNECTION);
	}
}

static void sleep_ms(int wait_ms)
{
	struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};

	(void)nanosleep(&wait, NULL);
}

/* True where there was something, read by now. */
static bool look(struct channel *channel, int wait_ms)
{
	bool full = channel->in_len == sizeof(channel->in);
	struct pollfd in = {.fd = channel->in_fd, .events = full ? 0 : POLLIN};

	if (poll(&in, 1, wait_ms) <= 0) {
		return false;
	}
	if (in.revents & POLLIN) {
		read_more(channel);
		return true;
	}
	if (in.revents & (POLLHUP | POLLERR | POLLNVAL)) {
		channel_quit(STATUS_CONNECTION);
	}
	return false;
}

void channel_pulse(struct channel *channel, int wait_ms)
{
	/* What was to be waited for is waited for, though somebody spoke. */
	if (look(channel, wait_ms) && wait_ms > 0) {
		sleep_ms(wait_ms < 10 ? wait_ms : 10);
	}
}

bool channel_receive(struct channel *channel, bool wait, struct bytes *payload)
{
	memmove(channel->in, channel->in + channel->in_taken, channel->in_len - channel->in_taken);
	channel->in_len -= channel->in_taken;
	channel->in_taken = 0;
	for (;;) {
		switch (frame_split(bytes_make(channel->in, channel->in_len), payload,
				    &channel->in_taken)) {
		case FRAME_WHOLE:
			return true;
		case FRAME_INVALID:
			channel_quit(STATUS_PROTOCOL);
		case FRAME_MORE:
			break;
		}
		if (!look(channel, wait ? -1 : 0) && !wait) {
			return false;
		}
	}
}
