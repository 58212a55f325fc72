// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/route/route.h"

static void jumps_are_read_as_ssh_reads_them(void **state)
{
	static const struct {
		const char *text;
		const char *printed;
		size_t count;
	} rows[] = {
		{"none", "", 0},
		{"bastion", "bastion", 1},
		{"ops@bastion:2222", "ops@bastion:2222", 1},
		{"a,b", "a,b", 2},
		{"a:1,u@b:65535,c", "a:1,u@b:65535,c", 3},
		{"ssh://ops@bastion:22", "ops@bastion:22", 1},
		{"[2001:db8::1]:22", "[2001:db8::1]:22", 1},
		{"[2001:db8::1]", "[2001:db8::1]", 1},
		{"2001:db8::1", "[2001:db8::1]", 1},
		{"fe80::1%eth0", "[fe80::1%eth0]", 1},
		{"user@realm@bastion", "user@realm@bastion", 1},
		{"1,2,3,4,5,6,7,8", "1,2,3,4,5,6,7,8", 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char printed[ROUTE_TEXT_MAX];
		struct route route;
		struct error err = {0};

		if (route_read_jumps(rows[i].text, &route, &err) < 0) {
			fail_msg("%s: %s", rows[i].text, err.msg);
		}
		assert_int_equal(route.jump_count, rows[i].count);
		assert_true(route_print(&route, printed, sizeof(printed)));
		assert_string_equal(printed, rows[i].printed);
		route_clear(&route);
	}
}

static void what_is_no_jump_is_refused(void **state)
{
	static const char *const texts[] = {
		"",        ",",       "a,",        "a,,b",      ",a",      "-oProxyCommand=x",
		"a;b",     "a b",     "$(id)",     "`id`",      "a:0",     "a:65536",
		"a:",      "a:22x",   "@a",        "-u@a",      "u v@a",   "[::1",
		"[::1]22", "[::1]:0", "a\nb",      "a/b",       "none,a,", "1,2,3,4,5,6,7,8,9",
		"a:-1",    "ssh://",  "ssh://a/b", "a:9999999", "[]:22",   "u;id@a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct route route;
		struct error err = {0};

		if (route_read_jumps(texts[i], &route, &err) == 0) {
			fail_msg("\"%s\" was taken", texts[i]);
		}
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_int_equal(route.jump_count, 0);
	}
}

static void every_part_of_a_route_can_be_copied(void **state)
{
	struct route route, copy;
	char printed[64];
	struct error err = {0};

	(void)state;
	assert_int_equal(route_read_jumps("u@a:1,b,c", &route, &err), 0);
	assert_int_equal(route_copy(&route, 2, &copy, &err), 0);
	route_clear(&route);
	assert_true(route_print(&copy, printed, sizeof(printed)));
	assert_string_equal(printed, "u@a:1,b");
	route_clear(&copy);
	route_clear(&copy);
}

static void route_that_does_not_fit_is_not_printed(void **state)
{
	struct route route;
	char room[8];
	struct error err = {0};

	(void)state;
	assert_int_equal(route_read_jumps("abc,def", &route, &err), 0);
	assert_true(route_print(&route, room, 8));
	for (size_t i = 0; i < 8; i++) {
		assert_false(route_print(&route, room, i));
	}
	route_clear(&route);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jumps_are_read_as_ssh_reads_them),
		cmocka_unit_test(what_is_no_jump_is_refused),
		cmocka_unit_test(every_part_of_a_route_can_be_copied),
		cmocka_unit_test(route_that_does_not_fit_is_not_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
