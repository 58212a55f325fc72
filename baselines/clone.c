// SPDX-License-Identifier: MIT
#include "baselines/clone.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <git2.h>
#include <uthash.h>

#include "baselines/repository.h"
#include "baselines/work_tree.h"

struct staged {
	UT_hash_handle hh;
	git_oid old; /* in HEAD; zero: absent */
	git_oid new; /* zero: removed */
	char path[];
};

struct clone {
	git_repository *git;
	git_commit *head; /* NULL: no commit yet */
	git_tree *tree;
	git_signature *author;
	struct staged *staged;
	char commit[CLONE_COMMIT_SIZE];
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a clone");
}

/* Who commits */

static int bad_author(const char *author, struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0, "%s: an author is \"Name <mail>\"", author);
}

static int parse_author(const char *author, git_signature **signature, struct error *err)
{
	const char *open = strchr(author, '<'), *close = open ? strchr(open, '>') : NULL;
	char *name, *mail;
	int code;

	if (!open || open == author || !close || close == open + 1 || close[1] != '\0' ||
	    strchr(author, '\n')) {
		return bad_author(author, err);
	}
	name = strndup(author, (size_t)(open - author));
	mail = strndup(open + 1, (size_t)(close - open - 1));
	code = name && mail ? git_signature_now(signature, name, mail) : 0;
	if (!name || !mail) {
		(void)no_memory(err);
		code = -1;
	} else if (code < 0) {
		(void)bad_author(author, err);
	}
	free(name);
	free(mail);
	return code < 0 ? -1 : 0;
}

static int no_author(struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0,
			 "git knows no user.name and user.email: set them (git config --global "
			 "user.name ...) or name an author");
}

/* The same before there is a repository. */
static int check_author(const char *author, struct error *err)
{
	git_signature *signature = NULL;
	git_config *config = NULL;
	git_buf name = {0}, mail = {0};
	int code;

	if (author) {
		code = parse_author(author, &signature, err);
		git_signature_free(signature);
		return code;
	}
	code = git_config_open_default(&config);
	if (code == 0) {
		code = git_config_get_string_buf(&name, config, "user.name");
	}
	if (code == 0) {
		code = git_config_get_string_buf(&mail, config, "user.email");
	}
	git_buf_dispose(&name);
	git_buf_dispose(&mail);
	git_config_free(config);
	return code < 0 ? no_author(err) : 0;
}

static int find_author(git_repository *git, const char *author, git_signature **signature,
		       struct error *err)
{
	int code;

	if (author) {
		return parse_author(author, signature, err);
	}
	code = git_signature_default(signature, git);
	if (code == GIT_ENOTFOUND) {
		return no_author(err);
	}
	return code < 0 ? repository_failed(err, code, "author") : 0;
}

/* Opening */

static int open_head(struct clone *c, const char *dir, struct error *err)
{
	git_reference *reference = NULL;
	int code = git_repository_head(&reference, c->git);

	if (code == GIT_EUNBORNBRANCH || code == GIT_ENOTFOUND) {
		return 0;
	}
	if (code == 0) {
		code = git_reference_peel((git_object **)&c->head, reference, GIT_OBJECT_COMMIT);
	}
	if (code == 0) {
		code = git_commit_tree(&c->tree, c->head);
	}
	if (code == 0) {
		(void)git_oid_tostr(c->commit, sizeof(c->commit), git_commit_id(c->head));
	}
	git_reference_free(reference);
	return code < 0 ? repository_failed(err, code, "%s: HEAD", dir) : 0;
}

int clone_open(const char *dir, const char *author, struct clone **clone, struct error *err)
{
	struct clone *c = calloc(1, sizeof(*c));
	int code;

	if (!c) {
		return no_memory(err);
	}
	(void)git_libgit2_init();
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	/* A folder with all names of a distribution is looked into once a package. */
	(void)git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, (size_t)16 << 20);
	code = git_repository_open_ext(&c->git, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (code == GIT_ENOTFOUND) {
		(void)error_set(err, ERROR_CONFIG, 0,
				"%s: no git repository (muster init makes one)", dir);
	} else if (code < 0) {
		(void)repository_failed(err, code, "%s", dir);
	}
	if (code < 0 || open_head(c, dir, err) < 0 ||
	    find_author(c->git, author, &c->author, err) < 0) {
		clone_free(c);
		return -1;
	}
	*clone = c;
	return 0;
}

