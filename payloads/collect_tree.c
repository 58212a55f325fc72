// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "payloads/collect.h"
#include "schema/glob.h"

#define TREE_WANTS (OBJECT_CONTENT | OBJECT_TIME | OBJECT_MAGIC)

/* One walk: in the stat pass (no collection) or for one section. */
struct tree {
	struct probe *probe;
	struct collection *collection;
	struct bytes root;
	uint32_t flags;                       /* the section [flags] */
	uint32_t section[TREE_KEY_DEPTH + 1]; /* by depth, as the walk goes */
	uint64_t objects;
};

static bool is_excluded(struct tree *tree, struct bytes path)
{
	const struct plan_list *excludes = &tree->probe->plan.excludes;

	for (size_t i = 0; i < excludes->count; i++) {
		if (glob_match_path(excludes->item[i], path)) {
			if (!tree->collection) {
				coverage_add(&tree->probe->coverage, "tree", excludes->item[i],
					     COVERAGE_SKIPPED, "excluded", 1);
			}
			return true;
		}
	}
	return false;
}

static enum walk_want tree_filter(void *context, const struct walk_entry *entry)
{
	struct tree *tree = context;

	tree->objects++;
	if (entry->type != DT_DIR && table_has(&tree->probe->owned, entry->hash)) {
		return WALK_DROP;
	}
	return is_excluded(tree, entry->path) ? WALK_DROP : WALK_KEEP;
}

/* Which section an unowned path is in; made where there is none. */
static uint32_t section_of(struct tree *tree, struct bytes path)
{
	struct probe *probe = tree->probe;
	struct bytes directory = path_cut(path_parent(path), TREE_KEY_DEPTH);
	uint32_t *known = &tree->section[path_depth(directory)];
	struct section_key key;

	if (*known != CATALOG_NONE &&
	    bytes_equal(catalog_directory(&probe->catalog, *known), directory)) {
		return *known;
	}
	*known = CATALOG_NONE;
	/* What is above the root may have been made by another one. */
	if (!path_is_within(directory, tree->root) || bytes_equal(directory, tree->root)) {
		for (uint32_t i = 0; i < probe->catalog.count && *known == CATALOG_NONE; i++) {
			if (probe->catalog.list[i].kind == SECTION_TREE &&
			    bytes_equal(catalog_directory(&probe->catalog, i), directory)) {
				*known = i;
			}
		}
	}
	if (*known == CATALOG_NONE) {
		const struct bytes none = {NULL, 0};

		key = section_key_make(SECTION_TREE, directory, none, none, none);
		*known = scan_section(probe, &key, 0, 0);
	}
	return *known;
}

static void tree_object(struct tree *tree, struct bytes path, int dir_fd, const char *name,
			const struct sys_stat *st)
{
	struct probe *probe = tree->probe;

	if (tree->collection) {
		struct subject object = {
			.path = path, .dir_fd = dir_fd, .name = name, .st = *st, .check = "tree"};

		object_add(tree->collection, &object, TREE_WANTS);
	} else {
		uint32_t section = section_of(tree, path);
		uint64_t part = object_stat(probe, path, st, OBJECT_CONTENT);

		probe->entries++;
		scan_sum(probe, section, part);
		scan_sum(probe, tree->flags, part);
		scan_touch(probe, section, path);
		object_note_time(probe, path, st);
	}
}

static bool tree_visit(void *context, const struct walk_entry *entry)
{
	struct tree *tree = context;
	struct sys_stat st;
	int error;

	if (table_has(&tree->probe->owned, entry->hash)) {
		return true;
	}
	error = sys_stat_at(&tree->probe->sys, entry->dir_fd, entry->name, &st);
	if (error < 0) {
		if (error != -ENOENT && !tree->collection) {
			probe_partial(tree->probe, "tree", path_parent(entry->path), "denied", 1);
		}
		return false;
	}
	tree_object(tree, entry->path, entry->dir_fd, entry->name, &st);
	return S_ISDIR(st.mode);
}

static void tree_fault(void *context, struct bytes path, const char *reason)
{
	struct tree *tree = context;
	bool is_mount = strcmp(reason, "pseudo") == 0 || strcmp(reason, "network") == 0 ||
			strcmp(reason, "fuse") == 0 || strcmp(reason, "autofs") == 0 ||
			strcmp(reason, "unknown") == 0;

	coverage_tell(&tree->probe->coverage, "tree", path,
		      is_mount ? COVERAGE_SKIPPED : COVERAGE_PARTIAL, reason, 1);
}

