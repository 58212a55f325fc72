// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_SESSION_MEMORY_H
#define MUSTER_CONTROLLER_SSH_SESSION_SESSION_MEMORY_H

/*
 * libssh2's memory for one session, counted: a host that makes the library queue without end (it has
 * no bound of its own on packets nobody asked for) fails its own allocation and nobody else's.
 */

#include <stdbool.h>
#include <stddef.h>

struct session_memory {
	size_t used_bytes;
	size_t cap_bytes;
};

void *session_memory_alloc(struct session_memory *memory, size_t size);
void *session_memory_realloc(struct session_memory *memory, void *pointer, size_t size);
void session_memory_free(struct session_memory *memory, void *pointer);

#endif
