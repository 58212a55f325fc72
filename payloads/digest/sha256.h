// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_DIGEST_SHA256_H
#define MUSTER_PAYLOADS_DIGEST_SHA256_H

/*
 * SHA-256 (FIPS 180-4) on memory of the caller's; allocates nothing, fails never. The block function
 * is chosen once at run time by what the CPU has (SHA-NI, AVX2, ARMv8 crypto extension), else portable C.
 * The probe's own; the controller uses OpenSSL, against which the tests hold this.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint64_t size_bytes;
	uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *data, size_t len);
/*
 * The same for two at once, `count` whole blocks of each, both at the border of a block. One hash is
 * a chain in which every step waits for the one before; two fill each other's gaps.
 */
void sha256_update_pair(struct sha256 *a, const void *data_a, struct sha256 *b, const void *data_b,
			size_t count);
static inline size_t sha256_pending(const struct sha256 *hash)
{
	return hash->size_bytes % SHA256_BLOCK;
}
/* The context is spent: init again before further use. */
void sha256_final(struct sha256 *hash, uint8_t digest[DIGEST_SIZE]);

enum sha256_implementation {
	SHA256_PORTABLE,
	SHA256_AVX2, /* and BMI2 */
	SHA256_SHA_NI,
	SHA256_ARMV8,
};

/* The implementation in use; chosen at the first call of this or of sha256_update. */
enum sha256_implementation sha256_implementation(void);
/* For tests and benches: false where this CPU or build has it not. */
bool sha256_force(enum sha256_implementation implementation);

/* Block functions: `count` whole blocks of 64 bytes. */
void sha256_blocks_portable(uint32_t state[8], const uint8_t *data, size_t count);
void sha256_blocks_avx2(uint32_t state[8], const uint8_t *data, size_t count);
void sha256_blocks_sha_ni(uint32_t state[8], const uint8_t *data, size_t count);
void sha256_pair_sha_ni(uint32_t state_a[8], const uint8_t *data_a, uint32_t state_b[8],
			const uint8_t *data_b, size_t count);
void sha256_blocks_armv8(uint32_t state[8], const uint8_t *data, size_t count);

extern const uint32_t sha256_constants[64];

#endif
