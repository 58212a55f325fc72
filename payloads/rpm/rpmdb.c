// SPDX-License-Identifier: MIT
/* The table of functions behind payloads/package_db.h for rpm. */
#include "payloads/rpm/rpmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "payloads/digest/sha256.h"
#include "payloads/memory.h"

/* In the order in which they are believed; rpm itself is told by its configuration. */
static const char *const dirs[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"};
static const struct rpm_storage_type *const types[] = {&rpm_storage_sqlite, &rpm_storage_ndb,
						       &rpm_storage_bdb};
#define DIRS (sizeof(dirs) / sizeof(dirs[0]))
#define TYPES (sizeof(types) / sizeof(types[0]))

/* Puts strings behind each other, with a NUL; what does not fit is cut. Returns the length. */
static size_t join(char *to, size_t room, const char *const *parts, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(parts[i]);

		if (len > room - 1 - at) {
			len = room - 1 - at;
		}
		memcpy(to + at, parts[i], len);
		at += len;
	}
	to[at] = '\0';
	return at;
}

struct bytes rpm_package_part(const struct rpm_package *package, enum rpm_part part)
{
	const size_t len[RPM_PARTS] = {package->name_len, package->version_len, package->arch_len,
				       package->source_len};
	const uint8_t *text = package->text;

	for (int i = 0; i < (int)part; i++) {
		text += len[i] + 1;
	}
	return bytes_make(text, len[part]);
}

void rpm_fault(struct rpm_faults *faults, const char *reason)
{
	for (size_t i = 0; i < RPM_FAULTS_MAX; i++) {
		if (!faults->fault[i].reason) {
			faults->fault[i].reason = reason;
		}
		if (i == RPM_FAULTS_MAX - 1 || strcmp(faults->fault[i].reason, reason) == 0) {
			faults->fault[i].count++;
			return;
		}
	}
}

static void tell(const struct package_db_host *host, const char *subject, const char *reason,
		 uint64_t count)
{
	if (host->gap) {
		host->gap(host->context, bytes_from_string(subject), COVERAGE_PARTIAL, reason,
			  count);
	}
}

void rpm_faults_tell(const struct rpmdb *rpmdb, const struct rpm_faults *faults)
{
	for (size_t i = 0; i < RPM_FAULTS_MAX && faults->fault[i].reason; i++) {
		tell(&rpmdb->host, rpmdb->subject, faults->fault[i].reason, faults->fault[i].count);
	}
}

const char *rpm_package_open(struct rpmdb *rpmdb, const struct rpm_package *package)
{
	const char *reason = rpm_blob_open(&rpmdb->blob, &package->locator);

	return reason ? reason : rpm_header_open(&rpmdb->header);
}

static void rpmdb_close(struct package_db *db)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;

	if (rpmdb->storage.type) {
		rpmdb->storage.type->close(&rpmdb->storage);
	}
	if (rpmdb->storage.file.fd >= 0) {
		rpmdb->access->close(rpmdb->access->context, rpmdb->storage.file.fd);
	}
	if (rpmdb->storage.wal.fd >= 0) {
		rpmdb->access->close(rpmdb->access->context, rpmdb->storage.wal.fd);
	}
	memory_give(rpmdb->storage.page);
	rpm_header_clear(&rpmdb->header);
	rpm_blob_clear(&rpmdb->blob);
	claim_table_clear(&rpmdb->claims);
	arena_clear(&rpmdb->arena);
	memory_give(rpmdb->packages);
	memory_give(rpmdb);
}

struct rpmdb *rpmdb_new(const struct package_db_host *host)
{
	struct rpmdb *rpmdb = memory_take(sizeof(*rpmdb));

	if (!rpmdb) {
		return NULL;
	}
	rpmdb->db.type = &package_db_rpm;
	rpmdb->host = *host;
	rpmdb->access = host->access ? host->access : &package_file_plain;
	rpmdb->storage.file = (struct rpm_file){rpmdb->access, -1, 0};
	rpmdb->storage.wal = (struct rpm_file){rpmdb->access, -1, 0};
	rpmdb->storage.page = memory_take(RPM_PAGE_MAX);
	rpm_blob_init(&rpmdb->blob, &rpmdb->storage);
	rpm_header_init(&rpmdb->header, &rpmdb->blob);
	arena_init(&rpmdb->arena, RPM_ARENA_MAX);
	if (!rpmdb->storage.page) {
		rpmdb_close(&rpmdb->db);
		return NULL;
	}
	return rpmdb;
}

