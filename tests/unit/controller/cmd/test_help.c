// SPDX-License-Identifier: MIT
/* To write docs/muster.1 anew: MUSTER_UPDATE=1 build/dev/tests/unit/test_cmd_help */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/cmd/help.h"

#define PAGE "docs/muster.1"

static char *written(void (*write)(FILE *out))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	write(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void write_all_help(FILE *out)
{
	help_print(out, NULL, false);
	help_print(out, NULL, true);
	for (size_t i = 0; verb_at(i); i++) {
		help_print(out, verb_at(i), false);
		help_print(out, verb_at(i), true);
	}
}

static void help_fits_a_terminal(void **state)
{
	char *text = written(write_all_help);
	size_t column = 0;

	(void)state;
	for (const char *p = text; *p; p++) {
		column = *p == '\n' ? 0 : column + 1;
		if (column > 110) {
			fail_msg("too wide: %.*s", 110, p - 109);
		}
		assert_false(*p == '\n' && p > text && p[-1] == ' ');
	}
	free(text);
}

/* An example that its own verb would refuse is worse than none. */
static void examples_are_valid_command_lines(void **state)
{
	(void)state;
	for (size_t i = 0; verb_at(i); i++) {
		for (size_t e = 0; e < VERB_EXAMPLES_MAX && verb_at(i)->example[e].command; e++) {
			char line[128], *argv[16];
			const struct verb *verb = NULL;
			struct options options = {0};
			struct error err = {0};
			size_t used = 0;
			int argc = 0;

			(void)snprintf(line, sizeof(line), "%s", verb_at(i)->example[e].command);
			for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
				/* Quoted words hold blanks: what follows belongs to them. */
				if (argc > 0 && argv[argc - 1][0] == '\'' &&
				    !strchr(argv[argc - 1] + 1, '\'')) {
					word[-1] = ' ';
					continue;
				}
				argv[argc++] = word;
			}
			if (options_parse(&options, argc, argv, &err) < 0 ||
			    verb_find(options.words, options.word_count, &verb, &used, &err) < 0) {
				fail_msg("%s: %s", verb_at(i)->example[e].command, err.msg);
			}
			assert_ptr_equal(verb, verb_at(i));
			assert_true(options.word_count - used >= verb_at(i)->least);
			assert_true(options.word_count - used <= verb_at(i)->most);
			for (int id = 0; id < OPTIONS; id++) {
				if (options.value[id] &&
				    !(help_options(verb_at(i)) & OPTION_BIT(id))) {
					fail_msg("%s: foreign option",
						 verb_at(i)->example[e].command);
				}
			}
			options_clear(&options);
		}
	}
}

static void every_option_is_somebodys(void **state)
{
	uint64_t all = 0;

	(void)state;
	for (size_t i = 0; verb_at(i); i++) {
		all |= help_options(verb_at(i));
	}
	for (int id = 0; id < OPTIONS; id++) {
		assert_true(all & OPTION_BIT(id));
	}
}

static void write_words(FILE *out)
{
	help_words(out, NULL);
	help_words(out, verb_at(1));
}

static void word_lists_serve_completion(void **state)
{
	char *text = written(write_words);

	(void)state;
	assert_non_null(strstr(text, "baseline import\n"));
	assert_non_null(strstr(text, "--port=\n"));
	assert_non_null(strstr(text, "--full\n"));
	assert_null(strstr(text, "--reason"));
	free(text);
}

static void manual_page_is_that_of_the_tables(void **state)
{
	char *text = written(help_man);
	size_t len = strlen(text);
	char *page = NULL;
	FILE *file;

	(void)state;
	if (getenv("MUSTER_UPDATE")) {
		file = fopen(PAGE, "w");
		assert_non_null(file);
		assert_int_equal(fwrite(text, 1, len, file), len);
		assert_int_equal(fclose(file), 0);
	}
	file = fopen(PAGE, "r");
	assert_non_null(file);
	page = calloc(1, len + 2);
	assert_non_null(page);
	assert_int_equal(fread(page, 1, len + 1, file), len);
	assert_int_equal(fclose(file), 0);
	assert_true(strcmp(page, text) == 0);
	free(page);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_fits_a_terminal),
		cmocka_unit_test(examples_are_valid_command_lines),
		cmocka_unit_test(every_option_is_somebodys),
		cmocka_unit_test(word_lists_serve_completion),
		cmocka_unit_test(manual_page_is_that_of_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
