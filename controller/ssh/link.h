// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_LINK_H
#define MUSTER_CONTROLLER_SSH_LINK_H

/*
 * One end of the socketpair between muster and a muster-ssh child: control messages in and out over
 * libuv. Small messages are gathered and go out together in the loop's next turn: a host's answer is
 * many of them, and a write and a wake-up for each cost more than all the rest. Order is kept.
 * link_queued says how much waits, so that the caller can stop reading from hosts. Plain memory of
 * the caller's, which must stay until on_gone.
 */

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "controller/ssh/control.h"
#include "controller/ssh/framer.h"
#include "schema/error.h"

struct link;

struct link_handler {
	/* A decoded message, borrowed during the call. */
	void (*message)(void *context, const struct control_message *message);
	/* The other end is gone or spoke nonsense; nothing comes after it. Then link_close. */
	void (*ended)(void *context, const char *why);
	/* The queue has become empty again. May be NULL. */
	void (*drained)(void *context);
	/* After link_close: the memory may go. May be NULL. */
	void (*gone)(void *context);
};

struct link {
	uv_pipe_t pipe;
	struct link_handler handler;
	void *context;
	struct framer framer;
	uint8_t *buffer; /* reads land here; encodes too */
	uv_idle_t flush;
	uint8_t *out; /* gathered, not handed to the socket yet */
	size_t out_len;
	unsigned handles; /* not closed yet */
	bool ended;
};

/* Makes the pipe's handle; connect it by uv_spawn or link_open_fd, then link_start. */
int link_init(struct link *link, uv_loop_t *loop, const struct link_handler *handler, void *context,
	      struct error *err) MUST_CHECK;
int link_open_fd(struct link *link, int fd, struct error *err) MUST_CHECK;
int link_start(struct link *link, struct error *err) MUST_CHECK;
/* False only for lack of memory: the link is then of no more use. After the end: true, dropped. */
bool link_send(struct link *link, const struct control_message *message) MUST_CHECK;
/* SEND, FRAME or SIGNED with its payload; a large one is not copied where the socket takes it. */
bool link_send_data(struct link *link, enum control_type type, uint64_t id,
		    struct bytes payload) MUST_CHECK;
/* Bytes that wait for the other end. */
size_t link_queued(const struct link *link);
void link_close(struct link *link);

#endif