/* A string tag of the region into the package's text; false where it is longer than may be. */
static bool take_string(const struct rpm_header *header, uint32_t tag, char *to, uint16_t *len)
{
	bool has = rpm_header_string(header, tag, to, RPM_VALUE_MAX + 1);

	*len = (uint16_t)strlen(to);
	return has || !rpm_header_find(header, tag);
}

/* epoch:version-release, the epoch always there: an absent one and 0 sort the same. */
static const char *package_describe(const struct rpm_header *header, struct rpm_package *package,
				    char *text, size_t *size)
{
	char version[RPM_VALUE_MAX + 1];
	char release[RPM_VALUE_MAX + 1];
	uint32_t epoch = 0;
	char number[11] = "";
	size_t digit = sizeof(number) - 1;
	uint16_t len;
	size_t made;

	(void)rpm_header_number(header, rpm_header_find(header, RPMTAG_EPOCH), &epoch);
	if (!take_string(header, RPMTAG_NAME, text, &package->name_len) || package->name_len == 0 ||
	    !take_string(header, RPMTAG_VERSION, version, &len) ||
	    !take_string(header, RPMTAG_RELEASE, release, &len)) {
		return "bad-name";
	}
	text += package->name_len + 1;
	do {
		number[--digit] = (char)('0' + epoch % 10);
		epoch /= 10;
	} while (epoch != 0);
	made = join(text, RPM_VALUE_MAX + 1,
		    (const char *const[]){number + digit, ":", version, "-", release}, 5);
	if (made == RPM_VALUE_MAX) {
		return "bad-name"; /* perhaps cut */
	}
	package->version_len = (uint16_t)made;
	text += made + 1;
	if (!take_string(header, RPMTAG_ARCH, text, &package->arch_len)) {
		return "bad-name";
	}
	text += package->arch_len + 1;
	if (!take_string(header, RPMTAG_SOURCERPM, text, &package->source_len)) {
		return "bad-name";
	}
	*size = (size_t)package->name_len + package->version_len + package->arch_len +
		package->source_len + RPM_PARTS;
	return NULL;
}

static bool make_room(struct rpmdb *rpmdb)
{
	uint32_t room = rpmdb->package_room ? rpmdb->package_room * 2 : 512;
	struct rpm_package *packages;

	if (rpmdb->package_count < rpmdb->package_room) {
		return true;
	}
	if (rpmdb->package_count >= RPM_PACKAGES_MAX) {
		return false;
	}
	packages = memory_grow(rpmdb->packages, room * sizeof(*packages));
	if (!packages) {
		return false;
	}
	rpmdb->packages = packages;
	rpmdb->package_room = room;
	return true;
}

struct load {
	struct rpmdb *rpmdb;
	struct rpm_faults faults;
};

static bool load_header(void *context, const struct rpm_locator *locator)
{
	struct load *load = context;
	struct rpmdb *rpmdb = load->rpmdb;
	const struct rpm_header *header = &rpmdb->header;
	struct rpm_package package = {.locator = *locator};
	char text[RPM_PARTS * (RPM_VALUE_MAX + 1)];
	size_t size = 0;
	uint8_t *copy;
	const char *reason = rpm_package_open(rpmdb, &package);

	if (!reason) {
		reason = package_describe(header, &package, text, &size);
	}
	if (reason) {
		rpm_fault(&load->faults, reason);
		return true;
	}
	/* Stands behind the region, being this host's. */
	(void)rpm_header_number(header, rpm_header_own(header, RPMTAG_INSTALLTIME),
				&package.install_s);
	(void)rpm_header_number(header, rpm_header_own(header, RPMTAG_INSTALLTID),
				&package.install_tid);
	copy = make_room(rpmdb) ? arena_take(&rpmdb->arena, size) : NULL;
	if (!copy) {
		rpm_fault(&load->faults, "limit");
		return true;
	}
	memcpy(copy, text, size);
	package.text = copy;
	rpmdb->packages[rpmdb->package_count++] = package;
	return true;
}