void clone_free(struct clone *clone)
{
	struct staged *staged, *next;

	if (!clone) {
		return;
	}
	/* The table goes first: freeing its members one by one confuses clang's analyser. */
	staged = clone->staged;
	HASH_CLEAR(hh, clone->staged);
	for (; staged; staged = next) {
		next = staged->hh.next;
		free(staged);
	}
	git_signature_free(clone->author);
	git_tree_free(clone->tree);
	git_commit_free(clone->head);
	git_repository_free(clone->git);
	free(clone);
	(void)git_libgit2_shutdown();
}

const char *clone_head(const struct clone *clone)
{
	return clone->commit;
}

/* Whether the folder is absent or empty. */
static int check_empty(const char *dir, struct error *err)
{
	DIR *opened = opendir(dir);
	struct dirent *entry;
	bool empty = true;

	if (!opened) {
		return errno == ENOENT ? 0
				       : error_set(err, ERROR_CONFIG, errno, "%s: %s", dir,
						   strerror(errno));
	}
	while (empty && (entry = readdir(opened))) {
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	}
	(void)closedir(opened);
	return empty ? 0
		     : error_set(err, ERROR_CONFIG, 0,
				 "%s is not empty: a baseline is made in a folder of its own", dir);
}

int clone_create(const char *dir, const char *author, struct error *err)
{
	git_repository_init_options options;
	git_repository *git = NULL;
	int code, result = -1;

	if (check_empty(dir, err) < 0) {
		return -1;
	}
	(void)git_libgit2_init();
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	/* Known before anything is made, so that a second try finds the folder as it was. */
	if (check_author(author, err) < 0) {
		goto out;
	}
	(void)git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	options.flags = GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
	options.initial_head = "main";
	code = git_repository_init_ext(&git, dir, &options);
	if (code < 0) {
		(void)repository_failed(err, code, "%s", dir);
		goto out;
	}
	result = 0;
out:
	git_repository_free(git);
	(void)git_libgit2_shutdown();
	return result;
}

/* Staging */

/* A relative path of plain components that are no part of git itself. */
static bool is_fit(const char *path)
{
	const char *start = path;

	for (const char *p = path;; p++) {
		if (*p != '/' && *p != '\0') {
			continue;
		}
		if (p == start || (p - start == 1 && start[0] == '.') ||
		    (p - start == 2 && start[0] == '.' && start[1] == '.') ||
		    (p - start == 4 && strncasecmp(start, ".git", 4) == 0)) {
			return false;
		}
		if (*p == '\0') {
			return true;
		}
		start = p + 1;
	}
}

/* Id of the file in HEAD, zero where there is none. */
static int head_id(const struct clone *c, const char *path, git_oid *id, struct error *err)
{
	git_tree_entry *entry = NULL;
	int code = c->tree ? git_tree_entry_bypath(&entry, c->tree, path) : GIT_ENOTFOUND;

	memset(id, 0, sizeof(*id));
	if (code == GIT_ENOTFOUND) {
		return 0;
	}
	if (code < 0) {
		return repository_failed(err, code, "%s", path);
	}
	if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
		git_oid_cpy(id, git_tree_entry_id(entry));
		git_tree_entry_free(entry);
		return 0;
	}
	git_tree_entry_free(entry);
	return error_set(err, ERROR_CONFIG, 0, "%s: no file in HEAD", path);
}

static int stage(struct clone *c, const char *path, const git_oid *id, struct error *err)
{
	struct staged *staged = NULL;
	size_t len = strlen(path);

	HASH_FIND_STR(c->staged, path, staged);
	if (!staged) {
		staged = calloc(1, sizeof(*staged) + len + 1);
		if (!staged) {
			return no_memory(err);
		}
		memcpy(staged->path, path, len + 1);
		if (head_id(c, path, &staged->old, err) < 0) {
			free(staged);
			return -1;
		}
		HASH_ADD_STR(c->staged, path, staged);
		if (!staged->hh.tbl) {
			free(staged);
			return no_memory(err);
		}
	}
	staged->new = *id;
	return 0;
}

