// SPDX-License-Identifier: MIT
#include "schema/section.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/record.h"

static size_t encode(const struct section_key *key, uint8_t *to, size_t room)
{
	struct cbor_writer w;

	cbor_writer_init(&w, to, room);
	section_key_encode(&w, key);
	assert_false(w.overflow);
	return w.len;
}

static void keys_of_every_kind_round_trip(void **state)
{
	(void)state;
	for (int kind = 0; kind < SECTION_KINDS; kind++) {
		struct section_key in = section_key_make(
			(enum section_kind)kind, BYTES_LITERAL("dpkg"), BYTES_LITERAL("a\nb"),
			BYTES_LITERAL("1:2~3"), BYTES_LITERAL("amd64"));
		struct section_key out;
		uint8_t buffer[128];
		size_t len = encode(&in, buffer, sizeof(buffer));

		assert_true(section_key_decode(bytes_make(buffer, len), &out));
		assert_int_equal(out.kind, kind);
		assert_int_equal(out.count, in.count);
		for (size_t i = 0; i < out.count; i++) {
			assert_true(bytes_equal(in.part[i], out.part[i]));
		}
		assert_false(section_key_decode(bytes_make(buffer, len - 1), &out));
		buffer[len] = 0;
		assert_false(section_key_decode(bytes_make(buffer, len + 1), &out));
	}
}

static void unknown_kinds_and_wrong_counts_are_refused(void **state)
{
	struct section_key key = section_key_make(SECTION_TREE, BYTES_LITERAL("/etc"),
						  BYTES_LITERAL(""), BYTES_LITERAL(""),
						  BYTES_LITERAL(""));
	uint8_t buffer[128];
	struct section_key out;

	(void)state;
	key.count = 3;
	assert_false(
		section_key_decode(bytes_make(buffer, encode(&key, buffer, sizeof(buffer))), &out));
	key.count = 2;
	key.part[0] = BYTES_LITERAL("forest");
	assert_false(
		section_key_decode(bytes_make(buffer, encode(&key, buffer, sizeof(buffer))), &out));
}

static void giant_keys_are_refused(void **state)
{
	static uint8_t name[SECTION_KEY_MAX], buffer[2 * SECTION_KEY_MAX];
	struct section_key out;
	struct section_key key = section_key_make(SECTION_TREE, bytes_make(name, sizeof(name)),
						  BYTES_LITERAL(""), BYTES_LITERAL(""),
						  BYTES_LITERAL(""));

	(void)state;
	assert_false(
		section_key_decode(bytes_make(buffer, encode(&key, buffer, sizeof(buffer))), &out));
}

static void records_round_trip_and_refuse_truncation(void **state)
{
	struct record in = {.count = 3,
			    .field = {BYTES_LITERAL("/a"), BYTES_LITERAL(""), BYTES_LITERAL("l")}};
	struct record out;
	struct cbor_writer w;
	struct cbor_reader r;
	uint8_t buffer[64];

	(void)state;
	cbor_writer_init(&w, buffer, sizeof(buffer));
	record_encode(&w, &in);
	cbor_reader_init(&r, bytes_make(buffer, w.len));
	assert_true(record_decode(&r, &out));
	assert_int_equal(out.count, 3);
	assert_true(bytes_equal_string(out.field[CLAIM_PATH], "/a"));
	for (size_t cut = 0; cut < w.len; cut++) {
		uint8_t *exact = malloc(cut > 0 ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, buffer, cut);
		cbor_reader_init(&r, bytes_make(exact, cut));
		assert_false(record_decode(&r, &out));
		free(exact);
	}
	buffer[0] = 0x80;
	cbor_reader_init(&r, bytes_make(buffer, 1));
	assert_false(record_decode(&r, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_kind_round_trip),
		cmocka_unit_test(unknown_kinds_and_wrong_counts_are_refused),
		cmocka_unit_test(giant_keys_are_refused),
		cmocka_unit_test(records_round_trip_and_refuse_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
