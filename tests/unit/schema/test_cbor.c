// SPDX-License-Identifier: MIT
#include "schema/cbor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cbor.h>
#include <cmocka.h>

static const uint64_t edges[] = {
	0,
	1,
	23,
	24,
	255,
	256,
	65535,
	65536,
	0xffffffff,
	0x100000000ULL,
	0x7fffffffffffffffULL,
	UINT64_MAX,
};
#define EDGES (sizeof(edges) / sizeof(edges[0]))

static uint64_t decoded_by_libcbor(const struct cbor_writer *w)
{
	struct cbor_load_result result;
	cbor_item_t *item = cbor_load(w->data, w->len, &result);
	uint64_t value;

	assert_non_null(item);
	assert_int_equal(result.read, w->len);
	value = cbor_get_int(item);
	cbor_decref(&item);
	return value;
}

static void integers_agree_with_libcbor_at_every_width(void **state)
{
	uint8_t buffer[16];
	struct cbor_writer w;
	struct cbor_reader r;

	(void)state;
	for (size_t i = 0; i < EDGES; i++) {
		cbor_writer_init(&w, buffer, sizeof(buffer));
		cbor_write_uint(&w, edges[i]);
		assert_int_equal(decoded_by_libcbor(&w), edges[i]);
		cbor_reader_init(&r, bytes_make(w.data, w.len));
		assert_int_equal(cbor_read_uint(&r), edges[i]);
		assert_true(cbor_reader_is_done(&r));
	}
}

static void negative_integers_round_trip(void **state)
{
	static const int64_t values[] = {-1,        -24,           -25, -256, -257,
					 INT64_MIN, INT64_MIN + 1, 0,   7,    INT64_MAX};
	uint8_t buffer[16];
	struct cbor_writer w;
	struct cbor_reader r;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		cbor_writer_init(&w, buffer, sizeof(buffer));
		cbor_write_int(&w, values[i]);
		cbor_reader_init(&r, bytes_make(w.data, w.len));
		assert_true(cbor_read_int(&r) == values[i]);
		assert_true(cbor_reader_is_done(&r));
	}
}

static void longer_encodings_than_needed_are_refused(void **state)
{
	static const struct {
		uint8_t data[9];
		size_t len;
	} bad[] = {
		{{0x18, 23}, 2},
		{{0x19, 0, 255}, 3},
		{{0x1a, 0, 0, 255, 255}, 5},
		{{0x1b, 0, 0, 0, 0, 255, 255, 255, 255}, 9},
		{{0x58, 1, 'a'}, 3},
		{{0x1c}, 1},
		{{0x1f}, 1},
		{{0x5f, 0xff}, 2},
		{{0xf8, 20}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cbor_reader r;

		assert_int_equal(cbor_item_size(bytes_make(bad[i].data, bad[i].len), 4), 0);
		cbor_reader_init(&r, bytes_make(bad[i].data, bad[i].len));
		(void)cbor_read_uint(&r);
		(void)cbor_read_bytes(&r);
		assert_true(r.failed);
	}
}

static size_t write_sample(uint8_t *buffer, size_t room)
{
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, room);
	cbor_write_array(&w, 6);
	cbor_write_uint(&w, 70000);
	cbor_write_bytes(&w, BYTES_LITERAL("a\0b"));
	cbor_write_text(&w, "text");
	cbor_write_map(&w, 1);
	cbor_write_uint(&w, 1);
	cbor_write_bool(&w, true);
	cbor_write_null(&w);
	cbor_write_int(&w, -70000);
	assert_false(w.overflow);
	return w.len;
}

static void truncation_at_each_byte_is_noticed(void **state)
{
	uint8_t buffer[64];
	size_t len = write_sample(buffer, sizeof(buffer));

	(void)state;
	assert_int_equal(cbor_item_size(bytes_make(buffer, len), 4), len);
	for (size_t cut = 0; cut < len; cut++) {
		/* A copy of exactly this size, so that the sanitizer sees a read beyond. */
		uint8_t *exact = malloc(cut > 0 ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, buffer, cut);
		assert_int_equal(cbor_item_size(bytes_make(exact, cut), 4), 0);
		free(exact);
	}
}

static void nesting_beyond_the_depth_is_refused(void **state)
{
	uint8_t deep[64];

	(void)state;
	memset(deep, 0x81, sizeof(deep));
	deep[sizeof(deep) - 1] = 0;
	assert_int_equal(cbor_item_size(bytes_make(deep, sizeof(deep)), 16), 0);
	assert_int_equal(cbor_item_size(bytes_make(deep + 60, 4), 4), 4);
	assert_int_equal(cbor_item_size(bytes_make(deep + 60, 4), 3), 0);
}

static void counts_beyond_the_bytes_left_are_refused(void **state)
{
	static const uint8_t huge[] = {0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	static const uint8_t map[] = {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	static const uint8_t bytes[] = {0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	struct cbor_reader r;

	(void)state;
	assert_int_equal(cbor_item_size(bytes_make(huge, sizeof(huge)), 4), 0);
	assert_int_equal(cbor_item_size(bytes_make(map, sizeof(map)), 4), 0);
	assert_int_equal(cbor_item_size(bytes_make(bytes, sizeof(bytes)), 4), 0);
	cbor_reader_init(&r, bytes_make(huge, sizeof(huge)));
	assert_int_equal(cbor_read_array(&r, 10), 0);
	assert_true(r.failed);
	cbor_reader_init(&r, bytes_make(bytes, sizeof(bytes)));
	assert_int_equal(cbor_read_bytes(&r).len, 0);
	assert_true(r.failed);
}

static void a_failure_is_sticky_and_reads_as_nothing(void **state)
{
	static const uint8_t data[] = {0x01, 0x41, 'x'};
	struct cbor_reader r;
	uint8_t fixed[2] = {9, 9};

	(void)state;
	cbor_reader_init(&r, bytes_make(data, sizeof(data)));
	assert_int_equal(cbor_read_bytes(&r).len, 0);
	assert_int_equal(cbor_read_uint(&r), 0);
	cbor_read_fixed(&r, fixed, 2);
	assert_int_equal(fixed[0], 0);
	assert_false(cbor_reader_is_done(&r));
	assert_false(cbor_reader_has_more(&r));
}

static void a_full_writer_says_so_and_writes_nothing_beyond(void **state)
{
	uint8_t reference[64], buffer[64];
	size_t len = write_sample(reference, sizeof(reference));

	(void)state;
	for (size_t room = 0; room < len; room++) {
		struct cbor_writer w;

		memset(buffer, 0xee, sizeof(buffer));
		cbor_writer_init(&w, buffer, room);
		cbor_write_array(&w, 6);
		cbor_write_uint(&w, 70000);
		cbor_write_bytes(&w, BYTES_LITERAL("a\0b"));
		cbor_write_raw(&w, bytes_make(reference + 10, len - 10));
		assert_true(w.overflow);
		assert_int_equal(buffer[room], 0xee);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_agree_with_libcbor_at_every_width),
		cmocka_unit_test(negative_integers_round_trip),
		cmocka_unit_test(longer_encodings_than_needed_are_refused),
		cmocka_unit_test(truncation_at_each_byte_is_noticed),
		cmocka_unit_test(nesting_beyond_the_depth_is_refused),
		cmocka_unit_test(counts_beyond_the_bytes_left_are_refused),
		cmocka_unit_test(a_failure_is_sticky_and_reads_as_nothing),
		cmocka_unit_test(a_full_writer_says_so_and_writes_nothing_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
