// SPDX-License-Identifier: MIT
/*
 * SHA-256 for x86 without SHA extensions but with AVX2 and BMI2 (Intel's servers of 2013 to 2020):
 * the message schedules of two blocks are computed side by side, while the first one's rounds run. Called only where
 * cpuid and the system have them; this file alone is compiled for them.
 */
#include "payloads/digest/sha256.h"

#include <immintrin.h>
#include <string.h>

static inline uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

#define SIGMA0(x) (rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22))
#define SIGMA1(x) (rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25))

#define ROUND(a, b, c, d, e, f, g, h, wk)                               \
	do {                                                            \
		(h) += SIGMA1(e) + (((e) & (f)) + (~(e) & (g))) + (wk); \
		(d) += (h);                                             \
		ab = (a) ^ (b);                                         \
		(h) += SIGMA0(a) + ((b) ^ (bc & ab));                   \
		bc = ab;                                                \
	} while (0)

#define ROUNDS_4(a, b, c, d, e, f, g, h, wk)            \
	do {                                            \
		ROUND(a, b, c, d, e, f, g, h, (wk)[0]); \
		ROUND(h, a, b, c, d, e, f, g, (wk)[1]); \
		ROUND(g, h, a, b, c, d, e, f, (wk)[2]); \
		ROUND(f, g, h, a, b, c, d, e, (wk)[3]); \
	} while (0)

static inline __m256i rotate_x8(__m256i x, int n)
{
	return _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - n));
}

/* sigma1 of two words in each half: rotations by shifts of doubled words. */
static inline __m256i gamma1(__m256i x)
{
	return _mm256_xor_si256(_mm256_xor_si256(rotate_x8(x, 17), rotate_x8(x, 19)),
				_mm256_srli_epi32(x, 10));
}

/* Words t..t+3 of both blocks out of the sixteen before them, oldest in a. */
static inline __m256i schedule(__m256i a, __m256i b, __m256i c, __m256i d)
{
	const __m256i none = _mm256_setzero_si256();
	__m256i w1 = _mm256_alignr_epi8(b, a, 4);
	__m256i g0 = _mm256_xor_si256(_mm256_xor_si256(rotate_x8(w1, 7), rotate_x8(w1, 18)),
				      _mm256_srli_epi32(w1, 3));
	__m256i sum = _mm256_add_epi32(_mm256_add_epi32(a, g0), _mm256_alignr_epi8(d, c, 4));
	/* The first two need the last two words before; the other two need these first two. */
	__m256i low = _mm256_add_epi32(sum, gamma1(_mm256_unpackhi_epi64(d, none)));

	return _mm256_add_epi32(low, gamma1(_mm256_unpacklo_epi64(none, low)));
}

/* Four words of two blocks. */
static inline __m256i load(const uint8_t *first, const uint8_t *second)
{
	const __m256i swap =
		_mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)first);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)second);

	return _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1),
				   swap);
}

static inline void store(uint32_t *to, __m256i words, unsigned at)
{
	__m128i k = _mm_loadu_si128((const __m128i *)(const void *)(sha256_constants + at));

	_mm256_storeu_si256((__m256i *)(void *)to,
			    _mm256_add_epi32(words, _mm256_broadcastsi128_si256(k)));
}

/*
 * Rounds in sixteens. Words with their constants stand four of this block, four of the other; the
 * working variables go back to where they came from. Not inlined: it is 2 KB.
 */
__attribute__((noinline)) static void rounds(uint32_t s[8], const uint32_t *wk, unsigned sixteens)
{
	uint32_t a = s[0];
	uint32_t b = s[1];
	uint32_t c = s[2];
	uint32_t d = s[3];
	uint32_t e = s[4];
	uint32_t f = s[5];
	uint32_t g = s[6];
	uint32_t h = s[7];
	uint32_t bc = b ^ c;
	uint32_t ab;

	for (; sixteens > 0; sixteens--, wk += 32) {
		ROUNDS_4(a, b, c, d, e, f, g, h, wk);
		ROUNDS_4(e, f, g, h, a, b, c, d, wk + 8);
		ROUNDS_4(a, b, c, d, e, f, g, h, wk + 16);
		ROUNDS_4(e, f, g, h, a, b, c, d, wk + 24);
	}
	s[0] = a;
	s[1] = b;
	s[2] = c;
	s[3] = d;
	s[4] = e;
	s[5] = f;
	s[6] = g;
	s[7] = h;
}

/* The first 48 rounds of a block, and meanwhile the words of it and of a second one. */
static void rounds_and_schedule(uint32_t s[8], uint32_t *wk, const uint8_t *data,
				const uint8_t *second)
{
	__m256i w0 = load(data, second);
	__m256i w1 = load(data + 16, second + 16);
	__m256i w2 = load(data + 32, second + 32);
	__m256i w3 = load(data + 48, second + 48);
	uint32_t a = s[0];
	uint32_t b = s[1];
	uint32_t c = s[2];
	uint32_t d = s[3];
	uint32_t e = s[4];
	uint32_t f = s[5];
	uint32_t g = s[6];
	uint32_t h = s[7];
	uint32_t bc = b ^ c;
	uint32_t ab;

	store(wk, w0, 0);
	store(wk + 8, w1, 4);
	store(wk + 16, w2, 8);
	store(wk + 24, w3, 12);
	for (unsigned at = 16; at < 64; at += 16, wk += 32) {
		w0 = schedule(w0, w1, w2, w3);
		ROUNDS_4(a, b, c, d, e, f, g, h, wk);
		store(wk + 32, w0, at);
		w1 = schedule(w1, w2, w3, w0);
		ROUNDS_4(e, f, g, h, a, b, c, d, wk + 8);
		store(wk + 40, w1, at + 4);
		w2 = schedule(w2, w3, w0, w1);
		ROUNDS_4(a, b, c, d, e, f, g, h, wk + 16);
		store(wk + 48, w2, at + 8);
		w3 = schedule(w3, w0, w1, w2);
		ROUNDS_4(e, f, g, h, a, b, c, d, wk + 24);
		store(wk + 56, w3, at + 12);
	}
	s[0] = a;
	s[1] = b;
	s[2] = c;
	s[3] = d;
	s[4] = e;
	s[5] = f;
	s[6] = g;
	s[7] = h;
}

static inline void add(uint32_t state[8], const uint32_t s[8])
{
	for (int i = 0; i < 8; i++) {
		state[i] += s[i];
	}
}

void sha256_blocks_avx2(uint32_t state[8], const uint8_t *data, size_t count)
{
	uint32_t wk[128];
	uint32_t s[8];

	while (count > 0) {
		/* An odd block at the end stands for the second one too, whose rounds are left out. */
		const uint8_t *second = data + (count > 1 ? SHA256_BLOCK : 0);

		memcpy(s, state, sizeof(s));
		rounds_and_schedule(s, wk, data, second);
		rounds(s, wk + 96, 1);
		add(state, s);
		if (count == 1) {
			break;
		}
		memcpy(s, state, sizeof(s));
		rounds(s, wk + 4, 4);
		add(state, s);
		data += (size_t)2 * SHA256_BLOCK;
		count -= 2;
	}
}
