// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_RING_H
#define MUSTER_PAYLOADS_RING_H

/*
 * Encoded sections between their digest and the controller's decision, oldest first, in a ring of
 * fixed size. One section is open at a time and grows at the end; a whole one is handed out as at
 * most two pieces and dropped in order. Memory by mmap, touched only as far as it is used.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define RING_ITEMS_MAX 1024

struct ring_item {
	uint32_t index; /* of the section */
	bool md5;
	bool gone; /* decided, but an older one is not */
	size_t at;
	size_t len;
};

struct ring {
	uint8_t *data;
	size_t room;
	size_t first; /* of the oldest item's bytes */
	size_t used;  /* the open section's bytes included */
	size_t open;  /* bytes of the open section */
	struct ring_item item[RING_ITEMS_MAX];
	size_t item_first;
	size_t item_count;
};

int ring_init(struct ring *ring, size_t room); /* 0 or -ENOMEM */
void ring_clear(struct ring *ring);

/* Appends to the open section. False where there is no room: nothing was appended. */
bool ring_append(struct ring *ring, struct bytes data);
/* Closes the open section under this name; false where there are too many (it is dropped). */
bool ring_close(struct ring *ring, uint32_t index, bool md5);
/* Forgets the open section's bytes. */
void ring_drop_open(struct ring *ring);
static inline bool ring_is_empty(const struct ring *ring)
{
	return ring->item_count == 0;
}

/* The whole section, in two pieces of which the second may be empty. False where it is not held. */
bool ring_find(const struct ring *ring, uint32_t index, bool md5, struct bytes piece[2]);

/* Drops every whole section up to and including `index`. */
void ring_drop_upto(struct ring *ring, uint32_t index);

#endif
