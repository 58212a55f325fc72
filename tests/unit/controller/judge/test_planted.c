// SPDX-License-Identifier: MIT
/* What is planted on a host, one by one, is found and named: rule, path, severity, letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/judge/planted.h"

static size_t faults;

static void check(const struct world *w, const struct planted *row)
{
	const struct finding *found = row->subject ? world_finding(w, row->rule, row->subject)
						   : NULL;
	bool good = world_count(w, SEVERITY_LOW) == row->telling;

	if (row->subject) {
		good = good && found && found->severity == row->severity &&
		       strcmp(found->letters, row->letters) == 0 && found->witness == row->witness;
	}
	if (!good) {
		print_message("%s:\n", row->name);
		world_print(w);
		faults++;
	}
}

static void planted_change_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < planted_count; i++) {
		struct world *w = world_new();

		world_standard(w);
		if (planted[i].captured) {
			world_capture(w);
		}
		planted[i].plant(w);
		world_judge(w);
		check(w, &planted[i]);
		world_free(w);
	}
	assert_int_equal(faults, 0);
}

/* Every rule that the judge itself raises has a row (the others are tested where they arise). */
static void every_rule_is_planted(void **state)
{
	(void)state;
	for (unsigned rule = 0; rule < RULES; rule++) {
		bool has_row = rule == RULE_FIRST_SIGHT || rule == RULE_HOST_KEY ||
			       rule == RULE_PACKAGE_UPGRADED || rule == RULE_PACKAGE_DOWNGRADED ||
			       /* test_rpm.c has these. */
			       (rule >= RULE_HEADER_UNSIGNED && rule <= RULE_HEADER_WEAK) ||
			       rule_is_of_fleet((enum rule)rule);

		for (size_t i = 0; i < planted_count; i++) {
			has_row = has_row || (planted[i].subject && planted[i].rule == rule);
		}
		if (!has_row) {
			print_message("%s has no row\n", rule_name((enum rule)rule));
		}
		assert_true(has_row);
	}
}

static void judging_twice_is_identical(void **state)
{
	(void)state;
	for (size_t i = 0; i < planted_count; i++) {
		struct world *w = world_new();
		struct findings once;

		world_standard(w);
		planted[i].plant(w);
		world_judge(w);
		once = w->findings;
		w->findings = (struct findings){0};
		world_judge(w);
		assert_int_equal(once.count, w->findings.count);
		for (size_t f = 0; f < once.count; f++) {
			assert_string_equal(once.item[f].id, w->findings.item[f].id);
			assert_int_equal(once.item[f].severity, w->findings.item[f].severity);
			assert_true(
				bytes_equal(once.item[f].old_value, w->findings.item[f].old_value));
			assert_true(bytes_equal(once.item[f].detail, w->findings.item[f].detail));
		}
		findings_clear(&once);
		world_free(w);
	}
}

/* `muster accept` has nothing but what the finding carries. */
static void accepting_what_a_finding_says_silences_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < planted_count; i++) {
		struct world *w = world_new();
		size_t left = 0;

		world_standard(w);
		if (planted[i].captured) {
			world_capture(w);
		}
		planted[i].plant(w);
		world_judge(w);
		for (size_t f = 0; f < w->findings.count; f++) {
			const struct finding *finding = &w->findings.item[f];

			if (finding->severity >= SEVERITY_LOW &&
			    !world_accept_finding(w, finding)) {
				/* Who accepts that a package is gone, and its files, accepts it. */
				left += finding->rule != RULE_PACKAGE_HIDDEN;
				/* These say that somebody must look, not that something is so. */
				assert_true(finding->rule == RULE_PROTOCOL ||
					    finding->rule == RULE_CHECK_LOST ||
					    finding->rule == RULE_VIEWS_DIFFER ||
					    finding->rule == RULE_PACKAGE_HIDDEN ||
					    finding->rule == RULE_DATABASE_SECOND ||
					    finding->rule == RULE_MOUNT_CHANGED);
			}
		}
		world_judge(w);
		if (world_count(w, SEVERITY_LOW) != left) {
			print_message("%s:\n", planted[i].name);
			world_print(w);
		}
		assert_int_equal(world_count(w, SEVERITY_LOW), left);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planted_change_is_found),
		cmocka_unit_test(every_rule_is_planted),
		cmocka_unit_test(judging_twice_is_identical),
		cmocka_unit_test(accepting_what_a_finding_says_silences_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
