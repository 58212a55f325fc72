// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdlib.h>

#include "controller/judge/path_class.h"
#include "controller/judge/unit.h"
#include "schema/escape.h"

struct bytes buffer_bytes(const struct buffer *buffer)
{
	return bytes_make(buffer->data, buffer->len);
}

static int buffer_set(struct buffer *buffer, struct bytes from, struct error *err)
{
	if (from.len > buffer->room) {
		uint8_t *data = realloc(buffer->data, from.len);

		if (!data) {
			return error_set(err, ERROR_NOMEM, 0, "no memory for a section");
		}
		buffer->data = data;
		buffer->room = from.len;
	}
	if (from.len > 0) {
		memcpy(buffer->data, from.data, from.len);
	}
	buffer->len = from.len;
	return 0;
}

/* Each list at least doubles, so that growing it stays linear. */
static enum decoded grow(void **item, size_t *room, size_t count, size_t size)
{
	const size_t most = DECODED_MAX / size;
	size_t more = *room ? *room * 2 : 256;
	void *larger;

	if (count < *room) {
		return DECODED;
	}
	if (count >= most) {
		return TOO_MANY;
	}
	more = more < most ? more : most;
	larger = reallocarray(*item, more, size);
	if (!larger) {
		return NO_MEMORY;
	}
	*item = larger;
	*room = more;
	return DECODED;
}

static bool is_path(struct bytes path)
{
	return path.len > 0 && path.data[0] == '/' && !memchr(path.data, 0, path.len);
}

enum decoded entries_decode(struct bytes content, struct entry_list *list)
{
	struct cbor_reader r;

	list->count = 0;
	cbor_reader_init(&r, content);
	while (cbor_reader_has_more(&r)) {
		struct entry *entry;
		void *item = list->item;
		enum decoded grown = grow(&item, &list->room, list->count, sizeof(*entry));

		list->item = item;
		if (grown != DECODED) {
			return grown;
		}
		entry = &list->item[list->count];
		/* Canonical order is what every merge relies on. */
		if (!entry_decode(&r, entry) || !is_path(entry->path) ||
		    (list->count > 0 && bytes_path_compare(entry[-1].path, entry->path) >= 0)) {
			return MALFORMED;
		}
		list->count++;
	}
	return r.failed ? MALFORMED : DECODED;
}

static bool row_is_good(const struct record *row, size_t index, size_t fields, enum row_order order)
{
	if (fields > 0 && row->count != fields) {
		return false;
	}
	return order == ROWS_ANY ||
	       (is_path(row->field[0]) &&
		(index == 0 || bytes_path_compare(row[-1].field[0], row->field[0]) < 0));
}

enum decoded records_decode(struct bytes content, size_t fields, enum row_order order,
			    struct row_list *list)
{
	struct cbor_reader r;

	list->count = 0;
	cbor_reader_init(&r, content);
	while (cbor_reader_has_more(&r)) {
		void *item = list->item;
		enum decoded grown = grow(&item, &list->room, list->count, sizeof(*list->item));

		list->item = item;
		if (grown != DECODED) {
			return grown;
		}
		if (!record_decode(&r, &list->item[list->count]) ||
		    !row_is_good(&list->item[list->count], list->count, fields, order)) {
			return MALFORMED;
		}
		list->count++;
	}
	return r.failed ? MALFORMED : DECODED;
}