/* The order of encoded section keys: shorter strings have smaller CBOR heads. */
static int compare_keys(const struct rpm_package *a, const struct rpm_package *b)
{
	for (int i = RPM_NAME; i <= RPM_ARCH; i++) {
		struct bytes x = rpm_package_part(a, (enum rpm_part)i);
		struct bytes y = rpm_package_part(b, (enum rpm_part)i);
		int order = 0;

		if (x.len != y.len) {
			return x.len < y.len ? -1 : 1;
		}
		order = bytes_compare(x, y);
		if (order != 0) {
			return order;
		}
	}
	return 0;
}

static int compare_packages(const void *a, const void *b)
{
	const struct rpm_package *x = a;
	const struct rpm_package *y = b;
	int order = compare_keys(x, y);

	if (order != 0) {
		return order;
	}
	return x->locator.number < y->locator.number   ? -1
	       : x->locator.number > y->locator.number ? 1
						       : 0;
}

bool rpmdb_load(struct rpmdb *rpmdb)
{
	struct load load = {rpmdb, {{{NULL, 0}}}};
	const char *reason = rpmdb->storage.type->open(&rpmdb->storage);
	uint32_t to = 0;

	if (reason) {
		tell(&rpmdb->host, rpmdb->subject, reason, 1);
		return false;
	}
	reason = rpmdb->storage.type->scan(&rpmdb->storage, load_header, &load);
	if (reason) {
		rpm_fault(&load.faults, reason);
	}
	for (uint32_t i = 0; i < rpmdb->storage.faults; i++) {
		rpm_fault(&load.faults, "malformed");
	}
	if (rpmdb->package_count > 1) {
		qsort(rpmdb->packages, rpmdb->package_count, sizeof(*rpmdb->packages),
		      compare_packages);
	}
	for (uint32_t i = 0; i < rpmdb->package_count; i++) {
		if (to != 0 && compare_keys(&rpmdb->packages[to - 1], &rpmdb->packages[i]) == 0) {
			/* One section each: the header that came last counts. */
			rpm_fault(&load.faults, "duplicate");
			to--;
		}
		rpmdb->packages[to++] = rpmdb->packages[i];
	}
	rpmdb->package_count = to;
	rpm_faults_tell(rpmdb, &load.faults);
	return true;
}

/* Opens dir/name if it is a database of this format. */
static bool open_candidate(struct rpmdb *rpmdb, int dir_fd, const char *dir,
			   const struct rpm_storage_type *type, struct rpm_file *file)
{
	const struct package_file_access *access = rpmdb->access;
	uint8_t head[RPM_HEAD_SIZE];
	char subject[96];
	struct stat st;
	size_t len;

	(void)join(subject, sizeof(subject), (const char *const[]){dir, "/", type->name}, 3);
	*file = (struct rpm_file){access, access->open(access->context, dir_fd, type->name, &st),
				  0};
	if (file->fd < 0) {
		if (errno != ENOENT) {
			tell(&rpmdb->host, subject, package_file_reason(errno), 1);
		}
		return false;
	}
	file->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	len = file->size < sizeof(head) ? (size_t)file->size : sizeof(head);
	if (rpm_file_read(file, 0, head, len) && type->matches(head, len)) {
		return true;
	}
	if (len != 0) {
		tell(&rpmdb->host, subject, "format-unknown", 1);
	}
	access->close(access->context, file->fd);
	file->fd = -1;
	return false;
}

/* The WAL beside an SQLite file. A rollback journal that is hot is told: it is not played back. */
static void open_beside(struct rpmdb *rpmdb, int dir_fd)
{
	const struct package_file_access *access = rpmdb->access;
	struct stat st;
	uint8_t head[8];
	struct rpm_file journal = {access, -1, 0};

	if (rpmdb->storage.type != &rpm_storage_sqlite) {
		return;
	}
	rpmdb->storage.wal.fd = access->open(access->context, dir_fd, "rpmdb.sqlite-wal", &st);
	if (rpmdb->storage.wal.fd >= 0) {
		rpmdb->storage.wal.size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	} else if (errno != ENOENT) {
		tell(&rpmdb->host, rpmdb->subject, "wal-unreadable", 1);
	}
	journal.fd = access->open(access->context, dir_fd, "rpmdb.sqlite-journal", &st);
	if (journal.fd >= 0) {
		journal.size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		if (rpm_file_read(&journal, 0, head, sizeof(head)) &&
		    memcmp(head, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8) == 0) {
			tell(&rpmdb->host, rpmdb->subject, "hot-journal", 1);
		}
		access->close(access->context, journal.fd);
	}
}

