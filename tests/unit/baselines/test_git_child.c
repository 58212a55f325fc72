// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "baselines/git_child.h"

/* `what` as a shell's work, below git. */
static int run(const char *what, unsigned timeout_s, int *status, char said[GIT_CHILD_SAID],
	       struct error *err)
{
	const char *const arguments[] = {"-c", what, "child", NULL};

	return git_child_run(arguments, timeout_s, status, said, err);
}

static void what_it_says_is_escaped_joined_and_bounded(void **state)
{
	char said[GIT_CHILD_SAID];
	struct error err = {0};
	int status = -1;

	(void)state;
	assert_int_equal(run("alias.child=!printf 'one\\r\\n\\033[2Jtwo\\n\\n' >&2; exit 7; :", 60,
			     &status, said, &err),
			 0);
	assert_int_equal(status, 7);
	assert_string_equal(said, "one; \\033[2Jtwo");
	assert_int_equal(run("alias.child=!head -c 1000000 /dev/zero | tr '\\0' x >&2; :", 60,
			     &status, said, &err),
			 0);
	assert_int_equal(status, 0);
	assert_int_equal(strlen(said), GIT_CHILD_SAID - 1);
	assert_string_equal(said + GIT_CHILD_SAID - 4, "...");
}

static void no_variable_of_git_reaches_it(void **state)
{
	char said[GIT_CHILD_SAID];
	struct error err = {0};
	int status = -1;

	(void)state;
	assert_int_equal(setenv("GIT_SSH_COMMAND", "/nonexistent/ssh", 1), 0);
	assert_int_equal(setenv("GIT_TRACE", "2", 1), 0);
	assert_int_equal(run("alias.child=!echo \"$GIT_TRACE|${GIT_SSH_COMMAND%% *}|"
			     "$GIT_TERMINAL_PROMPT|$GIT_ALLOW_PROTOCOL\" >&2; :",
			     60, &status, said, &err),
			 0);
	assert_string_equal(said, "|ssh|0|file:https:ssh");
	assert_int_equal(unsetenv("GIT_SSH_COMMAND"), 0);
	assert_int_equal(unsetenv("GIT_TRACE"), 0);
}

/* The pipe comes to its end when the last process that holds it is gone. */
static void what_does_not_end_is_killed_with_what_it_started(void **state)
{
	char said[GIT_CHILD_SAID], byte;
	struct error err = {0};
	int status = -1, ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(run("alias.child=!sleep 1000 & sleep 1000; :", 1, &status, said, &err),
			 -1);
	assert_int_equal(err.kind, ERROR_NET);
	assert_int_equal(err.os_errno, ETIMEDOUT);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	assert_int_equal(close(ends[0]), 0);
}

static void without_git_it_is_the_operators(void **state)
{
	const char *const arguments[] = {"version", NULL};
	char said[GIT_CHILD_SAID], *path = strdup(getenv("PATH"));
	struct error err = {0};
	int status = -1;

	(void)state;
	assert_non_null(path);
	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	assert_int_equal(git_child_run(arguments, 60, &status, said, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_string_equal(err.msg, "git is not installed");
	assert_int_equal(setenv("PATH", path, 1), 0);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says_is_escaped_joined_and_bounded),
		cmocka_unit_test(no_variable_of_git_reaches_it),
		cmocka_unit_test(what_does_not_end_is_killed_with_what_it_started),
		cmocka_unit_test(without_git_it_is_the_operators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
