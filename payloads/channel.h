// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_CHANNEL_H
#define MUSTER_PAYLOADS_CHANNEL_H

/*
 * The probe's end of the connection: whole frames in and out of two descriptors, and the digest
 * over all that went out. When the other end is gone, or breaks the framing, the process ends: there
 * is nobody left to tell. Fixed memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/digest/sha256.h"
#include "payloads/status.h"
#include "schema/bytes.h"
#include "schema/frame.h"

struct channel {
	int in_fd;
	int out_fd;
	bool is_hashing;      /* since the plan's nonce is known */
	struct sha256 stream; /* nonce || every payload sent */
	size_t in_len;
	size_t in_taken; /* of the frame handed out last */
	uint8_t in[FRAME_HEAD + FRAME_MAX];
	uint8_t out[FRAME_HEAD + FRAME_MAX]; /* channel_begin hands out what follows the head */
	uint8_t first[FRAME_MAX];            /* hello, until the nonce is known */
	size_t first_len;
};

void channel_init(struct channel *channel, int in_fd, int out_fd);

/* Room for one payload of up to FRAME_MAX bytes, to be sent by channel_send. */
static inline uint8_t *channel_room(struct channel *channel)
{
	return channel->out + FRAME_HEAD;
}

/* Sends what stands in the room; does not return where that fails. */
void channel_send(struct channel *channel, size_t len);

/* Starts the stream digest with the nonce and hello. */
void channel_bind(struct channel *channel, struct bytes nonce);
void channel_digest(const struct channel *channel, struct digest *digest);

/*
 * The next whole payload, borrowed until the next call of this. Without `wait` only where one is
 * there already; *payload is set where true. Waiting ends with a frame or with the process.
 */
bool channel_receive(struct channel *channel, bool wait, struct bytes *payload);

/* Looks after the connection for up to `wait_ms`: ends the process where it is gone. */
void channel_pulse(struct channel *channel, int wait_ms);

/* Ends the process. */
void channel_quit(enum status status) __attribute__((noreturn));

#endif
