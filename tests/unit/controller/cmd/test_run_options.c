// SPDX-License-Identifier: MIT
#include "controller/cmd/run_options.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void sizes_have_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: refused */
	} cases[] = {
		{"1", 1},          {"500k", 512000},
		{"20M", 20971520}, {"1G", 1073741824},
		{"0", 0},          {"", 0},
		{"M", 0},          {"-1", 0},
		{"1MB", 0},        {"99999999999999T", 0},
		{"1 M", 0},        {"9999999999999999999", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes = 0;

		assert_int_equal(run_options_parse_size(cases[i].text, &bytes),
				 cases[i].bytes != 0);
		if (cases[i].bytes != 0) {
			assert_int_equal(bytes, cases[i].bytes);
		}
	}
}

static void a_part_is_one_of_so_many(void **state)
{
	static const char *const refused[] = {
		"",     "30",  "1/",    "1/0",  "2/30",
		"1/-3", "1/x", "1/367", "1/3 ", "1/99999999999999999"};
	uint32_t of = 0;

	(void)state;
	assert_true(run_options_parse_part("1/30", &of));
	assert_int_equal(of, 30);
	assert_true(run_options_parse_part("1/1", &of));
	assert_int_equal(of, 1);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_false(run_options_parse_part(refused[i], &of));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_powers_of_1024),
		cmocka_unit_test(a_part_is_one_of_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
