// SPDX-License-Identifier: MIT
#include "controller/report/values.h"

#include <string.h>

#include "controller/report/print.h"

bool values_next(struct bytes *text, struct values_word *word)
{
	const uint8_t *blank = text->len ? memchr(text->data, ' ', text->len) : NULL;
	size_t len = blank ? (size_t)(blank - text->data) : text->len;
	const uint8_t *equals = len ? memchr(text->data, '=', len) : NULL;
	size_t key = equals ? (size_t)(equals - text->data) : 0;

	if (key == 0 || key > VALUES_KEY_MAX) {
		return false;
	}
	for (size_t i = 0; i < key; i++) {
		uint8_t c = text->data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
			return false;
		}
	}
	word->key = bytes_make(text->data, key);
	word->value = bytes_make(equals + 1, len - key - 1);
	*text = bytes_make(text->data + len + (blank ? 1 : 0), text->len - len - (blank ? 1 : 0));
	return true;
}

bool values_find(struct bytes text, const char *key, struct bytes *value)
{
	struct values_word word;

	while (values_next(&text, &word)) {
		if (bytes_equal_string(word.key, key)) {
			*value = word.value;
			return true;
		}
	}
	return false;
}

bool values_are_words(struct bytes text)
{
	struct bytes rest = text;
	struct values_word word;
	size_t count = 0;

	while (rest.len > 0) {
		struct bytes before = bytes_make(text.data, text.len - rest.len), earlier;
		char key[VALUES_KEY_MAX + 1];

		if (!values_next(&rest, &word)) {
			return false;
		}
		memcpy(key, word.key.data, word.key.len);
		key[word.key.len] = '\0';
		if (++count > 32 || values_find(before, key, &earlier)) {
			return false;
		}
	}
	return text.len > 0 && text.data[text.len - 1] != ' ';
}

const char *values_change_name(const struct finding *finding)
{
	if (finding->old_value.len == 0) {
		return finding->new_value.len == 0 ? "modified" : "appeared";
	}
	return finding->new_value.len == 0 ? "vanished" : "modified";
}

const char *values_coverage_name(enum coverage_state state)
{
	switch (state) {
	case COVERAGE_DONE:
		return "done";
	case COVERAGE_PARTIAL:
		return "partial";
	case COVERAGE_SKIPPED:
		return "skipped";
	case COVERAGE_UNSUPPORTED:
		return "unsupported";
	}
	return "unknown";
}

void values_write(struct jsonl *json, const char *key, struct bytes value)
{
	struct values_word word;

	if (value.len == 0) {
		jsonl_null(json, key);
		return;
	}
	jsonl_object(json, key);
	if (values_are_words(value)) {
		while (values_next(&value, &word)) {
			char name[VALUES_KEY_MAX + 1];

			memcpy(name, word.key.data, word.key.len);
			name[word.key.len] = '\0';
			jsonl_bytes(json, name, word.value);
		}
	} else {
		jsonl_bytes(json, "text", value);
	}
	jsonl_close(json, '}');
}

/* Digests are told apart by their beginning; all of them is in `muster show -v` and NDJSON. */
static void print_word(FILE *out, struct bytes value)
{
	bool is_long = value.len >= 32;

	(void)print_escaped(out, is_long ? bytes_make(value.data, 12) : value);
	if (is_long) {
		(void)fputs("..", out);
	}
}

static void print_change(FILE *out, bool *first, struct bytes key, const struct bytes *old_word,
			 const struct bytes *new_word)
{
	(void)fputs(*first ? "" : ", ", out);
	*first = false;
	(void)print_escaped(out, key);
	(void)fputc(' ', out);
	if (old_word) {
		print_word(out, *old_word);
	} else {
		(void)fputs("none", out);
	}
	(void)fputs(" -> ", out);
	if (new_word) {
		print_word(out, *new_word);
	} else {
		(void)fputs("none", out);
	}
}

static void print_words(FILE *out, struct bytes old_value, struct bytes new_value)
{
	struct bytes rest = old_value, other;
	struct values_word word;
	char key[VALUES_KEY_MAX + 1];
	bool first = true;

	while (values_next(&rest, &word)) {
		memcpy(key, word.key.data, word.key.len);
		key[word.key.len] = '\0';
		if (!values_find(new_value, key, &other)) {
			if (strcmp(key, "md5") == 0) {
				continue; /* not measured where a manifest has SHA-256 */
			}
			print_change(out, &first, word.key, &word.value, NULL);
		} else if (!bytes_equal(word.value, other)) {
			print_change(out, &first, word.key, &word.value, &other);
		}
	}
	rest = new_value;
	while (values_next(&rest, &word)) {
		memcpy(key, word.key.data, word.key.len);
		key[word.key.len] = '\0';
		if (!values_find(old_value, key, &other)) {
			print_change(out, &first, word.key, NULL, &word.value);
		}
	}
}

void values_print_difference(FILE *out, struct bytes old_value, struct bytes new_value)
{
	if (values_are_words(old_value) && values_are_words(new_value)) {
		print_words(out, old_value, new_value);
		return;
	}
	if (old_value.len > 0) {
		(void)fputs("was ", out);
		(void)print_escaped(out, old_value);
	}
	if (new_value.len > 0) {
		(void)fputs(old_value.len > 0 ? ", is " : "is ", out);
		(void)print_escaped(out, new_value);
	}
}
