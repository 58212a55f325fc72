// SPDX-License-Identifier: MIT
#include "payloads/digest/sha256.h"

#include <string.h>

/* FIPS 180-4, 4.2.2: cube roots of the first 64 primes. */
const uint32_t sha256_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static inline uint32_t load(const uint8_t *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	return word;
}

/* FIPS 180-4, 4.1.2. */
#define SIGMA0(x) (rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22))
#define SIGMA1(x) (rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25))
#define GAMMA0(x) (rotate(x, 7) ^ rotate(x, 18) ^ (x) >> 3)
#define GAMMA1(x) (rotate(x, 17) ^ rotate(x, 19) ^ (x) >> 10)

#ifdef __aarch64__

/* In a loop, 3 KB smaller: servers of this architecture have the cryptographic extension. */
void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t count)
{
	for (; count > 0; count--, data += SHA256_BLOCK) {
		uint32_t w[16];
		uint32_t s[8];

		memcpy(s, state, sizeof(s));
		for (unsigned i = 0; i < 64; i++) {
			uint32_t word;
			uint32_t sum;

			if (i < 16) {
				word = load(data + (size_t)4 * i);
			} else {
				word = w[i % 16] + GAMMA1(w[(i + 14) % 16]) + w[(i + 9) % 16] +
				       GAMMA0(w[(i + 1) % 16]);
			}
			w[i % 16] = word;
			sum = s[7] + SIGMA1(s[4]) + (s[6] ^ (s[4] & (s[5] ^ s[6]))) +
			      sha256_constants[i] + word;
			s[7] = s[6];
			s[6] = s[5];
			s[5] = s[4];
			s[4] = s[3] + sum;
			sum += SIGMA0(s[0]) + ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));
			s[3] = s[2];
			s[2] = s[1];
			s[1] = s[0];
			s[0] = sum;
		}
		for (unsigned i = 0; i < 8; i++) {
			state[i] += s[i];
		}
	}
}

#else

/*
 * Macros, because the eight working variables must stay in registers and change places by name, not
 * by moves. Maj is written so that b ^ c of one round is a ^ b of the round before.
 */

#define ROUND(a, b, c, d, e, f, g, h, word, k)                                 \
	do {                                                                   \
		(h) += SIGMA1(e) + ((g) ^ ((e) & ((f) ^ (g)))) + (k) + (word); \
		(d) += (h);                                                    \
		ab = (a) ^ (b);                                                \
		(h) += SIGMA0(a) + ((b) ^ (bc & ab));                          \
		bc = ab;                                                       \
	} while (0)

#define FIRST(i) (w[i] = load(data + 4 * (i)))
#define NEXT(i) (w[i] += GAMMA1(w[((i) + 14) & 15]) + w[((i) + 9) & 15] + GAMMA0(w[((i) + 1) & 15]))

#define ROUNDS_16(WORD, k)                                        \
	do {                                                      \
		ROUND(a, b, c, d, e, f, g, h, WORD(0), (k)[0]);   \
		ROUND(h, a, b, c, d, e, f, g, WORD(1), (k)[1]);   \
		ROUND(g, h, a, b, c, d, e, f, WORD(2), (k)[2]);   \
		ROUND(f, g, h, a, b, c, d, e, WORD(3), (k)[3]);   \
		ROUND(e, f, g, h, a, b, c, d, WORD(4), (k)[4]);   \
		ROUND(d, e, f, g, h, a, b, c, WORD(5), (k)[5]);   \
		ROUND(c, d, e, f, g, h, a, b, WORD(6), (k)[6]);   \
		ROUND(b, c, d, e, f, g, h, a, WORD(7), (k)[7]);   \
		ROUND(a, b, c, d, e, f, g, h, WORD(8), (k)[8]);   \
		ROUND(h, a, b, c, d, e, f, g, WORD(9), (k)[9]);   \
		ROUND(g, h, a, b, c, d, e, f, WORD(10), (k)[10]); \
		ROUND(f, g, h, a, b, c, d, e, WORD(11), (k)[11]); \
		ROUND(e, f, g, h, a, b, c, d, WORD(12), (k)[12]); \
		ROUND(d, e, f, g, h, a, b, c, WORD(13), (k)[13]); \
		ROUND(c, d, e, f, g, h, a, b, WORD(14), (k)[14]); \
		ROUND(b, c, d, e, f, g, h, a, WORD(15), (k)[15]); \
	} while (0)

void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t count)
{
	uint32_t w[16];

	for (; count > 0; count--, data += SHA256_BLOCK) {
		uint32_t a = state[0];
		uint32_t b = state[1];
		uint32_t c = state[2];
		uint32_t d = state[3];
		uint32_t e = state[4];
		uint32_t f = state[5];
		uint32_t g = state[6];
		uint32_t h = state[7];
		uint32_t bc = b ^ c;
		uint32_t ab;

		ROUNDS_16(FIRST, sha256_constants);
		for (unsigned i = 16; i < 64; i += 16) {
			ROUNDS_16(NEXT, sha256_constants + i);
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}

#endif
