// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/store/db.h"
#include "controller/store/sql.h"

#define BUSY_TIMEOUT_MS 5000
#define FRESH_SIZE_MAX 8192 /* a file in which no table was made yet */

/* SQLite database file format, "The Database Header". */
#define HEADER_SIZE 100
#define HEADER_PAGE_SIZE 16
#define HEADER_CHANGES 24
#define HEADER_PAGES 28
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68
#define HEADER_VALID_FOR 92

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int refuse_newer(const char *path, int64_t version, struct error *err)
{
	return error_set(err, ERROR_STORE, 0,
			 "%s: written by a newer muster (layout %lld, this one knows %d): use that "
			 "one, or another file (--db); it is left as it is",
			 path, (long long)version, DB_VERSION);
}

static int refuse_foreign(const char *path, struct error *err)
{
	return error_set(err, ERROR_STORE, 0,
			 "%s: a database of another program: name another file (--db); it is left "
			 "as it is",
			 path);
}

static off_t size_of_sibling(const char *path, const char *suffix)
{
	char name[4096];
	struct stat st;

	if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name) ||
	    stat(name, &st) != 0) {
		return 0;
	}
	return st.st_size;
}

/*
 * What can be told without SQLite, which might mend (a hot journal), checkpoint or create something
 * beside a file that we are about to refuse.
 */
static int check_header(const char *path, const uint8_t *h, off_t size, struct error *err)
{
	uint32_t page = (uint32_t)h[HEADER_PAGE_SIZE] << 8 | h[HEADER_PAGE_SIZE + 1];
	uint32_t application = be32(h + HEADER_APPLICATION_ID);

	if (size < HEADER_SIZE || memcmp(h, "SQLite format 3", 16) != 0) {
		return error_set(
			err, ERROR_STORE, 0,
			"%s: not a database: name another file (--db); it is left as it is", path);
	}
	if (application != DB_APPLICATION_ID) {
		/*
		 * 0 is what most programs have, and ours until the transaction that makes the tables
		 * is out of the WAL: SQLite tells. But its journal, if any, is for its owner to mend.
		 */
		if (application != 0 ||
		    (size > FRESH_SIZE_MAX && size_of_sibling(path, "-journal") > 0)) {
			return refuse_foreign(path, err);
		}
		return 0;
	}
	if (be32(h + HEADER_USER_VERSION) > DB_VERSION) {
		return refuse_newer(path, be32(h + HEADER_USER_VERSION), err);
	}
	page = page == 1 ? 65536 : page;
	/* With a WAL the header may be ahead of the file: a checkpoint was cut short. */
	if (be32(h + HEADER_CHANGES) == be32(h + HEADER_VALID_FOR) &&
	    size / (off_t)(page ? page : 1) < (off_t)be32(h + HEADER_PAGES) &&
	    size_of_sibling(path, "-wal") == 0) {
		return error_set(err, ERROR_STORE, 0,
				 "%s: truncated: %lld bytes are there of %lld: keep the file and "
				 "restore a copy; it is left as it is",
				 path, (long long)size,
				 (long long)be32(h + HEADER_PAGES) * (long long)page);
	}
	return 0;
}

/* Looks at the file, or makes an empty one; *fresh where there is nothing in it yet. */
static int look(const char *path, bool writable, bool *fresh, struct error *err)
{
	uint8_t header[HEADER_SIZE] = {0};
	struct stat st;
	int result = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*fresh = false;
	if (fd < 0 && errno == ENOENT && writable) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0) {
		return error_set(
			err, ERROR_STORE, errno, "%s: %s%s", path, strerror(errno),
			errno == ENOENT && !writable ? ": no run was stored here yet (--db)" : "");
	}
	if (fstat(fd, &st) != 0) {
		(void)error_set(err, ERROR_STORE, errno, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		(void)error_set(err, ERROR_STORE, 0, "%s: not a regular file", path);
	} else if (st.st_size == 0) {
		/* Killed before its first transaction was checkpointed, or really new. */
		*fresh = size_of_sibling(path, "-wal") == 0;
		result = 0;
		if (!writable && *fresh) {
			result = error_set(err, ERROR_STORE, 0, "%s: empty: no run was stored yet",
					   path);
		}
	} else if (pread(fd, header, sizeof(header), 0) < 0) {
		(void)error_set(err, ERROR_STORE, errno, "%s: cannot be read: %s", path,
				strerror(errno));
	} else {
		result = check_header(path, header, st.st_size, err);
	}
	/* POSIX drops all of a process's locks on a file with any of its descriptors: close first. */
	(void)close(fd);
	return result;
}

