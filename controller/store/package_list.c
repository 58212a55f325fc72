// SPDX-License-Identifier: MIT
#include "controller/store/package_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int ids_room(struct ids *ids, size_t count, struct error *err)
{
	uint32_t *item;

	if (count <= ids->room && ids->item) {
		return 0;
	}
	item = realloc(ids->item, (count + 64) * sizeof(*item));
	if (!item) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	ids->item = item;
	ids->room = count + 64;
	return 0;
}

/* Through a bitmap: cheaper than sorting, and each package has several sections. */
static int collect(const struct snapshot_store *s, const struct pairs *pairs, struct ids *ids,
		   struct error *err)
{
	struct pack *bits = &s->cache->bits;
	size_t size = s->names->package_last / 8U + 1;
	uint8_t *map;

	bits->len = 0;
	map = pack_reserve(bits, size);
	if (!map || ids_room(ids, pairs->count, err)) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	memset(map, 0, size);
	for (size_t i = 0; i < pairs->count; i++) {
		uint32_t package = s->names->key[pairs->item[i].key].package;

		map[package / 8] |= (uint8_t)(1U << package % 8);
	}
	map[0] &= 0xfe; /* 0: no package */
	ids->count = 0;
	for (size_t byte = 0; byte < size; byte++) {
		for (unsigned bit = 0; map[byte] >> bit != 0; bit++) {
			if (map[byte] >> bit & 1) {
				ids->item[ids->count++] = (uint32_t)byte * 8 + bit;
			}
		}
	}
	return 0;
}

/* Rows that turn `base` into `now`, written where `list` is not 0. Returns how many, or -1. */
static long differ(const struct snapshot_store *s, const struct ids *base, const struct ids *now,
		   int64_t list, struct error *err)
{
	size_t i = 0, j = 0;
	long count = 0;

	while (i < base->count || j < now->count) {
		bool gone = j == now->count || (i < base->count && base->item[i] < now->item[j]);
		bool come = i == base->count || (j < now->count && now->item[j] < base->item[i]);

		if (gone || come) {
			count++;
			if (list != 0 &&
			    db_exec(s->db, err,
				    "INSERT INTO package_in (list, package, present) "
				    "VALUES (?, ?, ?)",
				    "iii", list, (int64_t)(gone ? base->item[i] : now->item[j]),
				    (int64_t)come)) {
				return -1;
			}
		}
		i += !come;
		j += !gone;
	}
	return count;
}

static struct list_base *oldest_list(struct snapshots *cache)
{
	struct list_base *oldest = &cache->list[0];

	for (size_t i = 1; i < SNAPSHOT_BASES; i++) {
		if (cache->list[i].used < oldest->used) {
			oldest = &cache->list[i];
		}
	}
	return oldest;
}

static void keep_list(struct snapshots *cache, int64_t id, const struct ids *ids)
{
	struct list_base *base = oldest_list(cache);
	struct error ignored;

	base->used = 0;
	if (ids_room(&base->ids, ids->count, &ignored) == 0) {
		if (ids->count > 0) {
			memcpy(base->ids.item, ids->item, ids->count * sizeof(*ids->item));
		}
		base->ids.count = ids->count;
		base->id = id;
		base->used = ++cache->clock;
	}
}

/* After a start the cache is empty: the newest bases of the database. */
static int warm(const struct snapshot_store *s, struct error *err)
{
	int64_t newest[SNAPSHOT_BASES / 2];
	sqlite3_stmt *stmt = NULL;
	struct ids ids = {0};
	bool row = true;
	size_t count = 0;
	int result;

	result = db_start(s->db, &stmt, err,
			  "SELECT id FROM package_list WHERE base IS NULL ORDER BY id DESC "
			  "LIMIT 24",
			  "");
	while (result == 0 && count < SNAPSHOT_BASES / 2 &&
	       (result = db_next(s->db, stmt, &row, err)) == 0 && row) {
		newest[count++] = sqlite3_column_int64(stmt, 0);
	}
	db_end(stmt);
	while (result == 0 && count > 0) {
		int64_t id = newest[--count];

		ids.count = 0;
		result = db_start(s->db, &stmt, err,
				  "SELECT package FROM package_in WHERE list = ? ORDER BY package",
				  "i", id);
		row = true;
		while (result == 0 && (result = db_next(s->db, stmt, &row, err)) == 0 && row &&
		       (result = ids_room(&ids, ids.count + 1, err)) == 0) {
			ids.item[ids.count++] = (uint32_t)sqlite3_column_int64(stmt, 0);
		}
		db_end(stmt);
		if (result == 0) {
			keep_list(s->cache, id, &ids);
		}
	}
	free(ids.item);
	return result;
}

static int add_list(const struct snapshot_store *s, const struct ids *ids, struct bytes digest,
		    int64_t *id, struct error *err)
{
	static const struct ids nothing;
	struct snapshots *cache = s->cache;
	long least = (long)(ids->count / 4) + 1;
	struct list_base *best = NULL;

	if (oldest_list(cache)->used == 0 && cache->list[0].used == 0 && warm(s, err)) {
		return -1;
	}
	for (size_t i = 0; i < SNAPSHOT_BASES; i++) {
		long count;

		if (cache->list[i].used == 0) {
			continue;
		}
		count = differ(s, &cache->list[i].ids, ids, 0, err);
		if (count < least) {
			least = count;
			best = &cache->list[i];
		}
	}
	if (db_exec(s->db, err, "INSERT INTO package_list (digest, base, size) VALUES (?, ?, ?)",
		    "bzi", digest, best ? best->id : 0, (int64_t)ids->count)) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(s->db->sql);
	if (differ(s, best ? &best->ids : &nothing, ids, *id, err) < 0) {
		return -1;
	}
	if (best) {
		best->used = ++cache->clock;
	} else {
		keep_list(cache, *id, ids);
	}
	return 0;
}

int package_list_put(const struct snapshot_store *s, const struct pairs *pairs, int64_t *id,
		     struct error *err)
{
	struct ids *ids = &s->cache->packages;
	struct digest digest;

	if (collect(s, pairs, ids, err) ||
	    pack_digest(bytes_make(ids->item, ids->count * sizeof(*ids->item)), &digest, err) ||
	    db_number(s->db, id, 0, err, "SELECT id FROM package_list WHERE digest = ?", "b",
		      bytes_make(digest.bytes, 16))) {
		return -1;
	}
	return *id != 0 ? 0 : add_list(s, ids, bytes_make(digest.bytes, 16), id, err);
}
