// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/diff_items.h"
#include "controller/store/inner.h"

/*
 * Hosts with the same snapshot in both runs cost nothing, sections with the same object neither;
 * what is left is decoded once for all hosts with the same two contents.
 */
#define CACHE_SLOTS 2048
#define CACHED_ITEMS_MAX 512

struct change {
	uint32_t old_key; /* 0: not there */
	uint32_t new_key;
	uint32_t old_object;
	uint32_t new_object;
};

struct cached {
	uint32_t old_object;
	uint32_t new_object;
	enum section_kind kind;
	bool used;
	struct diff_items items;
};

struct differ {
	struct store *store;
	const char *host;
	store_diff_cb *callback;
	void *context;
	struct pairs old_pairs;
	struct pairs new_pairs;
	struct change *change;
	size_t count;
	size_t room;
	struct cached *cache;
	struct diff_items items; /* too many to be cached */
	int stop;
};

static int add_change(struct differ *d, struct change change, struct error *err)
{
	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 256;
		struct change *item = realloc(d->change, room * sizeof(*item));

		if (!item) {
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		}
		d->change = item;
		d->room = room;
	}
	d->change[d->count++] = change;
	return 0;
}

/* How many stand side by side from here on, as nearly all of them do. */
static size_t pairs_equal(const struct pairs *a, size_t i, const struct pairs *b, size_t j)
{
	size_t most = a->count - i < b->count - j ? a->count - i : b->count - j, n = 0;

	while (n < most && a->item[i + n].key == b->item[j + n].key &&
	       a->item[i + n].object == b->item[j + n].object) {
		n++;
	}
	return n;
}

