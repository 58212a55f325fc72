// SPDX-License-Identifier: MIT
/* [group], [group:children], [group:vars]; a line of hosts is a pattern and key=value words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/ansible.h"
#include "schema/escape.h"

#define LINE_MAX_BYTES 65536
#define PLACE_MAX 300
#define SHOWN 200

enum section { SECTION_HOSTS, SECTION_CHILDREN, SECTION_VARS };

struct ini {
	struct ansible *ansible;
	char group[NODESET_NAME_MAX + 1];
	enum section section;
	char place[PLACE_MAX]; /* FILE:LINE */
	const char *line;      /* its beginning, to tell columns */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int fault(const struct ini *ini, const char *at, const char *what, struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0, "%s:%zu: %s", ini->place,
			 (size_t)(at - ini->line) + 1, what);
}

static int read_section(struct ini *ini, char *line, struct error *err)
{
	char *end = strchr(line, ']'), *colon;

	if (!end || (end[1] && end[1] != '#' && end[1] != ';' && !is_blank(end[1]))) {
		return fault(ini, line, "expected [GROUP], [GROUP:children] or [GROUP:vars]", err);
	}
	*end = '\0';
	colon = strrchr(line + 1, ':');
	ini->section = SECTION_HOSTS;
	if (colon) {
		if (strcmp(colon, ":children") == 0) {
			ini->section = SECTION_CHILDREN;
		} else if (strcmp(colon, ":vars") == 0) {
			ini->section = SECTION_VARS;
		} else if (strcmp(colon, ":hosts") != 0) {
			return fault(ini, colon,
				     "a section is [GROUP], [GROUP:children] or [GROUP:vars]", err);
		}
		*colon = '\0';
	}
	if (strlen(line + 1) >= sizeof(ini->group)) {
		return fault(ini, line, "the group's name is too long", err);
	}
	memcpy(ini->group, line + 1, strlen(line + 1) + 1);
	if (ansible_group(ini->ansible, ini->group, err) < 0) {
		return error_prefix(err, "%s:%zu", ini->place, (size_t)(line - ini->line) + 2);
	}
	return 0;
}

/* The next word as a shell would cut it, in place; NULL at the end or a comment. */
static char *next_word(char **rest)
{
	char *from = *rest, *word, *to, quote = '\0';

	while (is_blank(*from)) {
		from++;
	}
	if (!*from || *from == '#') {
		return NULL;
	}
	for (word = to = from; *from && (quote || !is_blank(*from)); from++) {
		if (quote) {
			quote = *from == quote ? '\0' : quote;
			if (quote) {
				*to++ = *from;
			}
		} else if (*from == '"' || *from == '\'') {
			quote = *from;
		} else {
			*to++ = *from;
		}
	}
	*rest = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static int give(struct ini *ini, struct nodeset *hosts, const char *key, const char *value,
		struct error *err)
{
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		const struct ansible_owner owner = {.is_host = true,
						    .name = nodeset_name(hosts, i)};

		if (ansible_variable(ini->ansible, &owner, ini->place, key, value, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int read_host(struct ini *ini, char *line, struct error *err)
{
	struct nodeset *hosts = NULL;
	char *word = next_word(&line), *equals;
	int status = -1;

	if (!word || ansible_hosts(ini->ansible, ini->group, word, &hosts, err) < 0) {
		goto out;
	}
	while ((word = next_word(&line))) {
		equals = strchr(word, '=');
		if (!equals) {
			(void)fault(ini, word, "expected KEY=VALUE behind the host", err);
			nodeset_free(hosts);
			return -1;
		}
		*equals = '\0';
		if (give(ini, hosts, word, equals + 1, err) < 0) {
			goto out;
		}
	}
	status = 0;
out:
	nodeset_free(hosts);
	return status == 0 ? 0 : error_prefix(err, "%s:1", ini->place);
}

static int read_variable(struct ini *ini, char *line, struct error *err)
{
	const struct ansible_owner owner = {.is_host = false, .name = ini->group};
	char *equals = strchr(line, '='), *value, *end;
	size_t len;

	if (!equals) {
		return fault(ini, line, "expected KEY=VALUE", err);
	}
	for (end = equals; end > line && is_blank(end[-1]); end--) {
	}
	*end = '\0';
	for (value = equals + 1; is_blank(*value); value++) {
	}
	len = strlen(value);
	if (len > 1 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
		value[len - 1] = '\0';
		value++;
	}
	if (ansible_variable(ini->ansible, &owner, ini->place, line, value, err) < 0) {
		return error_prefix(err, "%s:%zu", ini->place, (size_t)(value - ini->line) + 1);
	}
	return 0;
}

static int read_child(struct ini *ini, char *line, struct error *err)
{
	char *rest = line, *word = next_word(&rest);

	if (!word || ansible_child(ini->ansible, ini->group, word, err) < 0) {
		return error_prefix(err, "%s:%zu", ini->place, (size_t)(line - ini->line) + 1);
	}
	return 0;
}

static int read_line(struct ini *ini, char *line, struct error *err)
{
	char *end = line + strlen(line);

	while (end > line && is_blank(end[-1])) {
		*--end = '\0';
	}
	ini->line = line;
	while (is_blank(*line)) {
		line++;
	}
	if (!*line || *line == '#' || *line == ';') {
		return 0;
	}
	if (*line == '[' && !strchr("0123456789", line[1])) {
		return read_section(ini, line, err);
	}
	switch (ini->section) {
	case SECTION_HOSTS:
		return read_host(ini, line, err);
	case SECTION_CHILDREN:
		return read_child(ini, line, err);
	case SECTION_VARS:
		break;
	}
	return read_variable(ini, line, err);
}

static int read_lines(struct ini *ini, const char *shown, struct bytes text, char *line,
		      struct error *err)
{
	size_t number = 0;

	for (size_t i = 0, len; i < text.len; i += len + 1) {
		const uint8_t *start = text.data + i;
		const uint8_t *end = memchr(start, '\n', text.len - i);

		len = end ? (size_t)(end - start) : text.len - i;
		(void)snprintf(ini->place, sizeof(ini->place), "%s:%zu", shown, ++number);
		if (len >= LINE_MAX_BYTES || (len > 0 && memchr(start, 0, len))) {
			return error_set(err, ERROR_CONFIG, 0, "%s:1: %s", ini->place,
					 len >= LINE_MAX_BYTES ? "the line is too long"
							       : "a NUL byte: no inventory");
		}
		memcpy(line, start, len);
		line[len] = '\0';
		if (read_line(ini, line, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int build_from_ansible_ini(struct inventory *inventory, const char *name, struct bytes text,
			   struct error *err)
{
	struct ini ini = {.group = "ungrouped"};
	char *line = malloc(LINE_MAX_BYTES), shown[SHOWN];
	int status = -1;

	if (!line) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	(void)escape_text(bytes_from_string(name), shown, sizeof(shown));
	if (ansible_new(&ini.ansible, inventory, err) == 0 &&
	    read_lines(&ini, shown, text, line, err) == 0 &&
	    ansible_read_vars(ini.ansible, name, err) == 0 &&
	    ansible_finish(ini.ansible, err) == 0) {
		status = 0;
	}
	ansible_free(ini.ansible);
	free(line);
	return status;
}
