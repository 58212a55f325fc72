// SPDX-License-Identifier: MIT
#include "baselines/rpm/section.h"

#include <stdlib.h>

#include "baselines/arena.h"
#include "schema/record.h"

#define ITEMS_MAX 65536U
#define ITEM_SIZE_MAX ((size_t)257 << 20) /* a header is never larger (rpm: HEADER_DATA_MAX) */

static const char *const part_names[] = {
	[RPM_ITEM_REGION] = HEADER_REGION,     [RPM_ITEM_SIGNATURE] = HEADER_SIGNATURE,
	[RPM_ITEM_OVERRIDE] = HEADER_OVERRIDE, [RPM_ITEM_REST] = HEADER_REST,
	[RPM_ITEM_BARE] = HEADER_BARE,         [RPM_ITEM_NUMBER] = HEADER_NUMBER,
};

struct chunk {
	enum rpm_item_part part;
	uint32_t tag;
	uint32_t type;
	uint32_t number;
	struct bytes value;
};

static int malformed(struct error *err)
{
	return error_set(err, ERROR_PEER, 0, "an rpm header's section is malformed");
}

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for an rpm header's section");
}

static bool load_number(struct bytes field, size_t size, uint32_t *number)
{
	*number = 0;
	for (size_t i = 0; i < field.len && i < size; i++) {
		*number = *number << 8 | field.data[i];
	}
	return field.len == size;
}

static bool read_chunk(struct cbor_reader *r, struct chunk *chunk)
{
	struct record record;

	if (!record_decode(r, &record) || record.count != HEADER_FIELDS ||
	    !load_number(record.field[HEADER_TAG], 4, &chunk->tag) ||
	    !load_number(record.field[HEADER_TYPE], 1, &chunk->type) ||
	    !load_number(record.field[HEADER_CHUNK], 4, &chunk->number)) {
		return false;
	}
	chunk->value = record.field[HEADER_VALUE];
	for (size_t i = 0; i < sizeof(part_names) / sizeof(part_names[0]); i++) {
		if (bytes_equal_string(record.field[HEADER_PART], part_names[i])) {
			chunk->part = (enum rpm_item_part)i;
			return chunk->value.len <= HEADER_CHUNK_SIZE;
		}
	}
	return false;
}

/* An item that is being read: joined once its end is known. */
struct open_item {
	struct rpm_item item;
	size_t at; /* of its first chunk, in the content */
	uint32_t chunks;
	size_t len;
	size_t last_len;
};

static bool continues(const struct open_item *open, const struct chunk *chunk)
{
	return open->chunks > 0 && chunk->number == open->chunks &&
	       open->item.part == chunk->part && open->item.tag == chunk->tag &&
	       open->item.type == chunk->type && open->last_len == HEADER_CHUNK_SIZE &&
	       chunk->value.len > 0 && open->len <= ITEM_SIZE_MAX;
}

/* The parts as listed, tags ascending. */
static bool follows(const struct open_item *open, const struct chunk *chunk)
{
	return chunk->number == 0 &&
	       (open->chunks == 0 || chunk->part > open->item.part ||
		(chunk->part == open->item.part && chunk->tag >= open->item.tag));
}

static int add_item(struct rpm_section *section, const struct rpm_item *item, size_t *room,
		    struct error *err)
{
	if (section->count == ITEMS_MAX) {
		return malformed(err);
	}
	if (section->count == *room) {
		size_t more = *room > 0 ? 2 * *room : 16;
		struct rpm_item *grown = arena_alloc(section->memory, more * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		if (section->count > 0) {
			memcpy(grown, section->items, section->count * sizeof(*grown));
		}
		section->items = grown;
		*room = more;
	}
	section->items[section->count++] = *item;
	return 0;
}

static int close_item(struct rpm_section *section, struct open_item *open, struct bytes content,
		      size_t *room, struct error *err)
{
	struct cbor_reader r;
	struct chunk chunk;
	uint8_t *to;

	if (open->chunks == 0) {
		return 0;
	}
	if (open->chunks > 1) {
		to = arena_alloc(section->memory, open->len);
		if (!to) {
			return no_memory(err);
		}
		open->item.value = bytes_make(to, open->len);
		cbor_reader_init(&r, bytes_make(content.data + open->at, content.len - open->at));
		/* Each was read before. */
		for (uint32_t i = 0; i < open->chunks && read_chunk(&r, &chunk); i++) {
			memcpy(to, chunk.value.data, chunk.value.len);
			to += chunk.value.len;
		}
	}
	return add_item(section, &open->item, room, err);
}

static int read_items(struct rpm_section *section, struct bytes content, struct error *err)
{
	struct open_item open = {.chunks = 0};
	struct cbor_reader r;
	size_t room = 0;

	cbor_reader_init(&r, content);
	while (cbor_reader_has_more(&r)) {
		struct chunk chunk;
		size_t at = r.at;

		if (!read_chunk(&r, &chunk)) {
			return malformed(err);
		}
		if (continues(&open, &chunk)) {
			open.chunks++;
			open.len += chunk.value.len;
			open.last_len = chunk.value.len;
			continue;
		}
		if (!follows(&open, &chunk)) {
			return malformed(err);
		}
		if (close_item(section, &open, content, &room, err) < 0) {
			return -1;
		}
		open = (struct open_item){
			.item = {chunk.part, chunk.tag, chunk.type, chunk.value},
			.at = at,
			.chunks = 1,
			.len = chunk.value.len,
			.last_len = chunk.value.len,
		};
	}
	return r.failed ? malformed(err) : close_item(section, &open, content, &room, err);
}

int rpm_section_read(struct bytes content, struct rpm_section *section, struct error *err)
{
	*section = (struct rpm_section){.memory = calloc(1, sizeof(struct arena))};
	if (!section->memory) {
		return no_memory(err);
	}
	if (read_items(section, content, err) < 0) {
		rpm_section_clear(section);
		return -1;
	}
	return 0;
}

void rpm_section_clear(struct rpm_section *section)
{
	if (section->memory) {
		arena_clear(section->memory);
		free(section->memory);
	}
	memset(section, 0, sizeof(*section));
}

const struct rpm_item *rpm_section_find(const struct rpm_section *section, enum rpm_item_part part,
					uint32_t tag)
{
	for (size_t i = 0; i < section->count; i++) {
		if (section->items[i].part == part && section->items[i].tag == tag) {
			return &section->items[i];
		}
	}
	return NULL;
}
