// SPDX-License-Identifier: MIT
#include "payloads/ring.h"

#include <errno.h>
#include <sys/mman.h>

int ring_init(struct ring *ring, size_t room)
{
	*ring = (struct ring){.room = room};
	ring->data = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring->data == MAP_FAILED) {
		ring->data = NULL;
		return -ENOMEM;
	}
	return 0;
}

void ring_clear(struct ring *ring)
{
	if (ring->data) {
		munmap(ring->data, ring->room);
	}
	ring->data = NULL;
}

bool ring_append(struct ring *ring, struct bytes data)
{
	size_t at;
	size_t first;

	if (data.len > ring->room - ring->used) {
		return false;
	}
	at = (ring->first + ring->used) % ring->room;
	first = ring->room - at < data.len ? ring->room - at : data.len;
	memcpy(ring->data + at, data.data, first);
	memcpy(ring->data, data.data + first, data.len - first);
	ring->used += data.len;
	ring->open += data.len;
	return true;
}

bool ring_close(struct ring *ring, uint32_t index, bool md5)
{
	struct ring_item *item;

	if (ring->item_count == RING_ITEMS_MAX) {
		ring_drop_open(ring);
		return false;
	}
	item = &ring->item[(ring->item_first + ring->item_count++) % RING_ITEMS_MAX];
	*item = (struct ring_item){
		.index = index,
		.md5 = md5,
		.at = (ring->first + ring->used - ring->open) % ring->room,
		.len = ring->open,
	};
	ring->open = 0;
	return true;
}

void ring_drop_open(struct ring *ring)
{
	ring->used -= ring->open;
	ring->open = 0;
	/* An empty ring starts at its beginning again, so that few pages are ever touched. */
	if (ring->used == 0) {
		ring->first = 0;
	}
}

bool ring_find(const struct ring *ring, uint32_t index, bool md5, struct bytes piece[2])
{
	for (size_t i = 0; i < ring->item_count; i++) {
		const struct ring_item *item = &ring->item[(ring->item_first + i) % RING_ITEMS_MAX];

		if (item->index == index && item->md5 == md5 && !item->gone) {
			size_t first = ring->room - item->at;

			first = first < item->len ? first : item->len;
			piece[0] = bytes_make(ring->data + item->at, first);
			piece[1] = bytes_make(ring->data, item->len - first);
			return true;
		}
	}
	return false;
}

void ring_drop_upto(struct ring *ring, uint32_t index)
{
	for (size_t i = 0; i < ring->item_count; i++) {
		struct ring_item *item = &ring->item[(ring->item_first + i) % RING_ITEMS_MAX];

		item->gone = item->gone || item->index <= index;
	}
	while (ring->item_count > 0 && ring->item[ring->item_first].gone) {
		size_t len = ring->item[ring->item_first].len;

		ring->first = (ring->first + len) % ring->room;
		ring->used -= len;
		ring->item_first = (ring->item_first + 1) % RING_ITEMS_MAX;
		ring->item_count--;
	}
	if (ring->used == 0) {
		ring->first = 0;
	}
}
