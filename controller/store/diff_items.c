// SPDX-License-Identifier: MIT
#include "controller/store/diff_items.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/manifest.h"
#include "controller/store/pack.h"
#include "schema/entry.h"
#include "schema/escape.h"
#include "schema/record.h"

#define ITEM_DEPTH 4

/* One item of a content: what it speaks of, and its whole encoding. */
struct part {
	struct bytes identity;
	struct bytes encoded;
};

struct parts {
	struct part *item;
	size_t count;
	size_t room;
	bool malformed;
};

void diff_items_clear(struct diff_items *items)
{
	arena_clear(&items->arena);
	free(items->item);
	items->item = NULL;
	items->count = 0;
	items->room = 0;
}

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
}

/* How many fields of a record name what it speaks of; they stand first in it. */
static size_t identity_fields(enum section_kind kind)
{
	return kind == SECTION_INSTALLS ? 3 : kind == SECTION_EXCEPTIONS ? 2 : 1;
}

/* The path of an entry, or the named fields of a record as they are encoded. */
static struct bytes identity_of(enum section_kind kind, struct bytes encoded)
{
	struct cbor_reader r;
	struct entry entry;
	size_t from, fields;

	cbor_reader_init(&r, encoded);
	if (section_kind_has_entries(kind)) {
		return entry_decode(&r, &entry) ? entry.path : bytes_make(NULL, 0);
	}
	fields = (size_t)cbor_read_array(&r, RECORD_FIELDS_MAX);
	from = r.at;
	for (size_t i = 0; i < fields && i < identity_fields(kind); i++) {
		(void)cbor_read_bytes(&r);
	}
	return r.failed ? bytes_make(NULL, 0) : bytes_make(encoded.data + from, r.at - from);
}

static int by_identity(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int order = bytes_path_compare(x->identity, y->identity);

	return order != 0 ? order : bytes_compare(x->encoded, y->encoded);
}

static int split(enum section_kind kind, struct bytes content, struct parts *parts,
		 struct error *err)
{
	bool sorted = true;
	size_t at = 0;

	while (at < content.len) {
		size_t size =
			cbor_item_size(bytes_make(content.data + at, content.len - at), ITEM_DEPTH);
		struct part part;

		if (parts->count == parts->room) {
			size_t room = parts->room ? parts->room * 2 : 64;
			struct part *item = realloc(parts->item, room * sizeof(*item));

			if (!item) {
				return no_memory(err);
			}
			parts->item = item;
			parts->room = room;
		}
		part.encoded = bytes_make(content.data + at, size);
		part.identity = identity_of(kind, part.encoded);
		if (size == 0 || part.identity.len == 0) {
			parts->malformed = true;
			return 0;
		}
		parts->item[parts->count++] = part;
		sorted = sorted &&
			 (parts->count == 1 || by_identity(&parts->item[parts->count - 2],
							   &parts->item[parts->count - 1]) <= 0);
		at += size;
	}
	if (!sorted) {
		qsort(parts->item, parts->count, sizeof(*parts->item), by_identity);
	}
	return 0;
}

static bool is_binary(enum section_kind kind, size_t field)
{
	return (kind == SECTION_MD5 && field != MD5_PATH) ||
	       (kind == SECTION_CLAIMS && field == CLAIM_MD5) ||
	       (kind == SECTION_INSTALLS && field >= INSTALLS_TIME);
}

/* A record's fields, escaped, blanks between; digests in hexadecimal. */
static void record_words(enum section_kind kind, const struct record *record, struct pack *p)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < record->count; i++) {
		struct bytes field = record->field[i];
		uint8_t *to = pack_reserve(p, ESCAPE_ROOM(field.len) + 2);

		if (!to) {
			return;
		}
		if (i > 0) {
			*to++ = ' ';
			p->len++;
		}
		if (is_binary(kind, i)) {
			for (size_t j = 0; j < field.len; j++) {
				to[2 * j] = (uint8_t)hex[field.data[j] >> 4];
				to[2 * j + 1] = (uint8_t)hex[field.data[j] & 15];
			}
			p->len += 2 * field.len;
		} else {
			p->len += escape_bytes(ESCAPE_MTREE, field, (char *)to,
					       ESCAPE_ROOM(field.len));
		}
	}
}

