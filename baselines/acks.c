// SPDX-License-Identifier: MIT
#include "baselines/acks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "baselines/arena.h"
#include "baselines/yaml.h"
#include "schema/escape.h"

enum key {
	KEY_ID,
	KEY_RULE,
	KEY_PATH,
	KEY_FINDING,
	KEY_HOSTS,
	KEY_REASON,
	KEY_UNTIL,
	KEY_BY,
	KEYS
};
static const char *const keys[] = {"id",     "rule",  "path", "finding", "hosts",
				   "reason", "until", "by",   NULL};

void acks_clear(struct ack_list *list)
{
	if (list->memory) {
		arena_clear(list->memory);
	}
	free(list->memory);
	free(list->acks);
	*list = (struct ack_list){0};
}

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for acknowledgements");
}

static bool read_digits(const char *text, size_t len, int *number)
{
	*number = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
		*number = 10 * *number + text[i] - '0';
	}
	return true;
}

bool ack_until(const char *text, int64_t *until_s)
{
	int year, month, day;
	struct tm tm = {0}, back;
	time_t start;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' ||
	    !read_digits(text, 4, &year) || !read_digits(text + 5, 2, &month) ||
	    !read_digits(text + 8, 2, &day) || year < 1970) {
		return false;
	}
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	start = timegm(&tm);
	/* timegm takes 31 February for 3 March: only what comes back unchanged is a day. */
	if (!gmtime_r(&start, &back) || back.tm_year != year - 1900 || back.tm_mon != month - 1 ||
	    back.tm_mday != day) {
		return false;
	}
	*until_s = (int64_t)start + 86400;
	return true;
}

static bool is_fingerprint(const char *text)
{
	return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static int check_value(const struct yaml_reader *yaml, enum key key, const char *text,
		       struct ack *ack, struct error *err)
{
	if (text[0] == '\0') {
		return yaml_reader_fail(yaml, err, "%s is empty", keys[key]);
	}
	if (key == KEY_UNTIL && !ack_until(text, &ack->until_s)) {
		return yaml_reader_fail(yaml, err, "not a day such as 2026-12-15");
	}
	if (key == KEY_FINDING && !is_fingerprint(text)) {
		return yaml_reader_fail(yaml, err, "not a finding's fingerprint: 16 hex digits");
	}
	return 0;
}

/* Faults of an acknowledgement as a whole stand where it begins. */
static int check_whole(const char *place, const struct ack_list *list, char *const *values,
		       struct error *err)
{
	for (size_t key = 0; key < KEY_BY; key++) {
		if (!values[key]) {
			return error_set(err, ERROR_CONFIG, 0, "%s: %s is missing", place,
					 keys[key]);
		}
	}
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->acks[i].id, values[KEY_ID]) == 0) {
			return error_set(err, ERROR_CONFIG, 0, "%s: %s stands already in %s", place,
					 values[KEY_ID], list->acks[i].source);
		}
	}
	return 0;
}

static int keep(struct ack_list *list, const struct ack *ack, struct error *err)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct ack *grown = realloc(list->acks, room * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		list->acks = grown;
		list->room = room;
	}
	list->acks[list->count++] = *ack;
	return 0;
}

static int read_ack(struct yaml_reader *yaml, const char *source, struct ack_list *list,
		    struct error *err)
{
	char *values[KEYS] = {NULL}, place[400];
	struct ack ack = {0};
	size_t key, line, column;
	int more;

	if (list->count >= ACKS_MAX) {
		return yaml_reader_fail(yaml, err, "more than %u acknowledgements", ACKS_MAX);
	}
	if (yaml_reader_map(yaml, err) < 0) {
		return -1;
	}
	yaml_reader_place(yaml, &line, &column);
	while ((more = yaml_reader_key(yaml, keys, &key, err)) > 0) {
		char *text = NULL;

		if (yaml_reader_text_new(yaml, &text, err) < 0) {
			return -1;
		}
		values[key] = arena_string(list->memory, text);
		free(text);
		if (!values[key]) {
			return no_memory(err);
		}
		if (check_value(yaml, (enum key)key, values[key], &ack, err) < 0) {
			return -1;
		}
	}
	(void)snprintf(place, sizeof(place), "%s:%zu", source, line);
	if (more < 0 || check_whole(place, list, values, err) < 0) {
		return -1;
	}
	ack.id = values[KEY_ID];
	ack.rule = values[KEY_RULE];
	ack.path = values[KEY_PATH];
	ack.finding = values[KEY_FINDING];
	ack.hosts = values[KEY_HOSTS];
	ack.reason = values[KEY_REASON];
	ack.by = values[KEY_BY] ? values[KEY_BY] : arena_string(list->memory, "");
	ack.source = arena_string(list->memory, place);
	return ack.by && ack.source ? keep(list, &ack, err) : no_memory(err);
}

