// SPDX-License-Identifier: MIT
/* Sections of records out of an rpm database: which packages there are, and each one's header. */
#include "payloads/rpm/rpmdb.h"

#include <string.h>

#include "payloads/memory.h"

static void put_be32(uint32_t value, uint8_t to[4])
{
	to[0] = (uint8_t)(value >> 24);
	to[1] = (uint8_t)(value >> 16);
	to[2] = (uint8_t)(value >> 8);
	to[3] = (uint8_t)value;
}

static bool visit_packages(const struct rpmdb *rpmdb, record_visitor visit, void *context)
{
	for (uint32_t i = 0; i < rpmdb->package_count; i++) {
		const struct rpm_package *package = &rpmdb->packages[i];
		struct record record = {.count = PACKAGES_FIELDS};

		record.field[PACKAGES_NAME] = rpm_package_part(package, RPM_NAME);
		record.field[PACKAGES_VERSION] = rpm_package_part(package, RPM_VERSION);
		record.field[PACKAGES_ARCH] = rpm_package_part(package, RPM_ARCH);
		record.field[PACKAGES_STATE] = BYTES_LITERAL("installed");
		record.field[PACKAGES_SOURCE] = rpm_package_part(package, RPM_SOURCE);
		if (!visit(context, &record)) {
			return false;
		}
	}
	return true;
}

static bool visit_installs(const struct rpmdb *rpmdb, record_visitor visit, void *context)
{
	for (uint32_t i = 0; i < rpmdb->package_count; i++) {
		const struct rpm_package *package = &rpmdb->packages[i];
		struct record record = {.count = INSTALLS_FIELDS};
		uint8_t number[3][4];

		put_be32(package->install_s, number[0]);
		put_be32(package->install_tid, number[1]);
		put_be32(package->locator.number, number[2]);
		record.field[INSTALLS_NAME] = rpm_package_part(package, RPM_NAME);
		record.field[INSTALLS_VERSION] = rpm_package_part(package, RPM_VERSION);
		record.field[INSTALLS_ARCH] = rpm_package_part(package, RPM_ARCH);
		record.field[INSTALLS_TIME] = bytes_make(number[0], 4);
		record.field[INSTALLS_TRANSACTION] = bytes_make(number[1], 4);
		record.field[INSTALLS_NUMBER] = bytes_make(number[2], 4);
		if (!visit(context, &record)) {
			return false;
		}
	}
	return true;
}

/* Reads `len` bytes of something that is given out in chunks. */
typedef bool (*chunk_reader)(const struct rpm_header *header, uint64_t at, uint8_t *to, size_t len);

struct pieces {
	struct rpmdb *rpmdb;
	record_visitor visit;
	void *context;
	uint8_t *chunk; /* HEADER_CHUNK_SIZE */
	bool ended;     /* by the visitor */
	const char *fault;
};

/* Gives out bytes from..from+len as records of one part and tag; an empty value is one chunk too. */
static void visit_chunks(struct pieces *pieces, const char *part, uint32_t tag, uint8_t type,
			 chunk_reader read, uint64_t from, uint64_t len)
{
	uint8_t tag_bytes[4];
	uint8_t number_bytes[4];
	struct record record = {.count = HEADER_FIELDS};
	uint64_t at = 0;

	put_be32(tag, tag_bytes);
	record.field[HEADER_PART] = bytes_from_string(part);
	record.field[HEADER_TAG] = bytes_make(tag_bytes, 4);
	record.field[HEADER_TYPE] = bytes_make(&type, 1);
	record.field[HEADER_CHUNK] = bytes_make(number_bytes, 4);
	for (uint32_t number = 0; !pieces->ended && (number == 0 || at < len); number++) {
		size_t take = len - at < HEADER_CHUNK_SIZE ? (size_t)(len - at) : HEADER_CHUNK_SIZE;

		if (!read(&pieces->rpmdb->header, from + at, pieces->chunk, take)) {
			pieces->fault = "io";
			return;
		}
		put_be32(number, number_bytes);
		record.field[HEADER_VALUE] = bytes_make(pieces->chunk, take);
		pieces->ended = !pieces->visit(pieces->context, &record);
		at += take;
	}
}

static bool read_blob(const struct rpm_header *header, uint64_t at, uint8_t *to, size_t len)
{
	return rpm_blob_read(header->blob, at, to, len);
}

