// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "payloads/package_db.h"
#include "tests/unit/payloads/rpm_build.h"
#include "tests/unit/payloads/tree.h"

#define DIR "/var/lib/rpm/"
#define PACKAGES 40

static struct tree tree;
static char text[262144];
static struct rpm_blob_bytes blobs[PACKAGES];

static int make_blobs(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PACKAGES; i++) {
		char name[32];

		/* From a few hundred bytes to some hundred pages. */
		(void)snprintf(name, sizeof(name), "package%u", i);
		blobs[i] = rpm_build_package(name, "2.0", 1 + i % 5, i * i * 2, 1600000000 + i);
	}
	return 0;
}

static int free_blobs(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PACKAGES; i++) {
		free(blobs[i].data);
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_write(&tree, DIR "mark", "");
	text[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static struct package_db *open_db(void)
{
	struct package_db *db;

	assert_int_equal(package_db_open(&package_db_rpm, &tree.host, &db), PACKAGE_DB_FOUND);
	return db;
}

#define BYTES(b) (int)(b).len, (const char *)(b).data

struct sum {
	uint64_t count;
	uint64_t hash;
	uint64_t conffiles;
	uint64_t ghosts;
	char before[4096];
};

static bool sum_claim(void *context, const struct claim *claim)
{
	struct sum *sum = context;

	assert_true(bytes_path_compare(bytes_from_string(sum->before), claim->path) < 0);
	memcpy(sum->before, claim->path.data, claim->path.len + 1);
	sum->count++;
	sum->conffiles += (claim->flags & CLAIM_CONFFILE) != 0;
	sum->ghosts += (claim->flags & CLAIM_GHOST) != 0;
	for (size_t i = 0; i < claim->path.len; i++) {
		sum->hash = (sum->hash ^ claim->path.data[i]) * 0x100000001b3U;
	}
	return true;
}

static bool count_path(void *context, struct bytes path)
{
	uint64_t *count = context;

	assert_true(path.len != 0 && path.data[0] == '/' && path.data[path.len] == '\0');
	(*count)++;
	return true;
}

/* The packages 0..count as rpm_build_package made them. */
static void check_packages(struct package_db *db, uint32_t count)
{
	static uint64_t hashes[PACKAGES]; /* the first format sets them, the others must agree */
	uint64_t owned = 0;
	uint64_t expected = 0;

	assert_int_equal(package_db_count(db), count);
	for (uint32_t i = 0; i < count; i++) {
		struct package package;
		struct sum sum = {0, 1, 0, 0, ""};
		uint32_t made;

		package_db_package(db, i, &package);
		assert_int_equal(sscanf((const char *)package.name.data, "package%u", &made), 1);
		assert_true(bytes_equal_string(package.version, "0:2.0-1.el9"));
		assert_true(bytes_equal_string(package.arch, "x86_64"));
		assert_int_equal(package.install_s, 1600000000 + made);
		assert_true(package_db_claims(db, i, true, sum_claim, &sum));
		assert_int_equal(sum.count, made * made * 2 + 1);
		assert_int_equal(sum.conffiles, 1);
		assert_int_equal(sum.ghosts, made != 0);
		assert_true(hashes[made] == 0 || hashes[made] == sum.hash);
		hashes[made] = sum.hash;
		assert_true(package_db_stamp(db, i) != 0);
		expected += sum.count;
	}
	assert_true(package_db_owned(db, count_path, &owned));
	assert_int_equal(owned, expected);
	assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
	assert_string_equal(tree.gaps, "");
	package_db_close(db);
}

static void ndb_is_read(void **state)
{
	(void)state;
	rpm_write_ndb(tree_path(&tree, DIR "Packages.db"), blobs, PACKAGES);
	check_packages(open_db(), PACKAGES);
}

static void sqlite_is_read_with_pages_of_any_size(void **state)
{
	static const uint32_t sizes[] = {512, 1024, 4096, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), sizes[i], blobs, PACKAGES, 0,
				 true);
		check_packages(open_db(), PACKAGES);
	}
}

