// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/inventory/fold.h"

static void sets_fold_to_the_short_form(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} rows[] = {
		{"a", "a"},
		{"b,a", "a,b"},
		{"web1", "web1"},
		{"web1,web2", "web[1-2]"},
		{"web2,web1,web4", "web[1-2,4]"},
		{"web[001-040]", "web[001-040]"},
		{"web[08-12]", "web[08-12]"},
		{"web[8-12]", "web[8-12]"},
		{"web[099-101],web1", "web[1,099-101]"},
		{"web1,web01", "web[1,01]"},
		{"dc[1-2]n[1-9]", "dc[1-2]n[1-9]"},
		{"dc[1-2]n[1-3],dc3n1", "dc[1-2]n[1-3],dc3n1"},
		{"10.0.0.[1-20]", "10.0.0.[1-20]"},
		{"web[1-3].a,db1,web[1-2].b", "db1,web[1-3].a,web[1-2].b"},
		{"n[1-9/2]", "n[1,3,5,7,9]"},
		{"a0,a1", "a[0-1]"},
		{"0,00,000", "[0,00,000]"},
		{"x12345678901234567890,x12345678901234567891",
		 "x12345678901234567890,x12345678901234567891"},
		{"a1b2c3d4e5f6g7h8i9,a1b2c3d4e5f6g7h8i10",
		 "a1b2c3d4e5f6g7h8i9,a1b2c3d4e5f6g7h8i10"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nodeset *set = NULL;
		struct error err = {0};
		char *text = NULL;

		assert_int_equal(nodeset_parse(&set, rows[i].from, NULL, &err), 0);
		assert_int_equal(fold_nodeset(set, &text, &err), 0);
		assert_string_equal(text, rows[i].to);
		free(text);
		nodeset_free(set);
	}
}

static void nothing_folds_to_nothing(void **state)
{
	struct error err = {0};
	char *text = NULL;

	(void)state;
	assert_int_equal(fold_names(NULL, 0, &text, &err), 0);
	assert_string_equal(text, "");
	free(text);
}

static void repetition_is_dropped_and_odd_names_stand_alone(void **state)
{
	static const char *const names[] = {"web2", "web1",  "web2", "a b1",
					    "a b2", "web\1", "web1"};
	struct error err = {0};
	char *text = NULL;

	(void)state;
	assert_int_equal(fold_names(names, sizeof(names) / sizeof(names[0]), &text, &err), 0);
	assert_string_equal(text, "a b1,a b2,web\1,web[1-2]");
	free(text);
}

/* A stream of numbers that is the same on every machine. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void unfolding_gives_the_same_set_back(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct nodeset *set = NULL, *back = NULL;
		struct error err = {0};
		char *text = NULL;

		assert_int_equal(nodeset_new(&set, &err), 0);
		for (uint32_t i = next_random(&seed) % 60; i < 60; i++) {
			char name[64];

			(void)snprintf(name, sizeof(name), "r%0*un%0*u%s",
				       (int)(next_random(&seed) % 3), next_random(&seed) % 4,
				       (int)(next_random(&seed) % 4), next_random(&seed) % 120,
				       next_random(&seed) % 5 ? "" : ".x");
			assert_int_equal(nodeset_add(set, name, &err), 0);
		}
		assert_int_equal(fold_nodeset(set, &text, &err), 0);
		if (nodeset_parse(&back, text, NULL, &err) < 0) {
			fail_msg("%s: %s", text, err.msg);
		}
		assert_int_equal(nodeset_count(back), nodeset_count(set));
		for (size_t i = 0; i < nodeset_count(set); i++) {
			assert_string_equal(nodeset_name(back, i), nodeset_name(set, i));
		}
		free(text);
		nodeset_free(back);
		nodeset_free(set);
	}
}

static void thousands_of_scattered_numbers_come_back(void **state)
{
	struct nodeset *set = NULL, *back = NULL;
	struct error err = {0};
	char *text = NULL;

	(void)state;
	assert_int_equal(nodeset_parse(&set, "web[00001-20000/2]", NULL, &err), 0);
	assert_int_equal(fold_nodeset(set, &text, &err), 0);
	assert_int_equal(nodeset_parse(&back, text, NULL, &err), 0);
	assert_int_equal(nodeset_count(back), 10000);
	free(text);
	nodeset_free(back);
	nodeset_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_fold_to_the_short_form),
		cmocka_unit_test(nothing_folds_to_nothing),
		cmocka_unit_test(repetition_is_dropped_and_odd_names_stand_alone),
		cmocka_unit_test(unfolding_gives_the_same_set_back),
		cmocka_unit_test(thousands_of_scattered_numbers_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
