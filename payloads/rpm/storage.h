// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_RPM_STORAGE_H
#define MUSTER_PAYLOADS_RPM_STORAGE_H

/*
 * Where rpm keeps its headers: one file of one of three formats, each of which gives every package's
 * header as a blob that lies in pieces. Nothing is kept of a blob but where its pieces are: headers
 * of large packages have 30 MB. All numbers of the file are hostile; every walk is bounded by the
 * file's own size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/package_file.h"

#define RPM_PAGE_MAX 65536U
#define RPM_BLOB_MAX (256U << 20) /* rpm's own limit on a header (lib/header.cc) */
#define RPM_IN_WAL (UINT64_C(1) << 63)

struct rpm_file {
	const struct package_file_access *access;
	int fd; /* -1: none */
	uint64_t size;
};

/* Exactly these bytes, or false: an error, or beyond the size seen at open. */
bool rpm_file_read(const struct rpm_file *file, uint64_t at, void *to, size_t len);

/* Where a header blob begins. */
struct rpm_locator {
	uint64_t at;        /* of the first piece, with RPM_IN_WAL where it is in the WAL */
	uint32_t first;     /* bytes of the first piece, may be 0 */
	uint32_t next_page; /* of the second piece; 0: none */
	uint32_t size;      /* bytes of the whole blob */
	uint32_t number;    /* rpm's header number */
};

struct rpm_storage;
/* Returns false to end the walk. */
typedef bool (*rpm_locator_visitor)(void *context, const struct rpm_locator *locator);

/* A continuation page: where its payload is, how much of it there is, and what follows. */
struct rpm_link {
	uint64_t at;
	uint32_t len;
	uint32_t next_page;
};

struct rpm_storage_type {
	const char *name; /* of the file in the database directory */
	/* Whether the file is of this format, by its first bytes. */
	bool (*matches)(const uint8_t *head, size_t len);
	/* A reason why it cannot be read (a word for a gap), or NULL. */
	const char *(*open)(struct rpm_storage *storage);
	/* Visits every header. A reason why the walk is not whole, or NULL. */
	const char *(*scan)(struct rpm_storage *storage, rpm_locator_visitor visit, void *context);
	/* `left` bytes of the blob are still to come. */
	bool (*link)(struct rpm_storage *storage, uint32_t page, uint32_t left,
		     struct rpm_link *link);
	/* False where a writer was at work since open, which stamps might not show. */
	bool (*is_same)(struct rpm_storage *storage);
	void (*close)(struct rpm_storage *storage);
};

#define RPM_HEAD_SIZE 512 /* bytes that `matches` looks at */

struct rpm_wal_frame {
	uint32_t page;
	uint32_t frame;
};

struct rpm_storage {
	const struct rpm_storage_type *type;
	struct rpm_file file;
	uint8_t *page; /* RPM_PAGE_MAX, for scan and link */
	uint32_t page_size;
	uint32_t page_count;
	uint32_t faults; /* items that made no sense and were passed over */
	bool is_swapped; /* bdb: of the other byte order */
	uint32_t max_bucket;
	uint32_t spares[32];
	uint32_t generation; /* ndb */
	uint32_t slot_pages;
	uint32_t usable; /* sqlite: bytes of a page without its reserved end */
	struct rpm_file wal;
	struct rpm_wal_frame *frames; /* ordered by page, each page's last committed frame */
	uint32_t frame_count;
};

extern const struct rpm_storage_type rpm_storage_sqlite;
extern const struct rpm_storage_type rpm_storage_ndb;
extern const struct rpm_storage_type rpm_storage_bdb;

/* One blob, opened: random access over its pieces. */
struct rpm_blob {
	struct rpm_storage *storage;
	uint32_t size;
	uint64_t first_at;
	uint32_t first;
	uint32_t piece_len; /* of every further piece but the last */
	uint64_t *pieces;
	uint32_t piece_count;
	uint32_t piece_room;
};

void rpm_blob_init(struct rpm_blob *blob, struct rpm_storage *storage);
void rpm_blob_clear(struct rpm_blob *blob);
/* Follows the chain once. A reason why it cannot be read, or NULL. May be called again. */
const char *rpm_blob_open(struct rpm_blob *blob, const struct rpm_locator *locator);
bool rpm_blob_read(const struct rpm_blob *blob, uint64_t at, void *to, size_t len);

static inline uint32_t load_be32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static inline uint32_t load_le32(const uint8_t *from)
{
	return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

static inline uint16_t load_be16(const uint8_t *from)
{
	return (uint16_t)((unsigned)from[0] << 8 | from[1]);
}

#endif
