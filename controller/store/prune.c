// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"

/*
 * One transaction: runs first, then what no row names any more, downwards. Which keys and objects
 * are still in use only the snapshots tell, so that those that stay are decoded once.
 */
struct used {
	uint8_t *key; /* bitmaps by id */
	uint8_t *object;
};

static void mark(uint8_t *map, uint32_t id)
{
	map[id / 8] |= (uint8_t)(1U << id % 8);
}

static bool is_marked(const uint8_t *map, uint32_t id)
{
	return map[id / 8] >> id % 8 & 1;
}

static int exec_all(struct store *store, const char *const *statements, size_t count,
		    int64_t oldest, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (db_exec(&store->db, err, statements[i], strchr(statements[i], '?') ? "i" : "",
			    oldest)) {
			return -1;
		}
	}
	return 0;
}

/* `oldest` is the first run that is kept. */
static int drop_runs(struct store *store, int64_t oldest, size_t *runs, struct error *err)
{
	static const char *const statements[] = {
		"DELETE FROM host_run WHERE id < ? << 24 AND id NOT IN (SELECT latest FROM host "
		"WHERE latest IS NOT NULL UNION SELECT observed FROM host WHERE observed IS NOT "
		"NULL "
		"UNION SELECT complete FROM host WHERE complete IS NOT NULL "
		"UNION SELECT first FROM host WHERE first IS NOT NULL "
		"UNION SELECT row FROM host_sight)",
		"DELETE FROM excerpt WHERE host_run NOT IN (SELECT id FROM host_run)",
		/*
		 * With the state of a host that is kept stays what led to it, and with what is open
		 * what happened since it was found.
		 */
		"DELETE FROM timeline WHERE run < ?1 AND run < coalesce((SELECT min(i.first_run) "
		"FROM interval i JOIN finding f ON f.id = i.finding WHERE i.host = timeline.host "
		"AND i.until_run IS NULL AND f.severity > 0), ?1) AND (host, run) NOT IN ("
		"SELECT id, latest >> 24 FROM host WHERE latest IS NOT NULL "
		"UNION SELECT id, observed >> 24 FROM host WHERE observed IS NOT NULL "
		"UNION SELECT id, complete >> 24 FROM host WHERE complete IS NOT NULL)",
		"DELETE FROM interval WHERE until_run < ?",
		"DELETE FROM finding WHERE id NOT IN (SELECT finding FROM interval)",
		"DELETE FROM coverage WHERE id NOT IN (SELECT coverage FROM host_run "
		"WHERE coverage IS NOT NULL)",
		"DELETE FROM facts WHERE id NOT IN (SELECT facts FROM host_run "
		"WHERE facts IS NOT NULL)",
		"DELETE FROM witness_list WHERE id NOT IN (SELECT witness FROM host_witness "
		"UNION SELECT witness FROM host_verdict WHERE witness IS NOT NULL)",
		"DELETE FROM tally WHERE id NOT IN (SELECT tally FROM host_run)",
		/* Forgotten, and now without history. */
		"DELETE FROM host WHERE latest IS NULL AND id NOT IN (SELECT host FROM host_run) "
		"AND id NOT IN (SELECT host FROM interval) "
		"AND id NOT IN (SELECT host FROM timeline)",
		/* Of those from before the oldest run the last one still holds. */
		"DELETE FROM host_transport WHERE host NOT IN (SELECT id FROM host) OR EXISTS ("
		"SELECT 1 FROM host_transport t WHERE t.host = host_transport.host "
		"AND t.row > host_transport.row AND t.row < ? << 24)",
		"DELETE FROM text WHERE id NOT IN (SELECT outcome FROM host_run UNION "
		"SELECT reason FROM host_run WHERE reason IS NOT NULL UNION "
		"SELECT transport FROM host_transport)",
	};

	if (db_exec(&store->db, err, "UPDATE run SET kept = 0 WHERE kept = 1 AND id < ?", "i",
		    oldest)) {
		return -1;
	}
	*runs = (size_t)sqlite3_changes(store->db.sql);
	return exec_all(store, statements, sizeof(statements) / sizeof(statements[0]), oldest, err);
}

static int drop_snapshots(struct store *store, struct error *err)
{
	static const char *const statements[] = {
		"DELETE FROM snapshot WHERE id NOT IN (WITH direct (id) AS (SELECT snapshot "
		"FROM host_run WHERE snapshot IS NOT NULL UNION SELECT snapshot FROM host_stat "
		"UNION SELECT snapshot FROM host_sight) "
		"SELECT id FROM direct UNION SELECT base FROM snapshot WHERE base IS NOT NULL "
		"AND id IN (SELECT id FROM direct))",
		"DELETE FROM package_list WHERE id NOT IN (WITH direct (id) AS (SELECT packages "
		"FROM snapshot UNION SELECT packages FROM host WHERE packages IS NOT NULL) "
		"SELECT id FROM direct UNION SELECT base FROM package_list WHERE base IS NOT NULL "
		"AND id IN (SELECT id FROM direct))",
		"DELETE FROM package_in WHERE list NOT IN (SELECT id FROM package_list)",
	};

	return exec_all(store, statements, sizeof(statements) / sizeof(statements[0]), 0, err);
}

