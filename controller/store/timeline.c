// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"
#include "schema/cbor.h"

#define CHUNK_ITEMS 4096

static int put_chunk(struct store *store, int64_t host, int64_t run,
		     const struct timeline_item *items, size_t count, struct error *err)
{
	int64_t from = INT64_MAX, until = INT64_MIN;
	struct pack *p = &store->blob;

	p->len = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t *room = pack_reserve(p, items[i].path.len + 128);
		struct cbor_writer w;

		if (!room) {
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		}
		cbor_writer_init(&w, room, items[i].path.len + 128);
		timeline_item_encode(&w, &items[i]);
		if (w.overflow) {
			return error_set(err, ERROR_STORE, 0,
					 "an item of the timeline is too long");
		}
		p->len += w.len;
		from = items[i].ctime_ns < from ? items[i].ctime_ns : from;
		until = items[i].ctime_ns > until ? items[i].ctime_ns : until;
	}
	if (squeezer_pack(&store->squeezer, pack_all(p), &store->packed, err)) {
		return -1;
	}
	return db_exec(&store->db, err,
		       "INSERT INTO timeline (host, run, from_ns, until_ns, items, data) "
		       "VALUES (?, ?, ?, ?, ?, ?)",
		       "iiiiib", host, run, from, until, (int64_t)count, pack_all(&store->packed));
}

int timeline_put(struct store *store, int64_t host, const struct store_run *run,
		 const struct observation *o, struct error *err)
{
	for (size_t at = 0; at < o->timeline_count; at += CHUNK_ITEMS) {
		size_t count = o->timeline_count - at;

		if (put_chunk(store, host, run->id, o->timeline + at,
			      count < CHUNK_ITEMS ? count : CHUNK_ITEMS, err)) {
			return -1;
		}
	}
	return 0;
}

struct kept_items {
	struct timeline_item *item;
	size_t count;
	size_t room;
	struct arena arena;
};

static int keep(struct kept_items *kept, const struct timeline_item *item, struct error *err)
{
	struct timeline_item *to;
	bool ok = true;

	if (kept->count == kept->room) {
		size_t room = kept->room ? kept->room * 2 : 1024;

		to = realloc(kept->item, room * sizeof(*to));
		if (!to) {
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		}
		kept->item = to;
		kept->room = room;
	}
	to = &kept->item[kept->count];
	*to = *item;
	to->path = arena_copy(&kept->arena, item->path, &ok);
	if (!ok) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	kept->count++;
	return 0;
}

static int by_ctime(const void *a, const void *b)
{
	const struct timeline_item *x = a, *y = b;
	int order = (x->ctime_ns > y->ctime_ns) - (x->ctime_ns < y->ctime_ns);

	if (order == 0) {
		order = bytes_path_compare(x->path, y->path);
	}
	return order != 0 ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

static bool is_same(const struct timeline_item *a, const struct timeline_item *b)
{
	return a->kind == b->kind && bytes_equal(a->path, b->path) && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->ctime_ns == b->ctime_ns && a->mtime_ns == b->mtime_ns &&
	       a->btime_ns == b->btime_ns;
}

static int read_chunk(struct store *store, sqlite3_stmt *stmt, int64_t since_ns, int64_t until_ns,
		      struct kept_items *kept, struct error *err)
{
	struct timeline_reader reader = {.count = (uint32_t)sqlite3_column_int64(stmt, 1)};
	struct timeline_item item;
	bool ok = false;

	if (squeezer_unpack(&store->squeezer, db_bytes(stmt, 2), OBJECT_MOST, &store->packed, &ok,
			    err)) {
		return -1;
	}
	cbor_reader_init(&reader.r, pack_all(&store->packed));
	while (ok && timeline_next(&reader, &item)) {
		if ((since_ns == 0 || item.ctime_ns >= since_ns) &&
		    (until_ns == 0 || item.ctime_ns <= until_ns) && keep(kept, &item, err)) {
			return -1;
		}
	}
	if (!ok || reader.r.failed) {
		return store_damaged(store, "timeline", sqlite3_column_int64(stmt, 0), err);
	}
	return 0;
}

/* An object that two sessions told of (the first was partial) is shown once. */
static int tell(const struct kept_items *kept, store_timeline_cb *callback, void *context)
{
	for (size_t i = 0; i < kept->count; i++) {
		int stop;

		if (i > 0 && is_same(&kept->item[i - 1], &kept->item[i])) {
			continue;
		}
		stop = callback(context, &kept->item[i]);
		if (stop != 0) {
			return stop < 0 ? -1 : 0;
		}
	}
	return 0;
}

int store_timeline(struct store *store, const char *host, int64_t since_ns, int64_t until_ns,
		   store_timeline_cb *callback, void *context, struct error *err)
{
	struct kept_items kept = {0};
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	result = db_start(
		&store->db, &stmt, err,
		"SELECT t.id, t.items, t.data FROM timeline t JOIN host h ON h.id = t.host "
		"WHERE h.name = ? AND t.until_ns >= ? AND t.from_ns <= ?",
		"tii", host, since_ns ? since_ns : INT64_MIN, until_ns ? until_ns : INT64_MAX);
	while (result == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 && row) {
		result = read_chunk(store, stmt, since_ns, until_ns, &kept, err);
	}
	db_end(stmt);
	if (result == 0) {
		if (kept.count > 1) {
			qsort(kept.item, kept.count, sizeof(*kept.item), by_ctime);
		}
		result = tell(&kept, callback, context);
	}
	arena_clear(&kept.arena);
	free(kept.item);
	return result;
}
