// SPDX-License-Identifier: MIT
#include "payloads/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

int catalog_init(struct catalog *catalog)
{
	*catalog = (struct catalog){.count = 0};
	catalog->list = mmap(NULL, CATALOG_MAX * sizeof(*catalog->list), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	catalog->keys = mmap(NULL, CATALOG_KEYS_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (catalog->list == MAP_FAILED || catalog->keys == MAP_FAILED) {
		catalog_clear(catalog);
		return -ENOMEM;
	}
	return 0;
}

void catalog_clear(struct catalog *catalog)
{
	if (catalog->list && catalog->list != MAP_FAILED) {
		munmap(catalog->list, CATALOG_MAX * sizeof(*catalog->list));
	}
	if (catalog->keys && catalog->keys != MAP_FAILED) {
		munmap(catalog->keys, CATALOG_KEYS_SIZE);
	}
	*catalog = (struct catalog){.list = NULL};
}

void catalog_reset(struct catalog *catalog)
{
	catalog->count = 0;
	catalog->keys_len = 0;
	catalog->left_out = 0;
}

uint32_t catalog_add(struct catalog *catalog, const struct section_key *key, uint32_t ref,
		     uint32_t db)
{
	struct cbor_writer w;
	size_t room = CATALOG_KEYS_SIZE - catalog->keys_len;

	cbor_writer_init(&w, catalog->keys + catalog->keys_len,
			 room < SECTION_KEY_MAX ? room : SECTION_KEY_MAX);
	section_key_encode(&w, key);
	if (w.overflow || catalog->count == CATALOG_MAX) {
		catalog->left_out++;
		return CATALOG_NONE;
	}
	catalog->list[catalog->count] = (struct catalog_item){
		.key_at = (uint32_t)catalog->keys_len,
		.key_len = (uint16_t)w.len,
		.kind = (uint8_t)key->kind,
		.ref = ref,
		.db = db,
	};
	catalog->keys_len += w.len;
	return catalog->count++;
}

static int by_key(const void *a, const void *b, void *context)
{
	const struct catalog_item *x = a;
	const struct catalog_item *y = b;
	const uint8_t *keys = context;

	return bytes_compare(bytes_make(keys + x->key_at, x->key_len),
			     bytes_make(keys + y->key_at, y->key_len));
}

void catalog_sort(struct catalog *catalog)
{
	uint32_t kept = 0;

	qsort_r(catalog->list, catalog->count, sizeof(*catalog->list), by_key, catalog->keys);
	for (uint32_t i = 0; i < catalog->count; i++) {
		if (kept > 0 &&
		    by_key(&catalog->list[kept - 1], &catalog->list[i], catalog->keys) == 0) {
			catalog->left_out++;
		} else {
			catalog->list[kept++] = catalog->list[i];
		}
	}
	catalog->count = kept;
}

struct bytes catalog_directory(const struct catalog *catalog, uint32_t index)
{
	struct section_key key;

	return section_key_decode(catalog_key(catalog, index), &key) && key.count > 1
		       ? key.part[1]
		       : BYTES_LITERAL("");
}
