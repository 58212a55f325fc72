// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/ssh/pace.h"

static void phases_end_before_the_whole_does(void **state)
{
	struct pace pace;

	(void)state;
	pace_begin(&pace, 1000, 500);
	pace_phase(&pace, 100);
	assert_int_equal(pace_check(&pace, 1099, true, false), PACE_ON);
	assert_true(pace_is_due(&pace, 1100));
	assert_int_equal(pace_check(&pace, 1100, true, false), PACE_PHASE);
	pace_phase(&pace, 1000);
	assert_int_equal(pace_check(&pace, 1499, true, false), PACE_ON);
	assert_int_equal(pace_check(&pace, 1500, true, false), PACE_DEADLINE);
}

static void without_a_timeout_there_is_no_end(void **state)
{
	struct pace pace;

	(void)state;
	pace_begin(&pace, 0, 0);
	pace_phase(&pace, UINT32_MAX);
	assert_int_equal(pace_check(&pace, 1000000, true, false), PACE_ON);
}

static void who_is_not_listened_to_is_not_late(void **state)
{
	struct pace pace;

	(void)state;
	pace_begin(&pace, 0, 0);
	pace_phase(&pace, 100);
	assert_int_equal(pace_check(&pace, 90, true, false), PACE_ON);
	assert_int_equal(pace_check(&pace, 190, false, true), PACE_ON);
	assert_int_equal(pace_check(&pace, 199, true, false), PACE_ON);
	assert_int_equal(pace_check(&pace, 200, true, false), PACE_PHASE);
}

static void a_message_that_has_begun_must_go_on(void **state)
{
	struct pace pace;

	(void)state;
	pace_begin(&pace, 0, 0);
	pace_phase(&pace, 10000000);
	pace_moved(&pace, 1024);
	assert_int_equal(pace_check(&pace, 60000, true, true), PACE_ON);
	pace_moved(&pace, 1023);
	assert_int_equal(pace_check(&pace, 119999, true, true), PACE_ON);
	assert_int_equal(pace_check(&pace, 120000, true, true), PACE_STALLED);
	/* Between two messages silence is no fault, and neither while we do not listen. */
	assert_int_equal(pace_check(&pace, 180000, true, false), PACE_ON);
	assert_int_equal(pace_check(&pace, 240000, false, true), PACE_ON);
	pace_restart(&pace);
	assert_int_equal(pace_check(&pace, 299999, true, true), PACE_ON);
	assert_int_equal(pace_check(&pace, 300000, true, true), PACE_STALLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phases_end_before_the_whole_does),
		cmocka_unit_test(without_a_timeout_there_is_no_end),
		cmocka_unit_test(who_is_not_listened_to_is_not_late),
		cmocka_unit_test(a_message_that_has_begun_must_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
