// SPDX-License-Identifier: MIT
#include "baselines/overrides.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/file_name.h"
#include "baselines/packages.h"
#include "schema/record.h"

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for overrides");
}

bool overrides_allow(const char *kind)
{
	static const char *const kinds[] = {
		EXCEPTION_DIVERSION,   EXCEPTION_OVERRIDE, EXCEPTION_EXCLUDE, EXCEPTION_INCLUDE,
		EXCEPTION_ALTERNATIVE, EXCEPTION_SLAVE,    "capability"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kind, kinds[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* The number of a line in the text, from 1: for messages. */
static size_t line_number(struct bytes text, struct bytes line)
{
	size_t number = 1;

	while (text.len > 0) {
		const uint8_t *newline = memchr(text.data, '\n', text.len);
		size_t len = newline ? (size_t)(newline - text.data) : text.len;

		if (len == line.len && memcmp(text.data, line.data, len) == 0) {
			return number;
		}
		number++;
		text.data += len + (newline ? 1 : 0);
		text.len -= len + (newline ? 1 : 0);
	}
	return number;
}

static bool is_allowed(struct bytes line)
{
	const uint8_t *blank = memchr(line.data, ' ', line.len);
	char kind[64];
	size_t len = blank ? (size_t)(blank - line.data) : line.len;

	if (len >= sizeof(kind)) {
		return false;
	}
	memcpy(kind, line.data, len);
	kind[len] = '\0';
	return overrides_allow(kind);
}

int overrides_parse(const char *source, struct bytes text, struct record_list **list,
		    struct error *err)
{
	if (records_parse(source, text, list, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < (*list)->count; i++) {
		struct bytes line = (*list)->line[i];

		if (!is_allowed(line)) {
			(void)error_set(err, ERROR_CONFIG, 0,
					"%s:%zu: no override: only owners and modes "
					"(statoverride), capabilities, alternatives, diversions "
					"and dpkg's filters hold for every host",
					source, line_number(text, line));
			records_free(*list);
			*list = NULL;
			return -1;
		}
	}
	return 0;
}

bool overrides_path(struct bytes manager, char to[OVERRIDES_PATH_MAX])
{
	char name[FILE_NAME_ROOM];

	return file_name_escape(manager, name) &&
	       snprintf(to, OVERRIDES_PATH_MAX, PACKAGES_FOLDER "/%s/" OVERRIDES_NAME, name) <
		       OVERRIDES_PATH_MAX;
}

/* Lines of several lists as one: copies, so that the lists can go. */
static int merge(struct record_list **into, struct record_list *more, struct error *err)
{
	size_t count = (*into ? (*into)->count : 0) + more->count;
	struct bytes *lines = calloc(count + 1, sizeof(*lines));
	struct record_list *merged = NULL;
	size_t had = *into ? (*into)->count : 0;
	int result;

	if (!lines) {
		return no_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		lines[i] = i < had ? (*into)->line[i] : more->line[i - had];
	}
	result = records_make(lines, count, &merged, err);
	free(lines);
	if (result == 0) {
		records_free(*into);
		*into = merged;
	}
	return result;
}

static int add_manager(struct repository *repository, const char *name, struct record_list **list,
		       struct error *err)
{
	char path[OVERRIDES_PATH_MAX];
	struct record_list *more = NULL;
	struct repository_blob blob;
	bool found = false;
	int result;

	if ((size_t)snprintf(path, sizeof(path), PACKAGES_FOLDER "/%s/" OVERRIDES_NAME, name) >=
	    sizeof(path)) {
		return 0;
	}
	if (repository_read(repository, path, RECORDS_SIZE_MAX, &blob, &found, err) < 0) {
		return -1;
	}
	if (!found) {
		return 0;
	}
	result = overrides_parse(path, blob.content, &more, err);
	if (result == 0) {
		result = merge(list, more, err);
	}
	records_free(more);
	repository_blob_close(&blob);
	return result;
}

int overrides_read(struct repository *repository, struct record_list **list, struct error *err)
{
	struct repository_tree *top = NULL;
	int result = records_make(NULL, 0, list, err);

	if (result == 0) {
		result = repository_tree_open(repository, NULL, PACKAGES_FOLDER, &top, err);
	}
	for (size_t i = 0; result == 0 && top && i < repository_tree_count(top); i++) {
		struct repository_item item;

		repository_tree_item(top, i, &item);
		if (item.kind == REPOSITORY_TREE) {
			result = add_manager(repository, item.name, list, err);
		}
	}
	repository_tree_close(top);
	if (result < 0) {
		records_free(*list);
		*list = NULL;
	}
	return result;
}
