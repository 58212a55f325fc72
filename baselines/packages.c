// SPDX-License-Identifier: MIT
#include "baselines/packages.h"

#include <stdio.h>
#include <stdlib.h>

#include <uthash.h>

#include "baselines/arena.h"
#include "baselines/file_name.h"
#include "baselines/mtree.h"

#define ORIGINS_MAX 256

/* An open packages/MANAGER/ORIGIN: held, because such a tree may have tens of thousands of names. */
struct origin {
	char manager[FILE_NAME_ROOM];
	char name[FILE_NAME_ROOM];
	struct repository_tree *tree;
};

struct build {
	UT_hash_handle hh;
	const struct manifest **manifests;
	size_t count;
	char key[]; /* manager/name/version_arch */
};

/* Whether a package's builds ship md5sums, once it was asked. */
struct asked {
	UT_hash_handle hh;
	bool self_summed;
	char key[]; /* manager/name/arch */
};
#define ASKED_MAX 200000U /* a host names architectures as it likes */

struct packages {
	struct repository *repository;
	struct origin *origins;
	size_t origin_count;
	struct build *builds;
	struct asked *asked;
	size_t asked_count;
	const struct manifest *listed[PACKAGES_BUILDS_MAX]; /* what packages_builds gave last */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for package manifests");
}

static int add_origin(struct packages *p, const char *manager, const char *name, struct error *err)
{
	struct origin *grown, *origin;
	uint8_t plain[FILE_NAME_ROOM];
	char path[2 * FILE_NAME_ROOM + 16];

	if (strlen(manager) > FILE_NAME_MAX || strlen(name) > FILE_NAME_MAX ||
	    p->origin_count == ORIGINS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "packages/: too many or too long names");
	}
	/* Another name than escaping makes can be asked for by nobody (verify.h tells of it). */
	if (file_name_undo(bytes_from_string(manager), plain) < 0 ||
	    file_name_undo(bytes_from_string(name), plain) < 0) {
		return 0;
	}
	grown = realloc(p->origins, (p->origin_count + 1) * sizeof(*grown));
	if (!grown) {
		return no_memory(err);
	}
	p->origins = grown;
	origin = &grown[p->origin_count];
	(void)snprintf(origin->manager, sizeof(origin->manager), "%s", manager);
	(void)snprintf(origin->name, sizeof(origin->name), "%s", name);
	(void)snprintf(path, sizeof(path), PACKAGES_FOLDER "/%s/%s", manager, name);
	if (repository_tree_open(p->repository, NULL, path, &origin->tree, err) < 0) {
		return -1;
	}
	p->origin_count += origin->tree ? 1 : 0;
	return 0;
}

static int add_manager(struct packages *p, const struct repository_tree *top, const char *manager,
		       struct error *err)
{
	struct repository_tree *tree = NULL;
	int result = repository_tree_open(p->repository, top, manager, &tree, err);

	for (size_t i = 0; result == 0 && tree && i < repository_tree_count(tree); i++) {
		struct repository_item item;

		repository_tree_item(tree, i, &item);
		if (item.kind == REPOSITORY_TREE) {
			result = add_origin(p, manager, item.name, err);
		}
	}
	repository_tree_close(tree);
	return result;
}

int packages_new(struct repository *repository, struct packages **packages, struct error *err)
{
	struct packages *p = calloc(1, sizeof(*p));
	struct repository_tree *top = NULL;
	int result = -1;

	if (!p) {
		return no_memory(err);
	}
	p->repository = repository;
	result = repository_tree_open(repository, NULL, PACKAGES_FOLDER, &top, err);
	for (size_t i = 0; result == 0 && top && i < repository_tree_count(top); i++) {
		struct repository_item item;

		repository_tree_item(top, i, &item);
		if (item.kind == REPOSITORY_TREE) {
			result = add_manager(p, top, item.name, err);
		}
	}
	repository_tree_close(top);
	if (result < 0) {
		packages_free(p);
		return -1;
	}
	*packages = p;
	return 0;
}

static void free_build(struct build *build)
{
	for (size_t i = 0; i < build->count; i++) {
		/* Ours: const only for whoever is handed it. */
		manifest_free((struct manifest *)(uintptr_t)build->manifests[i]);
	}
	free(build->manifests);
	free(build);
}

