// SPDX-License-Identifier: MIT
#include "schema/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void setting_and_prefixing_keep_kind_and_errno(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, ERROR_NET, ECONNREFUSED, "port %d", 22), -1);
	assert_int_equal(error_prefix(&err, "web%03d", 1), -1);
	assert_string_equal(err.msg, "web001: port 22");
	assert_int_equal(err.kind, ERROR_NET);
	assert_int_equal(err.os_errno, ECONNREFUSED);
}

static void long_messages_are_cut_not_overrun(void **state)
{
	char longer[2 * ERROR_MSG_SIZE];
	struct error err;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)error_set(&err, ERROR_PEER, 0, "%s", longer);
	assert_int_equal(strlen(err.msg), ERROR_MSG_SIZE - 1);
	(void)error_prefix(&err, "%s", longer);
	assert_true(strlen(err.msg) < ERROR_MSG_SIZE);
	(void)error_prefix(&err, "host");
	assert_memory_equal(err.msg, "host: xxx", 9);
}

static void no_record_is_no_crash(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, ERROR_NOMEM, 0, "x"), -1);
	assert_int_equal(error_prefix(NULL, "x"), -1);
}

static void every_kind_has_its_name(void **state)
{
	(void)state;
	for (int i = ERROR_NONE; i <= ERROR_SYSTEM; i++) {
		assert_string_not_equal(error_kind_name((enum error_kind)i), "unknown");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_and_prefixing_keep_kind_and_errno),
		cmocka_unit_test(long_messages_are_cut_not_overrun),
		cmocka_unit_test(no_record_is_no_crash),
		cmocka_unit_test(every_kind_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
