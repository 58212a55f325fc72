// SPDX-License-Identifier: MIT
#include "payloads/dpkg/diversions.h"

#include <stdlib.h>
#include <string.h>

#include "payloads/dpkg/dpkg.h"
#include "payloads/memory.h"

static unsigned filter_bit(struct bytes path)
{
	const uint8_t *end = path.data + path.len;
	unsigned bits = (unsigned)path.len * 131U;

	for (size_t i = 1; i <= 6 && i <= path.len; i++) {
		bits = bits * 31U + end[-(ptrdiff_t)i];
	}
	return bits % 4096U;
}

/* A clean path of the file, kept as spelled and as canonical. */
static bool keep_path(struct dpkg *dpkg, struct dpkg_lines *lines, struct bytes line,
		      struct bytes *spelled, struct bytes *canonical)
{
	uint8_t path[PATH_ROOM];
	size_t len;
	enum path_fault fault = path_clean(line, true, path, &len);

	if (fault == PATH_FINE && spelled) {
		*spelled = arena_copy(&dpkg->arena, bytes_make(path, len));
	}
	if (fault == PATH_FINE && !path_map(&dpkg->aliases, path, &len, NULL)) {
		fault = PATH_TOO_LONG;
	}
	if (fault != PATH_FINE) {
		dpkg_lines_fault(lines, path_fault_reason(fault));
		return false;
	}
	*canonical = arena_copy(&dpkg->arena, bytes_make(path, len));
	if (!canonical->data || (spelled && !spelled->data)) {
		dpkg_lines_fault(lines, "limit");
		return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct diversion *x = a;
	const struct diversion *y = b;

	return bytes_compare(x->from, y->from);
}

/* Three lines: from, to, package. False at the end of the file. */
static bool read_one(struct dpkg *dpkg, struct dpkg_lines *lines, struct diversion *diversion,
		     bool *is_sound)
{
	struct bytes line;
	bool sound;

	if (!dpkg_lines_next(lines, &line)) {
		return false;
	}
	sound = keep_path(dpkg, lines, line, &diversion->from, &diversion->shown);
	if (!dpkg_lines_next(lines, &line)) {
		dpkg_lines_fault(lines, "malformed");
		return false;
	}
	sound = keep_path(dpkg, lines, line, NULL, &diversion->to) && sound;
	if (!dpkg_lines_next(lines, &line)) {
		dpkg_lines_fault(lines, "malformed");
		return false;
	}
	if (line.len == 0 || line.len > 1024) {
		dpkg_lines_fault(lines, "malformed");
		sound = false;
	} else {
		diversion->by = arena_copy(&dpkg->arena, line);
		sound = sound && diversion->by.data;
	}
	*is_sound = sound;
	return true;
}

static bool make_room(struct diversions *diversions, uint32_t *room)
{
	struct diversion *table;

	if (diversions->count < *room) {
		return true;
	}
	*room = *room ? *room * 2 : 64;
	table = memory_grow(diversions->table, *room * sizeof(*table));
	if (!table) {
		return false;
	}
	diversions->table = table;
	return true;
}

void diversions_read(struct dpkg *dpkg)
{
	struct diversions *diversions = &dpkg->diversions;
	struct diversion one = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	struct dpkg_lines lines;
	uint32_t room = 0;
	bool is_sound = false;

	if (!dpkg_lines_open(&lines, dpkg, dpkg->admin_fd, DPKG_DIR, "diversions", DPKG_SMALL_MAX,
			     false)) {
		return;
	}
	while (read_one(dpkg, &lines, &one, &is_sound)) {
		unsigned bit;

		if (!is_sound) {
			continue;
		}
		if (diversions->count == DIVERSIONS_MAX || !make_room(diversions, &room)) {
			dpkg_lines_fault(&lines, "limit");
			continue;
		}
		diversions->table[diversions->count++] = one;
		bit = filter_bit(one.from);
		diversions->filter[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
	dpkg_lines_close(&lines);
	if (diversions->count > 1) {
		qsort(diversions->table, diversions->count, sizeof(one), compare);
	}
}

void diversions_clear(struct diversions *diversions)
{
	memory_give(diversions->table);
	memset(diversions, 0, sizeof(*diversions));
}

const struct diversion *diversions_find(const struct diversions *diversions, struct bytes path,
					struct bytes package)
{
	unsigned bit = filter_bit(path);
	uint32_t low = 0;
	uint32_t high = diversions->count;

	if (!(diversions->filter[bit / 8] & 1U << bit % 8)) {
		return NULL;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct diversion *found = &diversions->table[middle];
		int order = bytes_compare(path, found->from);

		if (order == 0) {
			return bytes_equal(found->by, package) ? NULL : found;
		}
		if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return NULL;
}
