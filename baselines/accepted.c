// SPDX-License-Identifier: MIT
#include "baselines/accepted.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/file_name.h"
#include "baselines/mtree.h"

struct group {
	struct group *next;
	struct accepted_layer layer;
	char name[];
};

struct accepted {
	struct repository *repository;
	struct group *groups;
	struct accepted_layer host;   /* files of the latest host */
	struct accepted_layer merged; /* made of several layers; borrows from them */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for an accepted state");
}

bool accepted_path(const char *folder, const char *name, const char *suffix,
		   char to[ACCEPTED_PATH_MAX])
{
	char escaped[FILE_NAME_ROOM];

	return file_name_escape(bytes_from_string(name), escaped) &&
	       (size_t)snprintf(to, ACCEPTED_PATH_MAX, "%s/%s.%s", folder, escaped, suffix) <
		       ACCEPTED_PATH_MAX;
}

void accepted_layer_clear(struct accepted_layer *layer)
{
	manifest_free(layer->manifest);
	records_free(layer->records);
	*layer = (struct accepted_layer){0};
}

static int read_manifest(struct repository *repository, const char *path,
			 struct manifest **manifest, struct error *err)
{
	struct repository_blob blob;
	bool found;
	int result;

	if (repository_read(repository, path, MTREE_SIZE_MAX, &blob, &found, err) < 0) {
		return -1;
	}
	result = found ? mtree_parse(path, blob.content, manifest, err) : 0;
	repository_blob_close(&blob);
	if (result == 0 && *manifest) {
		(*manifest)->trust = MANIFEST_ACCEPTED;
	}
	return result;
}

int accepted_layer_read(struct repository *repository, const char *folder, const char *name,
			struct accepted_layer *layer, struct error *err)
{
	char path[ACCEPTED_PATH_MAX];
	struct repository_blob blob;
	bool found;
	int result;

	*layer = (struct accepted_layer){0};
	if (!accepted_path(folder, name, "mtree", path)) {
		return 0;
	}
	if (read_manifest(repository, path, &layer->manifest, err) < 0) {
		return -1;
	}
	(void)accepted_path(folder, name, "records", path);
	if (repository_read(repository, path, RECORDS_SIZE_MAX, &blob, &found, err) < 0) {
		accepted_layer_clear(layer);
		return -1;
	}
	result = found ? records_parse(path, blob.content, &layer->records, err) : 0;
	repository_blob_close(&blob);
	if (result < 0) {
		accepted_layer_clear(layer);
	}
	return result;
}

/* What was captured had no capabilities where it names none: mtree_parse cannot know that. */
static void fill_in_capabilities(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++) {
		if (manifest->entries[i].entry.type == ENTRY_FILE) {
			manifest->entries[i].tags |= MANIFEST_CAPS;
		}
	}
}

/* A layer that has one of the two files has both, one of them empty. */
static int complete(struct accepted_layer *layer, struct error *err)
{
	if (!layer->manifest && !layer->records) {
		return 0;
	}
	if (!layer->manifest) {
		if (manifest_new(NULL, NULL, &layer->manifest, err) < 0) {
			return -1;
		}
		layer->manifest->trust = MANIFEST_ACCEPTED;
	}
	fill_in_capabilities(layer->manifest);
	return layer->records ? 0 : records_make(NULL, 0, &layer->records, err);
}

int accepted_new(struct repository *repository, struct accepted **accepted, struct error *err)
{
	*accepted = calloc(1, sizeof(**accepted));
	if (!*accepted) {
		return no_memory(err);
	}
	(*accepted)->repository = repository;
	return 0;
}

void accepted_free(struct accepted *accepted)
{
	struct group *group;

	if (!accepted) {
		return;
	}
	while ((group = accepted->groups)) {
		accepted->groups = group->next;
		accepted_layer_clear(&group->layer);
		free(group);
	}
	accepted_layer_clear(&accepted->host);
	accepted_layer_clear(&accepted->merged);
	free(accepted);
}

static int group_layer(struct accepted *a, const char *name, const struct accepted_layer **layer,
		       struct error *err)
{
	struct group *group = a->groups;
	size_t len = strlen(name);

	while (group && strcmp(group->name, name) != 0) {
		group = group->next;
	}
	if (!group) {
		group = calloc(1, sizeof(*group) + len + 1);
		if (!group) {
			return no_memory(err);
		}
		memcpy(group->name, name, len + 1);
		if (accepted_layer_read(a->repository, ACCEPTED_GROUPS, name, &group->layer, err) <
			    0 ||
		    complete(&group->layer, err) < 0) {
			accepted_layer_clear(&group->layer);
			free(group);
			return -1;
		}
		group->next = a->groups;
		a->groups = group;
	}
	*layer = &group->layer;
	return 0;
}

