// SPDX-License-Identifier: MIT
#include "payloads/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/collect.h"
#include "payloads/match.h"

#define LOCKED_WAIT_MS 2000

uint32_t scan_section(struct probe *probe, const struct section_key *key, uint32_t ref, uint32_t db)
{
	uint32_t index = catalog_add(&probe->catalog, key, ref, db);

	if (index == CATALOG_NONE) {
		probe_partial(probe, section_kind_name(key->kind), key->part[key->count - 1],
			      "budget-sections", 1);
	}
	return index;
}

void scan_touch(struct probe *probe, uint32_t index, struct bytes path)
{
	if (index != CATALOG_NONE && probe->plan.always.count > 0 &&
	    !(probe->catalog.list[index].flags & CATALOG_ALWAYS) &&
	    match_any(&probe->plan.always, path)) {
		probe->catalog.list[index].flags |= CATALOG_ALWAYS;
	}
}

void scan_always(struct probe *probe, uint32_t index)
{
	if (index != CATALOG_NONE) {
		probe->catalog.list[index].flags |= CATALOG_ALWAYS;
	}
}

/* Sections of records that are cheap to make: their stat digest comes from their bytes. */
static void scan_record_section(struct probe *probe, const struct section_key *key, uint32_t db)
{
	struct sink sink;
	struct collection collection = {.probe = probe, .sink = &sink};
	uint32_t index = scan_section(probe, key, 0, db);

	if (index != CATALOG_NONE) {
		sink_init(&sink);
		collect_section(&collection, index);
		probe->catalog.list[index].stat = collection.stat;
	}
}

void scan_facts(struct probe *probe)
{
	const struct bytes none = {NULL, 0};
	struct section_key key;

	for (uint32_t i = 0; i < probe->db_count && probe->plan.checks & CHECK_PACKAGES; i++) {
		struct bytes manager = bytes_from_string(probe->db[i]->type->manager);

		key = section_key_make(SECTION_PACKAGES, manager, none, none, none);
		scan_record_section(probe, &key, i);
		if (bytes_equal_string(manager, "rpm")) {
			key = section_key_make(SECTION_INSTALLS, manager, none, none, none);
			scan_record_section(probe, &key, i);
		}
		key = section_key_make(SECTION_EXCEPTIONS, manager, none, none, none);
		scan_record_section(probe, &key, i);
	}
	if (probe->plan.checks & CHECK_MOUNTS) {
		key = section_key_make(SECTION_MOUNTS, none, none, none, none);
		scan_record_section(probe, &key, 0);
		coverage_tell(&probe->coverage, "mounts", none, COVERAGE_DONE, "",
			      probe->mounts.count);
	}
	key = section_key_make(SECTION_HOST, none, none, none, none);
	scan_record_section(probe, &key, 0);
}

static void tell_gap(void *context, struct bytes subject, enum coverage_state state,
		     const char *reason, uint64_t count)
{
	struct probe *probe = context;

	coverage_tell(&probe->coverage, "packages", subject, state, reason, count);
}

static void open_databases(struct probe *probe)
{
	const struct package_db_host host = {
		.root_fd = probe->root_fd, .context = probe, .gap = tell_gap};

	for (size_t i = 0; package_db_types[i] && probe->db_count < PROBE_DBS_MAX; i++) {
		struct package_db *db;

		if (package_db_open(package_db_types[i], &host, &db) == PACKAGE_DB_FOUND) {
			probe->db[probe->db_count++] = db;
		}
	}
	if (probe->db_count == 0) {
		coverage_tell(&probe->coverage, "packages", BYTES_LITERAL(""), COVERAGE_UNSUPPORTED,
			      "no-database", 1);
	}
}

static void close_databases(struct probe *probe)
{
	while (probe->db_count > 0) {
		package_db_close(probe->db[--probe->db_count]);
	}
}

