// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/store/index.h"
#include "controller/store/pack.h"

static const uint64_t values[] = {0,     1,     127,        128,       300,
				  16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
#define VALUES (sizeof(values) / sizeof(values[0]))

static void numbers_and_bytes_come_back(void **state)
{
	struct pack p = {0};
	struct unpack u;

	(void)state;
	for (size_t i = 0; i < VALUES; i++) {
		pack_uint(&p, values[i]);
		pack_int(&p, (int64_t)values[i]);
		pack_int(&p, -(int64_t)(values[i] >> 1));
	}
	pack_int(&p, INT64_MIN);
	pack_bytes(&p, BYTES_LITERAL("word"));
	pack_bytes(&p, BYTES_LITERAL(""));
	u = unpack_start(pack_all(&p));
	for (size_t i = 0; i < VALUES; i++) {
		assert_true(unpack_uint(&u) == values[i]);
		assert_true(unpack_int(&u) == (int64_t)values[i]);
		assert_true(unpack_int(&u) == -(int64_t)(values[i] >> 1));
	}
	assert_true(unpack_int(&u) == INT64_MIN);
	assert_true(bytes_equal_string(unpack_bytes(&u), "word"));
	assert_true(bytes_equal_string(unpack_bytes(&u), ""));
	assert_false(u.failed);
	assert_false(unpack_has_more(&u));
	pack_clear(&p);
}

static void truncation_at_each_byte_fails_and_stays_failed(void **state)
{
	struct pack p = {0};

	(void)state;
	pack_uint(&p, UINT64_MAX);
	pack_bytes(&p, BYTES_LITERAL("word"));
	for (size_t len = 0; len < p.len; len++) {
		struct unpack u = unpack_start(bytes_make(p.data, len));

		(void)unpack_uint(&u);
		assert_int_equal(unpack_bytes(&u).len, 0);
		assert_true(u.failed);
		assert_true(unpack_uint(&u) == 0);
	}
	pack_clear(&p);
}

static void number_longer_than_64_bits_fails(void **state)
{
	static const char *const wrong[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
					    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct unpack u = unpack_start(bytes_from_string(wrong[i]));

		(void)unpack_uint(&u);
		assert_true(u.failed);
	}
}

static void packed_form_comes_back_and_bad_ones_are_told(void **state)
{
	struct squeezer s = {0};
	struct pack packed = {0}, plain = {0};
	struct error err = {0};
	uint8_t data[5000] = {0};
	bool ok = false;

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len += 1250) {
		assert_int_equal(squeezer_pack(&s, bytes_make(data, len), &packed, &err), 0);
		assert_int_equal(
			squeezer_unpack(&s, pack_all(&packed), sizeof(data), &plain, &ok, &err), 0);
		assert_true(ok);
		assert_true(bytes_equal(pack_all(&plain), bytes_make(data, len)));
		assert_int_equal(
			squeezer_unpack(&s, pack_all(&packed), len - (len > 0), &plain, &ok, &err),
			0);
		assert_true(ok == (len == 0));
		/* Plain bytes have no length of their own: what packs them has. */
		for (size_t cut = 0; cut < packed.len && packed.data[0] == 1; cut++) {
			assert_int_equal(squeezer_unpack(&s, bytes_make(packed.data, cut),
							 sizeof(data), &plain, &ok, &err),
					 0);
			assert_false(ok);
		}
	}
	assert_true(packed.len < 100);
	assert_int_equal(squeezer_unpack(&s, BYTES_LITERAL("\2x"), 10, &plain, &ok, &err), 0);
	assert_false(ok);
	pack_clear(&packed);
	pack_clear(&plain);
	squeezer_clear(&s);
}

static void index_finds_every_id_and_no_other(void **state)
{
	enum { COUNT = 20000 };
	struct error err = {0};
	struct index index;

	(void)state;
	assert_int_equal(index_init(&index, &err), 0);
	for (uint32_t id = 1; id <= COUNT; id++) {
		assert_int_equal(index_add(&index, index_hash(&index, bytes_make(&id, sizeof(id))),
					   id, &err),
				 0);
	}
	for (uint32_t id = 1; id <= 2 * COUNT; id++) {
		uint64_t hash = index_hash(&index, bytes_make(&id, sizeof(id)));
		bool found = false;
		uint32_t candidate;
		size_t at = 0;

		while ((candidate = index_candidate(&index, hash, &at)) != 0) {
			found = found || candidate == id;
		}
		assert_true(found == (id <= COUNT));
	}
	index_clear(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_bytes_come_back),
		cmocka_unit_test(truncation_at_each_byte_fails_and_stays_failed),
		cmocka_unit_test(number_longer_than_64_bits_fails),
		cmocka_unit_test(packed_form_comes_back_and_bad_ones_are_told),
		cmocka_unit_test(index_finds_every_id_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
