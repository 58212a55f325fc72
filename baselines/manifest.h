// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_MANIFEST_H
#define MUSTER_BASELINES_MANIFEST_H

/*
 * A list of objects as they should be, in memory: what an .mtree file of the baseline says of one
 * package, one group's tree or one host's accepted state. Immutable once built; owned by whoever
 * built it; entries borrow from the manifest's own memory and stand in bytes_path_compare order,
 * each path once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/entry.h"
#include "schema/error.h"

enum manifest_tag {
	MANIFEST_CONFIG = 1,      /* a conffile: content may be edited on the host */
	MANIFEST_OPTIONAL = 2,    /* may be absent */
	MANIFEST_NOCONTENT = 4,   /* content is not compared (ghost, regenerated) */
	MANIFEST_NOMODE = 8,      /* mode and owner are not known (from a git blob) */
	MANIFEST_NOTIME = 16,     /* mtime is not known */
	MANIFEST_CAPS = 32,       /* capabilities are known: entry.caps empty means none wanted */
	MANIFEST_HARDLINK = 64,   /* a further name of an earlier file */
	MANIFEST_NOREPLACE = 128, /* %config(noreplace) of rpm */
};

/* What an rpm header says of a file beyond mtree's words (baselines/rpm/header.h has the bits). */
struct manifest_rpm {
	uint32_t flags;      /* enum rpm_file_flag */
	uint32_t verify;     /* enum rpm_verify: what is to be compared */
	uint32_t color;      /* 1: ELF 32 bit, 2: ELF 64 bit */
	uint32_t hardlinks;  /* 0: one name; else the same number on every name of one file */
	uint32_t algorithm;  /* enum rpm_digest, of `digest` */
	struct bytes digest; /* raw, where it is neither SHA-256 nor MD5; else empty */
	uint32_t file;       /* index into the header's files */
};

struct manifest_entry {
	struct entry entry;
	bool has_md5;
	uint8_t md5[MD5_SIZE];
	uint32_t tags;                  /* enum manifest_tag */
	const struct manifest_rpm *rpm; /* NULL: not from an rpm header */
};

enum manifest_trust {
	MANIFEST_UNSIGNED = 0, /* imported without a checked signature */
	MANIFEST_SIGNED,       /* its archive's signature was checked at import */
	MANIFEST_ACCEPTED,     /* an administrator's commit: capture, accept, trees */
};

struct arena;
struct manifest {
	char *origin;  /* archive's Release Origin, rpm signer, "local", or "" */
	char *version; /* of a package; NULL: not of one */
	enum manifest_trust trust;
	bool captured; /* the whole of what no package proves on a host, not single accepts */
	/* A .deb without md5sums: dpkg computes them from what it unpacked, and they prove nothing. */
	bool no_md5sums;
	char *source; /* where it stands in the repository, for messages */
	struct manifest_entry *entries;
	size_t count;
	struct arena *memory; /* private: baselines/arena.h */
};

/* Without entries, for who builds one: entries and what they point to come from its memory. NULL texts are "". */
int manifest_new(const char *source, const char *origin, struct manifest **manifest,
		 struct error *err) MUST_CHECK;
void manifest_free(struct manifest *manifest);

/* The entry of exactly this path, or NULL. */
const struct manifest_entry *manifest_find(const struct manifest *manifest, struct bytes path);

/*
 * The words of an mtree line after the path, as the baseline writes them: "type=file mode=0755
 * uname=root gname=root size=90568 time=1700000000.0 sha256=..." plus caps, acl and flags in tags=.
 * Findings carry these words as old and new value, and accept writes them back unchanged. Never
 * fails: cut at `room`. Returns the length.
 */
#define MANIFEST_WORDS_MAX 53248 /* room that the words of any valid entry fit in */
size_t manifest_words(const struct manifest_entry *entry, char *to, size_t room);
size_t manifest_words_of_entry(const struct entry *entry, char *to, size_t room);

/*
 * The inverse: the entry of `path` (raw) that `words` describe. It borrows from `path` and from
 * `scratch`, which has at least words.len bytes. CONFIG error where the words are not whole (cut
 * ones end in "..."), name no type or an unknown keyword.
 */
int manifest_entry_parse(struct bytes path, struct bytes words, uint8_t *scratch,
			 struct manifest_entry *entry, struct error *err) MUST_CHECK;

/*
 * Makes a manifest out of entries in any order: copies all they point to, sorts them, refuses a path
 * that stands twice.
 */
int manifest_make(const struct manifest_entry *entries, size_t count, const char *source,
		  const char *origin, struct manifest **manifest, struct error *err) MUST_CHECK;

#endif
