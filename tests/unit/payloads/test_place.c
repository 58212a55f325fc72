// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payloads/place.h"
#include "payloads/sys.h"
#include "schema/message.h"
#include "tests/unit/payloads/tree.h"

static struct tree tree;
static struct sys sys;
static struct place place;

/* Each test runs with the calls of this kernel and with those of an old one. */
static const uint32_t missing[] = {0, MISSING_STATX | MISSING_OPENAT2 | MISSING_PREADV2};
#define WAYS (sizeof(missing) / sizeof(missing[0]))

static void choose(size_t way)
{
	sys_init(&sys);
	sys.missing |= missing[way];
}

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_write(&tree, "/usr/bin/alpha", "abc");
	tree_write(&tree, "/outside/secret", "secret");
	tree_link(&tree, "/usr/link", "bin");
	tree_link(&tree, "/bin", "usr/bin");
	tree_link(&tree, "/absolute", "/usr/bin");
	tree_link(&tree, "/loop", "loop");
	tree_link(&tree, "/usr/up", "../../../outside");
	choose(0);
	place_init(&place, &sys, NULL, tree.root_fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	place_clear(&place);
	tree_remove(&tree);
	return 0;
}

static int open_beneath(const char *path)
{
	int fd = sys_open_beneath(&sys, tree.root_fd, path, O_RDONLY);

	if (fd >= 0) {
		assert_int_equal(close(fd), 0);
		return 0;
	}
	return fd;
}

static void no_component_may_be_a_link_nor_lead_out(void **state)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{"usr/bin/alpha", 0},
		{"usr//bin/alpha", 0},
		{"", 0},
		{"usr/link/alpha", -ELOOP},
		{"bin/alpha", -ELOOP},
		{"absolute/alpha", -ELOOP},
		{"loop", -ELOOP},
		{"usr/link", -ELOOP},
		{"../etc/passwd", -EXDEV},
		{"usr/../../etc", -EXDEV},
		{"/etc/passwd", -EXDEV},
		{"usr/nothing", -ENOENT},
		{"usr/bin/alpha/below", -ENOTDIR},
	};

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		choose(way);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (open_beneath(rows[i].path) != rows[i].result) {
				fail_msg("%s: %d", rows[i].path, open_beneath(rows[i].path));
			}
		}
	}
}

static void both_ways_to_a_stat_agree(void **state)
{
	struct sys_stat st[WAYS];

	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		int fd;
		struct sys_stat open_st;

		choose(way);
		assert_int_equal(sys_stat_at(&sys, tree.root_fd, "usr/bin/alpha", &st[way]), 0);
		fd = sys_open_name(&sys, tree.root_fd, "outside", O_RDONLY);
		assert_true(fd >= 0);
		assert_int_equal(sys_stat_fd(&sys, fd, &open_st), 0);
		assert_true(S_ISDIR(open_st.mode));
		assert_int_equal(close(fd), 0);
		assert_int_equal(sys_stat_at(&sys, tree.root_fd, "loop", &open_st), 0);
		assert_true(S_ISLNK(open_st.mode));
		assert_int_equal(sys_stat_at(&sys, tree.root_fd, "none", &open_st), -ENOENT);
	}
	assert_int_equal(st[0].size, 3);
	assert_true(st[0].dev == st[1].dev && st[0].ino == st[1].ino);
	assert_true(st[0].mode == st[1].mode && st[0].size == st[1].size);
	assert_true(st[0].mtime_ns == st[1].mtime_ns && st[0].ctime_ns == st[1].ctime_ns);
	assert_int_equal(st[1].attributes_mask, 0);
}

