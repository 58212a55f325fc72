// SPDX-License-Identifier: MIT
#include "baselines/file_name.h"

static bool is_plain(uint8_t c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
		return true;
	}
	return c == '+' || c == '-' || c == '~' || c == '_' || (c == '.' && !first);
}

static bool escape(struct bytes from, bool with_underscore, char to[FILE_NAME_ROOM])
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;

	for (size_t i = 0; i < from.len; i++) {
		uint8_t c = from.data[i];

		if (len + 3 > FILE_NAME_MAX) {
			return false;
		}
		if (is_plain(c, i == 0) && (c != '_' || with_underscore)) {
			to[len++] = (char)c;
			continue;
		}
		to[len++] = '%';
		to[len++] = digits[c >> 4];
		to[len++] = digits[c & 15];
	}
	to[len] = '\0';
	return len > 0;
}

bool file_name_escape(struct bytes from, char to[FILE_NAME_ROOM])
{
	return escape(from, true, to);
}

bool file_name_escape_version(struct bytes from, char to[FILE_NAME_ROOM])
{
	return escape(from, false, to);
}

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long file_name_undo(struct bytes name, uint8_t *to)
{
	size_t len = 0;

	for (size_t i = 0; i < name.len; i++) {
		int high, low;
		uint8_t c;

		if (name.data[i] != '%') {
			if (!is_plain(name.data[i], i == 0)) {
				return -1;
			}
			to[len++] = name.data[i];
			continue;
		}
		if (name.len - i < 3) {
			return -1;
		}
		high = digit(name.data[i + 1]);
		low = digit(name.data[i + 2]);
		if (high < 0 || low < 0) {
			return -1;
		}
		c = (uint8_t)(high << 4 | low);
		/* One spelling a name: only what had to be escaped is. */
		if (is_plain(c, i == 0) && c != '_') {
			return -1;
		}
		to[len++] = c;
		i += 2;
	}
	return len > 0 ? (long)len : -1;
}
