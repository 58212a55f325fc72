// SPDX-License-Identifier: MIT
#include "controller/store/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/package_list.h"

void pairs_clear(struct pairs *pairs)
{
	free(pairs->item);
	*pairs = (struct pairs){0};
}

/* Room for `more` of them behind those there are, or NULL. */
static struct pair *reserve(struct pairs *pairs, size_t more, struct error *err)
{
	if (pairs->room - pairs->count < more || !pairs->item) {
		size_t room = pairs->room ? pairs->room : 1024;
		struct pair *item;

		while (room < pairs->count + more) {
			room *= 2;
		}
		item = realloc(pairs->item, room * sizeof(*item));
		if (!item) {
			(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
			return NULL;
		}
		pairs->item = item;
		pairs->room = room;
	}
	return pairs->item + pairs->count;
}

int pairs_add(struct pairs *pairs, struct pair pair, struct error *err)
{
	struct pair *to = reserve(pairs, 1, err);

	if (!to) {
		return -1;
	}
	*to = pair;
	pairs->count++;
	return 0;
}

static int pairs_copy(struct pairs *pairs, const struct pair *from, size_t count, struct error *err)
{
	struct pair *to = reserve(pairs, count, err);

	if (!to) {
		return -1;
	}
	if (count > 0) {
		memcpy(to, from, count * sizeof(*from));
		pairs->count += count;
	}
	return 0;
}

void snapshots_clear(struct snapshots *s)
{
	for (size_t i = 0; i < SNAPSHOT_BASES; i++) {
		pairs_clear(&s->base[i].pairs);
		free(s->list[i].ids.item);
	}
	pack_clear(&s->packed);
	pack_clear(&s->plain);
	pack_clear(&s->best);
	pack_clear(&s->bits);
	free(s->packages.item);
	*s = (struct snapshots){0};
}

static inline bool pair_equal(struct pair a, struct pair b)
{
	return a.key == b.key && a.object == b.object;
}

struct delta {
	size_t base;
	size_t now;
	size_t copied;
	size_t dropped;
};

/* Moves over the longest equal stretch, then over what differs until they agree again. */
static void delta_step(const struct names *names, const struct pairs *base, const struct pairs *now,
		       struct delta *d)
{
	size_t i = d->base, j = d->now;

	while (i < base->count && j < now->count && pair_equal(base->item[i], now->item[j])) {
		i++;
		j++;
	}
	d->copied = i - d->base;
	d->base = i;
	d->now = j;
	while (i < base->count || j < now->count) {
		int order;

		if (i == base->count) {
			order = 1;
		} else if (j == now->count) {
			order = -1;
		} else if (base->item[i].key == now->item[j].key) {
			if (base->item[i].object == now->item[j].object) {
				break;
			}
			order = 0;
		} else {
			order = bytes_compare(names->key[base->item[i].key].encoded,
					      names->key[now->item[j].key].encoded);
		}
		i += order <= 0;
		j += order >= 0;
	}
	d->dropped = i - d->base;
	d->base = i;
	/* The caller inserts from the old d->now up to j. */
	d->now = j;
}

/* Writes the groups that turn `base` into `now`; *inserted counts pairs that are not the base's. */
static void delta_write(const struct names *names, const struct pairs *base,
			const struct pairs *now, struct pack *to, size_t *inserted)
{
	struct delta d = {0};
	struct pair last = {0, 0};

	to->len = 0;
	*inserted = 0;
	while (d.base < base->count || d.now < now->count) {
		size_t from = d.now;

		delta_step(names, base, now, &d);
		from += d.copied;
		pack_uint(to, d.copied);
		pack_uint(to, d.dropped);
		pack_uint(to, d.now - from);
		for (; from < d.now; from++) {
			pack_int(to, (int64_t)now->item[from].key - last.key);
			pack_int(to, (int64_t)now->item[from].object - last.object);
			last = now->item[from];
			(*inserted)++;
		}
	}
}

static bool insert_pairs(const struct names *names, struct unpack *u, size_t count,
			 struct pair *last, struct pairs *to, struct error *err)
{
	for (size_t i = 0; i < count && !u->failed; i++) {
		int64_t key = (int64_t)last->key + unpack_int(u);
		int64_t object = (int64_t)last->object + unpack_int(u);

		if (u->failed || key < 0 || object < 0 || !names_has_key(names, (uint64_t)key) ||
		    !names_has_object(names, (uint64_t)object)) {
			return false;
		}
		*last = (struct pair){(uint32_t)key, (uint32_t)object};
		if (pairs_add(to, *last, err)) {
			return false;
		}
	}
	return !u->failed;
}

/* False where the blob is damaged, or *err says why not. */
static bool delta_apply(const struct names *names, const struct pairs *base, struct bytes delta,
			struct pairs *to, struct error *err)
{
	struct unpack u = unpack_start(delta);
	struct pair last = {0, 0};
	size_t at = 0;

