// SPDX-License-Identifier: MIT
#include "baselines/yaml.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "baselines/nearest.h"
#include "schema/escape.h"

#define NAME_SHOWN 200
#define WORD_SHOWN 100

struct level {
	bool is_map;
	bool has_key; /* a key was taken and its value was not */
	uint64_t seen;
};

struct yaml_reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	bool has_document;
	struct level level[YAML_DEPTH_MAX];
	size_t depth;
	struct bytes text;
	uint8_t *owned; /* the file's text where the reader read it */
	size_t line, column;
	char name[NAME_SHOWN];
};

static struct bytes scalar_of(const yaml_event_t *event)
{
	return bytes_make(event->data.scalar.value, event->data.scalar.length);
}

void yaml_reader_place(const struct yaml_reader *reader, size_t *line, size_t *column)
{
	*line = reader->line;
	*column = reader->column;
}

/* In parentheses, because for the analyser there is a macro of this name. */
int(yaml_reader_fail)(const struct yaml_reader *reader, struct error *err, const char *format, ...)
{
	char what[ERROR_MSG_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set(err, ERROR_CONFIG, 0, "%s:%zu:%zu: %s", reader->name, reader->line,
			 reader->column, what);
}

static void place_at(struct yaml_reader *reader, const yaml_mark_t *mark)
{
	reader->line = mark->line + 1;
	reader->column = mark->column + 1;
}

/* The one place that translates the library's faults. */
static int parser_fault(struct yaml_reader *reader, struct error *err)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *context = parser->context ? parser->context : "";
	const char *problem = parser->problem ? parser->problem : "cannot be read";

	if (parser->error == YAML_MEMORY_ERROR) {
		return error_set(err, ERROR_NOMEM, 0, "%s: out of memory", reader->name);
	}
	if (parser->error == YAML_READER_ERROR) {
		size_t end = parser->problem_offset < reader->text.len ? parser->problem_offset
								       : reader->text.len;

		reader->line = 1;
		reader->column = 1;
		for (size_t i = 0; i < end; i++) {
			bool newline = reader->text.data[i] == '\n';

			reader->line += newline ? 1 : 0;
			reader->column = newline ? 1 : reader->column + 1;
		}
		return yaml_reader_fail(reader, err, "no YAML text: %s", problem);
	}
	place_at(reader, &parser->problem_mark);
	return yaml_reader_fail(reader, err, "no YAML: %s%s%s", context, *context ? ", " : "",
				problem);
}

static void drop_event(struct yaml_reader *reader)
{
	if (reader->has_event) {
		yaml_event_delete(&reader->event);
		reader->has_event = false;
	}
}

/* What the strict subset leaves out. */
static int refuse_extras(struct yaml_reader *reader, struct error *err)
{
	const yaml_event_t *event = &reader->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		anchor = event->data.alias.anchor;
		break;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor) {
		return yaml_reader_fail(reader, err, "anchors and aliases (&, *) are not allowed");
	}
	if (tag) {
		return yaml_reader_fail(reader, err, "tags (!) are not allowed");
	}
	return 0;
}

/* Makes reader->event the next event that is a value, an end, or the end of the document. */
static int next_event(struct yaml_reader *reader, struct error *err)
{
	while (!reader->has_event) {
		if (!yaml_parser_parse(&reader->parser, &reader->event)) {
			return parser_fault(reader, err);
		}
		reader->has_event = true;
		place_at(reader, &reader->event.start_mark);
		if (reader->event.type == YAML_DOCUMENT_START_EVENT) {
			if (reader->has_document) {
				return yaml_reader_fail(reader, err,
							"a second document is not allowed");
			}
			reader->has_document = true;
			drop_event(reader);
		} else if (reader->event.type == YAML_STREAM_START_EVENT ||
			   reader->event.type == YAML_DOCUMENT_END_EVENT) {
			drop_event(reader);
		} else if (refuse_extras(reader, err) < 0) {
			return -1;
		}
	}
	place_at(reader, &reader->event.start_mark);
	return 0;
}

/* A value was taken whole: the key before it has its value. */
static void value_taken(struct yaml_reader *reader)
{
	drop_event(reader);
	if (reader->depth > 0) {
		reader->level[reader->depth - 1].has_key = false;
	}
}

static bool is_null(const yaml_event_t *event)
{
	struct bytes text = scalar_of(event);

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text.len == 0 || bytes_equal_string(text, "~") || bytes_equal_string(text, "null"));
}

