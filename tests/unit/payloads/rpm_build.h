// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_PAYLOADS_RPM_BUILD_H
#define TESTS_UNIT_PAYLOADS_RPM_BUILD_H

/*
 * rpm headers and databases made for tests. Headers as rpm stores them (region, then dribbles); ndb
 * is written by hand, SQLite and Berkeley DB by their own libraries, so that the readers are held
 * against something else than themselves.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpm_build {
	uint8_t *data;
	size_t len;
	struct {
		uint32_t word[4];
	} entry[64];
	uint32_t count;
	uint32_t region; /* entries of the region, once it is closed */
};

void rpm_build_init(struct rpm_build *build, bool has_region);
void rpm_build_strings(struct rpm_build *build, uint32_t tag, uint32_t type, uint32_t count,
		       const char *const *strings);
void rpm_build_string(struct rpm_build *build, uint32_t tag, const char *string);
void rpm_build_numbers(struct rpm_build *build, uint32_t tag, uint32_t count,
		       const uint32_t *numbers);
void rpm_build_bin(struct rpm_build *build, uint32_t tag, const void *data, uint32_t len);
/* Everything so far is the region; what follows stands behind it. */
void rpm_build_close_region(struct rpm_build *build);

struct rpm_blob_bytes {
	uint8_t *data;
	size_t len;
};
/* The blob, to be freed; the build is spent. */
struct rpm_blob_bytes rpm_build_finish(struct rpm_build *build);

/*
 * A package with `files` files below `dirs` directories /usr/share/NAME/dK and one configuration
 * file /etc/NAME, installed at `install_s`.
 */
struct rpm_blob_bytes rpm_build_package(const char *name, const char *version, uint32_t dirs,
					uint32_t files, uint32_t install_s);

/* Databases under a path that does not exist yet. Header numbers are 1, 2 ... */
void rpm_write_ndb(const char *path, const struct rpm_blob_bytes *blobs, size_t count);
/* `pending`: the last blobs are left in the WAL, copied while the writer is still open. */
void rpm_write_sqlite(const char *path, uint32_t page_size, const struct rpm_blob_bytes *blobs,
		      size_t count, size_t pending, bool is_committed);
/* False where there is no Berkeley DB to write with. */
bool rpm_write_bdb(const char *path, bool is_big_endian, uint32_t page_size,
		   const struct rpm_blob_bytes *blobs, size_t count);

#endif