static void stamp_all(const struct rpmdb *rpmdb, struct package_file_stamp stamp[RPM_STAMPS])
{
	int dir_fd = package_dir_open(rpmdb->host.root_fd, rpmdb->dir);

	stamp[0] = package_file_stamp(dir_fd, rpmdb->storage.type->name);
	stamp[1] = package_file_stamp(dir_fd, "rpmdb.sqlite-wal");
	stamp[2] = package_file_stamp(dir_fd, "rpmdb.sqlite-journal");
	if (dir_fd >= 0) {
		(void)close(dir_fd);
	}
}

/* What one directory holds: the first database found is taken, every other one told. */
static void look_in(struct rpmdb *rpmdb, int dir_fd, const char *dir)
{
	for (size_t i = 0; i < TYPES; i++) {
		struct rpm_file file;
		char subject[96];

		if (!open_candidate(rpmdb, dir_fd, dir, types[i], &file)) {
			continue;
		}
		(void)join(subject, sizeof(subject),
			   (const char *const[]){dir, "/", types[i]->name}, 3);
		if (rpmdb->storage.type) {
			/* Left over from a conversion, or put there to deceive. */
			tell(&rpmdb->host, subject, "second-database", 1);
			rpmdb->access->close(rpmdb->access->context, file.fd);
			continue;
		}
		rpmdb->storage.type = types[i];
		rpmdb->storage.file = file;
		memcpy(rpmdb->subject, subject, sizeof(subject));
		(void)join(rpmdb->dir, sizeof(rpmdb->dir), &dir, 1);
		stamp_all(rpmdb, rpmdb->stamp);
		open_beside(rpmdb, dir_fd);
	}
}

static void look_everywhere(struct rpmdb *rpmdb)
{
	struct stat seen[DIRS];
	size_t count = 0;

	for (size_t i = 0; i < DIRS; i++) {
		int dir_fd = package_dir_open(rpmdb->host.root_fd, dirs[i]);
		struct stat st;
		bool is_new = true;

		if (dir_fd < 0) {
			if (errno != ENOENT && errno != ENOTDIR) {
				tell(&rpmdb->host, dirs[i], package_file_reason(errno), 1);
			}
			continue;
		}
		/* One is often a symlink to another. */
		if (fstat(dir_fd, &st) == 0) {
			for (size_t j = 0; j < count; j++) {
				is_new = is_new && (seen[j].st_dev != st.st_dev ||
						    seen[j].st_ino != st.st_ino);
			}
			seen[count++] = st;
		}
		if (is_new) {
			look_in(rpmdb, dir_fd, dirs[i]);
		}
		(void)close(dir_fd);
	}
}

static enum package_db_found rpm_open(const struct package_db_host *host, struct package_db **db)
{
	struct rpmdb *rpmdb = rpmdb_new(host);

	if (!rpmdb) {
		tell(host, dirs[1], "no-memory", 1);
		return PACKAGE_DB_FAILED;
	}
	look_everywhere(rpmdb);
	if (!rpmdb->storage.type) {
		rpmdb_close(&rpmdb->db);
		return PACKAGE_DB_NONE;
	}
	path_aliases_read(&rpmdb->aliases, host->root_fd);
	if (!rpmdb_load(rpmdb)) {
		rpmdb_close(&rpmdb->db);
		return PACKAGE_DB_FAILED;
	}
	*db = &rpmdb->db;
	return PACKAGE_DB_FOUND;
}

static uint32_t rpm_count(const struct package_db *db)
{
	return ((const struct rpmdb *)db)->package_count;
}

static void rpm_package(const struct package_db *db, uint32_t index, struct package *package)
{
	const struct rpm_package *from = &((const struct rpmdb *)db)->packages[index];

	package->name = rpm_package_part(from, RPM_NAME);
	package->version = rpm_package_part(from, RPM_VERSION);
	package->arch = rpm_package_part(from, RPM_ARCH);
	package->state = PACKAGE_INSTALLED;
	package->install_s = from->install_s;
}

/*
 * What [header] and [claims] are made of a header: a change of it makes them anew, though the database
 * is the same. 2: what is this host's own stands in [installs].
 */
static const uint8_t layout[] = {'l', 'a', 'y', 'o', 'u', 't', 2};

