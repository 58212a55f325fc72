// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "controller/store/inner.h"

static int make_name(struct store_run *run, struct error *err)
{
	time_t started = (time_t)run->started_s;
	unsigned char random[2];
	char when[24];
	struct tm tm;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
	    !gmtime_r(&started, &tm) || strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0) {
		return error_set(err, ERROR_SYSTEM, errno, "no name for the run");
	}
	(void)snprintf(run->name, sizeof(run->name), "%s-%02x%02x", when, random[0], random[1]);
	return 0;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static int put_stale(struct store *store, const struct store_run *run, struct error *err)
{
	return run->stale && run->stale[0] ? db_exec(&store->db, err,
						     "INSERT OR IGNORE INTO run_stale (run, made, "
						     "why) VALUES (?, ?, ?)",
						     "iit", run->id, run->stale_made_s, run->stale)
					   : 0;
}

int store_run_begin(struct store *store, struct store_run *run, struct error *err)
{
	int result = -1;

	if (run->name[0] == '\0' && make_name(run, err)) {
		return -1;
	}
	if (db_begin(&store->db, err)) {
		return -1;
	}
	if (db_exec(&store->db, err,
		    "INSERT INTO run (name, kind, sweep, baseline, version, started, asked) "
		    "VALUES (?, ?, ?, ?, ?, ?, ?)",
		    "tttttii", run->name, or_empty(run->kind), or_empty(run->sweep),
		    or_empty(run->commit), or_empty(run->version), run->started_s,
		    (int64_t)run->hosts_asked)) {
		goto out;
	}
	run->id = sqlite3_last_insert_rowid(store->db.sql);
	if (put_stale(store, run, err) || db_commit(&store->db, err)) {
		goto out;
	}
	result = 0;
out:
	if (result) {
		db_rollback(&store->db);
	}
	return result;
}

int store_run_end(struct store *store, const struct store_run *run, struct error *err)
{
	int rc;

	if (db_exec(&store->db, err, "UPDATE run SET finished = ?, asked = ? WHERE id = ?", "iii",
		    run->finished_s, (int64_t)run->hosts_asked, run->id)) {
		return -1;
	}
	/*
	 * The run is on the disk when this returns. A reader in the way is no fault: the WAL has
	 * been synced by then, and the next checkpoint does the rest.
	 */
	rc = sqlite3_wal_checkpoint_v2(store->db.sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED) {
		return db_fault(&store->db, rc, "ending the run", err);
	}
	return 0;
}

#define RUN_COLUMNS                                                                             \
	"SELECT id, name, kind, sweep, baseline, version, started, finished, asked, why, made " \
	"FROM run LEFT JOIN run_stale ON run = id "

/* The strings are borrowed from the statement. */
static void read_run(sqlite3_stmt *stmt, struct store_run *run)
{
	const char *name = db_text(stmt, 1);
	size_t len = strnlen(name, sizeof(run->name) - 1);

	*run = (struct store_run){
		.id = sqlite3_column_int64(stmt, 0),
		.kind = db_text(stmt, 2),
		.sweep = db_text(stmt, 3),
		.commit = db_text(stmt, 4),
		.version = db_text(stmt, 5),
		.started_s = sqlite3_column_int64(stmt, 6),
		.finished_s = sqlite3_column_int64(stmt, 7),
		.hosts_asked = (size_t)sqlite3_column_int64(stmt, 8),
		.stale = db_text(stmt, 9),
		.stale_made_s = sqlite3_column_int64(stmt, 10),
	};
	memcpy(run->name, name, len);
	run->name[len] = '\0';
}

int store_runs(struct store *store, size_t most, store_run_cb *callback, void *context,
	       struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int result, stop = 0;
	bool row = true;

	result = db_query(&store->db, &stmt, err,
			  RUN_COLUMNS "WHERE kept = 1 ORDER BY id DESC LIMIT ?", "i",
			  most == 0 || most > INT64_MAX ? (int64_t)-1 : (int64_t)most);
	while (result == 0 && stop == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 &&
	       row) {
		struct store_run run;

		read_run(stmt, &run);
		stop = callback(context, &run);
	}
	(void)sqlite3_finalize(stmt);
	return stop < 0 ? -1 : result;
}

/* 1 for the newest, 2 for the one before ...; 0 where the word is no such number. */
static int64_t place_of(const char *name)
{
	char *end = NULL;
	long value;

	if (strcmp(name, "latest") == 0) {
		return 1;
	}
	if (strcmp(name, "previous") == 0) {
		return 2;
	}
	if (name[0] != '-' || name[1] == '\0') {
		return 0;
	}
	errno = 0;
	value = strtol(name + 1, &end, 10);
	return errno == 0 && *end == '\0' && value > 0 ? value : 0;
}