static void wal_counts_as_far_as_it_was_committed(void **state)
{
	static const uint32_t sizes[] = {512, 4096};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), sizes[i], blobs, PACKAGES,
				 13, true);
		check_packages(open_db(), PACKAGES);
		rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), sizes[i], blobs, PACKAGES,
				 13, false);
		check_packages(open_db(), PACKAGES - 13);
	}
}

static void broken_wal_frame_ends_the_wal(void **state)
{
	struct package_db *db;
	struct stat st;
	int fd;

	(void)state;
	rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), 4096, blobs, PACKAGES, 13, true);
	fd = open(tree_path(&tree, DIR "rpmdb.sqlite-wal"), O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "\xff", 1, st.st_size / 2), 1);
	(void)close(fd);
	db = open_db();
	assert_int_equal(package_db_count(db), PACKAGES - 13);
	package_db_close(db);
}

static void bdb_is_read_in_both_byte_orders(void **state)
{
	static const uint32_t sizes[] = {512, 4096, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int is_big = 0; is_big < 2; is_big++) {
			(void)unlink(tree_path(&tree, DIR "Packages"));
			if (!rpm_write_bdb(tree_path(&tree, DIR "Packages"), is_big, sizes[i],
					   blobs, PACKAGES)) {
				print_message("SKIP: built without Berkeley DB\n");
				skip();
			}
			check_packages(open_db(), PACKAGES);
		}
	}
}

static bool add_record(void *context, const struct record *record)
{
	(void)context;
	assert_int_equal(record->count, HEADER_FIELDS);
	text_add(text, sizeof(text), "%.*s %u/%u.%u:", BYTES(record->field[HEADER_PART]),
		 record->field[HEADER_TAG].data[2] * 256U + record->field[HEADER_TAG].data[3],
		 record->field[HEADER_TYPE].data[0], record->field[HEADER_CHUNK].data[3]);
	if (record->field[HEADER_TYPE].data[0] == 6) {
		text_add(text, sizeof(text), "%s", (const char *)record->field[HEADER_VALUE].data);
	} else {
		text_add(text, sizeof(text), "%zu", record->field[HEADER_VALUE].len);
	}
	text_add(text, sizeof(text), "\n");
	return true;
}

/* Puts one header into a database of its own. */
static struct package_db *open_header(struct rpm_build *build)
{
	struct rpm_blob_bytes blob = rpm_build_finish(build);
	struct package_db *db;

	rpm_write_ndb(tree_path(&tree, DIR "Packages.db"), &blob, 1);
	free(blob.data);
	tree.gaps[0] = text[0] = '\0';
	assert_int_equal(package_db_open(&package_db_rpm, &tree.host, &db), PACKAGE_DB_FOUND);
	return db;
}

static void signed_region_and_the_rest_are_apart(void **state)
{
	const uint32_t numbers[2] = {5, 6};
	struct rpm_build build;
	struct package_db *db;

	(void)state;
	rpm_build_init(&build, true);
	rpm_build_string(&build, 1000, "p");
	rpm_build_string(&build, 1001, "1");
	rpm_build_string(&build, 1002, "2");
	rpm_build_numbers(&build, 1003, 1, numbers);
	rpm_build_numbers(&build, 1028, 2, numbers);
	rpm_build_close_region(&build);
	rpm_build_string(&build, 273, "sha256");
	rpm_build_bin(&build, 268, "rsa", 3);
	rpm_build_numbers(&build, 1028, 2, numbers); /* the deception */
	rpm_build_string(&build, 1000, "another");
	rpm_build_numbers(&build, 1008, 1, numbers);
	rpm_build_bin(&build, 1029, "\2\2", 2);
	db = open_header(&build);
	assert_int_equal(package_db_count(db), 1);
	assert_true(package_db_records(db, SECTION_HEADER, 0, add_record, NULL));
	/* 16 bytes of head, 6 entries, 28 bytes of data with the trailer. */
	assert_string_equal(text, "region 63/7.0:148\nsignature 268/7.0:3\n"
				  "signature 273/6.0:sha256\n");
	text[0] = '\0';
	assert_true(package_db_records(db, SECTION_CLAIMS, 0, add_record, NULL));
	assert_string_equal(text, "override 1000/6.0:another\noverride 1028/4.0:8\n"
				  "rest 1029/7.0:2\n");
	assert_string_equal(tree.gaps, "");
	package_db_close(db);
}

