// SPDX-License-Identifier: MIT
/* A blob knows content alone: owner, mode and ACL of a file in trees/ are judged all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/judge/builder.h"

#define TREE_SEED 42

/* What /etc/sudoers and the like have been given on the host. */
static const struct spoil {
	const char *name;
	uint32_t mode; /* 0: as it was */
	const char *owner;
	const char *acl;
	const char *letters;
} spoils[] = {
	{"everybody may write it", 0666, NULL, NULL, ".M......."},
	{"its group may write it", 0664, NULL, NULL, ".M......."},
	{"set-uid", 04755, NULL, NULL, ".M......."},
	{"another owner", 0, "daemon", NULL, ".....U..."},
	{"an ACL", 0, NULL, "an ACL", ".M......."},
};

enum known { BY_MANIFEST, BY_FIRST_SIGHT, BY_NOBODY };

static const struct tree_case {
	const char *path;
	enum rule rule;
	enum known known;
} cases[] = {
	{"/etc/pam.d/login", RULE_CONFIG_CHANGED, BY_MANIFEST},
	{"/etc/local.conf", RULE_CONFIG_CHANGED, BY_FIRST_SIGHT},
	{"/etc/local.conf", RULE_CONFIG_CHANGED, BY_NOBODY},
	{"/etc/motd", RULE_CONFIG_CHANGED, BY_FIRST_SIGHT},
	{"/etc/motd", RULE_CONFIG_CHANGED, BY_NOBODY},
	{"/usr/bin/ps", RULE_FILE_CHANGED, BY_MANIFEST},
	{"/usr/bin/localtool", RULE_FILE_CHANGED, BY_FIRST_SIGHT},
};

/* The host has the tree's content, and so had its first sight where that is to know it. */
static struct world *world_of(const struct tree_case *one)
{
	struct world *w = world_new();
	struct entry *now, *was;

	world_standard(w);
	now = side_find(&w->now, one->path);
	was = side_find(&w->first, one->path);
	*now = build_file(one->path, now->mode, TREE_SEED);
	if (one->known == BY_FIRST_SIGHT) {
		was->size = 1;
	}
	w->has_first = one->known == BY_FIRST_SIGHT;
	world_tree(w, *now);
	return w;
}

static const struct finding *judge_it(struct world *w, const struct tree_case *one)
{
	const struct finding *found;

	world_judge(w);
	found = world_finding(w, one->rule, one->path);
	return found ? found : world_finding(w, RULE_SETID_GAINED, one->path);
}

static void owner_mode_and_acl_of_tree_files_are_judged(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct world *w = world_of(&cases[c]);
		const struct entry good = *side_find(&w->now, cases[c].path);

		if (judge_it(w, &cases[c])) {
			fail_msg("%zu, %s: told without a fault", c, cases[c].path);
		}
		for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
			const struct spoil *spoil = &spoils[i];
			const struct finding *found;
			/* Judging puts entries in order. */
			struct entry *now = side_find(&w->now, cases[c].path);

			*now = good;
			now->mode = spoil->mode ? spoil->mode : now->mode;
			now->owner = spoil->owner ? bytes_from_string(spoil->owner) : now->owner;
			now->acl = spoil->acl ? bytes_from_string(spoil->acl) : now->acl;
			found = judge_it(w, &cases[c]);
			if (!found || strcmp(found->letters, spoil->letters) != 0) {
				world_print(w);
				fail_msg("%zu, %s: %s", c, cases[c].path, spoil->name);
			}
			assert_true(world_accept_finding(w, found));
			assert_null(judge_it(w, &cases[c]));
			w->has_accepted = false;
			w->accepted.count = 0;
		}
		world_free(w);
	}
}

/* What the next reference says is right, whatever the rule for files that nobody knows. */
static void next_reference_says_owner_and_mode(void **state)
{
	const struct tree_case *one = &cases[3];
	struct world *w = world_of(one);

	(void)state;
	side_find(&w->first, one->path)->mode = 0664;
	side_find(&w->first, one->path)->owner = BYTES_LITERAL("news");
	side_find(&w->now, one->path)->mode = 0664;
	side_find(&w->now, one->path)->owner = BYTES_LITERAL("news");
	assert_null(judge_it(w, one));
	side_find(&w->now, one->path)->mode = 0644;
	assert_string_equal(judge_it(w, one)->letters, ".M.......");
	/* Set-id bits are proved by no first sight. */
	side_find(&w->first, one->path)->mode = 04755;
	side_find(&w->now, one->path)->mode = 04755;
	assert_non_null(judge_it(w, one));
	world_free(w);
}

static void policy_explains_owner_and_mode_of_a_tree_file(void **state)
{
	const struct tree_case *one = &cases[5];
	struct world *w = world_of(one);

	(void)state;
	side_find(&w->now, one->path)->mode = 04755;
	assert_non_null(judge_it(w, one));
	w->records[w->record_count++] = "statoverride /usr/bin/ps root root 4755";
	assert_null(judge_it(w, one));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_mode_and_acl_of_tree_files_are_judged),
		cmocka_unit_test(next_reference_says_owner_and_mode),
		cmocka_unit_test(policy_explains_owner_and_mode_of_a_tree_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
