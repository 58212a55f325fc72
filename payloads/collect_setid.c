// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "payloads/collect.h"
#include "schema/glob.h"

struct setid_walk {
	struct probe *probe;
	uint32_t section;
	uint64_t objects;
};

/* Whether another section holds what is there: then it is left to that one. */
static bool is_elsewhere(const struct probe *probe, struct bytes path)
{
	return (probe->plan.checks & CHECK_TREE && path_in_list(&probe->roots, path)) ||
	       (probe->plan.checks & CHECK_VOLATILE && path_in_list(&probe->volatiles, path));
}

/* Capabilities work only where the file may be executed. */
static bool has_caps(struct probe *probe, const struct walk_entry *entry)
{
	uint8_t caps[ENTRY_CAPS_MAX];
	ssize_t len;

	len = sys_xattr_get(entry->dir_fd, entry->name, -1, "security.capability", caps,
			    sizeof(caps));
	if (len == -EACCES || len == -EPERM) {
		probe_partial(probe, "caps", BYTES_LITERAL(""), "denied", 1);
	}
	return len > 0;
}

static enum walk_want setid_filter(void *context, const struct walk_entry *entry)
{
	struct setid_walk *walk = context;
	struct probe *probe = walk->probe;
	struct sys_stat st;

	walk->objects++;
	if (entry->type == DT_DIR) {
		if (is_elsewhere(probe, entry->path)) {
			return WALK_DROP;
		}
		for (size_t i = 0; i < probe->plan.excludes.count; i++) {
			if (glob_match_path(probe->plan.excludes.item[i], entry->path)) {
				coverage_add(&probe->coverage, "setid",
					     probe->plan.excludes.item[i], COVERAGE_SKIPPED,
					     "excluded", 1);
				return WALK_DROP;
			}
		}
		return WALK_KEEP;
	}
	if (entry->type != DT_REG || table_has(&probe->owned, entry->hash) ||
	    is_elsewhere(probe, entry->path)) {
		return WALK_DROP;
	}
	if (sys_stat_at(&probe->sys, entry->dir_fd, entry->name, &st) != 0 || !S_ISREG(st.mode) ||
	    ((st.mode & (S_ISUID | S_ISGID)) == 0 &&
	     ((st.mode & 0111) == 0 || !has_caps(probe, entry)))) {
		return WALK_DROP;
	}
	return WALK_KEEP;
}

static bool setid_visit(void *context, const struct walk_entry *entry)
{
	struct setid_walk *walk = context;
	struct probe *probe = walk->probe;
	struct sys_stat st;

	if (entry->type == DT_DIR) {
		return true;
	}
	if (!path_list_add(&probe->found, entry->path)) {
		probe_partial(probe, "setid", BYTES_LITERAL(""), "budget-memory", 1);
		return false;
	}
	if (sys_stat_at(&probe->sys, entry->dir_fd, entry->name, &st) == 0) {
		scan_sum(probe, walk->section,
			 object_stat(probe, entry->path, &st, OBJECT_CONTENT));
		scan_touch(probe, walk->section, entry->path);
	} else {
		scan_sum(probe, walk->section, object_absent(entry->path));
	}
	return false;
}

static void setid_fault(void *context, struct bytes path, const char *reason)
{
	struct setid_walk *walk = context;
	bool is_whole = strcmp(reason, "pseudo") == 0 || strcmp(reason, "bind") == 0;
	bool is_mount = strcmp(reason, "network") == 0 || strcmp(reason, "fuse") == 0 ||
			strcmp(reason, "autofs") == 0 || strcmp(reason, "unknown") == 0;

	/* Pseudo file systems hold no programs, and a bind mount's are seen where they stand. */
	if (!is_whole) {
		coverage_tell(&walk->probe->coverage, "setid", path,
			      is_mount ? COVERAGE_SKIPPED : COVERAGE_PARTIAL, reason, 1);
	}
}

static bool setid_go_on(void *context)
{
	struct setid_walk *walk = context;

	return probe_go_on(walk->probe);
}

void scan_setid(struct probe *probe)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_SETID, none, none, none, none);
	struct setid_walk walk = {.probe = probe};
	const struct walk_client client = {
		.filter = setid_filter,
		.visit = setid_visit,
		.fault = setid_fault,
		.go_on = setid_go_on,
		.context = &walk,
	};

	walk.section = scan_section(probe, &key, 0, 0);
	probe->walk.flat = false;
	probe->walk.skip_binds = true;
	probe->walk.entries_most = probe->plan.budget_entries;
	(void)walk_run(&probe->walk, BYTES_LITERAL("/"), &client);
	if (probe->walk.entries_most != 0 && probe->walk.entries > probe->walk.entries_most) {
		probe_partial(probe, "setid", BYTES_LITERAL(""), "budget-entries", 1);
	}
	if (reader_is_late(&probe->reader)) {
		probe_partial(probe, "setid", BYTES_LITERAL(""), "budget-time", 1);
	}
	coverage_tell(&probe->coverage, "setid", none, COVERAGE_DONE, "", walk.objects);
}

void collect_setid(struct collection *collection)
{
	struct probe *probe = collection->probe;

	for (size_t i = 0; i < probe->found.count; i++) {
		struct subject object = {.path = path_list_get(&probe->found, i), .check = "setid"};

		if (place_open(&probe->place, object.path) != 0 ||
		    sys_stat_at(&probe->sys, probe->place.fd, probe->place.name, &object.st) != 0) {
			collection->stat += object_absent(object.path);
			continue;
		}
		object.dir_fd = probe->place.fd;
		object.name = probe->place.name;
		object_add(collection, &object, OBJECT_CONTENT | OBJECT_TIME | OBJECT_MAGIC);
	}
}
