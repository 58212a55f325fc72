// SPDX-License-Identifier: MIT
#include "schema/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Key 00..0f and messages 00, 00 01, ... of the reference implementation's vectors_sip64. */
static void reference_vectors_hold(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{0, 0x726fdb47dd0e0e31U}, {1, 0x74f839c593dc67fdU},  {7, 0xab0200f58b01d137U},
		{8, 0x93f5f5799a932462U}, {15, 0xa129ca6149be45e5U},
	};
	uint8_t key[SIPHASH_KEY_SIZE], message[16];

	(void)state;
	for (uint8_t i = 0; i < 16; i++) {
		key[i] = i;
		message[i] = i;
	}
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(siphash(key, bytes_make(message, vectors[i].len)),
				 vectors[i].hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reference_vectors_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