/* Both in order of keys: what is in one only, or has another object. */
static int compare_pairs(struct differ *d, struct error *err)
{
	const struct names *names = &d->store->names;
	size_t i = 0, j = 0;

	d->count = 0;
	while (i < d->old_pairs.count || j < d->new_pairs.count) {
		size_t equal = pairs_equal(&d->old_pairs, i, &d->new_pairs, j);
		struct pair a = {0, 0}, b = {0, 0};
		int order;

		i += equal;
		j += equal;
		if (i < d->old_pairs.count) {
			a = d->old_pairs.item[i];
		}
		if (j < d->new_pairs.count) {
			b = d->new_pairs.item[j];
		}
		if (a.key == 0 && b.key == 0) {
			break;
		}
		if (a.key == b.key) {
			order = 0;
		} else if (a.key == 0 || b.key == 0) {
			order = a.key == 0 ? 1 : -1;
		} else {
			order = bytes_compare(names->key[a.key].encoded, names->key[b.key].encoded);
		}
		if ((order != 0 || a.object != b.object) &&
		    add_change(d,
			       (struct change){
				       .old_key = order <= 0 ? a.key : 0,
				       .new_key = order >= 0 ? b.key : 0,
				       .old_object = order <= 0 ? a.object : 0,
				       .new_object = order >= 0 ? b.object : 0,
			       },
			       err)) {
			return -1;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

static bool decode_key(const struct differ *d, uint32_t id, struct section_key *key)
{
	return id != 0 && section_key_decode(d->store->names.key[id].encoded, key);
}

static bool same_package(const struct section_key *a, const struct section_key *b)
{
	return a->kind == b->kind && bytes_equal(a->part[1], b->part[1]) &&
	       bytes_equal(a->part[2], b->part[2]) && bytes_equal(a->part[4], b->part[4]);
}

/*
 * An upgrade takes one key away and brings another, which stand near each other: kind, manager and
 * name come first in both. The later of the two is merged into the earlier.
 */
static void pair_versions(struct differ *d)
{
	struct section_key a, b;

	for (size_t i = 0; i < d->count; i++) {
		struct change *x = &d->change[i];

		if ((x->old_key != 0) == (x->new_key != 0) ||
		    !decode_key(d, x->old_key | x->new_key, &a) ||
		    !section_kind_is_of_package(a.kind)) {
			continue;
		}
		for (size_t j = i + 1; j < d->count; j++) {
			struct change *y = &d->change[j];

			if (!decode_key(d, y->old_key ? y->old_key : y->new_key, &b) ||
			    a.kind != b.kind || !bytes_equal(a.part[2], b.part[2])) {
				if (y->old_key == 0 && y->new_key == 0) {
					continue; /* merged already */
				}
				break;
			}
			if ((y->old_key != 0) == (y->new_key != 0) ||
			    (y->old_key != 0) == (x->old_key != 0) || !same_package(&a, &b)) {
				continue;
			}
			x->old_object |= y->old_object;
			x->new_object |= y->new_object;
			x->old_key |= y->old_key;
			x->new_key |= y->new_key;
			*y = (struct change){0};
			break;
		}
	}
}

static int load(struct store *store, uint32_t object, uint8_t **data, size_t *len,
		struct error *err)
{
	*data = NULL;
	*len = 0;
	return object == 0 ? 0
			   : store_object_load(store, &store->names.object[object], data, len, err);
}

static int fill(struct differ *d, enum section_kind kind, const struct change *change,
		struct diff_items *items, struct error *err)
{
	uint8_t *old_data = NULL, *new_data = NULL;
	size_t old_len = 0, new_len = 0;
	int result = -1;

	if (load(d->store, change->old_object, &old_data, &old_len, err) == 0 &&
	    load(d->store, change->new_object, &new_data, &new_len, err) == 0) {
		result = diff_items_make(kind, bytes_make(old_data, old_len),
					 bytes_make(new_data, new_len), items, err);
	}
	free(old_data);
	free(new_data);
	return result;
}

static int items_of(struct differ *d, enum section_kind kind, const struct change *change,
		    const struct diff_items **items, struct error *err)
{
	size_t slot = (change->old_object * 0x9e3779b1U ^ change->new_object * 0x85ebca77U) >> 8;
	struct cached *cached = &d->cache[slot % CACHE_SLOTS];

	if (cached->used && cached->old_object == change->old_object &&
	    cached->new_object == change->new_object && cached->kind == kind) {
		*items = &cached->items;
		return 0;
	}
	if (fill(d, kind, change, &d->items, err)) {
		return -1;
	}
	*items = &d->items;
	if (d->items.count <= CACHED_ITEMS_MAX) {
		diff_items_clear(&cached->items);
		*cached = (struct cached){change->old_object, change->new_object, kind, true,
					  d->items};
		d->items = (struct diff_items){0};
		*items = &cached->items;
	}
	return 0;
}

static void tell(struct differ *d, const struct section_key *key, const struct diff_item *item)
{
	struct store_diff_row row = {
		.host = d->host,
		.key = key,
		.change = item->change,
		.subject = item->subject,
		.old_value = item->old_value,
		.new_value = item->new_value,
	};

	if (d->stop == 0) {
		d->stop = d->callback(d->context, &row);
	}
}

/* A package as a whole: its name, and its versions as values. */
static void tell_package(struct differ *d, const struct change *change)
{
	struct section_key old_key = {0}, new_key = {0};
	bool was = decode_key(d, change->old_key, &old_key);
	bool is = decode_key(d, change->new_key, &new_key);
	struct diff_item item = {
		.change = !was  ? STORE_ADDED
			  : !is ? STORE_REMOVED
				: STORE_CHANGED,
		.subject = is ? new_key.part[2] : old_key.part[2],
		.old_value = was ? old_key.part[3] : (struct bytes){0},
		.new_value = is ? new_key.part[3] : (struct bytes){0},
	};

	tell(d, is ? &new_key : &old_key, &item);
}

static int tell_change(struct differ *d, const struct change *change, struct error *err)
{
	uint32_t id = change->new_key ? change->new_key : change->old_key;
	const struct diff_items *items = NULL;
	struct section_key key;

	if (id == 0 || !decode_key(d, id, &key)) {
		return 0;
	}
	if (section_kind_is_of_package(key.kind) && change->old_key != change->new_key) {
		/* Of another version, or come or gone: files are told for configuration only. */
		if (key.kind == SECTION_PACKAGE || key.kind == SECTION_HEADER) {
			tell_package(d, change);
			return 0;
		}
		if (key.kind != SECTION_CONFIG || change->old_key == 0 || change->new_key == 0) {
			return 0;
		}
	}
	if (change->old_object == change->new_object) {
		return 0;
	}
	if (items_of(d, key.kind, change, &items, err)) {
		return -1;
	}
	for (size_t i = 0; i < items->count && d->stop == 0; i++) {
		tell(d, &key, &items->item[i]);
	}
	return 0;
}

static int diff_host(struct differ *d, int64_t old_snapshot, int64_t new_snapshot,
		     struct error *err)
{
	struct snapshot_store s = store_snapshots(d->store);

	if (snapshot_load(&s, old_snapshot, &d->old_pairs, err) ||
	    snapshot_load(&s, new_snapshot, &d->new_pairs, err) || compare_pairs(d, err)) {
		return -1;
	}
	pair_versions(d);
	for (size_t i = 0; i < d->count && d->stop == 0; i++) {
		if (tell_change(d, &d->change[i], err)) {
			return -1;
		}
	}
	return 0;
}

static void differ_clear(struct differ *d)
{
	pairs_clear(&d->old_pairs);
	pairs_clear(&d->new_pairs);
	diff_items_clear(&d->items);
	for (size_t i = 0; d->cache && i < CACHE_SLOTS; i++) {
		diff_items_clear(&d->cache[i].items);
	}
	free(d->cache);
	free(d->change);
}

int store_diff(struct store *store, int64_t run_a, int64_t run_b, const char *host,
	       store_diff_cb *callback, void *context, struct error *err)
{
	struct differ d = {.store = store, .callback = callback, .context = context};
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result = -1;

	d.cache = calloc(CACHE_SLOTS, sizeof(*d.cache));
	if (!d.cache) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (store_ready(store, err) ||
	    db_query(&store->db, &stmt, err,
		     "SELECT h.name, a.snapshot, b.snapshot FROM host_run a "
		     "JOIN host_run b ON b.host = a.host JOIN host h ON h.id = a.host "
		     "WHERE a.id > ?1 << 24 AND a.id < (?1 + 1) << 24 "
		     "AND b.id > ?2 << 24 AND b.id < (?2 + 1) << 24 "
		     "AND a.snapshot <> b.snapshot AND (?3 = '' OR h.name = ?3) ORDER BY h.name",
		     "iit", run_a, run_b, host ? host : "")) {
		goto out;
	}
	result = 0;
	while (result == 0 && d.stop == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 &&
	       row) {
		d.host = db_text(stmt, 0);
		result = diff_host(&d, sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2),
				   err);
	}
out:
	(void)sqlite3_finalize(stmt);
	differ_clear(&d);
	return d.stop < 0 ? -1 : result;
}
