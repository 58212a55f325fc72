// SPDX-License-Identifier: MIT
/* The table of functions behind payloads/package_db.h for dpkg. */
#include "payloads/dpkg/dpkg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "payloads/digest/sha256.h"
#include "payloads/dpkg/status.h"
#include "payloads/memory.h"

static const char *const locks[] = {"lock-frontend", "lock"};

static struct dpkg *dpkg_of(struct package_db *db)
{
	return (struct dpkg *)db;
}

static const struct dpkg *dpkg_of_const(const struct package_db *db)
{
	return (const struct dpkg *)db;
}

/* Directories below the root are looked up anew: one may have been put in another's place. */
static void stamp_all(const struct dpkg *dpkg, struct package_file_stamp stamp[DPKG_STAMPS])
{
	static const struct {
		const char *dir;
		const char *name;
	} files[DPKG_STAMPS] = {
		{DPKG_DIR, "status"},        {DPKG_DIR, "diversions"},
		{DPKG_DIR, "statoverride"},  {DPKG_DIR, "info"},
		{DPKG_DIR, "updates"},       {DPKG_DIR, "status.d"},
		{DPKG_DIR, "alternatives"},  {DPKG_DIR "/info", "format"},
		{"/etc", "alternatives"},    {"/etc/dpkg", "dpkg.cfg"},
		{"/etc/dpkg", "dpkg.cfg.d"},
	};
	int dir_fd = -1;

	for (size_t i = 0; i < DPKG_STAMPS; i++) {
		if (i == 0 || strcmp(files[i].dir, files[i - 1].dir) != 0) {
			if (dir_fd >= 0) {
				(void)close(dir_fd);
			}
			dir_fd = package_dir_open(dpkg->host.root_fd, files[i].dir);
		}
		stamp[i] = package_file_stamp(dir_fd, files[i].name);
	}
	if (dir_fd >= 0) {
		(void)close(dir_fd);
	}
}

static int open_below(const struct dpkg *dpkg, const char *path, bool is_needed)
{
	int fd = package_dir_open(dpkg->host.root_fd, path);

	if (fd < 0 && (is_needed || errno != ENOENT)) {
		dpkg_gap(dpkg, path, COVERAGE_PARTIAL, package_file_reason(errno), 1);
	}
	return fd;
}

/* info/format: 1 since dpkg 1.16.2; 0 or absent before, with no name:arch files. */
static void read_format(struct dpkg *dpkg)
{
	struct dpkg_lines lines;
	struct bytes line;

	dpkg->has_old_names = dpkg->info_fd >= 0;
	if (dpkg->info_fd < 0 || !dpkg_lines_open(&lines, dpkg, dpkg->info_fd, DPKG_DIR "/info",
						  "format", DPKG_SMALL_MAX, false)) {
		return;
	}
	if (!dpkg_lines_next(&lines, &line)) {
		line.len = 0;
	}
	dpkg->has_old_names = bytes_equal_string(line, "0");
	if (!dpkg->has_old_names && !bytes_equal_string(line, "1")) {
		dpkg_lines_fault(&lines, "format-unknown");
	}
	dpkg_lines_close(&lines);
}

static void dpkg_close(struct package_db *db)
{
	struct dpkg *dpkg = dpkg_of(db);

	if (dpkg->admin_fd >= 0) {
		(void)close(dpkg->admin_fd);
	}
	if (dpkg->info_fd >= 0) {
		(void)close(dpkg->info_fd);
	}
	if (dpkg->status_d_fd >= 0) {
		(void)close(dpkg->status_d_fd);
	}
	diversions_clear(&dpkg->diversions);
	exceptions_clear(&dpkg->exceptions);
	claim_table_clear(&dpkg->claims);
	arena_clear(&dpkg->arena);
	memory_give(dpkg->packages);
	memory_give(dpkg->sorted);
	memory_give(dpkg->installed);
	memory_give(dpkg->buffer);
	memory_give(dpkg);
}

struct dpkg *dpkg_new(const struct package_db_host *host)
{
	struct dpkg *dpkg = memory_take(sizeof(*dpkg));