int clone_put(struct clone *clone, const char *path, struct bytes content, struct error *err)
{
	git_oid id;
	int code;

	if (!is_fit(path)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: no path for a file of a baseline",
				 path);
	}
	code = git_blob_create_from_buffer(&id, clone->git, content.data, content.len);
	if (code < 0) {
		return repository_failed(err, code, "%s", path);
	}
	return stage(clone, path, &id, err);
}

int clone_remove(struct clone *clone, const char *path, struct error *err)
{
	static const git_oid none;

	if (!is_fit(path)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: no path for a file of a baseline",
				 path);
	}
	return stage(clone, path, &none, err);
}

static int read_blob(struct clone *c, const char *path, const git_oid *id, git_blob **blob,
		     struct error *err)
{
	int code = git_blob_lookup(blob, c->git, id);

	return code < 0 ? repository_failed(err, code, "%s", path) : 0;
}

int clone_read(struct clone *clone, const char *path, size_t most, uint8_t **data, size_t *len,
	       struct error *err)
{
	struct staged *staged = NULL;
	git_blob *blob = NULL;
	git_oid id;

	*data = NULL;
	*len = 0;
	HASH_FIND_STR(clone->staged, path, staged);
	if (staged) {
		id = staged->new;
	} else if (head_id(clone, path, &id, err) < 0) {
		return -1;
	}
	if (git_oid_is_zero(&id)) {
		return 0;
	}
	if (read_blob(clone, path, &id, &blob, err) < 0) {
		return -1;
	}
	*len = (size_t)git_blob_rawsize(blob);
	if (*len > most) {
		git_blob_free(blob);
		return error_set(err, ERROR_CONFIG, 0, "%s: %zu bytes, at most %zu are read", path,
				 *len, most);
	}
	*data = malloc(*len + 1);
	if (*data) {
		memcpy(*data, git_blob_rawcontent(blob), *len);
	}
	git_blob_free(blob);
	return *data ? 0 : no_memory(err);
}

static bool differs(const struct staged *staged)
{
	return !git_oid_equal(&staged->old, &staged->new);
}

size_t clone_count(const struct clone *clone)
{
	size_t count = 0;

	for (const struct staged *s = clone->staged; s; s = s->hh.next) {
		count += differs(s);
	}
	return count;
}

/* Committing */

/* Whether the work tree's file is `id`'s content (zero: absent). */
static int compare_file(struct clone *c, const char *path, const git_oid *id, bool *same,
			struct error *err)
{
	struct bytes content = {NULL, 0};
	enum work_state state;
	git_blob *blob = NULL;
	int result;

	if (!git_oid_is_zero(id)) {
		if (read_blob(c, path, id, &blob, err) < 0) {
			return -1;
		}
		content = bytes_make(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	}
	result = work_tree_compare(git_repository_workdir(c->git), path, content, &state, err);
	*same = state == (git_oid_is_zero(id) ? WORK_ABSENT : WORK_SAME);
	git_blob_free(blob);
	return result;
}

static int check_file(struct clone *c, git_index *index, const struct staged *staged,
		      struct error *err)
{
	const git_index_entry *entry = git_index_get_bypath(index, staged->path, 0);
	static const git_oid none;
	const git_oid *indexed = entry ? &entry->id : &none;
	bool same = false;

	if (compare_file(c, staged->path, &staged->old, &same, err) < 0 ||
	    (!same && compare_file(c, staged->path, &staged->new, &same, err) < 0)) {
		return -1;
	}
	if (!same ||
	    (!git_oid_equal(indexed, &staged->old) && !git_oid_equal(indexed, &staged->new))) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s has changes that are not committed: commit or discard them "
				 "first (git -C %s status)",
				 staged->path, git_repository_workdir(c->git));
	}
	return 0;
}

