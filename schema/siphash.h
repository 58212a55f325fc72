// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_SIPHASH_H
#define MUSTER_SCHEMA_SIPHASH_H

/*
 * SipHash-2-4 (Aumasson, Bernstein 2012), 64 bits: keyed, so that a host cannot aim collisions at
 * the probe's tables or choose its own slice. Shared because controller and probe must agree on
 * which sections a slice holds. Not a content digest.
 */

#include <stdint.h>

#include "schema/bytes.h"

#define SIPHASH_KEY_SIZE 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct bytes data);

#endif
