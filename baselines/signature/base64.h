// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_BASE64_H
#define MUSTER_BASELINES_SIGNATURE_BASE64_H

/*
 * Base64 (RFC 4648) over lines: what OpenPGP's signatures and keys are written in, in an armour and in
 * rpm's headers. No allocation.
 */

#include <stdint.h>

#include "schema/bytes.h"

/* Blanks and line ends are passed over; `to` has room for 3/4 of the text. The length, or -1. */
long base64_decode(struct bytes text, uint8_t *to);

#endif
