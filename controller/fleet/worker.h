// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_WORKER_H
#define MUSTER_CONTROLLER_FLEET_WORKER_H

/*
 * The one thread on which blocking work is done (SQLite, git, judging), so that the event loop never
 * waits: jobs run there one after the other in the order of submission and report back on the
 * loop's thread. What a job touches belongs to the worker until its `done` is called.
 */

#include <uv.h>

#include "schema/error.h"

struct worker;

/* Embedded in its owner; must live until `done`. */
struct worker_job {
	void (*work)(struct worker_job *job); /* on the worker's thread */
	void (*done)(struct worker_job *job); /* on the loop's thread */
	struct worker_job *next;              /* private */
};

/* Where it fails the loop may have to be run once more to let go of what was begun. */
int worker_new(uv_loop_t *loop, struct worker **worker, struct error *err) MUST_CHECK;

void worker_submit(struct worker *worker, struct worker_job *job);

/*
 * After the last `done`: ends the thread and closes what it has on the loop, which must be run once
 * more to let go of it.
 */
void worker_free(struct worker *worker);

#endif
