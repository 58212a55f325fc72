// SPDX-License-Identifier: MIT
#include "payloads/arena.h"

#include <string.h>

#include "payloads/memory.h"

#define BLOCK_BYTES ((size_t)32 << 10)
#define ALIGNMENT _Alignof(max_align_t)

struct arena_block {
	struct arena_block *before;
	size_t size;
	size_t used;
	_Alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena, size_t most_bytes)
{
	*arena = (struct arena){NULL, 0, most_bytes};
}

void arena_clear(struct arena *arena)
{
	while (arena->last) {
		struct arena_block *before = arena->last->before;

		memory_give(arena->last);
		arena->last = before;
	}
	arena->used_bytes = 0;
}

static uint8_t *take(struct arena *arena, size_t size, size_t alignment)
{
	struct arena_block *block = arena->last;
	size_t at = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;
	size_t room;

	if (block && at <= block->size && block->size - at >= size) {
		block->used = at + size;
		return block->data + at;
	}
	room = size > BLOCK_BYTES - sizeof(*block) ? size : BLOCK_BYTES - sizeof(*block);
	if (arena->used_bytes > arena->most_bytes || room > arena->most_bytes - arena->used_bytes) {
		return NULL;
	}
	block = memory_take(sizeof(*block) + room);
	if (!block) {
		return NULL;
	}
	block->before = arena->last;
	block->size = room;
	block->used = size;
	arena->last = block;
	arena->used_bytes += room;
	return block->data;
}

void *arena_take(struct arena *arena, size_t size)
{
	return take(arena, size, ALIGNMENT);
}

struct bytes arena_copy(struct arena *arena, struct bytes from)
{
	uint8_t *to = from.len < SIZE_MAX ? take(arena, from.len + 1, 1) : NULL;

	if (!to) {
		return (struct bytes){NULL, 0};
	}
	if (from.len != 0) {
		memcpy(to, from.data, from.len);
	}
	to[from.len] = '\0';
	return (struct bytes){to, from.len};
}
