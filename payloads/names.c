// SPDX-License-Identifier: MIT
#include "payloads/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "payloads/memory.h"
#include "payloads/sys.h"
#include "schema/entry.h"

#define LINE_MAX_BYTES 65536 /* a group's member list may be long */

int names_init(struct names *names)
{
	*names = (struct names){.list = NULL};
	names->list = memory_take(NAMES_MAX * sizeof(*names->list));
	names->text = memory_take(NAMES_TEXT_MAX);
	if (!names->list || !names->text) {
		names_clear(names);
		return -ENOMEM;
	}
	return 0;
}

void names_clear(struct names *names)
{
	if (names->list) {
		memory_give(names->list);
	}
	if (names->text) {
		memory_give(names->text);
	}
	*names = (struct names){.list = NULL};
}

/* Decimal, the whole field, as getpwent of every libc takes it. */
static bool parse_id(struct bytes field, uint32_t *id)
{
	uint64_t value = 0;

	if (field.len == 0 || field.len > 10) {
		return false;
	}
	for (size_t i = 0; i < field.len; i++) {
		if (field.data[i] < '0' || field.data[i] > '9') {
			return false;
		}
		value = value * 10 + (uint64_t)(field.data[i] - '0');
	}
	*id = (uint32_t)value;
	return value < UINT32_MAX;
}

static struct bytes cut(struct bytes *rest, uint8_t end)
{
	struct bytes part = *rest;
	const uint8_t *at = part.len ? memchr(part.data, end, part.len) : NULL;

	if (at) {
		part.len = (size_t)(at - part.data);
		rest->data = at + 1;
		rest->len -= part.len + 1;
	} else {
		rest->data += rest->len;
		rest->len = 0;
	}
	return part;
}

static void add(struct names *names, struct bytes name, uint32_t id)
{
	if (names->count >= NAMES_MAX || name.len >= ENTRY_NAME_MAX ||
	    name.len + 5 > NAMES_TEXT_MAX - names->text_len) {
		names->left_out++;
		return;
	}
	names->list[names->count++] =
		(struct name){.id = id, .at = (uint32_t)names->text_len, .len = (uint8_t)name.len};
	memcpy(names->text + names->text_len, name.data, name.len);
	names->text_len += name.len;
	names->text[names->text_len++] = '\0';
	for (unsigned shift = 32; shift > 0; shift -= 8) {
		names->text[names->text_len++] = (char)(id >> (shift - 8));
	}
}

static void parse_line(struct names *names, struct bytes line)
{
	struct bytes name = cut(&line, ':');
	uint32_t id;

	(void)cut(&line, ':');
	/* "+" and "-" begin NIS lines; '#' would be taken for one of our numbers. */
	if (name.len == 0 || name.data[0] == '+' || name.data[0] == '-' || name.data[0] == '#' ||
	    memchr(name.data, '\0', name.len) || !parse_id(cut(&line, ':'), &id)) {
		return;
	}
	add(names, name, id);
}

void names_parse(struct names *names, struct bytes text)
{
	while (text.len > 0) {
		parse_line(names, cut(&text, '\n'));
	}
}

int names_load(struct names *names, int fd)
{
	static char buffer[LINE_MAX_BYTES];
	size_t len = 0;
	ssize_t got = 0;
	bool skip = false;

	while ((got = read(fd, buffer + len, sizeof(buffer) - len)) > 0) {
		char *end;

		len += (size_t)got;
		end = memrchr(buffer, '\n', len);
		if (end) {
			size_t whole = (size_t)(end + 1 - buffer);
			struct bytes text = bytes_make(buffer, whole);

			if (skip) {
				(void)cut(&text, '\n');
				skip = false;
			}
			names_parse(names, text);
			len -= whole;
			memmove(buffer, buffer + whole, len);
		} else if (len == sizeof(buffer)) {
			/* The name and id of an overlong line stand at its start. */
			if (!skip) {
				parse_line(names, bytes_make(buffer, len));
			}
			skip = true;
			len = 0;
		}
	}
	if (len > 0 && !skip) {
		parse_line(names, bytes_make(buffer, len));
	}
	return got < 0 ? -EIO : 0;
}

static int by_id(const void *a, const void *b)
{
	const struct name *x = a;
	const struct name *y = b;

	if (x->id != y->id) {
		return x->id < y->id ? -1 : 1;
	}
	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct name *x = a;
	const struct name *y = b;
	const char *text = context;
	int order = strcmp(text + x->at, text + y->at);

	return order != 0 ? order : by_id(a, b);
}

void names_finish(struct names *names)
{
	size_t kept = 0;

	/* A name with several ids counts for none of them; 0 is root's whatever the file says. */
	qsort_r(names->list, names->count, sizeof(*names->list), by_name, names->text);
	for (size_t i = 0; i < names->count;) {
		const char *name = names->text + names->list[i].at;
		uint32_t id = names->list[i].id;
		bool shared = id != 0 && strcmp(name, "root") == 0;
		size_t end = i;

		while (end < names->count && strcmp(names->text + names->list[end].at, name) == 0) {
			shared = shared || names->list[end].id != id;
			end++;
		}
		for (; i < end; i++) {
			if (shared) {
				names->list[i].len = 0;
			}
		}
	}
	qsort(names->list, names->count, sizeof(*names->list), by_id);
	for (size_t i = 0; i < names->count; i++) {
		struct name *last = kept > 0 ? &names->list[kept - 1] : NULL;

		if (!last || last->id != names->list[i].id) {
			names->list[kept++] = names->list[i];
		} else if (last->len != names->list[i].len ||
			   strcmp(names->text + last->at, names->text + names->list[i].at) != 0) {
			last->len = 0;
		}
	}
	names->count = kept;
}

struct bytes names_lookup(struct names *names, uint32_t id)
{
	size_t low = 0;
	size_t high = names->count;

	if (id == 0) {
		return BYTES_LITERAL("root");
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->list[middle].id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low < names->count && names->list[low].id == id && names->list[low].len > 0) {
		return bytes_make(names->text + names->list[low].at, names->list[low].len);
	}
	names->number[0] = '#';
	return bytes_make(names->number, 1 + sys_decimal(id, names->number + 1));
}
