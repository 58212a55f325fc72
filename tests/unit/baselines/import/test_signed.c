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
#include "baselines/import/release.h"
#include "baselines/import/signed.h"
#include "baselines/signature/keyring.h"
#include "tests/unit/baselines/import/apt_archive.h"

static int open_archive(const struct fixture *f, const char *release, const char *packages,
			const char *keyring, const char *fingerprint,
			struct signed_archive **archive, struct error *err)
{
	char release_path[256], packages_path[256], keyring_path[256];
	const struct signed_source source = {
		.release = apt_archive_in(f, release, release_path),
		.keyring = apt_archive_in(f, keyring, keyring_path),
		.fingerprints = &fingerprint,
		.fingerprint_count = fingerprint ? 1 : 0,
		.now_s = APT_ARCHIVE_NOW,
	};

	*archive = NULL;
	if (signed_open(&source, archive, NULL, err) < 0) {
		return -1;
	}
	if (signed_add_packages(*archive, apt_archive_in(f, packages, packages_path), err) < 0) {
		signed_free(*archive);
		return -1;
	}
	return 0;
}

static void proved_deb_is_imported_as_signed(void **state)
{
	const struct manifest *const *list;
	struct signed_archive *archive;
	struct import_report report;
	struct fixture f, repository;
	struct edit *edit = NULL;
	struct baseline *b = NULL;
	struct error err = {0};
	char id[EDIT_COMMIT_SIZE], path[256], *fpr;
	size_t count;

	(void)state;
	apt_archive_make(&f);
	fpr = fixture_output(&f, "cat fpr");
	if (open_archive(&f, "InRelease", "Packages.xz", "one.gpg", fpr, &archive, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(signed_origin(archive), "My Site");
	assert_string_equal(signed_fingerprint(archive), fpr);
	assert_int_equal(signed_count(archive), 2);
	fixture_folder(&repository);
	assert_int_equal(edit_init(repository.path, "A <a@example.org>", id, &err), 0);
	assert_int_equal(edit_open(repository.path, "A <a@example.org>", &edit, &err), 0);
	assert_int_equal(
		import_deb_signed(edit, apt_archive_in(&f, "p.deb", path), archive, &report, &err),
		0);
	assert_string_equal(report.path, "packages/dpkg/My%20Site/p/1_all.mtree");
	/* One byte more, and it is another file. */
	assert_int_equal(fixture_run(&f, "printf x >>p.deb"), 0);
	assert_int_equal(import_deb_signed(edit, path, archive, &report, &err), -1);
	assert_non_null(strstr(err.msg, "no signed Packages names a .deb with this SHA-256"));
	assert_int_equal(edit_commit(edit, "import", id, &err), 0);
	edit_free(edit);
	signed_free(archive);
	assert_int_equal(baseline_open(repository.path, NULL, &b, &err), 0);
	assert_int_equal(baseline_manifests(b, BYTES_LITERAL("dpkg"), BYTES_LITERAL("p"),
					    BYTES_LITERAL("1"), BYTES_LITERAL("all"), &list, &count,
					    &err),
			 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0]->trust, MANIFEST_SIGNED);
	baseline_close(b);
	fixture_remove(&repository);
	fixture_remove(&f);
	free(fpr);
}

static void broken_chains_are_refused(void **state)
{
	static const struct {
		const char *release, *packages, *keyring, *fingerprint, *message;
	} faults[] = {
		{"BadRelease", "Packages.xz", "one.gpg", NULL, "the signature is bad"},
		{"InRelease", "Packages.xz", "two.gpg", NULL, "that key is not in the keyring"},
		{"InRelease", "Packages.xz", "one.gpg", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		 "which is none of the keys named"},
		{"Release", "Packages.xz", "one.gpg", NULL, "no good signature"},
		{"AgedRelease", "Packages.xz", "old.gpg", NULL, "that key has expired"},
		{"OldRelease", "Packages.xz", "one.gpg", NULL,
		 "Valid-Until is over (2026-10-31 00:00 UTC)"},
		{"InRelease", "Release", "one.gpg", NULL, "names no such file"},
		{"InRelease", "none", "one.gpg", NULL, "No such file"},
		{"none", "Packages.xz", "one.gpg", NULL, "No such file"},
	};
	struct signed_archive *archive;
	struct error err = {0};
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		assert_int_equal(open_archive(&f, faults[i].release, faults[i].packages,
					      faults[i].keyring, faults[i].fingerprint, &archive,
					      &err),
				 -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
	}
	/* gpgv takes text around the armour; what it says was signed does not have it. */
	if (open_archive(&f, "AroundRelease", "Packages.xz", "one.gpg", NULL, &archive, &err) ==
	    0) {
		assert_string_equal(signed_origin(archive), "My Site");
		signed_free(archive);
	}
	fixture_remove(&f);
}

static void detached_signature_proves_the_bytes_that_are_read(void **state)
{
	char release[256], signature[256], keyring[256];
	struct signed_source source = {.now_s = APT_ARCHIVE_NOW};
	struct signed_archive *archive = NULL;
	struct error err = {0};
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	source.release = apt_archive_in(&f, "Release", release);
	source.signature = apt_archive_in(&f, "Release.gpg", signature);
	source.keyring = apt_archive_in(&f, "one.gpg", keyring);
	if (signed_open(&source, &archive, NULL, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(signed_origin(archive), "My Site");
	signed_free(archive);
	assert_int_equal(fixture_run(&f, "printf 'Origin: Evil\\n' >>Release"), 0);
	assert_int_equal(signed_open(&source, &archive, NULL, &err), -1);
	assert_non_null(strstr(err.msg, "the signature is bad"));
	assert_int_equal(fixture_run(&f, ": >Release.gpg"), 0);
	assert_int_equal(signed_open(&source, &archive, NULL, &err), -1);
	assert_non_null(strstr(err.msg, "no good signature"));
	fixture_remove(&f);
}

/* A key of version 6, at which gpgv 2.2 ends its search, stands before the one that is needed. */
static void key_that_gpgv_cannot_read_hides_no_other(void **state)
{
	static const char six[] =
		"printf '\\306\\052\\006\\145\\0\\0\\0\\033\\0\\0\\0\\040%032d' 0 >six;"
		"cat six six one.gpg >six-one; cat six two.gpg >six-two;"
		"cat two.gpg six one.gpg >two-six-one";
	static const struct {
		const char *file, *message;
	} rings[] = {
		{"six-one", NULL},
		{"two-six-one", NULL},
		{"six-two", "six-two has a key of version 6"},
	};
	char release[256], path[256];
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	assert_int_equal(fixture_run(&f, six), 0);
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		struct signed_archive *archive = NULL;
		struct keyring *ring = NULL;
		struct error err = {0};
		struct signed_source source = {.now_s = APT_ARCHIVE_NOW};

		assert_int_equal(
			keyring_of_file(apt_archive_in(&f, rings[i].file, path), &ring, &err), 0);
		source.release = apt_archive_in(&f, "InRelease", release);
		source.keyring = keyring_path(ring);
		source.put_back = keyring_put_back(ring);
		if (signed_open(&source, &archive, NULL, &err) == 0) {
			assert_null(rings[i].message);
		} else if (!rings[i].message || !strstr(err.msg, rings[i].message)) {
			fail_msg("%s: %s", rings[i].file, err.msg);
		}
		signed_free(archive);
		keyring_free(ring);
	}
	fixture_remove(&f);
}

/* What a key is listed for is all that it proves. */
static void key_outside_its_list_proves_nothing(void **state)
{
	static const struct {
		const char *origins, *packages, *message;
	} lists[] = {
		{"My Site", "'*'", NULL},
		{"Other", "'*'", "does not list for origin \"My Site\""},
		{"My Site", "q, 'r*'", "does not list for this package"},
	};
	char release[256], packages[256], keyring[256], deb_path[256], *fpr;
	struct signed_source source = {.now_s = APT_ARCHIVE_NOW};
	struct fixture f;

	(void)state;
	apt_archive_make(&f);
	fpr = fixture_output(&f, "cat fpr");
	source.release = apt_archive_in(&f, "InRelease", release);
	source.keyring = apt_archive_in(&f, "one.gpg", keyring);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct signed_archive *archive = NULL;
		struct trust *trust = NULL;
		struct deb *deb = NULL;
		struct error err = {0};
		char text[400];
		int result;

		(void)snprintf(text, sizeof(text),
			       "- {fingerprint: %s, file: a.gpg, origins: [%s], packages: [%s]}\n",
			       fpr, lists[i].origins, lists[i].packages);
		assert_int_equal(trust_parse("keys.yaml", bytes_from_string(text), &trust, &err),
				 0);
		source.trust = trust;
		result = signed_open(&source, &archive, NULL, &err);
		if (result == 0) {
			assert_int_equal(
				signed_add_packages(archive,
						    apt_archive_in(&f, "Packages", packages), &err),
				0);
			assert_int_equal(
				deb_read(apt_archive_in(&f, "p.deb", deb_path), &deb, &err), 0);
			result = signed_check(archive, deb, &err);
		}
		assert_int_equal(result, lists[i].message ? -1 : 0);
		if (lists[i].message && !strstr(err.msg, lists[i].message)) {
			fail_msg("%zu: %s", i, err.msg);
		}
		deb_free(deb);
		signed_free(archive);
		trust_free(trust);
	}
	free(fpr);
	fixture_remove(&f);
}

static void release_texts_are_parsed_strictly(void **state)
{
#define SUM "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	static const char *const wrong[] = {"",
					    "Origin: x\n",
					    "SHA256:\n " SUM " 1 a\n",
					    "Origin: x\nSHA256:\n " SUM " x a\n",
					    "Origin: x\nSHA256:\n " SUM " 1\n",
					    "Origin: x\nSHA256:\n aa 1 a\n",
					    "Origin: x\nMD5Sum:\n " SUM " 1 a\n",
					    "Origin: x\nValid-Until: tomorrow\nSHA256:\n " SUM
					    " 1 a\n"};
	struct release *release = NULL;
	struct error err = {0};
	struct digest digest;

	(void)state;
	memset(&digest, 0xaa, sizeof(digest));
	assert_int_equal(release_parse(BYTES_LITERAL("Origin: x\r\nSHA256:\n " SUM " 1 a\nX: y\n "
						     "not of it\n"),
				       &release, &err),
			 0);
	assert_int_equal(release->count, 1);
	assert_non_null(release_find(release, &digest, 1));
	assert_null(release_find(release, &digest, 2));
	release_free(release);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(release_parse(bytes_from_string(wrong[i]), &release, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
	}
	assert_int_equal(release_parse(BYTES_LITERAL("Origin: x\0y\nSHA256:\n " SUM " 1 a\n"),
				       &release, &err),
			 -1);
}

static void packages_texts_are_parsed_strictly(void **state)
{
	static const char *const wrong[] = {
		"Package: a\nVersion: 1\nArchitecture: all\nSize: 1\n",
		"Package: a\nVersion: 1\nArchitecture: all\nSHA256: " SUM "\n",
		"Package: a\nVersion: 1\nArchitecture: all\nSize: 1\nSHA256: aa\n",
		"Package: a\nArchitecture: all\nSize: 1\nSHA256: " SUM "\n"};
	struct release_packages packages = {0};
	struct error err = {0};
	struct digest digest;

	(void)state;
	memset(&digest, 0xaa, sizeof(digest));
	assert_null(release_packages_find(&packages, &digest));
	assert_int_equal(release_packages_add(
				 &packages,
				 BYTES_LITERAL("\n\nPackage: a\nVersion: 1\n"
					       "Architecture: all\nSize: 1\nSHA256: " SUM "\n\n\n"),
				 &err),
			 0);
	release_packages_sort(&packages);
	assert_int_equal(packages.count, 1);
	assert_string_equal(release_packages_find(&packages, &digest)->package, "a");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(release_packages_add(&packages, bytes_from_string(wrong[i]), &err),
				 -1);
	}
	release_packages_clear(&packages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proved_deb_is_imported_as_signed),
		cmocka_unit_test(broken_chains_are_refused),
		cmocka_unit_test(detached_signature_proves_the_bytes_that_are_read),
		cmocka_unit_test(key_that_gpgv_cannot_read_hides_no_other),
		cmocka_unit_test(key_outside_its_list_proves_nothing),
		cmocka_unit_test(release_texts_are_parsed_strictly),
		cmocka_unit_test(packages_texts_are_parsed_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