static bool add_install(void *context, const struct record *record)
{
	(void)context;
	assert_int_equal(record->count, INSTALLS_FIELDS);
	text_add(text, sizeof(text), "%.*s %.*s %.*s", BYTES(record->field[INSTALLS_NAME]),
		 BYTES(record->field[INSTALLS_VERSION]), BYTES(record->field[INSTALLS_ARCH]));
	for (size_t i = INSTALLS_TIME; i < INSTALLS_FIELDS; i++) {
		const uint8_t *data = record->field[i].data;

		assert_int_equal(record->field[i].len, 4);
		text_add(text, sizeof(text), " %u",
			 (unsigned)data[0] << 24 | (unsigned)data[1] << 16 |
				 (unsigned)data[2] << 8 | data[3]);
	}
	text_add(text, sizeof(text), "\n");
	return true;
}

/* What stands behind the region of a header; 0: left out. */
static struct package_db *open_installed(uint32_t time, uint32_t transaction, bool is_odd)
{
	const uint32_t two[] = {time, time};
	struct rpm_build build;

	rpm_build_init(&build, true);
	rpm_build_string(&build, 1000, "p");
	rpm_build_string(&build, 1001, "1");
	rpm_build_string(&build, 1002, "2");
	if (is_odd) {
		rpm_build_numbers(&build, 1128, 1, &transaction);
	}
	rpm_build_close_region(&build);
	rpm_build_numbers(&build, 1008, is_odd ? 2 : 1, two);
	rpm_build_bin(&build, 1029, "\0\0", 2);
	if (transaction != 0) {
		rpm_build_numbers(&build, 1128, 1, &transaction);
	}
	return open_header(&build);
}

static void hosts_that_installed_one_build_agree_on_its_claims(void **state)
{
	struct package_db *db;
	uint64_t stamp;

	(void)state;
	db = open_installed(1600000000, 1600000001, false);
	stamp = package_db_stamp(db, 0);
	assert_true(package_db_records(db, SECTION_CLAIMS, 0, add_record, NULL));
	assert_string_equal(text, "rest 1029/7.0:2\n");
	text[0] = '\0';
	assert_true(package_db_records(db, SECTION_INSTALLS, 0, add_install, NULL));
	assert_string_equal(text, "p 0:1-2  1600000000 1600000001 1\n");
	package_db_close(db);
	db = open_installed(1700000000, 0, false);
	assert_true(package_db_records(db, SECTION_CLAIMS, 0, add_record, NULL));
	assert_string_equal(text, "rest 1029/7.0:2\n");
	text[0] = '\0';
	assert_true(package_db_records(db, SECTION_INSTALLS, 0, add_install, NULL));
	assert_string_equal(text, "p 0:1-2  1700000000 0 1\n");
	/* The same claims, and yet they are to be looked at again. */
	assert_true(package_db_stamp(db, 0) != stamp);
	package_db_close(db);
}

static void odd_entries_stay_where_they_are_judged(void **state)
{
	struct package_db *db = open_installed(1600000000, 7, true);

	(void)state;
	assert_true(package_db_records(db, SECTION_CLAIMS, 0, add_record, NULL));
	assert_string_equal(text, "override 1128/4.0:4\nrest 1008/4.0:8\nrest 1029/7.0:2\n");
	text[0] = '\0';
	assert_true(package_db_records(db, SECTION_INSTALLS, 0, add_install, NULL));
	assert_string_equal(text, "p 0:1-2  0 0 1\n");
	package_db_close(db);
}

