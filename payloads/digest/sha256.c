// SPDX-License-Identifier: MIT
#include "payloads/digest/sha256.h"

#include <assert.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_SHA2
#define HWCAP_SHA2 (1UL << 6) /* asm/hwcap.h of arm64 */
#endif
#endif

typedef void (*block_function)(uint32_t state[8], const uint8_t *data, size_t count);

typedef void (*pair_function)(uint32_t state_a[8], const uint8_t *data_a, uint32_t state_b[8],
			      const uint8_t *data_b, size_t count);

static block_function blocks;
static pair_function pair; /* NULL: one after the other is as good */
static enum sha256_implementation chosen;

#if defined(__x86_64__)

/* Leaf 1 ECX: SSSE3 (9), SSE4.1 (19); leaf 7 EBX: SHA (29). Intel SDM vol. 2, CPUID. */
static bool has_sha_ni(void)
{
	unsigned a;
	unsigned b;
	unsigned c;
	unsigned d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & 1U << 9) && (c & 1U << 19) &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1U << 29);
}

/*
 * Leaf 1 ECX: OSXSAVE (27), AVX (28); leaf 7 EBX: BMI1 (3), AVX2 (5), BMI2 (8); XCR0: the system
 * keeps the upper halves of the registers (1, 2).
 */
static bool has_avx2(void)
{
	unsigned a;
	unsigned b;
	unsigned c;
	unsigned d;
	unsigned low;
	unsigned high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1U << 27) || !(c & 1U << 28) ||
	    !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1U << 3) || !(b & 1U << 5) ||
	    !(b & 1U << 8)) {
		return false;
	}
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	(void)high;
	return (low & 6U) == 6U;
}

#endif

/* NULL where this CPU or build has it not. */
static block_function find(enum sha256_implementation implementation)
{
	switch (implementation) {
	case SHA256_PORTABLE:
		return sha256_blocks_portable;
#if defined(__x86_64__)
	case SHA256_AVX2:
		return has_avx2() ? sha256_blocks_avx2 : NULL;
	case SHA256_SHA_NI:
		return has_sha_ni() ? sha256_blocks_sha_ni : NULL;
#elif defined(__aarch64__)
	case SHA256_ARMV8:
		return getauxval(AT_HWCAP) & HWCAP_SHA2 ? sha256_blocks_armv8 : NULL;
#endif
	default:
		return NULL;
	}
}

bool sha256_force(enum sha256_implementation implementation)
{
	block_function found = find(implementation);

	if (!found) {
		return false;
	}
	blocks = found;
	pair = NULL;
#if defined(__x86_64__)
	if (implementation == SHA256_SHA_NI) {
		pair = sha256_pair_sha_ni;
	}
#endif
	chosen = implementation;
	return true;
}

enum sha256_implementation sha256_implementation(void)
{
	if (!blocks && !sha256_force(SHA256_SHA_NI) && !sha256_force(SHA256_AVX2) &&
	    !sha256_force(SHA256_ARMV8)) {
		(void)sha256_force(SHA256_PORTABLE);
	}
	return chosen;
}

void sha256_init(struct sha256 *hash)
{
	static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(hash->state, start, sizeof(start));
	hash->size_bytes = 0;
}

void sha256_update(struct sha256 *hash, const void *data, size_t len)
{
	const uint8_t *from = data;
	size_t used = hash->size_bytes % SHA256_BLOCK;

	if (len == 0) {
		return;
	}
	if (!blocks) {
		(void)sha256_implementation();
	}
	hash->size_bytes += len;
	if (used != 0) {
		size_t take = SHA256_BLOCK - used;

		if (take > len) {
			take = len;
		}
		memcpy(hash->block + used, from, take);
		from += take;
		len -= take;
		if (used + take < SHA256_BLOCK) {
			return;
		}
		blocks(hash->state, hash->block, 1);
	}
	if (len >= SHA256_BLOCK) {
		blocks(hash->state, from, len / SHA256_BLOCK);
		from += len - len % SHA256_BLOCK;
		len %= SHA256_BLOCK;
	}
	if (len != 0) {
		memcpy(hash->block, from, len);
	}
}

void sha256_update_pair(struct sha256 *a, const void *data_a, struct sha256 *b, const void *data_b,
			size_t count)
{
	assert(sha256_pending(a) == 0 && sha256_pending(b) == 0);
	if (!blocks) {
		(void)sha256_implementation();
	}
	if (pair) {
		a->size_bytes += count * SHA256_BLOCK;
		b->size_bytes += count * SHA256_BLOCK;
		pair(a->state, data_a, b->state, data_b, count);
	} else {
		sha256_update(a, data_a, count * SHA256_BLOCK);
		sha256_update(b, data_b, count * SHA256_BLOCK);
	}
}

void sha256_final(struct sha256 *hash, uint8_t digest[DIGEST_SIZE])
{
	uint64_t bits = hash->size_bytes * 8;
	size_t used = hash->size_bytes % SHA256_BLOCK;

	if (!blocks) {
		(void)sha256_implementation();
	}
	hash->block[used++] = 0x80;
	if (used > SHA256_BLOCK - 8) {
		memset(hash->block + used, 0, SHA256_BLOCK - used);
		blocks(hash->state, hash->block, 1);
		used = 0;
	}
	memset(hash->block + used, 0, SHA256_BLOCK - 8 - used);
	for (unsigned i = 0; i < 8; i++) {
		hash->block[SHA256_BLOCK - 1 - i] = (uint8_t)(bits >> (8 * i));
	}
	blocks(hash->state, hash->block, 1);
	for (unsigned i = 0; i < 8; i++) {
		digest[4 * i] = (uint8_t)(hash->state[i] >> 24);
		digest[4 * i + 1] = (uint8_t)(hash->state[i] >> 16);
		digest[4 * i + 2] = (uint8_t)(hash->state[i] >> 8);
		digest[4 * i + 3] = (uint8_t)hash->state[i];
	}
}
