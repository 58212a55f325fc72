// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/framer.h"

struct seen {
	char text[256];
	unsigned count;
	unsigned stop_after;
};

static bool note(void *context, struct bytes payload)
{
	struct seen *seen = context;
	size_t at = strlen(seen->text);

	(void)snprintf(seen->text + at, sizeof(seen->text) - at, "%.*s|", (int)payload.len,
		       (const char *)payload.data);
	return ++seen->count != seen->stop_after;
}

#define STREAM "\0\0\0\5hello\0\0\0\1x\0\0\0\3abc"

static void any_cut_gives_the_same_frames(void **state)
{
	struct bytes stream = BYTES_LITERAL(STREAM);

	(void)state;
	for (size_t a = 0; a <= stream.len; a++) {
		for (size_t b = a; b <= stream.len; b++) {
			struct seen seen = {0};
			struct framer framer;

			framer_init(&framer, 100);
			assert_int_equal(
				framer_feed(&framer, bytes_make(stream.data, a), note, &seen),
				FRAMER_OK);
			assert_int_equal(framer_feed(&framer, bytes_make(stream.data + a, b - a),
						     note, &seen),
					 FRAMER_OK);
			assert_int_equal(framer_feed(&framer,
						     bytes_make(stream.data + b, stream.len - b),
						     note, &seen),
					 FRAMER_OK);
			assert_string_equal(seen.text, "hello|x|abc|");
			assert_true(framer_is_empty(&framer));
			framer_clear(&framer);
		}
	}
}

static void byte_by_byte_gives_the_same_frames(void **state)
{
	struct bytes stream = BYTES_LITERAL(STREAM);
	struct seen seen = {0};
	struct framer framer;

	(void)state;
	framer_init(&framer, 5);
	for (size_t i = 0; i < stream.len; i++) {
		assert_int_equal(framer_feed(&framer, bytes_make(stream.data + i, 1), note, &seen),
				 FRAMER_OK);
	}
	assert_string_equal(seen.text, "hello|x|abc|");
	framer_clear(&framer);
}

static void bad_length_is_refused_before_it_is_stored(void **state)
{
	static const uint8_t heads[][4] = {
		{0, 0, 0, 0}, {0, 0, 0, 6}, {0xff, 0xff, 0xff, 0xff}, {0, 1, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		for (size_t cut = 0; cut < 4; cut++) {
			struct seen seen = {0};
			struct framer framer;

			framer_init(&framer, 5);
			assert_int_equal(
				framer_feed(&framer, bytes_make(heads[i], cut), note, &seen),
				FRAMER_OK);
			assert_int_equal(framer_feed(&framer, bytes_make(heads[i] + cut, 4 - cut),
						     note, &seen),
					 FRAMER_INVALID);
			assert_true(framer.room <= 1024);
			assert_int_equal(seen.count, 0);
			framer_clear(&framer);
		}
	}
}

static void sink_can_stop(void **state)
{
	struct seen seen = {.stop_after = 2};
	struct framer framer;

	(void)state;
	framer_init(&framer, 5);
	assert_int_equal(framer_feed(&framer, BYTES_LITERAL(STREAM), note, &seen), FRAMER_STOPPED);
	assert_string_equal(seen.text, "hello|x|");
	framer_clear(&framer);
}

static void kept_memory_stays_below_the_cap(void **state)
{
	uint8_t data[4 + 5000] = {0, 0, 0x13, 0x88};
	struct seen seen = {0};
	struct framer framer;

	(void)state;
	framer_init(&framer, 5000);
	for (size_t i = 0; i < sizeof(data) - 1; i++) {
		assert_int_equal(framer_feed(&framer, bytes_make(data + i, 1), note, &seen),
				 FRAMER_OK);
		assert_true(framer.room <= sizeof(data));
	}
	assert_false(framer_is_empty(&framer));
	assert_int_equal(framer_feed(&framer, bytes_make(data, 1), note, &seen), FRAMER_OK);
	assert_int_equal(seen.count, 1);
	assert_int_equal(framer.room, 0);
	framer_clear(&framer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_gives_the_same_frames),
		cmocka_unit_test(byte_by_byte_gives_the_same_frames),
		cmocka_unit_test(bad_length_is_refused_before_it_is_stored),
		cmocka_unit_test(sink_can_stop),
		cmocka_unit_test(kept_memory_stays_below_the_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