static void words_of(enum section_kind kind, struct bytes encoded, struct pack *p)
{
	struct cbor_reader r;
	struct record record;
	struct entry entry;
	uint8_t *to;

	p->len = 0;
	cbor_reader_init(&r, encoded);
	if (section_kind_has_entries(kind)) {
		to = pack_reserve(p, 4 * ENTRY_SIZE_MAX);
		if (to && entry_decode(&r, &entry)) {
			p->len = manifest_words_of_entry(&entry, (char *)to, 4 * ENTRY_SIZE_MAX);
		}
	} else if (record_decode(&r, &record)) {
		record_words(kind, &record, p);
	}
}

/* What people call it: the path, or the last of the fields that name it. */
static struct bytes subject_of(enum section_kind kind, struct bytes encoded)
{
	struct cbor_reader r;
	struct record record;

	if (section_kind_has_entries(kind)) {
		return identity_of(kind, encoded);
	}
	cbor_reader_init(&r, encoded);
	if (!record_decode(&r, &record)) {
		return (struct bytes){0};
	}
	if (kind == SECTION_INSTALLS || record.count < identity_fields(kind)) {
		return record.field[0];
	}
	return record.field[identity_fields(kind) - 1];
}

static bool is_plain_state(struct bytes state)
{
	return bytes_equal_string(state, "install ok installed") ||
	       bytes_equal_string(state, "installed");
}

/* Of rpm, up to protocol 3: what [installs] has now stood in [claims]. */
static bool is_moved(const struct record *record)
{
	static const uint8_t time[] = {0, 0, 1008 >> 8, 1008 & 255};
	static const uint8_t transaction[] = {0, 0, 1128 >> 8, 1128 & 255};
	struct bytes part = record->field[HEADER_PART], tag = record->field[HEADER_TAG];

	return record->count == HEADER_FIELDS &&
	       (bytes_equal_string(part, HEADER_NUMBER) ||
		(bytes_equal_string(part, HEADER_REST) &&
		 (bytes_equal(tag, bytes_make(time, sizeof(time))) ||
		  bytes_equal(tag, bytes_make(transaction, sizeof(transaction))))));
}

/*
 * A package's own section tells that it came, went or changed version; the record tells the rest:
 * another state, another time of installation. The number of a header says nothing by itself.
 */
static bool is_told_elsewhere(enum section_kind kind, const struct part *old_part,
			      const struct part *new_part)
{
	struct record a = {0}, b = {0};
	struct cbor_reader r;

	if (old_part) {
		cbor_reader_init(&r, old_part->encoded);
		(void)record_decode(&r, &a);
	}
	if (new_part) {
		cbor_reader_init(&r, new_part->encoded);
		(void)record_decode(&r, &b);
	}
	switch (kind) {
	case SECTION_PACKAGES:
		return (!old_part ||
			(a.count == PACKAGES_FIELDS && is_plain_state(a.field[PACKAGES_STATE]))) &&
		       (!new_part ||
			(b.count == PACKAGES_FIELDS && is_plain_state(b.field[PACKAGES_STATE])));
	case SECTION_INSTALLS:
		return !old_part || !new_part ||
		       (a.count == INSTALLS_FIELDS && b.count == INSTALLS_FIELDS &&
			bytes_equal(a.field[INSTALLS_TIME], b.field[INSTALLS_TIME]));
	case SECTION_CLAIMS:
		return old_part && !new_part && is_moved(&a);
	default:
		return false;
	}
}

static int add(struct diff_items *items, enum section_kind kind, const struct part *old_part,
	       const struct part *new_part, struct pack *words, struct error *err)
{
	const struct part *shown = new_part ? new_part : old_part;
	struct diff_item *item;
	bool ok = true;

	assert(shown);
	if (is_told_elsewhere(kind, old_part, new_part)) {
		return 0;
	}
	if (items->count == items->room) {
		size_t room = items->room ? items->room * 2 : 8;

		item = realloc(items->item, room * sizeof(*item));
		if (!item) {
			return no_memory(err);
		}
		items->item = item;
		items->room = room;
	}
	item = &items->item[items->count];
	*item = (struct diff_item){
		.change = !old_part   ? STORE_ADDED
			  : !new_part ? STORE_REMOVED
				      : STORE_CHANGED,
	};
	item->subject = arena_copy(&items->arena, subject_of(kind, shown->encoded), &ok);
	if (old_part) {
		words_of(kind, old_part->encoded, words);
		item->old_value = arena_copy(&items->arena, pack_all(words), &ok);
	}
	if (new_part) {
		words_of(kind, new_part->encoded, words);
		item->new_value = arena_copy(&items->arena, pack_all(words), &ok);
	}
	if (!ok || words->failed) {
		return no_memory(err);
	}
	items->count++;
	return 0;
}

