// SPDX-License-Identifier: MIT
#include "payloads/digest/md5.h"

#include <string.h>

/*
 * RFC 1321, 3.4. G is written as a sum of two disjoint parts, so that the part without the newest
 * word can be added while that word is still being computed: the chain of steps is what bounds the
 * speed of MD5.
 */
#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) (((x) & (z)) + ((y) & ~(z)))
#define H(x, y, z) ((x) ^ ((y) ^ (z)))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

#define STEP(function, a, b, c, d, word, shift, constant)             \
	do {                                                          \
		(a) += (word) + (constant);                           \
		(a) += function(b, c, d);                             \
		(a) = ((a) << (shift) | (a) >> (32 - (shift))) + (b); \
	} while (0)

static void md5_blocks(uint32_t state[4], const uint8_t *data, size_t count)
{
	uint32_t a = state[0];
	uint32_t b = state[1];
	uint32_t c = state[2];
	uint32_t d = state[3];

	for (; count > 0; count--, data += MD5_BLOCK) {
		uint32_t w[16];
		uint32_t before[4] = {a, b, c, d};

		memcpy(w, data, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		for (unsigned i = 0; i < 16; i++) {
			w[i] = __builtin_bswap32(w[i]);
		}
#endif
		STEP(F, a, b, c, d, w[0], 7, 0xd76aa478U);
		STEP(F, d, a, b, c, w[1], 12, 0xe8c7b756U);
		STEP(F, c, d, a, b, w[2], 17, 0x242070dbU);
		STEP(F, b, c, d, a, w[3], 22, 0xc1bdceeeU);
		STEP(F, a, b, c, d, w[4], 7, 0xf57c0fafU);
		STEP(F, d, a, b, c, w[5], 12, 0x4787c62aU);
		STEP(F, c, d, a, b, w[6], 17, 0xa8304613U);
		STEP(F, b, c, d, a, w[7], 22, 0xfd469501U);
		STEP(F, a, b, c, d, w[8], 7, 0x698098d8U);
		STEP(F, d, a, b, c, w[9], 12, 0x8b44f7afU);
		STEP(F, c, d, a, b, w[10], 17, 0xffff5bb1U);
		STEP(F, b, c, d, a, w[11], 22, 0x895cd7beU);
		STEP(F, a, b, c, d, w[12], 7, 0x6b901122U);
		STEP(F, d, a, b, c, w[13], 12, 0xfd987193U);
		STEP(F, c, d, a, b, w[14], 17, 0xa679438eU);
		STEP(F, b, c, d, a, w[15], 22, 0x49b40821U);
		STEP(G, a, b, c, d, w[1], 5, 0xf61e2562U);
		STEP(G, d, a, b, c, w[6], 9, 0xc040b340U);
		STEP(G, c, d, a, b, w[11], 14, 0x265e5a51U);
		STEP(G, b, c, d, a, w[0], 20, 0xe9b6c7aaU);
		STEP(G, a, b, c, d, w[5], 5, 0xd62f105dU);
		STEP(G, d, a, b, c, w[10], 9, 0x02441453U);
		STEP(G, c, d, a, b, w[15], 14, 0xd8a1e681U);
		STEP(G, b, c, d, a, w[4], 20, 0xe7d3fbc8U);
		STEP(G, a, b, c, d, w[9], 5, 0x21e1cde6U);
		STEP(G, d, a, b, c, w[14], 9, 0xc33707d6U);
		STEP(G, c, d, a, b, w[3], 14, 0xf4d50d87U);
		STEP(G, b, c, d, a, w[8], 20, 0x455a14edU);
		STEP(G, a, b, c, d, w[13], 5, 0xa9e3e905U);
		STEP(G, d, a, b, c, w[2], 9, 0xfcefa3f8U);
		STEP(G, c, d, a, b, w[7], 14, 0x676f02d9U);
		STEP(G, b, c, d, a, w[12], 20, 0x8d2a4c8aU);
		STEP(H, a, b, c, d, w[5], 4, 0xfffa3942U);
		STEP(H, d, a, b, c, w[8], 11, 0x8771f681U);
		STEP(H, c, d, a, b, w[11], 16, 0x6d9d6122U);
		STEP(H, b, c, d, a, w[14], 23, 0xfde5380cU);
		STEP(H, a, b, c, d, w[1], 4, 0xa4beea44U);
		STEP(H, d, a, b, c, w[4], 11, 0x4bdecfa9U);
		STEP(H, c, d, a, b, w[7], 16, 0xf6bb4b60U);
		STEP(H, b, c, d, a, w[10], 23, 0xbebfbc70U);
		STEP(H, a, b, c, d, w[13], 4, 0x289b7ec6U);
		STEP(H, d, a, b, c, w[0], 11, 0xeaa127faU);
		STEP(H, c, d, a, b, w[3], 16, 0xd4ef3085U);
		STEP(H, b, c, d, a, w[6], 23, 0x04881d05U);
		STEP(H, a, b, c, d, w[9], 4, 0xd9d4d039U);
		STEP(H, d, a, b, c, w[12], 11, 0xe6db99e5U);
		STEP(H, c, d, a, b, w[15], 16, 0x1fa27cf8U);
		STEP(H, b, c, d, a, w[2], 23, 0xc4ac5665U);
		STEP(I, a, b, c, d, w[0], 6, 0xf4292244U);
		STEP(I, d, a, b, c, w[7], 10, 0x432aff97U);
		STEP(I, c, d, a, b, w[14], 15, 0xab9423a7U);
		STEP(I, b, c, d, a, w[5], 21, 0xfc93a039U);
		STEP(I, a, b, c, d, w[12], 6, 0x655b59c3U);
		STEP(I, d, a, b, c, w[3], 10, 0x8f0ccc92U);
		STEP(I, c, d, a, b, w[10], 15, 0xffeff47dU);
		STEP(I, b, c, d, a, w[1], 21, 0x85845dd1U);
		STEP(I, a, b, c, d, w[8], 6, 0x6fa87e4fU);
		STEP(I, d, a, b, c, w[15], 10, 0xfe2ce6e0U);
		STEP(I, c, d, a, b, w[6], 15, 0xa3014314U);
		STEP(I, b, c, d, a, w[13], 21, 0x4e0811a1U);
		STEP(I, a, b, c, d, w[4], 6, 0xf7537e82U);
		STEP(I, d, a, b, c, w[11], 10, 0xbd3af235U);
		STEP(I, c, d, a, b, w[2], 15, 0x2ad7d2bbU);
		STEP(I, b, c, d, a, w[9], 21, 0xeb86d391U);
		a += before[0];
		b += before[1];
		c += before[2];
		d += before[3];
	}
	state[0] = a;
	state[1] = b;
	state[2] = c;
	state[3] = d;
}

void md5_init(struct md5 *hash)
{
	static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

	memcpy(hash->state, start, sizeof(start));
	hash->size_bytes = 0;
}

void md5_update(struct md5 *hash, const void *data, size_t len)
{
	const uint8_t *from = data;
	size_t used = hash->size_bytes % MD5_BLOCK;

	if (len == 0) {
		return;
	}
	hash->size_bytes += len;
	if (used != 0) {
		size_t take = MD5_BLOCK - used;

		if (take > len) {
			take = len;
		}
		memcpy(hash->block + used, from, take);
		from += take;
		len -= take;
		if (used + take < MD5_BLOCK) {
			return;
		}
		md5_blocks(hash->state, hash->block, 1);
	}
	if (len >= MD5_BLOCK) {
		md5_blocks(hash->state, from, len / MD5_BLOCK);
		from += len - len % MD5_BLOCK;
		len %= MD5_BLOCK;
	}
	if (len != 0) {
		memcpy(hash->block, from, len);
	}
}

void md5_final(struct md5 *hash, uint8_t digest[MD5_SIZE])
{
	uint64_t bits = hash->size_bytes * 8;
	size_t used = hash->size_bytes % MD5_BLOCK;

	hash->block[used++] = 0x80;
	if (used > MD5_BLOCK - 8) {
		memset(hash->block + used, 0, MD5_BLOCK - used);
		md5_blocks(hash->state, hash->block, 1);
		used = 0;
	}
	memset(hash->block + used, 0, MD5_BLOCK - 8 - used);
	for (unsigned i = 0; i < 8; i++) {
		hash->block[MD5_BLOCK - 8 + i] = (uint8_t)(bits >> (8 * i));
	}
	md5_blocks(hash->state, hash->block, 1);
	for (unsigned i = 0; i < MD5_SIZE; i++) {
		digest[i] = (uint8_t)(hash->state[i / 4] >> (8 * (i % 4)));
	}
}