	to->count = 0;
	while (unpack_has_more(&u)) {
		size_t copy = (size_t)unpack_uint_max(&u, base->count - at);
		size_t drop = (size_t)unpack_uint_max(&u, base->count - at - copy);
		size_t insert = (size_t)unpack_uint_max(&u, SNAPSHOT_SECTIONS_MAX);

		if (u.failed || (copy > 0 && pairs_copy(to, base->item + at, copy, err))) {
			return false;
		}
		at += copy + drop;
		if (!insert_pairs(names, &u, insert, &last, to, err)) {
			return false;
		}
	}
	return !u.failed;
}

static int damaged(int64_t id, struct error *err)
{
	return error_set(err, ERROR_STORE, 0,
			 "the database is damaged: snapshot %lld cannot be decoded: restore a copy",
			 (long long)id);
}

static int load_base(const struct snapshot_store *s, int64_t id, const struct pairs **pairs,
		     struct error *err);

static int load_row(const struct snapshot_store *s, int64_t id, bool base_only, struct pairs *pairs,
		    struct error *err)
{
	static const struct pairs nothing;
	const struct pairs *base = &nothing;
	sqlite3_stmt *stmt = NULL;
	bool row = false, ok = false;
	struct error inner = {0};
	int64_t base_id = 0;
	int result = -1;