int yaml_reader_new(struct yaml_reader **reader, const char *name, struct bytes text,
		    struct error *err)
{
	struct yaml_reader *made = NULL;

	*reader = NULL;
	made = calloc(1, sizeof(*made));
	if (!made) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	(void)escape_text(bytes_from_string(name), made->name, sizeof(made->name));
	made->line = 1;
	made->column = 1;
	made->text = text;
	if (text.len > YAML_SIZE_MAX) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: larger than %zu bytes", made->name,
				YAML_SIZE_MAX);
		free(made);
		return -1;
	}
	if (!yaml_parser_initialize(&made->parser)) {
		free(made);
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	yaml_parser_set_encoding(&made->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&made->parser,
				     text.len ? text.data : (const unsigned char *)"", text.len);
	*reader = made;
	return 0;
}

static int read_file(const char *path, uint8_t **text, size_t *len, struct error *err)
{
	char shown[NAME_SHOWN];
	uint8_t *data = NULL;
	size_t used = 0;
	struct stat st;
	int status = -1;
	int fd = -1;

	(void)escape_text(bytes_from_string(path), shown, sizeof(shown));
	/* O_NONBLOCK: a FIFO in the place of the file must not hang the program. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", shown, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: not a regular file", shown);
		goto out;
	}
	if (st.st_size > (off_t)YAML_SIZE_MAX) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: larger than %zu bytes", shown,
				YAML_SIZE_MAX);
		goto out;
	}
	data = malloc((size_t)st.st_size + 1);
	if (!data) {
		(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
		goto out;
	}
	while (used < (size_t)st.st_size) {
		ssize_t got = read(fd, data + used, (size_t)st.st_size - used);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", shown, strerror(errno));
			goto out;
		}
		if (got == 0) {
			break;
		}
		used += (size_t)got;
	}
	*text = data;
	*len = used;
	data = NULL;
	status = 0;
out:
	free(data);
	if (fd >= 0) {
		(void)close(fd);
	}
	return status;
}

int yaml_reader_open(struct yaml_reader **reader, const char *path, struct error *err)
{
	uint8_t *text = NULL;
	size_t len = 0;

	*reader = NULL;
	if (read_file(path, &text, &len, err) < 0) {
		return -1;
	}
	if (yaml_reader_new(reader, path, bytes_make(text, len), err) < 0) {
		free(text);
		return -1;
	}
	(*reader)->owned = text;
	return 0;
}

void yaml_reader_free(struct yaml_reader *reader)
{
	if (!reader) {
		return;
	}
	drop_event(reader);
	yaml_parser_delete(&reader->parser);
	free(reader->owned);
	free(reader);
}

int yaml_reader_peek(struct yaml_reader *reader, enum yaml_value *value, struct error *err)
{
	if (next_event(reader, err) < 0) {
		return -1;
	}
	switch (reader->event.type) {
	case YAML_SCALAR_EVENT:
		*value = is_null(&reader->event) ? YAML_VALUE_NULL : YAML_VALUE_SCALAR;
		break;
	case YAML_MAPPING_START_EVENT:
		*value = YAML_VALUE_MAP;
		break;
	case YAML_SEQUENCE_START_EVENT:
		*value = YAML_VALUE_LIST;
		break;
	default:
		*value = YAML_VALUE_NONE;
		break;
	}
	return 0;
}

static const char *value_name(enum yaml_value value)
{
	static const char *const names[] = {
		[YAML_VALUE_NULL] = "nothing",  [YAML_VALUE_SCALAR] = "one value",
		[YAML_VALUE_MAP] = "a mapping", [YAML_VALUE_LIST] = "a list",
		[YAML_VALUE_NONE] = "nothing",
	};

	return names[value];
}

static int enter(struct yaml_reader *reader, enum yaml_value wanted, struct error *err)
{
	enum yaml_value value;

	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	if (value != wanted) {
		return yaml_reader_fail(reader, err, "expected %s, found %s", value_name(wanted),
					value_name(value));
	}
	if (reader->depth == YAML_DEPTH_MAX) {
		return yaml_reader_fail(reader, err, "nested deeper than %d", YAML_DEPTH_MAX);
	}
	value_taken(reader);
	reader->level[reader->depth] = (struct level){.is_map = wanted == YAML_VALUE_MAP};
	reader->depth++;
	return 0;
}

int yaml_reader_map(struct yaml_reader *reader, struct error *err)
{
	return enter(reader, YAML_VALUE_MAP, err);
}

int yaml_reader_list(struct yaml_reader *reader, struct error *err)
{
	return enter(reader, YAML_VALUE_LIST, err);
}

/* 1: the next key is in reader->event; 0: the mapping ended. */
static int next_key(struct yaml_reader *reader, struct error *err)
{
	struct level *level = &reader->level[reader->depth - 1];

	assert(reader->depth > 0 && level->is_map && !level->has_key);
	if (next_event(reader, err) < 0) {
		return -1;
	}
	if (reader->event.type == YAML_MAPPING_END_EVENT) {
		drop_event(reader);
		reader->depth--;
		return 0;
	}
	if (reader->event.type != YAML_SCALAR_EVENT) {
		return yaml_reader_fail(reader, err, "a key must be one word");
	}
	return 1;
}

static int unknown_word(const struct yaml_reader *reader, const char *what, struct bytes wrong,
			const char *const *words, struct error *err)
{
	char shown[WORD_SHOWN], list[ERROR_MSG_SIZE / 2] = "";
	const char *near = nearest_find(wrong, nearest_in_array, words);
	size_t used = 0;

	(void)escape_text(wrong, shown, sizeof(shown));
	if (near) {
		return yaml_reader_fail(reader, err, "unknown %s \"%s\": did you mean \"%s\"?",
					what, shown, near);
	}
	for (size_t i = 0; words[i] && used < sizeof(list); i++) {
		int n = snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);

		used += n > 0 ? (size_t)n : 0;
	}
	return yaml_reader_fail(reader, err, "unknown %s \"%s\": known are %s", what, shown, list);
}

