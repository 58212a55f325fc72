// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/judge/builder.h"

static int setup(void **state)
{
	struct world *w = world_new();

	world_standard(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static void unchanged_host_has_only_first_sight(void **state)
{
	struct world *w = *state;

	world_judge(w);
	if (w->findings.count != 1) {
		world_print(w);
	}
	assert_int_equal(w->findings.count, 1);
	assert_int_equal(w->findings.item[0].rule, RULE_FIRST_SIGHT);
	assert_int_equal(w->findings.item[0].severity, SEVERITY_INFO);
}

static void captured_host_is_clean(void **state)
{
	struct world *w = *state;

	world_capture(w);
	world_judge(w);
	if (w->findings.count != 0) {
		world_print(w);
	}
	assert_int_equal(w->findings.count, 0);
	assert_int_equal(w->counts.files_unproved, 0);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_BASELINE], 1);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_MANIFEST], 1);
}

static void each_file_is_counted_once(void **state)
{
	struct world *w = *state;

	w->has_first = false;
	world_judge(w);
	/* coreutils: 7 files, 1 link, 2 conffiles. local: 2 and 1. Trees: 2; alternatives no. */
	assert_int_equal(w->counts.files_proved, 10);
	assert_int_equal(w->counts.files_unproved, 5);
	assert_int_equal(w->counts.files_skipped, 0);
	assert_int_equal(w->counts.packages, 2);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_HOST], 1);
}

/* The words of a host that would have it called clean. */
static bool is_partial(struct world *w, const char *word)
{
	char reason[256] = "";
	bool is;

	world_judge(w);
	is = judge_is_partial(&w->now.observation, &w->counts, reason, sizeof(reason));
	assert_true(is == (strstr(reason, word) != NULL && reason[0] != '\0'));
	return is;
}

static void what_hides_everything_is_partial_whatever_its_state(void **state)
{
	static const struct {
		const char *check, *subject, *reason;
		enum coverage_state state;
		bool is_partial;
	} rows[] = {
		{"packages", "x", "foo", COVERAGE_SKIPPED, true},
		{"packages", "", "no-database", COVERAGE_UNSUPPORTED, true},
		{"packages", "/", "network", COVERAGE_SKIPPED, true},
		{"tree", "x", "foo", COVERAGE_SKIPPED, true},
		{"tree", "", "foo", COVERAGE_UNSUPPORTED, true},
		{"flags", "/usr/bin/ls", "inconsistent", COVERAGE_PARTIAL, true},
		/* What honest hosts say, and what hides one place. */
		{"packages", "/srv/share", "network", COVERAGE_SKIPPED, false},
		{"packages", "/usr/share", "through-link", COVERAGE_DONE, false},
		{"tree", "/usr/src", "excluded", COVERAGE_SKIPPED, false},
		{"tree", "/opt", "absent", COVERAGE_SKIPPED, false},
		{"labels", "", "no-labels", COVERAGE_UNSUPPORTED, false},
		{"flags", "", "no-answer", COVERAGE_UNSUPPORTED, false},
	};
	struct world *w = *state;
	size_t count = w->now.coverage_count;

	assert_false(is_partial(w, ""));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w->now.coverage_count = count;
		side_coverage(&w->now, rows[i].check, rows[i].subject, rows[i].state,
			      rows[i].reason);
		assert_true(is_partial(w, rows[i].reason) == rows[i].is_partial);
	}
}

static void unread_objects_are_partial_without_a_word_of_why(void **state)
{
	struct world *w = *state;
	struct judge_counts none = {0};
	char reason[256] = "";

	world_judge(w);
	w->now.observation.sections[1].unread = 2;
	assert_true(judge_is_partial(&w->now.observation, &none, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "2 objects"));
}

static void files_without_a_digest_are_partial(void **state)
{
	static const char *const paths[] = {"/usr/bin/ls", "/usr/bin/localtool", "/etc/local.conf",
					    "/etc/motd"};
	struct judge_cache *cache = NULL;
	const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {1};
	struct world *w = *state;

	assert_int_equal(judge_cache_new(&cache, 1 << 20, seed, &w->err), 0);
	w->cache = cache;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct entry *entry = side_find(&w->now, paths[i]);
		struct entry whole = *entry;

		entry->has_sha256 = false;
		assert_true(is_partial(w, "1 files"));
		/* The same out of the cache, and with no size either. */
		assert_true(is_partial(w, "1 files"));
		entry->has_size = false;
		assert_true(is_partial(w, "1 files"));
		*entry = whole;
		assert_false(is_partial(w, ""));
	}
	judge_cache_free(cache);
	w->cache = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unchanged_host_has_only_first_sight, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_hides_everything_is_partial_whatever_its_state,
						setup, teardown),
		cmocka_unit_test_setup_teardown(unread_objects_are_partial_without_a_word_of_why,
						setup, teardown),
		cmocka_unit_test_setup_teardown(files_without_a_digest_are_partial, setup,
						teardown),
		cmocka_unit_test_setup_teardown(captured_host_is_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(each_file_is_counted_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