/* Words that live until store_close; there are few different ones. */
static int keep_words(struct store *store, struct store_run *run, struct error *err)
{
	run->kind = arena_string(&store->words, run->kind);
	run->sweep = arena_string(&store->words, run->sweep);
	run->commit = arena_string(&store->words, run->commit);
	run->version = arena_string(&store->words, run->version);
	run->stale = arena_string(&store->words, run->stale);
	if (!run->stale || !run->kind || !run->sweep || !run->commit || !run->version) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	return 0;
}

static int no_such_run(struct store *store, const char *name, struct error *err)
{
	int64_t count;

	if (db_number(&store->db, &count, 0, err, "SELECT count(*) FROM run WHERE kept = 1", "")) {
		return -1;
	}
	return error_set(err, ERROR_CONFIG, 0,
			 "no run `%.40s` in %s, which has %lld: see muster show", name,
			 store->db.path, (long long)count);
}

int store_run_find(struct store *store, const char *name, struct store_run *run, struct error *err)
{
	int64_t place = place_of(name);
	sqlite3_stmt *stmt = NULL;
	bool row = false;
	int result = -1;

	if (place > 0
		    ? db_query(&store->db, &stmt, err,
			       RUN_COLUMNS "WHERE kept = 1 ORDER BY id DESC LIMIT 1 OFFSET ?", "i",
			       place - 1)
		    : db_query(&store->db, &stmt, err,
			       RUN_COLUMNS "WHERE kept = 1 AND substr(name, 1, length(?1)) = ?1 "
					   "AND ?1 <> '' ORDER BY name = ?1 DESC, id DESC LIMIT 2",
			       "t", name)) {
		return -1;
	}
	if (db_next(&store->db, stmt, &row, err)) {
		goto out;
	}
	if (!row) {
		(void)no_such_run(store, name, err);
		goto out;
	}
	read_run(stmt, run);
	if (keep_words(store, run, err)) {
		goto out;
	}
	if (place == 0 && strcmp(run->name, name) != 0) {
		if (db_next(&store->db, stmt, &row, err)) {
			goto out;
		}
		if (row) {
			(void)error_set(err, ERROR_CONFIG, 0,
					"`%.40s` fits several runs: %s and %s among them", name,
					run->name, db_text(stmt, 1));
			goto out;
		}
	}
	result = 0;
out:
	(void)sqlite3_finalize(stmt);
	return result;
}

int store_run_resume(struct store *store, const char *name, struct store_run *run,
		     struct error *err)
{
	int64_t newest;

	if (store_run_find(store, name, run, err) ||
	    db_number(&store->db, &newest, 0, err, "SELECT max(id) FROM run", "")) {
		return -1;
	}
	if (newest != run->id) {
		return error_set(err, ERROR_CONFIG, 0,
				 "run %s is not the newest one: hosts have been looked at since, "
				 "start a new sweep",
				 run->name);
	}
	return 0;
}

int store_run_reopen(struct store *store, const struct store_run *run, struct error *err)
{
	if (db_exec(&store->db, err, "UPDATE run SET finished = 0, asked = ? WHERE id = ?", "ii",
		    (int64_t)run->hosts_asked, run->id)) {
		return -1;
	}
	return put_stale(store, run, err);
}

int store_run_hosts_done(struct store *store, int64_t run,
			 int (*callback)(void *context, const char *host), void *context,
			 struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int result, stop = 0;
	bool row = true;

	result = db_query(&store->db, &stmt, err,
			  "SELECT h.name, t.value FROM host_run r JOIN host h ON h.id = r.host "
			  "JOIN text t ON t.id = r.outcome WHERE r.id >= ? AND r.id <= ?",
			  "ii", host_run_first(run), host_run_first(run) + HOST_RUN_MOST);
	while (result == 0 && stop == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 &&
	       row) {
		const char *outcome = db_text(stmt, 1);

		if (strcmp(outcome, outcome_name(OUTCOME_NOT_ASKED)) != 0 &&
		    strcmp(outcome, outcome_name(OUTCOME_KILLED)) != 0 &&
		    strcmp(outcome, outcome_name(OUTCOME_INTERNAL)) != 0) {
			stop = callback(context, db_text(stmt, 0));
		}
	}
	(void)sqlite3_finalize(stmt);
	return stop < 0 ? -1 : result;
}
