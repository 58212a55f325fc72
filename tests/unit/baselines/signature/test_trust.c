// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/edit.h"
#include "baselines/signature/armour.h"
#include "baselines/signature/keyring.h"
#include "baselines/signature/trust.h"
#include "tests/unit/baselines/fixture.h"

#define FPR "4D64FEC119C2029067D6E791F8D2585B8783D481"
#define HEAD "- fingerprint: " FPR "\n  file: a.gpg\n"

static struct trust *parse(const char *text)
{
	struct trust *trust = NULL;
	struct error err = {0};

	if (trust_parse("keys.yaml", bytes_from_string(text), &trust, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return trust;
}

static void trust_proves_only_what_it_is_listed_for(void **state)
{
	struct trust *trust = parse("- fingerprint: 4d64fec119c2029067d6e791f8d2585b8783d481\n"
				    "  file: a.gpg\n"
				    "  origins: [Debian, 'Our Site']\n"
				    "  packages: ['lib*', bash]\n"
				    "- fingerprint: 1111111111111111111111111111111111111111\n"
				    "  file: b.asc\n"
				    "  origins: [Other]\n");
	const struct trust_key *key = trust_find(trust, FPR), *other;

	(void)state;
	assert_int_equal(trust->count, 2);
	assert_non_null(key);
	assert_string_equal(key->fingerprint, FPR);
	assert_string_equal(key->file, "a.gpg");
	assert_string_equal(key->source, "keys.yaml:1");
	assert_true(trust_proves(key, "Debian", "libc6"));
	assert_true(trust_proves(key, "Our Site", "bash"));
	assert_false(trust_proves(key, "Debian", "bash-doc"));
	assert_false(trust_proves(key, "Other", "libc6"));
	assert_false(trust_proves_origin(key, "debian"));
	other = trust_find(trust, "1111111111111111111111111111111111111111");
	assert_true(trust_proves(other, "Other", "anything"));
	assert_null(trust_find(trust, "1111111111111111111111111111111111111112"));
	trust_free(trust);
}

static void empty_list_has_no_keys(void **state)
{
	struct trust *trust = parse("# none yet\n");

	(void)state;
	assert_int_equal(trust->count, 0);
	assert_null(trust_find(trust, FPR));
	trust_free(trust);
}

static void faults_are_named_with_their_place(void **state)
{
	static const struct {
		const char *text, *message;
	} faults[] = {
		{HEAD, "keys.yaml:1: origins (what the key may prove) is missing"},
		{HEAD "  origins: []\n", "origins (what the key may prove) is missing"},
		{"- file: a\n  origins: [x]\n", "keys.yaml:1: fingerprint is missing"},
		{"- fingerprint: " FPR "\n  origins: [x]\n", "file is missing"},
		{"- fingerprint: 8783D481\n", "keys.yaml:1:16: not a whole fingerprint"},
		{"- fingerprint: " FPR "\n  file: ../a\n", "is no name of a file in keys/"},
		{"- fingerprint: " FPR "\n  file: .a\n", "is no name of a file in keys/"},
		{HEAD "  origins: [x]\n" HEAD, "keys.yaml:4:16: is listed already"},
		{HEAD "  origin: x\n", "origins"},
		{HEAD "  origins: ['']\n", "is empty"},
		{"{}\n", "keys.yaml:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct trust *trust = NULL;
		struct error err = {0};

		assert_int_equal(
			trust_parse("keys.yaml", bytes_from_string(faults[i].text), &trust, &err),
			-1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
	}
}

static void armour_is_undone(void **state)
{
	static const char *const good[] = {
		"-----BEGIN PGP KEY-----\n\naGVs\nbG8=\n=abcd\n-----END PGP KEY-----\n",
		"\n-----BEGIN PGP X-----\r\nVersion: 1\r\n\r\naGVsbG8=\r\n-----END PGP X-----",
		"-----BEGIN PGP X-----\naGVsbG8\n-----END PGP X-----\n",
		("text before\n-----BEGIN PGP X-----\n\naGU=\n-----END PGP X-----\n"
		 "-----BEGIN PGP X-----\n\nbGxv\n-----END PGP X-----\n"),
	};
	static const char *const bad[] = {
		"",
		"hello",
		"-----BEGIN PGP X-----\n\naGVsbG8=\n",
		"-----BEGIN PGP X-----\n\naGVs*\n-----END PGP X-----\n",
		"-----BEGIN PGP X-----\n\naG==Vs\n-----END PGP X-----\n",
		"-----BEGIN PGP X-----\n\n-----END PGP X-----\n",
	};
	uint8_t to[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(armour_undo(bytes_from_string(good[i]), to, &len));
		assert_int_equal(len, 5);
		assert_memory_equal(to, "hello", 5);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(armour_undo(bytes_from_string(bad[i]), to, &len));
	}
	assert_true(armour_is(bytes_from_string(good[1])));
	assert_false(armour_is(bytes_from_string(good[3])));
	assert_false(armour_is(BYTES_LITERAL("\x99\x01")));
}

/* Cut anywhere, it is either refused or gives no more than it has. */
static void cut_armour_gives_no_more(void **state)
{
	static const char text[] = "-----BEGIN PGP X-----\n\naGVs\nbG8=\n-----END PGP X-----\n";
	uint8_t to[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		size_t len = 0;

		if (armour_undo(bytes_make(text, i), to, &len)) {
			assert_int_equal(len, 5);
			assert_true(i > strlen(text) - 10);
		}
	}
}

static void put(struct edit *edit, const char *path, const char *content)
{
	struct error err = {0};

	if (edit_put(edit, path, bytes_from_string(content), &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

/* The ring is what the files hold, out of their armour, each once. */
static void keyring_is_made_of_the_files_named(void **state)
{
	struct repository *repository = NULL;
	struct keyring *ring = NULL;
	struct edit *edit = NULL;
	struct error err = {0};
	struct trust *trust;
	struct fixture f;
	char id[EDIT_COMMIT_SIZE], path[300], got[64] = "";
	FILE *file;

	(void)state;
	fixture_folder(&f);
	assert_int_equal(edit_init(f.path, "A <a@example.org>", id, &err), 0);
	assert_int_equal(edit_open(f.path, "A <a@example.org>", &edit, &err), 0);
	put(edit, TRUST_FILE,
	    HEAD "  origins: [x]\n"
		 "- fingerprint: 1111111111111111111111111111111111111111\n"
		 "  file: a.gpg\n  origins: [x]\n"
		 "- fingerprint: 2222222222222222222222222222222222222222\n"
		 "  file: b.asc\n  origins: [x]\n");
	put(edit, "keys/a.gpg", "\x99 the first of the keys");
	put(edit, "keys/b.asc",
	    "-----BEGIN PGP X-----\n\nmSB0aGUgc2Vjb25kIG9mIHRoZQ==\n-----END PGP X-----\n");
	assert_int_equal(edit_commit(edit, "keys", id, &err), 0);
	edit_free(edit);
	assert_int_equal(repository_open(f.path, NULL, &repository, &err), 0);
	assert_int_equal(trust_read(repository, &trust, &err), 0);
	assert_int_equal(trust->count, 3);
	/* No file that somebody who kills us would leave behind. */
	assert_int_equal(setenv("TMPDIR", "/nonexistent/folder", 1), 0);
	if (keyring_of_trust(trust, repository, &ring, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	(void)snprintf(path, sizeof(path), "%s", keyring_path(ring));
	file = fopen(path, "r");
	assert_non_null(file);
	(void)fread(got, 1, sizeof(got) - 1, file);
	(void)fclose(file);
	assert_string_equal(got, "\x99 the first of the keys\x99 the second of the");
	keyring_free(ring);
	assert_null(fopen(path, "r"));
	trust_free(trust);
	repository_close(repository);

	/* A file that is not there, or holds something else, is named. */
	fixture_write(&f, "no-keys", "just some words in a text file");
	(void)snprintf(path, sizeof(path), "%s/no-keys", f.path);
	assert_int_equal(keyring_of_file(path, &ring, &err), -1);
	assert_non_null(strstr(err.msg, "no OpenPGP public keys"));
	(void)snprintf(path, sizeof(path), "%s/none", f.path);
	assert_int_equal(keyring_of_file(path, &ring, &err), -1);
	assert_non_null(strstr(err.msg, "No such file"));
	fixture_remove(&f);
}

static void repository_without_keys_has_none(void **state)
{
	struct repository *repository = NULL;
	struct error err = {0};
	struct trust *trust;
	struct fixture f;
	char id[EDIT_COMMIT_SIZE];

	(void)state;
	fixture_folder(&f);
	assert_int_equal(edit_init(f.path, "A <a@example.org>", id, &err), 0);
	assert_int_equal(repository_open(f.path, NULL, &repository, &err), 0);
	assert_int_equal(trust_read(repository, &trust, &err), 0);
	assert_int_equal(trust->count, 0);
	trust_free(trust);
	repository_close(repository);
	fixture_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trust_proves_only_what_it_is_listed_for),
		cmocka_unit_test(empty_list_has_no_keys),
		cmocka_unit_test(faults_are_named_with_their_place),
		cmocka_unit_test(armour_is_undone),
		cmocka_unit_test(cut_armour_gives_no_more),
		cmocka_unit_test(keyring_is_made_of_the_files_named),
		cmocka_unit_test(repository_without_keys_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
