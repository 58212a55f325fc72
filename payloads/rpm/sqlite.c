// SPDX-License-Identifier: MIT
/*
 * rpmdb.sqlite: the table Packages of an SQLite 3 file (sqlite.org/fileformat2.html), read without
 * SQLite, because opening it with SQLite would write beside it on the host, or pass over what is in
 * the WAL. Pages that a committed transaction left in the WAL are taken from there.
 */
#include "payloads/memory.h"
#include "payloads/rpm/storage.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 100U
#define TABLE_INTERIOR 5
#define TABLE_LEAF 13
#define DEPTH_MAX 20
#define WAL_HEAD 32U
#define FRAME_HEAD 24U
#define WAL_FRAMES_MAX 131072U /* 512 MB of pages; rpm folds its WAL in after every transaction */

static bool matches(const uint8_t *head, size_t len)
{
	return len >= HEAD && memcmp(head, "SQLite format 3", 16) == 0;
}

/* The position of a page: in the WAL where it has a committed frame. False beyond the end. */
static bool page_at(const struct rpm_storage *storage, uint32_t page, uint64_t *at)
{
	uint32_t low = 0;
	uint32_t high = storage->frame_count;

	if (page == 0) {
		return false;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (storage->frames[middle].page == page) {
			*at = RPM_IN_WAL | (WAL_HEAD +
					    (uint64_t)storage->frames[middle].frame *
						    (FRAME_HEAD + storage->page_size) +
					    FRAME_HEAD);
			return true;
		}
		if (storage->frames[middle].page < page) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*at = (uint64_t)(page - 1) * storage->page_size;
	return page <= storage->page_count;
}

static bool read_bytes(const struct rpm_storage *storage, uint64_t at, uint8_t *to, size_t len)
{
	return at & RPM_IN_WAL ? rpm_file_read(&storage->wal, at & ~RPM_IN_WAL, to, len)
			       : rpm_file_read(&storage->file, at, to, len);
}

/* The checksum of the WAL, over `len` bytes, a multiple of eight. */
static void wal_sum(bool is_big, const uint8_t *data, size_t len, uint32_t sum[2])
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		sum[0] += (is_big ? load_be32(data + i) : load_le32(data + i)) + sum[1];
		sum[1] += (is_big ? load_be32(data + i + 4) : load_le32(data + i + 4)) + sum[0];
	}
}

static int compare_frames(const void *a, const void *b)
{
	const struct rpm_wal_frame *x = a;
	const struct rpm_wal_frame *y = b;

	if (x->page != y->page) {
		return x->page < y->page ? -1 : 1;
	}
	return x->frame < y->frame ? 1 : x->frame > y->frame ? -1 : 0;
}

static bool add_frame(struct rpm_storage *storage, uint32_t *room, uint32_t page, uint32_t frame)
{
	if (frame >= *room) {
		uint32_t more = *room ? *room * 2 : 256;
		struct rpm_wal_frame *frames =
			memory_grow(storage->frames, more * sizeof(*storage->frames));

		if (!frames) {
			return false;
		}
		storage->frames = frames;
		*room = more;
	}
	storage->frames[frame] = (struct rpm_wal_frame){page, frame};
	return true;
}

/*
 * Frames of the WAL up to its last commit, by salt and cumulative checksum. What stands behind is
 * of a transaction that never ended, or of an older round.
 */
