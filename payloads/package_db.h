// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_PACKAGE_DB_H
#define MUSTER_PAYLOADS_PACKAGE_DB_H

/*
 * What a host's package databases claim, read without running or loading anything of the host's:
 * one table of functions with an implementation for each manager. Everything below comes from files
 * that an intruder may have written: read by bounded pread, never by mmap (SIGBUS), never trusted.
 * What cannot be read, exceeds a limit or makes no sense is told through `gap` and skipped; it is
 * never a failure of the whole. A database is opened, walked and closed by one thread. Strings are
 * borrowed: of packages until close, of claims and records for the time of the call. A path in a claim
 * or given to a path_visitor has a NUL behind it, which its length does not count.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/package_file.h"
#include "schema/bytes.h"
#include "schema/message.h"
#include "schema/record.h"
#include "schema/section.h"

struct package_db;

/* Where the database is looked for, and who is told what is missing. */
struct package_db_host {
	int root_fd; /* directory taken for "/"; borrowed until close; symlinks stay below it */
	const struct package_file_access *access; /* NULL: package_file_plain */
	void *context;                            /* for gap */
	/*
	 * Coverage of the check "packages": told by open, and by the first walk over a package's
	 * claims. The subject is the path of a database file below the root; `reason` is a word of
	 * [a-z-] with static storage: absent, denied, symlink, malformed, limit ...
	 */
	void (*gap)(void *context, struct bytes subject, enum coverage_state state,
		    const char *reason, uint64_t count);
};

enum package_state {
	PACKAGE_INSTALLED,
	PACKAGE_PARTIAL,      /* unpacked, half-installed, half-configured, triggers-* */
	PACKAGE_CONFIG_FILES, /* removed, its configuration is left */
};

/* One package that has something on disk. */
struct package {
	struct bytes name;
	struct bytes version; /* dpkg: with epoch as written; rpm: epoch:version-release */
	struct bytes arch;
	enum package_state state;
	int64_t install_s; /* seconds since 1970, host's word; 0: not known */
};

enum claim_flag {
	CLAIM_LISTED = 1,   /* l: in .list; rpm: in the file list */
	CLAIM_SUMMED = 2,   /* m: in .md5sums */
	CLAIM_CONFFILE = 4, /* c: configuration: belongs to [config], not to [package] */
	CLAIM_OBSOLETE = 8, /* o */
	CLAIM_REMOVED = 16, /* r: remove-on-upgrade, should not exist */
	CLAIM_NEW = 32,     /* n: conffile whose md5 is the word newconffile */
	CLAIM_GHOST = 64,   /* rpm %ghost: content is not the package's */
	/*
	 * The path is a usrmerge alias itself (/bin where /bin -> usr/bin): old packages ship it as
	 * a directory, base-files of Debian 13 as this link. It belongs to [dirs] whatever it is.
	 */
	CLAIM_ALIAS = 128,
	CLAIM_DIVERTED = 256, /* place differs from path */
	/* Same path as the claim before, with another md5: make a claims record, nothing else. */
	CLAIM_REPEAT = 512,
};

struct claim {
	struct bytes path;  /* canonical: absolute, no . or .., usrmerge aliases mapped */
	struct bytes place; /* where the file really lives: diverted, then mapped */
	const uint8_t *md5; /* MD5_SIZE bytes, or NULL where the database names none */
	uint32_t flags;     /* enum claim_flag */
};

/* Visitors return false to end the walk early. */
typedef bool (*claim_visitor)(void *context, const struct claim *claim);
typedef bool (*path_visitor)(void *context, struct bytes path);
typedef bool (*record_visitor)(void *context, const struct record *record);

enum package_db_found {
	PACKAGE_DB_NONE, /* no database of this manager */
	PACKAGE_DB_FOUND,
	PACKAGE_DB_FAILED, /* there is one and it cannot be used at all: told as a gap */
};

enum package_db_revision {
	PACKAGE_DB_SAME,
	PACKAGE_DB_LOCKED,  /* unchanged so far, a package manager is at work */
	PACKAGE_DB_CHANGED, /* since open */
};