static int read_list(struct yaml_reader *yaml, const char *source, struct ack_list *list,
		     struct error *err)
{
	enum yaml_value value;
	int more = 0;

	if (yaml_reader_peek(yaml, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NONE) {
		return 0;
	}
	if (yaml_reader_list(yaml, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(yaml, err)) > 0) {
		if (read_ack(yaml, source, list, err) < 0) {
			return -1;
		}
	}
	return more < 0 ? -1 : yaml_reader_done(yaml, err);
}

int acks_parse(const char *source, struct bytes text, struct ack_list *list, struct error *err)
{
	struct yaml_reader *yaml = NULL;
	int result = -1;

	if (!list->memory) {
		list->memory = calloc(1, sizeof(*list->memory));
		if (!list->memory) {
			return no_memory(err);
		}
	}
	if (yaml_reader_new(&yaml, source, text, err) == 0) {
		result = read_list(yaml, source, list, err);
	}
	yaml_reader_free(yaml);
	return result;
}

static int read_file(struct repository *repository, const struct repository_item *item,
		     struct ack_list *list, struct error *err)
{
	struct repository_blob blob = {0};
	char name[300], source[320];
	int result = -1;

	(void)escape_text(bytes_from_string(item->name), name, sizeof(name));
	(void)snprintf(source, sizeof(source), ACKS_FOLDER "/%s", name);
	if (repository_blob_open(repository, item, source, ACKS_FILE_MAX, &blob, err) == 0) {
		result = acks_parse(source, blob.content, list, err);
	}
	repository_blob_close(&blob);
	return result;
}

int acks_read(struct repository *repository, struct ack_list *list, struct error *err)
{
	struct repository_tree *tree = NULL;
	int result = repository_tree_open(repository, NULL, ACKS_FOLDER, &tree, err);

	for (size_t i = 0; result == 0 && tree && i < repository_tree_count(tree); i++) {
		struct repository_item item;
		size_t len;

		repository_tree_item(tree, i, &item);
		len = strlen(item.name);
		if (len > 5 && strcmp(item.name + len - 5, ".yaml") == 0) {
			result = read_file(repository, &item, list, err);
		}
	}
	repository_tree_close(tree);
	return result;
}

/* A double-quoted scalar, which can hold every byte that is text (YAML 1.1, 5.3.3). */
static void write_text(FILE *file, const char *key, const char *text)
{
	(void)fprintf(file, "%s\"", key);
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\') {
			(void)fprintf(file, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			(void)fprintf(file, "\\x%02x", c);
		} else {
			(void)fputc(c, file);
		}
	}
	(void)fputs("\"\n", file);
}

int ack_write(const struct ack *ack, const char *until, char **text, size_t *len, struct error *err)
{
	char *written = NULL;
	FILE *file = open_memstream(&written, len);
	bool failed = !file;

	if (file) {
		write_text(file, "- id: ", ack->id);
		write_text(file, "  rule: ", ack->rule);
		write_text(file, "  path: ", ack->path);
		write_text(file, "  finding: ", ack->finding);
		write_text(file, "  hosts: ", ack->hosts);
		write_text(file, "  reason: ", ack->reason);
		write_text(file, "  until: ", until);
		if (ack->by && ack->by[0] != '\0') {
			write_text(file, "  by: ", ack->by);
		}
		failed = ferror(file) != 0;
		failed = fclose(file) != 0 || failed;
	}
	if (failed) {
		free(written);
		return error_set(err, ERROR_NOMEM, errno, "no memory to write an acknowledgement");
	}
	*text = written;
	return 0;
}
