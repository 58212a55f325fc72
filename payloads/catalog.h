// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_CATALOG_H
#define MUSTER_PAYLOADS_CATALOG_H

/*
 * The sections of this host: keys, stat digests and what the controller asked of each. Filled by
 * the stat pass in any order, sorted once; from then on a position is the index of the protocol.
 * Bounded memory by mmap; what no longer fits is counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/section.h"

#define CATALOG_MAX 65536U
#define CATALOG_KEYS_SIZE (6U << 20)
#define CATALOG_NONE UINT32_MAX

enum catalog_flag {
	CATALOG_ALWAYS = 1,
	CATALOG_ASKED = 2,
	CATALOG_ASKED_MD5 = 4,
	CATALOG_WANTED = 8,
	CATALOG_WANTED_MD5 = 16,
	CATALOG_HASHED = 32,
};

struct catalog_item {
	uint32_t key_at;
	uint16_t key_len;
	uint8_t kind;  /* enum section_kind */
	uint8_t flags; /* enum catalog_flag */
	uint32_t ref;  /* package, or index of the root */
	uint32_t db;
	uint64_t stat;
};

struct catalog {
	struct catalog_item *list;
	uint8_t *keys;
	uint32_t count;
	size_t keys_len;
	uint64_t left_out;
};

int catalog_init(struct catalog *catalog); /* 0 or -ENOMEM */
void catalog_clear(struct catalog *catalog);
void catalog_reset(struct catalog *catalog); /* empty again */

/* CATALOG_NONE where it does not fit. The item is valid at the position until the sort. */
uint32_t catalog_add(struct catalog *catalog, const struct section_key *key, uint32_t ref,
		     uint32_t db);
/* By the encoded keys (schema/section.h); drops repeated ones and counts them as left out. */
void catalog_sort(struct catalog *catalog);

static inline struct bytes catalog_key(const struct catalog *catalog, uint32_t index)
{
	const struct catalog_item *item = &catalog->list[index];

	return bytes_make(catalog->keys + item->key_at, item->key_len);
}

/* The second part of the key: DIR of a tree, ROOT of a volatile section. */
struct bytes catalog_directory(const struct catalog *catalog, uint32_t index);

#endif
