// SPDX-License-Identifier: MIT
#include "baselines/edit.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/accepted.h"
#include "baselines/acks.h"
#include "baselines/clone.h"
#include "baselines/mtree.h"
#include "baselines/repository.h"
#include "schema/escape.h"

struct edit {
	struct clone *clone;
	char *dir;
	unsigned next_ack; /* 0: not looked for yet */
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for an edit");
}

static const char read_me[] =
	"# A muster baseline\n"
	"\n"
	"What hosts should be. muster reads it from git's object database at one commit; nothing "
	"here\n"
	"is ever executed.\n"
	"\n"
	"    muster.yaml       policy: what is checked, and how much it weighs\n"
	"    packages/MANAGER/ORIGIN/NAME/VERSION_ARCH.mtree\n"
	"                      what packages ship (muster baseline import)\n"
	"    packages/MANAGER/overrides.records\n"
	"                      what packages' scripts set (muster baseline learn)\n"
	"    trees/GROUP/...   files as they should be on the hosts of a group\n"
	"    hosts/NAME.mtree, hosts/NAME.records\n"
	"    groups/NAME.mtree, groups/NAME.records\n"
	"                      accepted state (muster baseline capture, muster accept)\n"
	"    acks/*.yaml       acknowledgements (muster ack)\n"
	"    keys/keys.yaml    whose signatures count, and for what\n"
	"\n"
	"In file names every byte but letters, digits and . + - ~ _ is %xx, and so is a leading "
	"dot;\n"
	"in versions the underscore too. Check what you edit by hand with `muster baseline "
	"verify`.\n";

/* Bytes are what they are: digests are computed from the blobs. */
static const char attributes[] = "* -text\n";

int edit_open(const char *dir, const char *author, struct edit **edit, struct error *err)
{
	struct edit *e = calloc(1, sizeof(*e));

	if (e) {
		e->dir = strdup(dir);
	}
	if (!e || !e->dir) {
		free(e);
		return no_memory(err);
	}
	if (clone_open(dir, author, &e->clone, err) < 0) {
		edit_free(e);
		return -1;
	}
	*edit = e;
	return 0;
}

void edit_free(struct edit *edit)
{
	if (edit) {
		clone_free(edit->clone);
		free(edit->dir);
		free(edit);
	}
}

int edit_init(const char *dir, const char *author, char commit[EDIT_COMMIT_SIZE], struct error *err)
{
	struct edit *edit = NULL;
	char *policy = NULL;
	int result = -1;

	if (clone_create(dir, author, err) < 0 || edit_open(dir, author, &edit, err) < 0) {
		return -1;
	}
	policy = policy_default_text();
	if (!policy) {
		(void)no_memory(err);
		goto out;
	}
	if (edit_put(edit, "muster.yaml", bytes_from_string(policy), err) < 0 ||
	    edit_put(edit, "README.md", bytes_from_string(read_me), err) < 0 ||
	    edit_put(edit, ".gitattributes", bytes_from_string(attributes), err) < 0) {
		goto out;
	}
	result = edit_commit(edit, "Begin a muster baseline\n", commit, err);
out:
	free(policy);
	edit_free(edit);
	return result;
}

int edit_put(struct edit *edit, const char *path, struct bytes content, struct error *err)
{
	return clone_put(edit->clone, path, content, err);
}

int edit_remove(struct edit *edit, const char *path, struct error *err)
{
	return clone_remove(edit->clone, path, err);
}

int edit_read(struct edit *edit, const char *path, size_t most, uint8_t **data, size_t *len,
	      struct error *err)
{
	return clone_read(edit->clone, path, most, data, len, err);
}

size_t edit_count(const struct edit *edit)
{
	return clone_count(edit->clone);
}

int edit_commit(struct edit *edit, const char *message, char commit[EDIT_COMMIT_SIZE],
		struct error *err)
{
	return clone_commit(edit->clone, message, commit, err);
}

/* Accepted state */

/* What is accepted of one host, while it is being changed. */
struct state {
	struct edit *edit;
	const char *host;
	struct manifest *manifest; /* as read, may be NULL: entries borrow from it */
	struct record_list *records;
	struct manifest_entry *entries;
	size_t count;
	struct bytes *lines;
	size_t line_count;
	uint8_t *scratch; /* what new entries and lines borrow from */
	size_t scratch_len;
};