/* How many from `at` on speak of the same thing. */
static size_t group(const struct parts *parts, size_t at)
{
	size_t n = 1;

	while (at + n < parts->count &&
	       bytes_equal(parts->item[at].identity, parts->item[at + n].identity)) {
		n++;
	}
	return n;
}

/*
 * All that speak of one thing on both sides (stacked mounts are several). What is equal goes in
 * pairs first; of the rest one takes the place of another.
 */
static int compare_group(struct diff_items *items, enum section_kind kind, struct part *a,
			 size_t a_count, struct part *b, size_t b_count, struct pack *words,
			 struct error *err)
{
	size_t i = 0, j = 0, a_left = 0, b_left = 0;

	while (i < a_count || j < b_count) {
		int order = i == a_count   ? 1
			    : j == b_count ? -1
					   : bytes_compare(a[i].encoded, b[j].encoded);

		if (order < 0) {
			a[a_left++] = a[i];
		} else if (order > 0) {
			b[b_left++] = b[j];
		}
		i += order <= 0;
		j += order >= 0;
	}
	for (i = 0; i < a_left || i < b_left; i++) {
		if (add(items, kind, i < a_left ? &a[i] : NULL, i < b_left ? &b[i] : NULL, words,
			err)) {
			return -1;
		}
	}
	return 0;
}

static int compare(struct diff_items *items, enum section_kind kind, struct parts *a,
		   struct parts *b, struct pack *words, struct error *err)
{
	size_t i = 0, j = 0;

	while (i < a->count || j < b->count) {
		int order = i == a->count ? 1
			    : j == b->count
				    ? -1
				    : bytes_path_compare(a->item[i].identity, b->item[j].identity);
		size_t n = order <= 0 ? group(a, i) : 0, m = order >= 0 ? group(b, j) : 0;

		if (compare_group(items, kind, n ? a->item + i : NULL, n, m ? b->item + j : NULL, m,
				  words, err)) {
			return -1;
		}
		i += n;
		j += m;
	}
	return 0;
}

static int add_whole(struct diff_items *items, struct bytes old_content, struct bytes new_content,
		     struct error *err)
{
	char text[2][2 * DIGEST_SIZE + 8] = {"", ""};
	struct bytes content[2] = {old_content, new_content};
	bool ok = true;

	items->item = calloc(1, sizeof(*items->item));
	if (!items->item) {
		return no_memory(err);
	}
	for (size_t side = 0; side < 2; side++) {
		struct digest digest;

		if (content[side].len == 0) {
			continue;
		}
		if (pack_digest(content[side], &digest, err)) {
			return -1;
		}
		(void)snprintf(text[side], sizeof(text[side]), "sha256=");
		for (size_t i = 0; i < DIGEST_SIZE; i++) {
			(void)snprintf(text[side] + 7 + 2 * i, 3, "%02x", digest.bytes[i]);
		}
	}
	items->room = items->count = 1;
	items->item[0] = (struct diff_item){
		.change = old_content.len == 0   ? STORE_ADDED
			  : new_content.len == 0 ? STORE_REMOVED
						 : STORE_CHANGED,
		.old_value = arena_copy(&items->arena, bytes_from_string(text[0]), &ok),
		.new_value = arena_copy(&items->arena, bytes_from_string(text[1]), &ok),
	};
	return ok ? 0 : no_memory(err);
}

int diff_items_make(enum section_kind kind, struct bytes old_content, struct bytes new_content,
		    struct diff_items *items, struct error *err)
{
	struct parts a = {0}, b = {0};
	struct pack words = {0};
	int result = -1;

	diff_items_clear(items);
	if (kind == SECTION_HEADER) {
		return add_whole(items, old_content, new_content, err);
	}
	if (split(kind, old_content, &a, err) || split(kind, new_content, &b, err)) {
		goto out;
	}
	if (a.malformed || b.malformed) {
		result = add_whole(items, old_content, new_content, err);
	} else {
		result = compare(items, kind, &a, &b, &words, err);
	}
out:
	free(a.item);
	free(b.item);
	pack_clear(&words);
	return result;
}