static int check_work_tree(struct clone *c, git_index *index, struct error *err)
{
	for (const struct staged *s = c->staged; s; s = s->hh.next) {
		if (differs(s) && check_file(c, index, s, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int empty_tree(struct clone *c, git_tree **tree)
{
	git_treebuilder *builder = NULL;
	git_oid id;
	int code = git_treebuilder_new(&builder, c->git, NULL);

	if (code == 0) {
		code = git_treebuilder_write(&id, builder);
	}
	if (code == 0) {
		code = git_tree_lookup(tree, c->git, &id);
	}
	git_treebuilder_free(builder);
	return code;
}

static int make_tree(struct clone *c, size_t count, git_tree **made, struct error *err)
{
	git_tree_update *updates = calloc(count, sizeof(*updates));
	git_tree *base = NULL;
	git_oid id;
	size_t n = 0;
	int code;

	if (!updates) {
		return no_memory(err);
	}
	for (const struct staged *s = c->staged; s; s = s->hh.next) {
		if (differs(s)) {
			updates[n].action = git_oid_is_zero(&s->new) ? GIT_TREE_UPDATE_REMOVE
								     : GIT_TREE_UPDATE_UPSERT;
			updates[n].id = s->new;
			updates[n].filemode = GIT_FILEMODE_BLOB;
			updates[n++].path = s->path;
		}
	}
	code = c->tree ? git_tree_dup(&base, c->tree) : empty_tree(c, &base);
	if (code == 0) {
		code = git_tree_create_updated(&id, c->git, base, n, updates);
	}
	if (code == 0) {
		code = git_tree_lookup(made, c->git, &id);
	}
	git_tree_free(base);
	free(updates);
	return code < 0 ? repository_failed(err, code, "the new tree") : 0;
}

static int make_commit(struct clone *c, const char *message, size_t count, git_oid *id,
		       struct error *err)
{
	const git_commit *parents[] = {c->head};
	git_tree *tree = NULL;
	int code;

	if (make_tree(c, count, &tree, err) < 0) {
		return -1;
	}
	code = git_commit_create(id, c->git, "HEAD", c->author, c->author, NULL, message, tree,
				 c->head ? 1 : 0, c->head ? parents : NULL);
	git_tree_free(tree);
	if (code == GIT_EMODIFIED) {
		return error_set(err, ERROR_CONFIG, 0,
				 "HEAD moved meanwhile: somebody else commits here; try again");
	}
	return code < 0 ? repository_failed(err, code, "the commit") : 0;
}

static int follow_file(struct clone *c, git_index *index, const struct staged *staged,
		       struct error *err)
{
	const char *root = git_repository_workdir(c->git);
	git_index_entry entry = {.mode = GIT_FILEMODE_BLOB, .id = staged->new};
	git_blob *blob = NULL;
	int code, result;

	if (git_oid_is_zero(&staged->new)) {
		code = git_index_remove(index, staged->path, 0);
		result = work_tree_remove(root, staged->path, err);
		return result < 0 || code == 0 || code == GIT_ENOTFOUND
			       ? result
			       : repository_failed(err, code, "%s", staged->path);
	}
	if (read_blob(c, staged->path, &staged->new, &blob, err) < 0) {
		return -1;
	}
	result = work_tree_write(
		root, staged->path,
		bytes_make(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)), err);
	git_blob_free(blob);
	entry.path = staged->path;
	code = result < 0 ? 0 : git_index_add(index, &entry);
	return code < 0 ? repository_failed(err, code, "%s", staged->path) : result;
}

static int follow(struct clone *c, git_index *index, struct error *err)
{
	int code;

	for (const struct staged *s = c->staged; s; s = s->hh.next) {
		if (differs(s) && follow_file(c, index, s, err) < 0) {
			return error_prefix(err, "committed, but the work tree did not follow");
		}
	}
	code = git_index_write(index);
	return code < 0 ? repository_failed(err, code, "the index") : 0;
}

int clone_commit(struct clone *clone, const char *message, char commit[CLONE_COMMIT_SIZE],
		 struct error *err)
{
	bool bare = git_repository_is_bare(clone->git) != 0;
	size_t count = clone_count(clone);
	git_index *index = NULL;
	git_oid id;
	int code, result = -1;

	commit[0] = '\0';
	if (count == 0) {
		return 0;
	}
	if (!bare) {
		code = git_repository_index(&index, clone->git);
		if (code < 0) {
			return repository_failed(err, code, "the index");
		}
		if (check_work_tree(clone, index, err) < 0) {
			goto out;
		}
	}
	if (make_commit(clone, message, count, &id, err) < 0) {
		goto out;
	}
	(void)git_oid_tostr(commit, CLONE_COMMIT_SIZE, &id);
	result = bare ? 0 : follow(clone, index, err);
out:
	git_index_free(index);
	return result;
}
