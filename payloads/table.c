// SPDX-License-Identifier: MIT
#include "payloads/table.h"

#include <sys/mman.h>

#define TABLE_START 4096U

void table_init(struct table *table, const uint8_t key[SIPHASH_KEY_SIZE], size_t most)
{
	*table = (struct table){.most = most};
	memcpy(table->key, key, SIPHASH_KEY_SIZE);
}

void table_clear(struct table *table)
{
	if (table->slots) {
		munmap(table->slots, table->room * sizeof(*table->slots));
	}
	table->slots = NULL;
	table->room = 0;
	table->count = 0;
}

uint64_t table_hash(const struct table *table, struct bytes path)
{
	uint64_t hash = siphash(table->key, path);

	return hash != 0 ? hash : 1; /* 0 is an empty slot */
}

static uint64_t *find(uint64_t *slots, size_t room, uint64_t hash)
{
	size_t at = (size_t)hash & (room - 1);

	while (slots[at] != 0 && slots[at] != hash) {
		at = (at + 1) & (room - 1);
	}
	return &slots[at];
}

static bool grow(struct table *table)
{
	size_t room = table->room ? table->room * 2 : TABLE_START;
	uint64_t *slots;

	if (room > table->most) {
		return false;
	}
	slots = mmap(NULL, room * sizeof(*slots), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED) {
		return false;
	}
	for (size_t i = 0; i < table->room; i++) {
		if (table->slots[i] != 0) {
			*find(slots, room, table->slots[i]) = table->slots[i];
		}
	}
	if (table->slots) {
		munmap(table->slots, table->room * sizeof(*table->slots));
	}
	table->slots = slots;
	table->room = room;
	return true;
}

enum table_added table_add(struct table *table, uint64_t hash)
{
	uint64_t *slot;

	/* Up to three quarters full. The last size goes to seven eighths before it is full. */
	if (table->count >= table->room / 4 * 3 && !grow(table) &&
	    table->count >= table->room / 8 * 7) {
		return TABLE_FULL;
	}
	slot = find(table->slots, table->room, hash);
	if (*slot == hash) {
		return TABLE_KNOWN;
	}
	*slot = hash;
	table->count++;
	return TABLE_NEW;
}

bool table_has(const struct table *table, uint64_t hash)
{
	return table->room > 0 && *find(table->slots, table->room, hash) == hash;
}
