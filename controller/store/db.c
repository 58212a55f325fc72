// SPDX-License-Identifier: MIT
#include "controller/store/db.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "schema/escape.h"

static bool is_writing(int rc)
{
	switch (rc) {
	case SQLITE_FULL:
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_DIR_FSYNC:
	case SQLITE_IOERR_TRUNCATE:
	case SQLITE_IOERR_SHMSIZE:
		return true;
	default:
		return false;
	}
}

static const char *io_advice(int rc, int os_errno)
{
	switch (os_errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return "no room left: free some, or move the database (--db), and run again; what "
		       "was "
		       "finished is kept";
	case EROFS:
		return "the file system is read-only";
	default:
		/* SQLite does not always keep the number, a limit on file size for one (EFBIG). */
		return is_writing(rc)
			       ? "no room left, a limit on file size, or a failing disk: see "
				 "df, ulimit -f and the system's log; what was finished is kept"
			       : "a failing disk? see the system's log";
	}
}

int db_fault(struct db *db, int rc, const char *what, struct error *err)
{
	int os = db->sql ? sqlite3_system_errno(db->sql) : errno;
	const char *said = db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(rc);
	const char *path = db->path ? db->path : "database";

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return error_set(err, ERROR_NOMEM, ENOMEM, "%s: no memory", path);
	case SQLITE_FULL:
		return error_set(err, ERROR_STORE, os ? os : ENOSPC, "%s: %s: %s", path, what,
				 io_advice(rc, ENOSPC));
	case SQLITE_IOERR:
		return error_set(err, ERROR_STORE, os, "%s: %s: %s", path, what, io_advice(rc, os));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERROR_STORE, EAGAIN,
				 "%s: %s: locked by another program (a shell with an open "
				 "transaction?): end it and run again",
				 path, what);
	case SQLITE_READONLY:
		return error_set(err, ERROR_STORE, EROFS,
				 "%s: %s: cannot be written: check the file's mode and the file "
				 "system",
				 path, what);
	case SQLITE_CANTOPEN:
		return error_set(err, ERROR_STORE, os, "%s: cannot be opened: %s", path,
				 os ? strerror(os) : said);
	case SQLITE_NOTADB:
		return error_set(
			err, ERROR_STORE, 0,
			"%s: not a database: name another file (--db); it is left as it is", path);
	case SQLITE_CORRUPT:
		return error_set(err, ERROR_STORE, 0,
				 "%s: %s: the database is damaged (%s): keep the file, restore a "
				 "copy or let sqlite3 .recover it; it is left as it is",
				 path, what, said);
	default:
		return error_set(err, ERROR_STORE, os, "%s: %s: %s", path, what, said);
	}
}

static bool is_plain(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		if (b.data[i] < 0x20 || b.data[i] > 0x7e) {
			return !escape_is_needed(ESCAPE_TEXT, b);
		}
	}
	return true;
}

static int bind_safe(sqlite3_stmt *stmt, int at, struct bytes b)
{
	const char *data = b.len > 0 ? (const char *)b.data : "";

	if (b.len > INT32_MAX) {
		return SQLITE_TOOBIG;
	}
	return is_plain(b) ? sqlite3_bind_text(stmt, at, data, (int)b.len, SQLITE_STATIC)
			   : sqlite3_bind_blob(stmt, at, data, (int)b.len, SQLITE_STATIC);
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list args)
{
	int rc = SQLITE_OK;

	for (int at = 1; *types != '\0' && rc == SQLITE_OK; types++, at++) {
		if (*types == 'i') {
			rc = sqlite3_bind_int64(stmt, at, va_arg(args, int64_t));
		} else if (*types == 'z') {
			int64_t value = va_arg(args, int64_t);

			rc = value == 0 ? sqlite3_bind_null(stmt, at)
					: sqlite3_bind_int64(stmt, at, value);
		} else if (*types == 't') {
			rc = sqlite3_bind_text(stmt, at, va_arg(args, const char *), -1,
					       SQLITE_STATIC);
		} else if (*types == 'b') {
			struct bytes b = va_arg(args, struct bytes);

			/* A NULL pointer would bind NULL. */
			rc = b.len > INT32_MAX
				     ? SQLITE_TOOBIG
				     : sqlite3_bind_blob(stmt, at,
							 b.data ? b.data : (const void *)"",
							 (int)b.len, SQLITE_STATIC);
		} else {
			assert(*types == 's');
			rc = bind_safe(stmt, at, va_arg(args, struct bytes));
		}
	}
	return rc;
}