static bool is_signature(uint32_t tag)
{
	static const uint16_t tags[] = {
		RPMTAG_SIZE,         RPMTAG_SIGPGP,    RPMTAG_SIGMD5,
		RPMTAG_SIGGPG,       RPMTAG_DSAHEADER, RPMTAG_RSAHEADER,
		RPMTAG_SHA1HEADER,   RPMTAG_LONGSIZE,  RPMTAG_LONGARCHIVESIZE,
		RPMTAG_SHA256HEADER, RPMTAG_OPENPGP,   RPMTAG_SHA3_256HEADER};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (tags[i] == tag) {
			return true;
		}
	}
	return false;
}

/* "": of no part. */
static const char *part_of(const struct rpm_header *header, const struct rpm_entry *entry)
{
	if (rpm_header_find(header, entry->tag)) {
		return HEADER_OVERRIDE;
	}
	if (is_signature(entry->tag)) {
		return HEADER_SIGNATURE;
	}
	/* No two hosts agree on these: they stand in [installs]. */
	return (entry->tag == RPMTAG_INSTALLTIME || entry->tag == RPMTAG_INSTALLTID) &&
			       entry == rpm_header_own(header, entry->tag)
		       ? ""
		       : HEADER_REST;
}

/* Entries behind the region that are of this part, by tag, then as they stand. */
static void visit_behind(struct pieces *pieces, const char *part)
{
	const struct rpm_header *header = &pieces->rpmdb->header;
	uint64_t least = 0; /* tag of the next entry, at least */

	while (!pieces->ended) {
		uint64_t tag = UINT64_MAX;

		for (uint32_t i = header->region_entries; i < header->entry_count; i++) {
			const struct rpm_entry *entry = &header->entries[i];

			if (entry->tag >= least && entry->tag < tag &&
			    strcmp(part_of(header, entry), part) == 0) {
				tag = entry->tag;
			}
		}
		if (tag == UINT64_MAX) {
			return;
		}
		for (uint32_t i = header->region_entries; i < header->entry_count; i++) {
			const struct rpm_entry *entry = &header->entries[i];
			uint64_t len;

			if (entry->tag != tag || pieces->ended) {
				continue;
			}
			if (!rpm_header_data_len(header, entry, &len)) {
				pieces->fault = "entry-malformed";
				continue;
			}
			visit_chunks(pieces, part, entry->tag, (uint8_t)entry->type, read_blob,
				     rpm_header_data_at(header, entry), len);
		}
		least = tag + 1;
	}
}

/* The records of [header] or [claims] of one package. */
static bool visit_header(struct rpmdb *rpmdb, enum section_kind kind, uint32_t index,
			 record_visitor visit, void *context)
{
	struct pieces pieces = {rpmdb, visit, context, memory_take(HEADER_CHUNK_SIZE), false, NULL};
	const struct rpm_header *header = &rpmdb->header;

	pieces.fault = pieces.chunk ? rpm_package_open(rpmdb, &rpmdb->packages[index])
				    : "no-memory";
	if (pieces.fault) {
		goto out;
	}
	if (header->region_entries == 0) {
		if (kind == SECTION_CLAIMS) {
			visit_chunks(&pieces, HEADER_BARE, 0, RPM_BIN, read_blob, 0,
				     rpmdb->blob.size);
		}
		goto out;
	}
	if (kind == SECTION_CLAIMS) {
		visit_behind(&pieces, HEADER_OVERRIDE);
		visit_behind(&pieces, HEADER_REST);
		goto out;
	}
	visit_chunks(&pieces, HEADER_REGION, RPMTAG_HEADERIMMUTABLE, RPM_BIN,
		     rpm_header_message_read, 0, rpm_header_message_len(header));
	visit_behind(&pieces, HEADER_SIGNATURE);
out:
	if (pieces.fault) {
		struct rpm_faults faults = {{{NULL, 0}}};

		rpm_fault(&faults, pieces.fault);
		rpm_faults_tell(rpmdb, &faults);
	}
	memory_give(pieces.chunk);
	return !pieces.ended;
}

bool rpm_records(struct package_db *db, enum section_kind kind, uint32_t index,
		 record_visitor visit, void *context)
{
	struct rpmdb *rpmdb = (struct rpmdb *)db;

	switch (kind) {
	case SECTION_PACKAGES:
		return visit_packages(rpmdb, visit, context);
	case SECTION_INSTALLS:
		return visit_installs(rpmdb, visit, context);
	case SECTION_HEADER:
	case SECTION_CLAIMS:
		return visit_header(rpmdb, kind, index, visit, context);
	default:
		return true;
	}
}
