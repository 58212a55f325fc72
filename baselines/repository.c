// SPDX-License-Identifier: MIT
#include "baselines/repository.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <git2.h>

struct repository {
	git_repository *git;
	git_odb *objects;
	git_tree *top;
	char *path;
	char commit[GIT_OID_HEXSZ + 1];
};

/* libgit2's git_tree by another name, so that nobody else sees <git2.h>. */
static const git_tree *as_git(const struct repository_tree *tree)
{
	return (const git_tree *)(const void *)tree;
}

int repository_failed(struct error *err, int code, const char *format, ...)
{
	const git_error *last = code < 0 ? git_error_last() : NULL;
	enum error_kind kind = last && last->klass == GIT_ERROR_NOMEMORY ? ERROR_NOMEM
									 : ERROR_CONFIG;
	char what[ERROR_MSG_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set(err, kind, 0, last && last->message ? "%s: %s" : "%s", what,
			 last ? last->message : NULL);
}

static int open_git(struct repository *r, struct error *err)
{
	int code;

	/*
	 * Who owns the folder decides nothing here: no hook, alias or program of the repository's
	 * configuration is ever run, and the nightly account reads what an administrator wrote.
	 */
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	code = git_repository_open_ext(&r->git, r->path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code == GIT_ENOTFOUND) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: no git repository (muster init makes one)", r->path);
	}
	if (code < 0) {
		return repository_failed(err, code, "%s", r->path);
	}
	code = git_repository_odb(&r->objects, r->git);
	return code < 0 ? repository_failed(err, code, "%s", r->path) : 0;
}

static int open_commit(struct repository *r, const char *ref, struct error *err)
{
	git_object *object = NULL, *commit = NULL;
	int code, result = -1;

	code = git_revparse_single(&object, r->git, ref ? ref : "HEAD");
	if (code == GIT_ENOTFOUND || code == GIT_EUNBORNBRANCH) {
		if (ref) {
			(void)error_set(err, ERROR_CONFIG, 0, "%s: no commit, branch or tag %s",
					r->path, ref);
		} else {
			(void)error_set(err, ERROR_CONFIG, 0, "%s: HEAD has no commit yet",
					r->path);
		}
		goto out;
	}
	if (code < 0) {
		(void)repository_failed(err, code, "%s: %s", r->path, ref ? ref : "HEAD");
		goto out;
	}
	code = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (code < 0) {
		(void)repository_failed(err, code, "%s: %s is no commit", r->path,
					ref ? ref : "HEAD");
		goto out;
	}
	code = git_commit_tree(&r->top, (const git_commit *)commit);
	if (code < 0) {
		(void)repository_failed(err, code, "%s: the commit's tree", r->path);
		goto out;
	}
	(void)git_oid_tostr(r->commit, sizeof(r->commit), git_object_id(commit));
	result = 0;
out:
	git_object_free(object);
	git_object_free(commit);
	return result;
}

int repository_open(const char *path, const char *ref, struct repository **repository,
		    struct error *err)
{
	struct repository *r = calloc(1, sizeof(*r));

	if (!r) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a repository");
	}
	(void)git_libgit2_init();
	r->path = strdup(path);
	if (!r->path) {
		repository_close(r);
		return error_set(err, ERROR_NOMEM, 0, "no memory for a repository");
	}
	if (open_git(r, err) < 0 || open_commit(r, ref, err) < 0) {
		repository_close(r);
		return -1;
	}
	*repository = r;
	return 0;
}

void repository_close(struct repository *repository)
{
	if (!repository) {
		return;
	}
	git_tree_free(repository->top);
	git_odb_free(repository->objects);
	git_repository_free(repository->git);
	free(repository->path);
	free(repository);
	(void)git_libgit2_shutdown();
}

const char *repository_path(const struct repository *repository)
{
	return repository->path;
}

const char *repository_commit(const struct repository *repository)
{
	return repository->commit;
}

static enum repository_kind kind_of(const git_tree_entry *entry)
{
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return REPOSITORY_TREE;
	case GIT_FILEMODE_BLOB_EXECUTABLE:
		return REPOSITORY_PROGRAM;
	case GIT_FILEMODE_LINK:
		return REPOSITORY_LINK;
	case GIT_FILEMODE_COMMIT:
		return REPOSITORY_SUBMODULE;
	default:
		return REPOSITORY_FILE;
	}
}

