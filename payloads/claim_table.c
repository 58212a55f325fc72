// SPDX-License-Identifier: MIT
#include "payloads/claim_table.h"

#include <assert.h>
#include <string.h>

#include "payloads/memory.h"

bool claim_table_init(struct claim_table *table, size_t text_room, uint32_t items_room)
{
	assert(text_room >= CLAIM_TEXT_LEAST && text_room <= UINT32_MAX &&
	       items_room >= CLAIM_ITEMS_LEAST);
	memset(table, 0, sizeof(*table));
	table->text_room = text_room;
	table->items_room = items_room;
	table->text = memory_take(text_room);
	table->items = memory_take(items_room * sizeof(*table->items));
	table->order = memory_take(items_room * sizeof(*table->order));
	table->scratch = memory_take(items_room * sizeof(*table->scratch));
	if (!table->text || !table->items || !table->order || !table->scratch) {
		claim_table_clear(table);
		return false;
	}
	return true;
}

void claim_table_clear(struct claim_table *table)
{
	memory_give(table->text);
	memory_give(table->items);
	memory_give(table->order);
	memory_give(table->scratch);
	memset(table, 0, sizeof(*table));
}

static void window_begin(struct claim_table *table)
{
	table->text_used = 0;
	table->count = 0;
	table->sorted = 0;
	table->hint = 0;
	table->has_bound = false;
}

void claim_table_begin(struct claim_table *table)
{
	window_begin(table);
	table->has_least = false;
	table->repeats_dropped = 0;
}

struct bytes claim_table_path(const struct claim_table *table, const struct claim_item *item)
{
	return bytes_make(table->text + item->text, item->len);
}

const struct claim_item *claim_table_item(const struct claim_table *table, uint32_t i)
{
	return &table->items[table->order[i]];
}

/* Path; then those with md5 first, by md5: what merges stands together, whatever came first. */
static int item_compare(const struct claim_table *table, uint32_t a, uint32_t b)
{
	const struct claim_item *x = &table->items[a];
	const struct claim_item *y = &table->items[b];
	int order = path_compare(claim_table_path(table, x), claim_table_path(table, y));

	if (order != 0) {
		return order;
	}
	if (x->has_md5 != y->has_md5) {
		return x->has_md5 ? -1 : 1;
	}
	return x->has_md5 ? memcmp(x->md5, y->md5, MD5_SIZE) : 0;
}

static void merge(const struct claim_table *table, const uint32_t *from, uint32_t left,
		  uint32_t right, uint32_t end, uint32_t *to)
{
	uint32_t i = left;
	uint32_t j = right;

	for (uint32_t k = left; k < end; k++) {
		if (i < right && (j >= end || item_compare(table, from[i], from[j]) <= 0)) {
			to[k] = from[i++];
		} else {
			to[k] = from[j++];
		}
	}
}

/* The end of the run that begins at `at`. */
static uint32_t run_end(const struct claim_table *table, const uint32_t *order, uint32_t at)
{
	uint32_t i = at + 1;

	while (i < table->count && item_compare(table, order[i - 1], order[i]) <= 0) {
		i++;
	}
	return i;
}

/* Merge sort by natural runs: lists come nearly sorted. */
static void sort(struct claim_table *table)
{
	bool is_sorted = table->count == 0;

	while (!is_sorted) {
		uint32_t *from = table->order;
		uint32_t at = 0;

		is_sorted = true;
		while (at < table->count) {
			uint32_t middle = run_end(table, from, at);
			uint32_t end = middle;

			if (middle < table->count) {
				end = run_end(table, from, middle);
			}
			if (at == 0 && middle == table->count) {
				return;
			}
			is_sorted = is_sorted && at == 0 && end == table->count;
			merge(table, from, at, middle, end, table->scratch);
			at = end;
		}
		table->order = table->scratch;
		table->scratch = from;
	}
}

/* Merges items first..end of the order, which have one path; returns how many stay. */
static uint32_t merge_group(struct claim_table *table, uint32_t first, uint32_t end, uint32_t to)
{
	uint32_t kept = 0;
	uint16_t flags = 0;

	for (uint32_t i = first; i < end; i++) {
		flags = (uint16_t)(flags | table->items[table->order[i]].flags);
	}
	for (uint32_t i = first; i < end; i++) {
		struct claim_item *item = &table->items[table->order[i]];
		struct claim_item *last = kept != 0 ? &table->items[table->order[to + kept - 1]]
						    : NULL;

		if (last && (!item->has_md5 || memcmp(last->md5, item->md5, MD5_SIZE) == 0)) {
			continue;
		}
		if (kept == CLAIM_REPEATS_MAX) {
			table->repeats_dropped++;
			continue;
		}
		item->flags = (uint16_t)(flags & ~(unsigned)CLAIM_REPEAT);
		if (kept != 0) {
			item->flags |= CLAIM_REPEAT;
		}
		table->order[to + kept++] = table->order[i];
	}
	return kept;
}

static bool same_path(const struct claim_table *table, uint32_t i, uint32_t j)
{
	return path_equal(claim_table_path(table, claim_table_item(table, i)),
			  claim_table_path(table, claim_table_item(table, j)));
}