static int owner_fault(const char *path, int fd, struct error *err)
{
	char owner[96] = "";
	ssize_t n = pread(fd, owner, sizeof(owner) - 1, 0);

	owner[n > 0 ? n : 0] = '\0';
	owner[strcspn(owner, "\n")] = '\0';
	for (char *p = owner; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7e) {
			*p = '?';
		}
	}
	return error_set(
		err, ERROR_STORE, EAGAIN,
		"%s: in use by another muster (%s): wait for it, or use another file (--db)", path,
		owner[0] != '\0' ? owner : "unknown");
}

/*
 * The run lock: flock on a file beside the database, since SQLite's own locks last a transaction
 * only, and POSIX locks on the database would be its own. The file stays: unlinking would race.
 */
static int take_lock(struct db *db, struct error *err)
{
	char text[96], when[32];
	char *name = NULL;
	time_t now = time(NULL);
	struct tm tm;
	int n, result = -1;

	if (asprintf(&name, "%s-lock", db->path) < 0) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	db->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (db->lock_fd < 0) {
		(void)error_set(err, ERROR_STORE, errno, "%s: %s", name,
				errno == EROFS ? "the file system is read-only" : strerror(errno));
		goto out;
	}
	if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK) {
			(void)owner_fault(db->path, db->lock_fd, err);
		} else {
			(void)error_set(err, ERROR_STORE, errno, "%s: cannot be locked: %s", name,
					strerror(errno));
		}
		/* What the holder wrote is not ours to wipe when this is closed. */
		(void)close(db->lock_fd);
		db->lock_fd = -1;
		goto out;
	}
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	n = snprintf(text, sizeof(text), "pid %ld, since %s\n", (long)getpid(), when);
	/* Only for people: on a full disk the lock holds without it. */
	if (ftruncate(db->lock_fd, 0) == 0) {
		(void)!pwrite(db->lock_fd, text, (size_t)n, 0);
	}
	result = 0;
out:
	free(name);
	return result;
}

