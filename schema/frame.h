// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_FRAME_H
#define MUSTER_SCHEMA_FRAME_H

/*
 * How messages travel: a length of four bytes, most significant first, then that many bytes of one
 * CBOR item. The same in both directions and on the socketpair inside the controller. A length of
 * zero or above FRAME_MAX is a broken protocol and is seen before anything is stored.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define FRAME_HEAD 4
#define FRAME_MAX 65536U /* bytes of payload */

enum frame_result {
	FRAME_MORE,    /* not whole yet */
	FRAME_WHOLE,   /* *payload borrowed from the input, *taken bytes used */
	FRAME_INVALID, /* length out of range */
};

/* Looks at the start of `input`. Never reads past it. */
static inline enum frame_result frame_split(struct bytes input, struct bytes *payload,
					    size_t *taken)
{
	uint32_t len;

	if (input.len < FRAME_HEAD) {
		return FRAME_MORE;
	}
	len = (uint32_t)input.data[0] << 24 | (uint32_t)input.data[1] << 16 |
	      (uint32_t)input.data[2] << 8 | input.data[3];
	if (len == 0 || len > FRAME_MAX) {
		return FRAME_INVALID;
	}
	if (input.len - FRAME_HEAD < len) {
		return FRAME_MORE;
	}
	*payload = (struct bytes){input.data + FRAME_HEAD, len};
	*taken = FRAME_HEAD + (size_t)len;
	return FRAME_WHOLE;
}

static inline void frame_head(uint32_t len, uint8_t head[FRAME_HEAD])
{
	head[0] = (uint8_t)(len >> 24);
	head[1] = (uint8_t)(len >> 16);
	head[2] = (uint8_t)(len >> 8);
	head[3] = (uint8_t)len;
}

#endif
