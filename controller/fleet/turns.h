// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_TURNS_H
#define MUSTER_CONTROLLER_FLEET_TURNS_H

/*
 * Whose turn it is in a run: how many hosts at once, how many of one group or behind one jump host,
 * how many that read everything (a first contact, a full pass: guests on shared storage must not be
 * hit all at once), and who is tried again and when. Knows hosts by their index alone; no I/O, no
 * clock of its own. Each host is over exactly once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/error.h"

struct turns_limit {
	size_t most; /* at once; at least 1 */
};

struct turns_host {
	const size_t *limits; /* indices of those that it falls under */
	size_t limit_count;
	bool done; /* before this run began: it gets no turn */
};

struct turns_config {
	size_t host_count;
	size_t parallel; /* at once; at least 1 */
	size_t read_all; /* of them, those that read everything; at least 1 */
	size_t parked;   /* that wait for that; then nobody else is started */
	const struct turns_limit *limits;
	size_t limit_count;
	void (*host)(const void *context, size_t index, struct turns_host *host);
	const void *context;
};

struct turns;

int turns_new(const struct turns_config *config, struct turns **turns,
	      struct error *err) MUST_CHECK;
void turns_free(struct turns *turns);

struct turn {
	size_t index;
	unsigned attempt;
	bool parked; /* it had begun, and may go on now */
};
/* The next one that may begin or go on now, which it then does; false: nobody. */
bool turns_next(struct turns *turns, uint64_t now_ms, struct turn *turn);
/* A host that began finds that it will read everything. False: it is parked, its place is free. */
bool turns_may_read_all(struct turns *turns, size_t index);
/* While held nobody that reads everything goes on, whatever the limit says. */
void turns_hold(struct turns *turns, bool held);
/* It ended, and is to be tried again then. */
void turns_retry(struct turns *turns, size_t index, uint64_t due_ms);
void turns_over(struct turns *turns, size_t index);
/* Nobody gets a turn any more. Those that run are still to be told over. */
void turns_close(struct turns *turns);

/* Nobody runs and nobody will. */
bool turns_are_over(const struct turns *turns);
size_t turns_running(const struct turns *turns);
bool turns_is_over(const struct turns *turns, size_t index);

#endif
