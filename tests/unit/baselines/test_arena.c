// SPDX-License-Identifier: MIT
#include "baselines/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	struct arena arena = {0};
	uint8_t *before = NULL;

	(void)state;
	for (size_t size = 0; size < 3000; size += 7) {
		uint8_t *at = arena_alloc(&arena, size);

		assert_non_null(at);
		assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++) {
			assert_int_equal(at[i], 0);
		}
		memset(at, 0xaa, size);
		if (before) {
			assert_ptr_not_equal(before, at);
		}
		before = at;
	}
	arena_clear(&arena);
	assert_int_equal(arena.total, 0);
}

static void a_piece_larger_than_a_block_is_given(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_non_null(arena_alloc(&arena, 10 * 1024 * 1024));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	arena_clear(&arena);
}

static void copies_end_in_nul_that_is_not_counted(void **state)
{
	struct arena arena = {0};
	bool ok = true;
	struct bytes copy = arena_copy(&arena, BYTES_LITERAL("a\0b"), &ok);

	(void)state;
	assert_true(ok);
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.data, "a\0b\0", 4);
	assert_string_equal(arena_string(&arena, "web001"), "web001");
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(a_piece_larger_than_a_block_is_given),
		cmocka_unit_test(copies_end_in_nul_that_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
