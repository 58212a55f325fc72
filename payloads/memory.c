// SPDX-License-Identifier: MIT
#include "payloads/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define USE_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define USE_MALLOC 1
#endif
#endif

#ifdef USE_MALLOC

void *memory_take(size_t size)
{
	return calloc(1, size);
}

void *memory_grow(void *old, size_t size)
{
	return realloc(old, size);
}

void memory_give(void *piece)
{
	free(piece);
}

#else

/* In front of each piece. */
struct head {
	alignas(max_align_t) size_t size; /* of the whole mapping */
};

void *memory_take(size_t size)
{
	struct head *head;

	if (size > PTRDIFF_MAX - sizeof(*head)) {
		return NULL;
	}
	size += sizeof(*head);
	head = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (head == MAP_FAILED) {
		return NULL;
	}
	head->size = size;
	return head + 1;
}

void *memory_grow(void *old, size_t size)
{
	struct head *head;

	if (!old) {
		return memory_take(size);
	}
	if (size > PTRDIFF_MAX - sizeof(*head)) {
		return NULL;
	}
	size += sizeof(*head);
	head = (struct head *)old - 1;
	head = mremap(head, head->size, size, MREMAP_MAYMOVE);
	if (head == MAP_FAILED) {
		return NULL;
	}
	head->size = size;
	return head + 1;
}

void memory_give(void *piece)
{
	struct head *head;
	size_t size;

	if (piece) {
		head = (struct head *)piece - 1;
		size = head->size;
		(void)munmap(head, size);
	}
}

#endif
