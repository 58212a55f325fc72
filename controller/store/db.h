// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_DB_H
#define MUSTER_CONTROLLER_STORE_DB_H

/*
 * One SQLite connection: opening with every refusal before the file is touched, the lock that keeps
 * a second writer out, statements prepared once and kept, and the one place where an SQLite result
 * becomes a struct error. SQL text passed here is a literal: its address identifies the statement.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define DB_APPLICATION_ID 0x6d757372 /* as in schema/store.sql */
#define DB_VERSION 8
#define DB_STATEMENTS 96

struct db {
	sqlite3 *sql;
	char *path;
	bool writable;
	int lock_fd;
	size_t count;
	struct {
		const char *text;
		sqlite3_stmt *stmt;
	} kept[DB_STATEMENTS];
};

/* All or nothing: on failure *db is closed and the file as it was. */
int db_open(struct db *db, const char *path, bool writable, struct error *err) MUST_CHECK;
void db_close(struct db *db);

/* Says in *err what `rc` means for the operator; `what` is what was tried. Returns -1. */
int db_fault(struct db *db, int rc, const char *what, struct error *err);

/*
 * A kept statement, reset and bound; valid until the next db_start of the same text. The letters of
 * `types` name the arguments: i int64_t, z int64_t of which 0 is NULL, t const char *, b struct
 * bytes as a BLOB, s struct bytes as text where it is plain and else as a BLOB. Bytes and text stay
 * borrowed until db_end.
 */
int db_start(struct db *db, sqlite3_stmt **stmt, struct error *err, const char *sql,
	     const char *types, ...) MUST_CHECK;
/* As db_start, but a statement of its own: for queries whose rows call back. sqlite3_finalize it. */
int db_query(struct db *db, sqlite3_stmt **stmt, struct error *err, const char *sql,
	     const char *types, ...) MUST_CHECK;
/* The next row: *row false after the last. */
int db_next(struct db *db, sqlite3_stmt *stmt, bool *row, struct error *err) MUST_CHECK;
void db_end(sqlite3_stmt *stmt);
/* A statement without rows. */
int db_exec(struct db *db, struct error *err, const char *sql, const char *types, ...) MUST_CHECK;
/* The first column of the first row, `otherwise` where there is none. */
int db_number(struct db *db, int64_t *number, int64_t otherwise, struct error *err, const char *sql,
	      const char *types, ...) MUST_CHECK;

/* Borrowed until the statement moves on. */
struct bytes db_bytes(sqlite3_stmt *stmt, int column);
const char *db_text(sqlite3_stmt *stmt, int column);

int db_begin(struct db *db, struct error *err) MUST_CHECK;
int db_commit(struct db *db, struct error *err) MUST_CHECK;
/* Never fails: what cannot be rolled back now is when the file is opened next. */
void db_rollback(struct db *db);

#endif