	if (!dpkg) {
		return NULL;
	}
	dpkg->db.type = &package_db_dpkg;
	dpkg->host = *host;
	dpkg->access = host->access ? host->access : &package_file_plain;
	dpkg->admin_fd = -1;
	dpkg->info_fd = -1;
	dpkg->status_d_fd = -1;
	arena_init(&dpkg->arena, DPKG_ARENA_MAX);
	dpkg->buffer = memory_take(DPKG_LINE_MAX);
	if (!dpkg->buffer || !claim_table_init(&dpkg->claims, CLAIM_TEXT_MAX, CLAIM_ITEMS_MAX)) {
		dpkg_close(&dpkg->db);
		return NULL;
	}
	return dpkg;
}

/* A left-over directory is no database: apt's tools make one on other systems. */
static bool is_database(const struct dpkg *dpkg)
{
	return package_file_stamp(dpkg->admin_fd, "status").inode != 0 ||
	       package_file_stamp(dpkg->admin_fd, "status.d").inode != 0 ||
	       package_file_stamp(dpkg->admin_fd, "info").inode != 0;
}

static enum package_db_found dpkg_open(const struct package_db_host *host, struct package_db **db)
{
	struct dpkg *dpkg = dpkg_new(host);

	if (!dpkg) {
		if (host->gap) {
			host->gap(host->context, BYTES_LITERAL(DPKG_DIR), COVERAGE_PARTIAL,
				  "no-memory", 1);
		}
		return PACKAGE_DB_FAILED;
	}
	dpkg->admin_fd = package_dir_open(host->root_fd, DPKG_DIR);
	if (dpkg->admin_fd < 0 && errno != ENOENT && errno != ENOTDIR) {
		dpkg_gap(dpkg, DPKG_DIR, COVERAGE_PARTIAL, package_file_reason(errno), 1);
		dpkg_close(&dpkg->db);
		return PACKAGE_DB_FAILED;
	}
	if (dpkg->admin_fd < 0 || !is_database(dpkg)) {
		dpkg_close(&dpkg->db);
		return PACKAGE_DB_NONE;
	}
	stamp_all(dpkg, dpkg->stamp);
	dpkg->status_d_fd = open_below(dpkg, DPKG_DIR "/status.d", false);
	dpkg->info_fd = open_below(dpkg, DPKG_DIR "/info", dpkg->status_d_fd < 0);
	path_aliases_read(&dpkg->aliases, host->root_fd);
	read_format(dpkg);
	dpkg_stanzas_read(dpkg);
	diversions_read(dpkg);
	exceptions_read(dpkg);
	if (!dpkg_stanzas_sort(dpkg) || dpkg->package_count == 0) {
		dpkg_gap(dpkg, DPKG_DIR, COVERAGE_PARTIAL,
			 dpkg->package_count == 0 ? "empty" : "no-memory", 1);
		dpkg_close(&dpkg->db);
		return PACKAGE_DB_FAILED;
	}
	*db = &dpkg->db;
	return PACKAGE_DB_FOUND;
}

static uint32_t dpkg_count(const struct package_db *db)
{
	return dpkg_of_const(db)->installed_count;
}

static struct package_file_stamp info_stamp(const struct dpkg *dpkg,
					    const struct dpkg_package *package,
					    const char *extension)
{
	char name[256];
	int dir_fd = package->is_status_d ? dpkg->status_d_fd : dpkg->info_fd;

	if (!dpkg_file_name(dpkg, package, extension, name, sizeof(name))) {
		return (struct package_file_stamp){0, 0, 0, 0};
	}
	return package_file_stamp(dir_fd, name);
}

static void dpkg_package(const struct package_db *db, uint32_t index, struct package *package)
{
	const struct dpkg *dpkg = dpkg_of_const(db);
	const struct dpkg_package *from = dpkg->installed[index];
	struct package_file_stamp stamp =
		info_stamp(dpkg, from, from->is_status_d ? "md5sums" : "list");

	package->name = dpkg_package_part(from, DPKG_NAME);
	package->version = dpkg_package_part(from, DPKG_VERSION);
	package->arch = dpkg_package_part(from, DPKG_ARCH);
	package->install_s = stamp.mtime_ns / 1000000000;
	package->state = from->word == STATUS_INSTALLED      ? PACKAGE_INSTALLED
			 : from->word == STATUS_CONFIG_FILES ? PACKAGE_CONFIG_FILES
							     : PACKAGE_PARTIAL;
}

