// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "baselines/import/deb.h"
#include "baselines/import/import.h"
#include "tests/unit/baselines/fixture.h"

#define HELLO_MD5 "5d41402abc4b2a76b9719d911017c592"

/* One entry of a tar that a test makes. */
struct item {
	const char *path;
	mode_t mode; /* with its type; 0: a hard link to `text` */
	const char *text;
	const char *owner;
};

struct made {
	uint8_t data[1 << 20];
	size_t len;
};

static void make_tar(const struct item *items, size_t count, struct made *to)
{
	struct archive *tar = archive_write_new();

	assert_int_equal(archive_write_set_format_gnutar(tar), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_per_block(tar, 512), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(tar, to->data, sizeof(to->data), &to->len),
			 ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *entry = archive_entry_new();
		const struct item *item = &items[i];

		archive_entry_set_pathname(entry, item->path);
		archive_entry_set_mode(entry, item->mode ? item->mode : S_IFREG | 0644);
		archive_entry_set_uid(entry, item->owner ? 1234 : 0);
		archive_entry_set_uname(entry, item->owner ? item->owner : "root");
		archive_entry_set_gname(entry, "root");
		archive_entry_set_mtime(entry, 1700000000, 0);
		if (!item->mode) {
			archive_entry_set_hardlink(entry, item->text);
		} else if (S_ISLNK(item->mode)) {
			archive_entry_set_symlink(entry, item->text);
		} else if (S_ISREG(item->mode)) {
			archive_entry_set_size(entry, (la_int64_t)strlen(item->text));
		} else if (S_ISCHR(item->mode)) {
			archive_entry_set_rdev(entry, makedev(1, 3));
		}
		assert_int_equal(archive_write_header(tar, entry), ARCHIVE_OK);
		if (item->mode && S_ISREG(item->mode)) {
			assert_int_equal(archive_write_data(tar, item->text, strlen(item->text)),
					 strlen(item->text));
		}
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(tar), ARCHIVE_OK);
	archive_write_free(tar);
}

/* ar(5), as dpkg-deb writes it. */
static void add_member(FILE *deb, const char *name, const void *data, size_t len)
{
	assert_true(fprintf(deb, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "100644", len) ==
		    60);
	assert_int_equal(fwrite(data, 1, len, deb), len);
	if (len % 2 != 0) {
		assert_int_equal(fputc('\n', deb), '\n');
	}
}

static const struct item control_items[] = {
	{"./", S_IFDIR | 0755, NULL, NULL},
	{"./control", S_IFREG | 0644,
	 "Package: hello\nSource: hello-src (1:2-1)\nVersion: 1:2-1+b1\nArchitecture: amd64\n"
	 "Description: x\n Package: no field\n",
	 NULL},
	{"./conffiles", S_IFREG | 0644, "/etc/hello.conf\nremove-on-upgrade /etc/old\n/etc/none\n",
	 NULL},
	{"./md5sums", S_IFREG | 0644,
	 HELLO_MD5 "  bin/hello\n" HELLO_MD5 "  usr/bin/other\nbroken\n" HELLO_MD5 "  gone\n",
	 NULL},
};
#define CONTROL_ITEMS (sizeof(control_items) / sizeof(control_items[0]))

static void write_deb(const struct fixture *f, const struct item *control, size_t control_count,
		      const struct item *items, size_t count)
{
	struct made *control_tar = calloc(1, sizeof(*control_tar));
	struct made *data_tar = calloc(1, sizeof(*data_tar));
	char path[256];
	FILE *deb;

	assert_true(control_tar && data_tar);
	(void)snprintf(path, sizeof(path), "%s/t.deb", f->path);
	make_tar(control, control_count, control_tar);
	make_tar(items, count, data_tar);
	deb = fopen(path, "wb");
	assert_non_null(deb);
	assert_true(fputs("!<arch>\n", deb) >= 0);
	add_member(deb, "debian-binary", "2.0\n", 4);
	add_member(deb, "control.tar", control_tar->data, control_tar->len);
	add_member(deb, "_extra", "x", 1);
	add_member(deb, "data.tar", data_tar->data, data_tar->len);
	assert_int_equal(fclose(deb), 0);
	free(control_tar);
	free(data_tar);
}

