// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/cmd/verb.h"

static void verbs_of_one_and_two_words_are_found(void **state)
{
	static const char *const import[] = {"baseline", "import", "x.deb"};
	static const char *const keys[] = {"hosts", "keys", "web1"};
	static const char *const hosts[] = {"hosts", "web1"};
	const struct verb *verb;
	struct error err = {0};
	size_t used;

	(void)state;
	assert_int_equal(verb_find(import, 3, &verb, &used, &err), 0);
	assert_ptr_equal(verb->run, verb_baseline_import);
	assert_int_equal(used, 2);
	assert_int_equal(verb_find(keys, 3, &verb, &used, &err), 0);
	assert_ptr_equal(verb->run, verb_hosts_keys);
	assert_int_equal(verb_find(hosts, 2, &verb, &used, &err), 0);
	assert_ptr_equal(verb->run, verb_hosts);
	assert_int_equal(used, 1);
}

static void wrong_verb_names_the_nearest(void **state)
{
	static const struct {
		const char *words[3];
		size_t count;
		const char *message;
	} rows[] = {
		{{"chek"}, 1, "chek: unknown command: did you mean \"check\"?"},
		{{"stat"}, 1, "stat: unknown command: did you mean \"status\"?"},
		{{"xyzzy"}, 1, "xyzzy: unknown command"},
		{{"baseline"},
		 1,
		 "baseline: what of it? Known are import, capture, learn, fetch, list, verify"},
		{{"baseline", "imprt"},
		 2,
		 "baseline imprt: unknown command: did you mean \"baseline import\"?"},
		{{"baseline", "zzz"},
		 2,
		 "baseline zzz: unknown command: known are import, capture, learn, fetch, list, "
		 "verify"},
		{{"\x1b[2J"}, 1, "\\033[2J: unknown command"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct verb *verb;
		struct error err = {0};
		size_t used;

		assert_int_equal(verb_find(rows[i].words, rows[i].count, &verb, &used, &err), -1);
		assert_string_equal(err.msg, rows[i].message);
	}
}

static void every_verb_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; verb_at(i); i++) {
		const struct verb *verb = verb_at(i);

		assert_true(strlen(verb->summary) < 60);
		assert_true(strlen(verb->text) > strlen(verb->summary));
		assert_non_null(verb->example[0].command);
		assert_non_null(verb->run);
		assert_true(verb->least <= verb->most);
		assert_false(verb->options & VERB_ALWAYS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_of_one_and_two_words_are_found),
		cmocka_unit_test(wrong_verb_names_the_nearest),
		cmocka_unit_test(every_verb_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
