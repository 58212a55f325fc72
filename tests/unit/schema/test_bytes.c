// SPDX-License-Identifier: MIT
#include "schema/bytes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void paths_are_ordered_by_component(void **state)
{
	static const char *const ordered[] = {
		"",         "/",        "/bin",    "/bin/a", "/bin/a/b", "/bin/a\n", "/bin/a b",
		"/bin/a-b", "/bin/a.d", "/bin/ab", "/bin-x", "/bin.d/z", "/bin\377", "/c",
	};
	const size_t count = sizeof(ordered) / sizeof(ordered[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			int order = bytes_path_compare(bytes_from_string(ordered[i]),
						       bytes_from_string(ordered[j]));

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

static void bytes_with_nul_are_compared_whole(void **state)
{
	(void)state;
	assert_false(bytes_equal(BYTES_LITERAL("a\0b"), BYTES_LITERAL("a\0c")));
	assert_true(bytes_compare(BYTES_LITERAL("a\0b"), BYTES_LITERAL("a\0c")) < 0);
	assert_true(bytes_compare(BYTES_LITERAL("a"), BYTES_LITERAL("a\0")) < 0);
	assert_true(bytes_equal((struct bytes){NULL, 0}, BYTES_LITERAL("")));
	assert_true(bytes_has_prefix(BYTES_LITERAL("/etc/x"), BYTES_LITERAL("/etc")));
	assert_false(bytes_has_prefix(BYTES_LITERAL("/et"), BYTES_LITERAL("/etc")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_ordered_by_component),
		cmocka_unit_test(bytes_with_nul_are_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
