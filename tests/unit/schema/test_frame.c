// SPDX-License-Identifier: MIT
#include "schema/frame.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_frame_is_whole_only_with_its_last_byte(void **state)
{
	uint8_t data[FRAME_HEAD + 5] = {0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'};
	struct bytes payload;
	size_t taken;

	(void)state;
	for (size_t len = 0; len < sizeof(data); len++) {
		assert_int_equal(frame_split(bytes_make(data, len), &payload, &taken), FRAME_MORE);
	}
	assert_int_equal(frame_split(bytes_make(data, sizeof(data)), &payload, &taken),
			 FRAME_WHOLE);
	assert_int_equal(taken, sizeof(data));
	assert_true(bytes_equal_string(payload, "hello"));
}

static void lengths_out_of_range_are_invalid_before_any_payload(void **state)
{
	static const uint32_t bad[] = {0, FRAME_MAX + 1, 0x7fffffff, 0xffffffff};
	uint8_t head[FRAME_HEAD];
	struct bytes payload;
	size_t taken;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		frame_head(bad[i], head);
		assert_int_equal(frame_split(bytes_make(head, sizeof(head)), &payload, &taken),
				 FRAME_INVALID);
	}
	frame_head(FRAME_MAX, head);
	assert_int_equal(frame_split(bytes_make(head, sizeof(head)), &payload, &taken), FRAME_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_whole_only_with_its_last_byte),
		cmocka_unit_test(lengths_out_of_range_are_invalid_before_any_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
