// SPDX-License-Identifier: MIT
#include "payloads/dpkg/status.h"

#include <string.h>
#include <strings.h>

static const char *const field_names[STANZA_FIELDS] = {
	"Package", "Version", "Architecture", "Status", "Source", "Multi-Arch", "Conffiles",
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static struct bytes trim(struct bytes text)
{
	while (text.len != 0 && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len != 0 && is_blank(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

static void stanza_begin(struct status_parser *parser)
{
	memset(&parser->stanza, 0, sizeof(parser->stanza));
	parser->used = 0;
	parser->field = -1;
	parser->any = false;
}

void status_parser_init(struct status_parser *parser, uint8_t *text, size_t room)
{
	parser->text = text;
	parser->room = room;
	stanza_begin(parser);
}

static int field_find(struct bytes name)
{
	for (int i = 0; i < STANZA_FIELDS; i++) {
		if (strlen(field_names[i]) == name.len &&
		    strncasecmp(field_names[i], (const char *)name.data, name.len) == 0) {
			return i;
		}
	}
	return -1;
}

static void field_begin(struct status_parser *parser, int field, struct bytes value)
{
	struct stanza *stanza = &parser->stanza;

	if (stanza->field[field].data) {
		/* dpkg refuses it; the first one stands, and it is told. */
		stanza->faults |= STANZA_MALFORMED;
		parser->field = -1;
		return;
	}
	if (field != STANZA_CONFFILES && value.len > STANZA_VALUE_MAX) {
		value.len = STANZA_VALUE_MAX;
		stanza->faults |= STANZA_LONG_VALUE;
	}
	if (value.len > parser->room - parser->used) {
		value.len = parser->room - parser->used;
		stanza->faults |= STANZA_LONG_VALUE;
	}
	if (field == STANZA_CONFFILES) {
		value.len = 0; /* the first line of this field is empty */
	}
	stanza->field[field] = bytes_make(parser->text + parser->used, value.len);
	if (value.len != 0) {
		memcpy(parser->text + parser->used, value.data, value.len);
		parser->used += value.len;
	}
	parser->field = field;
}

/* Only Conffiles has lines to keep, and nothing else is kept while they come. */
static void field_continue(struct status_parser *parser, struct bytes line)
{
	struct stanza *stanza = &parser->stanza;

	if (parser->field != STANZA_CONFFILES || line.len == 0) {
		return;
	}
	if (line.len + 1 > parser->room - parser->used) {
		stanza->faults |= STANZA_CONFFILES_CUT;
		return;
	}
	memcpy(parser->text + parser->used, line.data, line.len);
	parser->text[parser->used + line.len] = '\n';
	parser->used += line.len + 1;
	stanza->field[STANZA_CONFFILES].len += line.len + 1;
}

bool status_parser_line(struct status_parser *parser, struct bytes line)
{
	const uint8_t *colon;
	struct bytes name;
	int field;

	if (parser->any && parser->field == STANZA_FIELDS) {
		stanza_begin(parser); /* the one handed out at the call before */
	}
	if (line.len != 0 && line.data[line.len - 1] == '\r') {
		line.len--;
	}
	if (line.len == 0) {
		return status_parser_end(parser);
	}
	parser->any = true;
	if (line.data[0] == ' ' || line.data[0] == '\t') {
		field_continue(parser, trim(line));
		return false;
	}
	colon = memchr(line.data, ':', line.len);
	if (!colon) {
		parser->stanza.faults |= STANZA_MALFORMED;
		parser->field = -1;
		return false;
	}
	name = trim(bytes_make(line.data, (size_t)(colon - line.data)));
	field = field_find(name);
	parser->field = -1;
	if (field >= 0) {
		field_begin(
			parser, field,
			trim(bytes_make(colon + 1, line.len - (size_t)(colon + 1 - line.data))));
	}
	return false;
}

bool status_parser_end(struct status_parser *parser)
{
	if (parser->field == STANZA_FIELDS) {
		stanza_begin(parser);
	}
	if (!parser->any) {
		return false;
	}
	parser->field = STANZA_FIELDS;
	return true;
}

static bool word_next(struct bytes *text, struct bytes *word)
{
	*text = trim(*text);
	*word = *text;
	if (text->len == 0) {
		return false;
	}
	for (size_t i = 0; i < text->len; i++) {
		if (is_blank(text->data[i])) {
			word->len = i;
			break;
		}
	}
	text->data += word->len;
	text->len -= word->len;
	return true;
}

enum status_word status_word_of(struct bytes status)
{
	static const char *const words[] = {
		[STATUS_NOT_INSTALLED] = "not-installed",
		[STATUS_CONFIG_FILES] = "config-files",
		[STATUS_HALF_INSTALLED] = "half-installed",
		[STATUS_UNPACKED] = "unpacked",
		[STATUS_HALF_CONFIGURED] = "half-configured",
		[STATUS_TRIGGERS_AWAITED] = "triggers-awaited",
		[STATUS_TRIGGERS_PENDING] = "triggers-pending",
		[STATUS_INSTALLED] = "installed",
	};
	struct bytes word = {NULL, 0};

	for (int i = 0; i < 3; i++) {
		if (!word_next(&status, &word)) {
			return STATUS_UNKNOWN;
		}
	}
	if (trim(status).len != 0) {
		return STATUS_UNKNOWN;
	}
	for (int i = STATUS_NOT_INSTALLED; i <= STATUS_INSTALLED; i++) {
		if (bytes_equal_string(word, words[i])) {
			return (enum status_word)i;
		}
	}
	return STATUS_UNKNOWN;
}

/* Takes the last word off. */
static struct bytes last_word(struct bytes *text)
{
	size_t at;
	struct bytes word;

	*text = trim(*text);
	at = text->len;
	if (at == 0) {
		return *text;
	}
	while (at != 0 && !is_blank(text->data[at - 1])) {
		at--;
	}
	word = bytes_make(text->data + at, text->len - at);
	text->len = at;
	*text = trim(*text);
	return word;
}

bool conffile_parse(struct bytes line, struct conffile *conffile)
{
	struct bytes word = last_word(&line);

	memset(conffile, 0, sizeof(*conffile));
	for (int i = 0; i < 2; i++) {
		if (bytes_equal_string(word, "obsolete") && !conffile->is_obsolete) {
			conffile->is_obsolete = true;
		} else if (bytes_equal_string(word, "remove-on-upgrade") && !conffile->is_removed) {
			conffile->is_removed = true;
		} else {
			break;
		}
		word = last_word(&line);
	}
	conffile->path = line;
	if (bytes_equal_string(word, "newconffile")) {
		conffile->is_new = true;
	} else if (md5_parse(word, conffile->md5)) {
		conffile->has_md5 = true;
	} else if (!bytes_equal_string(word, "-")) { /* dpkg's EMPTYHASHFLAG */
		return false;
	}
	return line.len != 0;
}

bool text_line_next(struct bytes *text, struct bytes *line)
{
	const uint8_t *newline;
	size_t len;

	if (text->len == 0) {
		return false;
	}
	newline = memchr(text->data, '\n', text->len);
	len = newline ? (size_t)(newline - text->data) : text->len;
	*line = bytes_make(text->data, len);
	text->data += len + (newline != NULL);
	text->len -= len + (newline != NULL);
	return true;
}

/* 0 to 15, or 255. Runs over every line of every .md5sums. */
static uint8_t hex_value(uint8_t c)
{
	uint8_t digit = (uint8_t)(c - '0');
	uint8_t letter = (uint8_t)((c | 0x20U) - 'a');

	return digit < 10 ? digit : letter < 6 ? (uint8_t)(letter + 10) : 255;
}

bool md5_parse(struct bytes text, uint8_t md5[MD5_SIZE])
{
	unsigned bad = 0;

	if (text.len != 2 * (size_t)MD5_SIZE) {
		return false;
	}
	for (size_t i = 0; i < MD5_SIZE; i++) {
		uint8_t high = hex_value(text.data[2 * i]);
		uint8_t low = hex_value(text.data[2 * i + 1]);

		bad |= (high | low) & 0xf0U;
		md5[i] = (uint8_t)(high << 4 | low);
	}
	return bad == 0;
}

bool package_name_is_valid(struct bytes name)
{
	if (name.len == 0) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
				(c >= 'A' && c <= 'Z');

		if (!is_alnum && (i == 0 || !memchr("-+._", c, 4))) {
			return false;
		}
	}
	return true;
}
