// SPDX-License-Identifier: MIT
#include "baselines/trees.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/digests.h"
#include "baselines/file_name.h"
#include "baselines/usrmerge.h"
#include "schema/escape.h"

#define TREES_DEPTH_MAX 64
#define TREES_FILES_MAX 200000U
#define TREES_FILE_MAX ((size_t)256 << 20)

/* A directory that is being read, and how long its path is. */
struct level {
	struct repository_tree *tree;
	size_t next;
	size_t path_len;
};

struct walk {
	struct repository *repository;
	const char *group;
	struct manifest *manifest; /* what entries point to lives in its memory */
	struct manifest_entry *entries;
	size_t count;
	size_t room;
	struct digests *digests;
	struct level levels[TREES_DEPTH_MAX];
	size_t depth;
	uint8_t path[ENTRY_PATH_MAX]; /* as on the host, without usrmerge */
};

static const char *where(const struct walk *w, size_t len, char *to, size_t room)
{
	char path[300];

	(void)escape_text(bytes_make(w->path, len), path, sizeof(path));
	(void)snprintf(to, room, TREES_FOLDER "/%s%s", w->group, path);
	return to;
}

static int keep(struct walk *w, const struct manifest_entry *entry, struct error *err)
{
	if (w->count == TREES_FILES_MAX) {
		return error_set(err, ERROR_CONFIG, 0, TREES_FOLDER "/%s: more than %u files",
				 w->group, TREES_FILES_MAX);
	}
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct manifest_entry *grown = realloc(w->entries, room * sizeof(*grown));

		if (!grown) {
			return error_set(err, ERROR_NOMEM, 0, "no memory for a tree");
		}
		w->entries = grown;
		w->room = room;
	}
	w->entries[w->count++] = *entry;
	return 0;
}

static int fill(struct walk *w, const struct repository_item *item, const char *name,
		struct bytes content, struct manifest_entry *entry, struct error *err)
{
	struct entry *e = &entry->entry;
	bool ok = true;

	entry->tags = MANIFEST_NOMODE | MANIFEST_NOTIME;
	if (item->kind == REPOSITORY_LINK) {
		e->type = ENTRY_LINK;
		e->mode = 0777;
		if (content.len == 0 || content.len > ENTRY_PATH_MAX ||
		    memchr(content.data, '\0', content.len)) {
			return error_set(err, ERROR_CONFIG, 0, "%s: not the target of a link",
					 name);
		}
		e->link = arena_copy(w->manifest->memory, content, &ok);
		return ok ? 0 : error_set(err, ERROR_NOMEM, 0, "no memory for a tree");
	}
	e->type = ENTRY_FILE;
	e->mode = item->kind == REPOSITORY_PROGRAM ? 0755 : 0644;
	e->has_size = true;
	e->size = content.len;
	e->has_sha256 = true;
	entry->has_md5 = true;
	return digests_begin(w->digests, err) < 0 || digests_add(w->digests, content, err) < 0 ||
			       digests_end(w->digests, &e->sha256, entry->md5, err) < 0
		       ? -1
		       : 0;
}

static int take_file(struct walk *w, const struct repository_item *item, size_t path_len,
		     struct error *err)
{
	struct manifest_entry entry = {0};
	struct repository_blob blob = {0};
	struct bytes path = bytes_make(w->path, path_len);
	size_t front = usrmerge_moves(path, false) ? strlen("/usr") : 0;
	uint8_t *canonical = arena_alloc(w->manifest->memory, front + path_len);
	char name[600];
	int result = -1;

	if (!canonical) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a tree");
	}
	(void)where(w, path_len, name, sizeof(name));
	if (front + path_len > ENTRY_PATH_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: the path is too long", name);
	}
	memcpy(canonical, "/usr", front);
	memcpy(canonical + front, w->path, path_len);
	entry.entry.path = bytes_make(canonical, front + path_len);
	if (repository_blob_open(w->repository, item, name, TREES_FILE_MAX, &blob, err) == 0 &&
	    fill(w, item, name, blob.content, &entry, err) == 0) {
		result = keep(w, &entry, err);
	}
	repository_blob_close(&blob);
	return result;
}

static int take_item(struct walk *w, struct level *level, struct error *err)
{
	struct repository_item item;
	size_t len, path_len;
	char name[600];

	repository_tree_item(level->tree, level->next++, &item);
	len = strlen(item.name);
	if (strcmp(item.name, ".gitkeep") == 0) {
		return 0;
	}
	path_len = level->path_len + 1 + len;
	if (path_len > ENTRY_PATH_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: the path is too long",
				 where(w, level->path_len, name, sizeof(name)));
	}
	w->path[level->path_len] = '/';
	memcpy(w->path + level->path_len + 1, item.name, len);
	if (item.kind != REPOSITORY_TREE) {
		return take_file(w, &item, path_len, err);
	}
	if (w->depth == TREES_DEPTH_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: more than %d directories deep",
				 where(w, level->path_len, name, sizeof(name)), TREES_DEPTH_MAX);
	}
	w->levels[w->depth] = (struct level){.path_len = path_len};
	if (repository_tree_open(w->repository, level->tree, item.name, &w->levels[w->depth].tree,
				 err) < 0) {
		return -1;
	}
	w->depth += w->levels[w->depth].tree ? 1 : 0;
	return 0;
}

static int walk_all(struct walk *w, struct error *err)
{
	while (w->depth > 0) {
		struct level *level = &w->levels[w->depth - 1];

		if (level->next == repository_tree_count(level->tree)) {
			repository_tree_close(level->tree);
			w->depth--;
		} else if (take_item(w, level, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int trees_read(struct repository *repository, const char *group, struct manifest **manifest,
	       struct error *err)
{
	char name[FILE_NAME_ROOM], folder[FILE_NAME_ROOM + 8];
	struct walk *w = calloc(1, sizeof(*w));
	int result = -1;

	*manifest = NULL;
	if (!w) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a tree");
	}
	if (!file_name_escape(bytes_from_string(group), name)) {
		result = 0;
		goto out;
	}
	w->repository = repository;
	w->group = name;
	(void)snprintf(folder, sizeof(folder), TREES_FOLDER "/%s", name);
	if (repository_tree_open(repository, NULL, folder, &w->levels[0].tree, err) < 0) {
		goto out;
	}
	if (!w->levels[0].tree) {
		result = 0;
		goto out;
	}
	w->depth = 1;
	if (manifest_new(folder, NULL, &w->manifest, err) < 0 ||
	    digests_new(&w->digests, err) < 0 || walk_all(w, err) < 0 ||
	    manifest_make(w->entries, w->count, folder, NULL, manifest, err) < 0) {
		goto out;
	}
	(*manifest)->trust = MANIFEST_ACCEPTED;
	result = 0;
out:
	while (w->depth > 0) {
		repository_tree_close(w->levels[--w->depth].tree);
	}
	manifest_free(w->manifest);
	digests_free(w->digests);
	free(w->entries);
	free(w);
	return result;
}
