// SPDX-License-Identifier: MIT
#include "schema/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_outcome_has_a_name_that_leads_back(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOMES; i++) {
		enum outcome back;

		assert_true(outcome_from_name(outcome_name((enum outcome)i), &back));
		assert_int_equal(back, i);
	}
}

static void whoever_was_not_looked_at_is_told_what_to_do(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOMES; i++) {
		if (outcome_class((enum outcome)i) != OUTCOME_CLASS_LOOKED) {
			assert_true(strlen(outcome_advice((enum outcome)i)) > 0);
		}
	}
	assert_int_equal(outcome_class(OUTCOME_KEY_MISMATCH), OUTCOME_CLASS_ALARM);
	assert_int_equal(outcome_class(OUTCOME_TIMEOUT), OUTCOME_CLASS_UNREACHABLE);
}

static void strangers_have_no_outcome(void **state)
{
	enum outcome outcome;

	(void)state;
	assert_false(outcome_from_name("fine", &outcome));
	assert_string_equal(outcome_name(OUTCOMES), "unknown");
	assert_int_equal(outcome_class(OUTCOMES), OUTCOME_CLASS_ALARM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_a_name_that_leads_back),
		cmocka_unit_test(whoever_was_not_looked_at_is_told_what_to_do),
		cmocka_unit_test(strangers_have_no_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
