// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/walk.h"
#include "tests/unit/payloads/tree.h"

static struct tree tree;
static struct sys sys;
static struct table hasher;
static struct walk walk;
static char seen[16384];   /* "path\n" each */
static char faults[16384]; /* "path reason\n" each */
static const char *swap_at;
static bool ends;

static int setup(void **state)
{
	static const uint8_t key[SIPHASH_KEY_SIZE] = {1};

	(void)state;
	tree_make(&tree);
	sys_init(&sys);
	table_init(&hasher, key, 16);
	memset(&walk, 0, sizeof(walk));
	walk.sys = &sys;
	walk.hasher = &hasher;
	walk.root_fd = tree.root_fd;
	seen[0] = '\0';
	faults[0] = '\0';
	swap_at = NULL;
	ends = false;
	return walk_init(&walk);
}

static int teardown(void **state)
{
	(void)state;
	walk_clear(&walk);
	table_clear(&hasher);
	tree_remove(&tree);
	return 0;
}

static enum walk_want keep_all(void *context, const struct walk_entry *entry)
{
	(void)context;
	return strcmp(entry->name, "dropped") == 0 ? WALK_DROP : WALK_KEEP;
}

/* At the moment when the directory is to be entered it becomes a link to somewhere else. */
static void swap(const char *path)
{
	char moved[256];

	(void)snprintf(moved, sizeof(moved), "%s.moved", tree_path(&tree, path));
	assert_int_equal(rename(tree_path(&tree, path), moved), 0);
	tree_link(&tree, path, tree_path(&tree, "/outside"));
}

static bool visit(void *context, const struct walk_entry *entry)
{
	(void)context;
	text_add(seen, sizeof(seen), "%s\n", (const char *)entry->path.data);
	if (swap_at && strcmp((const char *)entry->path.data, swap_at) == 0) {
		swap(swap_at);
	}
	return true;
}

static void fault(void *context, struct bytes path, const char *reason)
{
	(void)context;
	text_add(faults, sizeof(faults), "%.*s %s\n", (int)path.len, (const char *)path.data,
		 reason);
}

static bool go_on(void *context)
{
	(void)context;
	return !ends;
}

static int run_below(const char *start)
{
	const struct walk_client client = {
		.filter = keep_all, .visit = visit, .fault = fault, .go_on = go_on};

	return walk_run(&walk, bytes_from_string(start), &client);
}

static void names_come_in_canonical_order(void **state)
{
	(void)state;
	tree_write(&tree, "/top/a.b", "");
	tree_write(&tree, "/top/a/inner", "");
	tree_write(&tree, "/top/a/b/deep", "");
	tree_write(&tree, "/top/a-b", "");
	tree_write(&tree, "/top/\n", "");
	tree_write(&tree, "/top/dropped/unseen", "");
	assert_int_equal(run_below("/top"), 0);
	assert_string_equal(seen, "/top/\n\n/top/a\n/top/a/b\n/top/a/b/deep\n/top/a/inner\n"
				  "/top/a-b\n/top/a.b\n");
	assert_string_equal(faults, "");
}

static void links_are_seen_and_not_followed(void **state)
{
	(void)state;
	tree_write(&tree, "/outside/secret", "");
	tree_write(&tree, "/top/file", "");
	tree_link(&tree, "/top/link", "../outside");
	tree_link(&tree, "/top-link", "outside");
	assert_int_equal(run_below("/top"), 0);
	assert_string_equal(seen, "/top/file\n/top/link\n");
	assert_int_equal(run_below("/top-link"), -ENOTDIR);
	assert_string_equal(seen, "/top/file\n/top/link\n");
}

static void a_link_put_in_place_of_a_directory_is_not_followed(void **state)
{
	(void)state;
	tree_write(&tree, "/outside/secret", "");
	tree_write(&tree, "/top/dir/inner", "");
	tree_write(&tree, "/top/later", "");
	swap_at = "/top/dir";
	assert_int_equal(run_below("/top"), 0);
	assert_string_equal(seen, "/top/dir\n/top/later\n");
	assert_string_equal(faults, "/top/dir changed\n");
}

static void what_is_too_deep_is_told(void **state)
{
	(void)state;
	tree_write(&tree, "/top/a/b/c/d", "");
	walk.depth_most = 2;
	assert_int_equal(run_below("/top"), 0);
	assert_string_equal(seen, "/top/a\n/top/a/b\n");
	assert_string_equal(faults, "/top/a/b budget-depth\n");
}

static void a_flat_walk_enters_nothing(void **state)
{
	(void)state;
	tree_write(&tree, "/top/a/b", "");
	walk.flat = true;
	assert_int_equal(run_below("/top"), 0);
	assert_string_equal(seen, "/top/a\n");
	assert_string_equal(faults, "");
}

static void a_directory_that_may_not_be_read_is_told(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	tree_write(&tree, "/top/closed/inner", "");
	tree_write(&tree, "/top/open/inner", "");
	assert_int_equal(chmod(tree.root, 0755), 0);
	assert_int_equal(chmod(tree_path(&tree, "/top/closed"), 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(run_below("/top"), 0);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(seen, "/top/closed\n/top/open\n/top/open/inner\n");
	assert_string_equal(faults, "/top/closed denied\n");
}

static void a_client_that_is_late_ends_the_walk(void **state)
{
	(void)state;
	tree_write(&tree, "/top/a/b", "");
	ends = true;
	assert_int_equal(run_below("/top"), 0);
	assert_string_equal(seen, "");
}

static void a_start_that_is_no_path_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run_below(""), -EINVAL);
	assert_int_equal(run_below("relative"), -EINVAL);
	assert_int_equal(run_below("/nothing"), -ENOENT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_come_in_canonical_order),
		TEST(links_are_seen_and_not_followed),
		TEST(a_link_put_in_place_of_a_directory_is_not_followed),
		TEST(what_is_too_deep_is_told),
		TEST(a_flat_walk_enters_nothing),
		TEST(a_directory_that_may_not_be_read_is_told),
		TEST(a_client_that_is_late_ends_the_walk),
		TEST(a_start_that_is_no_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
