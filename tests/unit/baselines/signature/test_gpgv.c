// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/signature/gpgv.h"

#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define VALID(key, primary) \
	"[GNUPG:] VALIDSIG " key " 2026-11-21 1795000000 0 4 0 22 10 01 " primary "\n"

static void good_signatures_count(void **state)
{
	struct gpgv_result result = {0};
	struct error err = {0};

	(void)state;
	/* As of Debian's InRelease: one of three keys is not in the keyring. */
	assert_int_equal(gpgv_status_parse("[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 0123 1 8 01 1 9 -\n"
					   "[GNUPG:] NO_PUBKEY 0123\n[GNUPG:] NEWSIG\nnoise\n"
					   "[GNUPG:] KEY_CONSIDERED " KEY_A " 0\n"
					   "[GNUPG:] GOODSIG 0123 Name\n" VALID(KEY_A, KEY_B),
					   &result, &err),
			 0);
	assert_int_equal(result.count, 1);
	assert_string_equal(result.signer[0], KEY_A);
	assert_string_equal(result.primary[0], KEY_B);
}

static void anything_else_does_not(void **state)
{
	static const struct {
		const char *status;
		const char *message;
	} faults[] = {
		{"", "no good signature"},
		{"[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 0123 1 8 01 1 9 -\n", "no good signature"},
		{VALID(KEY_A, KEY_A), "no good signature"},
		{"[GNUPG:] NEWSIG\n[GNUPG:] EXPKEYSIG 0123 N\n" VALID(KEY_A, KEY_A), "no good"},
		{"[GNUPG:] NEWSIG\n[GNUPG:] REVKEYSIG 0123 N\n" VALID(KEY_A, KEY_A), "no good"},
		{"[GNUPG:] NEWSIG\n[GNUPG:] EXPSIG 0123 N\n" VALID(KEY_A, KEY_A), "no good"},
		{"[GNUPG:] GOODSIG 0123 N\n[GNUPG:] NEWSIG\n" VALID(KEY_A, KEY_A), "no good"},
		/* A user id cannot pass for a line of its own, nor a prefix for a whole word. */
		{"[GNUPG:] GOODSIG 0123 [GNUPG:] VALIDSIG " KEY_A "\n", "no good"},
		{"[GNUPG:] GOODSIG 0123 N\n[GNUPG:] VALIDSIGX " KEY_A "\n", "no good"},
		{" [GNUPG:] GOODSIG 0123 N\n" VALID(KEY_A, KEY_A), "no good"},
		{"[GNUPG:] GOODSIG 0123 N\n" VALID(KEY_A, KEY_A) "[GNUPG:] NEWSIG\n"
								 "[GNUPG:] BADSIG 0123 N\n",
		 "the signature is bad"},
		{"[GNUPG:] GOODSIG 0123 N\n[GNUPG:] VALIDSIG " KEY_A "\n", "of no key"},
		{"[GNUPG:] GOODSIG 0123 N\n" VALID("abc", KEY_A), "of no key"},
		{"[GNUPG:] GOODSIG 0123 N\n" VALID(KEY_A, "x"), "of no key"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct gpgv_result result = {0};
		struct error err = {0};

		assert_int_equal(gpgv_status_parse(faults[i].status, &result, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
	}
}

static void missing_files_are_named(void **state)
{
	struct gpgv_result result;
	struct error err = {0};

	(void)state;
	assert_int_equal(gpgv_inline("/nonexistent.gpg", "/dev/null", &result, &err), -1);
	assert_non_null(strstr(err.msg, "/nonexistent.gpg: "));
	assert_int_equal(gpgv_inline("/dev/null", "/nonexistent", &result, &err), -1);
	assert_non_null(strstr(err.msg, "/nonexistent: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_signatures_count),
		cmocka_unit_test(anything_else_does_not),
		cmocka_unit_test(missing_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
