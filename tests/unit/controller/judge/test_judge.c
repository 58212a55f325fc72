// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/judge/builder.h"

static int setup(void **state)
{
	struct world *w = world_new();

	world_standard(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void unchanged_host_has_only_first_sight(void **state)
{
	struct world *w = *state;

	world_judge(w);
	if (w->findings.count != 1) {
		world_print(w);
	}
	assert_int_equal(w->findings.count, 1);
	assert_int_equal(w->findings.item[0].rule, RULE_FIRST_SIGHT);
	assert_int_equal(w->findings.item[0].severity, SEVERITY_INFO);
}

static void captured_host_is_clean(void **state)
{
	struct world *w = *state;

	world_capture(w);
	world_judge(w);
	if (w->findings.count != 0) {
		world_print(w);
	}
	assert_int_equal(w->findings.count, 0);
	assert_int_equal(w->counts.files_unproved, 0);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_BASELINE], 1);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_MANIFEST], 1);
}

static void each_file_is_counted_once(void **state)
{
	struct world *w = *state;

	w->has_first = false;
	world_judge(w);
	/* coreutils: 7 files, 1 link, 2 conffiles. local: 2 and 1. Trees: 2; alternatives no. */
	assert_int_equal(w->counts.files_proved, 10);
	assert_int_equal(w->counts.files_unproved, 5);
	assert_int_equal(w->counts.files_skipped, 0);
	assert_int_equal(w->counts.packages, 2);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_HOST], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unchanged_host_has_only_first_sight, setup,
						teardown),
		cmocka_unit_test_setup_teardown(captured_host_is_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(each_file_is_counted_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