const struct entry *entry_list_find(const struct entry_list *list, struct bytes path)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(list->item[middle].path, path);

		if (order == 0) {
			return &list->item[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

void entries_clear(struct entry_list *list)
{
	free(list->item);
	*list = (struct entry_list){0};
}

void rows_clear(struct row_list *list)
{
	free(list->item);
	*list = (struct row_list){0};
}

struct bytes judge_key(const struct section_key *key, uint8_t *room)
{
	struct cbor_writer w;

	cbor_writer_init(&w, room, SECTION_KEY_MAX);
	section_key_encode(&w, key);
	/* A key too long to encode is none that a probe could have sent. */
	return w.overflow ? (struct bytes){NULL, 0} : bytes_make(room, w.len);
}

int judge_load_section(struct judge *j, const struct observed_section *section, struct buffer *to,
		       struct error *err)
{
	const struct object_source *objects = j->in->objects;
	struct bytes content = {NULL, 0};

	if (objects->load(objects->context, &section->content, &content, err) < 0) {
		return -1;
	}
	return buffer_set(to, content, err);
}

int judge_load(struct judge *j, const struct observation *from, const struct section_key *key,
	       struct buffer *to, bool *found, struct error *err)
{
	uint8_t room[SECTION_KEY_MAX];
	const struct observed_section *section = from ? observation_find(from, judge_key(key, room))
						      : NULL;

	to->len = 0;
	*found = section != NULL;
	return section ? judge_load_section(j, section, to, err) : 0;
}

int judge_load_digest(struct judge *j, const struct digest *digest, struct buffer *to, bool *found,
		      struct error *err)
{
	const struct object_source *objects = j->in->objects;
	struct bytes content = {NULL, 0};
	struct error missing = {0};

	*found = objects->load(objects->context, digest, &content, &missing) == 0;
	if (!*found && missing.kind == ERROR_LIMIT) {
		return error_set(err, ERROR_LIMIT, 0, "%s", missing.msg);
	}
	if (!*found) {
		trace_spoil(j); /* it may be had again one day */
	}
	return *found ? buffer_set(to, content, err) : 0;
}

int judge_broken(struct judge *j, const struct section_key *key, struct error *err)
{
	char subject[ESCAPE_ROOM(SECTION_KEY_MAX)];
	struct change change = {.rule = RULE_PROTOCOL, .witness = WITNESS_RULE};
	size_t len = 0;

	for (size_t i = 0; i < key->count && len + 2 < sizeof(subject); i++) {
		if (i > 0) {
			subject[len++] = ' ';
		}
		len += escape_bytes(ESCAPE_TEXT, key->part[i], subject + len,
				    sizeof(subject) - len);
	}
	change.path = bytes_make(subject, len);
	change.detail = "This section is not well-formed and was not used.";
	return judge_emit(j, &change, err);
}

/* A fault in an earlier observation was told when that was judged. */
static int told(struct judge *j, const struct observation *from, const struct section_key *key,
		enum decoded decoded, bool *found, struct error *err)
{
	if (decoded == DECODED) {
		return 0;
	}
	*found = false;
	if (decoded == NO_MEMORY) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a section");
	}
	if (decoded == TOO_MANY) {
		return error_set(err, ERROR_LIMIT, 0,
				 "a section has more objects than one may have");
	}
	return from == j->in->now ? judge_broken(j, key, err) : 0;
}

/* In canonical order what is below a folder stands together: the first and the last say it. */
bool entries_fit(const struct entry_list *list, const struct section_key *key)
{
	struct bytes dir = key->part[1];

	return key->kind != SECTION_TREE || list->count == 0 ||
	       (path_is_below(list->item[0].path, dir) &&
		path_is_below(list->item[list->count - 1].path, dir));
}

/* Where each file's content belongs to its entry; only rpm's ghosts, which say no size, have none. */
static size_t count_undigested(const struct section_key *key, const struct entry_list *list)
{
	bool is_config = key->kind == SECTION_CONFIG;
	bool has_ghosts = is_config && bytes_equal_string(key->part[1], "rpm");
	size_t count = 0;

	if (!is_config && key->kind != SECTION_PACKAGE && key->kind != SECTION_TREE &&
	    key->kind != SECTION_VOLATILE && key->kind != SECTION_SETID) {
		return 0;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct entry *entry = &list->item[i];

		count += entry->type == ENTRY_FILE && !entry->has_sha256 &&
			 (entry->has_size || !has_ghosts);
	}
	return count;
}

int judge_entries(struct judge *j, const struct observation *from, const struct section_key *key,
		  struct buffer *buffer, struct entry_list *list, bool *found, struct error *err)
{
	enum decoded decoded;

	list->count = 0;
	if (judge_load(j, from, key, buffer, found, err) < 0) {
		return -1;
	}
	decoded = entries_decode(buffer_bytes(buffer), list);
	if (decoded == DECODED && !entries_fit(list, key)) {
		decoded = MALFORMED;
	}
	if (decoded != DECODED) {
		list->count = 0;
	}
	if (from == j->in->now) {
		j->counts->files_undigested += count_undigested(key, list);
	}
	return told(j, from, key, decoded, found, err);
}

int judge_records(struct judge *j, const struct observation *from, const struct section_key *key,
		  size_t fields, enum row_order order, struct buffer *buffer, struct row_list *list,
		  bool *found, struct error *err)
{
	enum decoded decoded;

	list->count = 0;
	if (judge_load(j, from, key, buffer, found, err) < 0) {
		return -1;
	}
	decoded = records_decode(buffer_bytes(buffer), fields, order, list);
	if (decoded != DECODED) {
		list->count = 0;
	}
	return told(j, from, key, decoded, found, err);
}

struct bytes judge_keep(struct judge *j, struct bytes from)
{
	bool ok = true;
	struct bytes copy = arena_copy(&j->arena, from, &ok);

	j->lost_memory = j->lost_memory || !ok;
	return copy;
}

struct entry entry_keep(struct arena *arena, const struct entry *from, bool *ok)
{
	struct entry copy = *from;

	copy.path = arena_copy(arena, from->path, ok);
	copy.owner = arena_copy(arena, from->owner, ok);
	copy.group = arena_copy(arena, from->group, ok);
	copy.link = arena_copy(arena, from->link, ok);
	copy.caps = arena_copy(arena, from->caps, ok);
	copy.acl = arena_copy(arena, from->acl, ok);
	copy.default_acl = arena_copy(arena, from->default_acl, ok);
	copy.head = arena_copy(arena, from->head, ok);
	return copy;
}

struct entry judge_keep_entry(struct judge *j, const struct entry *from)
{
	bool ok = true;
	struct entry copy = entry_keep(&j->arena, from, &ok);

	j->lost_memory = j->lost_memory || !ok;
	return copy;
}

const struct manifest_entry *judge_keep_want(struct judge *j, const struct manifest_entry *from)
{
	struct manifest_entry *copy = judge_alloc(j, 1, sizeof(*copy));

	if (copy) {
		*copy = *from;
		copy->entry = judge_keep_entry(j, &from->entry);
	}
	return copy;
}

void *judge_alloc(struct judge *j, size_t count, size_t size)
{
	size_t total;
	void *memory = NULL;

	if (!__builtin_mul_overflow(count, size, &total)) {
		memory = arena_alloc(&j->arena, total);
	}
	j->lost_memory = j->lost_memory || !memory;
	return memory;
}