/* Whether the layer says that `path` is accepted as absent. */
static bool says_absent(const struct record_list *records, struct bytes path)
{
	struct record record = {.count = 1, .field = {path}};
	char line[ENTRY_PATH_MAX * 4 + 32];
	size_t len;

	if (records->count == 0) {
		return false;
	}
	len = records_line("absent", &record, 0, line, sizeof(line));
	return records_has(records, bytes_make(line, len));
}

/* Whether `line` says absent of a path that the manifest has. */
static bool is_contradicted(struct bytes line, const struct manifest *manifest)
{
	uint8_t scratch[RECORDS_LINE_MAX];
	struct record record;
	const char *kind;
	struct error ignored;

	return bytes_has_prefix(line, BYTES_LITERAL("absent ")) && line.len <= sizeof(scratch) &&
	       records_read_line(line, scratch, &kind, &record, &ignored) == 0 &&
	       manifest_find(manifest, record.field[0]) != NULL;
}

/* Entries of both in order, those of `over` where they meet. Pointers stay borrowed. */
static int merge_entries(const struct manifest *under, const struct accepted_layer *over,
			 struct manifest **merged, struct error *err)
{
	const struct manifest *top = over->manifest;
	struct manifest *m = NULL;
	size_t i = 0, j = 0;

	if (manifest_new(top->source, NULL, &m, err) < 0 || !m) {
		return -1;
	}
	m->trust = MANIFEST_ACCEPTED;
	m->captured = under->captured || top->captured;
	m->entries = arena_alloc(m->memory, (under->count + top->count) * sizeof(*m->entries));
	if (!m->entries) {
		manifest_free(m);
		return no_memory(err);
	}
	while (i < under->count || j < top->count) {
		int order = i == under->count ? 1
			    : j == top->count ? -1
					      : bytes_path_compare(under->entries[i].entry.path,
								   top->entries[j].entry.path);

		if (order >= 0) {
			m->entries[m->count++] = top->entries[j++];
			i += order == 0;
		} else if (says_absent(over->records, under->entries[i].entry.path)) {
			i++;
		} else {
			m->entries[m->count++] = under->entries[i++];
		}
	}
	*merged = m;
	return 0;
}

static int merge_records(const struct record_list *under, const struct accepted_layer *over,
			 struct record_list **merged, struct error *err)
{
	size_t count = 0;
	struct bytes *lines = calloc(under->count + over->records->count + 1, sizeof(*lines));
	int result;

	if (!lines) {
		return no_memory(err);
	}
	for (size_t i = 0; i < under->count; i++) {
		if (!is_contradicted(under->line[i], over->manifest)) {
			lines[count++] = under->line[i];
		}
	}
	for (size_t i = 0; i < over->records->count; i++) {
		lines[count++] = over->records->line[i];
	}
	result = records_make(lines, count, merged, err);
	free(lines);
	return result;
}

/* *under (a layer, or what was merged so far) becomes itself with `over` on top. */
static int put_over(struct accepted *a, const struct accepted_layer **under,
		    const struct accepted_layer *over, struct error *err)
{
	struct accepted_layer merged = {0};

	if (!over->manifest) {
		return 0;
	}
	if (!(*under)->manifest) {
		*under = over;
		return 0;
	}
	if (merge_entries((*under)->manifest, over, &merged.manifest, err) < 0 ||
	    merge_records((*under)->records, over, &merged.records, err) < 0) {
		accepted_layer_clear(&merged);
		return -1;
	}
	accepted_layer_clear(&a->merged);
	a->merged = merged;
	*under = &a->merged;
	return 0;
}

int accepted_of_host(struct accepted *accepted, const char *host, const char *const *groups,
		     size_t group_count, const struct manifest **manifest,
		     const struct record_list **records, struct error *err)
{
	static const struct accepted_layer nothing;
	const struct accepted_layer *state = &nothing;

	*manifest = NULL;
	*records = NULL;
	accepted_layer_clear(&accepted->merged);
	accepted_layer_clear(&accepted->host);
	for (size_t i = 0; i < group_count; i++) {
		const struct accepted_layer *layer = NULL;

		if (group_layer(accepted, groups[i], &layer, err) < 0 ||
		    put_over(accepted, &state, layer, err) < 0) {
			return -1;
		}
	}
	if (accepted_layer_read(accepted->repository, ACCEPTED_HOSTS, host, &accepted->host, err) <
		    0 ||
	    complete(&accepted->host, err) < 0 ||
	    put_over(accepted, &state, &accepted->host, err) < 0) {
		return -1;
	}
	*manifest = state->manifest;
	*records = state->records;
	return 0;
}
