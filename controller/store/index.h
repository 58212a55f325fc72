// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_INDEX_H
#define MUSTER_CONTROLLER_STORE_INDEX_H

/*
 * A hash index from bytes to small ids, open addressing, insert only: what the store keeps of all
 * keys and digests so that no query is needed to know one. The hash is keyed with a random seed,
 * for keys are chosen by hosts. It holds ids and hashes alone; the owner compares the bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct index_slot {
	uint32_t id; /* 0: empty */
	uint32_t tag;
};

struct index {
	uint64_t seed[2];
	struct index_slot *slot;
	size_t slots; /* a power of two, or 0 */
	size_t used;
};

int index_init(struct index *index, struct error *err) MUST_CHECK;
void index_clear(struct index *index);

uint64_t index_hash(const struct index *index, struct bytes key);

/*
 * The candidates for a hash, one after another: 0 at the end. *at is the caller's cursor, zero to
 * begin with.
 */
uint32_t index_candidate(const struct index *index, uint64_t hash, size_t *at);

/* `id` is not 0 and its key not in the index yet. */
int index_add(struct index *index, uint64_t hash, uint32_t id, struct error *err) MUST_CHECK;

#endif
