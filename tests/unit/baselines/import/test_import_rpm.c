// SPDX-License-Identifier: MIT
/* Manifests out of .rpm files that this system's own rpm built and signed (tests/rpm/make). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "baselines/import/import.h"
#include "baselines/rpm/file.h"
#include "baselines/signature/vendor_keys.h"
#include "tests/unit/baselines/fixture.h"

static struct fixture made;
static bool is_made;
static struct vendor_keys *keys;

static int make(void **state)
{
	char command[600], path[200], *top = getcwd(NULL, 0);
	struct error err = {0};
	int code;

	(void)state;
	fixture_folder(&made);
	(void)snprintf(command, sizeof(command), "%s/tests/rpm/make made >/dev/null 2>&1",
		       top ? top : ".");
	free(top);
	code = fixture_run(&made, command);
	if (code == 77) {
		return 0;
	}
	(void)snprintf(path, sizeof(path), "%s/made/keys", made.path);
	if (code != 0 || vendor_keys_of_folder(path, &keys, &err) < 0) {
		return -1;
	}
	is_made = true;
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	vendor_keys_free(keys);
	fixture_remove(&made);
	return 0;
}

static void need_rpm(void)
{
	if (!is_made) {
		print_message("skipped: no rpm, rpmbuild, rpmsign or gpg\n");
		skip();
	}
}

static const char *rpm_path(const char *name, char to[256])
{
	(void)snprintf(to, 256, "%s/made/rpms/%s.rpm", made.path, name);
	return to;
}

static struct edit *open_edit(struct fixture *repository)
{
	struct edit *edit = NULL;
	struct error err = {0};
	char id[EDIT_COMMIT_SIZE];

	fixture_folder(repository);
	assert_int_equal(edit_init(repository->path, "A <a@example.org>", id, &err), 0);
	assert_int_equal(edit_open(repository->path, "A <a@example.org>", &edit, &err), 0);
	return edit;
}

static const struct expected {
	const char *name;
	int result;
	bool is_signed;
	const char *words; /* of the path, the note or the message */
} expected[] = {
	{"good", 0, true, "packages/rpm/vendor-origin/good/2%3a1.5-3_noarch.mtree"},
	{"good-eddsa", 0, true, "packages/rpm/eddsa-origin/"},
	{"limit-inside", 0, true, "packages/rpm/limited-origin/"},
	{"in-time", 0, true, "packages/rpm/old-origin/"},
	{"md5", 0, true, "packages/rpm/vendor-origin/md5/"},
	{"unsigned", 0, false, "nobody signed"},
	{"unknown", 0, false, "keys.yaml does not list"},
	{"outside", -1, false, "key outside its list"},
	{"gone", -1, false, "revoked key"},
	{"too-late", -1, false, "expired"},
};

static void only_listed_keys_prove_an_rpm(void **state)
{
	struct fixture repository;
	struct edit *edit;

	(void)state;
	need_rpm();
	edit = open_edit(&repository);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct expected *e = &expected[i];
		struct import_report report = {0};
		struct error err = {0};
		char path[256];

		assert_int_equal(
			import_rpm(edit, rpm_path(e->name, path), NULL, keys, &report, &err),
			e->result);
		if (!strstr(e->result < 0 ? err.msg : report.path, e->words) &&
		    !strstr(report.unproved, e->words)) {
			fail_msg("%s: %s %s %s", e->name, report.path, report.unproved, err.msg);
		}
		if (e->result == 0) {
			assert_int_equal(report.is_signed, e->is_signed);
		} else {
			assert_int_equal(err.kind, ERROR_CONFIG);
		}
	}
	edit_free(edit);
	fixture_remove(&repository);
}

static void named_origin_must_be_the_keys(void **state)
{
	struct import_report report;
	struct fixture repository;
	struct error err = {0};
	struct edit *edit;
	char path[256];

	(void)state;
	need_rpm();
	edit = open_edit(&repository);
	assert_int_equal(
		import_rpm(edit, rpm_path("good", path), "eddsa-origin", keys, &report, &err), -1);
	assert_non_null(strstr(err.msg, "not listed for origin eddsa-origin"));
	assert_int_equal(import_rpm(edit, path, "vendor-origin", keys, &report, &err), 0);
	assert_int_equal(report.outcome, IMPORT_NEW);
	edit_free(edit);
	fixture_remove(&repository);
}

static const struct manifest_entry *entry_of(const struct manifest *manifest, const char *path)
{
	const struct manifest_entry *entry = manifest_find(manifest, bytes_from_string(path));

	if (!entry) {
		fail_msg("no %s", path);
	}
	return entry;
}

