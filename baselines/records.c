// SPDX-License-Identifier: MIT
#include "baselines/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "baselines/arena.h"
#include "baselines/nearest.h"
#include "schema/escape.h"

struct kind {
	const char *name;
	size_t least; /* fields */
	size_t most;
};

static const struct kind kinds[] = {
	{EXCEPTION_DIVERSION, 3, 3},
	{EXCEPTION_OVERRIDE, 4, 4},
	{EXCEPTION_EXCLUDE, 2, 2},
	{EXCEPTION_INCLUDE, 2, 2},
	{EXCEPTION_ALTERNATIVE, 4, 4},
	{EXCEPTION_SLAVE, 4, 4},
	{"mount", 5, 6},
	{"package", 5, 5},
	{"package-absent", 3, 3},
	{"package-state", 4, 4},
	{"claim", 3, 4},
	{"capability", 2, 2},
	{"link", 2, 2},
	{"flags", 2, 2},
	{"absent", 1, 1},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Behind what did not fit: no escape, so that nothing reads it as a record. */
#define CUT "\\..."

static const char *kind_name(const void *words, size_t index)
{
	(void)words;
	return index < KINDS ? kinds[index].name : NULL;
}

/* Appends one field, or marks the line as cut. */
static bool add_field(struct bytes field, char *to, size_t *len, size_t room)
{
	size_t left = room - *len;

	if (field.len == 0) {
		if (left < 3 + sizeof(CUT)) {
			return false;
		}
		to[(*len)++] = ' ';
		to[(*len)++] = '=';
		return true;
	}
	if (field.len > left || ESCAPE_ROOM(field.len) + 1 + sizeof(CUT) > left) {
		/* Perhaps it fits all the same: most bytes need no escape. */
		size_t need = 0;

		for (size_t i = 0; i < field.len && need < left; i++) {
			struct bytes byte = bytes_make(field.data + i, 1);

			need += escape_is_needed(ESCAPE_MTREE, byte) ? 4 : 1;
		}
		if (need + 2 + sizeof(CUT) > left) {
			return false;
		}
	}
	to[(*len)++] = ' ';
	*len += escape_bytes(ESCAPE_MTREE, field, to + *len, room - *len);
	return true;
}

size_t records_line(const char *kind, const struct record *record, size_t from, char *to,
		    size_t room)
{
	size_t len = strlen(kind);

	if (len + sizeof(CUT) + 1 > room) {
		if (room > 0) {
			to[0] = '\0';
		}
		return 0;
	}
	len = (size_t)snprintf(to, room, "%s", kind);
	for (size_t i = from; i < record->count; i++) {
		if (!add_field(record->field[i], to, &len, room)) {
			len += (size_t)snprintf(to + len, room - len, "%s", CUT);
			break;
		}
	}
	to[len] = '\0';
	return len;
}

static size_t lower_bound(const struct record_list *list, struct bytes line)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(list->line[middle], line) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool records_has(const struct record_list *list, struct bytes line)
{
	size_t at = lower_bound(list, line);

	return at < list->count && bytes_equal(list->line[at], line);
}

/* One field in normal form, unescaped to `to`. Returns its length, -1 where it is not normal. */
static long read_field(struct bytes word, uint8_t *to)
{
	long len;

	if (bytes_equal_string(word, "=")) {
		return 0;
	}
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] != '\\' &&
		    escape_is_needed(ESCAPE_MTREE, bytes_make(word.data + i, 1))) {
			return -1;
		}
	}
	len = word.len > 0 ? escape_undo(word, to) : -1;
	for (size_t i = 0, at = 0; len > 0 && i < (size_t)len; i++) {
		/* An escape that was not needed would be a second spelling of the same record. */
		bool escaped = word.data[at] == '\\';

		if (escaped != escape_is_needed(ESCAPE_MTREE, bytes_make(to + i, 1))) {
			return -1;
		}
		at += escaped ? 4 : 1;
	}
	return len;
}

static int bad_kind(struct bytes name, struct error *err)
{
	const char *nearest = nearest_find(name, kind_name, kinds);
	char shown[100];

	return error_set(err, ERROR_CONFIG, 0,
			 nearest ? "unknown kind %s (did you mean %s?)" : "unknown kind %s",
			 escape_text(name, shown, sizeof(shown)), nearest);
}

int records_read_line(struct bytes line, uint8_t *scratch, const char **kind, struct record *record,
		      struct error *err)
{
	const struct kind *found = NULL;
	struct bytes rest = line, word = {NULL, 0};

