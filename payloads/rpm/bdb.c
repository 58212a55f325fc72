// SPDX-License-Identifier: MIT
/*
 * Packages: Berkeley DB hash (dbinc/db_page.h, hash/hash.c of Berkeley DB 4 and 5), in the byte
 * order of the host that wrote it. Keys are header numbers, values header blobs, which lie in the
 * page or in a chain of overflow pages.
 */
#include "payloads/rpm/storage.h"

#include <string.h>

#define HASH_MAGIC 0x00061561U
#define PAGE_HEAD 26U
#define META_SIZE 224U /* up to the end of spares */
#define TYPE_HASH_UNSORTED 2
#define TYPE_OVERFLOW 7
#define TYPE_HASH 13
#define ITEM_KEYDATA 1
#define ITEM_OFFPAGE 3

static uint32_t load32(const struct rpm_storage *storage, const uint8_t *from)
{
	return storage->is_swapped ? load_be32(from) : load_le32(from);
}

static uint16_t load16(const struct rpm_storage *storage, const uint8_t *from)
{
	return storage->is_swapped ? load_be16(from) : (uint16_t)((unsigned)from[1] << 8 | from[0]);
}

/* Read as little-endian; `is_swapped` then means big-endian, whatever this machine is. */
static bool matches(const uint8_t *head, size_t len)
{
	return len >= 16 &&
	       (load_le32(head + 12) == HASH_MAGIC || load_be32(head + 12) == HASH_MAGIC);
}

static const char *open_bdb(struct rpm_storage *storage)
{
	uint8_t meta[META_SIZE];
	uint32_t version;

	if (!rpm_file_read(&storage->file, 0, meta, sizeof(meta))) {
		return "truncated";
	}
	storage->is_swapped = load_be32(meta + 12) == HASH_MAGIC;
	version = load32(storage, meta + 16);
	storage->page_size = load32(storage, meta + 20);
	storage->max_bucket = load32(storage, meta + 72);
	if (version < 7 || version > 10) {
		return "format-unknown";
	}
	if (meta[24] != 0) {
		return "encrypted";
	}
	if (meta[26] & 1U) {
		return "checksums"; /* pages have another head: rpm never made such */
	}
	if (storage->page_size < 512 || storage->page_size > RPM_PAGE_MAX ||
	    (storage->page_size & (storage->page_size - 1)) != 0) {
		return "malformed";
	}
	storage->page_count = (uint32_t)(storage->file.size / storage->page_size);
	for (int i = 0; i < 32; i++) {
		storage->spares[i] = load32(storage, meta + 96 + (size_t)4 * (unsigned)i);
	}
	return NULL;
}

static bool read_page(struct rpm_storage *storage, uint32_t page, uint8_t *to, size_t len)
{
	return page < storage->page_count &&
	       rpm_file_read(&storage->file, (uint64_t)page * storage->page_size, to, len) &&
	       load32(storage, to + 8) == page;
}

/* Item `i` of the page: its bytes, or an empty piece where its offset makes no sense. */
static struct bytes item(const struct rpm_storage *storage, uint32_t entries, uint32_t i)
{
	const uint8_t *page = storage->page;
	uint32_t start = load16(storage, page + PAGE_HEAD + 2 * i);
	uint32_t end = i == 0 ? storage->page_size
			      : load16(storage, page + PAGE_HEAD + 2 * (i - 1));

	if (start < PAGE_HEAD + 2 * entries || end <= start || end > storage->page_size) {
		return bytes_make(NULL, 0);
	}
	return bytes_make(page + start, end - start);
}

/* One key and value. False where the visitor ended the walk. */
static bool visit_pair(struct rpm_storage *storage, uint32_t page, struct bytes key,
		       struct bytes value, rpm_locator_visitor visit, void *context)
{
	struct rpm_locator locator = {0, 0, 0, 0, 0};

	if (key.len != 5 || key.data[0] != ITEM_KEYDATA || value.len == 0) {
		storage->faults++;
		return true;
	}
	locator.number = load32(storage, key.data + 1);
	if (locator.number == 0) {
		return true; /* a counter */
	}
	if (value.data[0] == ITEM_KEYDATA) {
		locator.at = (uint64_t)page * storage->page_size +
			     (uint64_t)(value.data + 1 - storage->page);
		locator.first = (uint32_t)value.len - 1;
		locator.size = locator.first;
	} else if (value.data[0] == ITEM_OFFPAGE && value.len == 12) {
		locator.next_page = load32(storage, value.data + 4);
		locator.size = load32(storage, value.data + 8);
	} else {
		storage->faults++;
		return true;
	}
	return visit(context, &locator);
}

/* A hash page's pairs. *next is the page that follows in its bucket. */
static bool visit_page(struct rpm_storage *storage, uint32_t page, uint32_t *next,
		       rpm_locator_visitor visit, void *context)
{
	uint32_t entries;

	*next = 0;
	if (!read_page(storage, page, storage->page, storage->page_size) ||
	    (storage->page[25] != TYPE_HASH && storage->page[25] != TYPE_HASH_UNSORTED)) {
		storage->faults++;
		return true;
	}
	*next = load32(storage, storage->page + 16);
	entries = load16(storage, storage->page + 20);
	if (entries > (storage->page_size - PAGE_HEAD) / 2) {
		storage->faults++;
		return true;
	}
	for (uint32_t i = 0; i + 1 < entries; i += 2) {
		if (!visit_pair(storage, page, item(storage, entries, i),
				item(storage, entries, i + 1), visit, context)) {
			return false;
		}
	}
	return true;
}

static uint32_t bit_length(uint32_t n)
{
	return n == 0 ? 0 : 32U - (uint32_t)__builtin_clz(n);
}

static const char *scan(struct rpm_storage *storage, rpm_locator_visitor visit, void *context)
{
	uint32_t visited = 0;

	for (uint32_t bucket = 0; bucket <= storage->max_bucket; bucket++) {
		uint32_t bits = bit_length(bucket);
		uint32_t page = bucket + (bits < 32 ? storage->spares[bits] : 0);

		do {
			/* No page is in two buckets: more visits than pages are a loop. */
			if (++visited > storage->page_count) {
				return "loop";
			}
			if (!visit_page(storage, page, &page, visit, context)) {
				return NULL;
			}
		} while (page != 0);
	}
	return NULL;
}

static bool link_of(struct rpm_storage *storage, uint32_t page, uint32_t left,
		    struct rpm_link *link)
{
	uint8_t head[PAGE_HEAD];

	if (!read_page(storage, page, head, sizeof(head)) || head[25] != TYPE_OVERFLOW) {
		return false;
	}
	link->at = (uint64_t)page * storage->page_size + PAGE_HEAD;
	link->len = load16(storage, head + 22);
	link->next_page = load32(storage, head + 16);
	return link->len == left ||
	       (link->len < left && link->len == storage->page_size - PAGE_HEAD);
}

static bool is_same(struct rpm_storage *storage)
{
	(void)storage;
	return true;
}

static void close_bdb(struct rpm_storage *storage)
{
	(void)storage;
}

const struct rpm_storage_type rpm_storage_bdb = {"Packages", matches, open_bdb, scan,
						 link_of,    is_same, close_bdb};
