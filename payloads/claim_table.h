// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_CLAIM_TABLE_H
#define MUSTER_PAYLOADS_CLAIM_TABLE_H

/*
 * The paths of one package, put together out of its database's files (dpkg: .list, .md5sums,
 * Conffiles) and brought into canonical order. Holds a window of a fixed size; where a package has more paths than fit, its
 * files are read again for the next window, so that memory is bounded and no path is lost.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/package_db.h"
#include "payloads/package_paths.h"

/* Room of a window, and the least that works: tests want many windows. */
#define CLAIM_TEXT_MAX (3U << 20)
#define CLAIM_ITEMS_MAX 49152U
#define CLAIM_TEXT_LEAST (64U << 10)
#define CLAIM_ITEMS_LEAST 64U
#define CLAIM_REPEATS_MAX 4 /* different md5 of one path */

struct claim_item {
	uint32_t text; /* offset of the path */
	uint16_t len;
	uint16_t flags;     /* enum claim_flag */
	uint16_t diversion; /* 0: none, else 1 + index */
	uint8_t has_md5;
	uint8_t is_kept;
	uint8_t md5[MD5_SIZE];
};

struct claim_table {
	uint8_t *text;
	struct claim_item *items;
	uint32_t *order; /* item numbers; the first `sorted` are in canonical order */
	uint32_t *scratch;
	size_t text_room;
	size_t text_used;
	uint32_t items_room;
	uint32_t count;
	uint32_t sorted;
	uint32_t hint;  /* where the last search ended: files are nearly sorted */
	bool has_least; /* the window begins at `least` and ends before `bound` */
	bool has_bound;
	size_t least_len;
	size_t bound_len;
	uint64_t repeats_dropped;
	uint8_t least[PATH_ROOM];
	uint8_t bound[PATH_ROOM];
};

/* What is known of a path from one file. */
struct claim_input {
	struct bytes path; /* canonical */
	uint32_t flags;
	uint32_t diversion;
	const uint8_t *md5; /* NULL: none */
};

/* False: no memory. Takes the whole room at once; pages that are never used cost nothing. */
bool claim_table_init(struct claim_table *table, size_t text_room, uint32_t items_room);
void claim_table_clear(struct claim_table *table);

/* Begins with the first window. */
void claim_table_begin(struct claim_table *table);
void claim_table_add(struct claim_table *table, const struct claim_input *input);
/* After a file: what follows is looked up in what came before it. */
void claim_table_settle(struct claim_table *table);
/* Item number i of table->count in canonical order, after claim_table_settle. */
const struct claim_item *claim_table_item(const struct claim_table *table, uint32_t i);
struct bytes claim_table_path(const struct claim_table *table, const struct claim_item *item);
/* Goes on to the next window: false where this was the last. */
bool claim_table_next(struct claim_table *table);

#endif
