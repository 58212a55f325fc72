// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/report/values.h"

static void words_are_told_from_text(void **state)
{
	static const struct {
		const char *text;
		bool words;
	} rows[] = {
		{"type=file mode=0755 size=12 sha256=00ff", true},
		{"type=link link=/a\\040b", true},
		{"a=", true},
		{"", false},
		{"a", false},
		{"=b", false},
		{"a=b ", false},
		{"a=b  c=d", false},
		{"a=b a=c", false},
		{"A=b", false},
		{"a.b=c", false},
		{"abcdefghijklmnopq=1", false},
		{"diversion /a /b :", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(values_are_words(bytes_from_string(rows[i].text)), rows[i].words);
	}
}

static void value_is_found_by_its_key(void **state)
{
	struct bytes text = BYTES_LITERAL("type=file mode=0755"), value;

	(void)state;
	assert_true(values_find(text, "mode", &value));
	assert_true(bytes_equal_string(value, "0755"));
	assert_false(values_find(text, "size", &value));
}

static void change_is_named_by_what_is_there(void **state)
{
	struct finding finding = {.old_value = BYTES_LITERAL("a=b")};

	(void)state;
	assert_string_equal(values_change_name(&finding), "vanished");
	finding.new_value = finding.old_value;
	assert_string_equal(values_change_name(&finding), "modified");
	finding.old_value = (struct bytes){0};
	assert_string_equal(values_change_name(&finding), "appeared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_told_from_text),
		cmocka_unit_test(value_is_found_by_its_key),
		cmocka_unit_test(change_is_named_by_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