	memset(record, 0, sizeof(*record));
	for (size_t n = 0; rest.len > 0; n++) {
		const uint8_t *blank = memchr(rest.data, ' ', rest.len);
		long len;

		word = bytes_make(rest.data, blank ? (size_t)(blank - rest.data) : rest.len);
		rest.len -= word.len + (blank ? 1 : 0);
		rest.data += word.len + (blank ? 1 : 0);
		if (n == 0) {
			for (size_t i = 0; i < KINDS && !found; i++) {
				found = bytes_equal_string(word, kinds[i].name) ? &kinds[i] : NULL;
			}
			if (!found) {
				return bad_kind(word, err);
			}
			continue;
		}
		len = read_field(word, scratch);
		if (len < 0 || (blank && rest.len == 0)) {
			return error_set(err, ERROR_CONFIG, 0,
					 "field %zu is not escaped as \\ooo where and only where "
					 "it must be",
					 n);
		}
		if (n > RECORD_FIELDS_MAX || !found || n > found->most) {
			return error_set(err, ERROR_CONFIG, 0, "too many fields");
		}
		record->field[record->count++] = bytes_make(scratch, (size_t)len);
		scratch += len;
	}
	if (!found) {
		return error_set(err, ERROR_CONFIG, 0, "an empty line");
	}
	if (record->count < found->least) {
		return error_set(err, ERROR_CONFIG, 0, "%s has %zu fields, not %zu", found->name,
				 found->least, record->count);
	}
	*kind = found->name;
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

int records_make(const struct bytes *lines, size_t count, struct record_list **list,
		 struct error *err)
{
	struct record_list *made = calloc(1, sizeof(*made));
	bool ok = count <= RECORDS_COUNT_MAX;
	size_t kept = 0;

	if (made) {
		made->memory = calloc(1, sizeof(*made->memory));
	}
	if (made && made->memory && ok) {
		made->line = arena_alloc(made->memory, count * sizeof(*made->line));
	}
	if (!made || !made->line) {
		records_free(made);
		return error_set(err, ERROR_NOMEM, 0, "no memory for %zu records", count);
	}
	for (size_t i = 0; i < count; i++) {
		made->line[i] = arena_copy(made->memory, lines[i], &ok);
	}
	if (!ok) {
		records_free(made);
		return error_set(err, ERROR_NOMEM, 0, "no memory for %zu records", count);
	}
	qsort(made->line, count, sizeof(*made->line), compare_lines);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || !bytes_equal(made->line[kept - 1], made->line[i])) {
			made->line[kept++] = made->line[i];
		}
	}
	made->count = kept;
	*list = made;
	return 0;
}

/* The lines of a text that hold records, checked. `lines` has room for as many as there are. */
static int split(const char *source, struct bytes text, struct bytes *lines, size_t *count,
		 struct error *err)
{
	uint8_t scratch[RECORDS_LINE_MAX];
	size_t number = 0;

	*count = 0;
	for (size_t at = 0; at < text.len;) {
		const uint8_t *newline = memchr(text.data + at, '\n', text.len - at);
		size_t len = (newline ? (size_t)(newline - text.data) : text.len) - at;
		struct bytes line = bytes_make(text.data + at, len);
		struct record record;
		const char *kind;

		number++;
		at += len + (newline ? 1 : 0);
		if (len == 0 || line.data[0] == '#') {
			continue;
		}
		if (len > sizeof(scratch)) {
			return error_set(err, ERROR_CONFIG, 0, "%s:%zu: the line is too long",
					 source, number);
		}
		if (records_read_line(line, scratch, &kind, &record, err) < 0) {
			return error_prefix(err, "%s:%zu", source, number);
		}
		lines[(*count)++] = line;
	}
	return 0;
}

int records_parse(const char *source, struct bytes text, struct record_list **list,
		  struct error *err)
{
	struct bytes *lines = NULL;
	size_t count = 1;
	int result = -1;

	for (size_t i = 0; i < text.len; i++) {
		count += text.data[i] == '\n';
	}
	if (text.len > RECORDS_SIZE_MAX || count > RECORDS_COUNT_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "%s: larger than %zu MiB or %u lines",
				 source, RECORDS_SIZE_MAX >> 20, RECORDS_COUNT_MAX);
	}
	lines = calloc(count, sizeof(*lines));
	if (!lines) {
		return error_set(err, ERROR_NOMEM, 0, "%s: no memory", source);
	}
	if (split(source, text, lines, &count, err) == 0) {
		result = records_make(lines, count, list, err);
	}
	free(lines);
	return result;
}

int records_write(const struct record_list *list, char **text, size_t *len, struct error *err)
{
	char *written = NULL;
	FILE *file = open_memstream(&written, len);
	bool failed = !file;

	if (file) {
		(void)fputs("# accepted records: kind and fields, blanks between (muster)\n", file);
		for (size_t i = 0; i < list->count; i++) {
			(void)fwrite(list->line[i].data, 1, list->line[i].len, file);
			(void)fputc('\n', file);
		}
		failed = ferror(file) != 0;
		failed = fclose(file) != 0 || failed;
	}
	if (failed) {
		free(written);
		return error_set(err, ERROR_NOMEM, errno, "no memory to write records");
	}
	*text = written;
	return 0;
}

void records_free(struct record_list *list)
{
	if (!list) {
		return;
	}
	if (list->memory) {
		arena_clear(list->memory);
	}
	free(list->memory);
	free(list);
}