static int read_deb(const struct fixture *f, struct deb **deb, struct error *err)
{
	char path[256];

	*deb = NULL;
	(void)snprintf(path, sizeof(path), "%s/t.deb", f->path);
	return deb_read(path, deb, err);
}

static struct deb *must_read(const struct fixture *f)
{
	struct error err = {0};
	struct deb *deb = NULL;

	if (read_deb(f, &deb, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return deb;
}

static const struct item data_items[] = {
	{"./", S_IFDIR | 0755, NULL, NULL},
	{"./bin/", S_IFDIR | 0755, NULL, NULL},
	{"./bin/hello", S_IFREG | 04755, "hello", NULL},
	{"./dev/null", S_IFCHR | 0666, NULL, NULL},
	{"./etc/hello.conf", S_IFREG | 0640, "x", "someone"},
	{"./lib", S_IFLNK | 0777, "usr/lib", NULL},
	{"./usr/bin/", S_IFDIR | 0755, NULL, NULL},
	{"./usr/bin/other", S_IFREG | 0644, "other", NULL},
	{"./usr/bin/same", 0, "./bin/hello", NULL},
	{"./usr/share/\xc3\xa9 x", S_IFREG | 0644, "", ""},
};
#define DATA_ITEMS (sizeof(data_items) / sizeof(data_items[0]))

static void deb_becomes_a_manifest(void **state)
{
	const struct manifest_entry *entry, *same;
	struct fixture f;
	struct deb *deb;

	(void)state;
	fixture_folder(&f);
	write_deb(&f, control_items, CONTROL_ITEMS, data_items, DATA_ITEMS);
	deb = must_read(&f);
	assert_string_equal(deb->package, "hello");
	assert_string_equal(deb->version, "1:2-1+b1");
	assert_string_equal(deb->arch, "amd64");
	assert_string_equal(deb->source, "hello-src");
	assert_string_equal(deb->source_version, "1:2-1");
	assert_int_equal(deb->manifest->count, DATA_ITEMS - 1); /* bin/ is usr/bin/ */
	assert_int_equal(deb->files, 4);
	assert_int_equal(deb->bytes, 11);

	entry = manifest_find(deb->manifest, BYTES_LITERAL("/usr/bin/hello"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.mode, 04755);
	assert_int_equal(entry->entry.mtime_s, 1700000000);
	assert_true(entry->entry.has_size && entry->entry.size == 5);
	assert_int_equal(entry->md5[0], 0x5d);
	assert_int_equal(entry->tags, 0);
	same = manifest_find(deb->manifest, BYTES_LITERAL("/usr/bin/same"));
	assert_non_null(same);
	assert_int_equal(same->tags, MANIFEST_HARDLINK);
	assert_true(digest_equal(&same->entry.sha256, &entry->entry.sha256));
	assert_int_equal(same->entry.mode, 04755);
	entry = manifest_find(deb->manifest, BYTES_LITERAL("/etc/hello.conf"));
	assert_non_null(entry);
	assert_int_equal(entry->tags, MANIFEST_CONFIG);
	assert_true(bytes_equal_string(entry->entry.owner, "someone"));
	entry = manifest_find(deb->manifest, BYTES_LITERAL("/lib"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.type, ENTRY_LINK);
	entry = manifest_find(deb->manifest, BYTES_LITERAL("/dev/null"));
	assert_non_null(entry);
	assert_true(entry->entry.has_device && entry->entry.major == 1 && entry->entry.minor == 3);
	entry = manifest_find(deb->manifest, BYTES_LITERAL("/usr/share/\xc3\xa9 x"));
	assert_non_null(entry);
	assert_true(bytes_equal_string(entry->entry.owner, "#1234"));
	assert_non_null(manifest_find(deb->manifest, BYTES_LITERAL("/")));

	/* Its own md5sums lie about one file; what is not shipped or no line is passed over. */
	assert_int_equal(deb->md5_wrong, 1);
	assert_true(bytes_equal_string(deb->md5_first->entry.path, "/usr/bin/other"));
	deb_free(deb);
	deb_free(NULL);
	fixture_remove(&f);
}

static void refuse_items(const struct fixture *f, const struct item *items, size_t count,
			 const char *message)
{
	struct error err = {0};
	struct deb *deb;

	write_deb(f, control_items, CONTROL_ITEMS, items, count);
	assert_int_equal(read_deb(f, &deb, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_non_null(strstr(err.msg, "/t.deb: "));
	if (!strstr(err.msg, message)) {
		fail_msg("%s, not %s", err.msg, message);
	}
}

static void unsound_contents_are_refused(void **state)
{
	static const struct item upwards[] = {{"./a/../../etc/x", S_IFREG | 0644, "", NULL}};
	static const struct item twice[] = {{"./bin/x", S_IFREG | 0644, "a", NULL},
					    {"./usr/bin/x", S_IFREG | 0644, "b", NULL}};
	static const struct item loose[] = {{"./x", 0, "./y", NULL}};
	static const struct item to_dir[] = {{"./y/", S_IFDIR | 0755, NULL, NULL},
					     {"./x", 0, "./y", NULL}};
	struct fixture f;

	(void)state;
	fixture_folder(&f);
	refuse_items(&f, upwards, 1, "leads upwards");
	refuse_items(&f, twice, 2, "/usr/bin/x: stands twice");
	refuse_items(&f, loose, 1, "/x: a hard link to no file");
	refuse_items(&f, to_dir, 2, "/x: a hard link to no file");
	fixture_remove(&f);
}

static void control_must_name_the_package(void **state)
{
	static const char *const wrong[] = {
		"", "Package: a\nVersion: 1\n", "Package: a b\nVersion: 1\nArchitecture: all\n",
		"Package: a\nVersion: \x01\nArchitecture: all\n",
		"Package: a\nVersion: 1\nArchitecture: all\nSource: a (1\n"};
	struct fixture f;

	(void)state;
	fixture_folder(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct item control = {"control", S_IFREG | 0644, wrong[i], NULL};
		struct error err = {0};
		struct deb *deb;

		write_deb(&f, &control, 1, data_items, DATA_ITEMS);
		assert_int_equal(read_deb(&f, &deb, &err), -1);
		assert_non_null(strstr(err.msg, "/t.deb: the field "));
	}
	fixture_remove(&f);
}

/* Whatever is cut off or turned over: a refusal or a whole deb, never a crash. */
static void truncation_and_noise_never_harm(void **state)
{
	struct fixture f;
	char path[256];
	struct stat st;
	uint8_t *data;
	FILE *file;

	(void)state;
	fixture_folder(&f);
	write_deb(&f, control_items, CONTROL_ITEMS, data_items, DATA_ITEMS);
	(void)snprintf(path, sizeof(path), "%s/t.deb", f.path);
	assert_int_equal(stat(path, &st), 0);
	data = malloc((size_t)st.st_size);
	file = fopen(path, "r+b");
	assert_true(data && file);
	assert_int_equal(fread(data, 1, (size_t)st.st_size, file), st.st_size);
	for (off_t len = st.st_size - 1; len >= 0; len -= len > 1024 ? 97 : 13) {
		struct error err = {0};
		struct deb *deb;

		assert_int_equal(ftruncate(fileno(file), len), 0);
		if (read_deb(&f, &deb, &err) == 0) {
			deb_free(deb);
		} else {
			assert_int_equal(err.kind, ERROR_CONFIG);
		}
	}
	for (size_t i = 0; i < (size_t)st.st_size; i += 31) {
		struct error err = {0};
		struct deb *deb;
		uint8_t kept = data[i];

		data[i] ^= 0x5a;
		rewind(file);
		assert_int_equal(fwrite(data, 1, (size_t)st.st_size, file), st.st_size);
		assert_int_equal(fflush(file), 0);
		data[i] = kept;
		if (read_deb(&f, &deb, &err) == 0) {
			deb_free(deb);
		}
	}
	(void)fclose(file);
	free(data);
	fixture_remove(&f);
}

static void what_is_no_deb_is_refused(void **state)
{
	static const char *const texts[] = {"", "x", "!<arch>\n", "Package: a\n"};
	struct error err = {0};
	struct fixture f;
	struct deb *deb;

	(void)state;
	fixture_folder(&f);
	assert_int_equal(read_deb(&f, &deb, &err), -1);
	assert_non_null(strstr(err.msg, "No such file"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fixture_write(&f, "t.deb", texts[i]);
		assert_int_equal(read_deb(&f, &deb, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
	}
	assert_int_equal(fixture_run(&f, "rm t.deb && mkfifo t.deb"), 0);
	assert_int_equal(read_deb(&f, &deb, &err), -1);
	assert_non_null(strstr(err.msg, "no regular file"));
	fixture_remove(&f);
}

/* dpkg-deb's own packages, in each compression it knows. */
static void packages_of_dpkg_deb_are_read(void **state)
{
	static const char *const kinds[] = {"none", "gzip", "xz", "zstd"};
	struct fixture f;
	char command[256];
	size_t read = 0;

	(void)state;
	fixture_folder(&f);
	fixture_write(&f, "p/DEBIAN/control",
		      "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
		      "Description: x\n");
	fixture_write(&f, "p/usr/share/p/file", "hello");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct manifest_entry *entry;
		struct deb *deb;

		(void)snprintf(command, sizeof(command),
			       "dpkg-deb -Z%s --root-owner-group -b p t.deb >/dev/null 2>&1",
			       kinds[i]);
		if (fixture_run(&f, command) != 0) {
			print_message("skipped: dpkg-deb -Z%s\n", kinds[i]);
			continue;
		}
		deb = must_read(&f);
		entry = manifest_find(deb->manifest, BYTES_LITERAL("/usr/share/p/file"));
		assert_non_null(entry);
		assert_int_equal(entry->entry.size, 5);
		deb_free(deb);
		read++;
	}
	fixture_remove(&f);
	if (read == 0) {
		skip();
	}
}

static void imported_manifest_is_found_by_its_build(void **state)
{
	const struct manifest *const *list;
	struct import_report report;
	struct fixture f, repository;
	char id[EDIT_COMMIT_SIZE], path[256];
	struct baseline *b = NULL;
	struct edit *edit = NULL;
	struct error err = {0};
	size_t count;

	(void)state;
	fixture_folder(&f);
	fixture_folder(&repository);
	write_deb(&f, control_items, CONTROL_ITEMS, data_items, DATA_ITEMS);
	(void)snprintf(path, sizeof(path), "%s/t.deb", f.path);
	assert_int_equal(edit_init(repository.path, "A <a@example.org>", id, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(edit_open(repository.path, "A <a@example.org>", &edit, &err), 0);
		assert_int_equal(import_deb(edit, path, "My Site", &report, &err), 0);
		assert_string_equal(report.path,
				    "packages/dpkg/My%20Site/hello/1%3a2-1+b1_amd64.mtree");
		assert_int_equal(report.entries, DATA_ITEMS - 1);
		assert_int_equal(report.md5_wrong, 1);
		assert_string_equal(report.md5_path, "/usr/bin/other");
		/* The same file gives the same bytes: the second time there is nothing to commit. */
		assert_int_equal(edit_count(edit), i == 0 ? 1 : 0);
		assert_int_equal(edit_commit(edit, "import", id, &err), 0);
		assert_int_equal(id[0] == '\0', i == 1);
		edit_free(edit);
	}
	assert_int_equal(baseline_open(repository.path, NULL, &b, &err), 0);
	assert_int_equal(baseline_manifests(b, BYTES_LITERAL("dpkg"), BYTES_LITERAL("hello"),
					    BYTES_LITERAL("1:2-1+b1"), BYTES_LITERAL("amd64"),
					    &list, &count, &err),
			 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0]->origin, "My Site");
	assert_int_equal(list[0]->trust, MANIFEST_UNSIGNED);
	assert_int_equal(list[0]->count, DATA_ITEMS - 1);
	baseline_close(b);
	fixture_remove(&repository);
	fixture_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deb_becomes_a_manifest),
		cmocka_unit_test(unsound_contents_are_refused),
		cmocka_unit_test(control_must_name_the_package),
		cmocka_unit_test(truncation_and_noise_never_harm),
		cmocka_unit_test(what_is_no_deb_is_refused),
		cmocka_unit_test(packages_of_dpkg_deb_are_read),
		cmocka_unit_test(imported_manifest_is_found_by_its_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
