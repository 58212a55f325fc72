// SPDX-License-Identifier: MIT
#include "controller/store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/store/inner.h"

int store_open(const char *path, enum store_mode mode, struct store **out, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (db_open(&store->db, path, mode == STORE_WRITE, err)) {
		free(store);
		return -1;
	}
	/*
	 * A reader sees the file as it is at its first query until it closes, whatever a sweep
	 * writes meanwhile: ids held in memory fit the rows read later.
	 */
	if (mode == STORE_WRITE ? store_ready(store, err) : db_exec(&store->db, err, "BEGIN", "")) {
		store_close(store);
		return -1;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store) {
		return;
	}
	db_close(&store->db);
	names_clear(&store->names);
	snapshots_clear(&store->snapshots);
	squeezer_clear(&store->squeezer);
	pack_clear(&store->blob);
	pack_clear(&store->packed);
	pairs_clear(&store->pairs);
	pairs_clear(&store->last);
	arena_clear(&store->words);
	free(store->read_s);
	free(store);
}

int store_ready(struct store *store, struct error *err)
{
	if (names_load(&store->names, &store->db, err)) {
		return error_prefix(err, "%s", store->db.path);
	}
	return 0;
}

struct snapshot_store store_snapshots(struct store *store)
{
	return (struct snapshot_store){
		.db = &store->db,
		.names = &store->names,
		.squeezer = &store->squeezer,
		.cache = &store->snapshots,
	};
}

void store_forget(struct store *store)
{
	names_forget(&store->names);
	snapshots_clear(&store->snapshots);
	/* A buffer that could not grow is usable again. */
	pack_clear(&store->blob);
	pack_clear(&store->packed);
}

int store_damaged(struct store *store, const char *what, int64_t id, struct error *err)
{
	return error_set(err, ERROR_STORE, 0,
			 "%s: the database is damaged (%s %lld): keep the file and restore a copy",
			 store->db.path, what, (long long)id);
}

int store_host_id(struct store *store, const char *name, int64_t *id, struct error *err)
{
	return db_number(&store->db, id, 0, err, "SELECT id FROM host WHERE name = ?", "t", name);
}

bool store_has_object(const struct store *store, const struct digest *digest)
{
	return store->names.loaded && names_find_object(&store->names, digest) != 0;
}

int store_excerpt(struct store *store, const char *host, int64_t run, uint8_t **data, size_t *len,
		  struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	int result = -1;

	*data = NULL;
	*len = 0;
	if (db_start(&store->db, &stmt, err,
		     "SELECT e.data FROM host h JOIN host_run l ON l.host = h.id JOIN excerpt e "
		     "ON e.host_run = l.id WHERE h.name = ?1 AND CASE ?2 WHEN 0 THEN l.id = "
		     "h.latest "
		     "ELSE l.id > ?2 << 24 AND l.id < (?2 + 1) << 24 END",
		     "ti", host, run) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row) {
		struct bytes kept = db_bytes(stmt, 0);

		*data = malloc(kept.len + 1);
		if (!*data) {
			(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
			goto out;
		}
		if (kept.len > 0) {
			memcpy(*data, kept.data, kept.len);
		}
		*len = kept.len;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

int store_each_object(struct store *store,
		      int (*callback)(void *context, const struct digest *digest), void *context,
		      struct error *err)
{
	int stop = 0;

	if (store_ready(store, err)) {
		return -1;
	}
	for (uint32_t id = 1; id <= store->names.object_last && stop == 0; id++) {
		if (names_has_object(&store->names, id)) {
			stop = callback(context, &store->names.object[id]);
		}
	}
	return stop < 0 ? -1 : 0;
}

int store_secret(struct store *store, uint8_t secret[32], struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	uint8_t fresh[32];
	bool row = false;
	int result = -1;

	assert(store->db.writable);
	if (getrandom(fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh)) {
		return error_set(err, ERROR_SYSTEM, errno, "no random numbers");
	}
	if (db_exec(&store->db, err, "INSERT OR IGNORE INTO secret (id, value) VALUES (1, ?)", "b",
		    bytes_make(fresh, sizeof(fresh))) ||
	    db_start(&store->db, &stmt, err, "SELECT value FROM secret WHERE id = 1", "") ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (!row || db_bytes(stmt, 0).len != 32) {
		(void)store_damaged(store, "secret", 1, err);
		goto out;
	}
	memcpy(secret, db_bytes(stmt, 0).data, 32);
	result = 0;
out:
	db_end(stmt);
	return result;
}

int store_object_load(struct store *store, const struct digest *digest, uint8_t **data, size_t *len,
		      struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	struct digest seen;
	bool row = false, ok = false;
	uint32_t id;
	int result = -1;

	*data = NULL;
	*len = 0;
	if (store_ready(store, err)) {
		return -1;
	}
	id = names_find_object(&store->names, digest);
	if (id == 0) {
		return error_set(err, ERROR_STORE, 0, "%s: has no object %02x%02x%02x%02x...",
				 store->db.path, digest->bytes[0], digest->bytes[1],
				 digest->bytes[2], digest->bytes[3]);
	}
	if (db_start(&store->db, &stmt, err, "SELECT data FROM content WHERE object = ?", "i",
		     (int64_t)id) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row && squeezer_unpack(&store->squeezer, db_bytes(stmt, 0), OBJECT_MOST, &store->blob,
				   &ok, err)) {
		goto out;
	}
	if (ok) {
		if (pack_digest(pack_all(&store->blob), &seen, err)) {
			goto out;
		}
		ok = digest_equal(&seen, digest);
	}
	if (!ok) {
		(void)store_damaged(store, "object", id, err);
		goto out;
	}
	*data = malloc(store->blob.len + 1);
	if (!*data) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		goto out;
	}
	if (store->blob.len > 0) {
		memcpy(*data, store->blob.data, store->blob.len);
	}
	*len = store->blob.len;
	result = 0;
out:
	db_end(stmt);
	return result;
}
