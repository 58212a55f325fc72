// SPDX-License-Identifier: MIT
/*
 * SHA-256 with the cryptographic extension of ARMv8 (Arm ARM: SHA256H, SHA256H2, SHA256SU0,
 * SHA256SU1). Called only where the kernel says so (HWCAP_SHA2); this file alone is compiled for it.
 */
#include "payloads/digest/sha256.h"

#include <arm_neon.h>

static inline void rounds_4(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t m, unsigned at)
{
	uint32x4_t wk = vaddq_u32(m, vld1q_u32(sha256_constants + at));
	uint32x4_t before = *abcd;

	*abcd = vsha256hq_u32(*abcd, *efgh, wk);
	*efgh = vsha256h2q_u32(*efgh, before, wk);
}

static inline uint32x4_t schedule(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d)
{
	return vsha256su1q_u32(vsha256su0q_u32(a, b), c, d);
}

static inline uint32x4_t load(const uint8_t *from)
{
	return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(from)));
}

void sha256_blocks_armv8(uint32_t state[8], const uint8_t *data, size_t count)
{
	uint32x4_t abcd = vld1q_u32(state);
	uint32x4_t efgh = vld1q_u32(state + 4);

	for (; count > 0; count--, data += SHA256_BLOCK) {
		uint32x4_t abcd_before = abcd;
		uint32x4_t efgh_before = efgh;
		uint32x4_t m0 = load(data);
		uint32x4_t m1 = load(data + 16);
		uint32x4_t m2 = load(data + 32);
		uint32x4_t m3 = load(data + 48);

		rounds_4(&abcd, &efgh, m0, 0);
		rounds_4(&abcd, &efgh, m1, 4);
		rounds_4(&abcd, &efgh, m2, 8);
		rounds_4(&abcd, &efgh, m3, 12);
#pragma GCC unroll 3
		for (unsigned at = 16; at < 64; at += 16) {
			m0 = schedule(m0, m1, m2, m3);
			rounds_4(&abcd, &efgh, m0, at);
			m1 = schedule(m1, m2, m3, m0);
			rounds_4(&abcd, &efgh, m1, at + 4);
			m2 = schedule(m2, m3, m0, m1);
			rounds_4(&abcd, &efgh, m2, at + 8);
			m3 = schedule(m3, m0, m1, m2);
			rounds_4(&abcd, &efgh, m3, at + 12);
		}
		abcd = vaddq_u32(abcd, abcd_before);
		efgh = vaddq_u32(efgh, efgh_before);
	}
	vst1q_u32(state, abcd);
	vst1q_u32(state + 4, efgh);
}
