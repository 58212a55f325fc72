// SPDX-License-Identifier: MIT
#include "baselines/manifest.h"

#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/words.h"
#include "schema/escape.h"

void manifest_free(struct manifest *manifest)
{
	if (manifest) {
		arena_clear(manifest->memory);
		free(manifest->memory);
		free(manifest);
	}
}

const struct manifest_entry *manifest_find(const struct manifest *manifest, struct bytes path)
{
	size_t low = 0, high = manifest->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(manifest->entries[middle].entry.path, path);

		if (order == 0) {
			return &manifest->entries[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

size_t manifest_words(const struct manifest_entry *entry, char *to, size_t room)
{
	return words_write(entry, to, room);
}

size_t manifest_words_of_entry(const struct entry *entry, char *to, size_t room)
{
	struct manifest_entry whole = {.entry = *entry};

	return words_write(&whole, to, room);
}

int manifest_entry_parse(struct bytes path, struct bytes words, uint8_t *scratch,
			 struct manifest_entry *entry, struct error *err)
{
	struct words reader = {0};
	uint8_t *rest = scratch, *word;
	size_t left = words.len, len;

	if (path.len == 0 || path.len > ENTRY_PATH_MAX || path.data[0] != '/') {
		return error_set(err, ERROR_CONFIG, 0, "not an absolute path");
	}
	if (words.len > MANIFEST_WORDS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "longer than any entry");
	}
	if (words.len > 0) {
		memcpy(scratch, words.data, words.len);
	}
	while (words_next(&rest, &left, &word, &len)) {
		if (len == 3 && memcmp(word, "...", 3) == 0) {
			return error_set(err, ERROR_CONFIG, 0, "the description was cut short");
		}
		if (words_take(&reader, word, len, err) < 0) {
			return -1;
		}
	}
	if (words_finish(&reader, err) < 0) {
		return -1;
	}
	*entry = reader.entry;
	entry->entry.path = path;
	return 0;
}

int manifest_new(const char *source, const char *origin, struct manifest **manifest,
		 struct error *err)
{
	struct manifest *made = calloc(1, sizeof(*made));
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!made || !arena) {
		goto nomem;
	}
	made->memory = arena;
	made->source = arena_string(arena, source ? source : "");
	made->origin = arena_string(arena, origin ? origin : "");
	if (!made->source || !made->origin) {
		goto nomem;
	}
	*manifest = made;
	return 0;
nomem:
	if (arena) {
		arena_clear(arena);
	}
	free(arena);
	free(made);
	return error_set(err, ERROR_NOMEM, 0, "no memory for a manifest");
}

static int compare_entries(const void *a, const void *b)
{
	const struct manifest_entry *x = a, *y = b;

	return bytes_path_compare(x->entry.path, y->entry.path);
}

static const struct manifest_rpm *copy_rpm(struct arena *arena, const struct manifest_rpm *rpm,
					   bool *ok)
{
	struct manifest_rpm *made = arena_alloc(arena, sizeof(*made));

	if (!made) {
		*ok = false;
		return NULL;
	}
	*made = *rpm;
	if (rpm->digest.len > 0) {
		made->digest = arena_copy(arena, rpm->digest, ok);
	}
	return made;
}

static void copy_fields(struct arena *arena, struct entry *entry, bool *ok)
{
	entry->path = arena_copy(arena, entry->path, ok);
	entry->owner = arena_copy(arena, entry->owner, ok);
	entry->group = arena_copy(arena, entry->group, ok);
	entry->link = arena_copy(arena, entry->link, ok);
	entry->caps = arena_copy(arena, entry->caps, ok);
	entry->acl = arena_copy(arena, entry->acl, ok);
	entry->default_acl = arena_copy(arena, entry->default_acl, ok);
	entry->head = arena_copy(arena, entry->head, ok);
}

int manifest_make(const struct manifest_entry *entries, size_t count, const char *source,
		  const char *origin, struct manifest **manifest, struct error *err)
{
	struct manifest *made = NULL;
	bool ok = true;

	if (manifest_new(source, origin, &made, err) < 0 || !made) {
		return -1;
	}
	if (count > SIZE_MAX / sizeof(*entries)) {
		goto nomem;
	}
	made->entries = arena_alloc(made->memory, count * sizeof(*entries));
	if (!made->entries) {
		goto nomem;
	}
	made->count = count;
	for (size_t i = 0; i < count; i++) {
		made->entries[i] = entries[i];
		copy_fields(made->memory, &made->entries[i].entry, &ok);
		if (entries[i].rpm) {
			made->entries[i].rpm = copy_rpm(made->memory, entries[i].rpm, &ok);
		}
	}
	if (!ok) {
		goto nomem;
	}
	qsort(made->entries, count, sizeof(*entries), compare_entries);
	for (size_t i = 1; i < count; i++) {
		if (compare_entries(&made->entries[i - 1], &made->entries[i]) == 0) {
			char shown[200];

			(void)error_set(
				err, ERROR_CONFIG, 0, "%s: %s stands twice", made->source,
				escape_text(made->entries[i].entry.path, shown, sizeof(shown)));
			manifest_free(made);
			return -1;
		}
	}
	*manifest = made;
	return 0;
nomem:
	manifest_free(made);
	return error_set(err, ERROR_NOMEM, 0, "no memory for a manifest of %zu entries", count);
}
