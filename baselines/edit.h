// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_EDIT_H
#define MUSTER_BASELINES_EDIT_H

/*
 * Writing a baseline in an administrator's clone: changes are collected against the commit that HEAD
 * had at edit_open and become one commit on top of it, made by libgit2 without hooks, filters or
 * editors. The work tree's files follow; where one of them holds changes that are not committed,
 * nothing is done at all. A bare repository has no files to follow. Not thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/baseline.h"
#include "baselines/manifest.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define EDIT_COMMIT_SIZE 41 /* hex and NUL */
#define EDIT_ID_SIZE 16     /* A-0042 and NUL */

/*
 * Makes `dir` (absent or empty) a repository on branch main with the commented policy, a README of
 * the layout and .gitattributes, in one commit. `author` is "Name <mail>", or NULL: git's own
 * user.name and user.email; CONFIG error where there is neither.
 */
int edit_init(const char *dir, const char *author, char commit[EDIT_COMMIT_SIZE],
	      struct error *err) MUST_CHECK;

struct edit;

int edit_open(const char *dir, const char *author, struct edit **edit,
	      struct error *err) MUST_CHECK;
/* Forgets what was not committed (unreferenced blobs stay in git until it collects them). */
void edit_free(struct edit *edit);

/* A file as it shall be, by its path in the repository. Later calls of one path replace earlier. */
int edit_put(struct edit *edit, const char *path, struct bytes content,
	     struct error *err) MUST_CHECK;
int edit_remove(struct edit *edit, const char *path, struct error *err) MUST_CHECK;

/* As staged, else as in HEAD. *data NULL where there is none; free(). At most `most` bytes. */
int edit_read(struct edit *edit, const char *path, size_t most, uint8_t **data, size_t *len,
	      struct error *err) MUST_CHECK;

/* Accepted state of one host: hosts/HOST.mtree and hosts/HOST.records. */
enum edit_what {
	EDIT_ENTRY,     /* `path` is as the words in `value` say (a finding's new value) */
	EDIT_ABSENT,    /* `path` is not there */
	EDIT_FORGET,    /* nothing is accepted of `path`: manifests and trees hold again */
	EDIT_RECORD,    /* the line in `value` (records_line) is accepted */
	EDIT_NO_RECORD, /* it is not any more */
};
struct edit_change {
	const char *host;
	enum edit_what what;
	struct bytes path;  /* raw */
	struct bytes value; /* text */
};
/* All or none: a value that is not well-formed stages nothing, and is named with its path. */
int edit_accept(struct edit *edit, const struct edit_change *changes, size_t count,
		struct error *err) MUST_CHECK;

/*
 * Replaces all that was accepted of a host by these entries (any order) and record lines, and marks
 * it as a whole capture.
 */
int edit_capture(struct edit *edit, const char *host, const struct manifest_entry *entries,
		 size_t count, const struct bytes *lines, size_t line_count,
		 struct error *err) MUST_CHECK;

/*
 * Writes acks/ID.yaml. ack->id NULL: the next free A-NNNN; the id used is in `id`. `until` is a day
 * such as 2026-12-15; ack->until_s and ack->source are not looked at.
 */
int edit_ack(struct edit *edit, const struct ack *ack, const char *until, char id[EDIT_ID_SIZE],
	     struct error *err) MUST_CHECK;

/* How many files differ from HEAD so far. */
size_t edit_count(const struct edit *edit);

/* *commit is "" where nothing differs from HEAD: then there is no commit. */
int edit_commit(struct edit *edit, const char *message, char commit[EDIT_COMMIT_SIZE],
		struct error *err) MUST_CHECK;

#endif