/* Over the whole blob: a digest changed in place changes nothing else. */
static uint64_t rpm_stamp(struct package_db *db, uint32_t index)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;
	uint8_t digest[DIGEST_SIZE];
	uint8_t buffer[8192];
	struct sha256 hash;
	uint64_t stamp;

	if (rpm_blob_open(&rpmdb->blob, &rpmdb->packages[index].locator)) {
		return 0;
	}
	sha256_init(&hash);
	sha256_update(&hash, layout, sizeof(layout));
	for (uint32_t at = 0; at < rpmdb->blob.size;) {
		uint32_t left = rpmdb->blob.size - at;
		uint32_t take = left < sizeof(buffer) ? left : (uint32_t)sizeof(buffer);

		if (!rpm_blob_read(&rpmdb->blob, at, buffer, take)) {
			return 0;
		}
		sha256_update(&hash, buffer, take);
		at += take;
	}
	sha256_final(&hash, digest);
	memcpy(&stamp, digest, sizeof(stamp));
	return stamp;
}

/* Whether another process holds a write lock (fcntl) on a part of a file. */
static bool is_write_locked(struct rpmdb *rpmdb, int dir_fd, const char *name, off_t start,
			    off_t len)
{
	const struct package_file_access *access = rpmdb->access;
	struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
	struct stat st;
	bool is_held;
	int fd = access->open(access->context, dir_fd, name, &st);

	if (fd < 0) {
		if (errno != ENOENT && !rpmdb->is_lock_told) {
			tell(&rpmdb->host, rpmdb->subject, "lock-unknown", 1);
			rpmdb->is_lock_told = true;
		}
		return false;
	}
	is_held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	access->close(access->context, fd);
	return is_held;
}

/*
 * .rpm.lock: a transaction. SQLite's pending and reserved bytes (os.h) and the WAL's write lock
 * (wal.c: byte 120 of the shared memory file). ndb takes flock(2), which cannot be asked about; its
 * generation tells.
 */
static enum package_db_revision rpm_check(struct package_db *db)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;
	struct package_file_stamp stamp[RPM_STAMPS];
	bool is_locked = false;
	int dir_fd;

	stamp_all(rpmdb, stamp);
	for (size_t i = 0; i < RPM_STAMPS; i++) {
		if (!package_file_stamp_equal(&stamp[i], &rpmdb->stamp[i])) {
			return PACKAGE_DB_CHANGED;
		}
	}
	if (!rpmdb->storage.type->is_same(&rpmdb->storage)) {
		return PACKAGE_DB_CHANGED;
	}
	dir_fd = package_dir_open(rpmdb->host.root_fd, rpmdb->dir);
	if (dir_fd < 0) {
		return PACKAGE_DB_CHANGED;
	}
	is_locked = is_write_locked(rpmdb, dir_fd, ".rpm.lock", 0, 0);
	if (rpmdb->storage.type == &rpm_storage_sqlite) {
		is_locked = is_locked ||
			    is_write_locked(rpmdb, dir_fd, "rpmdb.sqlite", 0x40000000, 512) ||
			    is_write_locked(rpmdb, dir_fd, "rpmdb.sqlite-shm", 120, 1);
	}
	(void)close(dir_fd);
	return is_locked ? PACKAGE_DB_LOCKED : PACKAGE_DB_SAME;
}

/* PGPHASHALGO_MD5, also where no algorithm is named (rpm before 4.6). */
static bool rpm_has_md5(struct package_db *db, uint32_t index)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;
	const struct rpm_entry *entry;
	uint32_t algorithm = 1;

	if (rpm_package_open(rpmdb, &rpmdb->packages[index])) {
		return false; /* told by the walk over its claims */
	}
	entry = rpm_header_find(&rpmdb->header, RPMTAG_FILEDIGESTALGO);
	(void)(entry && rpm_header_number(&rpmdb->header, entry, &algorithm));
	return algorithm == 1;
}

const struct package_db_type package_db_rpm = {
	.manager = "rpm",
	.open = rpm_open,
	.count = rpm_count,
	.package = rpm_package,
	.stamp = rpm_stamp,
	.claims = rpm_claims,
	.owned = rpm_owned,
	.records = rpm_records,
	.check = rpm_check,
	.has_md5 = rpm_has_md5,
	.close = rpmdb_close,
};
