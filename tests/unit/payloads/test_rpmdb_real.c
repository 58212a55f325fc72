// SPDX-License-Identifier: MIT
/*
 * Real rpm databases of all three formats, held against rpm's own reading where an rpm is installed
 * that can read them, and against what is known of them otherwise. They are looked for in
 * ../shared/data/rpmdb; the tests skip, and say so, where that is absent.
 */
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

#include <openssl/evp.h>
#include <cmocka.h>

#include "payloads/package_db.h"
#include "tests/unit/payloads/tree.h"

#define DATA "../shared/data/rpmdb/"
#define TEXT_ROOM ((size_t)1 << 20)

static const struct format {
	const char *file;
	const char *name; /* in the database directory */
	const char
		*backend; /* rpm's word for it; NULL: its headers are put into an sqlite database */
	uint32_t packages;
	uint32_t files;
} formats[] = {
	{"bdb-Packages", "Packages", "bdb_ro", 3, 155},
	{"ndb-Packages.db", "Packages.db", NULL, 3, 2459},
	{"rpmdb.sqlite", "rpmdb.sqlite", "sqlite", 9, 347},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static struct tree tree;
static char *text;

static bool add_file(const struct format *format)
{
	char from[128];
	char to[128];
	struct stat st;
	void *data;
	FILE *file;

	(void)snprintf(from, sizeof(from), DATA "%s", format->file);
	file = fopen(from, "rb");
	if (!file) {
		return false;
	}
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc((size_t)st.st_size);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	assert_int_equal(fclose(file), 0);
	tree_make(&tree);
	(void)snprintf(to, sizeof(to), "/var/lib/rpm/%s", format->name);
	tree_write_bytes(&tree, to, data, (size_t)st.st_size);
	free(data);
	return true;
}

#define BYTES(b) (int)(b).len, (const char *)(b).data

struct describe {
	struct package package;
	uint32_t files;
};

static bool add_claim(void *context, const struct claim *claim)
{
	struct describe *describe = context;

	text_add(text, TEXT_ROOM, "%.*s %.*s %.*s %.*s%s%s\n", BYTES(describe->package.name),
		 BYTES(describe->package.version), BYTES(describe->package.arch),
		 BYTES(claim->path), claim->flags & CLAIM_CONFFILE ? " config" : "",
		 claim->flags & CLAIM_GHOST ? " ghost" : "");
	describe->files++;
	return true;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the lines of a text in place. */
static void sort_lines(char *lines)
{
	size_t len = strlen(lines);
	size_t count = 0;
	char *copy = strdup(lines);
	char **line = calloc(len + 1, sizeof(char *));
	char *save = NULL;

	assert_true(copy && line);
	for (char *next = strtok_r(copy, "\n", &save); next; next = strtok_r(NULL, "\n", &save)) {
		line[count++] = next;
	}
	qsort(line, count, sizeof(char *), compare_lines);
	lines[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		len = strlen(line[i]);
		memcpy(lines, line[i], len);
		lines[len] = '\n';
		lines[len + 1] = '\0';
		lines += len + 1;
	}
	free(line);
	free(copy);
}

/* Into a database in `folder` that this rpm reads. */
static bool convert(const struct format *format, const char *folder)
{
	char command[1024];

	(void)snprintf(command, sizeof(command),
		       "mkdir %s && rpm --define '_db_backend sqlite' --dbpath %s --initdb && "
		       "tests/rpm/ndb_to_sqlite.py %s/var/lib/rpm/%s %s/rpmdb.sqlite",
		       folder, folder, tree.root, format->name, folder);
	return system(command) == 0; // NOLINT(cert-env33-c): a fixed command
}

/* rpm -qa of the tree's database, in the shape of add_claim. False where it cannot be asked. */
static bool ask_rpm(const struct format *format, char *answer)
{
	char path[128];
	char backend[64];
	char query[] = "[%{=NAME} %|EPOCH?{%{=EPOCH}}:{0}|:%{=VERSION}-%{=RELEASE} %{=ARCH} "
		       "%{FILENAMES} %{FILEFLAGS:fflags}\n]";
	int pipe_fd[2];
	int status;
	size_t len = 0;
	ssize_t got;
	pid_t child;

	(void)snprintf(path, sizeof(path), "%s/%s", tree.root,
		       format->backend ? "var/lib/rpm" : "converted");
	(void)snprintf(backend, sizeof(backend), "_db_backend %s",
		       format->backend ? format->backend : "sqlite");
	if (!format->backend && !convert(format, path)) {
		return false;
	}
	assert_int_equal(pipe(pipe_fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(pipe_fd[1], STDOUT_FILENO);
		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		(void)close(pipe_fd[0]);
		(void)close(pipe_fd[1]);
		(void)execlp("rpm", "rpm", "--define", backend, "--dbpath", path, "-qa", "--qf",
			     query, (char *)NULL);
		_exit(127);
	}
	(void)close(pipe_fd[1]);
	while ((got = read(pipe_fd[0], answer + len, TEXT_ROOM - 1 - len)) > 0) {
		len += (size_t)got;
	}
	answer[len] = '\0';
	(void)close(pipe_fd[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && len != 0;
}

/* " cg" of :fflags becomes " config ghost"; other letters go. */
static void spell_flags(const char *from, char *to)
{
	while (*from != '\0') {
		const char *end = strchr(from, '\n');
		const char *blank = end;

		assert_non_null(end);
		while (*blank != ' ') {
			blank--;
		}
		memcpy(to, from, (size_t)(blank - from));
		to += blank - from;
		if (memchr(blank, 'c', (size_t)(end - blank))) {
			to = stpcpy(to, " config");
		}
		if (memchr(blank, 'g', (size_t)(end - blank))) {
			to = stpcpy(to, " ghost");
		}
		*to++ = '\n';
		from = end + 1;
	}
	*to = '\0';
}

static struct package_db *open_db(void)
{
	struct package_db *db;

	assert_int_equal(package_db_open(&package_db_rpm, &tree.host, &db), PACKAGE_DB_FOUND);
	return db;
}

static void file_lists_are_those_of_rpm(void **state)
{
	char *answer = malloc(TEXT_ROOM);
	char *theirs = malloc(2 * TEXT_ROOM);

	(void)state;
	assert_true(answer && theirs);
	for (size_t i = 0; i < FORMATS; i++) {
		struct describe describe = {.files = 0};
		struct package_db *db;

		if (!add_file(&formats[i])) {
			print_message("SKIP: no " DATA "%s\n", formats[i].file);
			free(answer);
			free(theirs);
			skip();
		}
		db = open_db();
		text[0] = '\0';
		assert_int_equal(package_db_count(db), formats[i].packages);
		for (uint32_t j = 0; j < formats[i].packages; j++) {
			package_db_package(db, j, &describe.package);
			assert_true(package_db_claims(db, j, true, add_claim, &describe));
		}
		assert_int_equal(describe.files, formats[i].files);
		assert_string_equal(tree.gaps, "");
		package_db_close(db);
		if (ask_rpm(&formats[i], answer)) {
			spell_flags(answer, theirs);
			sort_lines(theirs);
			sort_lines(text);
			assert_string_equal(text, theirs);
			print_message("%s: %u files as rpm lists them\n", formats[i].name,
				      describe.files);
		} else {
			print_message("SKIP: no rpm here that reads %s\n", formats[i].name);
		}
		tree_remove(&tree);
	}
	free(answer);
	free(theirs);
}

struct region {
	EVP_MD_CTX *sha1;
	EVP_MD_CTX *sha256;
	char sha1_tag[64];
	char sha256_tag[96];
};

static bool hash_region(void *context, const struct record *record)
{
	struct region *region = context;
	struct bytes value = record->field[HEADER_VALUE];
	const uint8_t *tag = record->field[HEADER_TAG].data;
	uint32_t number = (uint32_t)tag[2] << 8 | tag[3];

	if (bytes_equal_string(record->field[HEADER_PART], HEADER_REGION)) {
		assert_int_equal(EVP_DigestUpdate(region->sha1, value.data, value.len), 1);
		assert_int_equal(EVP_DigestUpdate(region->sha256, value.data, value.len), 1);
		return true;
	}
	assert_true(bytes_equal_string(record->field[HEADER_PART], HEADER_SIGNATURE));
	if (number == 269) {
		assert_true(value.len < sizeof(region->sha1_tag));
		memcpy(region->sha1_tag, value.data, value.len);
	}
	if (number == 273) {
		assert_true(value.len < sizeof(region->sha256_tag));
		memcpy(region->sha256_tag, value.data, value.len);
	}
	return true;
}

static void check_digest(EVP_MD_CTX *context, const char *tag)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char shown[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned len;

	assert_int_equal(EVP_DigestFinal(context, digest, &len), 1);
	for (unsigned i = 0; i < len; i++) {
		(void)snprintf(shown + (size_t)2 * i, 3, "%02x", digest[i]);
	}
	if (tag[0] != '\0') {
		assert_string_equal(shown, tag);
	}
}

/* What the vendor recorded over the region is what [header] carries. */
static void regions_have_the_digests_that_were_signed(void **state)
{
	uint32_t checked = 0;

	(void)state;
	for (size_t i = 0; i < FORMATS; i++) {
		struct package_db *db;

		if (!add_file(&formats[i])) {
			print_message("SKIP: no " DATA "%s\n", formats[i].file);
			skip();
		}
		db = open_db();
		for (uint32_t j = 0; j < package_db_count(db); j++) {
			struct region region = {EVP_MD_CTX_new(), EVP_MD_CTX_new(), "", ""};

			assert_true(region.sha1 && region.sha256);
			assert_int_equal(EVP_DigestInit(region.sha1, EVP_sha1()), 1);
			assert_int_equal(EVP_DigestInit(region.sha256, EVP_sha256()), 1);
			assert_true(
				package_db_records(db, SECTION_HEADER, j, hash_region, &region));
			check_digest(region.sha1, region.sha1_tag);
			check_digest(region.sha256, region.sha256_tag);
			checked += region.sha1_tag[0] != '\0';
			checked += region.sha256_tag[0] != '\0';
			EVP_MD_CTX_free(region.sha1);
			EVP_MD_CTX_free(region.sha256);
		}
		package_db_close(db);
		tree_remove(&tree);
	}
	assert_true(checked >= 15);
	print_message("%u digests of regions agree\n", checked);
}

static int make_text(void **state)
{
	(void)state;
	text = calloc(1, TEXT_ROOM);
	return text ? 0 : -1;
}

static int free_text(void **state)
{
	(void)state;
	free(text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_lists_are_those_of_rpm),
		cmocka_unit_test(regions_have_the_digests_that_were_signed),
	};

	return cmocka_run_group_tests(tests, make_text, free_text);
}
