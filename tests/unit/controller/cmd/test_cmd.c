// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/cmd/cmd.h"
#include "controller/cmd/verb.h"

#define WORDS_MAX 16

struct said {
	int code;
	char *out;
	char *log;
};

/* Runs a command line, cut at blanks. */
static struct said say(const char *command)
{
	char line[256], *argv[WORDS_MAX];
	struct said said = {0};
	size_t out_len, log_len;
	FILE *out = open_memstream(&said.out, &out_len);
	FILE *log = open_memstream(&said.log, &log_len);
	int argc = 0;

	assert_non_null(out);
	assert_non_null(log);
	(void)snprintf(line, sizeof(line), "%s", command);
	for (char *word = strtok(line, " "); word && argc < WORDS_MAX - 1;
	     word = strtok(NULL, " ")) {
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	said.code = cmd_run(argc, argv, out, log);
	(void)fclose(out);
	(void)fclose(log);
	return said;
}

static void forget(struct said *said)
{
	free(said->out);
	free(said->log);
}

static int without_environment(void **state)
{
	(void)state;
	return setenv("HOME", "/nonexistent", 1) || unsetenv("XDG_CONFIG_HOME") ||
	       setenv("XDG_STATE_HOME", "/nonexistent", 1) || unsetenv("MUSTER_CONFIG") ||
	       setenv("MUSTER_DB", "/nonexistent/x.db", 1);
}

static void help_goes_to_stdout_and_is_no_fault(void **state)
{
	static const char *const commands[] = {"muster",
					       "muster -h",
					       "muster --help",
					       "muster help",
					       "muster help check",
					       "muster check -h",
					       "muster --help baseline import"};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct said said = say(commands[i]);

		assert_int_equal(said.code, EXIT_CLEAN);
		assert_non_null(strstr(said.out, "Examples:"));
		assert_string_equal(said.log, "");
		forget(&said);
	}
}

static void fault_is_named_with_what_to_try(void **state)
{
	static const struct {
		const char *command;
		const char *log;
	} rows[] = {
		{"muster chek web1", "muster: chek: unknown command: did you mean \"check\"?\n"
				     "  try: muster -h\n"},
		{"muster check --prot 1 web1",
		 "muster: --prot: unknown option: did you mean --port?\n"
		 "  try: muster -h\n"},
		{"muster check", "muster: check: HOST... is missing\n"
				 "  try: muster check -h\n"},
		{"muster show a b", "muster: show: \"b\" is one too many\n"
				    "  try: muster show -h\n"},
		{"muster status --reason x", "muster: --reason: not an option of muster status\n"
					     "  try: muster status -h\n"},
		{"muster check --port 0 web1", "muster: --port: expected a number from 1 to 65535\n"
					       "  try: muster check --help\n"},
		{"muster -c /nonexistent/c.yaml hosts",
		 "muster: /nonexistent/c.yaml: No such file or directory\n"
		 "  try: man muster.yaml\n"},
		{"muster hosts -i /nonexistent/hosts",
		 "muster: /nonexistent/hosts: No such file or directory\n"
		 "  try: man muster.yaml, for the formats (the inventory was named by "
		 "--inventory)\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct said said = say(rows[i].command);

		assert_int_equal(said.code, EXIT_FATAL);
		assert_string_equal(said.log, rows[i].log);
		assert_string_equal(said.out, "");
		forget(&said);
	}
}

static void hosts_that_are_named_are_listed(void **state)
{
	struct said said = say("muster hosts web[2,1] a!web2");

	(void)state;
	assert_int_equal(said.code, EXIT_CLEAN);
	assert_string_equal(said.out, "a     not-asked\nweb1  not-asked\nweb2  not-asked\n");
	forget(&said);
}

static void words_for_completion_are_printed(void **state)
{
	struct said said = say("muster help words check");

	(void)state;
	assert_int_equal(said.code, EXIT_CLEAN);
	assert_non_null(strstr(said.out, "--parallel=\n"));
	forget(&said);
	said = say("muster help words");
	assert_non_null(strstr(said.out, "sweep\n"));
	forget(&said);
	said = say("muster help chek");
	assert_int_equal(said.code, EXIT_FATAL);
	assert_non_null(strstr(said.log, "did you mean \"check\"?"));
	forget(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_goes_to_stdout_and_is_no_fault),
		cmocka_unit_test(fault_is_named_with_what_to_try),
		cmocka_unit_test(hosts_that_are_named_are_listed),
		cmocka_unit_test(words_for_completion_are_printed),
	};

	return cmocka_run_group_tests(tests, without_environment, NULL);
}
