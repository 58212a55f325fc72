// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "payloads/claim_table.h"
#include "payloads/package_paths.h"

static uint64_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

#define NAMES 3000

static char *names[NAMES];

static int make_names(void **state)
{
	(void)state;
	seed = 7;
	for (int i = 0; i < NAMES; i++) {
		char name[4096];
		size_t len = 0;

		for (uint32_t part = 0; part <= random_below(5); part++) {
			len += (size_t)snprintf(name + len, sizeof(name) - len, "/%c%u",
						"a-.z"[random_below(4)], random_below(9));
		}
		if (random_below(100) == 0) {
			memset(name + len, 'x', 2000);
			len += 2000;
		}
		name[len] = '\0';
		names[i] = strdup(name);
		assert_non_null(names[i]);
	}
	return 0;
}

static int free_names(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		free(names[i]);
	}
	return 0;
}

/* The same "files" each time: a list, sums for some, a few contradictions. */
static void add_all(struct claim_table *table)
{
	seed = 42;
	for (int i = 0; i < NAMES; i++) {
		claim_table_add(table, &(struct claim_input){bytes_from_string(names[i]),
							     CLAIM_LISTED, 0, NULL});
	}
	claim_table_settle(table);
	for (int i = 0; i < NAMES; i++) {
		uint8_t md5[MD5_SIZE] = {(uint8_t)random_below(3)};

		if (random_below(2)) {
			claim_table_add(table, &(struct claim_input){bytes_from_string(names[i]),
								     CLAIM_SUMMED, 0, md5});
		}
	}
	claim_table_settle(table);
}

struct result {
	char path[4096];
	uint32_t flags;
	uint8_t has_md5;
	uint8_t md5;
};

static struct result *collect(size_t text_room, uint32_t items_room, uint32_t *count,
			      uint32_t *windows)
{
	struct claim_table table;
	struct result *results = calloc((size_t)NAMES * 3, sizeof(*results));

	assert_non_null(results);
	assert_true(claim_table_init(&table, text_room, items_room));
	*count = 0;
	*windows = 0;
	claim_table_begin(&table);
	do {
		add_all(&table);
		(*windows)++;
		for (uint32_t i = 0; i < table.count; i++) {
			const struct claim_item *item = claim_table_item(&table, i);
			struct bytes path = claim_table_path(&table, item);
			struct result *result = &results[(*count)++];

			memcpy(result->path, path.data, path.len + 1);
			result->flags = item->flags;
			result->has_md5 = item->has_md5;
			result->md5 = item->has_md5 ? item->md5[0] : 0;
		}
	} while (claim_table_next(&table));
	claim_table_clear(&table);
	return results;
}

static void windows_of_any_size_give_the_same(void **state)
{
	static const struct {
		size_t text;
		uint32_t items;
	} rooms[] = {{CLAIM_TEXT_LEAST, CLAIM_ITEMS_LEAST},
		     {CLAIM_TEXT_LEAST, 5000},
		     {1 << 20, 65},
		     {1 << 20, 777}};
	uint32_t count;
	uint32_t windows;
	struct result *whole = collect(CLAIM_TEXT_MAX, CLAIM_ITEMS_MAX, &count, &windows);

	(void)state;
	assert_int_equal(windows, 1);
	assert_true(count > NAMES / 2);
	for (uint32_t i = 1; i < count; i++) {
		int order = bytes_path_compare(bytes_from_string(whole[i - 1].path),
					       bytes_from_string(whole[i].path));

		assert_true(order < 0 || (order == 0 && (whole[i].flags & CLAIM_REPEAT)));
	}
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		uint32_t parts_count;
		struct result *parts =
			collect(rooms[i].text, rooms[i].items, &parts_count, &windows);

		assert_true(windows > 1);
		assert_int_equal(parts_count, count);
		assert_memory_equal(parts, whole, count * sizeof(*whole));
		free(parts);
	}
	free(whole);
}

static void fast_comparison_is_the_canonical_one(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		struct bytes a = bytes_from_string(names[i]);
		struct bytes b = bytes_from_string(names[random_below(NAMES)]);
		int want = bytes_path_compare(a, b);
		int got = path_compare(a, b);

		assert_int_equal((got > 0) - (got < 0), (want > 0) - (want < 0));
		assert_true(path_equal(a, b) == bytes_equal(a, b));
		assert_true(path_equal(a, a));
	}
}

static void clean_paths(void **state)
{
	static const struct {
		const char *raw;
		bool rooted;
		enum path_fault fault;
		const char *clean;
	} table[] = {
		{"/.", true, PATH_FINE, "/"},
		{"/", true, PATH_FINE, "/"},
		{"//", true, PATH_FINE, "/"},
		{"/./.", true, PATH_FINE, "/"},
		{"/a/./b//c/", true, PATH_FINE, "/a/b/c"},
		{"/.a", true, PATH_FINE, "/.a"},
		{"/..a", true, PATH_FINE, "/..a"},
		{"/a..", true, PATH_FINE, "/a.."},
		{"/...", true, PATH_FINE, "/..."},
		{"/a.", true, PATH_FINE, "/a."},
		{"/..", true, PATH_DOTDOT, ""},
		{"/a/..", true, PATH_DOTDOT, ""},
		{"/a/../b", true, PATH_DOTDOT, ""},
		{"a", true, PATH_RELATIVE, ""},
		{"", true, PATH_EMPTY, ""},
		{"a/b", false, PATH_FINE, "/a/b"},
		{"./a", false, PATH_FINE, "/a"},
		{".", false, PATH_FINE, "/"},
		{"../a", false, PATH_DOTDOT, ""},
	};
	uint8_t path[PATH_ROOM];
	char raw[5000];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(
			path_clean(bytes_from_string(table[i].raw), table[i].rooted, path, &len),
			table[i].fault);
		if (table[i].fault == PATH_FINE) {
			assert_string_equal((char *)path, table[i].clean);
			assert_int_equal(len, strlen(table[i].clean));
		}
	}
	assert_int_equal(path_clean(bytes_make("/a\0b", 4), true, path, &len), PATH_NUL);
	memset(raw, 'x', sizeof(raw));
	raw[0] = '/';
	assert_int_equal(path_clean(bytes_make(raw, PATH_LEN_MAX), true, path, &len), PATH_FINE);
	assert_int_equal(len, PATH_LEN_MAX);
	assert_int_equal(path_clean(bytes_make(raw, PATH_LEN_MAX + 1), true, path, &len),
			 PATH_TOO_LONG);
	memcpy(raw, "/bin", 4);
	raw[4] = '/';
	assert_int_equal(path_clean(bytes_make(raw, PATH_LEN_MAX - 3), true, path, &len),
			 PATH_FINE);
	assert_false(path_map(&(struct path_aliases){1}, path, &len, NULL));
	assert_int_equal(path_clean(bytes_make(raw, PATH_LEN_MAX - 4), true, path, &len),
			 PATH_FINE);
	assert_true(path_map(&(struct path_aliases){1}, path, &len, NULL));
	assert_int_equal(len, PATH_LEN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_any_size_give_the_same),
		cmocka_unit_test(fast_comparison_is_the_canonical_one),
		cmocka_unit_test(clean_paths),
	};

	return cmocka_run_group_tests(tests, make_names, free_names);
}
