// SPDX-License-Identifier: MIT
/* A host's latest observation as it is kept, for who needs no copy of it. */
#include <errno.h>
#include <stdlib.h>

#include "controller/store/inner.h"

struct bytes store_latest_key(const struct store_latest *latest, size_t index)
{
	const struct store *store = latest->store;

	return store->names.key[store->pairs.item[index].key].encoded;
}

const struct digest *store_latest_content(const struct store_latest *latest, size_t index)
{
	const struct store *store = latest->store;

	return &store->names.object[store->pairs.item[index].object];
}

/* Of the row's columns, in this order. */
enum column { SNAPSHOT, FINISHED, SESSION, STAT_ROOT, ALWAYS, READINGS };

/* Always-set and times of reading, where they are of this snapshot. */
static int read_sections(struct store *store, sqlite3_stmt *stmt, struct store_latest *latest,
			 struct error *err)
{
	struct bytes root = db_bytes(stmt, STAT_ROOT), always = db_bytes(stmt, ALWAYS);
	size_t count = latest->section_count;
	struct unpack u = unpack_start(db_bytes(stmt, READINGS));
	int64_t *read_s = reallocarray(store->read_s, count + 1, sizeof(*read_s));

	if (!read_s) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	store->read_s = read_s;
	if (always.len != (count + 7) / 8 || (root.len != 0 && root.len != DIGEST_SIZE) ||
	    !times_read(&u, read_s, count)) {
		return store_damaged(store, "outline of a host, snapshot",
				     sqlite3_column_int64(stmt, SNAPSHOT), err);
	}
	latest->has_stat_root = root.len == DIGEST_SIZE;
	if (latest->has_stat_root) {
		memcpy(latest->stat_root.bytes, root.data, DIGEST_SIZE);
	}
	store->blob.len = 0;
	pack_raw(&store->blob, always.data, always.len);
	if (store->blob.failed) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	latest->always = store->blob.data;
	latest->read_s = read_s;
	return 0;
}

static int read_row(struct store *store, sqlite3_stmt *stmt, struct store_latest *latest,
		    struct error *err)
{
	struct snapshot_store s = store_snapshots(store);
	int64_t snapshot = sqlite3_column_int64(stmt, SNAPSHOT);
	struct unpack u = unpack_start(db_bytes(stmt, SESSION));
	struct session session;

	if (!session_read(&u, sqlite3_column_int64(stmt, FINISHED), &session)) {
		return store_damaged(store, "row of a host, snapshot", snapshot, err);
	}
	latest->clock_ns = session.clock_ns;
	latest->clock_offset_ns = session.clock_offset_ns;
	if (snapshot_load(&s, snapshot, &store->pairs, err)) {
		return -1;
	}
	latest->section_count = store->pairs.count;
	return read_sections(store, stmt, latest, err);
}

int store_latest_load(struct store *store, const char *host, struct store_latest *latest,
		      struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	int result = -1;

	*latest = (struct store_latest){.store = store};
	/* An outline of another layout's file, or of another snapshot, is none. */
	if (store_ready(store, err) ||
	    db_start(&store->db, &stmt, err,
		     "SELECT l.snapshot, r.started + l.started + l.took, l.session, "
		     "o.stat_root, o.always, t.data FROM host h "
		     "JOIN host_run l ON l.id = h.observed JOIN run r ON r.id = (l.id >> 24) "
		     "JOIN host_outline o ON o.host = h.id AND o.snapshot = l.snapshot "
		     "JOIN host_reading t ON t.host = h.id "
		     "WHERE h.name = ? AND h.observed = h.complete",
		     "t", host) ||
	    db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (row && read_row(store, stmt, latest, err)) {
		goto out;
	}
	latest->found = row;
	result = 0;
out:
	db_end(stmt);
	return result;
}
