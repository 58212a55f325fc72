// SPDX-License-Identifier: MIT
#include "controller/report/print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "schema/escape.h"

/* Character by character, so that a piece never ends inside a sequence. */
static size_t print_piecewise(FILE *out, struct bytes bytes, bool keep_backslash)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes.len;) {
		struct bytes rest = bytes_make(bytes.data + i, bytes.len - i);
		char to[ESCAPE_ROOM(4)];
		bool is_plain;
		uint32_t point;
		size_t n = escape_character(rest, &point, &is_plain);

		if (keep_backslash && rest.data[0] == '\\') {
			(void)fputc('\\', out);
			columns++;
			i++;
			continue;
		}
		rest.len = n ? n : 1;
		(void)escape_bytes(ESCAPE_TEXT, rest, to, sizeof(to));
		columns += is_plain && rest.data[0] != '\\' ? 1 : rest.len * 4;
		(void)fputs(to, out);
		i += rest.len;
	}
	return columns;
}

size_t print_bytes(FILE *out, struct bytes bytes)
{
	return print_piecewise(out, bytes, false);
}

size_t print_escaped(FILE *out, struct bytes text)
{
	return print_piecewise(out, text, true);
}

const char *print_time(int64_t seconds, char to[PRINT_TIME_ROOM])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) ||
	    strftime(to, PRINT_TIME_ROOM, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		(void)snprintf(to, PRINT_TIME_ROOM, "@%" PRId64, seconds);
	}
	return to;
}

const char *print_time_ns(int64_t ns, char to[PRINT_TIME_ROOM])
{
	int64_t seconds = ns / 1000000000, rest = ns % 1000000000;
	size_t len;

	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	(void)print_time(seconds, to);
	len = strlen(to);
	if (len > 0 && to[len - 1] == 'Z' && len + 11 < PRINT_TIME_ROOM) {
		(void)snprintf(to + len - 1, PRINT_TIME_ROOM - len + 1, ".%09" PRId64 "Z", rest);
	}
	return to;
}

/* As ls(1) shows them; the numbers are Linux's (inode(7)), as they came from the host. */
const char *print_mode(uint32_t mode, char to[PRINT_MODE_ROOM])
{
	static const char types[] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";

	to[0] = types[mode >> 12 & 15];
	for (unsigned i = 0; i < 9; i++) {
		to[1 + i] = (mode >> (8 - i) & 1) ? bits[i] : '-';
	}
	if (mode & 04000) {
		to[3] = to[3] == 'x' ? 's' : 'S';
	}
	if (mode & 02000) {
		to[6] = to[6] == 'x' ? 's' : 'S';
	}
	if (mode & 01000) {
		to[9] = to[9] == 'x' ? 't' : 'T';
	}
	to[10] = '\0';
	return to;
}

const char *print_count(uint64_t count, char to[PRINT_NUMBER_ROOM])
{
	char digits[PRINT_NUMBER_ROOM];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t used = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			to[used++] = ',';
		}
		to[used++] = digits[i];
	}
	to[used] = '\0';
	return to;
}

const char *print_size(uint64_t bytes, char to[PRINT_NUMBER_ROOM])
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t whole = bytes, tenths = 0;
	size_t unit = 0;

	while (whole >= 1000) {
		tenths = whole % 1000 / 100;
		whole /= 1000;
		unit++;
	}
	if (unit > 0 && whole < 10) {
		(void)snprintf(to, PRINT_NUMBER_ROOM, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths,
			       units[unit]);
	} else {
		(void)snprintf(to, PRINT_NUMBER_ROOM, "%" PRIu64 " %s", whole, units[unit]);
	}
	return to;
}

const char *print_age(uint64_t seconds, char to[PRINT_NUMBER_ROOM])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	uint64_t count;
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds) {
		i++;
	}
	count = seconds / units[i].seconds;
	(void)snprintf(to, PRINT_NUMBER_ROOM, "%" PRIu64 " %s%s", count, units[i].name,
		       count == 1 ? "" : "s");
	return to;
}

const char *print_span(uint64_t seconds, char to[PRINT_NUMBER_ROOM])
{
	if (seconds < 60) {
		(void)snprintf(to, PRINT_NUMBER_ROOM, "%" PRIu64 " s", seconds);
	} else if (seconds < 3600) {
		(void)snprintf(to, PRINT_NUMBER_ROOM, "%" PRIu64 " min %" PRIu64 " s", seconds / 60,
			       seconds % 60);
	} else {
		(void)snprintf(to, PRINT_NUMBER_ROOM, "%" PRIu64 " h %" PRIu64 " min",
			       seconds / 3600, seconds % 3600 / 60);
	}
	return to;
}
