// SPDX-License-Identifier: MIT
#include "controller/ssh/session/session_memory.h"

#include <stdlib.h>

/* Before each block; keeps what follows aligned for anything. */
union head {
	size_t size;
	max_align_t align;
};

static bool has_room(const struct session_memory *memory, size_t size)
{
	return size <= memory->cap_bytes && memory->used_bytes <= memory->cap_bytes - size;
}

void *session_memory_alloc(struct session_memory *memory, size_t size)
{
	union head *head;

	if (!has_room(memory, size)) {
		return NULL;
	}
	head = malloc(sizeof(*head) + size);
	if (!head) {
		return NULL;
	}
	head->size = size;
	memory->used_bytes += size;
	return head + 1;
}

void *session_memory_realloc(struct session_memory *memory, void *pointer, size_t size)
{
	union head *head = pointer;
	size_t old;

	if (!head) {
		return session_memory_alloc(memory, size);
	}
	head--;
	old = head->size;
	if (size > old && !has_room(memory, size - old)) {
		return NULL;
	}
	head = realloc(head, sizeof(*head) + size);
	if (!head) {
		return NULL;
	}
	head->size = size;
	memory->used_bytes = memory->used_bytes - old + size;
	return head + 1;
}

void session_memory_free(struct session_memory *memory, void *pointer)
{
	union head *head = pointer;

	if (head) {
		head--;
		memory->used_bytes -= head->size;
		free(head);
	}
}