struct message {
	uint8_t data[200000];
	size_t len;
	uint32_t chunks;
};

static bool add_chunk(void *context, const struct record *record)
{
	struct message *message = context;

	if (bytes_equal_string(record->field[HEADER_PART], HEADER_REGION)) {
		assert_int_equal(record->field[HEADER_CHUNK].data[3], message->chunks);
		memcpy(message->data + message->len, record->field[HEADER_VALUE].data,
		       record->field[HEADER_VALUE].len);
		message->len += record->field[HEADER_VALUE].len;
		message->chunks++;
	}
	return true;
}

static void region_is_what_the_signature_covers(void **state)
{
	static struct message message;
	const struct rpm_blob_bytes *blob = &blobs[PACKAGES - 1];
	struct package_db *db;
	uint32_t entries = 11; /* of rpm_build_package's region, its own one included */
	size_t at;

	(void)state;
	memset(&message, 0, sizeof(message));
	rpm_write_ndb(tree_path(&tree, DIR "Packages.db"), blob, 1);
	db = open_db();
	assert_true(package_db_records(db, SECTION_HEADER, 0, add_chunk, &message));
	assert_true(message.chunks > 1);
	assert_memory_equal(message.data, "\x8e\xad\xe8\x01\0\0\0\0\0\0\0", 11);
	entries = message.data[11];
	at = 16 + 16 * (size_t)entries;
	assert_memory_equal(message.data + 16, blob->data + 8, 16 * (size_t)entries);
	/* Three entries stand behind the region. */
	assert_memory_equal(message.data + at, blob->data + 8 + 16 * (size_t)(entries + 3),
			    message.len - at);
	package_db_close(db);
}

static void header_without_region_is_told_bare(void **state)
{
	struct rpm_build build;
	struct package_db *db;

	(void)state;
	rpm_build_init(&build, false);
	rpm_build_string(&build, 1000, "old");
	rpm_build_string(&build, 1001, "1");
	rpm_build_string(&build, 1002, "2");
	db = open_header(&build);
	assert_true(package_db_records(db, SECTION_HEADER, 0, add_record, NULL));
	assert_string_equal(text, "");
	assert_true(package_db_records(db, SECTION_CLAIMS, 0, add_record, NULL));
	assert_string_equal(text, "bare 0/7.0:64\n");
	package_db_close(db);
}

static bool add_claim(void *context, const struct claim *claim)
{
	(void)context;
	text_add(text, sizeof(text), "%.*s%s\n", BYTES(claim->path),
		 claim->flags & CLAIM_ALIAS ? " alias" : "");
	return true;
}

static void file_list_traps(void **state)
{
	static const struct {
		const char *dirs[3];
		const char *bases[3];
		uint32_t indexes[3];
		uint32_t index_count;
		const char *claims;
		const char *gaps;
	} table[] = {
		{{"/a/", "/b/", "/"}, {"x", "y", "z"}, {1, 0, 2}, 3, "/a/y\n/b/x\n/z\n", ""},
		{{"/bin/", "/", "/usr/bin/"},
		 {"x", "bin", "x"},
		 {0, 1, 2},
		 3,
		 "/bin alias\n/usr/bin/x\n",
		 ""},
		{{"/a/../b/", "rel/", "/ok/"},
		 {"x", "y", "z"},
		 {0, 1, 2},
		 3,
		 "/ok/z\n",
		 DIR "Packages.db path-dotdot 1\n" DIR "Packages.db path-relative 1\n"},
		{{"/a/", "/b/", "/c/"},
		 {"x", "y", "z"},
		 {0, 3, 1},
		 3,
		 "/a/x\n",
		 DIR "Packages.db files-malformed 1\n"},
		{{"/a/", "/b/", "/c/"},
		 {"x", "y", "z"},
		 {0, 1, 1},
		 2,
		 "",
		 DIR "Packages.db files-malformed 1\n"},
		{{"/a/", "/b/", "/c/"}, {"", "x/y", "."}, {0, 1, 2}, 3, "/a\n/b/x/y\n/c\n", ""},
	};

	(void)state;
	tree_link(&tree, "/bin", "usr/bin");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rpm_build build;
		struct package_db *db;

		rpm_build_init(&build, true);
		rpm_build_string(&build, 1000, "p");
		rpm_build_numbers(&build, 1116, table[i].index_count, table[i].indexes);
		rpm_build_strings(&build, 1117, 8, 3, table[i].bases);
		rpm_build_strings(&build, 1118, 8, 3, table[i].dirs);
		rpm_build_close_region(&build);
		/* A list behind the region is no list. */
		rpm_build_strings(&build, 1117, 8, 3, (const char *const[]){"e", "v", "il"});
		db = open_header(&build);
		assert_true(package_db_claims(db, 0, true, add_claim, NULL));
		assert_string_equal(text, table[i].claims);
		assert_string_equal(tree.gaps, table[i].gaps);
		package_db_close(db);
	}
}

