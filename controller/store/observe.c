// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/inner.h"

/* The observation comes first, so that it is freed by its own address. */
struct kept {
	struct observation observation;
	struct arena arena;
};

void store_observation_free(struct observation *observation)
{
	struct kept *kept = (struct kept *)(void *)observation;

	if (kept) {
		free(kept->observation.sections);
		arena_clear(&kept->arena);
		free(kept);
	}
}

static int fill_sections(struct store *store, int64_t host, int64_t snapshot, struct observation *o,
			 struct error *err)
{
	struct snapshot_store s = store_snapshots(store);
	struct pairs *pairs = &store->pairs;

	if (snapshot_load(&s, snapshot, pairs, err)) {
		return -1;
	}
	o->sections = calloc(pairs->count + 1, sizeof(*o->sections));
	if (!o->sections) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	for (size_t i = 0; i < pairs->count; i++) {
		o->sections[i].key = store->names.key[pairs->item[i].key].encoded;
		o->sections[i].content = store->names.object[pairs->item[i].object];
	}
	o->section_count = pairs->count;
	return reading_load(store, host, snapshot, pairs, o->sections, err);
}

/* `sections`: the snapshot in the place of the row's own; 0: that. */
static int fill(struct store *store, int64_t row, int64_t sections, struct kept *kept, bool *there,
		struct error *err)
{
	struct observation *o = &kept->observation;
	int64_t host, snapshot, coverage, facts, finished;
	sqlite3_stmt *stmt = NULL;
	struct session session;
	struct unpack u = {0};
	bool found = false;
	int result = -1;

	*there = false;
	if (db_start(&store->db, &stmt, err,
		     "SELECT h.host, h.snapshot, h.coverage, h.facts, r.started + h.started + "
		     "h.took, h.session FROM host_run h JOIN run r ON r.id = (h.id >> 24) "
		     "WHERE h.id = ? AND h.snapshot IS NOT NULL",
		     "i", row) ||
	    db_next(&store->db, stmt, &found, err)) {
		goto out;
	}
	if (!found) {
		result = 0;
		goto out;
	}
	host = sqlite3_column_int64(stmt, 0);
	snapshot = sections != 0 ? sections : sqlite3_column_int64(stmt, 1);
	coverage = sqlite3_column_int64(stmt, 2);
	facts = sqlite3_column_int64(stmt, 3);
	finished = sqlite3_column_int64(stmt, 4);
	u = unpack_start(db_bytes(stmt, 5));
	if (!session_read(&u, finished, &session)) {
		(void)store_damaged(store, "row of a host", row, err);
		goto out;
	}
	if (session_load_facts(store, facts, &kept->arena, &o->hello, err) ||
	    session_load_coverage(store, coverage, &u, &kept->arena, &o->coverage,
				  &o->coverage_count, err) ||
	    fill_sections(store, host, snapshot, o, err)) {
		goto out;
	}
	o->hello.clock_ns = session.clock_ns;
	o->end = session.end;
	o->clock_offset_ns = session.clock_offset_ns;
	*there = true;
	result = 0;
out:
	db_end(stmt);
	return result;
}

static int load_row(struct store *store, int64_t row, int64_t sections,
		    struct observation **observation, struct error *err)
{
	struct kept *kept = NULL;
	bool there = false;

	*observation = NULL;
	if (row == 0) {
		return 0;
	}
	if (store_ready(store, err)) {
		return -1;
	}
	kept = calloc(1, sizeof(*kept));
	if (!kept) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (fill(store, row, sections, kept, &there, err)) {
		store_observation_free(&kept->observation);
		return -1;
	}
	if (!there) {
		store_observation_free(&kept->observation);
		return 0;
	}
	*observation = &kept->observation;
	return 0;
}

int store_observation_load(struct store *store, const char *host, enum store_which which,
			   struct observation **observation, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int64_t row = 0, sections = 0;
	bool found = false;
	int result;

	*observation = NULL;
	result = db_start(&store->db, &stmt, err,
			  "SELECT CASE ?2 WHEN 0 THEN " FIRST_SIGHT_ROW " WHEN 1 THEN complete "
			  "ELSE observed END, CASE ?2 WHEN 0 THEN " FIRST_SIGHT_SNAPSHOT " END "
			  "FROM host h " FIRST_SIGHT_JOIN "WHERE name = ?1",
			  "ti", host, (int64_t)which);
	if (result == 0) {
		result = db_next(&store->db, stmt, &found, err);
	}
	if (result == 0 && found) {
		row = sqlite3_column_int64(stmt, 0);
		sections = sqlite3_column_int64(stmt, 1);
	}
	db_end(stmt);
	return result == 0 ? load_row(store, row, sections, observation, err) : -1;
}

int store_observation_of_row(struct store *store, int64_t row, int64_t sections,
			     struct observation **observation, struct error *err)
{
	return load_row(store, row, sections, observation, err);
}

int store_complete_clock(struct store *store, const char *host, int64_t *clock_ns,
			 int64_t *offset_ns, bool *known, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	struct session session;
	struct unpack u;
	int result = -1;

	*known = false;
	if (db_start(&store->db, &stmt, err,
		     "SELECT r.started + h.started + h.took, h.session FROM host "
		     "JOIN host_run h ON h.id = host.complete JOIN run r ON r.id = (h.id >> 24) "
		     "WHERE host.name = ?",
		     "t", host) ||
	    db_next(&store->db, stmt, known, err)) {
		goto out;
	}
	if (*known) {
		u = unpack_start(db_bytes(stmt, 1));
		if (!session_read(&u, sqlite3_column_int64(stmt, 0), &session)) {
			*known = false;
			(void)error_set(err, ERROR_STORE, 0, "damaged row of host %s", host);
			goto out;
		}
		*clock_ns = session.clock_ns;
		*offset_ns = session.clock_offset_ns;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

int store_row_of(struct store *store, int64_t host, int64_t run, int64_t *row, struct error *err)
{
	return db_number(&store->db, row, 0, err,
			 "SELECT id FROM host_run WHERE id >= ? AND id <= ? AND host = ?", "iii",
			 host_run_first(run), host_run_first(run) + HOST_RUN_MOST, host);
}

int store_observation_of_run(struct store *store, const char *host, int64_t run,
			     struct observation **observation, struct error *err)
{
	int64_t id, row;

	*observation = NULL;
	if (store_host_id(store, host, &id, err) || store_row_of(store, id, run, &row, err)) {
		return -1;
	}
	return load_row(store, row, 0, observation, err);
}
