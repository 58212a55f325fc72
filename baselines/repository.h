// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_REPOSITORY_H
#define MUSTER_BASELINES_REPOSITORY_H

/*
 * A git repository at one pinned commit, read straight from its object database: nothing is checked
 * out, no hook, filter, attribute or submodule has a say, and a branch that moves meanwhile changes
 * nothing. Objects are checked against their ids by libgit2. This and edit.c alone see <git2.h>.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct repository;
struct repository_tree;

/* `ref` NULL: HEAD. CONFIG error where there is no repository, commit or such ref. */
int repository_open(const char *path, const char *ref, struct repository **repository,
		    struct error *err) MUST_CHECK;
/* Trees and blobs must be closed before. */
void repository_close(struct repository *repository);

const char *repository_path(const struct repository *repository);
const char *repository_commit(const struct repository *repository); /* hex */

enum repository_kind {
	REPOSITORY_TREE,
	REPOSITORY_FILE,
	REPOSITORY_PROGRAM, /* a file with the executable bit */
	REPOSITORY_LINK,
	REPOSITORY_SUBMODULE,
};

struct repository_item {
	const char *name; /* borrowed from the tree */
	enum repository_kind kind;
	const void *id; /* private */
};

/* The directory `path` below `parent` (NULL: the top; path "": itself). *tree NULL where absent. */
int repository_tree_open(struct repository *repository, const struct repository_tree *parent,
			 const char *path, struct repository_tree **tree,
			 struct error *err) MUST_CHECK;
void repository_tree_close(struct repository_tree *tree);
/* Items in git's order of names. */
size_t repository_tree_count(const struct repository_tree *tree);
void repository_tree_item(const struct repository_tree *tree, size_t index,
			  struct repository_item *item);
bool repository_tree_find(const struct repository_tree *tree, const char *name,
			  struct repository_item *item);

/* Content of a file, program or link. Size is known before anything is read. */
struct repository_blob {
	struct bytes content;
	void *handle; /* private */
};
/* `where` is for messages. CONFIG error for another kind, and above `most` bytes. */
int repository_blob_open(struct repository *repository, const struct repository_item *item,
			 const char *where, size_t most, struct repository_blob *blob,
			 struct error *err) MUST_CHECK;
void repository_blob_close(struct repository_blob *blob);

/* The same by path from the top; *found says whether there is one. */
int repository_read(struct repository *repository, const char *path, size_t most,
		    struct repository_blob *blob, bool *found, struct error *err) MUST_CHECK;

/* Sets *err from libgit2's last error: the one place where its errors are translated. */
int repository_failed(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
