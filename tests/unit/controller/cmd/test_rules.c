// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/cmd/rules.h"

static int check(const char *text, struct error *err)
{
	struct policy *policy = NULL;
	int status;

	assert_int_equal(policy_parse("muster.yaml", bytes_from_string(text), &policy, err), 0);
	status = rules_check_policy(policy, err);
	policy_free(policy);
	return status;
}

static void rules_that_exist_pass(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(check("severities: {}\n", &err), 0);
	assert_int_equal(check("severities: {file.changed: low, hostkey.changed: high}\n", &err),
			 0);
	assert_int_equal(rules_check_policy(policy_default(), &err), 0);
}

static void an_unknown_rule_is_named_with_place_and_nearest(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(check("severities:\n  file.changed: low\n  file.chnged: low\n", &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_string_equal(err.msg, "muster.yaml:3:3: severities: unknown rule \"file.chnged\": "
				     "did you mean \"file.changed\"?");
	assert_int_equal(check("severities: {nothing.like.it.at.all: low}\n", &err), -1);
	assert_non_null(strstr(err.msg, "muster.yaml:1:14: severities: unknown rule"));
	assert_null(strstr(err.msg, "did you mean"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_exist_pass),
		cmocka_unit_test(an_unknown_rule_is_named_with_place_and_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