int yaml_reader_key(struct yaml_reader *reader, const char *const *keys, size_t *index,
		    struct error *err)
{
	struct level *level = &reader->level[reader->depth - 1];
	int more = next_key(reader, err);
	struct bytes key;

	if (more <= 0) {
		return more;
	}
	key = scalar_of(&reader->event);
	for (size_t i = 0; keys[i]; i++) {
		assert(i < YAML_KEYS_MAX);
		if (!bytes_equal_string(key, keys[i])) {
			continue;
		}
		if (level->seen & UINT64_C(1) << i) {
			return yaml_reader_fail(reader, err, "key \"%s\" stands twice", keys[i]);
		}
		level->seen |= UINT64_C(1) << i;
		level->has_key = true;
		drop_event(reader);
		*index = i;
		return 1;
	}
	return unknown_word(reader, "key", key, keys, err);
}

static int copy_text(const struct yaml_reader *reader, char *text, size_t room, struct error *err)
{
	struct bytes from = scalar_of(&reader->event);

	if (from.len >= room) {
		return yaml_reader_fail(reader, err, "longer than %zu bytes", room - 1);
	}
	if (from.len > 0 && memchr(from.data, 0, from.len)) {
		return yaml_reader_fail(reader, err, "a NUL byte is not allowed");
	}
	if (from.len > 0) {
		memcpy(text, from.data, from.len);
	}
	text[from.len] = '\0';
	return 0;
}

int yaml_reader_any_key(struct yaml_reader *reader, char *key, size_t room, struct error *err)
{
	int more = next_key(reader, err);

	if (more <= 0) {
		return more;
	}
	if (copy_text(reader, key, room, err) < 0) {
		return -1;
	}
	reader->level[reader->depth - 1].has_key = true;
	drop_event(reader);
	return 1;
}

int yaml_reader_item(struct yaml_reader *reader, struct error *err)
{
	assert(reader->depth > 0 && !reader->level[reader->depth - 1].is_map);
	if (next_event(reader, err) < 0) {
		return -1;
	}
	if (reader->event.type == YAML_SEQUENCE_END_EVENT) {
		drop_event(reader);
		reader->depth--;
		return 0;
	}
	return 1;
}

static int want_scalar(struct yaml_reader *reader, const char *wanted, struct error *err)
{
	enum yaml_value value;

	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	if (value != YAML_VALUE_SCALAR) {
		return yaml_reader_fail(reader, err, "expected %s, found %s", wanted,
					value_name(value));
	}
	return 0;
}

