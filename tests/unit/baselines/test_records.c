// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "baselines/records.h"

static const struct record diversion = {
	.count = 4,
	.field = {{(const uint8_t *)"diversion", 9},
		  {(const uint8_t *)"/a b", 4},
		  {NULL, 0},
		  {(const uint8_t *)"\xff=#", 3}},
};
#define DIVERSION_LINE "diversion /a\\040b = \\377\\075\\043"

static void line_and_record_are_inverse(void **state)
{
	char line[256];
	uint8_t scratch[256];
	size_t len = records_line("diversion", &diversion, 1, line, sizeof(line));
	struct record record;
	struct error err = {0};
	const char *kind = NULL;

	(void)state;
	assert_string_equal(line, DIVERSION_LINE);
	assert_int_equal(len, strlen(line));
	assert_int_equal(records_read_line(bytes_make(line, len), scratch, &kind, &record, &err),
			 0);
	assert_string_equal(kind, "diversion");
	assert_int_equal(record.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(bytes_equal(record.field[i], diversion.field[i + 1]));
	}
}

static void cut_line_is_no_record(void **state)
{
	char line[256];
	uint8_t scratch[256];
	size_t whole = records_line("diversion", &diversion, 1, line, sizeof(line));

	(void)state;
	for (size_t room = 0; room < whole + 2; room++) {
		struct error err = {0};
		struct record record;
		const char *kind;
		size_t len;

		memset(line, 'x', sizeof(line));
		len = records_line("diversion", &diversion, 1, line, room);
		assert_int_equal(line[room], 'x');
		assert_true(room == 0 || len < room);
		assert_int_equal(
			records_read_line(bytes_make(line, len), scratch, &kind, &record, &err),
			-1);
	}
}

static void list_is_sorted_and_has_each_line_once(void **state)
{
	static const char text[] = "# comment\n\nabsent /b\nabsent /a\nabsent /b\n" DIVERSION_LINE;
	struct record_list *list = NULL;
	struct error err = {0};
	char *written = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(records_parse("r", bytes_from_string(text), &list, &err), 0);
	assert_int_equal(list->count, 3);
	assert_true(records_has(list, BYTES_LITERAL("absent /a")));
	assert_true(records_has(list, BYTES_LITERAL("absent /b")));
	assert_true(records_has(list, BYTES_LITERAL(DIVERSION_LINE)));
	assert_false(records_has(list, BYTES_LITERAL("absent /c")));
	assert_false(records_has(list, BYTES_LITERAL("absent")));
	assert_int_equal(records_write(list, &written, &len, &err), 0);
	assert_non_null(strstr(written, "\nabsent /a\nabsent /b\n" DIVERSION_LINE "\n"));
	assert_int_equal(strlen(written), len);
	records_free(list);

	assert_int_equal(records_parse("r", bytes_make(written, len), &list, &err), 0);
	assert_int_equal(list->count, 3);
	records_free(list);
	records_free(NULL);
	free(written);
}

static void faults_name_file_and_line(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} faults[] = {
		{"absent /a\nabsnet /b\n", "r:2: unknown kind absnet (did you mean absent?)"},
		{"absent\n", "r:1: absent has 1 fields, not 0"},
		{"absent /a /b\n", "r:1: too many fields"},
		{"diversion a b\n", "diversion has 3 fields, not 2"},
		{"absent /a \n", "r:1: field 1 is not escaped"},
		{"absent  /a\n", "r:1: field 1 is not escaped"},
		{"absent /\\141\n", "r:1: field 1 is not escaped"},
		{"absent /a\\04\n", "r:1: field 1 is not escaped"},
		{"absent /a=b\n", "r:1: field 1 is not escaped"},
		{"absent /a\tb\n", "r:1: field 1 is not escaped"},
		{"absent /\xc3\xa9\n", "r:1: field 1 is not escaped"},
		{" absent /a\n", "r:1: unknown kind"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct record_list *list = NULL;
		struct error err = {0};

		assert_int_equal(records_parse("r", bytes_from_string(faults[i].text), &list, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
	}
}

static void empty_text_is_an_empty_list(void **state)
{
	struct record_list *list = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(records_parse("r", bytes_make(NULL, 0), &list, &err), 0);
	assert_int_equal(list->count, 0);
	assert_false(records_has(list, BYTES_LITERAL("absent /a")));
	records_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_and_record_are_inverse),
		cmocka_unit_test(cut_line_is_no_record),
		cmocka_unit_test(list_is_sorted_and_has_each_line_once),
		cmocka_unit_test(faults_name_file_and_line),
		cmocka_unit_test(empty_text_is_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
