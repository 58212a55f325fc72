// SPDX-License-Identifier: MIT
#include "payloads/rpm/storage.h"

#include <string.h>

#include "payloads/memory.h"

bool rpm_file_read(const struct rpm_file *file, uint64_t at, void *to, size_t len)
{
	uint8_t *next = to;

	if (file->fd < 0 || at > file->size || len > file->size - at) {
		return false;
	}
	while (len != 0) {
		ssize_t got = file->access->read(file->access->context, file->fd, next, len, at);

		if (got <= 0) {
			return false;
		}
		next += got;
		at += (uint64_t)got;
		len -= (size_t)got;
	}
	return true;
}

void rpm_blob_init(struct rpm_blob *blob, struct rpm_storage *storage)
{
	memset(blob, 0, sizeof(*blob));
	blob->storage = storage;
}

void rpm_blob_clear(struct rpm_blob *blob)
{
	memory_give(blob->pieces);
	rpm_blob_init(blob, blob->storage);
}

static bool add_piece(struct rpm_blob *blob, uint64_t at)
{
	if (blob->piece_count == blob->piece_room) {
		uint32_t room = blob->piece_room ? blob->piece_room * 2 : 64;
		uint64_t *pieces = memory_grow(blob->pieces, room * sizeof(*pieces));

		if (!pieces) {
			return false;
		}
		blob->pieces = pieces;
		blob->piece_room = room;
	}
	blob->pieces[blob->piece_count++] = at;
	return true;
}

const char *rpm_blob_open(struct rpm_blob *blob, const struct rpm_locator *locator)
{
	struct rpm_storage *storage = blob->storage;
	uint32_t page = locator->next_page;
	uint32_t left;

	blob->size = 0;
	blob->piece_count = 0;
	blob->piece_len = 0;
	if (locator->size > RPM_BLOB_MAX || locator->first > locator->size ||
	    locator->size > storage->file.size + storage->wal.size) {
		return "header-long";
	}
	blob->first_at = locator->at;
	blob->first = locator->first;
	left = locator->size - locator->first;
	while (left != 0) {
		struct rpm_link link;

		/* Each page gives at least a byte: a loop ends when `left` does. */
		if (page == 0 || !storage->type->link(storage, page, left, &link) ||
		    link.len == 0 || link.len > left) {
			return "chain-broken";
		}
		if (blob->piece_count == 0) {
			blob->piece_len = link.len;
		}
		/* All but the last are full: so a position is found by a division. */
		if (link.len != blob->piece_len && link.len != left) {
			return "chain-broken";
		}
		if (!add_piece(blob, link.at)) {
			return "no-memory";
		}
		left -= link.len;
		page = link.next_page;
	}
	blob->size = locator->size;
	return NULL;
}

static bool read_at(const struct rpm_storage *storage, uint64_t at, void *to, size_t len)
{
	if (at & RPM_IN_WAL) {
		return rpm_file_read(&storage->wal, at & ~RPM_IN_WAL, to, len);
	}
	return rpm_file_read(&storage->file, at, to, len);
}

bool rpm_blob_read(const struct rpm_blob *blob, uint64_t at, void *to, size_t len)
{
	uint8_t *next = to;

	if (at > blob->size || len > blob->size - at) {
		return false;
	}
	while (len != 0) {
		uint64_t from;
		uint64_t room;
		size_t take;

		if (at < blob->first) {
			from = blob->first_at + at;
			room = blob->first - at;
		} else {
			uint64_t behind = at - blob->first;
			uint64_t piece = behind / blob->piece_len;

			if (piece >= blob->piece_count) {
				return false;
			}
			from = blob->pieces[piece] + behind % blob->piece_len;
			room = blob->piece_len - behind % blob->piece_len;
		}
		take = len < room ? len : (size_t)room;
		if (!read_at(blob->storage, from, next, take)) {
			return false;
		}
		next += take;
		at += take;
		len -= take;
	}
	return true;
}
