// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_PACK_H
#define MUSTER_CONTROLLER_STORE_PACK_H

/*
 * The store's own blobs: varints (LEB128, signed ones zigzag first) in a growing buffer, a reader
 * that never runs past its end, and "packed" form: 0 and the bytes, or 1, their size and one zstd
 * frame where that is smaller. Faults are sticky in both directions; check once at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct pack {
	uint8_t *data;
	size_t len;
	size_t room;
	bool failed; /* no memory */
};

void pack_clear(struct pack *p);
/* Room for `len` more bytes, or NULL. */
uint8_t *pack_reserve(struct pack *p, size_t len);
void pack_uint(struct pack *p, uint64_t value);
void pack_int(struct pack *p, int64_t value);
void pack_raw(struct pack *p, const void *data, size_t len);
void pack_bytes(struct pack *p, struct bytes value);
static inline struct bytes pack_all(const struct pack *p)
{
	return bytes_make(p->data, p->len);
}

struct unpack {
	const uint8_t *data;
	size_t len;
	size_t at;
	bool failed;
};

static inline struct unpack unpack_start(struct bytes b)
{
	return (struct unpack){.data = b.data, .len = b.len};
}
uint64_t unpack_uint(struct unpack *u);
/* Fails above `most`. */
uint64_t unpack_uint_max(struct unpack *u, uint64_t most);
int64_t unpack_int(struct unpack *u);
struct bytes unpack_bytes(struct unpack *u);
struct bytes unpack_raw(struct unpack *u, size_t len);
static inline bool unpack_has_more(const struct unpack *u)
{
	return !u->failed && u->at < u->len;
}

/* zstd contexts, made on first use. */
struct squeezer {
	void *in;
	void *out;
};

void squeezer_clear(struct squeezer *s);
/* Replaces *to with the packed form of `from`. */
int squeezer_pack(struct squeezer *s, struct bytes from, struct pack *to,
		  struct error *err) MUST_CHECK;
/* Replaces *to with what was packed. *ok false where it is damaged or larger than `most`. */
int squeezer_unpack(struct squeezer *s, struct bytes from, size_t most, struct pack *to, bool *ok,
		    struct error *err) MUST_CHECK;

/* SHA-256 (OpenSSL). Fails for lack of memory only. */
int pack_digest(struct bytes data, struct digest *digest, struct error *err) MUST_CHECK;

#endif
