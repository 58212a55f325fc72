// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_BYTES_H
#define MUSTER_SCHEMA_BYTES_H

/*
 * Bytes that came from a host, a file or the wire: a length and a borrowed pointer, never
 * NUL-terminated, never a format, path or shell word. Kept apart from char * so that the compiler
 * notices when one is taken for the other. Shown to people only through schema/escape.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGEST_SIZE 32 /* SHA-256, FIPS 180-4 */
#define MD5_SIZE 16    /* RFC 1321 */

struct bytes {
	const uint8_t *data;
	size_t len;
};

/* SHA-256 over a canonical encoding. */
struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

#define BYTES_LITERAL(s) ((struct bytes){(const uint8_t *)("" s), sizeof(s) - 1})

static inline struct bytes bytes_from_string(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

static inline struct bytes bytes_make(const void *data, size_t len)
{
	return (struct bytes){(const uint8_t *)data, len};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_string(struct bytes a, const char *s)
{
	return bytes_equal(a, bytes_from_string(s));
}

static inline bool bytes_has_prefix(struct bytes a, struct bytes prefix)
{
	return a.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(a.data, prefix.data, prefix.len) == 0);
}

/* Plain bytewise order, shorter first when one is a prefix: <0, 0, >0. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n == 0 ? 0 : memcmp(a.data, b.data, n);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/*
 * The canonical order of paths: component by component, which is bytewise with '/' below every
 * other byte, so that a directory walk that sorts each directory yields it without a second sort.
 */
static inline int bytes_path_compare(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		if (a.data[i] != b.data[i]) {
			unsigned x = a.data[i] == '/' ? 0U : a.data[i] + 1U;
			unsigned y = b.data[i] == '/' ? 0U : b.data[i] + 1U;

			return x < y ? -1 : 1;
		}
	}
	return (a.len > b.len) - (a.len < b.len);
}

static inline bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

#endif
