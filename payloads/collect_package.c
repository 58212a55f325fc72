// SPDX-License-Identifier: MIT
#include <errno.h>
#include <sys/stat.h>

#include "payloads/collect.h"

/* A database's path at its place on disk. */
struct found {
	struct sys_stat st;
	bool is_there;
};

static void tell_place(struct probe *probe, int error)
{
	const struct place *place = &probe->place;
	struct bytes parent = bytes_make(place->parent, place->parent_len);

	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		break; /* not there: the claims say that it should be */
	case -EXDEV:
		coverage_tell(&probe->coverage, "packages", parent, COVERAGE_SKIPPED,
			      mount_class_name(place->barred), 1);
		break;
	case -ELOOP:
		coverage_tell(&probe->coverage, "packages", parent, COVERAGE_PARTIAL, "link", 1);
		break;
	case -EACCES:
	case -EPERM:
		coverage_tell(&probe->coverage, "packages", parent, COVERAGE_PARTIAL, "denied", 1);
		break;
	default:
		coverage_tell(&probe->coverage, "packages", parent, COVERAGE_PARTIAL, "error", 1);
		break;
	}
}

/* Mount points are not looked at where their file system is not: asked before any stat. */
static void find(struct probe *probe, struct bytes path, uint64_t hash, struct found *found)
{
	enum mount_class class = mounts_at(&probe->mounts, hash);
	int error;

	found->is_there = false;
	if (class != MOUNT_NONE && !mount_class_is_local(class)) {
		coverage_tell(&probe->coverage, "packages", path, COVERAGE_SKIPPED,
			      mount_class_name(class), 1);
		return;
	}
	error = place_open(&probe->place, path);
	if (error == 0) {
		error = sys_stat_at(&probe->sys, probe->place.fd, probe->place.name, &found->st);
	}
	if (error != 0) {
		tell_place(probe, error);
		return;
	}
	found->is_there = true;
}

static bool is_object(const struct claim *claim)
{
	return !(claim->flags & CLAIM_REPEAT) && claim->flags & (CLAIM_LISTED | CLAIM_CONFFILE);
}

/* Of a ghost nothing but type, mode and owner is the package's: its entry stands in [config] too. */
static bool is_of_config(const struct claim *claim)
{
	return claim->flags & (CLAIM_CONFFILE | CLAIM_GHOST);
}

static unsigned want_of(const struct claim *claim)
{
	return claim->flags & CLAIM_GHOST ? 0 : OBJECT_CONTENT | OBJECT_TIME;
}

