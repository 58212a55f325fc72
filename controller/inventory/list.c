// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/build.h"
#include "schema/escape.h"

#define LINE_MAX_BYTES 65536
#define SHOWN 100

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts comment and blanks off both ends. */
static char *trim(char *line)
{
	char *comment = strchr(line, '#'), *end;

	if (comment) {
		*comment = '\0';
	}
	while (is_blank(*line)) {
		line++;
	}
	end = line + strlen(line);
	while (end > line && is_blank(end[-1])) {
		*--end = '\0';
	}
	return line;
}

static int refuse_group(void *context, const char *group, struct nodeset *set, struct error *err)
{
	(void)context;
	(void)group;
	(void)set;
	return error_set(err, ERROR_CONFIG, 0,
			 "a plain list defines hosts, not groups: use a YAML inventory");
}

static int reach(void *context, struct nodeset *hosts, const char *user, uint16_t port,
		 struct error *err)
{
	const struct inventory_vars vars = {.user = *user ? user : NULL, .port = port};

	return build_hosts(context, hosts, &vars, BUILD_FOR_HOST, err);
}

static int read_line(struct inventory *inventory, const char *line, struct error *err)
{
	const struct nodeset_groups groups = {
		.add = refuse_group, .reach = reach, .context = inventory};
	struct nodeset *hosts = NULL;
	int status = -1;

	if (nodeset_parse(&hosts, line, &groups, err) == 0) {
		status = build_hosts(inventory, hosts, NULL, BUILD_FOR_HOST, err);
	}
	nodeset_free(hosts);
	return status;
}

int build_from_list(struct inventory *inventory, const char *name, struct bytes text,
		    struct error *err)
{
	char *line = malloc(LINE_MAX_BYTES), shown[SHOWN * 2];
	size_t number = 0;
	int status = -1;

	if (!line) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	(void)escape_text(bytes_from_string(name), shown, sizeof(shown));
	for (size_t i = 0, len; i < text.len; i += len + 1) {
		const uint8_t *start = text.data + i;
		const uint8_t *end = memchr(start, '\n', text.len - i);
		char *content;

		len = end ? (size_t)(end - start) : text.len - i;
		number++;
		if (len >= LINE_MAX_BYTES || (len > 0 && memchr(start, 0, len))) {
			(void)error_set(err, ERROR_CONFIG, 0, "%s:%zu: %s", shown, number,
					len >= LINE_MAX_BYTES ? "the line is too long"
							      : "a NUL byte: no list of hosts");
			goto out;
		}
		memcpy(line, start, len);
		line[len] = '\0';
		content = trim(line);
		if (*content && read_line(inventory, content, err) < 0) {
			(void)error_prefix(err, "%s:%zu", shown, number);
			goto out;
		}
	}
	status = 0;
out:
	free(line);
	return status;
}