void packages_free(struct packages *packages)
{
	struct asked *asked, *after;
	struct build *build, *next;

	if (!packages) {
		return;
	}
	/* The table goes first: freeing its members one by one confuses clang's analyser. */
	asked = packages->asked;
	HASH_CLEAR(hh, packages->asked);
	for (; asked; asked = after) {
		after = asked->hh.next;
		free(asked);
	}
	HASH_ITER (hh, packages->builds, build, next) {
		HASH_DEL(packages->builds, build);
		free_build(build);
	}
	for (size_t i = 0; i < packages->origin_count; i++) {
		repository_tree_close(packages->origins[i].tree);
	}
	free(packages->origins);
	free(packages);
}

/* "VERSION_ARCH.mtree" */
static bool file_of_build(struct bytes version, struct bytes arch, char *to, size_t room)
{
	char escaped_version[FILE_NAME_ROOM], escaped_arch[FILE_NAME_ROOM];

	if (!file_name_escape_version(version, escaped_version) ||
	    !file_name_escape(arch, escaped_arch)) {
		return false;
	}
	return (size_t)snprintf(to, room, "%s_%s.mtree", escaped_version, escaped_arch) <
	       FILE_NAME_ROOM;
}

bool packages_path(struct bytes manager, struct bytes origin, struct bytes name,
		   struct bytes version, struct bytes arch, char to[PACKAGES_PATH_MAX])
{
	char m[FILE_NAME_ROOM], o[FILE_NAME_ROOM], n[FILE_NAME_ROOM];
	char file[2 * FILE_NAME_ROOM + 16];

	if (!file_name_escape(manager, m) || !file_name_escape(origin, o) ||
	    !file_name_escape(name, n) || !file_of_build(version, arch, file, sizeof(file))) {
		return false;
	}
	return (size_t)snprintf(to, PACKAGES_PATH_MAX, PACKAGES_FOLDER "/%s/%s/%s/%s", m, o, n,
				file) < PACKAGES_PATH_MAX;
}

/* Where origin->tree has name/file, its manifest becomes one more of the build. */
static int read_manifest(struct packages *p, const struct origin *origin, const char *name,
			 const char *file, struct build *build, struct error *err)
{
	struct repository_tree *tree = NULL;
	struct repository_blob blob = {0};
	struct repository_item item;
	struct manifest *manifest = NULL;
	uint8_t plain[FILE_NAME_ROOM];
	char path[PACKAGES_PATH_MAX];
	int result = -1;
	long len;

	if (!repository_tree_find(origin->tree, name, &item)) {
		return 0;
	}
	(void)snprintf(path, sizeof(path), PACKAGES_FOLDER "/%s/%s/%s/%s", origin->manager,
		       origin->name, name, file);
	if (repository_tree_open(p->repository, origin->tree, name, &tree, err) < 0 || !tree) {
		return error_prefix(err, PACKAGES_FOLDER "/%s/%s", origin->manager, origin->name);
	}
	if (!repository_tree_find(tree, file, &item)) {
		result = 0;
		goto out;
	}
	if (repository_blob_open(p->repository, &item, path, MTREE_SIZE_MAX, &blob, err) < 0 ||
	    mtree_parse(path, blob.content, &manifest, err) < 0) {
		goto out;
	}
	len = file_name_undo(bytes_from_string(origin->name), plain);
	plain[len > 0 ? len : 0] = '\0';
	manifest->origin = arena_string(manifest->memory, (const char *)plain);
	len = file_name_undo(bytes_make(file, strcspn(file, "_")), plain);
	plain[len > 0 ? len : 0] = '\0';
	manifest->version = arena_string(manifest->memory, (const char *)plain);
	if (!manifest->origin || !manifest->version) {
		(void)no_memory(err);
		goto out;
	}
	build->manifests[build->count++] = manifest;
	manifest = NULL;
	result = 0;
out:
	manifest_free(manifest);
	repository_blob_close(&blob);
	repository_tree_close(tree);
	return result;
}