static bool is_of_dirs(const struct claim *claim, const struct found *found)
{
	/* Callers ask of what is there. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	return S_ISDIR(found->st.mode) || claim->flags & CLAIM_ALIAS;
}

/* The stat pass over one package. */
struct package_scan {
	struct probe *probe;
	const struct package *package;
	const char *manager;
	uint32_t number;
	uint32_t db;
	uint32_t claims; /* sections, CATALOG_NONE where there is none (yet) */
	uint32_t content;
	uint32_t config;
	uint32_t label;
	uint32_t dirs;
	uint32_t flags;
};

/* Of a package that is removed and not purged, the configuration is all that is collected. */
static bool is_held(const struct package_scan *scan, const struct claim *claim)
{
	return scan->package->state != PACKAGE_CONFIG_FILES || is_of_config(claim);
}

static uint32_t package_section(struct package_scan *scan, enum section_kind kind)
{
	const struct package *package = scan->package;
	struct section_key key = section_key_make(kind, bytes_from_string(scan->manager),
						  package->name, package->version, package->arch);

	return scan->probe->plan.checks & CHECK_PACKAGES
		       ? scan_section(scan->probe, &key, scan->number, scan->db)
		       : CATALOG_NONE;
}

/* Where a link leads to the parent, the file is owned under its real name too. */
static void own_real_name(struct probe *probe)
{
	const struct place *place = &probe->place;
	char path[2 * ENTRY_PATH_MAX + 2];
	size_t len = place->real_len > 1 ? place->real_len : 0;
	size_t name_len = strlen(place->name);

	memcpy(path, place->real, len);
	path[len++] = '/';
	memcpy(path + len, place->name, name_len);
	(void)table_add(&probe->owned, table_hash(&probe->owned, bytes_make(path, len + name_len)));
	coverage_tell(&probe->coverage, "packages", bytes_make(place->parent, place->parent_len),
		      COVERAGE_DONE, "through-link", 1);
}

static void scan_object(struct package_scan *scan, const struct claim *claim, bool is_new,
			const struct found *found)
{
	struct probe *probe = scan->probe;
	uint32_t section = is_of_config(claim) ? scan->config : scan->content;
	uint64_t part;

	if (!found->is_there) {
		scan_sum(probe, section, object_absent(claim->path));
		return;
	}
	if (is_of_dirs(claim, found)) {
		(void)table_add(&probe->seen_dirs, table_hash(&probe->owned, claim->place));
		if (!is_new) {
			return;
		}
		if (!path_list_add(&probe->dirs, claim->place)) {
			probe_partial(probe, "packages", BYTES_LITERAL("[dirs]"), "budget-memory",
				      1);
			return;
		}
		scan_sum(probe, scan->dirs, object_stat(probe, claim->place, &found->st, 0));
		part = object_stat(probe, claim->place, &found->st, OBJECT_TIME);
	} else {
		part = object_stat(probe, claim->path, &found->st, want_of(claim));
		scan_sum(probe, section, part);
		if (claim->flags & CLAIM_GHOST) {
			return;
		}
		scan_sum(probe, scan->label, part);
	}
	if (is_new) {
		/* Only what the walk of [flags] visits. */
		if (path_in_list(&probe->roots, claim->place)) {
			scan_sum(probe, scan->flags, part);
		}
		object_note_time(probe, claim->place, &found->st);
	}
}

static bool scan_claim(void *context, const struct claim *claim)
{
	struct package_scan *scan = context;
	struct probe *probe = scan->probe;
	struct found found;
	enum table_added added;
	uint64_t hash;

	if (!probe_go_on(probe)) {
		return false;
	}
	if (!is_object(claim)) {
		return true;
	}
	probe->entries++;
	hash = table_hash(&probe->owned, claim->place);
	if (table_has(&probe->seen_dirs, hash)) {
		return true;
	}
	find(probe, claim->place, hash, &found);
	/* What is owned is looked for nowhere else: so only what some section of a package holds. */
	if (!is_held(scan, claim) && !(found.is_there && is_of_dirs(claim, &found))) {
		return true;
	}
	added = table_add(&probe->owned, hash);
	if (added == TABLE_FULL) {
		probe_partial(probe, "tree", BYTES_LITERAL(""), "budget-memory", 1);
	}
	if (is_of_config(claim) && scan->config == CATALOG_NONE) {
		scan->config = package_section(scan, SECTION_CONFIG);
	}
	if (probe->plan.always.count > 0 && !(claim->flags & CLAIM_GHOST)) {
		uint32_t section = is_of_config(claim) ? scan->config : scan->content;

		scan_touch(probe, section, claim->path);
		scan_touch(probe, scan->claims, claim->path);
	}
	if (found.is_there && probe->place.through_link) {
		own_real_name(probe);
	}
	scan_object(scan, claim, added == TABLE_NEW, &found);
	return true;
}

static void note_install(struct probe *probe, const struct package *package)
{
	uint8_t text[1024];
	struct bytes part[] = {package->name, package->version, package->arch};
	size_t len = 0;

	if (!(probe->plan.checks & CHECK_TIMELINE) || package->install_s <= 0 ||
	    package->install_s > INT64_MAX / 1000000000 ||
	    package->install_s * 1000000000 <= probe->plan.since_ns) {
		return;
	}
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].len + 1 > sizeof(text) - len) {
			return;
		}
		if (i > 0) {
			text[len++] = ' ';
		}
		memcpy(text + len, part[i].data, part[i].len);
		len += part[i].len;
	}
	timeline_add(&probe->timeline, &(struct timeline_item){
					       .kind = TIMELINE_INSTALL,
					       .path = bytes_make(text, len),
					       .ctime_ns = package->install_s * 1000000000,
				       });
}