static int kept_statement(struct db *db, const char *sql, sqlite3_stmt **stmt)
{
	int rc;

	for (size_t i = 0; i < db->count; i++) {
		if (db->kept[i].text == sql) {
			*stmt = db->kept[i].stmt;
			(void)sqlite3_reset(*stmt);
			return SQLITE_OK;
		}
	}
	assert(db->count < DB_STATEMENTS);
	rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	if (rc == SQLITE_OK) {
		db->kept[db->count].text = sql;
		db->kept[db->count++].stmt = *stmt;
	}
	return rc;
}

static int start(struct db *db, sqlite3_stmt **stmt, struct error *err, const char *sql,
		 const char *types, va_list args)
{
	int rc = kept_statement(db, sql, stmt);

	if (rc == SQLITE_OK) {
		rc = bind_all(*stmt, types, args);
	}
	return rc == SQLITE_OK ? 0 : db_fault(db, rc, "preparing a statement", err);
}

int db_start(struct db *db, sqlite3_stmt **stmt, struct error *err, const char *sql,
	     const char *types, ...)
{
	va_list args;
	int result;

	va_start(args, types);
	result = start(db, stmt, err, sql, types, args);
	va_end(args);
	return result;
}

int db_query(struct db *db, sqlite3_stmt **stmt, struct error *err, const char *sql,
	     const char *types, ...)
{
	va_list args;
	int rc;

	rc = sqlite3_prepare_v2(db->sql, sql, -1, stmt, NULL);
	if (rc == SQLITE_OK) {
		va_start(args, types);
		rc = bind_all(*stmt, types, args);
		va_end(args);
	}
	if (rc != SQLITE_OK) {
		(void)db_fault(db, rc, "preparing a query", err);
		(void)sqlite3_finalize(*stmt);
		*stmt = NULL;
		return -1;
	}
	return 0;
}

int db_next(struct db *db, sqlite3_stmt *stmt, bool *row, struct error *err)
{
	int rc = sqlite3_step(stmt);

	*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
		return 0;
	}
	(void)db_fault(db, rc,
		       is_writing(rc) || !sqlite3_stmt_readonly(stmt) ? "writing" : "reading", err);
	(void)sqlite3_reset(stmt);
	return -1;
}

void db_end(sqlite3_stmt *stmt)
{
	if (stmt) {
		(void)sqlite3_reset(stmt);
		(void)sqlite3_clear_bindings(stmt);
	}
}

int db_exec(struct db *db, struct error *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list args;
	bool row = true;
	int result;

	va_start(args, types);
	result = start(db, &stmt, err, sql, types, args);
	va_end(args);
	while (result == 0 && row) {
		result = db_next(db, stmt, &row, err);
	}
	db_end(stmt);
	return result;
}

int db_number(struct db *db, int64_t *number, int64_t otherwise, struct error *err, const char *sql,
	      const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list args;
	bool row = false;
	int result;

	va_start(args, types);
	result = start(db, &stmt, err, sql, types, args);
	va_end(args);
	if (result == 0) {
		result = db_next(db, stmt, &row, err);
	}
	*number = result == 0 && row && sqlite3_column_type(stmt, 0) != SQLITE_NULL
			  ? sqlite3_column_int64(stmt, 0)
			  : otherwise;
	db_end(stmt);
	return result;
}

struct bytes db_bytes(sqlite3_stmt *stmt, int column)
{
	/* In this order: sqlite3_column_bytes after the conversion that _blob may make. */
	const void *data = sqlite3_column_blob(stmt, column);
	int len = sqlite3_column_bytes(stmt, column);

	return bytes_make(data, data && len > 0 ? (size_t)len : 0);
}

const char *db_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

int db_begin(struct db *db, struct error *err)
{
	/* Immediate: a reader that becomes a writer half-way cannot wait for its turn. */
	return db_exec(db, err, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db, struct error *err)
{
	return db_exec(db, err, "COMMIT", "");
}

void db_rollback(struct db *db)
{
	for (size_t i = 0; i < db->count; i++) {
		(void)sqlite3_reset(db->kept[i].stmt);
	}
	if (!sqlite3_get_autocommit(db->sql)) {
		(void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	}
}
