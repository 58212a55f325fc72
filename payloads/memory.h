// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_MEMORY_H
#define MUSTER_PAYLOADS_MEMORY_H

/*
 * Whole pages from the kernel, for the few and large pieces of memory that the probe wants: what
 * libc's allocator would do for them, without its 8 KB in every probe that is sent. Under a
 * sanitizer it is malloc, so that a byte beyond the end is seen.
 */

#include <stddef.h>

/* Zeroed and aligned for any object, or NULL. Pages that are never touched cost nothing. */
void *memory_take(size_t size);
/* A larger piece with the old one's content, which it may have taken the place of; NULL: as before. */
void *memory_grow(void *old, size_t size);
/* NULL is fine. */
void memory_give(void *piece);

#endif
