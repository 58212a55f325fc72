// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_ARENA_H
#define MUSTER_BASELINES_ARENA_H

/*
 * Memory that is given back all at once: what a manifest, an observation or a list of findings
 * points to. Zero-initialised is empty. The lowest layer that may call malloc keeps it for those
 * above. Not thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

struct arena_block;

struct arena {
	struct arena_block *newest;
	size_t total; /* bytes handed out */
	size_t most;  /* beyond it there is no memory; 0: no limit */
};

/* Zeroed, aligned for any type; NULL for lack of memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of `from` (NUL behind it, not counted). *ok is cleared for lack of memory, never set. */
struct bytes arena_copy(struct arena *arena, struct bytes from, bool *ok);

/* A NUL-terminated copy, or NULL. */
char *arena_string(struct arena *arena, const char *from);

void arena_clear(struct arena *arena);

#endif
