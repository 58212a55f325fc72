// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/acks.h"

#define WHOLE                                                               \
	"- id: A-1\n  rule: '*'\n  path: /x\n  finding: 0123456789abcdef\n" \
	"  hosts: a\n  reason: b\n"

static void written_ack_is_read_back(void **state)
{
	const struct ack ack = {
		.id = (char[]){"A-0042"},
		.rule = (char[]){"config.changed"},
		.path = (char[]){"/etc/\"x\"\\040\xc3\xa9"},
		.finding = (char[]){"8c1d5f0e22aa4b01"},
		.hosts = (char[]){"web[001-040],@x"},
		.reason = (char[]){"CHG: 1\n# no comment\t"},
		.by = (char[]){"jdoe <j@example.org>"},
	};
	struct ack_list list = {0};
	struct error err = {0};
	char *text = NULL;
	size_t len;

	(void)state;
	assert_int_equal(ack_write(&ack, "2026-12-15", &text, &len, &err), 0);
	if (acks_parse("acks/x.yaml", bytes_make(text, len), &list, &err) < 0) {
		fail_msg("%s\n%s", err.msg, text);
	}
	assert_int_equal(list.count, 1);
	assert_string_equal(list.acks[0].id, ack.id);
	assert_string_equal(list.acks[0].rule, ack.rule);
	assert_string_equal(list.acks[0].path, ack.path);
	assert_string_equal(list.acks[0].finding, ack.finding);
	assert_string_equal(list.acks[0].hosts, ack.hosts);
	assert_string_equal(list.acks[0].reason, ack.reason);
	assert_string_equal(list.acks[0].by, ack.by);
	assert_string_equal(list.acks[0].source, "acks/x.yaml:1");
	acks_clear(&list);
	free(text);
}

static void until_is_the_end_of_a_real_day(void **state)
{
	static const char *const wrong[] = {"",           "2026-2-15",  "2026-02-30", "2026-13-01",
					    "2026-00-10", "2026-01-00", "2026/01/01", "2026-01-011",
					    "2026-01-0x", "1969-12-31", "tomorrow"};
	int64_t until;

	(void)state;
	assert_true(ack_until("1970-01-01", &until));
	assert_int_equal(until, 86400);
	assert_true(ack_until("2024-02-29", &until));
	assert_int_equal(until, 1709251200);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(ack_until(wrong[i], &until));
	}
}

static void faults_name_file_line_and_key(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} faults[] = {
		{WHOLE, "until is missing"},
		{WHOLE "  until: 2026-02-30\n", "f:7:10: not a day"},
		{WHOLE "  unitl: 2026-02-03\n", "f:7:3: "},
		{WHOLE "  until: 2026-12-01\n  by: ''\n", "f:8:7: by is empty"},
		{"- id: A-1\n  finding: 0123\n", "f:2:12: not a finding's fingerprint"},
		{"- id: A-1\n  finding: 0123456789ABCDEF\n", "not a finding's fingerprint"},
		{"id: A-1\n", "f:1:1"},
		{"- [a]\n", "f:1:3"},
		{"- id: [a]\n", "f:1:7"},
		{WHOLE "  until: 2026-12-01\n" WHOLE "  until: 2026-12-01\n",
		 "A-1 stands already in f:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct ack_list list = {0};
		struct error err = {0};

		assert_int_equal(acks_parse("f", bytes_from_string(faults[i].text), &list, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (!strstr(err.msg, faults[i].message)) {
			fail_msg("%zu: %s, not %s", i, err.msg, faults[i].message);
		}
		acks_clear(&list);
	}
}

static void empty_file_has_no_ack(void **state)
{
	struct ack_list list = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(acks_parse("f", bytes_make(NULL, 0), &list, &err), 0);
	assert_int_equal(acks_parse("f", BYTES_LITERAL("[]\n"), &list, &err), 0);
	assert_int_equal(list.count, 0);
	acks_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_ack_is_read_back),
		cmocka_unit_test(until_is_the_end_of_a_real_day),
		cmocka_unit_test(faults_name_file_line_and_key),
		cmocka_unit_test(empty_file_has_no_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