static uint64_t dpkg_stamp(struct package_db *db, uint32_t index)
{
	const struct dpkg *dpkg = dpkg_of(db);
	const struct dpkg_package *package = dpkg->installed[index];
	struct package_file_stamp files[2];
	struct sha256 hash;
	uint8_t digest[DIGEST_SIZE];
	uint64_t stamp;

	memset(files, 0, sizeof(files));
	files[0] = info_stamp(dpkg, package, "list");
	files[1] = info_stamp(dpkg, package, "md5sums");
	sha256_init(&hash);
	sha256_update(&hash, files, sizeof(files));
	for (int i = 0; i < DPKG_PARTS; i++) {
		struct bytes part = dpkg_package_part(package, (enum dpkg_part)i);

		sha256_update(&hash, part.data, part.len + 1);
	}
	sha256_final(&hash, digest);
	memcpy(&stamp, digest, sizeof(stamp));
	return stamp;
}

static void add_line(struct dpkg *dpkg, struct dpkg_lines *lines, struct bytes package,
		     struct bytes raw, bool rooted, uint32_t flags, const uint8_t *md5)
{
	struct dpkg_place place;
	enum path_fault fault = dpkg_place(dpkg, raw, rooted, package, &place);

	if (fault != PATH_FINE) {
		if (lines) {
			dpkg_lines_fault(lines, path_fault_reason(fault));
		} else {
			dpkg_gap(dpkg, DPKG_DIR "/status", COVERAGE_PARTIAL,
				 path_fault_reason(fault), 1);
		}
		return;
	}
	claim_table_add(&dpkg->claims,
			&(struct claim_input){bytes_make(place.path, place.len),
					      flags | place.flags, place.diversion, md5});
}

static void add_conffiles(struct dpkg *dpkg, const struct dpkg_package *package, bool wants_sums)
{
	struct bytes text = dpkg_package_part(package, DPKG_CONFFILES);
	struct bytes name = dpkg_package_part(package, DPKG_NAME);
	struct bytes line;

	while (text_line_next(&text, &line)) {
		struct conffile conffile;
		uint32_t flags = CLAIM_CONFFILE;

		if (!conffile_parse(line, &conffile)) {
			dpkg_gap(dpkg, DPKG_DIR "/status", COVERAGE_PARTIAL, "conffile-malformed",
				 1);
			continue;
		}
		flags |= conffile.is_obsolete ? CLAIM_OBSOLETE : 0U;
		flags |= conffile.is_removed ? CLAIM_REMOVED : 0U;
		flags |= conffile.is_new ? CLAIM_NEW : 0U;
		add_line(dpkg, NULL, name, conffile.path, true, flags,
			 conffile.has_md5 && wants_sums ? conffile.md5 : NULL);
	}
}

static void add_list(struct dpkg *dpkg, const struct dpkg_package *package)
{
	struct bytes name = dpkg_package_part(package, DPKG_NAME);
	struct dpkg_lines lines;
	struct bytes line;

	if (dpkg_lines_open_list(&lines, dpkg, package)) {
		while (dpkg_lines_next(&lines, &line)) {
			add_line(dpkg, &lines, name, line, true, CLAIM_LISTED, NULL);
		}
		dpkg_lines_close(&lines);
	}
}

static void add_sums(struct dpkg *dpkg, const struct dpkg_package *package, bool wants_sums)
{
	struct bytes name = dpkg_package_part(package, DPKG_NAME);
	/* A distroless package has no other list. */
	uint32_t flags = CLAIM_SUMMED | (package->is_status_d ? CLAIM_LISTED : 0U);
	struct dpkg_lines lines;
	struct bytes line;

	if (!dpkg_lines_open_sums(&lines, dpkg, package)) {
		return;
	}
	while (dpkg_lines_next(&lines, &line)) {
		uint8_t md5[MD5_SIZE];
		struct bytes path;

		if (dpkg_sums_parse(line, md5, &path)) {
			add_line(dpkg, &lines, name, path, false, flags, wants_sums ? md5 : NULL);
		} else {
			dpkg_lines_fault(&lines, "malformed");
		}
	}
	dpkg_lines_close(&lines);
}

