// SPDX-License-Identifier: MIT
#include "controller/inventory/kind.h"

#include <stdbool.h>
#include <string.h>

#include "baselines/yaml.h"
#include "controller/inventory/yaml_skip.h"

#define KEY_MAX 4096

static bool is_in(const char *word, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(word, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

static const char *const own_keys[] = {"vars", "hosts", "groups", NULL};
static const char *const group_keys[] = {"hosts", "children", "vars", NULL};
static const char *const node_keys[] = {"nodename", "hostname", "username",
					"osFamily", "tags",     NULL};

/* By the keys of one value that stands under a name. False: this one does not tell. */
static bool kind_of_value(struct yaml_reader *reader, enum kind *kind)
{
	enum yaml_value value;
	struct error ignored;
	char key[KEY_MAX];

	if (yaml_reader_peek(reader, &value, &ignored) < 0) {
		return false;
	}
	if (value == YAML_VALUE_LIST) {
		*kind = KIND_ANSIBLE_YAML; /* group: [hosts], as older programs print it */
		return true;
	}
	if (value != YAML_VALUE_MAP || yaml_reader_map(reader, &ignored) < 0 ||
	    yaml_reader_any_key(reader, key, sizeof(key), &ignored) <= 0) {
		return false;
	}
	do {
		if (is_in(key, group_keys)) {
			*kind = KIND_ANSIBLE_YAML;
			return true;
		}
		if (is_in(key, node_keys)) {
			*kind = KIND_RUNDECK;
			return true;
		}
		if (yaml_skip(reader, &ignored) < 0) {
			return false;
		}
	} while (yaml_reader_any_key(reader, key, sizeof(key), &ignored) > 0);
	return false;
}

static enum kind kind_of_document(struct yaml_reader *reader)
{
	enum kind kind = KIND_YAML;
	enum yaml_value value;
	struct error ignored;
	char key[KEY_MAX];

	if (yaml_reader_peek(reader, &value, &ignored) < 0) {
		return KIND_YAML;
	}
	if (value == YAML_VALUE_LIST) {
		return yaml_reader_list(reader, &ignored) == 0 &&
				       yaml_reader_item(reader, &ignored) > 0 &&
				       kind_of_value(reader, &kind)
			       ? kind
			       : KIND_YAML;
	}
	if (value != YAML_VALUE_MAP || yaml_reader_map(reader, &ignored) < 0 ||
	    yaml_reader_any_key(reader, key, sizeof(key), &ignored) <= 0) {
		return KIND_YAML;
	}
	if (is_in(key, own_keys)) {
		return KIND_YAML;
	}
	if (strcmp(key, "_meta") == 0 || strcmp(key, "all") == 0) {
		return KIND_ANSIBLE_YAML;
	}
	/* The first tells; an empty group may stand in front of it. */
	do {
		if (yaml_reader_peek(reader, &value, &ignored) < 0) {
			break;
		}
		if (value != YAML_VALUE_NULL) {
			return kind_of_value(reader, &kind) ? kind : KIND_YAML;
		}
		if (yaml_reader_null(reader, &ignored) < 0) {
			break;
		}
	} while (yaml_reader_any_key(reader, key, sizeof(key), &ignored) > 0);
	return KIND_YAML;
}

static enum kind kind_of_yaml(const char *name, struct bytes text)
{
	struct yaml_reader *reader = NULL;
	enum kind kind = KIND_YAML;
	struct error ignored;

	if (yaml_reader_new(&reader, name, text, &ignored) == 0) {
		kind = kind_of_document(reader);
	}
	yaml_reader_free(reader);
	return kind;
}

/* [name], [name:children] ...: a range of a plain list begins with a digit. */
static bool is_section(struct bytes line)
{
	const uint8_t *end = memchr(line.data, ']', line.len);

	if (line.data[0] != '[' || !end || line.len < 3 ||
	    (line.data[1] >= '0' && line.data[1] <= '9')) {
		return false;
	}
	for (const uint8_t *p = end + 1; p < line.data + line.len && *p != '#' && *p != ';'; p++) {
		if (*p != ' ' && *p != '\t' && *p != '\r') {
			return false;
		}
	}
	/* [fe80::1] is an address. */
	return memmem(line.data, (size_t)(end - line.data), "::", 2) == NULL;
}

static bool looks_like_ini(struct bytes text)
{
	static const char variable[] = " ansible_";

	for (size_t i = 0; i < text.len;) {
		struct bytes line = bytes_make(text.data + i, text.len - i);
		const uint8_t *end = memchr(line.data, '\n', line.len);

		if (end) {
			line.len = (size_t)(end - line.data);
		}
		if (line.len > 0 && line.data[0] != '#' &&
		    (is_section(line) ||
		     memmem(line.data, line.len, variable, sizeof(variable) - 1))) {
			return true;
		}
		i += line.len + 1;
	}
	return false;
}

/* Whether the first line that says something could not stand in a plain list. */
static bool looks_like_yaml(struct bytes text)
{
	static const char *const starts[] = {"---", "hosts:", "groups:", "vars:", "{", NULL};

	for (size_t i = 0; i < text.len;) {
		struct bytes line = bytes_make(text.data + i, text.len - i);
		const uint8_t *end = memchr(line.data, '\n', line.len);

		if (end) {
			line.len = (size_t)(end - line.data);
		}
		if (line.len > 0 && !strchr("#\r \t", line.data[0])) {
			for (size_t s = 0; starts[s]; s++) {
				if (bytes_has_prefix(line, bytes_from_string(starts[s]))) {
					return true;
				}
			}
			/* A list of JSON: what begins a range is a digit. */
			return line.data[0] == '[' && (line.len == 1 || line.data[1] == '{' ||
						       line.data[1] == ' ' || line.data[1] == '\r');
		}
		i += line.len + 1;
	}
	return false;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), end = strlen(suffix);

	return len >= end && strcmp(text + len - end, suffix) == 0;
}

enum kind kind_of(const char *name, struct bytes text)
{
	if (has_suffix(name, ".yaml") || has_suffix(name, ".yml") || has_suffix(name, ".json")) {
		return kind_of_yaml(name, text);
	}
	if (has_suffix(name, ".ini")) {
		return KIND_ANSIBLE_INI;
	}
	if (looks_like_yaml(text)) {
		return kind_of_yaml(name, text);
	}
	return looks_like_ini(text) ? KIND_ANSIBLE_INI : KIND_LIST;
}