struct package_db_type {
	const char *manager; /* "dpkg", "rpm" */
	enum package_db_found (*open)(const struct package_db_host *host, struct package_db **db);
	uint32_t (*count)(const struct package_db *db);
	void (*package)(const struct package_db *db, uint32_t index, struct package *package);
	uint64_t (*stamp)(struct package_db *db, uint32_t index);
	bool (*claims)(struct package_db *db, uint32_t index, bool wants_sums, claim_visitor visit,
		       void *context);
	bool (*owned)(struct package_db *db, path_visitor visit, void *context);
	bool (*records)(struct package_db *db, enum section_kind kind, uint32_t index,
			record_visitor visit, void *context);
	enum package_db_revision (*check)(struct package_db *db);
	bool (*has_md5)(struct package_db *db, uint32_t index); /* NULL: of every package */
	void (*close)(struct package_db *db);
};

/* Every implementation begins with this. */
struct package_db {
	const struct package_db_type *type;
};

extern const struct package_db_type package_db_dpkg;
extern const struct package_db_type package_db_rpm;

/* Every known manager, NULL at the end: a host may have several databases. */
extern const struct package_db_type *const package_db_types[];

/*
 * Looks for a database of this type. *db is set with PACKAGE_DB_FOUND only; the caller closes it.
 * Reads what is small (states, diversions, overrides) and keeps it; file lists are read anew by
 * each walk.
 */
static inline enum package_db_found package_db_open(const struct package_db_type *type,
						    const struct package_db_host *host,
						    struct package_db **db)
{
	*db = NULL;
	return type->open(host, db);
}

/* Closes and frees. NULL is fine. */
static inline void package_db_close(struct package_db *db)
{
	if (db) {
		db->type->close(db);
	}
}

/* Packages are numbered from 0 in the order of their encoded section keys (schema/section.h). */
static inline uint32_t package_db_count(const struct package_db *db)
{
	return db->type->count(db);
}

static inline void package_db_package(const struct package_db *db, uint32_t index,
				      struct package *package)
{
	db->type->package(db, index, package);
}

/*
 * 64 bits that change whenever the database's word about this package may have changed (stanza,
 * inode, size, mtime, ctime of its files): for the stat digest of [claims] and [header]. 0: could
 * not be made.
 */
static inline uint64_t package_db_stamp(struct package_db *db, uint32_t index)
{
	return db->type->stamp(db, index);
}

/*
 * Walks the package's paths in canonical order (bytes_path_compare of claim.path), each once, but
 * for CLAIM_REPEAT. Directories, links and files alike: the database does not say which. Where sums
 * are not wanted, claims have no md5 and those that only .md5sums makes (neither CLAIM_LISTED nor
 * CLAIM_CONFFILE: evidence in [claims], never entries of the package) are left out, which takes
 * half the time. False where the visitor ended it.
 */
static inline bool package_db_claims(struct package_db *db, uint32_t index, bool wants_sums,
				     claim_visitor visit, void *context)
{
	return db->type->claims(db, index, wants_sums, visit, context);
}

/*
 * Streams the places that any package owns (.list and conffiles; a path named only in .md5sums is
 * not owned), in no order, with repetition: for the set of owned paths. Tells no gaps.
 */
static inline bool package_db_owned(struct package_db *db, path_visitor visit, void *context)
{
	return db->type->owned(db, visit, context);
}

/*
 * The records of a section in canonical order. SECTION_PACKAGES, SECTION_INSTALLS and SECTION_EXCEPTIONS
 * (index is ignored), SECTION_CLAIMS and SECTION_HEADER (of one package). A kind that a manager does
 * not have gives none. False where the visitor ended it.
 */
static inline bool package_db_records(struct package_db *db, enum section_kind kind, uint32_t index,
				      record_visitor visit, void *context)
{
	return db->type->records(db, kind, index, visit, context);
}

/*
 * Whether MD5 is what the database has of the package's files, so that measuring it answers a question. False
 * of an rpm package with digests of another kind.
 */
static inline bool package_db_has_md5(struct package_db *db, uint32_t index)
{
	return !db->type->has_md5 || db->type->has_md5(db, index);
}

/* Whether what was read still holds. Cheap: stats and lock questions. Takes no lock itself. */
static inline enum package_db_revision package_db_check(struct package_db *db)
{
	return db->type->check(db);
}

/* CLAIM_FLAGS letters of a record, at most this many and a NUL. */
#define CLAIM_LETTERS_SIZE 8
void claim_letters(uint32_t flags, char letters[CLAIM_LETTERS_SIZE]);

/* The SECTION_CLAIMS record of a claim (dpkg). Borrows from both. */
void claim_record(const struct claim *claim, char letters[CLAIM_LETTERS_SIZE],
		  struct record *record);

#endif
