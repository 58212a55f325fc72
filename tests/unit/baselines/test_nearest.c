// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "baselines/nearest.h"

static const char *const words[] = {"parallel", "port",  "timeout", "",         "identity",
				    "fail_on",  "color", "no",      "baseline", NULL};

static void wrong_word_names_the_nearest(void **state)
{
	static const struct {
		const char *wrong;
		const char *near;
	} rows[] = {
		{"paralel", "parallel"},
		{"prot", "port"},
		{"TIMEOUT", "timeout"},
		{"fail-on", "fail_on"},
		{"colour", "color"},
		{"ident", "identity"},
		{"base", "baseline"},
		{"xyzzy", NULL},
		{"", NULL},
		{"n", "no"},
		{"x", NULL},
		{"timeoutt", "timeout"},
		{"pa", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *near =
			nearest_find(bytes_from_string(rows[i].wrong), nearest_in_array, words);

		if (!rows[i].near) {
			assert_null(near);
		} else {
			assert_non_null(near);
			assert_string_equal(near, rows[i].near);
		}
	}
}

static void overlong_word_has_no_neighbour(void **state)
{
	char wrong[NEAREST_WORD_MAX + 2];

	(void)state;
	memset(wrong, 'p', sizeof(wrong) - 1);
	wrong[sizeof(wrong) - 1] = '\0';
	assert_null(nearest_find(bytes_from_string(wrong), nearest_in_array, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_word_names_the_nearest),
		cmocka_unit_test(overlong_word_has_no_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