static int bad_host(const char *host, struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0, "%s: too long or empty for the name of a host",
			 host);
}

static int read_state(struct state *s, size_t more, size_t scratch, struct error *err)
{
	char path[ACCEPTED_PATH_MAX];
	uint8_t *data = NULL;
	size_t len;
	int result = 0;

	if (!accepted_path(ACCEPTED_HOSTS, s->host, "mtree", path)) {
		return bad_host(s->host, err);
	}
	if (clone_read(s->edit->clone, path, MTREE_SIZE_MAX, &data, &len, err) < 0) {
		return -1;
	}
	result = data ? mtree_parse(path, bytes_make(data, len), &s->manifest, err) : 0;
	free(data);
	(void)accepted_path(ACCEPTED_HOSTS, s->host, "records", path);
	if (result < 0 ||
	    clone_read(s->edit->clone, path, RECORDS_SIZE_MAX, &data, &len, err) < 0) {
		return -1;
	}
	result = data ? records_parse(path, bytes_make(data, len), &s->records, err) : 0;
	free(data);
	if (result < 0) {
		return -1;
	}
	s->count = s->manifest ? s->manifest->count : 0;
	s->line_count = s->records ? s->records->count : 0;
	s->entries = calloc(s->count + more + 1, sizeof(*s->entries));
	s->lines = calloc(s->line_count + more + 1, sizeof(*s->lines));
	s->scratch = malloc(scratch + 1);
	if (!s->entries || !s->lines || !s->scratch) {
		return no_memory(err);
	}
	if (s->count > 0) {
		memcpy(s->entries, s->manifest->entries, s->count * sizeof(*s->entries));
	}
	if (s->line_count > 0) {
		memcpy(s->lines, s->records->line, s->line_count * sizeof(*s->lines));
	}
	return 0;
}

static void clear_state(struct state *s)
{
	manifest_free(s->manifest);
	records_free(s->records);
	free(s->entries);
	free(s->lines);
	free(s->scratch);
	*s = (struct state){0};
}

static int stage_manifest(struct edit *edit, const char *host, const struct manifest *manifest,
			  bool captured, struct error *err)
{
	char path[ACCEPTED_PATH_MAX], *text = NULL;
	size_t len;
	int result;

	if (!accepted_path(ACCEPTED_HOSTS, host, "mtree", path)) {
		return bad_host(host, err);
	}
	if (manifest->count == 0 && !captured) {
		return edit_remove(edit, path, err);
	}
	if (mtree_write(manifest->entries, manifest->count, captured ? MTREE_CAPTURED "\n" : NULL,
			&text, &len, err) < 0) {
		return -1;
	}
	result = edit_put(edit, path, bytes_make(text, len), err);
	free(text);
	return result;
}

static int stage_records(struct edit *edit, const char *host, const struct record_list *records,
			 struct error *err)
{
	char path[ACCEPTED_PATH_MAX], *text = NULL;
	size_t len;
	int result;

	if (!accepted_path(ACCEPTED_HOSTS, host, "records", path)) {
		return bad_host(host, err);
	}
	if (records->count == 0) {
		return edit_remove(edit, path, err);
	}
	if (records_write(records, &text, &len, err) < 0) {
		return -1;
	}
	result = edit_put(edit, path, bytes_make(text, len), err);
	free(text);
	return result;
}

static int stage_state(const struct state *s, bool captured, struct error *err)
{
	struct manifest *manifest = NULL;
	struct record_list *records = NULL;
	int result = -1;

	if (manifest_make(s->entries, s->count, s->host, NULL, &manifest, err) == 0 &&
	    records_make(s->lines, s->line_count, &records, err) == 0 &&
	    stage_manifest(s->edit, s->host, manifest, captured, err) == 0) {
		result = stage_records(s->edit, s->host, records, err);
	}
	manifest_free(manifest);
	records_free(records);
	return result;
}

