// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/fleet/program_id.h"

/* Without it every host would be judged every night, and nobody would be told why. */
static void program_knows_which_build_it_is(void **state)
{
	char id[PROGRAM_ID_ROOM], again[PROGRAM_ID_ROOM];

	(void)state;
	program_id(id);
	program_id(again);
	assert_int_equal(strlen(id), 40);
	assert_int_equal(strspn(id, "0123456789abcdef"), 40);
	assert_string_equal(id, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_knows_which_build_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
