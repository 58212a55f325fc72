// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_DIGESTS_H
#define MUSTER_BASELINES_DIGESTS_H

/*
 * SHA-256 and MD5 of the same bytes in one pass, by OpenSSL. MD5 proves nothing: manifests carry it
 * only because it is what dpkg's own lists say of a file.
 */

#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct digests;

int digests_new(struct digests **digests, struct error *err) MUST_CHECK;
void digests_free(struct digests *digests);
/* Forgets what was added. */
int digests_begin(struct digests *digests, struct error *err) MUST_CHECK;
int digests_add(struct digests *digests, struct bytes data, struct error *err) MUST_CHECK;
int digests_end(struct digests *digests, struct digest *sha256, uint8_t md5[MD5_SIZE],
		struct error *err) MUST_CHECK;

#endif