static void drop_entry(struct state *s, struct bytes path)
{
	for (size_t i = 0; i < s->count; i++) {
		if (bytes_equal(s->entries[i].entry.path, path)) {
			s->entries[i] = s->entries[--s->count];
			return;
		}
	}
}

static void drop_line(struct state *s, struct bytes line)
{
	for (size_t i = 0; i < s->line_count; i++) {
		if (bytes_equal(s->lines[i], line)) {
			s->lines[i] = s->lines[--s->line_count];
			return;
		}
	}
}

/* "absent PATH" in memory of the state's. */
static struct bytes absent_line(struct state *s, struct bytes path)
{
	struct record record = {.count = 1, .field = {path}};
	uint8_t *to = s->scratch + s->scratch_len;
	size_t room = ESCAPE_ROOM(path.len) + 16;
	size_t len = records_line("absent", &record, 0, (char *)to, room);

	s->scratch_len += room;
	return bytes_make(to, len);
}

static int change_fault(const struct edit_change *change, struct error *err)
{
	char shown[200];

	return error_prefix(err, "%s: %s", change->host,
			    escape_text(change->path, shown, sizeof(shown)));
}

static int check_line(struct state *s, const struct edit_change *change, struct error *err)
{
	uint8_t *to = s->scratch + s->scratch_len;
	struct record record;
	const char *kind;

	if (change->value.len > RECORDS_LINE_MAX ||
	    memchr(change->value.data, '\n', change->value.len)) {
		return error_set(err, ERROR_CONFIG, 0, "no line of a record");
	}
	s->scratch_len += change->value.len;
	return records_read_line(change->value, to, &kind, &record, err);
}

static int apply(struct state *s, const struct edit_change *change, struct error *err)
{
	struct manifest_entry entry;

	switch (change->what) {
	case EDIT_ENTRY:
		if (manifest_entry_parse(change->path, change->value, s->scratch + s->scratch_len,
					 &entry, err) < 0) {
			return -1;
		}
		s->scratch_len += change->value.len;
		drop_entry(s, change->path);
		drop_line(s, absent_line(s, change->path));
		s->entries[s->count++] = entry;
		return 0;
	case EDIT_ABSENT:
	case EDIT_FORGET:
		if (change->path.len == 0 || change->path.len > ENTRY_PATH_MAX ||
		    change->path.data[0] != '/') {
			return error_set(err, ERROR_CONFIG, 0, "not an absolute path");
		}
		drop_entry(s, change->path);
		drop_line(s, absent_line(s, change->path));
		if (change->what == EDIT_ABSENT) {
			s->lines[s->line_count++] = absent_line(s, change->path);
		}
		return 0;
	case EDIT_RECORD:
	case EDIT_NO_RECORD:
		if (check_line(s, change, err) < 0) {
			return -1;
		}
		drop_line(s, change->value);
		if (change->what == EDIT_RECORD) {
			s->lines[s->line_count++] = change->value;
		}
		return 0;
	}
	return error_set(err, ERROR_CONFIG, 0, "an unknown kind of change");
}

/* All changes of the host that changes[first] names; those of others are left alone. */
static int accept_host(struct edit *edit, const struct edit_change *changes, size_t count,
		       size_t first, bool stage, struct error *err)
{
	struct state s = {.edit = edit, .host = changes[first].host};
	size_t more = 0, scratch = 0;
	int result = -1;

	for (size_t i = first; i < count; i++) {
		if (strcmp(changes[i].host, s.host) == 0) {
			more++;
			scratch += changes[i].value.len +
				   2 * (ESCAPE_ROOM(changes[i].path.len) + 16);
		}
	}
	if (read_state(&s, more, scratch, err) < 0) {
		goto out;
	}
	for (size_t i = first; i < count; i++) {
		if (strcmp(changes[i].host, s.host) == 0 && apply(&s, &changes[i], err) < 0) {
			(void)change_fault(&changes[i], err);
			goto out;
		}
	}
	result = stage ? stage_state(&s, s.manifest && s.manifest->captured, err) : 0;
out:
	clear_state(&s);
	return result;
}

static bool is_first_of_host(const struct edit_change *changes, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(changes[i].host, changes[index].host) == 0) {
			return false;
		}
	}
	return true;
}

