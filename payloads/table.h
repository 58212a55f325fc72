// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_TABLE_H
#define MUSTER_PAYLOADS_TABLE_H

/*
 * The set of owned paths: 64 bits of SipHash a path, keyed anew in each session so that a host
 * cannot aim collisions, open addressing, 8 bytes a slot. Memory comes from mmap and is bounded by
 * the cap given at init; what no longer fits is refused and the caller tells it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/siphash.h"

struct table {
	uint8_t key[SIPHASH_KEY_SIZE];
	uint64_t *slots;
	size_t room; /* power of two, or 0 */
	size_t count;
	size_t most; /* slots */
};

enum table_added { TABLE_NEW, TABLE_KNOWN, TABLE_FULL };

/* Allocates nothing yet. `most` slots at the most, a power of two. */
void table_init(struct table *table, const uint8_t key[SIPHASH_KEY_SIZE], size_t most);
void table_clear(struct table *table);

/* The hash that the set keeps of a path. */
uint64_t table_hash(const struct table *table, struct bytes path);
enum table_added table_add(struct table *table, uint64_t hash);
bool table_has(const struct table *table, uint64_t hash);

#endif
