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

/*
 * Cuts `:port` off the end. Only a single colon outside brackets is one: more of them are an IPv6
 * address, whose port is said in a YAML inventory.
 */
static bool cut_port(char *line, uint16_t *port)
{
	char *colon = NULL;
	size_t colons = 0;
	unsigned long number = 0;

	for (char *p = line; *p; p++) {
		if (*p == ':') {
			colon = p;
			colons++;
		}
	}
	if (colons != 1) {
		return true;
	}
	if (strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
		return false;
	}
	number = strtoul(colon + 1, NULL, 10);
	*port = (uint16_t)number;
	*colon = '\0';
	return number >= 1 && number <= 65535;
}

static int read_line(struct inventory *inventory, char *line, struct error *err)
{
	struct inventory_vars vars = {0};
	struct nodeset *hosts = NULL;
	char *at = strchr(line, '@');
	int status = -1;

	if (at == line) {
		return error_set(err, ERROR_CONFIG, 0,
				 "a plain list defines hosts, not groups: use a YAML inventory");
	}
	if (at) {
		/* user@host: the last @ parts them. */
		at = strrchr(line, '@');
		*at = '\0';
		if (!build_user_is_valid(line)) {
			char shown[SHOWN];

			return error_set(
				err, ERROR_CONFIG, 0, "\"%s\" is no user name",
				escape_text(bytes_from_string(line), shown, sizeof(shown)));
		}
		vars.user = line;
		line = at + 1;
	}
	if (!cut_port(line, &vars.port)) {
		return error_set(err, ERROR_CONFIG, 0, "a port is a number from 1 to 65535");
	}
	if (nodeset_parse(&hosts, line, NULL, err) == 0) {
		status = build_hosts(inventory, hosts, &vars, BUILD_FOR_HOST, err);
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