static int mark_used(struct store *store, struct used *used, struct error *err)
{
	struct snapshot_store s = store_snapshots(store);
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	/* What was decoded may be gone by now. */
	snapshots_clear(&store->snapshots);
	used->key = calloc(store->names.key_last / 8U + 1, 1);
	used->object = calloc(store->names.object_last / 8U + 1, 1);
	if (!used->key || !used->object) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	result = db_start(&store->db, &stmt, err, "SELECT id FROM snapshot", "");
	while (result == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 && row) {
		result = snapshot_load(&s, sqlite3_column_int64(stmt, 0), &store->pairs, err);
		for (size_t i = 0; result == 0 && i < store->pairs.count; i++) {
			mark(used->key, store->pairs.item[i].key);
			mark(used->object, store->pairs.item[i].object);
		}
	}
	db_end(stmt);
	return result;
}

static int drop_unused(struct store *store, const struct used *used, size_t *objects,
		       struct error *err)
{
	const struct names *names = &store->names;

	*objects = 0;
	for (uint32_t id = 1; id <= names->object_last; id++) {
		if (!names_has_object(names, id) || is_marked(used->object, id)) {
			continue;
		}
		if (db_exec(&store->db, err, "DELETE FROM content WHERE object = ?", "i",
			    (int64_t)id) ||
		    db_exec(&store->db, err, "DELETE FROM object WHERE id = ?", "i", (int64_t)id)) {
			return -1;
		}
		(*objects)++;
	}
	for (uint32_t id = 1; id <= names->key_last; id++) {
		if (names_has_key(names, id) && !is_marked(used->key, id) &&
		    db_exec(&store->db, err, "DELETE FROM key WHERE id = ?", "i", (int64_t)id)) {
			return -1;
		}
	}
	if (db_exec(&store->db, err,
		    "DELETE FROM proof WHERE section NOT IN (SELECT digest FROM object)", "")) {
		return -1;
	}
	return db_exec(&store->db, err,
		       "DELETE FROM package WHERE id NOT IN (SELECT package FROM key "
		       "WHERE package IS NOT NULL UNION SELECT package FROM package_in)",
		       "");
}

static int file_size(struct store *store, uint64_t *bytes, struct error *err)
{
	int64_t pages, size;

	if (db_number(&store->db, &pages, 0, err, "PRAGMA page_count", "") ||
	    db_number(&store->db, &size, 0, err, "PRAGMA page_size", "")) {
		return -1;
	}
	*bytes = (uint64_t)pages * (uint64_t)size;
	return 0;
}

static int drop_all(struct store *store, int64_t oldest, struct store_pruned *pruned,
		    struct error *err)
{
	struct used used = {0};
	int result = -1;

	if (db_begin(&store->db, err)) {
		return -1;
	}
	if (drop_runs(store, oldest, &pruned->runs, err) || drop_snapshots(store, err) ||
	    mark_used(store, &used, err) || drop_unused(store, &used, &pruned->objects, err) ||
	    db_commit(&store->db, err)) {
		db_rollback(&store->db);
	} else {
		result = 0;
	}
	free(used.key);
	free(used.object);
	store_forget(store);
	return result;
}

int store_prune(struct store *store, size_t keep, struct store_pruned *pruned, struct error *err)
{
	uint64_t before, after;
	int64_t oldest;
	int result = -1;

	assert(store->db.writable);
	*pruned = (struct store_pruned){0};
	if (keep == 0 || keep > INT64_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "at least one run must be kept");
	}
	if (store_ready(store, err) || file_size(store, &before, err) ||
	    db_number(&store->db, &oldest, 0, err,
		      "SELECT id FROM run WHERE kept = 1 ORDER BY id DESC LIMIT 1 OFFSET ?", "i",
		      (int64_t)keep - 1)) {
		return -1;
	}
	if (oldest == 0) {
		return 0; /* fewer than that are there */
	}
	/* Each deletion would look through the children of what it deletes; all of it fits again. */
	if (db_exec(&store->db, err, "PRAGMA foreign_keys = OFF", "")) {
		return -1;
	}
	if (drop_all(store, oldest, pruned, err) == 0 &&
	    db_exec(&store->db, err, "PRAGMA incremental_vacuum", "") == 0 &&
	    file_size(store, &after, err) == 0) {
		pruned->bytes = before > after ? before - after : 0;
		(void)sqlite3_wal_checkpoint_v2(store->db.sql, NULL, SQLITE_CHECKPOINT_TRUNCATE,
						NULL, NULL);
		result = 0;
	}
	if (db_exec(&store->db, result ? NULL : err, "PRAGMA foreign_keys = ON", "")) {
		return -1;
	}
	return result;
}
