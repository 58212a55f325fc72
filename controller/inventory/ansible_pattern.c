// SPDX-License-Identifier: MIT
#include "controller/inventory/ansible_pattern.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/escape.h"

#define RANGES_MAX 8
#define PATTERN_MAX 1024
#define SHOWN 100

struct range {
	bool is_letter;
	unsigned long first, last, step;
	int width; /* 0: not padded */
};

static int fault(const char *pattern, const char *what, struct error *err)
{
	char shown[SHOWN];

	return error_set(err, ERROR_CONFIG, 0, "\"%s\": %s",
			 escape_text(bytes_from_string(pattern), shown, sizeof(shown)), what);
}

static bool read_number(const char *text, unsigned long *number)
{
	size_t len = strlen(text);

	if (len == 0 || len > 9 || strspn(text, "0123456789") != len) {
		return false;
	}
	*number = strtoul(text, NULL, 10);
	return true;
}

/* first:last or first:last:step, without brackets. */
static bool read_range(const char *text, size_t len, struct range *range)
{
	char copy[64], *last, *step;

	*range = (struct range){.step = 1};
	if (len >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	last = strchr(copy, ':');
	if (!last) {
		return false;
	}
	*last++ = '\0';
	step = strchr(last, ':');
	if (step) {
		*step++ = '\0';
		if (!read_number(step, &range->step) || range->step == 0) {
			return false;
		}
	}
	if (strlen(copy) == 1 && strlen(last) == 1 && isalpha((unsigned char)copy[0]) &&
	    isalpha((unsigned char)last[0])) {
		range->is_letter = true;
		range->first = (unsigned char)copy[0];
		range->last = (unsigned char)last[0];
	} else if (!read_number(copy, &range->first) || !read_number(last, &range->last)) {
		return false;
	} else if (copy[0] == '0' && strlen(copy) > 1) {
		range->width = (int)strlen(copy);
	}
	return range->first <= range->last;
}

/* `done` is what stands in front of `rest`, expanded. */
static int expand(const char *whole, const char *done, const char *rest, unsigned ranges,
		  struct nodeset *hosts, struct error *err)
{
	const char *open = strchr(rest, '['), *close = open ? strchr(open, ']') : NULL;
	char name[NODESET_NAME_MAX + 1];
	struct range range;

	if (!open) {
		int n = snprintf(name, sizeof(name), "%s%s", done, rest);

		if (n < 0 || (size_t)n >= sizeof(name)) {
			return fault(whole, "a host name has at most 255 bytes", err);
		}
		return nodeset_add(hosts, name, err);
	}
	if (!close || !read_range(open + 1, (size_t)(close - open) - 1, &range)) {
		return fault(whole, "expected a range such as [01:50], [1:9:2] or [a:f]", err);
	}
	if (ranges == RANGES_MAX) {
		return fault(whole, "too many ranges", err);
	}
	for (unsigned long i = range.first; i <= range.last; i += range.step) {
		char number[32];
		int n;

		(void)snprintf(number, sizeof(number), range.is_letter ? "%c" : "%0*lu",
			       range.is_letter ? (int)i : range.width, i);
		n = snprintf(name, sizeof(name), "%s%.*s%s", done, (int)(open - rest), rest,
			     number);
		if (n < 0 || (size_t)n >= sizeof(name)) {
			return fault(whole, "a host name has at most 255 bytes", err);
		}
		if (expand(whole, name, close + 1, ranges + 1, hosts, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* A single colon outside of brackets; an IPv6 address has more. */
static char *find_port(char *pattern)
{
	char *found = NULL;
	bool inside = false;
	size_t colons = 0;

	for (char *p = pattern; *p; p++) {
		inside = *p == '[' ? true : *p == ']' ? false : inside;
		if (*p == ':' && !inside) {
			found = p;
			colons++;
		}
	}
	return colons == 1 ? found : NULL;
}

int ansible_pattern_expand(const char *pattern, struct nodeset *hosts, uint16_t *port,
			   struct error *err)
{
	char copy[PATTERN_MAX], *colon;
	unsigned long number = 0;

	*port = 0;
	if (strlen(pattern) >= sizeof(copy)) {
		return fault(pattern, "a host's pattern is too long", err);
	}
	memcpy(copy, pattern, strlen(pattern) + 1);
	colon = find_port(copy);
	if (colon) {
		if (!read_number(colon + 1, &number) || number < 1 || number > 65535) {
			return fault(pattern, "a port is a number from 1 to 65535", err);
		}
		*port = (uint16_t)number;
		*colon = '\0';
	}
	if (expand(pattern, "", copy, 0, hosts, err) < 0) {
		return -1;
	}
	return 0;
}