/* Drops the items and texts that are not among the first `keep` of the order. */
static void compact(struct claim_table *table, uint32_t keep)
{
	uint32_t to = 0;
	size_t text = 0;

	for (uint32_t i = 0; i < table->count; i++) {
		table->items[i].is_kept = 0;
	}
	for (uint32_t i = 0; i < keep; i++) {
		table->items[table->order[i]].is_kept = 1;
	}
	/* Items were appended as their texts were: both move down in the order of their numbers. */
	for (uint32_t i = 0; i < table->count; i++) {
		struct claim_item item = table->items[i];

		if (!item.is_kept) {
			continue;
		}
		memmove(table->text + text, table->text + item.text, (size_t)item.len + 1);
		item.text = (uint32_t)text;
		text += (size_t)item.len + 1;
		table->scratch[i] = to;
		table->items[to++] = item;
	}
	for (uint32_t i = 0; i < keep; i++) {
		table->order[i] = table->scratch[table->order[i]];
	}
	table->count = keep;
	table->text_used = text;
}

void claim_table_settle(struct claim_table *table)
{
	uint32_t to = 0;
	uint32_t at = 0;

	if (table->sorted != table->count) {
		sort(table);
		while (at < table->count) {
			uint32_t end = at + 1;

			while (end < table->count && same_path(table, at, end)) {
				end++;
			}
			to += merge_group(table, at, end, to);
			at = end;
		}
		if (to != table->count) {
			compact(table, to);
		}
		table->sorted = table->count;
	}
	table->hint = 0;
}

/* The window is full: settles it, and where that makes no room, ends it at its middle. */
static void make_room(struct claim_table *table)
{
	uint32_t keep = 0;
	size_t text = 0;
	struct bytes bound;

	claim_table_settle(table);
	if (table->count < table->items_room / 4 * 3 &&
	    table->text_used < table->text_room / 4 * 3) {
		return;
	}
	while (keep < table->count / 2 ||
	       (keep > 0 && keep < table->count && same_path(table, keep - 1, keep))) {
		const struct claim_item *item = claim_table_item(table, keep);

		if (text + item->len + 1 > table->text_room / 2 && keep != 0 &&
		    !same_path(table, keep - 1, keep)) {
			break;
		}
		text += (size_t)item->len + 1;
		keep++;
	}
	assert(keep < table->count); /* the least room holds more than one path's repeats */
	bound = claim_table_path(table, claim_table_item(table, keep));
	memcpy(table->bound, bound.data, bound.len);
	table->bound_len = bound.len;
	table->has_bound = true;
	compact(table, keep);
	table->sorted = keep;
}

static bool is_outside(const struct claim_table *table, struct bytes path)
{
	return (table->has_least &&
		path_compare(path, bytes_make(table->least, table->least_len)) < 0) ||
	       (table->has_bound &&
		path_compare(path, bytes_make(table->bound, table->bound_len)) >= 0);
}

/* The place of `path` among the sorted items, or of the first one behind it. */
static uint32_t search(struct claim_table *table, struct bytes path)
{
	uint32_t low = 0;
	uint32_t high = table->sorted;

	for (uint32_t i = table->hint; i < table->sorted && i < table->hint + 3; i++) {
		if (path_equal(claim_table_path(table, claim_table_item(table, i)), path)) {
			low = high = i;
		}
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (path_compare(claim_table_path(table, claim_table_item(table, middle)), path) <
		    0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	table->hint = low;
	return low;
}

/* Adds to an item that is there already. False where it needs one of its own. */
static bool join(struct claim_table *table, const struct claim_input *input)
{
	uint32_t at = search(table, input->path);
	struct claim_item *item;

	if (at == table->sorted) {
		return false;
	}
	item = &table->items[table->order[at]];
	if (!path_equal(claim_table_path(table, item), input->path)) {
		return false;
	}
	if (input->md5 && item->has_md5 && memcmp(item->md5, input->md5, MD5_SIZE) != 0) {
		return false;
	}
	if (input->md5) {
		memcpy(item->md5, input->md5, MD5_SIZE);
		item->has_md5 = 1;
	}
	item->flags = (uint16_t)(item->flags | input->flags);
	return true;
}

void claim_table_add(struct claim_table *table, const struct claim_input *input)
{
	struct claim_item *item;

	if (is_outside(table, input->path) || (table->sorted != 0 && join(table, input))) {
		return;
	}
	if (table->count == table->items_room ||
	    input->path.len + 1 > table->text_room - table->text_used) {
		make_room(table);
		if (is_outside(table, input->path)) {
			return;
		}
	}
	item = &table->items[table->count];
	memset(item, 0, sizeof(*item));
	item->text = (uint32_t)table->text_used;
	item->len = (uint16_t)input->path.len;
	item->flags = (uint16_t)input->flags;
	item->diversion = (uint16_t)input->diversion;
	if (input->md5) {
		item->has_md5 = 1;
		memcpy(item->md5, input->md5, MD5_SIZE);
	}
	memcpy(table->text + table->text_used, input->path.data, input->path.len);
	table->text[table->text_used + input->path.len] = '\0';
	table->text_used += input->path.len + 1;
	table->order[table->count] = table->count;
	table->count++;
}

bool claim_table_next(struct claim_table *table)
{
	if (!table->has_bound) {
		return false;
	}
	memcpy(table->least, table->bound, table->bound_len);
	table->least_len = table->bound_len;
	table->has_least = true;
	window_begin(table);
	return true;
}
