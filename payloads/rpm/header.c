// SPDX-License-Identifier: MIT
#include "payloads/rpm/header.h"

#include <string.h>

#include "payloads/memory.h"

#define ENTRY_SIZE 16U
#define STRING_MAX 4096U

void rpm_header_init(struct rpm_header *header, struct rpm_blob *blob)
{
	memset(header, 0, sizeof(*header));
	header->blob = blob;
}

void rpm_header_clear(struct rpm_header *header)
{
	memory_give(header->entries);
	rpm_header_init(header, header->blob);
}

static struct rpm_entry entry_load(const uint8_t *from)
{
	return (struct rpm_entry){load_be32(from), load_be32(from + 4), load_be32(from + 8),
				  load_be32(from + 12)};
}

static uint64_t data_start(const struct rpm_header *header)
{
	return 8 + (uint64_t)ENTRY_SIZE * header->entry_count;
}

/*
 * Entry 0 of a header with a region: tag 63, whose data is a trailer at the region's end, an entry
 * again, whose negative offset says how many entries the region has.
 */
static const char *find_region(struct rpm_header *header)
{
	const struct rpm_entry *first = &header->entries[0];
	uint8_t bytes[ENTRY_SIZE];
	struct rpm_entry trailer;
	uint32_t len;

	header->region_entries = 0;
	header->region_data = 0;
	if (header->entry_count == 0 || first->tag != RPMTAG_HEADERIMMUTABLE) {
		return NULL;
	}
	if (first->type != RPM_BIN || first->count != ENTRY_SIZE ||
	    first->offset > header->data_len || header->data_len - first->offset < ENTRY_SIZE ||
	    !rpm_blob_read(header->blob, data_start(header) + first->offset, bytes,
			   sizeof(bytes))) {
		return "region-malformed";
	}
	trailer = entry_load(bytes);
	len = 0U - trailer.offset;
	if (trailer.tag != RPMTAG_HEADERIMMUTABLE || trailer.type != RPM_BIN ||
	    trailer.count != ENTRY_SIZE || len % ENTRY_SIZE != 0 || len == 0 ||
	    len / ENTRY_SIZE > header->entry_count) {
		return "region-malformed";
	}
	header->region_entries = len / ENTRY_SIZE;
	header->region_data = first->offset + ENTRY_SIZE;
	return NULL;
}

const char *rpm_header_open(struct rpm_header *header)
{
	uint8_t bytes[64 * ENTRY_SIZE];

	header->entry_count = 0;
	if (!rpm_blob_read(header->blob, 0, bytes, 8)) {
		return "header-truncated";
	}
	if (load_be32(bytes) > RPM_ENTRIES_MAX) {
		return "entries-limit";
	}
	if (8 + (uint64_t)ENTRY_SIZE * load_be32(bytes) + load_be32(bytes + 4) !=
	    header->blob->size) {
		return "header-malformed";
	}
	if (!header->entries) {
		header->entries = memory_take(RPM_ENTRIES_MAX * sizeof(*header->entries));
		if (!header->entries) {
			return "no-memory";
		}
	}
	header->entry_count = load_be32(bytes);
	header->data_len = load_be32(bytes + 4);
	for (uint32_t i = 0; i < header->entry_count; i++) {
		uint32_t left = header->entry_count - i;

		if (i % 64 == 0 && !rpm_blob_read(header->blob, 8 + (uint64_t)ENTRY_SIZE * i, bytes,
						  (left < 64 ? left : 64) * (size_t)ENTRY_SIZE)) {
			return "header-truncated";
		}
		header->entries[i] = entry_load(bytes + (size_t)(i % 64) * ENTRY_SIZE);
	}
	return find_region(header);
}

static const struct rpm_entry *find(const struct rpm_header *header, uint32_t tag, uint32_t from,
				    uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		if (header->entries[i].tag == tag) {
			return &header->entries[i];
		}
	}
	return NULL;
}

const struct rpm_entry *rpm_header_find(const struct rpm_header *header, uint32_t tag)
{
	return find(header, tag, 0,
		    header->region_entries ? header->region_entries : header->entry_count);
}

const struct rpm_entry *rpm_header_find_behind(const struct rpm_header *header, uint32_t tag)
{
	return find(header, tag, header->region_entries, header->entry_count);
}

const struct rpm_entry *rpm_header_own(const struct rpm_header *header, uint32_t tag)
{
	const struct rpm_entry *entry = rpm_header_find_behind(header, tag);

	if (!entry || entry->type != RPM_INT32 || entry->count != 1 ||
	    (header->region_entries != 0 && rpm_header_find(header, tag))) {
		return NULL;
	}
	return entry;
}

uint64_t rpm_header_data_at(const struct rpm_header *header, const struct rpm_entry *entry)
{
	return data_start(header) + entry->offset;
}

/* Data of the region must be signed too, not only its entry. */
uint64_t rpm_header_data_end(const struct rpm_header *header, const struct rpm_entry *entry)
{
	bool in_region = (uint32_t)(entry - header->entries) < header->region_entries;

	return data_start(header) + (in_region ? header->region_data : header->data_len);
}