static int load_names(struct probe *probe, struct names *names, const char *path)
{
	int fd = openat(probe->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int error = -EINVAL;

	if (fd < 0) {
		error = -errno;
	} else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		error = names_load(names, fd);
	}
	if (fd >= 0) {
		close(fd);
	}
	names_finish(names);
	if (error < 0) {
		coverage_tell(&probe->coverage, "names", bytes_from_string(path), COVERAGE_PARTIAL,
			      error == -EACCES ? "denied" : "error", 1);
	}
	return error;
}

static int by_path(const void *a, const void *b)
{
	return bytes_path_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Absolute, without a slash at the end or two in a row, without "." and "..". */
static bool is_canonical(struct bytes path)
{
	if (path.len == 0 || path.data[0] != '/' || memchr(path.data, '\0', path.len) ||
	    path.len > ENTRY_PATH_MAX) {
		return false;
	}
	for (size_t at = 1; at < path.len;) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		struct bytes name = {path.data + at, end - at};

		if (name.len == 0 || bytes_equal_string(name, ".") ||
		    bytes_equal_string(name, "..")) {
			return false;
		}
		at = end + 1;
	}
	return path.len == 1 || path.data[path.len - 1] != '/';
}

static void add_roots(struct probe *probe, struct plan_list *to, const struct plan_list *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct bytes path = from->item[i];

		while (path.len > 1 && path.data[path.len - 1] == '/') {
			path.len--;
		}
		if (!is_canonical(path) || to->count == PLAN_ITEMS_MAX) {
			probe_partial(probe, "plan", path, "root", 1);
		} else {
			to->item[to->count++] = path;
		}
	}
}

/* Sorted, each once, none below another. */
static void tidy_roots(struct plan_list *roots)
{
	size_t kept = 0;

	qsort(roots->item, roots->count, sizeof(roots->item[0]), by_path);
	for (size_t i = 0; i < roots->count; i++) {
		if (kept == 0 || !path_is_within(roots->item[i], roots->item[kept - 1])) {
			roots->item[kept++] = roots->item[i];
		}
	}
	roots->count = kept;
}

static void take_plan(struct probe *probe)
{
	const struct plan *plan = &probe->plan;
	struct plan_list *volatiles = &probe->volatiles;
	size_t kept = 0;

	probe->roots.count = 0;
	add_roots(probe, &probe->roots, &plan->roots);
	tidy_roots(&probe->roots);
	volatiles->count = 0;
	add_roots(probe, volatiles, &plan->volatiles);
	add_roots(probe, volatiles, &plan->web_roots);
	tidy_roots(volatiles);
	/* A root that holds a volatile one is searched whole anyway. */
	for (size_t i = 0; i < volatiles->count; i++) {
		if (!(plan->checks & CHECK_TREE) ||
		    !path_in_list(&probe->roots, volatiles->item[i])) {
			volatiles->item[kept++] = volatiles->item[i];
		}
	}
	volatiles->count = kept;
	probe->reader.budget_bytes = plan->budget_read_bytes;
	probe->reader.rate_bytes_s = plan->rate_bytes_s;
	probe->reader.deadline_ns =
		plan->budget_s ? probe->start_ns + (int64_t)plan->budget_s * 1000000000 : 0;
	probe->walk.depth_most = plan->budget_depth;
	table_init(&probe->owned, plan->seed, PROBE_OWNED_MAX);
	table_init(&probe->seen_dirs, plan->seed, PROBE_OWNED_MAX / 4);
}

static bool look_for_labels(struct probe *probe)
{
	uint8_t value[256];

	if (!(probe->plan.checks & CHECK_LABELS)) {
		return false;
	}
	if (sys_xattr_get(probe->root_fd, "etc", -1, "security.selinux", value, sizeof(value)) >
	    0) {
		return true;
	}
	coverage_tell(&probe->coverage, "labels", BYTES_LITERAL(""), COVERAGE_UNSUPPORTED,
		      "no-labels", 1);
	return false;
}

