// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "payloads/catalog.h"
#include "payloads/coverage.h"
#include "payloads/match.h"
#include "payloads/mounts.h"
#include "payloads/names.h"
#include "payloads/oddity.h"
#include "payloads/ring.h"
#include "payloads/timeline.h"

static void assert_name(struct names *names, uint32_t id, const char *expected)
{
	struct bytes name = names_lookup(names, id);

	assert_int_equal(name.len, strlen(expected));
	assert_memory_equal(name.data, expected, name.len);
}

static void a_name_that_is_not_one_to_one_is_a_number(void **state)
{
	struct names names;

	(void)state;
	assert_int_equal(names_init(&names), 0);
	names_parse(&names, BYTES_LITERAL("root:x:0:0::/:\ntoor:x:0:0::/:\njoe:x:5:5::/:\n"
					  "ann:x:6:6::/:\nann2:x:6:6::/:\nbob:x:7:7::/:\n"
					  "bob:x:8:7::/:\nroot:x:9:9::/:\n#3:x:10:0::/:\n"
					  "+nis:x:11:\njoe:x:5:5::/:\nbad:x:-1:\nbad:x:12x:\n"));
	names_finish(&names);
	assert_name(&names, 0, "root");
	assert_name(&names, 5, "joe");
	assert_name(&names, 6, "#6");
	assert_name(&names, 7, "#7");
	assert_name(&names, 8, "#8");
	assert_name(&names, 9, "#9");
	assert_name(&names, 10, "#10");
	assert_name(&names, 11, "#11");
	assert_name(&names, 12, "#12");
	assert_name(&names, UINT32_MAX, "#4294967295");
	names_clear(&names);
}

static void a_pattern_of_the_list_is_enough(void **state)
{
	struct plan_list list = {.count = 3};

	(void)state;
	list.item[0] = BYTES_LITERAL("/etc/pam.d/*");
	list.item[1] = BYTES_LITERAL("/usr/bin/[ls]*");
	list.item[2] = BYTES_LITERAL("/boot/**");
	assert_true(match_any(&list, BYTES_LITERAL("/etc/pam.d/sshd")));
	assert_false(match_any(&list, BYTES_LITERAL("/etc/pam.d/below/sshd")));
	assert_true(match_any(&list, BYTES_LITERAL("/usr/bin/ls")));
	assert_false(match_any(&list, BYTES_LITERAL("/usr/bin/cat")));
	/* Two stars at the end reach below, as everywhere. */
	assert_true(match_any(&list, BYTES_LITERAL("/boot/grub/grub.cfg")));
	assert_false(match_any(&list, BYTES_LITERAL("/boot")));
	list.count = 0;
	assert_false(match_any(&list, BYTES_LITERAL("/etc/pam.d/sshd")));
}

static void mountinfo_lines_are_unescaped_and_classed(void **state)
{
	static const char line[] = "36 35 98:7 /r\\040x /mnt\\134y rw,ro master:1 propagate_from:2 "
				   "- fuse.sshfs a\\011b rw";
	uint8_t text[sizeof(line)];
	struct mount mount;

	(void)state;
	assert_true(mount_parse(bytes_from_string(line), text, &mount));
	assert_true(bytes_equal_string(mount.root, "/r x"));
	assert_true(bytes_equal_string(mount.point, "/mnt\\y"));
	assert_true(bytes_equal_string(mount.source, "a\tb"));
	assert_true(mount.dev == ((uint64_t)98 << 32 | 7));
	assert_int_equal(mount.class, MOUNT_FUSE);
	for (size_t cut = 0; cut < 60; cut++) {
		assert_false(mount_parse(bytes_make(line, cut), text, &mount));
	}
	assert_int_equal(mount_class_of(BYTES_LITERAL("ext4")), MOUNT_LOCAL);
	assert_int_equal(mount_class_of(BYTES_LITERAL("ext")), MOUNT_UNKNOWN);
	assert_int_equal(mount_class_of(BYTES_LITERAL("")), MOUNT_UNKNOWN);
	assert_int_equal(mount_class_of(BYTES_LITERAL("nfs4")), MOUNT_NETWORK);
	assert_int_equal(mount_class_of(BYTES_LITERAL("autofs")), MOUNT_AUTOFS);
	assert_int_equal(mount_class_of(BYTES_LITERAL("cgroup2")), MOUNT_PSEUDO);
}

static void the_ring_gives_back_what_was_put_across_its_end(void **state)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	struct bytes piece[2];

	(void)state;
	assert_int_equal(ring_init(ring, 10), 0);
	assert_true(ring_append(ring, BYTES_LITERAL("abcdef")));
	assert_true(ring_close(ring, 1, false));
	assert_false(ring_append(ring, BYTES_LITERAL("ghijk")));
	assert_true(ring_append(ring, BYTES_LITERAL("gh")));
	assert_true(ring_close(ring, 2, true));
	ring_drop_upto(ring, 1);
	assert_false(ring_find(ring, 1, false, piece));
	assert_true(ring_append(ring, BYTES_LITERAL("12345678")));
	assert_true(ring_close(ring, 3, false));
	assert_true(ring_find(ring, 3, false, piece));
	assert_int_equal(piece[0].len, 2);
	assert_memory_equal(piece[1].data, "345678", 6);
	assert_true(ring_find(ring, 2, true, piece));
	assert_false(ring_find(ring, 2, false, piece));
	ring_drop_upto(ring, 9);
	assert_true(ring_is_empty(ring));
	ring_clear(ring);
	free(ring);
}