int yaml_reader_text(struct yaml_reader *reader, char *text, size_t room, struct error *err)
{
	if (want_scalar(reader, "a text", err) < 0 || copy_text(reader, text, room, err) < 0) {
		return -1;
	}
	value_taken(reader);
	return 0;
}

int yaml_reader_text_new(struct yaml_reader *reader, char **text, struct error *err)
{
	size_t room;
	char *made;

	*text = NULL;
	if (want_scalar(reader, "a text", err) < 0) {
		return -1;
	}
	room = reader->event.data.scalar.length + 1;
	if (room > YAML_TEXT_MAX) {
		return yaml_reader_fail(reader, err, "longer than %d bytes", YAML_TEXT_MAX - 1);
	}
	made = malloc(room);
	if (!made) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (copy_text(reader, made, room, err) < 0) {
		free(made);
		return -1;
	}
	value_taken(reader);
	*text = made;
	return 0;
}

/* Decimal digits alone: no sign, blank, base or overflow. */
static bool parse_digits(const char *text, size_t len, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(*number, UINT64_C(10), number) ||
		    __builtin_add_overflow(*number, (uint64_t)(text[i] - '0'), number)) {
			return false;
		}
	}
	return len > 0;
}

bool yaml_parse_duration(const char *text, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t len = strlen(text);
	uint64_t scale = 1, number;

	for (size_t i = 0; len > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[len - 1] == units[i].unit) {
			scale = units[i].seconds;
			len--;
			break;
		}
	}
	return parse_digits(text, len, &number) && !__builtin_mul_overflow(number, scale, seconds);
}

int yaml_reader_number(struct yaml_reader *reader, uint64_t least, uint64_t most, uint64_t *number,
		       struct error *err)
{
	char text[24];
	struct bytes from;

	if (want_scalar(reader, "a number", err) < 0) {
		return -1;
	}
	from = scalar_of(&reader->event);
	if (from.len < sizeof(text)) {
		memcpy(text, from.data, from.len);
		text[from.len] = '\0';
	}
	if (from.len >= sizeof(text) || !parse_digits(text, from.len, number) || *number < least ||
	    *number > most) {
		return yaml_reader_fail(reader, err, "expected a number from %llu to %llu",
					(unsigned long long)least, (unsigned long long)most);
	}
	value_taken(reader);
	return 0;
}

int yaml_reader_duration(struct yaml_reader *reader, uint64_t least_s, uint64_t most_s,
			 uint64_t *seconds, struct error *err)
{
	char text[24];

	if (want_scalar(reader, "a time", err) < 0) {
		return -1;
	}
	if (copy_text(reader, text, sizeof(text), NULL) < 0 ||
	    !yaml_parse_duration(text, seconds) || *seconds < least_s || *seconds > most_s) {
		return yaml_reader_fail(reader, err,
					"expected a time such as 90s, 15m, 6h or 30d, from %llu to "
					"%llu seconds",
					(unsigned long long)least_s, (unsigned long long)most_s);
	}
	value_taken(reader);
	return 0;
}

int yaml_reader_word(struct yaml_reader *reader, const char *const *words, size_t *index,
		     struct error *err)
{
	struct bytes word;

	if (want_scalar(reader, "a word", err) < 0) {
		return -1;
	}
	word = scalar_of(&reader->event);
	for (size_t i = 0; words[i]; i++) {
		if (bytes_equal_string(word, words[i])) {
			value_taken(reader);
			*index = i;
			return 0;
		}
	}
	return unknown_word(reader, "value", word, words, err);
}

int yaml_reader_bool(struct yaml_reader *reader, bool *value, struct error *err)
{
	static const char *const words[] = {"true", "yes", "on", "false", "no", "off", NULL};
	size_t index;

	if (yaml_reader_word(reader, words, &index, err) < 0) {
		return -1;
	}
	*value = index < 3;
	return 0;
}

int yaml_reader_null(struct yaml_reader *reader, struct error *err)
{
	enum yaml_value value;

	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	if (value != YAML_VALUE_NULL) {
		return yaml_reader_fail(reader, err, "expected nothing, found %s",
					value_name(value));
	}
	value_taken(reader);
	return 0;
}

int yaml_reader_done(struct yaml_reader *reader, struct error *err)
{
	assert(reader->depth == 0);
	if (next_event(reader, err) < 0) {
		return -1;
	}
	if (reader->event.type != YAML_STREAM_END_EVENT) {
		return yaml_reader_fail(reader, err, "nothing more may follow");
	}
	return 0;
}