static const char *wal_scan(struct rpm_storage *storage, uint32_t *committed, uint32_t *pages)
{
	uint8_t head[WAL_HEAD];
	uint8_t frame[FRAME_HEAD];
	uint32_t sum[2] = {0, 0};
	uint32_t room = 0;
	bool is_big;

	if (storage->wal.size < WAL_HEAD) {
		return NULL;
	}
	if (!rpm_file_read(&storage->wal, 0, head, sizeof(head))) {
		return "wal-io";
	}
	if ((load_be32(head) & ~1U) != 0x377f0682U || load_be32(head + 4) != 3007000U ||
	    load_be32(head + 8) != storage->page_size) {
		return NULL; /* SQLite passes over it too */
	}
	is_big = load_be32(head) & 1U;
	wal_sum(is_big, head, 24, sum);
	if (sum[0] != load_be32(head + 24) || sum[1] != load_be32(head + 28)) {
		return NULL;
	}
	for (uint32_t i = 0;; i++) {
		uint64_t at = WAL_HEAD + (uint64_t)i * (FRAME_HEAD + storage->page_size);

		if (!rpm_file_read(&storage->wal, at, frame, sizeof(frame)) ||
		    !rpm_file_read(&storage->wal, at + FRAME_HEAD, storage->page,
				   storage->page_size) ||
		    memcmp(frame + 8, head + 16, 8) != 0) {
			return NULL;
		}
		wal_sum(is_big, frame, 8, sum);
		wal_sum(is_big, storage->page, storage->page_size, sum);
		if (sum[0] != load_be32(frame + 16) || sum[1] != load_be32(frame + 20)) {
			return NULL;
		}
		if (i == WAL_FRAMES_MAX) {
			return "wal-limit";
		}
		if (!add_frame(storage, &room, load_be32(frame), i)) {
			return "no-memory";
		}
		if (load_be32(frame + 4) != 0) {
			*committed = i + 1;
			*pages = load_be32(frame + 4);
		}
	}
}

static const char *wal_open(struct rpm_storage *storage)
{
	uint32_t committed = 0;
	uint32_t pages = 0;
	const char *reason = wal_scan(storage, &committed, &pages);
	uint32_t to = 0;

	if (reason) {
		return reason;
	}
	if (committed > 1) {
		qsort(storage->frames, committed, sizeof(*storage->frames), compare_frames);
	}
	for (uint32_t i = 0; i < committed; i++) {
		if (i == 0 || storage->frames[i].page != storage->frames[to - 1].page) {
			storage->frames[to++] = storage->frames[i];
		}
	}
	storage->frame_count = to;
	if (committed != 0) {
		/* No more than can be there: it bounds the walk. */
		storage->page_count += to;
		storage->page_count = pages < storage->page_count ? pages : storage->page_count;
	}
	return NULL;
}

static const char *open_sqlite(struct rpm_storage *storage)
{
	uint8_t head[HEAD];
	uint32_t size;

	if (!rpm_file_read(&storage->file, 0, head, sizeof(head))) {
		return "truncated";
	}
	size = load_be16(head + 16);
	storage->page_size = size == 1 ? 65536 : size;
	if (storage->page_size < 512 || (storage->page_size & (storage->page_size - 1)) != 0 ||
	    storage->page_size - head[20] < 480) {
		return "malformed";
	}
	storage->usable = storage->page_size - head[20];
	storage->page_count = (uint32_t)(storage->file.size / storage->page_size);
	return wal_open(storage);
}

/* SQLite's varint: big-endian, seven bits a byte, the ninth whole. Bytes used, or 0. */
static size_t varint(struct bytes from, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < 9 && i < from.len; i++) {
		if (i == 8) {
			*value = *value << 8 | from.data[i];
			return 9;
		}
		*value = *value << 7 | (from.data[i] & 0x7fU);
		if (!(from.data[i] & 0x80U)) {
			return i + 1;
		}
	}
	return 0;
}

/* A leaf cell: its rowid, its payload's length, and what of it stands in the page. */
struct cell {
	uint64_t rowid;
	uint32_t size;
	struct bytes local;
	uint32_t next_page;
};

static bool cell_parse(const struct rpm_storage *storage, struct bytes page, uint32_t at,
		       struct cell *cell)
{
	const uint64_t usable = storage->usable;
	uint64_t size;
	uint64_t local;
	size_t used;

