// SPDX-License-Identifier: MIT
#include <string.h>

#include "controller/store/fleet_private.h"

int store_fleet_each(const struct store_fleet *fleet, const struct store_run *run,
		     store_fleet_cb *callback, void *context)
{
	for (size_t i = 0; i < fleet->alike_count; i++) {
		const struct alike *alike = &fleet->alike[i];

		for (size_t h = 0; h < alike->hosts; h++) {
			const struct alike_host *host = &fleet->host[alike->first_host + h];

			if (host_run_run(host->complete) != run->id ||
			    (alike->place_count == 0 && !host->has_findings)) {
				continue;
			}
			if (callback(context, host->name, alike->place, alike->place_count) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

static void add_counts(struct judge_counts *to, const struct judge_counts *more)
{
	for (unsigned w = 0; w <= WITNESS_RULE; w++) {
		to->packages_by_witness[w] += more->packages_by_witness[w];
		to->files_by_witness[w] += more->files_by_witness[w];
	}
}

/* The row of this run: its tally and, where that follows from it, its outcome. */
static int put_row(struct store *store, int64_t row, const struct tally *tally,
		   enum outcome *outcome, struct error *err)
{
	const char *name;
	size_t open = 0;
	int64_t id, text;

	for (unsigned i = SEVERITY_LOW; i <= SEVERITY_CRITICAL; i++) {
		open += tally->open[i];
	}
	if (*outcome == OUTCOME_CLEAN || *outcome == OUTCOME_FINDINGS) {
		*outcome = open > 0 ? OUTCOME_FINDINGS : OUTCOME_CLEAN;
	}
	name = outcome_name(*outcome);
	if (tally_put(store, tally, &id, err) ||
	    db_exec(&store->db, err, "INSERT OR IGNORE INTO text (value) VALUES (?)", "t", name) ||
	    db_number(&store->db, &text, 0, err, "SELECT id FROM text WHERE value = ?", "t",
		      name)) {
		return -1;
	}
	return db_exec(&store->db, err, "UPDATE host_run SET tally = ?, outcome = ? WHERE id = ?",
		       "iii", id, text, row);
}

static int put_host(struct store *store, const struct store_run *run, const char *host,
		    struct findings *findings, const char *const *acks, enum outcome *before,
		    enum outcome *after, struct error *err)
{
	int64_t id, row, tally_id;
	sqlite3_stmt *stmt = NULL;
	struct tally tally;
	bool found = false;
	int result = -1;

	if (store_host_id(store, host, &id, err) || store_row_of(store, id, run->id, &row, err) ||
	    db_start(&store->db, &stmt, err,
		     "SELECT r.tally, o.value FROM host_run r JOIN text o ON o.id = r.outcome "
		     "WHERE r.id = ?",
		     "i", row) ||
	    db_next(&store->db, stmt, &found, err)) {
		goto out;
	}
	if (!found || !outcome_from_name(db_text(stmt, 1), before)) {
		(void)store_damaged(store, "row of a host", row, err);
		goto out;
	}
	*after = *before;
	tally_id = sqlite3_column_int64(stmt, 0);
	db_end(stmt);
	stmt = NULL;
	if (tally_load(store, tally_id, &tally, err) ||
	    interval_put_fleet(store, id, run, findings, acks, &tally, err) ||
	    put_row(store, row, &tally, after, err)) {
		goto out;
	}
	result = 0;
out:
	db_end(stmt);
	return result;
}

int store_fleet_put(struct store *store, const struct store_run *run, const char *host,
		    struct findings *findings, const char *const *acks, enum outcome *before,
		    enum outcome *after, struct error *err)
{
	if (db_begin(&store->db, err)) {
		return -1;
	}
	if (put_host(store, run, host, findings, acks, before, after, err) ||
	    db_commit(&store->db, err)) {
		db_rollback(&store->db);
		store_forget(store);
		return error_prefix(err, "host %s", host);
	}
	return 0;
}

/* Of hosts that were not compared again: what was found before. */
static int add_kept(struct store *store, const struct store_run *run, struct judge_counts *counts,
		    struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	result = db_start(&store->db, &stmt, err,
			  "SELECT w.fleet FROM host_witness w JOIN host h ON h.id = w.host "
			  "WHERE h.complete >> 24 = ? AND w.fleet <> ''",
			  "i", run->id);
	while (result == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 && row) {
		struct judge_counts vouched = {0};

		witness_read_text(db_text(stmt, 0), &vouched);
		add_counts(counts, &vouched);
	}
	db_end(stmt);
	return result;
}

static int end(struct store *store, const struct store_fleet *fleet, const struct store_run *run,
	       struct judge_counts *counts, struct error *err)
{
	if (!fleet && add_kept(store, run, counts, err)) {
		return -1;
	}
	for (size_t i = 0; fleet && i < fleet->alike_count; i++) {
		const struct alike *alike = &fleet->alike[i];
		char text[WITNESS_TEXT_ROOM];

		witness_text(&alike->vouched, text);
		for (size_t h = 0; h < alike->hosts; h++) {
			const struct alike_host *host = &fleet->host[alike->first_host + h];

			if (host_run_run(host->complete) == run->id) {
				add_counts(counts, &alike->vouched);
			}
			if (strcmp(host->vouched, text) != 0 &&
			    db_exec(&store->db, err,
				    "UPDATE host_witness SET fleet = ? WHERE host = ?", "ti", text,
				    host->id)) {
				return -1;
			}
		}
	}
	return db_exec(&store->db, err,
		       "INSERT INTO fleet (id, run) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE "
		       "SET run = ?1",
		       "i", run->id);
}

int store_fleet_end(struct store *store, const struct store_fleet *fleet,
		    const struct store_run *run, struct judge_counts *counts, struct error *err)
{
	*counts = (struct judge_counts){0};
	if (db_begin(&store->db, err)) {
		return -1;
	}
	if (end(store, fleet, run, counts, err) || db_commit(&store->db, err)) {
		db_rollback(&store->db);
		store_forget(store);
		return -1;
	}
	store->fleet_moved = false;
	return 0;
}