static void item_of(const git_tree_entry *entry, struct repository_item *item)
{
	item->name = git_tree_entry_name(entry);
	item->kind = kind_of(entry);
	item->id = git_tree_entry_id(entry);
}

int repository_tree_open(struct repository *repository, const struct repository_tree *parent,
			 const char *path, struct repository_tree **tree, struct error *err)
{
	const git_tree *from = parent ? as_git(parent) : repository->top;
	git_tree_entry *entry = NULL;
	git_tree *opened = NULL;
	int code;

	*tree = NULL;
	if (path[0] == '\0') {
		code = git_tree_lookup(&opened, repository->git, git_tree_id(from));
	} else {
		code = git_tree_entry_bypath(&entry, from, path);
		if (code == GIT_ENOTFOUND) {
			return 0;
		}
		if (code == 0 && kind_of(entry) != REPOSITORY_TREE) {
			git_tree_entry_free(entry);
			return error_set(err, ERROR_CONFIG, 0, "%s is no directory", path);
		}
		if (code == 0) {
			code = git_tree_lookup(&opened, repository->git, git_tree_entry_id(entry));
		}
	}
	git_tree_entry_free(entry);
	if (code < 0) {
		return repository_failed(err, code, "%s", path);
	}
	*tree = (struct repository_tree *)(void *)opened;
	return 0;
}

void repository_tree_close(struct repository_tree *tree)
{
	git_tree_free((git_tree *)(void *)tree);
}

size_t repository_tree_count(const struct repository_tree *tree)
{
	return git_tree_entrycount(as_git(tree));
}

void repository_tree_item(const struct repository_tree *tree, size_t index,
			  struct repository_item *item)
{
	const git_tree_entry *entry = git_tree_entry_byindex(as_git(tree), index);

	assert(entry);
	item_of(entry, item);
}

bool repository_tree_find(const struct repository_tree *tree, const char *name,
			  struct repository_item *item)
{
	const git_tree_entry *entry = git_tree_entry_byname(as_git(tree), name);

	if (entry) {
		item_of(entry, item);
	}
	return entry != NULL;
}

int repository_blob_open(struct repository *repository, const struct repository_item *item,
			 const char *where, size_t most, struct repository_blob *blob,
			 struct error *err)
{
	git_object_t type = GIT_OBJECT_INVALID;
	git_blob *opened = NULL;
	size_t size = 0;
	int code;

	if (item->kind == REPOSITORY_TREE || item->kind == REPOSITORY_SUBMODULE) {
		return error_set(err, ERROR_CONFIG, 0, "%s: a %s where a file should be", where,
				 item->kind == REPOSITORY_TREE ? "directory" : "submodule");
	}
	code = git_odb_read_header(&size, &type, repository->objects, item->id);
	if (code < 0) {
		return repository_failed(err, code, "%s", where);
	}
	if (size > most) {
		return error_set(err, ERROR_CONFIG, 0, "%s: %zu bytes, at most %zu are read", where,
				 size, most);
	}
	code = git_blob_lookup(&opened, repository->git, item->id);
	if (code < 0) {
		return repository_failed(err, code, "%s", where);
	}
	blob->handle = opened;
	blob->content = bytes_make(git_blob_rawcontent(opened), (size_t)git_blob_rawsize(opened));
	return 0;
}

void repository_blob_close(struct repository_blob *blob)
{
	git_blob_free(blob->handle);
	*blob = (struct repository_blob){0};
}

int repository_read(struct repository *repository, const char *path, size_t most,
		    struct repository_blob *blob, bool *found, struct error *err)
{
	git_tree_entry *entry = NULL;
	struct repository_item item;
	int code = git_tree_entry_bypath(&entry, repository->top, path), result;

	*found = false;
	*blob = (struct repository_blob){0};
	if (code == GIT_ENOTFOUND) {
		return 0;
	}
	if (code < 0) {
		return repository_failed(err, code, "%s", path);
	}
	item_of(entry, &item);
	result = repository_blob_open(repository, &item, path, most, blob, err);
	*found = result == 0;
	git_tree_entry_free(entry);
	return result;
}
