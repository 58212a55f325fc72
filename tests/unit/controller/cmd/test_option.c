// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "controller/cmd/option.h"

#define WORDS_MAX 12

/* Cuts a line at blanks, in place. */
static int split(char *line, char **argv)
{
	static char name[] = "muster";
	int argc = 0;

	argv[argc++] = name;
	for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " ")) {
		argv[argc++] = word;
	}
	return argc;
}

static void options_and_words_are_told_apart(void **state)
{
	char line[] = "-qv check --port=22 -c x.yaml web1 --user u -v -cy.yaml -- -w2";
	char *argv[WORDS_MAX + 4];
	char more[] = "--format=ndjson - a";
	struct options options;
	struct error err = {0};
	char *words[WORDS_MAX + 4];
	int argc = 0;

	(void)state;
	argv[argc++] = line;
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		argv[argc++] = word;
	}
	assert_int_equal(options_parse(&options, argc, argv, &err), 0);
	assert_int_equal(options.word_count, 3);
	assert_string_equal(options.words[0], "check");
	assert_string_equal(options.words[1], "web1");
	assert_string_equal(options.words[2], "-w2");
	assert_string_equal(options.value[OPTION_PORT], "22");
	assert_string_equal(options.value[OPTION_CONFIG], "y.yaml");
	assert_string_equal(options.value[OPTION_USER], "u");
	assert_int_equal(options.count[OPTION_VERBOSE], 2);
	assert_int_equal(options.count[OPTION_QUIET], 1);
	assert_null(options.value[OPTION_FULL]);
	options_clear(&options);

	assert_int_equal(options_parse(&options, split(more, words), words, &err), 0);
	assert_int_equal(options.word_count, 2);
	assert_string_equal(options.words[0], "-");
	options_clear(&options);
}

static void fault_names_option_and_nearest(void **state)
{
	static const struct {
		const char *line;
		const char *message;
	} rows[] = {
		{"--paralel 3", "--paralel: unknown option: did you mean --parallel?"},
		{"--colour=never", "--colour=never: unknown option: did you mean --color?"},
		{"-format text", "-format: unknown option: did you mean --format?"},
		{"-x", "-x: unknown option"},
		{"--xyzzy", "--xyzzy: unknown option"},
		{"--par 3", "--par: unknown option: did you mean --parallel?"},
		{"--port", "--port: N is missing"},
		{"-c", "-c: FILE is missing"},
		{"--full=yes", "--full takes no value"},
		{"--format xml",
		 "--format: unknown value \"xml\": known are text, ndjson, rundeck"},
		{"--format ndjon", "--format: unknown value \"ndjon\": did you mean ndjson?"},
		{"--fail-on hig", "--fail-on: unknown value \"hig\": did you mean high?"},
		{"--become=doas", "--become: unknown value \"doas\": known are sudo, pinned, none"},
		{"--\x1b[2J", "--\\033[2J: unknown option"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options options;
		struct error err = {0};
		char line[64], *argv[WORDS_MAX + 1];

		(void)snprintf(line, sizeof(line), "%s", rows[i].line);
		if (options_parse(&options, split(line, argv), argv, &err) == 0) {
			options_clear(&options);
			fail_msg("%s was taken", rows[i].line);
		}
		assert_string_equal(err.msg, rows[i].message);
	}
}

static void table_has_no_name_twice(void **state)
{
	(void)state;
	for (int a = 0; a < OPTIONS; a++) {
		const struct option_spec *x = option_spec((enum option_id)a);

		assert_true(x->letter || x->name);
		assert_non_null(x->help);
		for (int b = 0; b < a; b++) {
			const struct option_spec *y = option_spec((enum option_id)b);

			assert_false(x->letter && x->letter == y->letter);
			assert_false(x->name && y->name && strcmp(x->name, y->name) == 0);
			assert_false(x->setting != OPTION_NO_SETTING && x->setting == y->setting);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_words_are_told_apart),
		cmocka_unit_test(fault_names_option_and_nearest),
		cmocka_unit_test(table_has_no_name_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