	if (at >= usable) {
		return false;
	}
	page = bytes_make(page.data + at, usable - at);
	used = varint(page, &size);
	if (used == 0 || size > RPM_BLOB_MAX) {
		return false;
	}
	page = bytes_make(page.data + used, page.len - used);
	used = varint(page, &cell->rowid);
	if (used == 0) {
		return false;
	}
	page = bytes_make(page.data + used, page.len - used);
	local = size;
	if (size > usable - 35) {
		uint64_t least = (usable - 12) * 32 / 255 - 23;

		local = least + (size - least) % (usable - 4);
		local = local <= usable - 35 ? local : least;
	}
	if (page.len < local + (local < size ? 4 : 0)) {
		return false;
	}
	cell->size = (uint32_t)size;
	cell->local = bytes_make(page.data, local);
	cell->next_page = local < size ? load_be32(page.data + local) : 0;
	return true;
}

typedef bool (*cell_visitor)(struct rpm_storage *storage, uint64_t page_at, const struct cell *cell,
			     void *context);

/* A page of the tree into storage->page: its type, cell count and where its head begins. */
static bool load_page(struct rpm_storage *storage, uint32_t page, uint64_t *at, uint32_t *cells,
		      uint32_t *head)
{
	*head = page == 1 ? HEAD : 0;
	*cells = 0;
	if (!page_at(storage, page, at) ||
	    !read_bytes(storage, *at, storage->page, storage->page_size)) {
		return false;
	}
	*cells = load_be16(storage->page + *head + 3);
	return *head + 12 + 2 * *cells <= storage->usable;
}

/* Child `i` of an interior page, the right-most behind the last cell; 0 where it makes no sense. */
static uint32_t child(const struct rpm_storage *storage, uint32_t head, uint32_t cells, uint32_t i)
{
	const uint8_t *page = storage->page;
	uint32_t at;

	if (i == cells) {
		return load_be32(page + head + 8);
	}
	at = load_be16(page + head + 12 + 2 * i);
	return at + 4 <= storage->usable ? load_be32(page + at) : 0;
}

static bool visit_leaf(struct rpm_storage *storage, uint64_t at, uint32_t head, uint32_t cells,
		       cell_visitor visit, void *context)
{
	for (uint32_t i = 0; i < cells; i++) {
		struct cell cell;

		if (!cell_parse(storage, bytes_make(storage->page, storage->page_size),
				load_be16(storage->page + head + 8 + 2 * i), &cell)) {
			storage->faults++;
			continue;
		}
		if (!visit(storage, at, &cell, context)) {
			return false;
		}
	}
	return true;
}

/* Walks a table from its root, without recursion. A reason why it is not whole, or NULL. */
static const char *walk(struct rpm_storage *storage, uint32_t root, cell_visitor visit,
			void *context)
{
	struct {
		uint32_t page;
		uint32_t next; /* child to enter */
	} stack[DEPTH_MAX] = {{root, 0}};
	uint32_t depth = 1;
	/* Each child is entered once, each page seen again for each of its children. */
	uint64_t steps = 2 * (uint64_t)storage->page_count + 2;

	while (depth != 0) {
		uint32_t *next = &stack[depth - 1].next;
		uint64_t at;
		uint32_t cells;
		uint32_t head;
		bool has_page;
		uint8_t type;

		if (steps-- == 0) {
			return "loop";
		}
		has_page = load_page(storage, stack[depth - 1].page, &at, &cells, &head);
		type = has_page ? storage->page[head] : 0;
		if (type == TABLE_INTERIOR && *next <= cells) {
			if (depth == DEPTH_MAX) {
				return "depth";
			}
			stack[depth].page = child(storage, head, cells, (*next)++);
			stack[depth].next = 0;
			depth++;
			continue;
		}
		if (type == TABLE_LEAF) {
			if (!visit_leaf(storage, at, head, cells, visit, context)) {
				return NULL;
			}
		} else if (type != TABLE_INTERIOR) {
			storage->faults++;
		}
		depth--;
	}
	return NULL;
}