static bool scan_db(struct probe *probe, uint32_t number, uint32_t dirs, uint32_t flags)
{
	struct package_db *db = probe->db[number];
	uint32_t count = package_db_count(db);
	bool has_headers = strcmp(db->type->manager, "rpm") == 0;

	for (uint32_t i = 0; i < count; i++) {
		struct package package;
		struct package_scan scan = {
			.probe = probe,
			.package = &package,
			.manager = db->type->manager,
			.number = i,
			.db = number,
			.content = CATALOG_NONE,
			.config = CATALOG_NONE,
			.label = CATALOG_NONE,
			.dirs = dirs,
			.flags = flags,
		};

		if (!probe_go_on(probe)) {
			probe_partial(probe, "packages", BYTES_LITERAL(""), "budget-time",
				      count - i);
			return false;
		}
		package_db_package(db, i, &package);
		scan.claims = package_section(&scan, SECTION_CLAIMS);
		scan_sum(probe, scan.claims, package_db_stamp(db, i));
		if (has_headers) {
			uint32_t header = package_section(&scan, SECTION_HEADER);

			scan_sum(probe, header, package_db_stamp(db, i));
		}
		if (package.state != PACKAGE_CONFIG_FILES) {
			scan.content = package_section(&scan, SECTION_PACKAGE);
			if (probe->has_labels) {
				scan.label = package_section(&scan, SECTION_LABEL);
			}
		}
		(void)package_db_claims(db, i, false, scan_claim, &scan);
		note_install(probe, &package);
	}
	if (probe->plan.checks & CHECK_PACKAGES) {
		coverage_tell(&probe->coverage, "packages", bytes_from_string(db->type->manager),
			      COVERAGE_DONE, "", count);
	}
	return true;
}

bool scan_packages(struct probe *probe)
{
	const struct bytes none = {NULL, 0};
	struct section_key dirs_key = section_key_make(SECTION_DIRS, none, none, none, none);
	struct section_key flags_key = section_key_make(SECTION_FLAGS, none, none, none, none);
	uint32_t dirs = CATALOG_NONE;
	uint32_t flags = CATALOG_NONE;

	if (probe->plan.checks & CHECK_FLAGS) {
		flags = scan_section(probe, &flags_key, 0, 0);
	}
	if (probe->plan.checks & CHECK_PACKAGES) {
		dirs = scan_section(probe, &dirs_key, 0, 0);
		/* A default ACL shows in no stat without times. It costs no reading of content. */
		scan_always(probe, dirs);
	}
	for (uint32_t i = 0; i < probe->db_count; i++) {
		if (!scan_db(probe, i, dirs, flags)) {
			return false;
		}
	}
	path_list_sort(&probe->dirs);
	return true;
}

/* One section's turn. */
struct package_visit {
	struct collection *collection;
	enum section_kind kind;
	bool has_config_md5; /* in the [md5] section */
};