/* Puts one window together. What was told before is not told again. */
static void collect_claims(struct dpkg *dpkg, struct dpkg_package *package, bool wants_sums)
{
	dpkg->is_quiet = package->told & DPKG_TOLD_LIST;
	add_list(dpkg, package);
	claim_table_settle(&dpkg->claims);
	if (wants_sums || package->is_status_d) {
		dpkg->is_quiet = package->told & DPKG_TOLD_SUMS;
		add_sums(dpkg, package, wants_sums);
		claim_table_settle(&dpkg->claims);
		package->told |= DPKG_TOLD_SUMS;
	}
	dpkg->is_quiet = package->told & DPKG_TOLD_LIST;
	add_conffiles(dpkg, package, wants_sums);
	claim_table_settle(&dpkg->claims);
	package->told |= DPKG_TOLD_LIST;
	dpkg->is_quiet = false;
}

static bool visit_window(const struct dpkg *dpkg, claim_visitor visit, void *context)
{
	const struct claim_table *table = &dpkg->claims;

	for (uint32_t i = 0; i < table->count; i++) {
		const struct claim_item *item = claim_table_item(table, i);
		struct claim claim = {.path = claim_table_path(table, item), .flags = item->flags};

		claim.place = item->diversion != 0 ? dpkg->diversions.table[item->diversion - 1].to
						   : claim.path;
		claim.md5 = item->has_md5 ? item->md5 : NULL;
		if (!visit(context, &claim)) {
			return false;
		}
	}
	return true;
}

static bool dpkg_claims(struct package_db *db, uint32_t index, bool wants_sums, claim_visitor visit,
			void *context)
{
	struct dpkg *dpkg = dpkg_of(db);
	struct dpkg_package *package = dpkg->installed[index];
	bool goes_on;

	claim_table_begin(&dpkg->claims);
	do {
		collect_claims(dpkg, package, wants_sums);
		goes_on = visit_window(dpkg, visit, context);
	} while (goes_on && claim_table_next(&dpkg->claims));
	if (dpkg->claims.repeats_dropped != 0) {
		dpkg_gap(dpkg, DPKG_DIR "/info", COVERAGE_PARTIAL, "repeats",
			 dpkg->claims.repeats_dropped);
	}
	return goes_on;
}

static bool visit_place(const struct dpkg *dpkg, struct bytes raw, bool rooted,
			struct bytes package, path_visitor visit, void *context)
{
	struct dpkg_place place;

	if (dpkg_place(dpkg, raw, rooted, package, &place) != PATH_FINE) {
		return true; /* told by the walk over the claims; not owned */
	}
	return visit(context, place.diversion != 0 ? dpkg->diversions.table[place.diversion - 1].to
						   : bytes_make(place.path, place.len));
}

static bool owned_of(struct dpkg *dpkg, const struct dpkg_package *package, path_visitor visit,
		     void *context)
{
	struct bytes name = dpkg_package_part(package, DPKG_NAME);
	struct bytes text = dpkg_package_part(package, DPKG_CONFFILES);
	struct dpkg_lines lines;
	struct bytes line;
	bool goes_on = true;

	if (package->is_status_d ? dpkg_lines_open_sums(&lines, dpkg, package)
				 : dpkg_lines_open_list(&lines, dpkg, package)) {
		while (goes_on && dpkg_lines_next(&lines, &line)) {
			uint8_t md5[MD5_SIZE];

			if (!package->is_status_d) {
				goes_on = visit_place(dpkg, line, true, name, visit, context);
			} else if (dpkg_sums_parse(line, md5, &line)) {
				goes_on = visit_place(dpkg, line, false, name, visit, context);
			}
		}
		dpkg_lines_close(&lines);
	}
	while (goes_on && text_line_next(&text, &line)) {
		struct conffile conffile;

		if (conffile_parse(line, &conffile)) {
			goes_on = visit_place(dpkg, conffile.path, true, name, visit, context);
		}
	}
	return goes_on;
}

