// SPDX-License-Identifier: MIT
#include "controller/cmd/accepting_pile.h"

#include <stdlib.h>
#include <string.h>

#include "controller/judge/pile_value.h"
#include "schema/cbor.h"
#include "schema/section.h"

struct gather {
	struct store *store;
	const struct finding *finding;
	const char *host;
	struct pile_changes *to;
	struct bytes *seen; /* paths that the finding covers and that are there, sorted */
	size_t seen_count;
	size_t seen_room;
	struct bytes *condemned; /* compiled Python with a finding of its own */
	size_t condemned_count;
	size_t condemned_room;
	struct error *err;
};

static int grow(void *list, size_t count, size_t *room, size_t size, struct error *err)
{
	void *grown;

	if (count < *room) {
		return 0;
	}
	grown = reallocarray(*(void **)list, *room ? *room * 2 : 256, size);
	if (!grown) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	*(void **)list = grown;
	*room = *room ? *room * 2 : 256;
	return 0;
}

/* Takes the memory over, also where it fails. */
static int keep(struct gather *g, void *memory)
{
	struct pile_changes *to = g->to;

	if (!memory) {
		return error_set(g->err, ERROR_NOMEM, 0, "out of memory");
	}
	if (grow(&to->memory, to->memory_count, &to->memory_room, sizeof(void *), g->err) < 0) {
		free(memory);
		return -1;
	}
	to->memory[to->memory_count++] = memory;
	return 0;
}

static int keep_copy(struct gather *g, struct bytes from, struct bytes *copy)
{
	uint8_t *made = malloc(from.len + 1);

	if (made && from.len > 0) {
		memcpy(made, from.data, from.len);
	}
	*copy = bytes_make(made, from.len);
	return keep(g, made);
}

static int add(struct gather *g, enum edit_what what, struct bytes path, struct bytes value)
{
	struct pile_changes *to = g->to;

	if (grow(&to->change, to->count, &to->room, sizeof(*to->change), g->err) < 0) {
		return -1;
	}
	to->change[to->count++] =
		(struct edit_change){.host = g->host, .what = what, .path = path, .value = value};
	return 0;
}