static int pragmas(struct db *db, bool fresh, struct error *err)
{
	/*
	 * NORMAL: in WAL mode the file can never be torn by power loss, and no commit is lost by a
	 * killed process; power loss may take back the last hosts, which the next sweep asks again.
	 * FULL would sync once a host. store_run_end checkpoints with a sync, so that a finished
	 * run is on the disk.
	 */
	static const char always[] = "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
				     "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
				     "PRAGMA cell_size_check = ON;";
	static const char write[] = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000;"
				    "PRAGMA journal_size_limit = 16777216;"
				    "PRAGMA cache_size = -16384;";
	int rc = SQLITE_OK;

	if (fresh) {
		rc = sqlite3_exec(db->sql, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK) {
		rc = sqlite3_exec(db->sql, always, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK && db->writable) {
		rc = sqlite3_exec(db->sql, write, NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? 0 : db_fault(db, rc, "opening", err);
}

static int create(struct db *db, struct error *err)
{
	int rc;

	if (db_begin(db, err)) {
		return -1;
	}
	rc = sqlite3_exec(db->sql, store_sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		(void)db_fault(db, rc, "making the tables", err);
		db_rollback(db);
		return -1;
	}
	if (db_commit(db, err)) {
		db_rollback(db);
		return -1;
	}
	return 0;
}

/*
 * Version and owner as SQLite sees them, the WAL included. Nothing is written here; *fresh where the
 * tables are to be made, some of which an older layout may have.
 */
static int check_content(struct db *db, bool *fresh, struct error *err)
{
	int64_t application, version, tables;

	if (db_number(db, &tables, 0, err, "SELECT count(*) FROM sqlite_schema", "") ||
	    db_number(db, &application, 0, err, "PRAGMA application_id", "") ||
	    db_number(db, &version, 0, err, "PRAGMA user_version", "")) {
		return -1;
	}
	/* SQLite falls back to reading where the file may not be written. */
	if (db->writable && sqlite3_db_readonly(db->sql, "main") == 1) {
		return error_set(err, ERROR_STORE, EROFS,
				 "%s: cannot be written: check the file's mode and owner",
				 db->path);
	}
	*fresh = tables == 0 && application == 0 && version == 0;
	if (*fresh && db->writable) {
		return 0;
	}
	if (*fresh) {
		return error_set(err, ERROR_STORE, 0, "%s: empty: no run was stored yet", db->path);
	}
	if (application != DB_APPLICATION_ID) {
		return refuse_foreign(db->path, err);
	}
	if (version > DB_VERSION) {
		return refuse_newer(db->path, version, err);
	}
	*fresh = version < DB_VERSION;
	if (*fresh && !db->writable) {
		return error_set(err, ERROR_STORE, 0,
				 "%s: written by an older muster (layout %lld): the next check or "
				 "sweep brings it up to date",
				 db->path, (long long)version);
	}
	return 0;
}

static int try_open(struct db *db, const char *name, int flags)
{
	int rc;

	(void)sqlite3_close(db->sql);
	db->sql = NULL;
	rc = sqlite3_open_v2(name, &db->sql, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			     NULL);
	if (rc != SQLITE_OK) {
		return rc;
	}
	/* Until the file is accepted, closing must not write back somebody else's WAL. */
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_busy_timeout(db->sql, BUSY_TIMEOUT_MS);
	return sqlite3_exec(db->sql, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
}

static char *immutable_uri(const char *path)
{
	static const char head[] = "file:", tail[] = "?immutable=1";
	char *uri = calloc(1, sizeof(head) + 3 * strlen(path) + sizeof(tail));
	char *to = uri;

	if (!uri) {
		return NULL;
	}
	to = stpcpy(to, head);
	for (; *path != '\0'; path++) {
		if (strchr("?#%", *path)) {
			static const char hex[] = "0123456789abcdef";

			*to++ = '%';
			*to++ = hex[(unsigned char)*path >> 4];
			*to++ = hex[(unsigned char)*path & 15];
		} else {
			*to++ = *path;
		}
	}
	(void)stpcpy(to, tail);
	return uri;
}

/*
 * A reader of a WAL database writes the -shm file beside it; where it may not, and no WAL is left,
 * the file stands still and can be read as it is.
 */
static int connect_to(struct db *db, struct error *err)
{
	int rc =
		try_open(db, db->path, db->writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	char *uri;

	if (!db->writable && ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY) &&
	    size_of_sibling(db->path, "-wal") == 0) {
		uri = immutable_uri(db->path);
		if (!uri) {
			return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
		}
		rc = try_open(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
		free(uri);
	}
	if (rc != SQLITE_OK) {
		return db_fault(db, rc, "opening", err);
	}
	return 0;
}

int db_open(struct db *db, const char *path, bool writable, struct error *err)
{
	bool fresh = false;

	*db = (struct db){.writable = writable, .lock_fd = -1};
	db->path = strdup(path);
	if (!db->path) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	if (look(path, writable, &fresh, err) || (writable && take_lock(db, err)) ||
	    connect_to(db, err)) {
		goto failed;
	}
	if (check_content(db, &fresh, err) || pragmas(db, fresh, err) ||
	    (fresh && create(db, err))) {
		goto failed;
	}
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return 0;
failed:
	db_close(db);
	return -1;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < db->count; i++) {
		(void)sqlite3_finalize(db->kept[i].stmt);
	}
	(void)sqlite3_close(db->sql);
	if (db->lock_fd >= 0) {
		(void)!ftruncate(db->lock_fd, 0);
		(void)close(db->lock_fd);
	}
	free(db->path);
	*db = (struct db){.lock_fd = -1};
}
