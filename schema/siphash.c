// SPDX-License-Identifier: MIT
#include "schema/siphash.h"

#include <endian.h>
#include <string.h>

/* One load: compilers make a loop over the bytes of the shifts, which costs more than the rounds. */
static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

/* Inlined though it stands in three places, so that the state stays in registers. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct bytes data)
{
	uint64_t k0 = load64(key), k1 = load64(key + 8);
	uint64_t v[4] = {
		k0 ^ 0x736f6d6570736575U,
		k1 ^ 0x646f72616e646f6dU,
		k0 ^ 0x6c7967656e657261U,
		k1 ^ 0x7465646279746573U,
	};
	uint8_t tail[8] = {0};
	size_t whole = data.len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8) {
		uint64_t m = load64(data.data + i);

		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = whole; i < data.len; i++) {
		tail[i - whole] = data.data[i];
	}
	tail[7] = (uint8_t)data.len;
	v[3] ^= load64(tail);
	sip_round(v);
	sip_round(v);
	v[0] ^= load64(tail);
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++) {
		sip_round(v);
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