/* Column `wanted` of a record in a cell: its serial type and where its data begins. */
static bool column(const struct cell *cell, unsigned wanted, uint64_t *type, uint64_t *at)
{
	uint64_t head;
	size_t used = varint(cell->local, &head);
	uint64_t in_head = used;

	if (used == 0 || head > cell->local.len) {
		return false;
	}
	*at = head;
	for (unsigned i = 0; in_head < head; i++) {
		static const uint8_t sizes[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
		uint64_t size;

		used = varint(bytes_make(cell->local.data + in_head, head - in_head), type);
		if (used == 0) {
			return false;
		}
		in_head += used;
		size = *type < 12 ? sizes[*type] : (*type - 12) / 2;
		if (size > cell->size || *at > cell->size - size) {
			return false;
		}
		if (i == wanted) {
			return true;
		}
		*at += size;
	}
	return false;
}

/* sqlite_schema: type, name, tbl_name, rootpage, sql. */
static bool find_root(struct rpm_storage *storage, uint64_t page_at_, const struct cell *cell,
		      void *context)
{
	uint32_t *root = context;
	uint64_t type;
	uint64_t at;
	static const char *const names[2] = {"table", "Packages"};

	(void)storage;
	(void)page_at_;
	for (unsigned i = 0; i < 2; i++) {
		size_t len = strlen(names[i]);

		if (!column(cell, i, &type, &at) || type != 13 + 2 * len ||
		    at + len > cell->local.len ||
		    memcmp(cell->local.data + at, names[i], len) != 0) {
			return true;
		}
	}
	if (!column(cell, 3, &type, &at) || type < 1 || type > 4 || at + type > cell->local.len) {
		return true;
	}
	*root = 0;
	for (uint64_t i = 0; i < type; i++) {
		*root = *root << 8 | cell->local.data[at + i];
	}
	return false;
}

struct row_walk {
	rpm_locator_visitor visit;
	void *context;
};

/* Packages(hnum INTEGER PRIMARY KEY, blob BLOB): hnum is the rowid. */
static bool visit_row(struct rpm_storage *storage, uint64_t page_at_, const struct cell *cell,
		      void *context)
{
	const struct row_walk *rows = context;
	struct rpm_locator locator = {0, 0, 0, 0, 0};
	uint64_t type;
	uint64_t at;

	if (!column(cell, 1, &type, &at) || type < 12 || type % 2 != 0 || at > cell->local.len) {
		storage->faults++;
		return true;
	}
	locator.number = (uint32_t)cell->rowid;
	locator.size = (uint32_t)((type - 12) / 2);
	locator.first = (uint32_t)(cell->local.len - at);
	if (locator.first > locator.size) {
		locator.first = locator.size;
	}
	locator.at = page_at_ + (uint64_t)(cell->local.data + at - storage->page);
	locator.next_page = cell->next_page;
	return rows->visit(rows->context, &locator);
}

static const char *scan(struct rpm_storage *storage, rpm_locator_visitor visit, void *context)
{
	struct row_walk rows = {visit, context};
	uint32_t root = 0;
	const char *reason = walk(storage, 1, find_root, &root);

	if (reason || root == 0) {
		return reason ? reason : "no-table";
	}
	return walk(storage, root, visit_row, &rows);
}

static bool link_of(struct rpm_storage *storage, uint32_t page, uint32_t left,
		    struct rpm_link *link)
{
	uint8_t next[4];
	uint64_t at;

	if (!page_at(storage, page, &at) || !read_bytes(storage, at, next, sizeof(next))) {
		return false;
	}
	link->at = at + 4;
	link->len = storage->usable - 4 < left ? storage->usable - 4 : left;
	link->next_page = load_be32(next);
	return true;
}

static bool is_same(struct rpm_storage *storage)
{
	(void)storage;
	return true;
}

static void close_sqlite(struct rpm_storage *storage)
{
	memory_give(storage->frames);
	storage->frames = NULL;
	storage->frame_count = 0;
}

const struct rpm_storage_type rpm_storage_sqlite = {"rpmdb.sqlite", matches, open_sqlite, scan,
						    link_of,        is_same, close_sqlite};
