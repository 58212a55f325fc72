// SPDX-License-Identifier: MIT
/* The pool against a muster-ssh that has been taken over (tests/fake/fake_muster_ssh.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <uv.h>
#include <cmocka.h>

#include "tests/unit/controller/ssh/pool/pool_lab.h"

static void look(struct pool_lab *lab, const char *user)
{
	unsigned before = lab->closed;

	(void)pool_lab_host(lab, "127.0.0.1", user);
	assert_int_equal(lab->closed, before);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(lab->closed, before + 1);
}

static void only_the_login_of_this_session_is_signed(void **state)
{
	static const struct {
		const char *user;
		const char *reason; /* NULL: signed */
	} rows[] = {
		{"good", NULL},
		{"session", "has not signed the session"},
		{"hostkey", "not with a known host key"},
		{"nologin", "no login"},
		{"user", "another user or key"},
		{"key", "another user or key"},
		{"twice", "the session is another one"},
	};
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		look(&lab, rows[i].user);
		if (rows[i].reason) {
			assert_int_equal(lab.last.outcome, OUTCOME_INTERNAL);
			assert_non_null(strstr(lab.last.reason, rows[i].reason));
		} else {
			assert_int_equal(lab.last.outcome, OUTCOME_AUTH_FAILED);
			assert_string_equal(lab.last.reason, "signed");
		}
	}
	pool_lab_close(&lab);
}

static void dead_child_costs_its_hosts_and_no_other(void **state)
{
	static const char *const deaths[] = {"die", "garbage"};
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		look(&lab, "good");
		assert_string_equal(lab.last.reason, "signed");
		look(&lab, deaths[i]);
		assert_int_equal(lab.last.outcome, OUTCOME_INTERNAL);
		assert_non_null(strstr(lab.last.reason, "muster-ssh"));
	}
	look(&lab, "good");
	assert_string_equal(lab.last.reason, "signed");
	pool_lab_close(&lab);
}

static void child_speaks_for_its_own_hosts_only(void **state)
{
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	look(&lab, "foreign");
	assert_string_equal(lab.last.reason, "mine");
	pool_lab_close(&lab);
}

static void reason_of_a_child_is_escaped(void **state)
{
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	look(&lab, "escape");
	assert_string_equal(lab.last.reason, "\\033[31mred \\033 \\342\\200\\256");
	pool_lab_close(&lab);
}

static void abort_ends_with_its_own_reason(void **state)
{
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	lab.transport->abort(pool_lab_host(&lab, "127.0.0.1", "good"), OUTCOME_NOT_ASKED, "enough");
	assert_int_equal(lab.closed, 0);
	assert_int_equal(uv_run(&lab.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(lab.closed, 1);
	assert_int_equal(lab.last.outcome, OUTCOME_NOT_ASKED);
	assert_string_equal(lab.last.reason, "enough");
	pool_lab_close(&lab);
}

static void names_that_are_none_go_nowhere(void **state)
{
	static const char *const names[] = {"-oProxyCommand=x", "a b", "a;b", "$(id)", "", "a/b",
					    "web1:22:",         "::x", "1:2"};
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)pool_lab_host(&lab, names[i], "good");
		assert_int_equal(uv_run(&lab.loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(lab.last.outcome, OUTCOME_NAME_UNKNOWN);
		assert_non_null(strstr(lab.last.reason, "is no host name"));
	}
	assert_int_equal(lab.closed, sizeof(names) / sizeof(names[0]));
	pool_lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_login_of_this_session_is_signed),
		cmocka_unit_test(dead_child_costs_its_hosts_and_no_other),
		cmocka_unit_test(child_speaks_for_its_own_hosts_only),
		cmocka_unit_test(reason_of_a_child_is_escaped),
		cmocka_unit_test(abort_ends_with_its_own_reason),
		cmocka_unit_test(names_that_are_none_go_nowhere),
	};

	return cmocka_run_group_tests(tests, pool_lab_set_up, pool_lab_tear_down);
}
