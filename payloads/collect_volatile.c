// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/collect.h"
#include "payloads/oddity.h"
#include "schema/glob.h"

struct volatile_walk {
	struct probe *probe;
	struct collection *collection; /* NULL in the stat pass */
	struct bytes root;
	bool is_web;
	uint32_t section;
	uint64_t objects;
};

static enum walk_want volatile_filter(void *context, const struct walk_entry *entry)
{
	struct volatile_walk *walk = context;

	walk->objects++;
	for (size_t i = 0; i < walk->probe->plan.excludes.count; i++) {
		struct bytes pattern = walk->probe->plan.excludes.item[i];

		if (glob_match_path(pattern, entry->path)) {
			if (!walk->collection) {
				coverage_add(&walk->probe->coverage, "volatile", pattern,
					     COVERAGE_SKIPPED, "excluded", 1);
			}
			return WALK_DROP;
		}
	}
	return WALK_KEEP;
}

/* A regular file that is not executable: whether its first bytes or attributes tell. */
static bool is_telling_content(struct volatile_walk *walk, const struct walk_entry *entry)
{
	struct reader *reader = &walk->probe->reader;
	enum entry_magic magic = ENTRY_MAGIC_NONE;
	uint8_t caps[ENTRY_CAPS_MAX];
	struct sys_stat opened;
	int fd = -1;
	enum file_result result = file_open(reader, entry->dir_fd, entry->name, &fd, &opened);
	bool tells = false;

	if (result == FILE_READ) {
		tells = sys_xattr_get(-1, "", fd, "security.capability", caps, sizeof(caps)) > 0;
		result = file_peek(reader, fd, &opened, &magic);
		close(fd);
	}
	if (result == FILE_DENIED && !walk->collection) {
		probe_partial(walk->probe, "volatile", walk->root, "denied", 1);
	}
	return tells || magic != ENTRY_MAGIC_NONE;
}

static bool is_telling(struct volatile_walk *walk, const struct walk_entry *entry,
		       const struct sys_stat *st)
{
	struct bytes name = bytes_from_string(entry->name);
	struct bytes below = {entry->path.data + walk->root.len + (walk->root.len > 1),
			      entry->path.len - walk->root.len - (walk->root.len > 1)};

	if (oddity_is_odd_name(name) || oddity_is_hidden_name(name)) {
		return true;
	}
	switch (st->mode & S_IFMT) {
	case S_IFREG:
		return (st->mode & 06111) != 0 || (walk->is_web && oddity_is_web_script(name)) ||
		       is_telling_content(walk, entry);
	case S_IFDIR:
		return walk->is_web && st->mode & S_IWOTH && !(st->mode & S_ISVTX);
	case S_IFLNK:
		return false;
	case S_IFSOCK:
	case S_IFIFO:
		return !oddity_is_socket_place(below);
	default:
		return true;
	}
}

static bool volatile_visit(void *context, const struct walk_entry *entry)
{
	struct volatile_walk *walk = context;
	struct probe *probe = walk->probe;
	struct sys_stat st;
	int error = sys_stat_at(&probe->sys, entry->dir_fd, entry->name, &st);

	if (error < 0) {
		if (error != -ENOENT && !walk->collection) {
			probe_partial(probe, "volatile", walk->root, "denied", 1);
		}
		return false;
	}
	if (is_telling(walk, entry, &st)) {
		if (walk->collection) {
			struct subject object = {.path = entry->path,
						 .dir_fd = entry->dir_fd,
						 .name = entry->name,
						 .st = st,
						 .check = "volatile"};

			object_add(walk->collection, &object,
				   OBJECT_CONTENT | OBJECT_TIME | OBJECT_MAGIC);
		} else {
			scan_sum(probe, walk->section,
				 object_stat(probe, entry->path, &st, OBJECT_CONTENT));
			scan_touch(probe, walk->section, entry->path);
		}
	}
	return S_ISDIR(st.mode);
}

static void volatile_fault(void *context, struct bytes path, const char *reason)
{
	struct volatile_walk *walk = context;

	coverage_tell(&walk->probe->coverage, "volatile", path,
		      strncmp(reason, "budget", 6) == 0 || strcmp(reason, "denied") == 0 ||
				      strcmp(reason, "error") == 0
			      ? COVERAGE_PARTIAL
			      : COVERAGE_SKIPPED,
		      reason, 1);
}

static bool volatile_go_on(void *context)
{
	struct volatile_walk *walk = context;

	return walk->collection || probe_go_on(walk->probe);
}

/* False where there is no such directory. */
static bool walk_volatile(struct volatile_walk *walk)
{
	struct probe *probe = walk->probe;
	const struct walk_client client = {
		.filter = volatile_filter,
		.visit = volatile_visit,
		.fault = volatile_fault,
		.go_on = volatile_go_on,
		.context = walk,
	};
	enum mount_class class;
	int error;

	if (!mounts_may_enter(&probe->mounts, walk->root, &class)) {
		volatile_fault(walk, walk->root, mount_class_name(class));
		return true;
	}
	walk->is_web = path_in_list(&probe->plan.web_roots, walk->root);
	probe->walk.flat = false;
	probe->walk.skip_binds = false;
	probe->walk.entries_most = walk->collection ? 0 : probe->plan.budget_entries;
	error = walk_run(&probe->walk, walk->root, &client);
	if (error < 0 && error != -ENOENT) {
		/* /tmp that is a link and the like: what it leads to is not what was asked for. */
		volatile_fault(walk, walk->root, error == -EACCES ? "denied" : "error");
	}
	return error != -ENOENT;
}

void scan_volatiles(struct probe *probe)
{
	const struct bytes none = {NULL, 0};

	for (size_t i = 0; i < probe->volatiles.count; i++) {
		struct volatile_walk walk = {.probe = probe, .root = probe->volatiles.item[i]};
		struct section_key key =
			section_key_make(SECTION_VOLATILE, walk.root, none, none, none);
		uint32_t before = probe->catalog.count;

		if (!probe_go_on(probe)) {
			probe_partial(probe, "volatile", walk.root, "budget-time", 1);
			continue;
		}
		walk.section = scan_section(probe, &key, (uint32_t)i, 0);
		if (!walk_volatile(&walk)) {
			probe->catalog.count = before;
			coverage_tell(&probe->coverage, "volatile", walk.root, COVERAGE_SKIPPED,
				      "absent", 1);
			continue;
		}
		coverage_tell(&probe->coverage, "volatile", walk.root, COVERAGE_DONE, "",
			      walk.objects);
	}
}

void collect_volatile(struct collection *collection, struct bytes root)
{
	struct volatile_walk walk = {
		.probe = collection->probe, .collection = collection, .root = root};

	(void)walk_volatile(&walk);
}
