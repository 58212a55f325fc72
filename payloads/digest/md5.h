// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_DIGEST_MD5_H
#define MUSTER_PAYLOADS_DIGEST_MD5_H

/*
 * MD5 (RFC 1321) on memory of the caller's, because it is all that dpkg records. It proves nothing
 * against an attacker: only ever compared with the host's own word or a manifest's second column.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define MD5_BLOCK 64

struct md5 {
	uint32_t state[4];
	uint64_t size_bytes;
	uint8_t block[MD5_BLOCK];
};

void md5_init(struct md5 *hash);
void md5_update(struct md5 *hash, const void *data, size_t len);
/* The context is spent: init again before further use. */
void md5_final(struct md5 *hash, uint8_t digest[MD5_SIZE]);

#endif
