// SPDX-License-Identifier: MIT
#include "tests/unit/payloads/rpm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>
#include <cmocka.h>
#ifdef HAS_BERKELEY_DB
#include <db.h>
#endif

static void put_be32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

static void put_le32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (8 * i));
	}
}

static uint8_t *grow(struct rpm_build *build, size_t len)
{
	build->data = realloc(build->data, build->len + len + 1);
	assert_non_null(build->data);
	build->len += len;
	return build->data + build->len - len;
}

static void add_entry(struct rpm_build *build, uint32_t tag, uint32_t type, uint32_t count,
		      size_t alignment)
{
	while (build->len % alignment != 0) {
		*grow(build, 1) = 0;
	}
	assert_true(build->count < 64);
	build->entry[build->count].word[0] = tag;
	build->entry[build->count].word[1] = type;
	build->entry[build->count].word[2] = (uint32_t)build->len;
	build->entry[build->count].word[3] = count;
	build->count++;
}

void rpm_build_init(struct rpm_build *build, bool has_region)
{
	memset(build, 0, sizeof(*build));
	if (has_region) {
		add_entry(build, 63, 7, 16, 1);
	}
}

void rpm_build_strings(struct rpm_build *build, uint32_t tag, uint32_t type, uint32_t count,
		       const char *const *strings)
{
	add_entry(build, tag, type, count, 1);
	for (uint32_t i = 0; i < count; i++) {
		size_t len = strlen(strings[i]) + 1;

		memcpy(grow(build, len), strings[i], len);
	}
}

void rpm_build_string(struct rpm_build *build, uint32_t tag, const char *string)
{
	rpm_build_strings(build, tag, 6, 1, &string);
}

void rpm_build_numbers(struct rpm_build *build, uint32_t tag, uint32_t count,
		       const uint32_t *numbers)
{
	add_entry(build, tag, 4, count, 4);
	for (uint32_t i = 0; i < count; i++) {
		put_be32(grow(build, 4), numbers[i]);
	}
}

void rpm_build_bin(struct rpm_build *build, uint32_t tag, const void *data, uint32_t len)
{
	add_entry(build, tag, 7, len, 1);
	memcpy(grow(build, len), data, len);
}

void rpm_build_close_region(struct rpm_build *build)
{
	uint8_t *trailer;

	build->region = build->count;
	build->entry[0].word[2] = (uint32_t)build->len;
	trailer = grow(build, 16);
	put_be32(trailer, 63);
	put_be32(trailer + 4, 7);
	put_be32(trailer + 8, 0U - 16 * build->count);
	put_be32(trailer + 12, 16);
}

struct rpm_blob_bytes rpm_build_finish(struct rpm_build *build)
{
	struct rpm_blob_bytes blob = {NULL, 8 + 16 * (size_t)build->count + build->len};

	blob.data = malloc(blob.len);
	assert_non_null(blob.data);
	put_be32(blob.data, build->count);
	put_be32(blob.data + 4, (uint32_t)build->len);
	for (uint32_t i = 0; i < build->count; i++) {
		for (int j = 0; j < 4; j++) {
			put_be32(blob.data + 8 + 16 * (size_t)i + 4 * (size_t)j,
				 build->entry[i].word[j]);
		}
	}
	if (build->len != 0) {
		memcpy(blob.data + 8 + 16 * (size_t)build->count, build->data, build->len);
	}
	free(build->data);
	build->data = NULL;
	return blob;
}

