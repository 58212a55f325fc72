// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_ARMOUR_H
#define MUSTER_BASELINES_SIGNATURE_ARMOUR_H

/*
 * OpenPGP's ASCII armour (RFC 9580, 6.2): what stands between its lines, as bytes. gpgv takes keyrings in
 * binary only, vendors publish theirs either way. Pure; says nothing of what the bytes are worth.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

/* Whether a text begins (after blank lines) with an armour header line. */
bool armour_is(struct bytes text);

/*
 * Every block of the text, one behind the other, into `to` with room for text.len bytes. The checksum is
 * not looked at: a signature tells what is whole. False where a block is broken or there is none.
 */
bool armour_undo(struct bytes text, uint8_t *to, size_t *len);

#endif
