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

static void add_mount(struct world *w, const char *point, const char *state)
{
	const char *const fields[] = {point, "nfs", "filer:/x", "/", "", state, NULL};

	side_record(&w->now, build_dir_key(SECTION_MOUNTS, ""), fields);
	side_record(&w->first, build_dir_key(SECTION_MOUNTS, ""), fields);
}

/* The host's word that it could not look is held against what else it says. */
static void a_place_left_out_needs_an_excuse(void **state)
{
	static const struct {
		const char *check, *subject, *reason, *mounted; /* there, as this */
		const char *word; /* of the reason; NULL: not partial */
		bool is_told;     /* that a file in it is missing */
	} rows[] = {
		{"packages", "/usr/bin", "network", NULL, "left out: 1 places", true},
		{"packages", "/usr/bin", "network", "/usr/bin", "left out: 1 files", false},
		{"packages", "/usr/bin", "network", "/usr", "left out: 1 files", false},
		/* A link may lead there. */
		{"packages", "/usr/bin", "network", "/srv/x", "left out: 1 places", false},
		{"packages", "/usr/bin", "fuse", "/usr", "left out: 1 places", true},
		{"packages", "/usr/bin", "excluded", NULL, "left out: 1 places", true},
		{"packages", "/usr/bin", "gone fishing", NULL, "left out: 1 places", true},
		{"packages", "/srv/x", "network", "/srv/x", NULL, true},
		{"packages", "/usr/b", "network", "/usr/b", NULL, true},
		{"tree", "/usr/local", "network", NULL, "left out: 1 places", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new();
		char reason[256] = "";
		bool partial;

		world_standard(w);
		side_remove(&w->now, "/usr/bin/ps");
		side_coverage(&w->now, rows[i].check, rows[i].subject, COVERAGE_SKIPPED,
			      rows[i].reason);
		if (rows[i].mounted) {
			add_mount(w, rows[i].mounted, "network");
		}
		world_judge(w);
		partial = judge_is_partial(&w->now.observation, &w->counts, reason, sizeof(reason));
		if (partial != (rows[i].word != NULL) ||
		    (rows[i].word && !strstr(reason, rows[i].word)) ||
		    (world_finding(w, RULE_FILE_MISSING, "/usr/bin/ps") != NULL) !=
			    rows[i].is_told) {
			world_print(w);
			fail_msg("row %zu: %s", i, reason);
		}
		world_free(w);
	}
}

static void a_check_without_a_word_is_not_done(void **state)
{
	static const char *const checks[] = {"packages", "tree", "setid", "mounts"};
	struct world *w = *state;
	size_t count = w->now.coverage_count;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct coverage_item was[16];
		size_t kept = 0;

		memcpy(was, w->now.coverage, sizeof(was));
		for (size_t c = 0; c < count; c++) {
			if (!bytes_equal_string(was[c].check, checks[i])) {
				w->now.coverage[kept++] = was[c];
			}
		}
		assert_true(kept < count);
		w->now.coverage_count = kept;
		assert_true(is_partial(w, checks[i]));
		memcpy(w->now.coverage, was, sizeof(was));
		w->now.coverage_count = count;
	}
	assert_false(is_partial(w, ""));
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
	static char excluded[] = "/usr/src";
	static char *excludes[] = {excluded};

	w->policy.excludes = (struct string_list){excludes, 1};
	add_mount(w, "/srv/share", "network");
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
		cmocka_unit_test(a_place_left_out_needs_an_excuse),
		cmocka_unit_test_setup_teardown(a_check_without_a_word_is_not_done, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unread_objects_are_partial_without_a_word_of_why,
						setup, teardown),
		cmocka_unit_test_setup_teardown(files_without_a_digest_are_partial, setup,
						teardown),
		cmocka_unit_test_setup_teardown(captured_host_is_clean, setup, teardown),
		cmocka_unit_test_setup_teardown(each_file_is_counted_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