struct rpm_blob_bytes rpm_build_package(const char *name, const char *version, uint32_t dirs,
					uint32_t files, uint32_t install_s)
{
	struct rpm_build build;
	uint32_t count = files + 1;
	char(*text)[300] = calloc(count + dirs + 1, sizeof(*text));
	const char **strings = calloc(count + dirs + 1, sizeof(*strings));
	uint32_t *numbers = calloc(2 * (size_t)count, sizeof(*numbers));

	assert_true(text && strings && numbers);
	rpm_build_init(&build, true);
	rpm_build_string(&build, 1000, name);
	rpm_build_string(&build, 1001, version);
	rpm_build_string(&build, 1002, "1.el9");
	rpm_build_string(&build, 1022, "x86_64");
	rpm_build_string(&build, 1044, "source-1-1.src.rpm");
	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "file%u", i);
		if (i == 0) {
			(void)snprintf(text[i], sizeof(text[i]), "%s", name);
		}
		strings[i] = text[i];
		numbers[i] = i == 0 ? 0 : 1 + i % dirs;
		numbers[count + i] = i == 0 ? 0x11 : i == 1 ? 0x40 : 0;
	}
	rpm_build_numbers(&build, 1037, count, numbers + count);
	rpm_build_numbers(&build, 1116, count, numbers);
	rpm_build_strings(&build, 1117, 8, count, strings);
	for (uint32_t i = 0; i <= dirs; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "/usr/share/%s/d%u/", name, i);
		if (i == 0) {
			(void)snprintf(text[i], sizeof(text[i]), "/etc/");
		}
		strings[i] = text[i];
	}
	rpm_build_strings(&build, 1118, 8, dirs + 1, strings);
	rpm_build_close_region(&build);
	rpm_build_string(&build, 269, "0123456789abcdef0123456789abcdef01234567");
	rpm_build_bin(&build, 268, "signature", 9);
	rpm_build_numbers(&build, 1008, 1, &install_s);
	free(text);
	free(strings);
	free(numbers);
	return rpm_build_finish(&build);
}

void rpm_write_ndb(const char *path, const struct rpm_blob_bytes *blobs, size_t count)
{
	uint32_t slot_pages = (uint32_t)((count + 2) * 16 / 4096 + 1);
	uint8_t page[4096] = {0};
	uint32_t block = slot_pages * 256;
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	for (uint32_t slot = 0; slot < slot_pages * 256; slot++) {
		uint8_t *to = page + (size_t)(slot % 256) * 16;

		memset(to, 0, 16);
		if (slot == 0) {
			memcpy(to, "RpmP", 4);
			put_le32(to + 8, 7);
			put_le32(to + 12, slot_pages);
		} else if (slot == 1) {
			put_le32(to, (uint32_t)count + 1);
		} else {
			memcpy(to, "Slot", 4);
			if (slot - 2 < count) {
				uint32_t blocks = (uint32_t)((blobs[slot - 2].len + 43) / 16);

				put_le32(to + 4, slot - 1);
				put_le32(to + 8, block);
				put_le32(to + 12, blocks);
				block += blocks;
			}
		}
		if (slot % 256 == 255) {
			assert_int_equal(fwrite(page, 4096, 1, file), 1);
		}
	}
	for (size_t i = 0; i < count; i++) {
		size_t size = (blobs[i].len + 43) / 16 * 16;
		uint8_t *blob = calloc(1, size);

		assert_non_null(blob);
		memcpy(blob, "BlbS", 4);
		put_le32(blob + 4, (uint32_t)i + 1);
		put_le32(blob + 8, 7);
		put_le32(blob + 12, (uint32_t)blobs[i].len);
		memcpy(blob + 16, blobs[i].data, blobs[i].len);
		put_le32(blob + size - 8, (uint32_t)blobs[i].len);
		memcpy(blob + size - 4, "BlbE", 4);
		assert_int_equal(fwrite(blob, size, 1, file), 1);
		free(blob);
	}
	assert_int_equal(fclose(file), 0);
}

