// SPDX-License-Identifier: MIT
#include "baselines/arena.h"

#include <stdalign.h>
#include <stdlib.h>

/* Blocks double with what is in use: a baseline holds thousands of manifests, most of them small. */
#define BLOCK_MIN ((size_t)1024)
#define BLOCK_MAX ((size_t)64 * 1024)

struct arena_block {
	struct arena_block *older;
	size_t used;
	size_t room;
	alignas(max_align_t) uint8_t data[];
};

static size_t block_room(size_t total)
{
	return total < BLOCK_MIN ? BLOCK_MIN : total > BLOCK_MAX ? BLOCK_MAX : total;
}

static size_t aligned(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->newest;
	void *at;

	if (size > SIZE_MAX / 2) {
		return NULL;
	}
	size = aligned(size > 0 ? size : 1);
	if (arena->most > 0 && (arena->total > arena->most || size > arena->most - arena->total)) {
		return NULL;
	}
	if (!block || size > block->room - block->used) {
		size_t room = block_room(arena->total);

		room = size > room ? size : room;

		block = calloc(1, sizeof(*block) + room);
		if (!block) {
			return NULL;
		}
		block->room = room;
		block->older = arena->newest;
		arena->newest = block;
	}
	at = block->data + block->used;
	block->used += size;
	arena->total += size;
	return at;
}

struct bytes arena_copy(struct arena *arena, struct bytes from, bool *ok)
{
	uint8_t *to = arena_alloc(arena, from.len + 1);

	if (!to) {
		*ok = false;
		return (struct bytes){NULL, 0};
	}
	if (from.len > 0) {
		memcpy(to, from.data, from.len);
	}
	return (struct bytes){to, from.len};
}

char *arena_string(struct arena *arena, const char *from)
{
	size_t size = strlen(from) + 1;
	char *to = arena_alloc(arena, size);

	if (to) {
		memcpy(to, from, size);
	}
	return to;
}

void arena_clear(struct arena *arena)
{
	struct arena_block *block = arena->newest;

	while (block) {
		struct arena_block *older = block->older;

		free(block);
		block = older;
	}
	*arena = (struct arena){0};
}
