// SPDX-License-Identifier: MIT
#include "tests/fuzz/rpm_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct files {
	struct bytes data[2];
};

static int memory_open(void *context, int dir_fd, const char *name, struct stat *st)
{
	(void)context;
	(void)dir_fd;
	(void)name;
	(void)st;
	errno = ENOENT;
	return -1;
}

static ssize_t memory_read(void *context, int fd, void *to, size_t len, uint64_t offset)
{
	const struct files *files = context;
	struct bytes data = files->data[fd];

	if (offset >= data.len) {
		return 0;
	}
	if (len > data.len - offset) {
		len = data.len - (size_t)offset;
	}
	memcpy(to, data.data + offset, len);
	return (ssize_t)len;
}

static void memory_close(void *context, int fd)
{
	(void)context;
	(void)fd;
}

static void check_gap(void *context, struct bytes subject, enum coverage_state state,
		      const char *reason, uint64_t count)
{
	(void)context;
	(void)subject;
	if (state != COVERAGE_PARTIAL || count == 0 ||
	    reason[strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0') {
		abort();
	}
}

struct walk {
	bool has_before;
	uint8_t before[PATH_ROOM];
	size_t before_len;
};

static bool check_claim(void *context, const struct claim *claim)
{
	struct walk *walk = context;
	uint8_t clean[PATH_ROOM];
	size_t len;

	if (path_clean(claim->path, true, clean, &len) != PATH_FINE || len != claim->path.len ||
	    (walk->has_before &&
	     bytes_path_compare(bytes_make(walk->before, walk->before_len), claim->path) >= 0)) {
		abort();
	}
	memcpy(walk->before, clean, len);
	walk->before_len = len;
	walk->has_before = true;
	return true;
}

static bool check_path(void *context, struct bytes path)
{
	(void)context;
	if (path.len == 0 || path.data[0] != '/' || path.data[path.len] != '\0') {
		abort();
	}
	return true;
}

static bool check_record(void *context, const struct record *record)
{
	uint64_t *bytes = context;
	static uint8_t room[RECORD_SIZE_MAX];
	struct cbor_writer w;

	cbor_writer_init(&w, room, sizeof(room));
	record_encode(&w, record);
	if (w.overflow) {
		abort();
	}
	/* Hostile entries may overlap: enough is enough. */
	*bytes += w.len;
	return *bytes < (1U << 22);
}

void rpm_memory_walk(const struct rpm_storage_type *type, struct bytes file, struct bytes wal)
{
	struct files files = {{file, wal}};
	const struct package_file_access access = {&files, memory_open, memory_read, memory_close};
	const struct package_db_host host = {.root_fd = -1, .access = &access, .gap = check_gap};
	struct rpmdb *rpmdb;

	if (!type->matches(file.data, file.len < RPM_HEAD_SIZE ? file.len : RPM_HEAD_SIZE)) {
		return;
	}
	rpmdb = rpmdb_new(&host);
	if (!rpmdb) {
		abort();
	}
	rpmdb->storage.type = type;
	rpmdb->storage.file = (struct rpm_file){&access, 0, file.len};
	if (wal.len != 0) {
		rpmdb->storage.wal = (struct rpm_file){&access, 1, wal.len};
	}
	rpmdb->aliases.linked = 1;
	if (rpmdb_load(rpmdb)) {
		uint64_t bytes = 0;

		(void)package_db_records(&rpmdb->db, SECTION_PACKAGES, 0, check_record, &bytes);
		bytes = 0;
		(void)package_db_records(&rpmdb->db, SECTION_INSTALLS, 0, check_record, &bytes);
		for (uint32_t i = 0; i < rpmdb->package_count && i < 20; i++) {
			struct walk walk = {.has_before = false};

			(void)package_db_claims(&rpmdb->db, i, true, check_claim, &walk);
			(void)package_db_stamp(&rpmdb->db, i);
			bytes = 0;
			(void)package_db_records(&rpmdb->db, SECTION_HEADER, i, check_record,
						 &bytes);
			(void)package_db_records(&rpmdb->db, SECTION_CLAIMS, i, check_record,
						 &bytes);
		}
		(void)package_db_owned(&rpmdb->db, check_path, NULL);
	}
	package_db_close(&rpmdb->db);
}
