// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_ARENA_H
#define MUSTER_PAYLOADS_ARENA_H

/*
 * Memory that is given out piece by piece and freed all at once, up to a cap set at init: what a
 * hostile database makes the probe keep is bounded here. Pieces never move.
 */

#include <stddef.h>

#include "schema/bytes.h"

struct arena_block;

struct arena {
	struct arena_block *last;
	size_t used_bytes; /* over all blocks, given out or not */
	size_t most_bytes;
};

void arena_init(struct arena *arena, size_t most_bytes);
void arena_clear(struct arena *arena);

/* NULL at the cap or where the system has no memory. Aligned for any object; not zeroed. */
void *arena_take(struct arena *arena, size_t size);

/* A copy with a NUL behind it (not counted), or data NULL. Not aligned. */
struct bytes arena_copy(struct arena *arena, struct bytes from);

#endif