static void header_that_makes_no_sense_is_told(void **state)
{
	static const struct {
		size_t at; /* byte to change in the blob */
		uint8_t value;
		const char *reason;
	} table[] = {
		{3, 200, "header-malformed"},    {0, 1, "entries-limit"},
		{7, 0xff, "header-malformed"},   {8 + 7, 4, "region-malformed"},
		{8 + 15, 8, "region-malformed"}, {8 + 8, 1, "region-malformed"},
		{8 + 16 + 7, 4, "bad-name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rpm_blob_bytes blob = rpm_build_package("p", "1", 1, 1, 1);
		struct package_db *db;
		char expected[128];

		blob.data[table[i].at] = table[i].value;
		rpm_write_ndb(tree_path(&tree, DIR "Packages.db"), &blob, 1);
		free(blob.data);
		tree.gaps[0] = '\0';
		db = open_db();
		assert_int_equal(package_db_count(db), 0);
		(void)snprintf(expected, sizeof(expected), DIR "Packages.db %s 1\n",
			       table[i].reason);
		assert_string_equal(tree.gaps, expected);
		package_db_close(db);
	}
}

static void second_database_is_told(void **state)
{
	struct package_db *db;

	(void)state;
	rpm_write_ndb(tree_path(&tree, DIR "Packages.db"), blobs, 2);
	rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), 4096, blobs, 3, 0, true);
	tree_write(&tree, DIR "Packages", "this is no database, but it has the name of one");
	db = open_db();
	assert_int_equal(package_db_count(db), 3);
	assert_string_equal(tree.gaps, DIR "Packages.db second-database 1\n" DIR
					   "Packages format-unknown 1\n");
	package_db_close(db);
}

static void symlinked_directory_is_one_database(void **state)
{
	struct tree host;
	struct package_db *db;

	(void)state;
	tree_make(&host);
	tree_write(&host, "/usr/lib/sysimage/rpm/mark", "");
	tree_link(&host, "/var/lib/rpm", "../../usr/lib/sysimage/rpm");
	rpm_write_ndb(tree_path(&host, "/usr/lib/sysimage/rpm/Packages.db"), blobs, 2);
	assert_int_equal(package_db_open(&package_db_rpm, &host.host, &db), PACKAGE_DB_FOUND);
	assert_int_equal(package_db_count(db), 2);
	assert_string_equal(host.gaps, "");
	package_db_close(db);
	tree_remove(&host);
}

static void no_database_is_none(void **state)
{
	struct package_db *db;

	(void)state;
	assert_int_equal(package_db_open(&package_db_rpm, &tree.host, &db), PACKAGE_DB_NONE);
	assert_string_equal(tree.gaps, "");
}

