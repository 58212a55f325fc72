// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/file_name.h"
#include "baselines/usrmerge.h"

static void names_have_one_reversible_spelling(void **state)
{
	static const struct {
		const char *plain, *name, *version;
	} cases[] = {
		{"libstdc++6", "libstdc++6", "libstdc++6"},
		{"1:2.3+dfsg-1~deb12u1", "1%3a2.3+dfsg-1~deb12u1", "1%3a2.3+dfsg-1~deb12u1"},
		{"x86_64", "x86_64", "x86%5f64"},
		{"a/b", "a%2fb", "a%2fb"},
		{"..", "%2e.", "%2e."},
		{".git", "%2egit", "%2egit"},
		{"%", "%25", "%25"},
		{"fe80::1", "fe80%3a%3a1", "fe80%3a%3a1"},
		{"a b\n\xc3\xa9", "a%20b%0a%c3%a9", "a%20b%0a%c3%a9"},
	};
	char to[FILE_NAME_ROOM];
	uint8_t back[FILE_NAME_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes plain = bytes_from_string(cases[i].plain);

		assert_true(file_name_escape(plain, to));
		assert_string_equal(to, cases[i].name);
		assert_int_equal(file_name_undo(bytes_from_string(to), back), plain.len);
		assert_memory_equal(back, plain.data, plain.len);
		assert_true(file_name_escape_version(plain, to));
		assert_string_equal(to, cases[i].version);
		assert_int_equal(file_name_undo(bytes_from_string(to), back), plain.len);
		assert_memory_equal(back, plain.data, plain.len);
	}
}

static void other_spellings_are_refused(void **state)
{
	static const char *const wrong[] = {"",  ".a",  "a b", "a:b", "%41", "%4",
					    "%", "%3A", "%zz", "a/b", "\xff"};
	uint8_t back[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(file_name_undo(bytes_from_string(wrong[i]), back), -1);
	}
}

static void long_and_empty_names_are_refused(void **state)
{
	char to[FILE_NAME_ROOM];
	uint8_t name[FILE_NAME_ROOM];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_false(file_name_escape(bytes_make(NULL, 0), to));
	assert_false(file_name_escape(bytes_make(name, sizeof(name)), to));
	memset(name, '/', sizeof(name));
	assert_false(file_name_escape(bytes_make(name, FILE_NAME_MAX / 3 + 1), to));
	assert_true(file_name_escape(bytes_make(name, FILE_NAME_MAX / 3), to));
}

static void usrmerge_moves_what_stands_below(void **state)
{
	(void)state;
	assert_true(usrmerge_moves(BYTES_LITERAL("/bin/ls"), false));
	assert_true(usrmerge_moves(BYTES_LITERAL("/lib64/ld-linux-x86-64.so.2"), false));
	assert_true(usrmerge_moves(BYTES_LITERAL("/lib"), true));
	assert_false(usrmerge_moves(BYTES_LITERAL("/lib"), false));
	assert_false(usrmerge_moves(BYTES_LITERAL("/library/x"), false));
	assert_false(usrmerge_moves(BYTES_LITERAL("/usr/bin/ls"), false));
	assert_false(usrmerge_moves(BYTES_LITERAL("/"), true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_reversible_spelling),
		cmocka_unit_test(other_spellings_are_refused),
		cmocka_unit_test(long_and_empty_names_are_refused),
		cmocka_unit_test(usrmerge_moves_what_stands_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