	if (db_start(s->db, &stmt, err, "SELECT base, data FROM snapshot WHERE id = ?", "i", id) ||
	    db_next(s->db, stmt, &row, err)) {
		goto out;
	}
	if (!row) {
		(void)damaged(id, err);
		goto out;
	}
	base_id = sqlite3_column_int64(stmt, 0);
	if (squeezer_unpack(s->squeezer, db_bytes(stmt, 1), SNAPSHOT_SECTIONS_MAX * 12U,
			    &s->cache->plain, &ok, err)) {
		goto out;
	}
	db_end(stmt);
	stmt = NULL;
	if (!ok || (base_id != 0 && base_only)) {
		(void)damaged(id, err);
		goto out;
	}
	if (base_id != 0) {
		struct pack mine = s->cache->plain;

		/* Loading the base uses the same buffer. */
		s->cache->plain = (struct pack){0};
		result = load_base(s, base_id, &base, err);
		pack_clear(&s->cache->plain);
		s->cache->plain = mine;
		if (result) {
			goto out;
		}
		result = -1;
	}
	if (!delta_apply(s->names, base, pack_all(&s->cache->plain), pairs, &inner)) {
		if (inner.kind != ERROR_NONE) {
			(void)error_set(err, inner.kind, inner.os_errno, "%s", inner.msg);
		} else {
			(void)damaged(id, err);
		}
		goto out;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

static struct base *oldest_base(struct snapshots *cache)
{
	struct base *oldest = &cache->base[0];

	for (size_t i = 1; i < SNAPSHOT_BASES; i++) {
		if (cache->base[i].used < oldest->used) {
			oldest = &cache->base[i];
		}
	}
	return oldest;
}

static struct base *find_base(struct snapshots *cache, int64_t id)
{
	for (size_t i = 0; i < SNAPSHOT_BASES; i++) {
		if (cache->base[i].id == id && cache->base[i].used != 0) {
			cache->base[i].used = ++cache->clock;
			return &cache->base[i];
		}
	}
	return NULL;
}

static int load_base(const struct snapshot_store *s, int64_t id, const struct pairs **pairs,
		     struct error *err)
{
	struct base *base = find_base(s->cache, id);

	if (!base) {
		base = oldest_base(s->cache);
		base->used = 0;
		if (load_row(s, id, true, &base->pairs, err)) {
			return -1;
		}
		base->id = id;
		base->used = ++s->cache->clock;
	}
	*pairs = &base->pairs;
	return 0;
}

int snapshot_load(const struct snapshot_store *s, int64_t id, struct pairs *pairs,
		  struct error *err)
{
	const struct base *base = find_base(s->cache, id);

	if (!base) {
		return load_row(s, id, false, pairs, err);
	}
	pairs->count = 0;
	return pairs_copy(pairs, base->pairs.item, base->pairs.count, err);
}

/* As a new base in the cache. A failure only costs time later. */
static void keep_base(struct snapshots *cache, int64_t id, const struct pairs *pairs)
{
	struct base *base = oldest_base(cache);
	struct error ignored;

	base->used = 0;
	base->pairs.count = 0;
	if (pairs_copy(&base->pairs, pairs->item, pairs->count, &ignored)) {
		return;
	}
	base->id = id;
	base->used = ++cache->clock;
}

static bool has_room_for_base(const struct snapshots *cache)
{
	for (size_t i = 0; i < SNAPSHOT_BASES; i++) {
		if (cache->base[i].used == 0) {
			return true;
		}
	}
	return false;
}

/*
 * The base with which these pairs cost least: that of `like` where it still fits, else the best of
 * those in memory; 0 where none saves half. Of a host that is new a sixteenth has to be all that
 * differs, as long as there is room for another base: hosts of one role have one then, and what is
 * read of each of them from then on is little. The winner's delta is left in cache->best.
 */
static int choose_base(const struct snapshot_store *s, const struct pairs *pairs, int64_t like,
		       int64_t *base_id, struct error *err)
{
	struct snapshots *cache = s->cache;
	const struct pairs *base = NULL;
	size_t inserted, least = pairs->count / 2 + 1;
	int64_t of_like = 0;

	*base_id = 0;
	if (like != 0) {
		if (db_number(s->db, &of_like, like, err, "SELECT base FROM snapshot WHERE id = ?",
			      "i", like) ||
		    load_base(s, of_like, &base, err)) {
			return -1;
		}
		delta_write(s->names, base, pairs, &cache->best, &inserted);
		if (inserted <= pairs->count / 4) {
			*base_id = of_like;
			return 0;
		}
		least = inserted < least ? inserted : least;
		*base_id = inserted == least ? of_like : 0;
	}
	for (size_t i = 0; i < SNAPSHOT_BASES; i++) {
		if (cache->base[i].used == 0 || cache->base[i].id == of_like) {
			continue;
		}
		delta_write(s->names, &cache->base[i].pairs, pairs, &cache->plain, &inserted);
		if (inserted < least) {
			struct pack other = cache->best;

			least = inserted;
			*base_id = cache->base[i].id;
			cache->best = cache->plain;
			cache->plain = other;
			if (least <= pairs->count / 16) {
				break;
			}
		}
	}
	if (like == 0 && least > pairs->count / 16 && has_room_for_base(cache)) {
		*base_id = 0;
	}
	return 0;
}

int snapshot_put(const struct snapshot_store *s, const struct pairs *pairs, int64_t like,
		 int64_t *id, int64_t *packages, struct error *err)
{
	static const struct pairs nothing;
	struct snapshots *cache = s->cache;
	sqlite3_stmt *stmt = NULL;
	struct digest digest;
	size_t inserted;
	int64_t base = 0;
	bool row = false;

	static_assert(sizeof(struct pair) == 8, "hashed as it lies in memory");
	if (pack_digest(bytes_make(pairs->item, pairs->count * sizeof(*pairs->item)), &digest,
			err) ||
	    db_start(s->db, &stmt, err, "SELECT id, packages FROM snapshot WHERE digest = ?", "b",
		     bytes_make(digest.bytes, 16)) ||
	    db_next(s->db, stmt, &row, err)) {
		db_end(stmt);
		return -1;
	}
	*id = row ? sqlite3_column_int64(stmt, 0) : 0;
	*packages = row ? sqlite3_column_int64(stmt, 1) : 0;
	db_end(stmt);
	if (row) {
		return 0;
	}
	if (package_list_put(s, pairs, packages, err) || choose_base(s, pairs, like, &base, err)) {
		return -1;
	}
	if (base == 0) {
		delta_write(s->names, &nothing, pairs, &cache->best, &inserted);
	}
	if (cache->best.failed || cache->plain.failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (squeezer_pack(s->squeezer, pack_all(&cache->best), &cache->packed, err) ||
	    db_exec(s->db, err,
		    "INSERT INTO snapshot (digest, base, packages, sections, data) "
		    "VALUES (?, ?, ?, ?, ?)",
		    "bziib", bytes_make(digest.bytes, 16), base, *packages, (int64_t)pairs->count,
		    pack_all(&cache->packed))) {
		return -1;
	}
	*id = sqlite3_last_insert_rowid(s->db->sql);
	if (base == 0) {
		keep_base(cache, *id, pairs);
	}
	return 0;
}