static void numbers_are_read_as_far_as_they_go(void **state)
{
	static const struct {
		const char *text;
		unsigned base;
		uint64_t value;
		const char *rest;
	} rows[] = {
		{"123 x", 10, 123, " x"},
		{"  7", 10, 7, ""},
		{"0755", 8, 0755, ""},
		{"ff:1", 16, 0xff, ":1"},
		{"", 10, 0, ""},
		{" -1", 10, 0, " -1"},
		{"18446744073709551615", 10, UINT64_MAX, ""},
		{"99999999999999999999,", 10, UINT64_MAX, ","},
		{"89", 8, 0, "89"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *end;

		assert_true(sys_number(rows[i].text, rows[i].base, &end) == rows[i].value);
		assert_string_equal(end, rows[i].rest);
	}
}

static void numbers_are_written_in_decimal(void **state)
{
	static const uint32_t value[] = {0, 9, 10, 65534, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
		char expected[16];
		char text[SYS_DECIMAL_SIZE];

		(void)snprintf(expected, sizeof(expected), "%u", (unsigned)value[i]);
		assert_int_equal(sys_decimal(value[i], text), strlen(expected));
		assert_string_equal(text, expected);
	}
}

static int place_of(const char *path)
{
	return place_open(&place, bytes_from_string(path));
}

static void assert_file(const char *content)
{
	char text[16] = {0};
	int fd = openat(place.fd, place.name, O_RDONLY | O_NOFOLLOW);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, content);
	assert_int_equal(close(fd), 0);
}

static void a_path_without_links_is_where_it_says(void **state)
{
	(void)state;
	for (size_t way = 0; way < WAYS; way++) {
		choose(way);
		assert_int_equal(place_of("/usr/bin/alpha"), 0);
		assert_string_equal(place.name, "alpha");
		assert_false(place.through_link);
		assert_file("abc");
		assert_int_equal(place_of("/usr/nothing/alpha"), -ENOENT);
		assert_int_equal(place_of("/"), 0);
		assert_string_equal(place.name, ".");
	}
}

static void links_of_root_are_followed_below_the_root(void **state)
{
	static const struct {
		const char *path;
		const char *real;
	} rows[] = {
		{"/bin/alpha", "/usr/bin"},
		{"/usr/link/alpha", "/usr/bin"},
		{"/absolute/alpha", "/usr/bin"},
	};

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	for (size_t way = 0; way < WAYS; way++) {
		choose(way);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			assert_int_equal(place_of(rows[i].path), 0);
			assert_true(place.through_link);
			assert_string_equal(place.real, rows[i].real);
			assert_file("abc");
		}
		/* More ".." than there are directories end at the root, as the kernel has it. */
		assert_int_equal(place_of("/usr/up/secret"), 0);
		assert_string_equal(place.real, "/outside");
		assert_file("secret");
	}
}

static void links_in_a_circle_or_of_somebody_else_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(place_of("/loop/alpha"), -ELOOP);
	assert_int_equal(place_of("/usr/bin/alpha/below"), -ENOTDIR);
	if (geteuid() != 0) {
		skip();
	}
	tree_link(&tree, "/theirs", "outside");
	assert_int_equal(lchown(tree_path(&tree, "/theirs"), 65534, 65534), 0);
	assert_int_equal(place_of("/theirs/secret"), -ELOOP);
	assert_int_equal(place.fd, -1);
}

static void what_is_no_path_is_refused(void **state)
{
	static char giant[ENTRY_PATH_MAX + 2];

	(void)state;
	memset(giant, 'a', sizeof(giant));
	giant[0] = '/';
	assert_int_equal(place_open(&place, bytes_make(giant, sizeof(giant))), -EINVAL);
	assert_int_equal(place_open(&place, BYTES_LITERAL("")), -EINVAL);
	assert_int_equal(place_open(&place, BYTES_LITERAL("name")), -EINVAL);
	assert_int_equal(place_open(&place, BYTES_LITERAL("/a\0b/c")), -EINVAL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_component_may_be_a_link_nor_lead_out),
		TEST(both_ways_to_a_stat_agree),
		TEST(numbers_are_read_as_far_as_they_go),
		TEST(numbers_are_written_in_decimal),
		TEST(a_path_without_links_is_where_it_says),
		TEST(links_of_root_are_followed_below_the_root),
		TEST(links_in_a_circle_or_of_somebody_else_are_not_followed),
		TEST(what_is_no_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