static void change_and_lock_are_seen(void **state)
{
	struct package_db *db;
	int ready[2];
	int hold[2];
	char byte;
	pid_t child;

	(void)state;
	rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), 4096, blobs, 3, 0, true);
	tree_write(&tree, DIR ".rpm.lock", "");
	db = open_db();
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(hold), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(tree_path(&tree, DIR ".rpm.lock"), O_RDWR);

		(void)close(hold[1]);
		if (fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "x", 1) != 1) {
			_exit(1);
		}
		(void)read(hold[0], &byte, 1);
		_exit(0);
	}
	(void)close(hold[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(package_db_check(db), PACKAGE_DB_LOCKED);
	(void)close(hold[1]);
	(void)close(ready[0]);
	(void)close(ready[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(package_db_check(db), PACKAGE_DB_SAME);
	rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), 4096, blobs, 4, 1, true);
	assert_int_equal(package_db_check(db), PACKAGE_DB_CHANGED);
	package_db_close(db);
}

static void damage_is_survived(const char *name)
{
	struct stat st;
	char path[256];
	uint8_t *data;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s%s", DIR, name);
	file = fopen(tree_path(&tree, path), "rb");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc((size_t)st.st_size);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	assert_int_equal(fclose(file), 0);
	for (size_t cut = 0; cut < (size_t)st.st_size; cut += 1 + (size_t)st.st_size / 150) {
		struct package_db *db;

		tree_write_bytes(&tree, path, data, cut);
		tree.gaps[0] = '\0';
		if (package_db_open(&package_db_rpm, &tree.host, &db) == PACKAGE_DB_FOUND) {
			uint64_t owned = 0;

			assert_true(package_db_owned(db, count_path, &owned));
			assert_true(package_db_count(db) == 6 || tree.gaps[0] != '\0');
			package_db_close(db);
		}
	}
	for (size_t at = 0; at < (size_t)st.st_size; at += 1 + (size_t)st.st_size / 400) {
		struct package_db *db;

		data[at] ^= 0xff;
		tree_write_bytes(&tree, path, data, (size_t)st.st_size);
		data[at] ^= 0xff;
		tree.gaps[0] = '\0';
		if (package_db_open(&package_db_rpm, &tree.host, &db) == PACKAGE_DB_FOUND) {
			uint64_t owned = 0;

			assert_true(package_db_owned(db, count_path, &owned));
			package_db_close(db);
		}
	}
	free(data);
	assert_int_equal(unlink(tree_path(&tree, path)), 0);
}

static void damaged_databases_are_survived(void **state)
{
	(void)state;
	rpm_write_ndb(tree_path(&tree, DIR "Packages.db"), blobs + 1, 6);
	damage_is_survived("Packages.db");
	rpm_write_sqlite(tree_path(&tree, DIR "rpmdb.sqlite"), 512, blobs + 1, 6, 2, true);
	damage_is_survived("rpmdb.sqlite");
	if (rpm_write_bdb(tree_path(&tree, DIR "Packages"), false, 512, blobs + 1, 6)) {
		damage_is_survived("Packages");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ndb_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(sqlite_is_read_with_pages_of_any_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wal_counts_as_far_as_it_was_committed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(broken_wal_frame_ends_the_wal, setup, teardown),
		cmocka_unit_test_setup_teardown(bdb_is_read_in_both_byte_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(signed_region_and_the_rest_are_apart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(region_is_what_the_signature_covers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(hosts_that_installed_one_build_agree_on_its_claims,
						setup, teardown),
		cmocka_unit_test_setup_teardown(odd_entries_stay_where_they_are_judged, setup,
						teardown),
		cmocka_unit_test_setup_teardown(header_without_region_is_told_bare, setup,
						teardown),
		cmocka_unit_test_setup_teardown(file_list_traps, setup, teardown),
		cmocka_unit_test_setup_teardown(header_that_makes_no_sense_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(second_database_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(symlinked_directory_is_one_database, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_database_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(change_and_lock_are_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_databases_are_survived, setup, teardown),
	};

	return cmocka_run_group_tests(tests, make_blobs, free_blobs);
}
