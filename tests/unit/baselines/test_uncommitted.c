// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "baselines/uncommitted.h"
#include "tests/unit/baselines/fixture.h"

static void assert_differ(const struct fixture *fixture, size_t expected, const char *first)
{
	char name[UNCOMMITTED_NAME_ROOM];
	struct error err = {0};
	size_t count = 99;

	if (uncommitted_count(fixture->path, &count, name, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(count, expected);
	assert_string_equal(name, first);
}

static void what_is_in_no_commit_is_counted(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_repository(&fixture);
	fixture_write(&fixture, "muster.yaml", "roots: [/etc]\n");
	fixture_write(&fixture, "hosts/web1.mtree", "x\n");
	fixture_commit(&fixture);
	assert_differ(&fixture, 0, "");
	/* Notes of somebody's, and manifests, are not what is edited by hand. */
	fixture_write(&fixture, "notes.txt", "x\n");
	fixture_write(&fixture, "packages/dpkg/o/n/1_a.mtree", "x\n");
	assert_differ(&fixture, 0, "");
	fixture_write(&fixture, "muster.yaml", "roots: [/etc, /usr]\n");
	assert_differ(&fixture, 1, "muster.yaml");
	/* Added to the index is not committed either, and a new file is one. */
	assert_int_equal(fixture_run(&fixture, "git add muster.yaml && rm hosts/web1.mtree"), 0);
	fixture_write(&fixture, "trees/web/etc/motd", "x\n");
	assert_differ(&fixture, 3, "hosts/web1.mtree");
	fixture_commit(&fixture);
	assert_differ(&fixture, 0, "");
	fixture_remove(&fixture);
}

static void a_bare_one_has_no_work_tree(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_folder(&fixture);
	assert_int_equal(fixture_run(&fixture, "git init -q --bare ."), 0);
	assert_differ(&fixture, 0, "");
	fixture_remove(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_no_commit_is_counted),
		cmocka_unit_test(a_bare_one_has_no_work_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
