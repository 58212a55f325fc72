// SPDX-License-Identifier: MIT
#include "tests/fuzz/dpkg_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int memory_open(void *context, int dir_fd, const char *name, struct stat *st)
{
	struct memory *memory = context;

	(void)dir_fd;
	for (int i = 0; i < MEMORY_FILES_MAX; i++) {
		if (memory->name[i] && strcmp(memory->name[i], name) == 0) {
			memset(st, 0, sizeof(*st));
			st->st_mode = S_IFREG | 0644;
			st->st_size = (off_t)memory->data[i].len;
			return i;
		}
	}
	errno = ENOENT;
	return -1;
}

/* Gives less than was asked for, so that lines end anywhere in a buffer. */
static ssize_t memory_read(void *context, int fd, void *to, size_t len, uint64_t offset)
{
	struct memory *memory = context;
	struct bytes data = memory->data[fd];

	if (offset >= data.len) {
		return 0;
	}
	if (len > data.len - offset) {
		len = data.len - (size_t)offset;
	}
	if (len > 61 + offset % 7) {
		len = 61 + (size_t)offset % 7;
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
	if (subject.len == 0 || subject.data[0] != '/' || state != COVERAGE_PARTIAL ||
	    reason[strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0' || count == 0) {
		abort();
	}
}

void memory_init(struct memory *memory, const char *const *names, size_t count, const uint8_t *data,
		 size_t size)
{
	struct package_db_host host = {.root_fd = -1, .gap = check_gap};

	memset(memory, 0, sizeof(*memory));
	for (size_t i = 0; i < count; i++) {
		const uint8_t *end = i + 1 < count && size != 0 ? memchr(data, 0xff, size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;

		memory->name[i] = names[i];
		memory->data[i] = bytes_make(data, len);
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	memory->access =
		(struct package_file_access){memory, memory_open, memory_read, memory_close};
	host.access = &memory->access;
	memory->dpkg = dpkg_new(&host);
	if (!memory->dpkg) {
		abort();
	}
	memory->dpkg->info_fd = -1;
	memory->dpkg->aliases.linked = 1; /* /bin -> usr/bin */
}

void memory_clear(struct memory *memory)
{
	memory->dpkg->info_fd = -1;
	memory->dpkg->admin_fd = -1;
	package_db_close(&memory->dpkg->db);
}

struct walk {
	uint64_t hash;
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
	    memcmp(clean, claim->path.data, len) != 0 || claim->path.data[len] != '\0' ||
	    claim->place.data[claim->place.len] != '\0') {
		abort();
	}
	if (walk->has_before) {
		int order =
			bytes_path_compare(bytes_make(walk->before, walk->before_len), claim->path);

		if (order > 0 || (order == 0) != ((claim->flags & CLAIM_REPEAT) != 0)) {
			abort();
		}
	}
	memcpy(walk->before, clean, len);
	walk->before_len = len;
	walk->has_before = true;
	for (size_t i = 0; i < len; i++) {
		walk->hash = (walk->hash ^ clean[i]) * 0x100000001b3U;
	}
	walk->hash = (walk->hash ^ claim->flags) * 0x100000001b3U;
	walk->hash = (walk->hash ^ (claim->md5 ? claim->md5[0] : 256U)) * 0x100000001b3U;
	return true;
}

uint64_t memory_check_claims(struct memory *memory)
{
	struct walk walk = {.hash = 1};

	for (uint32_t i = 0; i < memory->dpkg->installed_count; i++) {
		walk.has_before = false;
		if (!package_db_claims(&memory->dpkg->db, i, true, check_claim, &walk)) {
			abort();
		}
	}
	return walk.hash;
}

struct records {
	uint8_t *before;
	size_t before_len;
	uint8_t *now;
};

static bool check_record(void *context, const struct record *record)
{
	struct records *records = context;
	struct cbor_writer w;
	uint8_t *swap = records->before;

	cbor_writer_init(&w, records->now, RECORD_SIZE_MAX);
	record_encode(&w, record);
	if (w.overflow || (records->before_len != 0 &&
			   bytes_compare(bytes_make(records->before, records->before_len),
					 bytes_make(w.data, w.len)) >= 0)) {
		abort();
	}
	records->before = records->now;
	records->before_len = w.len;
	records->now = swap;
	return true;
}

void memory_check_records(struct memory *memory, enum section_kind kind)
{
	struct records records = {malloc(RECORD_SIZE_MAX), 0, malloc(RECORD_SIZE_MAX)};

	if (!records.before || !records.now ||
	    !package_db_records(&memory->dpkg->db, kind, 0, check_record, &records)) {
		abort();
	}
	free(records.before);
	free(records.now);
}