static bool dpkg_owned(struct package_db *db, path_visitor visit, void *context)
{
	struct dpkg *dpkg = dpkg_of(db);
	bool goes_on = true;

	dpkg->is_quiet = true;
	for (uint32_t i = 0; goes_on && i < dpkg->installed_count; i++) {
		goes_on = owned_of(dpkg, dpkg->installed[i], visit, context);
	}
	dpkg->is_quiet = false;
	return goes_on;
}

static bool visit_packages(const struct dpkg *dpkg, record_visitor visit, void *context)
{
	struct record before = {.count = 0};

	for (uint32_t i = 0; i < dpkg->package_count; i++) {
		const struct dpkg_package *package = dpkg->sorted[i];
		struct record record = {.count = PACKAGES_FIELDS};

		record.field[PACKAGES_NAME] = dpkg_package_part(package, DPKG_NAME);
		record.field[PACKAGES_VERSION] = dpkg_package_part(package, DPKG_VERSION);
		record.field[PACKAGES_ARCH] = dpkg_package_part(package, DPKG_ARCH);
		record.field[PACKAGES_STATE] = dpkg_package_part(package, DPKG_STATUS);
		record.field[PACKAGES_SOURCE] = dpkg_package_part(package, DPKG_SOURCE);
		if (record_compare(&before, &record) == 0) {
			continue;
		}
		if (!visit(context, &record)) {
			return false;
		}
		before = record;
	}
	return true;
}

struct claim_records {
	record_visitor visit;
	void *context;
};

static bool visit_claim_record(void *context, const struct claim *claim)
{
	const struct claim_records *records = context;
	char letters[CLAIM_LETTERS_SIZE];
	struct record record = {.count = 0};

	claim_record(claim, letters, &record);
	return records->visit(records->context, &record);
}

static bool dpkg_records(struct package_db *db, enum section_kind kind, uint32_t index,
			 record_visitor visit, void *context)
{
	struct dpkg *dpkg = dpkg_of(db);
	struct claim_records records = {visit, context};

	switch (kind) {
	case SECTION_PACKAGES:
		return visit_packages(dpkg, visit, context);
	case SECTION_EXCEPTIONS:
		return exceptions_visit(&dpkg->exceptions, visit, context);
	case SECTION_CLAIMS:
		return dpkg_claims(db, index, true, visit_claim_record, &records);
	default:
		return true;
	}
}

/*
 * dpkg and apt hold record locks (fcntl), which are asked about without taking them; flock(2) would
 * not see them. A lock file that may not be read tells nothing: told as a gap.
 */
static bool is_locked(struct dpkg *dpkg)
{
	const struct package_file_access *access = dpkg->access;
	bool is_held = false;

	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		struct stat st;
		int fd = access->open(access->context, dpkg->admin_fd, locks[i], &st);

		if (fd < 0) {
			if (errno != ENOENT && !dpkg->is_lock_told) {
				dpkg_gap(dpkg, DPKG_DIR "/lock", COVERAGE_PARTIAL, "lock-unknown",
					 1);
				dpkg->is_lock_told = true;
			}
			continue;
		}
		if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
			is_held = true;
		}
		access->close(access->context, fd);
	}
	return is_held;
}

static enum package_db_revision dpkg_check(struct package_db *db)
{
	struct dpkg *dpkg = dpkg_of(db);
	struct package_file_stamp stamp[DPKG_STAMPS];

	stamp_all(dpkg, stamp);
	for (size_t i = 0; i < DPKG_STAMPS; i++) {
		if (!package_file_stamp_equal(&stamp[i], &dpkg->stamp[i])) {
			return PACKAGE_DB_CHANGED;
		}
	}
	return is_locked(dpkg) ? PACKAGE_DB_LOCKED : PACKAGE_DB_SAME;
}

const struct package_db_type package_db_dpkg = {
	.manager = "dpkg",
	.open = dpkg_open,
	.count = dpkg_count,
	.package = dpkg_package,
	.stamp = dpkg_stamp,
	.claims = dpkg_claims,
	.owned = dpkg_owned,
	.records = dpkg_records,
	.check = dpkg_check,
	.close = dpkg_close,
};