static int compare_paths(const void *left, const void *right)
{
	return bytes_path_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

static bool is_seen(const struct gather *g, struct bytes path)
{
	return g->seen_count > 0 &&
	       bsearch(&path, g->seen, g->seen_count, sizeof(path), compare_paths) != NULL;
}

/* Accepting a tree accepts the compiled Python in it, but what has a finding of its own. */
static bool is_condemned(const struct gather *g, struct bytes path)
{
	for (size_t i = 0; i < g->condemned_count; i++) {
		struct bytes one = g->condemned[i];

		if (bytes_has_prefix(path, one) &&
		    (path.len == one.len || path.data[one.len] == '/')) {
			return true;
		}
	}
	return false;
}

static bool covers(const struct gather *g, const struct entry *entry)
{
	struct bytes subject = g->finding->subject, value = g->finding->new_value;

	if (pile_value_covers(subject, value, entry)) {
		return true;
	}
	return bytes_has_prefix(value, BYTES_LITERAL(PILE_TREE " ")) &&
	       pile_part(subject, entry) == PART_BYTECODE &&
	       pile_value_covers_path(subject, value, entry->path) && !is_condemned(g, entry->path);
}

static int see(struct gather *g, const struct entry *entry)
{
	struct manifest_entry exact = {.entry = *entry, .tags = MANIFEST_CAPS};
	char *words = malloc(MANIFEST_WORDS_MAX), *cut;
	size_t len;

	if (grow(&g->seen, g->seen_count, &g->seen_room, sizeof(*g->seen), g->err) < 0 || !words) {
		free(words);
		return words ? -1 : error_set(g->err, ERROR_NOMEM, 0, "out of memory");
	}
	g->seen[g->seen_count++] = entry->path;
	len = manifest_words(&exact, words, MANIFEST_WORDS_MAX);
	cut = realloc(words, len + 1);
	words = cut ? cut : words;
	if (keep(g, words) < 0) {
		return -1;
	}
	return add(g, EDIT_ENTRY, entry->path, bytes_make(words, len));
}

/* Of the newest observation: what is there. Of the first one: what is not any more. */
static int read_section(struct gather *g, const struct observed_section *section, bool is_now)
{
	struct cbor_reader reader;
	struct section_key key;
	struct entry entry;
	uint8_t *data = NULL;
	size_t len = 0;
	int status = 0;

	if (!section_key_decode(section->key, &key) || key.kind != SECTION_TREE) {
		return 0;
	}
	if (store_object_load(g->store, &section->content, &data, &len, g->err) < 0 ||
	    keep(g, data) < 0) {
		return -1;
	}
	cbor_reader_init(&reader, bytes_make(data, len));
	while (status == 0 && cbor_reader_has_more(&reader)) {
		if (!entry_decode(&reader, &entry)) {
			return error_set(g->err, ERROR_STORE, 0,
					 "an object of the database is no list of entries");
		}
		if (covers(g, &entry)) {
			if (is_now) {
				status = see(g, &entry);
			} else if (!is_seen(g, entry.path)) {
				status = add(g, EDIT_ABSENT, entry.path, bytes_make(NULL, 0));
			}
		}
	}
	return status;
}

static int read_observation(struct gather *g, enum store_which which, bool is_now)
{
	struct observation *seen = NULL;
	int status;

	if (store_observation_load(g->store, g->host, which, &seen, g->err) < 0) {
		return -1;
	}
	if (!seen) {
		return error_set(g->err, ERROR_CONFIG, 0, "%s: never looked at whole", g->host);
	}
	status = 0;
	for (size_t i = 0; status == 0 && i < seen->section_count; i++) {
		status = read_section(g, &seen->sections[i], is_now);
	}
	store_observation_free(seen);
	return status;
}

/* What was accepted and is gone. */
static int read_accepted(struct gather *g, const struct manifest *accepted)
{
	int status = 0;

	for (size_t i = 0; accepted && status == 0 && i < accepted->count; i++) {
		const struct entry *entry = &accepted->entries[i].entry;

		if (covers(g, entry) && !is_seen(g, entry->path)) {
			struct bytes path;

			/* After a capture nothing else knows the path. */
			status = keep_copy(g, entry->path, &path);
			if (status == 0) {
				status = add(g, accepted->captured ? EDIT_FORGET : EDIT_ABSENT,
					     path, bytes_make(NULL, 0));
			}
		}
	}
	return status;
}

static int on_finding(void *context, const struct store_finding_row *row)
{
	struct gather *g = context;
	const struct finding *finding = row->finding;
	struct bytes copy;

	if (finding->rule != RULE_UNOWNED_BYTECODE || finding->state > FINDING_OPEN ||
	    finding->subject.len == 0) {
		return 0;
	}
	if (keep_copy(g, finding->subject, &copy) < 0 ||
	    grow(&g->condemned, g->condemned_count, &g->condemned_room, sizeof(*g->condemned),
		 g->err) < 0) {
		return -1;
	}
	g->condemned[g->condemned_count++] = copy;
	return 0;
}

bool accepting_pile_is(const struct finding *finding)
{
	return pile_value_is(finding->new_value);
}

int accepting_pile(struct store *store, struct baseline *baseline, const struct finding *finding,
		   const char *host, struct pile_changes *changes, struct error *err)
{
	const struct store_finding_query query = {.host = host};
	struct gather g = {
		.store = store, .finding = finding, .host = host, .to = changes, .err = err};
	const struct record_list *records = NULL;
	const struct manifest *accepted = NULL;
	int status = -1;

	if (store_findings(store, &query, on_finding, &g, err) < 0 ||
	    read_observation(&g, STORE_LAST_COMPLETE, true) < 0) {
		goto out;
	}
	if (g.seen_count > 1) {
		qsort(g.seen, g.seen_count, sizeof(*g.seen), compare_paths);
	}
	if (baseline && baseline_accepted(baseline, host, NULL, 0, &accepted, &records, err) < 0) {
		goto out;
	}
	if (read_accepted(&g, accepted) < 0 ||
	    ((!accepted || !accepted->captured) && read_observation(&g, STORE_FIRST, false) < 0)) {
		goto out;
	}
	status = 0;
out:
	free(g.seen);
	free(g.condemned);
	return status;
}

void pile_changes_clear(struct pile_changes *changes)
{
	for (size_t i = 0; i < changes->memory_count; i++) {
		free(changes->memory[i]);
	}
	free(changes->memory);
	free(changes->change);
	*changes = (struct pile_changes){0};
}
