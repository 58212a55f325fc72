// SPDX-License-Identifier: MIT
#ifndef MUSTER_TESTS_BENCH_SIM_UPLOAD_H
#define MUSTER_TESTS_BENCH_SIM_UPLOAD_H

/*
 * The probe as it comes, packed by gzip, and whether it is whole. Unpacking it for each of ten thousand
 * hosts would cost more than the rest of the simulation: what was unpacked once and had the right digest is
 * known by the digest of the packed bytes from then on.
 */

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

/* Of all hosts. */
struct upload_known {
	uint8_t sha256[32];
	uint8_t packed[32];
	bool is_set;
};

struct upload {
	struct upload_known *known;
	uint8_t sha256[32]; /* what the probe should have */
	size_t size, packed_size, have;
	uint8_t *kept; /* where it is not known yet */
	EVP_MD_CTX *digest;
};

/* `line`: SIZE SHA256 PACKED. False where it is not that. */
bool upload_begin(struct upload *upload, const char *line, struct upload_known *known);
/* From the front of `data`; returns how many bytes. */
size_t upload_take(struct upload *upload, struct bytes data);
bool upload_is_over(const struct upload *upload);
/* Once, when it is over. */
bool upload_is_whole(struct upload *upload);
void upload_clear(struct upload *upload);

#endif