static void scan_once(struct probe *probe)
{
	probe->scanned_ns = sys_clock_ns();
	catalog_reset(&probe->catalog);
	timeline_reset(&probe->timeline);
	table_clear(&probe->owned);
	table_clear(&probe->seen_dirs);
	probe->dirs.count = 0;
	probe->dirs.text_len = 0;
	probe->found.count = 0;
	probe->found.text_len = 0;
	probe->entries = 0;
	probe->walk.entries = 0;
	open_databases(probe);
	if (!scan_packages(probe)) {
		return;
	}
	if (probe->plan.checks & CHECK_TREE) {
		scan_trees(probe);
	}
	if (probe->plan.checks & CHECK_VOLATILE) {
		scan_volatiles(probe);
	}
	if (probe->plan.checks & CHECK_SETID) {
		scan_setid(probe);
	}
}

static enum package_db_revision revision(const struct probe *probe)
{
	enum package_db_revision worst = PACKAGE_DB_SAME;

	for (size_t i = 0; i < probe->db_count; i++) {
		enum package_db_revision now = package_db_check(probe->db[i]);

		worst = now > worst ? now : worst;
	}
	return worst;
}

void scan_check_databases(struct probe *probe)
{
	switch (revision(probe)) {
	case PACKAGE_DB_SAME:
		break;
	case PACKAGE_DB_LOCKED:
		coverage_tell(&probe->coverage, "packages", BYTES_LITERAL(""), COVERAGE_PARTIAL,
			      "locked", 1);
		break;
	case PACKAGE_DB_CHANGED:
		coverage_tell(&probe->coverage, "packages", BYTES_LITERAL(""), COVERAGE_PARTIAL,
			      "changed", 1);
		break;
	}
}

static void wait_for_lock(struct probe *probe)
{
	for (int waited = 0; waited < LOCKED_WAIT_MS && revision(probe) == PACKAGE_DB_LOCKED &&
			     !reader_is_late(&probe->reader);
	     waited += 100) {
		channel_pulse(&probe->channel, 100);
	}
}

/* The digest is 0 for nobody: the controller takes 0 for "not known". */
static void finish_stats(struct probe *probe)
{
	for (uint32_t i = 0; i < probe->catalog.count; i++) {
		struct catalog_item *item = &probe->catalog.list[i];

		item->stat = item->stat != 0 ? item->stat : 1;
	}
}

enum status scan_host(struct probe *probe)
{
	int error;

	take_plan(probe);
	error = mounts_load(&probe->mounts, &probe->owned, probe->host->mountinfo);
	if (error < 0) {
		/* Without it nobody knows what would hang: nothing is looked at. */
		coverage_tell(&probe->coverage, "mounts", BYTES_LITERAL(""), COVERAGE_PARTIAL,
			      "error", 1);
		catalog_sort(&probe->catalog);
		return STATUS_DONE;
	}
	if (names_init(&probe->users) != 0 || names_init(&probe->groups) != 0) {
		return STATUS_MEMORY;
	}
	(void)load_names(probe, &probe->users, "etc/passwd");
	(void)load_names(probe, &probe->groups, "etc/group");
	place_init(&probe->place, &probe->sys, &probe->mounts, probe->root_fd);
	probe->walk.sys = &probe->sys;
	probe->walk.mounts = &probe->mounts;
	probe->walk.hasher = &probe->owned;
	probe->walk.root_fd = probe->root_fd;
	probe->has_labels = look_for_labels(probe);
	scan_once(probe);
	if (revision(probe) == PACKAGE_DB_LOCKED) {
		wait_for_lock(probe);
	}
	if (revision(probe) == PACKAGE_DB_CHANGED && !reader_is_late(&probe->reader)) {
		close_databases(probe);
		scan_once(probe);
	}
	scan_facts(probe);
	catalog_sort(&probe->catalog);
	if (probe->catalog.left_out > 0) {
		probe_partial(probe, "packages", BYTES_LITERAL(""), "duplicate",
			      probe->catalog.left_out);
	}
	finish_stats(probe);
	return STATUS_DONE;
}
