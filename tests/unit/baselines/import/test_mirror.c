// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/import/import.h"
#include "baselines/import/mirror.h"
#include "tests/unit/baselines/import/apt_archive.h"

struct told {
	size_t count;
	char last[1024];
};

static void tell(void *context, const char *what)
{
	struct told *told = context;

	told->count++;
	(void)snprintf(told->last, sizeof(told->last), "%s", what);
}

static int open_with(const struct fixture *f, const char *dir, const char *lists,
		     const char *keyring, struct told *told, struct mirror **mirror,
		     struct error *err)
{
	static char dir_path[256], lists_path[256], keyring_path[256];
	static struct mirror_options options;

	options = (struct mirror_options){
		.dir = apt_archive_in(f, dir, dir_path),
		.lists = lists ? apt_archive_in(f, lists, lists_path) : NULL,
		.source = {.keyring = apt_archive_in(f, keyring, keyring_path),
			   .now_s = APT_ARCHIVE_NOW},
	};
	*told = (struct told){0};
	*mirror = NULL;
	return mirror_open(&options, tell, told, mirror, err);
}

/* The link dists/now leads to the same release: each package is named once. */
static void mirror_gives_what_its_signed_lists_name(void **state)
{
	struct mirror *mirror;
	struct error err = {0};
	struct told told;
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	assert_int_equal(fixture_run(&f, "cp p.deb m/pool/stray.deb"), 0);
	if (open_with(&f, "m", NULL, "one.gpg", &told, &mirror, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(mirror_archives(mirror), 1);
	assert_int_equal(mirror_count(mirror), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct mirror_deb *deb = mirror_deb(mirror, i);

		assert_non_null(deb->archive);
		assert_non_null(strstr(deb->file, "/m/pool/"));
		assert_null(strstr(deb->file, "stray"));
	}
	assert_int_equal(told.count, 0);
	mirror_free(mirror);
	fixture_remove(&f);
}

static void folder_finds_the_lists_beside_it(void **state)
{
	struct mirror *mirror;
	struct error err = {0};
	struct told told;
	struct fixture f;
	size_t proved = 0;

	(void)state;
	apt_archive_make(&f);
	assert_int_equal(
		fixture_run(&f, "cp p.deb c/archives/p_2_all.deb; cp p.deb c/archives/p.deb"), 0);
	if (open_with(&f, "c/archives", NULL, "one.gpg", &told, &mirror, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(mirror_count(mirror), 4);
	for (size_t i = 0; i < 4; i++) {
		proved += mirror_deb(mirror, i)->archive != NULL;
	}
	assert_int_equal(proved, 3);
	mirror_free(mirror);
	/* And those that are named. */
	assert_int_equal(fixture_run(&f, "mv c/lists elsewhere"), 0);
	assert_int_equal(open_with(&f, "c/archives", NULL, "one.gpg", &told, &mirror, &err), -1);
	assert_non_null(strstr(err.msg, "neither a mirror"));
	assert_int_equal(open_with(&f, "c/archives", "elsewhere", "one.gpg", &told, &mirror, &err),
			 0);
	assert_int_equal(mirror_count(mirror), 4);
	mirror_free(mirror);
	fixture_remove(&f);
}

static void release_by_unknown_keys_proves_nothing_and_is_told(void **state)
{
	struct mirror *mirror;
	struct error err = {0};
	struct told told;
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	assert_int_equal(open_with(&f, "m", NULL, "two.gpg", &told, &mirror, &err), -1);
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.last, "that key is not in the keyring"));
	assert_non_null(strstr(err.msg, "no Release is signed by a key of the keyring"));
	/* Unsigned: the same. */
	assert_int_equal(fixture_run(&f, "rm m/dists/stable/InRelease; "
					 "cp Release m/dists/stable"),
			 0);
	assert_int_equal(open_with(&f, "m", NULL, "one.gpg", &told, &mirror, &err), -1);
	assert_non_null(strstr(told.last, "not signed (no Release.gpg)"));
	assert_int_equal(fixture_run(&f, "cp Release.gpg m/dists/stable"), 0);
	assert_int_equal(open_with(&f, "m", NULL, "one.gpg", &told, &mirror, &err), 0);
	assert_int_equal(mirror_count(mirror), 2);
	mirror_free(mirror);
	fixture_remove(&f);
}

static void whatever_is_changed_stops_it_by_name(void **state)
{
	static const struct {
		const char *change, *message;
	} faults[] = {
		{"cp BadRelease m/dists/stable/InRelease",
		 "m/dists/stable/InRelease: the signature "
		 "is bad"},
		{"cp OldRelease m/dists/stable/InRelease", "Valid-Until is over"},
		{"cp InRelease m/dists/stable; rm m/dists/stable/main/binary-amd64/Packages.xz; "
		 "echo >>m/dists/stable/main/binary-amd64/Packages",
		 "binary-amd64/Packages: the signed Release names no such file"},
		{"rm -r m/dists/stable", "no InRelease or Release"},
		{"rm -r m/dists", "neither a mirror"},
	};
	struct mirror *mirror;
	struct told told;
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct error err = {0};

		assert_int_equal(fixture_run(&f, faults[i].change), 0);
		assert_int_equal(open_with(&f, "m", NULL, "one.gpg", &told, &mirror, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
	}
	fixture_remove(&f);
}

static struct edit *new_edit(const struct fixture *f)
{
	struct edit *edit = NULL;
	struct error err = {0};

	if (edit_open(f->path, "A <a@example.org>", &edit, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return edit;
}

static void commit(struct edit *edit)
{
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};

	assert_int_equal(edit_commit(edit, "x", id, &err), 0);
	edit_free(edit);
}

/* Unsigned, then signed: the same file is known, and stands no more under the name of none. */
static void import_makes_unsigned_signed_and_never_back(void **state)
{
	struct fixture f, repository;
	struct import_report report;
	struct mirror *mirror;
	struct told told;
	struct edit *edit;
	struct error err = {0};
	char id[EDIT_COMMIT_SIZE], path[256];
	bool has = true;

	(void)state;
	apt_archive_make(&f);
	fixture_folder(&repository);
	assert_int_equal(edit_init(repository.path, "A <a@example.org>", id, &err), 0);
	assert_int_equal(open_with(&f, "c/archives", NULL, "one.gpg", &told, &mirror, &err), 0);
	edit = new_edit(&repository);
	assert_int_equal(import_deb(edit, apt_archive_in(&f, "n.deb", path), NULL, &report, &err),
			 0);
	assert_int_equal(report.outcome, IMPORT_NEW);
	assert_true(report.no_md5sums);
	assert_false(report.is_signed);
	commit(edit);

	edit = new_edit(&repository);
	for (size_t i = 0; i < 2; i++) {
		const struct mirror_deb *deb = mirror_deb(mirror, i);

		assert_int_equal(import_has(edit, "My Site", deb->package, &has, &err), 0);
		assert_false(has);
		assert_int_equal(import_deb_signed(edit, deb->file, deb->archive, &report, &err),
				 0);
		assert_int_equal(report.outcome,
				 strcmp(report.package, "n") == 0 ? IMPORT_PROVED : IMPORT_NEW);
		assert_int_equal(report.no_md5sums, strcmp(report.package, "n") == 0);
		assert_true(report.is_signed);
	}
	commit(edit);
	assert_int_equal(fixture_run(&repository, "test ! -e packages/dpkg/local"), 0);
	assert_int_equal(fixture_run(&repository, "grep -qx '# md5sums none' "
						  "packages/dpkg/My%20Site/n/1_all.mtree"),
			 0);

	edit = new_edit(&repository);
	assert_int_equal(import_has(edit, "My Site", mirror_deb(mirror, 0)->package, &has, &err),
			 0);
	assert_true(has);
	/* Without the signature it is what is there; with other bytes it is refused. */
	assert_int_equal(import_deb(edit, path, "My Site", &report, &err), 0);
	assert_int_equal(report.outcome, IMPORT_HAD);
	assert_true(report.is_signed);
	assert_int_equal(edit_count(edit), 0);
	assert_int_equal(fixture_run(&f, "echo changed >n/usr/share/n/file && "
					 "dpkg-deb --root-owner-group -b n n.deb >/dev/null"),
			 0);
	assert_int_equal(import_deb(edit, path, "My Site", &report, &err), -1);
	assert_non_null(strstr(err.msg, "it is not the archive's own"));
	edit_free(edit);
	mirror_free(mirror);
	fixture_remove(&repository);
	fixture_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirror_gives_what_its_signed_lists_name),
		cmocka_unit_test(folder_finds_the_lists_beside_it),
		cmocka_unit_test(release_by_unknown_keys_proves_nothing_and_is_told),
		cmocka_unit_test(whatever_is_changed_stops_it_by_name),
		cmocka_unit_test(import_makes_unsigned_signed_and_never_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
