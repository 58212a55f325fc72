// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/import.h"
#include "baselines/release.h"
#include "baselines/signed.h"
#include "tests/unit/baselines/fixture.h"

#define NOW 1795000000 /* 2026-11-18 */

/* An archive of one package, signed by a key made for the test. Skips where gpg or dpkg-deb lack. */
static void make_archive(struct fixture *f)
{
	fixture_folder(f);
	fixture_write(f, "p/DEBIAN/control",
		      "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
		      "Description: x\n");
	fixture_write(f, "p/usr/share/p/file", "hello");
	fixture_write(
		f, "make",
		"set -e\n"
		"export GNUPGHOME=$PWD/gpg; mkdir -m 700 gpg\n"
		"dpkg-deb --root-owner-group -b p p.deb\n"
		"for k in one two; do gpg --batch --passphrase '' --quick-gen-key $k ed25519\n"
		"gpg --export $k >$k.gpg; done\n"
		"gpg --list-keys --with-colons one | sed -n 's/^fpr:*\\([0-9A-F]*\\):/\\1/p' |"
		" head -1 >fpr\n"
		"printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nFilename: p.deb\\n"
		"Size: %s\\nSHA256: %s\\n' $(stat -c %s p.deb) $(sha256sum <p.deb | cut -c-64) "
		">Packages\n"
		"xz -k Packages\n"
		"release() { printf 'Origin: My Site\\nSuite: stable\\nDate: Sat, 21 Nov 2026 "
		"00:00:00 UTC\\n%sSHA256:\\n %s %s main/binary-amd64/Packages.xz\\n' \"$1\" "
		"$(sha256sum <Packages.xz | cut -c-64) $(stat -c %s Packages.xz); }\n"
		"release '' >Release\n"
		"gpg --batch -u one -o InRelease --clearsign Release\n"
		"release 'Valid-Until: Sat, 31 Oct 2026 00:00:00 UTC\n' >Old\n"
		"gpg --batch -u one -o OldRelease --clearsign Old\n"
		"sed s/My/By/ InRelease >BadRelease\n"
		"{ echo 'Origin: Evil'; cat InRelease; echo 'Origin: Evil'; } >AroundRelease\n"
		"gpgconf --kill all\n");
	if (fixture_run(f, "command -v gpg gpgv dpkg-deb xz >/dev/null") != 0) {
		fixture_remove(f);
		print_message("skipped: no gpg, gpgv, dpkg-deb or xz\n");
		skip();
	}
	assert_int_equal(fixture_run(f, "sh make >log 2>&1 || { cat log >&2; false; }"), 0);
}

static const char *in(const struct fixture *f, const char *name, char to[256])
{
	(void)snprintf(to, 256, "%s/%s", f->path, name);
	return to;
}

static int open_archive(const struct fixture *f, const char *release, const char *packages,
			const char *keyring, const char *fingerprint,
			struct signed_archive **archive, struct error *err)
{
	char release_path[256], packages_path[256], keyring_path[256];
	const char *list[] = {in(f, packages, packages_path)};

	*archive = NULL;
	return signed_open(in(f, release, release_path), list, 1, in(f, keyring, keyring_path),
			   &fingerprint, fingerprint ? 1 : 0, NOW, archive, err);
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
	make_archive(&f);
	fpr = fixture_output(&f, "cat fpr");
	if (open_archive(&f, "InRelease", "Packages.xz", "one.gpg", fpr, &archive, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_string_equal(signed_origin(archive), "My Site");
	assert_string_equal(signed_fingerprint(archive), fpr);
	assert_int_equal(signed_count(archive), 1);
	fixture_folder(&repository);
	assert_int_equal(edit_init(repository.path, "A <a@example.org>", id, &err), 0);
	assert_int_equal(edit_open(repository.path, "A <a@example.org>", &edit, &err), 0);
	assert_int_equal(import_deb_signed(edit, in(&f, "p.deb", path), archive, &report, &err), 0);
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
		{"InRelease", "Packages.xz", "two.gpg", NULL, "no good signature"},
		{"InRelease", "Packages.xz", "one.gpg", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		 "which is none of the keys named"},
		{"Release", "Packages.xz", "one.gpg", NULL, "no good signature"},
		{"OldRelease", "Packages.xz", "one.gpg", NULL, "Valid-Until is over"},
		{"InRelease", "Release", "one.gpg", NULL, "names no such file"},
		{"InRelease", "none", "one.gpg", NULL, "No such file"},
		{"none", "Packages.xz", "one.gpg", NULL, "No such file"},
	};
	struct signed_archive *archive;
	struct error err = {0};
	struct fixture f;

	(void)state;
	make_archive(&f);
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
		cmocka_unit_test(release_texts_are_parsed_strictly),
		cmocka_unit_test(packages_texts_are_parsed_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
