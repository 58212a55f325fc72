// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_POOL_CHILD_H
#define MUSTER_CONTROLLER_SSH_POOL_CHILD_H

/*
 * One muster-ssh process as its parent sees it: the process, the link to it, and what it says on its
 * standard error, which is kept short, escaped and shown only if it dies. Started with an empty
 * environment and no file but the link. Must be closed, and is gone when the loop has run on.
 */

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "controller/ssh/control.h"
#include "controller/ssh/link.h"
#include "schema/error.h"

struct child_process {
	uv_process_t process;
	uv_pipe_t said_pipe;
	struct link link;
	void (*message)(void *context, const struct control_message *message);
	void (*gone)(void *context, const char *why);
	void *context;
	unsigned handles; /* still open */
	bool exited;
	bool reported;
	bool closing;
	int64_t exit_status;
	int term_signal;
	char said[512];
	size_t said_len;
	char said_buffer[512];
};

/*
 * `message` for what it says; `gone` once, when it has died or its link broke, unless closed before.
 * Where this fails nothing is left behind, once the loop has run on.
 */
int child_start(uv_loop_t *loop, const char *path,
		void (*message)(void *context, const struct control_message *message),
		void (*gone)(void *context, const char *why), void *context,
		struct child_process **child, struct error *err) MUST_CHECK;
/* The end of its input is its end. Frees itself. NULL is fine. */
void child_close(struct child_process *child);
/* Whether the loop is kept alive for it. */
void child_hold(struct child_process *child, bool hold);

#endif
