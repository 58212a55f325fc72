// SPDX-License-Identifier: MIT
#include <string.h>

#include "controller/store/inner.h"
#include "schema/cbor.h"
#include "schema/escape.h"
#include "schema/record.h"

/*
 * os-release(5): NAME=value lines, values quoted as for a shell. The text is the host's: only one
 * value is looked for, quotes are taken off, nothing is expanded.
 */
static struct bytes value_of(struct bytes text, const char *name)
{
	size_t len = strlen(name), at = 0;

	while (at < text.len) {
		const uint8_t *line = text.data + at;
		const uint8_t *end = memchr(line, '\n', text.len - at);
		size_t n = end ? (size_t)(end - line) : text.len - at;

		at += n + 1;
		if (n <= len || memcmp(line, name, len) != 0 || line[len] != '=') {
			continue;
		}
		line += len + 1;
		n -= len + 1;
		if (n >= 2 && (line[0] == '"' || line[0] == '\'') && line[n - 1] == line[0]) {
			line++;
			n -= 2;
		}
		return bytes_make(line, n);
	}
	return (struct bytes){0};
}

void os_release_release(struct bytes section, char *to, size_t room)
{
	static const char *const names[] = {"ID", "VERSION_ID"};
	struct cbor_reader r;
	struct record record;
	size_t used = 0;

	to[0] = '\0';
	cbor_reader_init(&r, section);
	while (cbor_reader_has_more(&r) && record_decode(&r, &record)) {
		if (record.count != FACT_FIELDS ||
		    !bytes_equal_string(record.field[FACT_NAME], FACT_OS_RELEASE)) {
			continue;
		}
		for (size_t i = 0; i < 2; i++) {
			struct bytes value = value_of(record.field[FACT_VALUE], names[i]);

			/* Rolling distributions have no version; without an ID nothing is known. */
			if (value.len == 0 || used + 2 >= room) {
				return;
			}
			if (i > 0) {
				to[used++] = ' ';
			}
			used += escape_bytes(ESCAPE_TEXT, value, to + used, room - used);
		}
		return;
	}
}

void os_release_name(struct bytes section, char *to, size_t room)
{
	struct cbor_reader r;
	struct record record;
	struct bytes value;

	to[0] = '\0';
	cbor_reader_init(&r, section);
	while (cbor_reader_has_more(&r) && record_decode(&r, &record)) {
		if (record.count != FACT_FIELDS ||
		    !bytes_equal_string(record.field[FACT_NAME], FACT_OS_RELEASE)) {
			continue;
		}
		value = value_of(record.field[FACT_VALUE], "PRETTY_NAME");
		if (value.len == 0) {
			value = value_of(record.field[FACT_VALUE], "ID");
		}
		(void)escape_bytes(ESCAPE_TEXT, value, to, room);
		return;
	}
}
