// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/report/print.h"
#include "schema/escape.h"
#include "tests/unit/controller/report/hostile.h"

static void hostile_bytes_are_harmless_and_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		uint8_t back[256];
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		(void)print_bytes(out, hostile[i]);
		(void)fclose(out);
		assert_true(hostile_is_harmless(text, len));
		assert_null(strchr(text, '\n'));
		assert_int_equal(escape_undo(bytes_make(text, len), back), hostile[i].len);
		assert_memory_equal(back, hostile[i].data, hostile[i].len);
		free(text);
	}
}

static void escaped_text_is_not_escaped_twice_nor_trusted(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	(void)print_escaped(out, BYTES_LITERAL("a\\033b\x1b[m\\\n"));
	(void)fclose(out);
	assert_string_equal(text, "a\\033b\\033[m\\\\012");
	free(text);
}

static void long_text_is_not_cut(void **state)
{
	static uint8_t bytes[100000];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	(void)print_bytes(out, bytes_make(bytes, sizeof(bytes)));
	(void)fclose(out);
	assert_int_equal(len, 4 * sizeof(bytes));
	free(text);
}

static void numbers_are_for_people(void **state)
{
	char to[PRINT_NUMBER_ROOM], time[PRINT_TIME_ROOM];

	(void)state;
	assert_string_equal(print_count(0, to), "0");
	assert_string_equal(print_count(999, to), "999");
	assert_string_equal(print_count(1000, to), "1,000");
	assert_string_equal(print_count(UINT64_MAX, to), "18,446,744,073,709,551,615");
	assert_string_equal(print_size(0, to), "0 B");
	assert_string_equal(print_size(999, to), "999 B");
	assert_string_equal(print_size(1950, to), "1.9 KB");
	assert_string_equal(print_size(12345678, to), "12 MB");
	assert_string_equal(print_size(UINT64_MAX, to), "18 EB");
	assert_string_equal(print_span(59, to), "59 s");
	assert_string_equal(print_span(200, to), "3 min 20 s");
	assert_string_equal(print_span(7500, to), "2 h 5 min");
	assert_string_equal(print_time(0, time), "1970-01-01T00:00:00Z");
	assert_string_equal(print_time_ns(-1, time), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(print_time_ns(1500000001, time), "1970-01-01T00:00:01.500000001Z");
	assert_true(strlen(print_time(INT64_MAX, time)) > 0);
	assert_true(strlen(print_time_ns(INT64_MIN, time)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_bytes_are_harmless_and_come_back),
		cmocka_unit_test(escaped_text_is_not_escaped_twice_nor_trusted),
		cmocka_unit_test(long_text_is_not_cut),
		cmocka_unit_test(numbers_are_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
