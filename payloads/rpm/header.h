// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_RPM_HEADER_H
#define MUSTER_PAYLOADS_RPM_HEADER_H

/*
 * An rpm header as the database holds it (lib/header.cc of rpm): an index of entries, then data, all
 * big-endian. The region, which the vendor's signature covers, is the first entries and the first
 * data; what rpm adds on the host ("dribbles") stands behind and overrides it for rpm. Here nothing
 * overrides: a tag is asked for in the region or behind it. Reads through a blob; keeps the index
 * only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/rpm/storage.h"
#include "schema/bytes.h"

#define RPM_ENTRIES_MAX 2048U /* real headers have about 100 */

enum rpm_tag {
	RPMTAG_HEADERIMMUTABLE = 63,
	RPMTAG_SIZE = 257,
	RPMTAG_SIGPGP = 259,
	RPMTAG_SIGMD5 = 261,
	RPMTAG_SIGGPG = 262,
	RPMTAG_DSAHEADER = 267,
	RPMTAG_RSAHEADER = 268,
	RPMTAG_SHA1HEADER = 269,
	RPMTAG_LONGSIZE = 270,
	RPMTAG_LONGARCHIVESIZE = 271,
	RPMTAG_SHA256HEADER = 273,
	RPMTAG_OPENPGP = 278,
	RPMTAG_SHA3_256HEADER = 279,
	RPMTAG_NAME = 1000,
	RPMTAG_VERSION = 1001,
	RPMTAG_RELEASE = 1002,
	RPMTAG_EPOCH = 1003,
	RPMTAG_INSTALLTIME = 1008,
	RPMTAG_ARCH = 1022,
	RPMTAG_FILESTATES = 1029,
	RPMTAG_FILEFLAGS = 1037,
	RPMTAG_SOURCERPM = 1044,
	RPMTAG_DIRINDEXES = 1116,
	RPMTAG_BASENAMES = 1117,
	RPMTAG_DIRNAMES = 1118,
	RPMTAG_INSTALLTID = 1128,
	RPMTAG_FILEDIGESTALGO = 5011,
};

enum rpm_type {
	RPM_NULL = 0,
	RPM_CHAR,
	RPM_INT8,
	RPM_INT16,
	RPM_INT32,
	RPM_INT64,
	RPM_STRING,
	RPM_BIN,
	RPM_STRING_ARRAY,
	RPM_I18NSTRING,
	RPM_TYPES
};

struct rpm_entry {
	uint32_t tag;
	uint32_t type;
	uint32_t offset; /* into the data */
	uint32_t count;
};

struct rpm_header {
	struct rpm_blob *blob;
	struct rpm_entry *entries;
	uint32_t room;
	uint32_t entry_count;    /* il */
	uint32_t data_len;       /* dl */
	uint32_t region_entries; /* ril: the region's own entry included; 0: no region */
	uint32_t region_data;    /* rdl */
};

void rpm_header_init(struct rpm_header *header, struct rpm_blob *blob);
void rpm_header_clear(struct rpm_header *header);
/* Reads the index of the blob that was opened. A reason why it makes no sense, or NULL. */
const char *rpm_header_open(struct rpm_header *header);

/* The entry of a tag within the region (all entries where there is none), or behind it. NULL. */
const struct rpm_entry *rpm_header_find(const struct rpm_header *header, uint32_t tag);
const struct rpm_entry *rpm_header_find_behind(const struct rpm_header *header, uint32_t tag);

/*
 * The entry behind the region of a number that rpm notes for this host alone: NULL where the region has
 * the tag too, or where it is anything but one number.
 */
const struct rpm_entry *rpm_header_own(const struct rpm_header *header, uint32_t tag);

/* Where the entry's data begins in the blob, and where what it may use ends. */
uint64_t rpm_header_data_at(const struct rpm_header *header, const struct rpm_entry *entry);
uint64_t rpm_header_data_end(const struct rpm_header *header, const struct rpm_entry *entry);
/* Bytes of the entry's data; strings are walked. False where they are not all there. */
bool rpm_header_data_len(const struct rpm_header *header, const struct rpm_entry *entry,
			 uint64_t *len);

/* A single string, cut at room - 1, with a NUL. False where there is none or it is longer. */
bool rpm_header_string(const struct rpm_header *header, uint32_t tag, char *to, size_t room);
/* The first number of an INT32 entry. */
bool rpm_header_number(const struct rpm_header *header, const struct rpm_entry *entry,
		       uint32_t *value);

/* The bytes that the vendor's signature covers: magic, counts, entries, data of the region. */
#define RPM_MESSAGE_HEAD 16
uint64_t rpm_header_message_len(const struct rpm_header *header);
bool rpm_header_message_read(const struct rpm_header *header, uint64_t at, uint8_t *to, size_t len);

/* One column of an array, read from front to back through a small buffer. */
#define RPM_COLUMN_ROOM 8192
struct rpm_column {
	const struct rpm_header *header;
	uint64_t at; /* in the blob, of what is read next */
	uint64_t end;
	uint32_t left; /* items */
	uint32_t start;
	uint32_t used;
	uint8_t buffer[RPM_COLUMN_ROOM];
};
/* False where the entry is not of that type. */
bool rpm_column_open(struct rpm_column *column, const struct rpm_header *header,
		     const struct rpm_entry *entry, enum rpm_type type);
bool rpm_column_number(struct rpm_column *column, uint32_t *value);
/* Borrowed until the next call. At most 4,096 bytes. */
bool rpm_column_string(struct rpm_column *column, struct bytes *value);

#endif
