// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_WORKER_H
#define MUSTER_CONTROLLER_SSH_SESSION_WORKER_H

/*
 * What a muster-ssh child does all day: control messages in, thousands of sessions over one loop,
 * control messages out. Must not touch a file, a key or another process. Lives as long as the link
 * to its parent.
 */

#include "schema/error.h"

struct worker;

/* Takes descriptor `fd`, the link to the parent. To be made before the sandbox closes. */
int worker_new(int fd, struct worker **worker, struct error *err) MUST_CHECK;
/* Says ready, then serves until the parent goes away. */
int worker_run(struct worker *worker, struct error *err) MUST_CHECK;
void worker_free(struct worker *worker);

#endif