static void the_timeline_keeps_the_newest(void **state)
{
	struct timeline timeline;
	struct timeline_item item = {.path = BYTES_LITERAL("/some/where")};

	(void)state;
	assert_int_equal(timeline_init(&timeline), 0);
	for (int64_t i = 0; i < 2 * TIMELINE_ITEMS_MAX; i++) {
		item.ctime_ns = i * 7919 % (2 * TIMELINE_ITEMS_MAX);
		timeline_add(&timeline, &item);
	}
	timeline_finish(&timeline);
	assert_int_equal(timeline.count, TIMELINE_ITEMS_MAX);
	assert_int_equal(timeline.dropped, TIMELINE_ITEMS_MAX);
	for (size_t i = 0; i < timeline.count; i++) {
		timeline_get(&timeline, i, &item);
		assert_int_equal(item.ctime_ns, TIMELINE_ITEMS_MAX + i);
	}
	timeline_clear(&timeline);
}

static void paths_too_long_for_the_timeline_push_out_the_oldest(void **state)
{
	static uint8_t path[4000];
	struct timeline timeline;
	struct timeline_item item = {.path = {path, sizeof(path)}};

	(void)state;
	assert_int_equal(timeline_init(&timeline), 0);
	for (int64_t i = 0; i < 2000; i++) {
		item.ctime_ns = i;
		timeline_add(&timeline, &item);
	}
	timeline_finish(&timeline);
	assert_true(timeline.count > 50 && timeline.count + timeline.dropped == 2000);
	timeline_get(&timeline, timeline.count - 1, &item);
	assert_int_equal(item.ctime_ns, 1999);
	timeline_clear(&timeline);
}

static void coverage_rows_add_up_and_never_get_lost(void **state)
{
	struct coverage *coverage = calloc(1, sizeof(*coverage));
	struct coverage_item item;
	char subject[32];

	(void)state;
	coverage_add(coverage, "tree", BYTES_LITERAL("/a"), COVERAGE_PARTIAL, "denied", 2);
	coverage_add(coverage, "tree", BYTES_LITERAL("/a"), COVERAGE_PARTIAL, "denied", 3);
	coverage_tell(coverage, "tree", BYTES_LITERAL("/a"), COVERAGE_PARTIAL, "denied", 4);
	assert_true(coverage_item(coverage, 0, &item));
	assert_int_equal(item.count, 5);
	assert_false(coverage_item(coverage, 1, &item));
	for (int i = 0; i < 2 * COVERAGE_ROWS_MAX; i++) {
		(void)snprintf(subject, sizeof(subject), "/%d", i);
		coverage_add(coverage, "tree", bytes_from_string(subject), COVERAGE_PARTIAL, "x",
			     1);
	}
	assert_true(coverage_item(coverage, COVERAGE_ROWS_MAX, &item));
	assert_true(bytes_equal_string(item.reason, "overflow"));
	assert_int_equal(item.count, COVERAGE_ROWS_MAX + 1);
	free(coverage);
}

static void the_table_knows_what_it_was_given_and_says_when_it_is_full(void **state)
{
	static const uint8_t key[SIPHASH_KEY_SIZE];
	struct table table;
	size_t added = 0;

	(void)state;
	table_init(&table, key, 8192);
	for (uint64_t i = 1; i < 20000; i++) {
		enum table_added result = table_add(&table, i * 0x9e3779b97f4a7c15U);

		assert_true(result == TABLE_NEW || result == TABLE_FULL);
		added += result == TABLE_NEW;
		assert_true(table_has(&table, i * 0x9e3779b97f4a7c15U) == (result == TABLE_NEW));
	}
	assert_int_equal(added, 8192 / 8 * 7);
	assert_int_equal(table_add(&table, 0x9e3779b97f4a7c15U), TABLE_FULL);
	table_clear(&table);
	assert_false(table_has(&table, 1));
}

static void odd_and_hidden_names_are_told_apart_from_known_places(void **state)
{
	static const char *const odd[] = {"...",   " x",       "x ",           "a\nb",     "\xff",
					  "a\177", "\xc2\x85", "\xe2\x80\xae", "\xc0\xaf", " "};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_true(oddity_is_odd_name(bytes_from_string(odd[i])));
	}
	assert_false(oddity_is_odd_name(BYTES_LITERAL("plain name")));
	assert_false(oddity_is_odd_name(BYTES_LITERAL("gr\xc3\xbc\xc3\x9f")));
	assert_true(oddity_is_hidden_name(BYTES_LITERAL(".x")));
	assert_false(oddity_is_hidden_name(BYTES_LITERAL(".X11-unix")));
	assert_false(oddity_is_hidden_name(BYTES_LITERAL(".X0-lock")));
	assert_true(oddity_is_socket_place(BYTES_LITERAL("tmux-0/default")));
	assert_false(oddity_is_socket_place(BYTES_LITERAL("tmux-0")));
	assert_true(oddity_is_web_script(BYTES_LITERAL("Shell.PHP")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_is_not_one_to_one_is_a_number),
		cmocka_unit_test(a_pattern_of_the_list_is_enough),
		cmocka_unit_test(mountinfo_lines_are_unescaped_and_classed),
		cmocka_unit_test(the_ring_gives_back_what_was_put_across_its_end),
		cmocka_unit_test(the_timeline_keeps_the_newest),
		cmocka_unit_test(paths_too_long_for_the_timeline_push_out_the_oldest),
		cmocka_unit_test(coverage_rows_add_up_and_never_get_lost),
		cmocka_unit_test(the_table_knows_what_it_was_given_and_says_when_it_is_full),
		cmocka_unit_test(odd_and_hidden_names_are_told_apart_from_known_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
