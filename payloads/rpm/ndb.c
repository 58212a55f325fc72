// SPDX-License-Identifier: MIT
/*
 * Packages.db: rpm's own ndb format (lib/backend/ndb/rpmpkg.c), little-endian: pages of slots, then
 * blobs on 16-byte blocks, each in one piece between a head and a tail.
 */
#include "payloads/rpm/storage.h"

#include <string.h>

#define PAGE 4096U
#define SLOT 16U
#define HEAD 32U
#define BLOB_HEAD 16U
#define BLOB_TAIL 12U

static bool matches(const uint8_t *head, size_t len)
{
	return len >= HEAD && memcmp(head, "RpmP", 4) == 0;
}

static const char *open_ndb(struct rpm_storage *storage)
{
	uint8_t head[HEAD];

	if (!rpm_file_read(&storage->file, 0, head, sizeof(head))) {
		return "truncated";
	}
	if (load_le32(head + 4) != 0) {
		return "format-unknown";
	}
	storage->generation = load_le32(head + 8);
	storage->slot_pages = load_le32(head + 12);
	storage->page_size = PAGE;
	storage->page_count = (uint32_t)(storage->file.size / PAGE);
	if (storage->slot_pages == 0 || storage->slot_pages > storage->page_count) {
		return "malformed";
	}
	return NULL;
}

/* One slot in use. False where the visitor ended the walk. */
static bool visit_slot(struct rpm_storage *storage, const uint8_t *slot, rpm_locator_visitor visit,
		       void *context)
{
	struct rpm_locator locator = {0, 0, 0, 0, 0};
	uint64_t blocks = load_le32(slot + 12);
	uint64_t at = (uint64_t)load_le32(slot + 8) * SLOT;
	uint8_t head[BLOB_HEAD];
	uint8_t tail[BLOB_TAIL];

	locator.number = load_le32(slot + 4);
	if (!rpm_file_read(&storage->file, at, head, sizeof(head)) ||
	    memcmp(head, "BlbS", 4) != 0 || load_le32(head + 4) != locator.number) {
		storage->faults++;
		return true;
	}
	locator.size = load_le32(head + 12);
	if (blocks != ((uint64_t)BLOB_HEAD + locator.size + BLOB_TAIL + SLOT - 1) / SLOT ||
	    !rpm_file_read(&storage->file, at + blocks * SLOT - BLOB_TAIL, tail, sizeof(tail)) ||
	    memcmp(tail + 8, "BlbE", 4) != 0 || load_le32(tail + 4) != locator.size) {
		storage->faults++;
		return true;
	}
	locator.at = at + BLOB_HEAD;
	locator.first = locator.size;
	return visit(context, &locator);
}

static const char *scan(struct rpm_storage *storage, rpm_locator_visitor visit, void *context)
{
	for (uint32_t page = 0; page < storage->slot_pages; page++) {
		if (!rpm_file_read(&storage->file, (uint64_t)page * PAGE, storage->page, PAGE)) {
			return "truncated";
		}
		for (uint32_t at = page == 0 ? HEAD : 0; at < PAGE; at += SLOT) {
			const uint8_t *slot = storage->page + at;

			if (memcmp(slot, "Slot", 4) != 0) {
				storage->faults++;
			} else if (load_le32(slot + 8) != 0 &&
				   !visit_slot(storage, slot, visit, context)) {
				return NULL;
			}
		}
	}
	return NULL;
}

static bool link_of(struct rpm_storage *storage, uint32_t page, uint32_t left,
		    struct rpm_link *link)
{
	(void)storage;
	(void)page;
	(void)left;
	(void)link;
	return false; /* blobs are in one piece */
}

/* Every writer counts up. */
static bool is_same(struct rpm_storage *storage)
{
	uint8_t head[HEAD];

	return rpm_file_read(&storage->file, 0, head, sizeof(head)) &&
	       load_le32(head + 8) == storage->generation;
}

static void close_ndb(struct rpm_storage *storage)
{
	(void)storage;
}

const struct rpm_storage_type rpm_storage_ndb = {"Packages.db", matches, open_ndb, scan,
						 link_of,       is_same, close_ndb};