static bool tree_go_on(void *context)
{
	struct tree *tree = context;

	return tree->collection || probe_go_on(tree->probe);
}

static void walk_tree(struct tree *tree, struct bytes start, bool flat)
{
	struct probe *probe = tree->probe;
	const struct walk_client client = {
		.filter = tree_filter,
		.visit = tree_visit,
		.fault = tree_fault,
		.go_on = tree_go_on,
		.context = tree,
	};
	int error;

	probe->walk.flat = flat;
	probe->walk.skip_binds = false;
	probe->walk.entries_most = probe->plan.budget_entries;
	if (tree->collection) {
		/* What the stat pass was allowed to see is seen again. */
		probe->walk.entries_most = 0;
	}
	error = walk_run(&probe->walk, start, &client);
	if (error < 0 && error != -ENOENT) {
		tree_fault(tree, start, error == -EACCES ? "denied" : "error");
	}
	if (!tree->collection && probe->walk.entries_most != 0 &&
	    probe->walk.entries > probe->walk.entries_most) {
		probe_partial(probe, "tree", start, "budget-entries", 1);
	}
}

/* The root itself. True where it is a directory that may be walked. */
static bool tree_root(struct tree *tree, bool is_entry)
{
	struct probe *probe = tree->probe;
	uint64_t hash = table_hash(&probe->owned, tree->root);
	enum mount_class class;
	struct sys_stat st;

	if (!mounts_may_enter(&probe->mounts, tree->root, &class)) {
		tree_fault(tree, tree->root, mount_class_name(class));
		return false;
	}
	if (place_open(&probe->place, tree->root) != 0 ||
	    sys_stat_at(&probe->sys, probe->place.fd, probe->place.name, &st) != 0) {
		if (!tree->collection) {
			coverage_tell(&probe->coverage, "tree", tree->root, COVERAGE_SKIPPED,
				      "absent", 1);
		}
		return false;
	}
	if (is_entry && tree->root.len > 1 && !table_has(&probe->owned, hash) &&
	    !is_excluded(tree, tree->root)) {
		tree_object(tree, tree->root, probe->place.fd, probe->place.name, &st);
	}
	return S_ISDIR(st.mode);
}

void scan_trees(struct probe *probe)
{
	const struct bytes none = {NULL, 0};
	struct section_key flags_key = section_key_make(SECTION_FLAGS, none, none, none, none);
	struct tree tree = {.probe = probe, .flags = CATALOG_NONE};

	if (probe->plan.checks & CHECK_FLAGS) {
		for (uint32_t i = 0; i < probe->catalog.count; i++) {
			if (probe->catalog.list[i].kind == flags_key.kind) {
				tree.flags = i;
			}
		}
	}
	for (size_t i = 0; i < probe->roots.count; i++) {
		tree.root = probe->roots.item[i];
		tree.objects = 0;
		for (size_t d = 0; d <= TREE_KEY_DEPTH; d++) {
			tree.section[d] = CATALOG_NONE;
		}
		if (tree_root(&tree, true)) {
			walk_tree(&tree, tree.root, false);
			coverage_tell(&probe->coverage, "tree", tree.root, COVERAGE_DONE, "",
				      tree.objects);
		}
		if (!probe_go_on(probe)) {
			probe_partial(probe, "tree", tree.root, "budget-time", 1);
			return;
		}
	}
}

/* The same objects as the stat pass put into the section, root by root in canonical order. */
void collect_tree(struct collection *collection, struct bytes directory)
{
	struct probe *probe = collection->probe;
	struct tree tree = {.probe = probe, .collection = collection};
	bool is_deep = path_depth(directory) == TREE_KEY_DEPTH;

	for (size_t i = 0; i < probe->roots.count; i++) {
		struct bytes root = probe->roots.item[i];
		bool is_entry = root.len > 1 &&
				bytes_equal(path_cut(path_parent(root), TREE_KEY_DEPTH), directory);
		bool is_below = path_is_within(root, directory);
		bool is_above = path_is_within(directory, root);

		tree.root = root;
		if (!is_entry && !is_above && !(is_below && is_deep)) {
			continue;
		}
		if (!tree_root(&tree, is_entry)) {
			continue;
		}
		if (is_above) {
			walk_tree(&tree, directory, !is_deep);
		} else if (is_deep) {
			walk_tree(&tree, root, false);
		}
	}
}
