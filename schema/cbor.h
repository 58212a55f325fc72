// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_CBOR_H
#define MUSTER_SCHEMA_CBOR_H

/*
 * CBOR (RFC 8949) in core deterministic encoding (section 4.2.1), the part that muster speaks:
 * unsigned and negative integers, byte strings, text strings, arrays, maps with ascending unsigned
 * keys, false, true, null. Definite lengths only, no tags, no floats. Works on memory of the
 * caller's, allocates nothing, never recurses. Both ends and the store use it; the reader refuses
 * whatever the writer would not have written, so that one value has one encoding.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

/* Writes into a buffer of fixed size. Running out of room is sticky and harmless. */
struct cbor_writer {
	uint8_t *data;
	size_t len;
	size_t room;
	bool overflow;
};

void cbor_writer_init(struct cbor_writer *w, uint8_t *data, size_t room);
void cbor_write_uint(struct cbor_writer *w, uint64_t value);
void cbor_write_int(struct cbor_writer *w, int64_t value);
void cbor_write_bytes(struct cbor_writer *w, struct bytes value);
void cbor_write_text(struct cbor_writer *w, const char *value);
void cbor_write_array(struct cbor_writer *w, uint64_t count);
void cbor_write_map(struct cbor_writer *w, uint64_t count);
void cbor_write_bool(struct cbor_writer *w, bool value);
void cbor_write_null(struct cbor_writer *w);
/* Appends bytes that are CBOR already. */
void cbor_write_raw(struct cbor_writer *w, struct bytes encoded);

/*
 * Reads from a buffer. A fault (wrong type, truncation, an encoding that is not the shortest) is
 * sticky: every later read gives zero or empty, so a decoder may check once at its end with
 * cbor_reader_is_done or `failed`. Byte strings are borrowed from the buffer.
 */
struct cbor_reader {
	const uint8_t *data;
	size_t len;
	size_t at;
	bool failed;
};

void cbor_reader_init(struct cbor_reader *r, struct bytes data);
uint64_t cbor_read_uint(struct cbor_reader *r);
/* As cbor_read_uint, and fails above `most`. */
uint64_t cbor_read_uint_max(struct cbor_reader *r, uint64_t most);
int64_t cbor_read_int(struct cbor_reader *r);
struct bytes cbor_read_bytes(struct cbor_reader *r);
/* As cbor_read_bytes, and fails where it is longer than `most`. */
struct bytes cbor_read_bytes_max(struct cbor_reader *r, size_t most);
/* A byte string of exactly `len` bytes into `to`; zeroed on failure. */
void cbor_read_fixed(struct cbor_reader *r, uint8_t *to, size_t len);
/* The number of items or pairs; fails above `most`. */
uint64_t cbor_read_array(struct cbor_reader *r, uint64_t most);
uint64_t cbor_read_map(struct cbor_reader *r, uint64_t most);
bool cbor_read_bool(struct cbor_reader *r);
/* Whether the next item is null, which is then consumed. */
bool cbor_read_null(struct cbor_reader *r);
void cbor_reader_fail(struct cbor_reader *r);
/* Nothing failed and nothing is left. */
bool cbor_reader_is_done(const struct cbor_reader *r);
/* Nothing failed and something is left: for CBOR sequences (RFC 8742). */
bool cbor_reader_has_more(const struct cbor_reader *r);

/*
 * Length of the whole item at the start of `data` without decoding it, nesting included, or 0 where
 * it is malformed, nested deeper than `depth` or truncated.
 */
size_t cbor_item_size(struct bytes data, unsigned depth);

#endif