bool rpm_header_data_len(const struct rpm_header *header, const struct rpm_entry *entry,
			 uint64_t *len)
{
	static const uint8_t sizes[RPM_TYPES] = {0, 1, 1, 2, 4, 8, 0, 1, 0, 0};
	uint64_t at = rpm_header_data_at(header, entry);
	uint64_t end = rpm_header_data_end(header, entry);
	uint32_t strings = entry->count;
	uint8_t buffer[512];

	if (entry->type >= RPM_TYPES || at > end) {
		return false;
	}
	*len = (uint64_t)sizes[entry->type] * entry->count;
	if (entry->type < RPM_STRING || entry->type == RPM_BIN) {
		return *len <= end - at;
	}
	while (strings != 0) {
		size_t take = end - at < sizeof(buffer) ? (size_t)(end - at) : sizeof(buffer);
		size_t used = 0;

		if (take == 0 || !rpm_blob_read(header->blob, at, buffer, take)) {
			return false;
		}
		while (used < take && strings != 0) {
			strings -= buffer[used++] == '\0';
		}
		at += used;
		*len += used;
	}
	return true;
}

bool rpm_header_string(const struct rpm_header *header, uint32_t tag, char *to, size_t room)
{
	const struct rpm_entry *entry = rpm_header_find(header, tag);
	uint64_t at;
	uint64_t end;
	size_t take;

	to[0] = '\0';
	if (!entry || (entry->type != RPM_STRING && entry->type != RPM_I18NSTRING) ||
	    entry->count == 0) {
		return false;
	}
	at = rpm_header_data_at(header, entry);
	end = rpm_header_data_end(header, entry);
	if (at >= end) {
		return false;
	}
	take = end - at < room ? (size_t)(end - at) : room;
	if (!rpm_blob_read(header->blob, at, to, take) || !memchr(to, '\0', take)) {
		to[0] = '\0';
		return false;
	}
	return true;
}

bool rpm_header_number(const struct rpm_header *header, const struct rpm_entry *entry,
		       uint32_t *value)
{
	uint8_t bytes[4];
	uint64_t len;

	if (!entry || entry->type != RPM_INT32 || entry->count == 0 ||
	    !rpm_header_data_len(header, entry, &len) ||
	    !rpm_blob_read(header->blob, rpm_header_data_at(header, entry), bytes, sizeof(bytes))) {
		return false;
	}
	*value = load_be32(bytes);
	return true;
}

uint64_t rpm_header_message_len(const struct rpm_header *header)
{
	return RPM_MESSAGE_HEAD + (uint64_t)ENTRY_SIZE * header->region_entries +
	       header->region_data;
}

bool rpm_header_message_read(const struct rpm_header *header, uint64_t at, uint8_t *to, size_t len)
{
	uint64_t entries_end = RPM_MESSAGE_HEAD + (uint64_t)ENTRY_SIZE * header->region_entries;
	uint8_t head[RPM_MESSAGE_HEAD] = {0x8e, 0xad, 0xe8, 0x01};

	for (int i = 0; i < 4; i++) {
		head[8 + i] = (uint8_t)(header->region_entries >> (24 - 8 * i));
		head[12 + i] = (uint8_t)(header->region_data >> (24 - 8 * i));
	}
	while (len != 0) {
		uint64_t until = at < RPM_MESSAGE_HEAD ? RPM_MESSAGE_HEAD
				 : at < entries_end    ? entries_end
						       : rpm_header_message_len(header);
		size_t take = until - at < len ? (size_t)(until - at) : len;

		if (take == 0) {
			return false;
		}
		if (at < RPM_MESSAGE_HEAD) {
			memcpy(to, head + at, take);
		} else if (!rpm_blob_read(header->blob,
					  at < entries_end
						  ? 8 + (at - RPM_MESSAGE_HEAD)
						  : data_start(header) + (at - entries_end),
					  to, take)) {
			return false;
		}
		at += take;
		to += take;
		len -= take;
	}
	return true;
}

bool rpm_column_open(struct rpm_column *column, const struct rpm_header *header,
		     const struct rpm_entry *entry, enum rpm_type type)
{
	column->header = header;
	column->start = 0;
	column->used = 0;
	column->left = 0;
	if (!entry || entry->type != (uint32_t)type) {
		return false;
	}
	column->at = rpm_header_data_at(header, entry);
	column->end = rpm_header_data_end(header, entry);
	column->left = entry->count;
	return column->at <= column->end;
}

/* Brings more in behind what is left. False where there is no more. */
static bool refill(struct rpm_column *column)
{
	size_t have = column->used - column->start;
	size_t take = RPM_COLUMN_ROOM - have;

	if (take > column->end - column->at) {
		take = (size_t)(column->end - column->at);
	}
	memmove(column->buffer, column->buffer + column->start, have);
	column->start = 0;
	column->used = (uint32_t)have;
	if (take == 0 ||
	    !rpm_blob_read(column->header->blob, column->at, column->buffer + have, take)) {
		return false;
	}
	column->at += take;
	column->used += (uint32_t)take;
	return true;
}

bool rpm_column_number(struct rpm_column *column, uint32_t *value)
{
	if (column->left == 0 || (column->used - column->start < 4 && !refill(column)) ||
	    column->used - column->start < 4) {
		return false;
	}
	*value = load_be32(column->buffer + column->start);
	column->start += 4;
	column->left--;
	return true;
}

bool rpm_column_string(struct rpm_column *column, struct bytes *value)
{
	const uint8_t *from = column->buffer + column->start;
	const uint8_t *end = memchr(from, '\0', column->used - column->start);

	if (column->left == 0) {
		return false;
	}
	if (!end && refill(column)) {
		from = column->buffer;
		end = memchr(from, '\0', column->used);
	}
	if (!end || end - from > (ptrdiff_t)STRING_MAX) {
		return false;
	}
	*value = bytes_make(from, (size_t)(end - from));
	column->start = (uint32_t)(end + 1 - column->buffer);
	column->left--;
	return true;
}
