// SPDX-License-Identifier: MIT
#include "schema/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void known_texts_are_escaped_as_stated(void **state)
{
	static const struct {
		const char *from, *text, *mtree;
	} rows[] = {
		{"/usr/bin/ssh", "/usr/bin/ssh", "/usr/bin/ssh"},
		{"a b", "a b", "a\\040b"},
		{"a\nb", "a\\012b", "a\\012b"},
		{"\033[31mred", "\\033[31mred",
		 "\\033\\133"
		 "31mred"},
		{"back\\slash", "back\\134slash", "back\\134slash"},
		{"\177", "\\177", "\\177"},
		{"k=v#*?", "k=v#*?", "k\\075v\\043\\052\\077"},
		{"Z\303\274rich", "Z\303\274rich", "Z\\303\\274rich"},
		{"\302\205", "\\302\\205", "\\302\\205"},           /* C1 NEL as U+0085 */
		{"\205", "\\205", "\\205"},                         /* C1 raw */
		{"\342\200\256txt", "\\342\\200\\256txt", NULL},    /* U+202E */
		{"\342\200\213", "\\342\\200\\213", NULL},          /* zero width space */
		{"\357\273\277", "\\357\\273\\277", NULL},          /* BOM */
		{"\355\240\200", "\\355\\240\\200", NULL},          /* surrogate */
		{"\300\257", "\\300\\257", NULL},                   /* overlong / */
		{"\364\220\200\200", "\\364\\220\\200\\200", NULL}, /* above U+10FFFF */
		{"\303", "\\303", NULL},                            /* truncated */
	};
	char to[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes from = bytes_from_string(rows[i].from);

		assert_string_equal(escape_text(from, to, sizeof(to)), rows[i].text);
		assert_int_equal(escape_is_needed(ESCAPE_TEXT, from),
				 strcmp(rows[i].from, rows[i].text) != 0);
		if (rows[i].mtree) {
			(void)escape_bytes(ESCAPE_MTREE, from, to, sizeof(to));
			assert_string_equal(to, rows[i].mtree);
		}
	}
}

/* Repeatable noise. */
static uint32_t noise(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static bool is_unsafe_point(uint32_t p)
{
	return p < 0x20 || (p >= 0x7f && p <= 0x9f) || p == 0xad || p == 0x61c ||
	       (p >= 0x200b && p <= 0x200f) || (p >= 0x2028 && p <= 0x202e) ||
	       (p >= 0x2060 && p <= 0x206f) || p == 0xfeff;
}

/* Every byte of escaped text is part of a well-formed, harmless character. */
static void check_text(const char *text)
{
	for (const uint8_t *p = (const uint8_t *)text; *p;) {
		size_t n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
		uint32_t point = n == 1 ? *p : *p & (0x7fU >> n);

		assert_true(n == 1 || *p >= 0xc2);
		for (size_t i = 1; i < n; i++) {
			assert_int_equal(p[i] & 0xc0, 0x80);
			point = point << 6 | (p[i] & 0x3fU);
		}
		assert_false(is_unsafe_point(point));
		p += n;
	}
}

static void any_bytes_become_harmless_and_come_back(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t from[40], back[ESCAPE_ROOM(sizeof(from))];
		char to[ESCAPE_ROOM(sizeof(from))];
		size_t len = noise(&seed) % sizeof(from);

		for (size_t i = 0; i < len; i++) {
			/* Half of it where UTF-8 and its abuses live. */
			from[i] = (uint8_t)(noise(&seed) & 1 ? noise(&seed) : 0x80 | noise(&seed));
		}
		for (int style = ESCAPE_TEXT; style <= ESCAPE_MTREE; style++) {
			size_t n = escape_bytes((enum escape_style)style, bytes_make(from, len), to,
						sizeof(to));

			assert_int_equal(n, strlen(to));
			check_text(to);
			assert_int_equal(escape_undo(bytes_make(to, n), back), len);
			assert_memory_equal(back, from, len);
		}
	}
}

static void a_cut_falls_on_a_whole_escape_and_shows(void **state)
{
	(void)state;
	for (size_t room = 1; room < 40; room++) {
		char *to = malloc(room);

		assert_non_null(to);
		(void)escape_text(BYTES_LITERAL("\001\002\303\274\003\004plain"), to, room);
		assert_true(strlen(to) < room);
		check_text(to);
		if (room > 4 && room < 24) {
			assert_string_equal(to + strlen(to) - 3, "...");
		}
		free(to);
	}
}

static void broken_escapes_are_not_undone(void **state)
{
	static const char *const bad[] = {"\\", "\\1", "\\12", "\\400", "\\18x", "\\n", "a\\08"};
	uint8_t to[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(escape_undo(bytes_from_string(bad[i]), to), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_are_escaped_as_stated),
		cmocka_unit_test(any_bytes_become_harmless_and_come_back),
		cmocka_unit_test(a_cut_falls_on_a_whole_escape_and_shows),
		cmocka_unit_test(broken_escapes_are_not_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
