// SPDX-License-Identifier: MIT
/*
 * The first sight, section by section, of hosts whose first look was in part. What was read then is the
 * reference for good. What was left out then gets its reference when it is first read whole; what was
 * merely not there then never gets one: it has appeared since.
 */
#include <string.h>

#include "controller/store/inner.h"

struct sight {
	struct store *store;
	const struct observation *was; /* the sight so far, with the coverage of its look */
	const struct observation *now;
	struct pairs pairs; /* of `was` */
	struct pairs tonight;
	struct pairs merged;
};

/* Whether this section of tonight's is the first that was read of its place. */
static bool is_first(const struct sight *sight, struct pair pair)
{
	struct bytes encoded = sight->store->names.key[pair.key].encoded;
	const struct observed_section *section = observation_find(sight->now, encoded);
	struct section_key key;

	return section && section_key_decode(encoded, &key) &&
	       observation_left_out(sight->was, &key) && observation_is_whole(sight->now, section);
}

static int order_of(const struct sight *sight, size_t i, size_t j)
{
	const struct names *names = &sight->store->names;
	uint32_t a, b;

	if (i == sight->pairs.count || j == sight->tonight.count) {
		return i == sight->pairs.count ? 1 : -1;
	}
	a = sight->pairs.item[i].key;
	b = sight->tonight.item[j].key;
	return a == b ? 0 : bytes_compare(names->key[a].encoded, names->key[b].encoded);
}

/* Both in order of keys. */
static int merge(struct sight *sight, struct error *err)
{
	size_t i = 0, j = 0;

	while (i < sight->pairs.count || j < sight->tonight.count) {
		int order = order_of(sight, i, j);

		if (order <= 0) {
			if (pairs_add(&sight->merged, sight->pairs.item[i], err)) {
				return -1;
			}
		} else if (is_first(sight, sight->tonight.item[j]) &&
			   pairs_add(&sight->merged, sight->tonight.item[j], err)) {
			return -1;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return 0;
}

struct kept_sight {
	int64_t row;
	int64_t snapshot;
};

static int add(struct store *store, const struct store_host *put, int64_t host, int64_t row,
	       int64_t snapshot, const struct kept_sight *kept, struct error *err)
{
	bool looked = outcome_class(put->outcome) == OUTCOME_CLASS_LOOKED;
	struct sight sight = {.store = store, .now = put->observation};
	struct snapshot_store s = store_snapshots(store);
	int64_t merged = kept->snapshot, packages;
	struct observation *was = NULL;
	int result = -1;

	if (store_observation_of_row(store, kept->row, kept->snapshot, &was, err)) {
		return -1;
	}
	sight.was = was;
	if (was && (snapshot_load(&s, kept->snapshot, &sight.pairs, err) ||
		    snapshot_load(&s, snapshot, &sight.tonight, err) || merge(&sight, err) ||
		    (sight.merged.count > sight.pairs.count &&
		     snapshot_put(&s, &sight.merged, snapshot, &merged, &packages, err)))) {
		goto out;
	}
	result = 0;
	if (merged != kept->snapshot || looked) {
		result = db_exec(&store->db, err,
				 "UPDATE host_sight SET row = ?, snapshot = ? WHERE host = ?",
				 "iii", looked ? row : kept->row, merged, host);
	}
out:
	store_observation_free(was);
	pairs_clear(&sight.pairs);
	pairs_clear(&sight.tonight);
	pairs_clear(&sight.merged);
	return result;
}

int sight_put(struct store *store, const struct store_host *put, int64_t host, int64_t row,
	      int64_t snapshot, struct error *err)
{
	struct kept_sight kept = {0};
	sqlite3_stmt *stmt = NULL;
	bool found = false;
	int result;

	result = db_start(&store->db, &stmt, err,
			  "SELECT row, snapshot FROM host_sight WHERE host = ?", "i", host);
	if (result == 0 && (result = db_next(&store->db, stmt, &found, err)) == 0 && found) {
		kept.row = sqlite3_column_int64(stmt, 0);
		kept.snapshot = sqlite3_column_int64(stmt, 1);
	}
	db_end(stmt);
	if (result != 0) {
		return -1;
	}
	if (found) {
		return add(store, put, host, row, snapshot, &kept, err);
	}
	if (outcome_class(put->outcome) != OUTCOME_CLASS_PARTIAL) {
		return 0; /* looked at whole: host.first */
	}
	return db_exec(&store->db, err,
		       "INSERT INTO host_sight (host, row, snapshot) VALUES (?, ?, ?)", "iii", host,
		       row, snapshot);
}
