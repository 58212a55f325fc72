// SPDX-License-Identifier: MIT
/*
 * SHA-256 with the SHA extensions of x86 (Intel SDM vol. 2: SHA256RNDS2, SHA256MSG1, SHA256MSG2).
 * Called only where cpuid has them; this file alone is compiled for them.
 */
#include "payloads/digest/sha256.h"

#include <immintrin.h>

/* Four rounds with the words in `m`; the instruction does two, from the low half of its operand. */
static inline void rounds_4(__m128i *abef, __m128i *cdgh, __m128i m, unsigned at)
{
	__m128i wk = _mm_add_epi32(
		m, _mm_loadu_si128((const __m128i *)(const void *)(sha256_constants + at)));

	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wk);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* Words t..t+3 out of the sixteen before them, which stand in a (oldest), b, c, d. */
static inline __m128i schedule(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4));

	return _mm_sha256msg2_epu32(sum, d);
}

static inline __m128i load(const uint8_t *from)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)from), swap);
}

void sha256_blocks_sha_ni(uint32_t state[8], const uint8_t *data, size_t count)
{
	/* The instructions want the state as A B E F and C D G H. */
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)state);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
	__m128i badc = _mm_shuffle_epi32(low, 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(high, 0x1b);
	__m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
	__m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);

	for (; count > 0; count--, data += SHA256_BLOCK) {
		__m128i abef_before = abef;
		__m128i cdgh_before = cdgh;
		__m128i m0 = load(data);
		__m128i m1 = load(data + 16);
		__m128i m2 = load(data + 32);
		__m128i m3 = load(data + 48);

		rounds_4(&abef, &cdgh, m0, 0);
		rounds_4(&abef, &cdgh, m1, 4);
		rounds_4(&abef, &cdgh, m2, 8);
		rounds_4(&abef, &cdgh, m3, 12);
#pragma GCC unroll 3
		for (unsigned at = 16; at < 64; at += 16) {
			m0 = schedule(m0, m1, m2, m3);
			rounds_4(&abef, &cdgh, m0, at);
			m1 = schedule(m1, m2, m3, m0);
			rounds_4(&abef, &cdgh, m1, at + 4);
			m2 = schedule(m2, m3, m0, m1);
			rounds_4(&abef, &cdgh, m2, at + 8);
			m3 = schedule(m3, m0, m1, m2);
			rounds_4(&abef, &cdgh, m3, at + 12);
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	hgfe = _mm_shuffle_epi32(abef, 0x1b); /* F E B A, most significant first, reversed */
	badc = _mm_shuffle_epi32(cdgh, 0xb1);
	low = _mm_blend_epi16(hgfe, badc, 0xf0);
	high = _mm_alignr_epi8(badc, hgfe, 8);
	_mm_storeu_si128((__m128i *)(void *)state, low);
	_mm_storeu_si128((__m128i *)(void *)(state + 4), high);
}
