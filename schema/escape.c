// SPDX-License-Identifier: MIT
#include "schema/escape.h"

/* Length of the valid UTF-8 sequence at `p` and its code point, or 0 (RFC 3629). */
static size_t utf8_sequence(const uint8_t *p, size_t len, uint32_t *point)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;

	if (p[0] < 0x80) {
		*point = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	if (n == 0 || p[0] > 0xf4 || n > len) {
		return 0;
	}
	*point = (uint32_t)(p[0] & (0x7f >> n));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		*point = *point << 6 | (uint32_t)(p[i] & 0x3f);
	}
	if (*point < smallest[n] || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff)) {
		return 0;
	}
	return n;
}

struct range {
	uint32_t first, last;
};

/*
 * Code points that steer a terminal or a reader's eye instead of being text: C1 controls, soft
 * hyphen, combining grapheme joiner, bidirectional marks (UAX #9), zero-width and invisible ones,
 * line and paragraph separators, fillers, variation selectors, BOM, interlinear, private use, tags.
 */
static const struct range deceptive[] = {
	{0x7f, 0x9f},       {0xad, 0xad},        {0x34f, 0x34f},   {0x61c, 0x61c},
	{0x115f, 0x1160},   {0x17b4, 0x17b5},    {0x180b, 0x180f}, {0x2000, 0x200f},
	{0x2028, 0x202f},   {0x205f, 0x206f},    {0x2800, 0x2800}, {0x3000, 0x3000},
	{0x3164, 0x3164},   {0xe000, 0xf8ff},    {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
	{0xffa0, 0xffa0},   {0xfff0, 0xfffd},    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3},
	{0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};

static bool is_deceptive(uint32_t point)
{
	for (size_t i = 0; i < sizeof(deceptive) / sizeof(deceptive[0]); i++) {
		if (point >= deceptive[i].first && point <= deceptive[i].last) {
			return true;
		}
	}
	return false;
}

/* How many bytes at `p` may stand as they are: 0 means that p[0] is to be escaped. */
static size_t plain_run(enum escape_style style, const uint8_t *p, size_t len)
{
	uint32_t point;
	size_t n;

	if (p[0] < 0x20 || p[0] == '\\' || p[0] == 0x7f) {
		return 0;
	}
	if (style == ESCAPE_MTREE) {
		return p[0] > 0x7e || strchr(" #*?[=", p[0]) ? 0 : 1;
	}
	n = utf8_sequence(p, len, &point);
	return n > 1 && is_deceptive(point) ? 0 : n;
}

size_t escape_bytes(enum escape_style style, struct bytes from, char *to, size_t room)
{
	size_t used = 0, whole = 0;

	if (room == 0) {
		return 0;
	}
	for (size_t i = 0; i < from.len;) {
		size_t n = plain_run(style, from.data + i, from.len - i);
		size_t need = n == 0 ? 4 : n;

		if (used + need >= room) {
			/* Cut where the dots still fit; `whole` is the last such place. */
			used = whole;
			for (int dots = 0; dots < 3 && used + 1 < room; dots++) {
				to[used++] = '.';
			}
			break;
		}
		if (n == 0) {
			to[used] = '\\';
			to[used + 1] = (char)('0' + (from.data[i] >> 6));
			to[used + 2] = (char)('0' + (from.data[i] >> 3 & 7));
			to[used + 3] = (char)('0' + (from.data[i] & 7));
			n = 1;
		} else {
			memcpy(to + used, from.data + i, n);
		}
		used += need;
		i += n;
		if (used + 4 <= room) {
			whole = used;
		}
	}
	to[used] = '\0';
	return used;
}

const char *escape_text(struct bytes from, char *to, size_t room)
{
	(void)escape_bytes(ESCAPE_TEXT, from, to, room);
	return to;
}

bool escape_is_needed(enum escape_style style, struct bytes from)
{
	for (size_t i = 0; i < from.len;) {
		size_t n = plain_run(style, from.data + i, from.len - i);

		if (n == 0) {
			return true;
		}
		i += n;
	}
	return false;
}

size_t escape_character(struct bytes from, uint32_t *point, bool *is_plain)
{
	size_t n = utf8_sequence(from.data, from.len, point);

	*is_plain = n > 0 && *point >= 0x20 && *point != 0x7f && !(n > 1 && is_deceptive(*point));
	return n;
}

static bool is_octal(uint8_t c, uint8_t most)
{
	return c >= '0' && c <= most;
}

long escape_undo(struct bytes from, uint8_t *to)
{
	size_t used = 0;

	for (size_t i = 0; i < from.len; i++) {
		const uint8_t *p = from.data + i;

		if (*p != '\\') {
			to[used++] = *p;
			continue;
		}
		if (from.len - i < 4 || !is_octal(p[1], '3') || !is_octal(p[2], '7') ||
		    !is_octal(p[3], '7')) {
			return -1;
		}
		to[used++] = (uint8_t)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
		i += 3;
	}
	return (long)used;
}