static int read_build(struct packages *p, const char *manager, const char *name, const char *file,
		      struct build *build, struct error *err)
{
	for (size_t i = 0; i < p->origin_count; i++) {
		if (strcmp(p->origins[i].manager, manager) == 0 &&
		    read_manifest(p, &p->origins[i], name, file, build, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int packages_manifests(struct packages *packages, struct bytes manager, struct bytes name,
		       struct bytes version, struct bytes arch, const struct manifest *const **list,
		       size_t *count, struct error *err)
{
	char m[FILE_NAME_ROOM], n[FILE_NAME_ROOM], file[2 * FILE_NAME_ROOM + 16];
	char key[4 * FILE_NAME_ROOM + 32];
	struct build *build = NULL;
	size_t len;

	*list = NULL;
	*count = 0;
	if (packages->origin_count == 0 || !file_name_escape(manager, m) ||
	    !file_name_escape(name, n) || !file_of_build(version, arch, file, sizeof(file))) {
		return 0;
	}
	len = (size_t)snprintf(key, sizeof(key), "%s/%s/%s", m, n, file);
	HASH_FIND_STR(packages->builds, key, build);
	if (build) {
		*list = build->manifests;
		*count = build->count;
		return 0;
	}
	build = calloc(1, sizeof(*build) + len + 1);
	if (build) {
		build->manifests = calloc(packages->origin_count, sizeof(struct manifest *));
	}
	if (!build || !build->manifests) {
		free(build);
		return no_memory(err);
	}
	memcpy(build->key, key, len);
	if (read_build(packages, m, n, file, build, err) < 0) {
		free_build(build);
		return -1;
	}
	/* What is not there is not kept: a host could name no end of it. */
	if (build->count == 0) {
		free_build(build);
		return 0;
	}
	HASH_ADD_STR(packages->builds, key, build);
	if (!build->hh.tbl) {
		free_build(build);
		return no_memory(err);
	}
	*list = build->manifests;
	*count = build->count;
	return 0;
}

/* The version in "VERSION_ARCH.mtree" where the rest is as wanted, as its plain length; else -1. */
static long version_of(const char *file, const char *rest, uint8_t plain[FILE_NAME_ROOM])
{
	size_t len = strcspn(file, "_");

	return len < FILE_NAME_ROOM && strcmp(file + len, rest) == 0
		       ? file_name_undo(bytes_make(file, len), plain)
		       : -1;
}

/* What is done with each build's file of a package: 0, 1 to stop, -1. */
typedef int each_build(void *context, struct packages *p, const struct repository_tree *tree,
		       const struct repository_item *item, struct bytes version, struct error *err);

/* Over all origins, in git's order of names. */
static int walk_builds(struct packages *p, struct bytes manager, struct bytes name,
		       struct bytes arch, each_build *each, void *context, struct error *err)
{
	char m[FILE_NAME_ROOM], n[FILE_NAME_ROOM], a[FILE_NAME_ROOM], rest[FILE_NAME_ROOM + 16];
	int result = 0;

	if (!file_name_escape(manager, m) || !file_name_escape(name, n) ||
	    !file_name_escape(arch, a)) {
		return 0;
	}
	(void)snprintf(rest, sizeof(rest), "_%s.mtree", a);
	for (size_t o = 0; result == 0 && o < p->origin_count; o++) {
		struct repository_tree *tree = NULL;
		struct repository_item item;

		if (strcmp(p->origins[o].manager, m) != 0 ||
		    !repository_tree_find(p->origins[o].tree, n, &item) ||
		    item.kind != REPOSITORY_TREE) {
			continue;
		}
		result = repository_tree_open(p->repository, p->origins[o].tree, n, &tree, err);
		for (size_t i = 0; result == 0 && tree && i < repository_tree_count(tree); i++) {
			uint8_t plain[FILE_NAME_ROOM];
			long len;

			repository_tree_item(tree, i, &item);
			len = version_of(item.name, rest, plain);
			if (len >= 0) {
				result = each(context, p, tree, &item,
					      bytes_make(plain, (size_t)len), err);
			}
		}
		repository_tree_close(tree);
	}
	return result < 0 ? -1 : 0;
}

/* Versions of a package, each once. */
struct versions {
	char (*item)[FILE_NAME_ROOM];
	size_t count;
	size_t room;
};

static int take_version(void *context, struct packages *p, const struct repository_tree *tree,
			const struct repository_item *item, struct bytes version, struct error *err)
{
	struct versions *v = context;
	void *grown;

	(void)p;
	(void)tree;
	(void)item;
	if (v->count == v->room) {
		grown = realloc(v->item, (2 * v->room + 16) * sizeof(*v->item));
		if (!grown) {
			return no_memory(err);
		}
		v->item = grown;
		v->room = 2 * v->room + 16;
	}
	memcpy(v->item[v->count], version.data, version.len);
	v->item[v->count++][version.len] = '\0';
	return 0;
}

static int compare_versions(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* In order of spelling, which is near enough to that of versions to find the neighbours of one. */
static void sort_versions(struct versions *v)
{
	size_t kept = 0;

	if (v->count > 1) {
		qsort(v->item, v->count, sizeof(*v->item), compare_versions);
	}
	for (size_t i = 0; i < v->count; i++) {
		if (kept == 0 || strcmp(v->item[kept - 1], v->item[i]) != 0) {
			memmove(v->item[kept++], v->item[i], sizeof(*v->item));
		}
	}
	v->count = kept;
}

/* All origins' manifests of one version. */
static int add_version(struct packages *p, struct bytes manager, struct bytes name,
		       struct bytes version, struct bytes arch, size_t *count, struct error *err)
{
	const struct manifest *const *list;
	size_t more;

	if (packages_manifests(p, manager, name, version, arch, &list, &more, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < more && *count < PACKAGES_BUILDS_MAX; i++) {
		p->listed[(*count)++] = list[i];
	}
	return 0;
}

int packages_builds(struct packages *packages, struct bytes manager, struct bytes name,
		    struct bytes version, struct bytes arch, const struct manifest *const **list,
		    size_t *count, struct error *err)
{
	struct versions v = {0};
	size_t at = 0, from, to;
	int result;

	*list = packages->listed;
	*count = 0;
	result = walk_builds(packages, manager, name, arch, take_version, &v, err);
	sort_versions(&v);
	while (at < v.count && bytes_compare(bytes_from_string(v.item[at]), version) < 0) {
		at++;
	}
	from = at > PACKAGES_VERSIONS_MAX / 2 ? at - PACKAGES_VERSIONS_MAX / 2 : 0;
	to = v.count - from > PACKAGES_VERSIONS_MAX ? from + PACKAGES_VERSIONS_MAX : v.count;
	for (size_t i = from; result == 0 && i < to; i++) {
		result = add_version(packages, manager, name, bytes_from_string(v.item[i]), arch,
				     count, err);
	}
	free(v.item);
	return result;
}

/* Only the comments are read, so that a package of many versions costs no memory. */
static int ask_md5sums(void *context, struct packages *p, const struct repository_tree *tree,
		       const struct repository_item *item, struct bytes version, struct error *err)
{
	struct mtree_comments comments;
	struct repository_blob blob = {0};
	bool *none = context;

	(void)tree;
	(void)version;
	if (repository_blob_open(p->repository, item, item->name, MTREE_SIZE_MAX, &blob, err) < 0) {
		return -1;
	}
	mtree_comments_read(blob.content, &comments);
	repository_blob_close(&blob);
	*none = comments.no_md5sums;
	return *none ? 1 : 0;
}

int packages_self_summed(struct packages *packages, struct bytes manager, struct bytes name,
			 struct bytes arch, bool *self_summed, struct error *err)
{
	char key[3 * FILE_NAME_ROOM], m[FILE_NAME_ROOM], n[FILE_NAME_ROOM], a[FILE_NAME_ROOM];
	struct asked *asked = NULL;
	size_t len;

	*self_summed = false;
	/* What the baseline does not know is not kept: a host could name no end of it. */
	if (!packages_know(packages, manager, name) || !file_name_escape(manager, m) ||
	    !file_name_escape(name, n) || !file_name_escape(arch, a)) {
		return 0;
	}
	len = (size_t)snprintf(key, sizeof(key), "%s/%s/%s", m, n, a);
	HASH_FIND_STR(packages->asked, key, asked);
	if (asked) {
		*self_summed = asked->self_summed;
		return 0;
	}
	if (packages->asked_count >= ASKED_MAX) {
		return 0;
	}
	if (walk_builds(packages, manager, name, arch, ask_md5sums, self_summed, err) < 0) {
		return -1;
	}
	asked = calloc(1, sizeof(*asked) + len + 1);
	if (!asked) {
		return no_memory(err);
	}
	memcpy(asked->key, key, len);
	asked->self_summed = *self_summed;
	HASH_ADD_STR(packages->asked, key, asked);
	if (!asked->hh.tbl) {
		free(asked);
		return no_memory(err);
	}
	packages->asked_count++;
	return 0;
}

bool packages_know(const struct packages *packages, struct bytes manager, struct bytes name)
{
	char m[FILE_NAME_ROOM], n[FILE_NAME_ROOM];
	struct repository_item item;

	if (!file_name_escape(manager, m) || !file_name_escape(name, n)) {
		return false;
	}
	for (size_t i = 0; i < packages->origin_count; i++) {
		if (strcmp(packages->origins[i].manager, m) == 0 &&
		    repository_tree_find(packages->origins[i].tree, n, &item)) {
			return true;
		}
	}
	return false;
}