static bool collect_claim(void *context, const struct claim *claim)
{
	struct package_visit *visit = context;
	struct collection *collection = visit->collection;
	struct probe *probe = collection->probe;
	struct subject object = {.path = claim->path, .check = "packages"};
	unsigned want = want_of(claim);
	struct found found;
	uint64_t hash;

	if (!is_object(claim)) {
		return true;
	}
	if (is_of_config(claim) != (visit->kind == SECTION_CONFIG)) {
		/* The MD5 of rpm's configuration stands beside that of its other files. */
		if (!collection->md5 || !visit->has_config_md5 || claim->flags & CLAIM_GHOST) {
			return true;
		}
		want = OBJECT_CONTENT | OBJECT_MD5_ONLY;
	}
	hash = table_hash(&probe->owned, claim->place);
	if (table_has(&probe->seen_dirs, hash)) {
		return true;
	}
	find(probe, claim->place, hash, &found);
	if (want & OBJECT_MD5_ONLY) {
		if (!found.is_there || !S_ISREG(found.st.mode)) {
			return true;
		}
	} else if (!found.is_there) {
		collection->stat += object_absent(claim->path);
		return true;
	}
	if (is_of_dirs(claim, &found)) {
		return true;
	}
	object.dir_fd = probe->place.fd;
	object.name = probe->place.name;
	object.st = found.st;
	object_add(collection, &object, want);
	return true;
}

void collect_package(struct collection *collection, const struct catalog_item *item)
{
	struct probe *probe = collection->probe;
	struct package_visit visit = {
		.collection = collection,
		.kind = (enum section_kind)item->kind,
		.has_config_md5 = probe->db[item->db]->type->has_md5 != NULL,
	};

	(void)package_db_claims(probe->db[item->db], item->ref, false, collect_claim, &visit);
}

static bool collect_label(void *context, const struct claim *claim)
{
	struct collection *collection = context;
	struct probe *probe = collection->probe;
	uint8_t value[4096];
	struct record record = {.count = LABEL_FIELDS};
	struct found found;
	ssize_t len;

	if (!is_object(claim) || claim->flags & CLAIM_GHOST) {
		return true;
	}
	find(probe, claim->place, table_hash(&probe->owned, claim->place), &found);
	if (!found.is_there || is_of_dirs(claim, &found)) {
		return true;
	}
	collection->stat += object_stat(probe, claim->path, &found.st, OBJECT_CONTENT);
	len = sys_xattr_get(probe->place.fd, probe->place.name, -1, "security.selinux", value,
			    sizeof(value));
	if (len <= 0) {
		if (len == -EACCES) {
			collection->settled = false;
			if (!collection->again) {
				probe_partial(probe, "labels", BYTES_LITERAL(""), "denied", 1);
			}
		}
		return true;
	}
	record.field[LABEL_PATH] = claim->path;
	record.field[LABEL_VALUE] =
		bytes_make(value, value[len - 1] == '\0' ? (size_t)len - 1 : (size_t)len);
	(void)sink_record(collection->sink, &record);
	return true;
}

void collect_labels(struct collection *collection, const struct catalog_item *item)
{
	(void)package_db_claims(collection->probe->db[item->db], item->ref, false, collect_label,
				collection);
}

void collect_dirs(struct collection *collection)
{
	struct probe *probe = collection->probe;

	for (size_t i = 0; i < probe->dirs.count; i++) {
		struct bytes path = path_list_get(&probe->dirs, i);
		struct subject object = {.path = path, .check = "packages"};
		struct found found;

		find(probe, path, table_hash(&probe->owned, path), &found);
		if (!found.is_there) {
			collection->stat += object_absent(path);
			continue;
		}
		object.dir_fd = probe->place.fd;
		object.name = probe->place.name;
		object.st = found.st;
		object_add(collection, &object, 0);
	}
}

static bool collect_record(void *context, const struct record *record)
{
	struct collection *collection = context;

	if (!sink_record(collection->sink, record)) {
		collection->settled = false;
		probe_partial(collection->probe, "packages", record->field[0], "too-large", 1);
	}
	return true;
}

void collect_records(struct collection *collection, const struct catalog_item *item)
{
	struct package_db *db = collection->probe->db[item->db];

	(void)package_db_records(db, (enum section_kind)item->kind, item->ref, collect_record,
				 collection);
	if (item->kind == SECTION_CLAIMS || item->kind == SECTION_HEADER) {
		collection->stat += package_db_stamp(db, item->ref);
		collection->settled = collection->settled &&
				      package_db_check(db) == PACKAGE_DB_SAME;
	}
}