static void run_sql(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void insert(sqlite3 *db, const struct rpm_blob_bytes *blobs, size_t from, size_t to)
{
	sqlite3_stmt *statement;

	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO Packages(hnum, blob) VALUES(?, ?)", -1,
					    &statement, NULL),
			 SQLITE_OK);
	for (size_t i = from; i < to; i++) {
		(void)sqlite3_bind_int64(statement, 1, (int64_t)i + 1);
		(void)sqlite3_bind_blob64(statement, 2, blobs[i].data, blobs[i].len, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
		assert_int_equal(sqlite3_reset(statement), SQLITE_OK);
	}
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

static void copy(const char *from, const char *to)
{
	char buffer[4096];
	size_t got;
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");

	assert_true(in && out);
	while ((got = fread(buffer, 1, sizeof(buffer), in)) > 0) {
		assert_int_equal(fwrite(buffer, 1, got, out), got);
	}
	assert_int_equal(fclose(out), 0);
	assert_int_equal(fclose(in), 0);
}

void rpm_write_sqlite(const char *path, uint32_t page_size, const struct rpm_blob_bytes *blobs,
		      size_t count, size_t pending, bool is_committed)
{
	char live[4200];
	char wal[4300];
	char sql[64];
	sqlite3 *db;

	(void)snprintf(live, sizeof(live), "%s.live", path);
	assert_int_equal(sqlite3_open(live, &db), SQLITE_OK);
	(void)snprintf(sql, sizeof(sql), "PRAGMA page_size = %u", page_size);
	run_sql(db, sql);
	run_sql(db, "PRAGMA synchronous = OFF");
	run_sql(db, "PRAGMA journal_mode = WAL");
	run_sql(db, "PRAGMA wal_autocheckpoint = 0");
	run_sql(db, "CREATE TABLE Other(a TEXT); CREATE INDEX Packages_i ON Other(a);"
		    "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY AUTOINCREMENT, "
		    "blob BLOB NOT NULL)");
	insert(db, blobs, 0, count - pending);
	run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	if (pending != 0) {
		run_sql(db, "PRAGMA cache_size = 4"); /* spill into the WAL before the commit */
		run_sql(db, "BEGIN");
		insert(db, blobs, count - pending, count);
		if (is_committed) {
			run_sql(db, "COMMIT");
		}
	}
	/* What a killed writer would leave. */
	copy(live, path);
	(void)snprintf(live, sizeof(live), "%s.live-wal", path);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	copy(live, wal);
	(void)sqlite3_close(db);
	(void)snprintf(live, sizeof(live), "%s.live", path);
	assert_int_equal(unlink(live), 0);
}

#ifdef HAS_BERKELEY_DB
bool rpm_write_bdb(const char *path, bool is_big_endian, uint32_t page_size,
		   const struct rpm_blob_bytes *blobs, size_t count)
{
	DB *db;

	assert_int_equal(db_create(&db, NULL, 0), 0);
	assert_int_equal(db->set_pagesize(db, page_size), 0);
	assert_int_equal(db->set_lorder(db, is_big_endian ? 4321 : 1234), 0);
	assert_int_equal(db->set_h_ffactor(db, 8), 0);
	assert_int_equal(db->set_h_nelem(db, 256), 0);
	assert_int_equal(db->open(db, NULL, path, NULL, DB_HASH, DB_CREATE, 0644), 0);
	for (uint32_t i = 0; i <= count; i++) {
		uint8_t number[4];
		DBT key;
		DBT value;

		if (is_big_endian) {
			put_be32(number, i);
		} else {
			put_le32(number, i);
		}
		memset(&key, 0, sizeof(key));
		memset(&value, 0, sizeof(value));
		key.data = number;
		key.size = 4;
		value.data = i == 0 ? number : blobs[i - 1].data; /* 0 is a counter */
		value.size = i == 0 ? 4 : (uint32_t)blobs[i - 1].len;
		assert_int_equal(db->put(db, NULL, &key, &value, 0), 0);
	}
	assert_int_equal(db->close(db, 0), 0);
	return true;
}
#else
bool rpm_write_bdb(const char *path, bool is_big_endian, uint32_t page_size,
		   const struct rpm_blob_bytes *blobs, size_t count)
{
	(void)path;
	(void)is_big_endian;
	(void)page_size;
	(void)blobs;
	(void)count;
	return false;
}
#endif
