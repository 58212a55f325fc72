// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "controller/cmd/when.h"

#define NOW 1795226400 /* 2026-11-21T02:00:00Z */

static void points_in_time_are_read(void **state)
{
	static const struct {
		const char *text;
		enum when_direction direction;
		int64_t seconds; /* -1: no such time */
	} rows[] = {
		{"2026-11-21", WHEN_AGO, NOW - 7200},
		{"2026-11-21T02:00Z", WHEN_AGO, NOW},
		{"2026-11-21T02:00:30Z", WHEN_AHEAD, NOW + 30},
		{"2d", WHEN_AGO, NOW - 172800},
		{"2d", WHEN_AHEAD, NOW + 172800},
		{"90", WHEN_AGO, NOW - 90},
		{"1970-01-01", WHEN_AGO, 0},
		{"2024-02-29", WHEN_AGO, 1709164800},
		{"2026-02-29", WHEN_AGO, -1},
		{"2026-13-01", WHEN_AGO, -1},
		{"2026-11-31", WHEN_AGO, -1},
		{"2026-11-21T24:00Z", WHEN_AGO, -1},
		{"2026-11-21T02:60Z", WHEN_AGO, -1},
		{"2026-11-21T02:00", WHEN_AGO, -1},
		{"2026-11-21 02:00Z", WHEN_AGO, -1},
		{"2026-11-21Z", WHEN_AGO, -1},
		{"26-11-21", WHEN_AGO, -1},
		{"1969-12-31", WHEN_AGO, -1},
		{"", WHEN_AGO, -1},
		{"yesterday", WHEN_AGO, -1},
		{"-2d", WHEN_AGO, -1},
		{"999999999999d", WHEN_AGO, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t seconds = 0;
		bool valid = when_parse(rows[i].text, NOW, rows[i].direction, &seconds);

		assert_int_equal(valid, rows[i].seconds >= 0);
		if (valid) {
			assert_int_equal(seconds, rows[i].seconds);
		}
	}
}

static void day_is_that_of_utc(void **state)
{
	char to[WHEN_DAY_ROOM];

	(void)state;
	assert_string_equal(when_day(NOW, to), "2026-11-21");
	assert_string_equal(when_day(0, to), "1970-01-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_in_time_are_read),
		cmocka_unit_test(day_is_that_of_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
