// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/inventory/ansible_args.h"

static void jump_hosts_are_taken_and_the_rest_is_named(void **state)
{
	static const struct {
		const char *text;
		const char *jump;
		const char *left;
	} rows[] = {
		{"", "", ""},
		{"-J bastion", "bastion", ""},
		{"-Jops@bastion:2222,inner", "ops@bastion:2222,inner", ""},
		{"-o ProxyJump=bastion", "bastion", ""},
		{"-oProxyJump=bastion", "bastion", ""},
		{"-o 'ProxyJump bastion'", "bastion", ""},
		{"-o \"proxyjump = bastion\"", "bastion", ""},
		{" -C  -o ControlMaster=auto -o ControlPersist=60s -J b ", "b",
		 "-C, ControlMaster, ControlPersist"},
		{"-o ProxyJump=first -J second", "first", ""},
		{"-o ProxyCommand='ssh -W %h:%p b'", "", "ProxyCommand"},
		{"-o ProxyJumper=x", "", "ProxyJumper"},
		{"-i key -p 22", "", "-i, -p"},
		{"-o ProxyJump=none", "none", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ansible_args args;

		if (!ansible_args_read(rows[i].text, &args)) {
			fail_msg("%s was not taken", rows[i].text);
		}
		assert_string_equal(args.jump, rows[i].jump);
		assert_string_equal(args.left, rows[i].left);
	}
}

static void what_a_shell_would_replace_is_not_guessed_at(void **state)
{
	static const char *const texts[] = {
		"-J $BASTION", "-J `id`", "-J a\\ b", "-J 'a",  "-J \"a", "-J",
		"-o",          "-J a;b",  "-J ''",    "-J a|b", "-J -x",  "-o ProxyJump='a b'",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ansible_args args;

		if (ansible_args_read(texts[i], &args)) {
			fail_msg("%s was taken as %s", texts[i], args.jump);
		}
	}
}

static void words_are_bounded(void **state)
{
	char text[4096];
	struct ansible_args args;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "-J ", 3);
	for (size_t len = 500; len < 2100; len += 1) {
		char whole[4096];

		memcpy(whole, text, len);
		whole[len] = '\0';
		assert_int_equal(ansible_args_read(whole, &args), len - 3 < ANSIBLE_ARGS_JUMP_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jump_hosts_are_taken_and_the_rest_is_named),
		cmocka_unit_test(what_a_shell_would_replace_is_not_guessed_at),
		cmocka_unit_test(words_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
