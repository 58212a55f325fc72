// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_REPORT_HOSTILE_H
#define TESTS_UNIT_CONTROLLER_REPORT_HOSTILE_H

/* Names that a host may send, and what no output may hold. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define HOSTILE(s)                                  \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct bytes hostile[] = {
	HOSTILE("/usr/bin/plain"),
	HOSTILE("/tmp/with blank"),
	HOSTILE("/tmp/back\\slash and \\033"),
	HOSTILE("/tmp/\x1b[31mred\x1b[0m\x1b]0;title\x07"),
	HOSTILE("/tmp/new\nline"),
	HOSTILE("/tmp/\r\t\x01\x1f\x7f"),
	HOSTILE("/tmp/c1-\xc2\x9b\x33\x31m-\xc2\x85"),
	HOSTILE("/tmp/raw-c1-\x9b\x31m"),
	HOSTILE("/tmp/bidi-\xe2\x80\xae"
		"gpj.exe-\xe2\x81\xa6"),
	HOSTILE("/tmp/zero\xe2\x80\x8bwidth\xef\xbb\xbf"),
	HOSTILE("/tmp/line\xe2\x80\xa8para\xe2\x80\xa9"),
	HOSTILE("/tmp/overlong-\xc0\xaf-\xe0\x80\xaf"),
	HOSTILE("/tmp/surrogate-\xed\xa0\x80"),
	HOSTILE("/tmp/cut-\xe2\x82"),
	HOSTILE("/tmp/\xff\xfe\xfd"),
	HOSTILE("/tmp/ume\xc3\xa5-\xe6\xbc\xa2\xe5\xad\x97-\xf0\x9f\x98\x80"),
	HOSTILE("/tmp/tags-\xf3\xa0\x81\x81"),
	HOSTILE("/tmp/\"quote\" </script> ${x} `y` 'z'"),
	HOSTILE("RUNDECK:DATA:x=y"),
	HOSTILE("/tmp/nul-\0-nul"),
	HOSTILE(""),
};
#define HOSTILE_COUNT (sizeof(hostile) / sizeof(hostile[0]))

/* The code point at `p`, and its length; 0 where it is no valid UTF-8. Not the one under test. */
static inline size_t hostile_decode(const uint8_t *p, size_t len, uint32_t *point)
{
	size_t n = p[0] < 0x80       ? 1
		   : p[0] >> 5 == 6  ? 2
		   : p[0] >> 4 == 14 ? 3
		   : p[0] >> 3 == 30 ? 4
				     : 0;

	if (n == 0 || n > len) {
		return 0;
	}
	*point = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2) {
			return 0;
		}
		*point = *point << 6 | (p[i] & 0x3fU);
	}
	return n;
}

/* No control but newline, no C1, no bidirectional or separating character; valid UTF-8. */
static inline bool hostile_is_harmless(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t n = hostile_decode((const uint8_t *)text + i, len - i, &point);

		if (n == 0 || (point < 0x20 && point != '\n') || (point >= 0x7f && point <= 0x9f) ||
		    (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
		    (point >= 0x2066 && point <= 0x2069) || point == 0x61c || point == 0xfeff) {
			return false;
		}
		i += n;
	}
	return true;
}

#endif
