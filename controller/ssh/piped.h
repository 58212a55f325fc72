// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_PIPED_H
#define MUSTER_CONTROLLER_SSH_PIPED_H

/*
 * A program of this machine at the other end of pipes: standard input, output and error, and where
 * asked for a fourth, descriptor 3, for what it writes down for itself. On the loop, without blocking;
 * reading can be paused. It is never left behind: piped_stop kills it, and it is reaped. From a
 * successful start to `gone`, which is the last call; then it has freed itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define PIPED_READ_SIZE 65536U

struct piped;

struct piped_handler {
	void (*output)(void *context, struct bytes data);
	void (*error_output)(void *context, struct bytes data);
	void (*log)(void *context, struct bytes data); /* NULL: there is no descriptor 3 */
	/* It has ended by itself and all it said has been handed over. Not after piped_stop. */
	void (*ended)(void *context, int status, int term_signal);
	/* Exactly once, never from inside a call of ours. */
	void (*gone)(void *context);
	/* What was queued is written, or (`ok` false) never will be. May be NULL. */
	void (*written)(void *context, size_t len, bool borrowed, bool ok);
};

struct piped_options {
	const char *file;
	char *const *args;
	char *const *environment; /* NULL: ours */
	uint8_t *buffer;          /* PIPED_READ_SIZE bytes, may be shared by all of one loop */
	int stop_signal;          /* what piped_stop sends first; SIGKILL follows */
	bool own_session;         /* no terminal, no process group in common with us */
};

/* On failure nothing is called and nothing is left but what the loop lets go of by itself. */
int piped_start(uv_loop_t *loop, const struct piped_options *options,
		const struct piped_handler *handler, void *context, struct piped **piped,
		struct error *err) MUST_CHECK;
/* Queues a copy of head and data, in this order. Fails for lack of memory alone. */
int piped_write(struct piped *piped, struct bytes head, struct bytes data,
		struct error *err) MUST_CHECK;
/* Queues bytes that stay where they are until `gone`. */
int piped_write_borrowed(struct piped *piped, struct bytes data, struct error *err) MUST_CHECK;
void piped_pause(struct piped *piped, bool paused);
/* Nothing more is handed over; `gone` follows. May be repeated. */
void piped_stop(struct piped *piped);

#endif