int edit_accept(struct edit *edit, const struct edit_change *changes, size_t count,
		struct error *err)
{
	/* First without staging, so that one bad value leaves nothing half done. */
	for (int stage = 0; stage < 2; stage++) {
		for (size_t i = 0; i < count; i++) {
			if (is_first_of_host(changes, i) &&
			    accept_host(edit, changes, count, i, stage == 1, err) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

int edit_capture(struct edit *edit, const char *host, const struct manifest_entry *entries,
		 size_t count, const struct bytes *lines, size_t line_count, struct error *err)
{
	struct manifest *manifest = NULL;
	struct record_list *records = NULL;
	int result = -1;

	for (size_t i = 0; i < line_count; i++) {
		uint8_t scratch[RECORDS_LINE_MAX];
		struct record record;
		const char *kind;

		if (lines[i].len > sizeof(scratch) || memchr(lines[i].data, '\n', lines[i].len)) {
			return error_set(err, ERROR_CONFIG, 0, "%s: no line of a record", host);
		}
		if (records_read_line(lines[i], scratch, &kind, &record, err) < 0) {
			return error_prefix(err, "%s: record %zu", host, i + 1);
		}
	}
	if (manifest_make(entries, count, host, NULL, &manifest, err) == 0 &&
	    records_make(lines, line_count, &records, err) == 0 &&
	    stage_manifest(edit, host, manifest, true, err) == 0) {
		result = stage_records(edit, host, records, err);
	}
	manifest_free(manifest);
	records_free(records);
	return result;
}

/* Acknowledgements */

/* N of A-N, 0 for an id of another form. */
static unsigned ack_number(const char *id)
{
	unsigned number = 0;

	if (strncmp(id, "A-", 2) != 0 || strlen(id) > 10) {
		return 0;
	}
	for (const char *p = id + 2; *p != '\0'; p++) {
		if (*p < '0' || *p > '9') {
			return 0;
		}
		number = 10 * number + (unsigned)(*p - '0');
	}
	return number;
}

/* One above the highest A-NNNN there is in HEAD. */
static int find_next_ack(struct edit *edit, struct error *err)
{
	struct repository *repository = NULL;
	struct ack_list list = {0};
	int result = -1;

	edit->next_ack = 1;
	if (clone_head(edit->clone)[0] == '\0') {
		return 0;
	}
	if (repository_open(edit->dir, clone_head(edit->clone), &repository, err) == 0 &&
	    acks_read(repository, &list, err) == 0) {
		for (size_t i = 0; i < list.count; i++) {
			unsigned number = ack_number(list.acks[i].id);

			if (number >= edit->next_ack) {
				edit->next_ack = number + 1;
			}
		}
		result = 0;
	}
	acks_clear(&list);
	repository_close(repository);
	return result;
}

static bool is_ack_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len < EDIT_ID_SIZE &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		       len;
}

int edit_ack(struct edit *edit, const struct ack *ack, const char *until, char id[EDIT_ID_SIZE],
	     struct error *err)
{
	struct ack numbered = *ack;
	struct ack_list list = {0};
	char path[64], *text = NULL;
	size_t len;
	int result = -1;

	if (ack->id && !is_ack_id(ack->id)) {
		return error_set(err, ERROR_CONFIG, 0, "%s: an id is up to %d letters, digits, - _",
				 ack->id, EDIT_ID_SIZE - 1);
	}
	if (!ack->id && edit->next_ack == 0 && find_next_ack(edit, err) < 0) {
		return -1;
	}
	if (ack->id) {
		(void)snprintf(id, EDIT_ID_SIZE, "%s", ack->id);
	} else {
		(void)snprintf(id, EDIT_ID_SIZE, "A-%04u", edit->next_ack++);
	}
	numbered.id = id;
	(void)snprintf(path, sizeof(path), ACKS_FOLDER "/%s.yaml", id);
	if (ack_write(&numbered, until, &text, &len, err) < 0) {
		return -1;
	}
	/* What would not be read back is not written. */
	if (acks_parse(path, bytes_make(text, len), &list, err) == 0) {
		result = edit_put(edit, path, bytes_make(text, len), err);
	}
	acks_clear(&list);
	free(text);
	return result;
}
