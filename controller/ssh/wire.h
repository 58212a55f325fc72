// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_WIRE_H
#define MUSTER_CONTROLLER_SSH_WIRE_H

/*
 * SSH's own data types (RFC 4251, section 5), as key blobs, agents and the exchange use them. The
 * cursor borrows, never reads past its end, and a fault is sticky: later reads give nothing, so that
 * a parser may check once, at its end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "schema/bytes.h"

struct wire_reader {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static inline struct wire_reader wire_reader_make(struct bytes data)
{
	return (struct wire_reader){data.data, data.len, false};
}

static inline struct bytes wire_read(struct wire_reader *r, size_t len)
{
	struct bytes out = {r->at, len};

	if (r->failed || len > r->left) {
		r->failed = true;
		return (struct bytes){NULL, 0};
	}
	r->at += len;
	r->left -= len;
	return out;
}

static inline uint8_t wire_read_byte(struct wire_reader *r)
{
	struct bytes b = wire_read(r, 1);

	return b.len == 1 ? b.data[0] : 0;
}

static inline uint32_t wire_read_u32(struct wire_reader *r)
{
	struct bytes b = wire_read(r, 4);

	return b.len == 4 ? (uint32_t)b.data[0] << 24 | (uint32_t)b.data[1] << 16 |
				    (uint32_t)b.data[2] << 8 | b.data[3]
			  : 0;
}

static inline struct bytes wire_read_string(struct wire_reader *r)
{
	return wire_read(r, wire_read_u32(r));
}

static inline bool wire_is_done(const struct wire_reader *r)
{
	return !r->failed && r->left == 0;
}

/* Writes into memory of fixed size; running out is sticky. */
struct wire_writer {
	uint8_t *data;
	size_t len;
	size_t room;
	bool overflow;
};

static inline void wire_write(struct wire_writer *w, struct bytes data)
{
	if (w->overflow || data.len > w->room - w->len) {
		w->overflow = true;
		return;
	}
	if (data.len > 0) {
		memcpy(w->data + w->len, data.data, data.len);
		w->len += data.len;
	}
}

static inline void wire_write_byte(struct wire_writer *w, uint8_t value)
{
	wire_write(w, (struct bytes){&value, 1});
}

static inline void wire_write_u32(struct wire_writer *w, uint32_t value)
{
	uint8_t be[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
			 (uint8_t)value};

	wire_write(w, (struct bytes){be, 4});
}

static inline void wire_write_string(struct wire_writer *w, struct bytes data)
{
	wire_write_u32(w, (uint32_t)data.len);
	wire_write(w, data);
}

/* An unsigned number, most significant byte first, as mpint. */
static inline void wire_write_mpint(struct wire_writer *w, struct bytes number)
{
	bool high;

	while (number.len > 0 && number.data[0] == 0) {
		number.data++;
		number.len--;
	}
	high = number.len > 0 && (number.data[0] & 0x80U) != 0;
	wire_write_u32(w, (uint32_t)(number.len + high));
	if (high) {
		wire_write_byte(w, 0);
	}
	wire_write(w, number);
}

#endif