static void manifest_says_what_the_header_says(void **state)
{
	static const uint8_t net_raw[] = {1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0,
					  0, 0, 0, 0, 0, 0,    0, 0, 0, 0};
	const struct manifest *const *list;
	const struct manifest_entry *e;
	struct import_report report;
	struct fixture repository;
	struct baseline *b = NULL;
	struct error err = {0};
	struct edit *edit;
	char path[256], id[EDIT_COMMIT_SIZE];
	size_t count;

	(void)state;
	need_rpm();
	edit = open_edit(&repository);
	assert_int_equal(import_rpm(edit, rpm_path("good", path), NULL, keys, &report, &err), 0);
	assert_int_equal(edit_commit(edit, "import", id, &err), 0);
	assert_int_equal(import_rpm(edit, path, NULL, keys, &report, &err), 0);
	assert_int_equal(report.outcome, IMPORT_HAD);
	edit_free(edit);
	assert_int_equal(baseline_open(repository.path, NULL, &b, &err), 0);
	assert_int_equal(baseline_manifests(b, BYTES_LITERAL("rpm"), BYTES_LITERAL("good"),
					    BYTES_LITERAL("2:1.5-3"), BYTES_LITERAL("noarch"),
					    &list, &count, &err),
			 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0]->trust, MANIFEST_SIGNED);
	assert_string_equal(list[0]->origin, "vendor-origin");
	e = entry_of(list[0], "/usr/bin/good-tool");
	assert_int_equal(e->entry.mode, 04755);
	assert_true(e->entry.has_sha256 && e->entry.has_mtime);
	assert_int_equal(e->tags, MANIFEST_CAPS);
	e = entry_of(list[0], "/usr/bin/good-ping");
	assert_true(bytes_equal(e->entry.caps, bytes_make(net_raw, sizeof(net_raw))));
	e = entry_of(list[0], "/usr/bin/good-sh"); /* shipped as /bin/good-sh */
	e = entry_of(list[0], "/usr/share/good/sub/a b");
	assert_true(bytes_equal_string(e->entry.owner, "daemon"));
	assert_true(bytes_equal_string(e->entry.group, "mail"));
	e = entry_of(list[0], "/usr/share/good/link");
	assert_int_equal(e->entry.type, ENTRY_LINK);
	assert_true(bytes_equal_string(e->entry.link, "one"));
	assert_true(entry_of(list[0], "/usr/share/good/one")->tags & MANIFEST_HARDLINK);
	e = entry_of(list[0], "/etc/good.conf");
	assert_int_equal(e->tags, MANIFEST_CONFIG | MANIFEST_NOREPLACE | MANIFEST_CAPS);
	e = entry_of(list[0], "/etc/good.ghost");
	assert_int_equal(e->tags & (MANIFEST_OPTIONAL | MANIFEST_NOCONTENT),
			 MANIFEST_OPTIONAL | MANIFEST_NOCONTENT);
	e = entry_of(list[0], "/usr/share/good/masked");
	assert_int_equal(e->tags & (MANIFEST_NOTIME | MANIFEST_NOCONTENT | MANIFEST_NOMODE),
			 MANIFEST_NOTIME | MANIFEST_NOCONTENT);
	baseline_close(b);
	fixture_remove(&repository);
}

static struct bytes slurp(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc((size_t)1 << 20);
	size_t len;

	assert_true(file && data);
	len = fread(data, 1, (size_t)1 << 20, file);
	assert_int_equal(fclose(file), 0);
	return bytes_make(data, len);
}

/* Up to the payload every byte counts; behind it none does. */
static void cut_file_is_refused_at_each_byte(void **state)
{
	struct rpm_file_front front;
	struct error err = {0};
	size_t first = 0;
	struct bytes data;
	char path[256];

	(void)state;
	need_rpm();
	data = slurp(rpm_path("good", path));
	for (size_t len = 0; len <= data.len; len++) {
		if (rpm_file_parse(bytes_make(data.data, len), &front, &err) == 0) {
			first = first > 0 ? first : len;
			assert_int_equal(front.section.items[0].value.data +
						 front.section.items[0].value.len - data.data,
					 first);
			rpm_file_clear(&front);
		} else {
			assert_int_equal(first, 0);
			assert_int_equal(err.kind, ERROR_CONFIG);
		}
	}
	assert_true(first > 1000 && first < data.len);
	free((void *)(uintptr_t)data.data);
}

static int import_flipped(struct edit *edit, struct bytes data, size_t at,
			  struct import_report *report)
{
	uint8_t *byte = (uint8_t *)(uintptr_t)data.data + at;
	struct error err = {0};
	char copy[256];
	FILE *file = fopen(rpm_path("changed", copy), "wb");
	int result;

	assert_non_null(file);
	*byte ^= 0x10;
	assert_int_equal(fwrite(data.data, 1, data.len, file), data.len);
	*byte ^= 0x10;
	assert_int_equal(fclose(file), 0);
	result = import_rpm(edit, copy, NULL, keys, report, &err);
	assert_int_equal(remove(copy), 0);
	return result;
}

static void changed_header_is_refused(void **state)
{
	struct rpm_file_front front;
	struct import_report report = {0};
	struct fixture repository;
	struct error err = {0};
	struct edit *edit;
	struct bytes data;
	size_t start, end;
	char path[256];

	(void)state;
	need_rpm();
	edit = open_edit(&repository);
	data = slurp(rpm_path("good", path));
	assert_int_equal(rpm_file_parse(data, &front, &err), 0);
	start = (size_t)(front.section.items[0].value.data - data.data);
	end = start + front.section.items[0].value.len;
	rpm_file_clear(&front);
	for (size_t at = start; at < end; at += (end - start) / 50) {
		assert_int_equal(import_flipped(edit, data, at, &report), -1);
	}
	/* The lead says nothing, and the payload is not read: it is the header that is proved. */
	assert_int_equal(import_flipped(edit, data, 20, &report), 0);
	assert_true(report.is_signed);
	assert_int_equal(import_flipped(edit, data, data.len - 1, &report), 0);
	assert_true(report.is_signed);
	free((void *)(uintptr_t)data.data);
	edit_free(edit);
	fixture_remove(&repository);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_listed_keys_prove_an_rpm),
		cmocka_unit_test(named_origin_must_be_the_keys),
		cmocka_unit_test(manifest_says_what_the_header_says),
		cmocka_unit_test(cut_file_is_refused_at_each_byte),
		cmocka_unit_test(changed_header_is_refused),
	};

	return cmocka_run_group_tests(tests, make, clean_up);
}
