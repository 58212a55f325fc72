// SPDX-License-Identifier: MIT
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/glob.h"

static bool match(const char *pattern, const char *text)
{
	return glob_match(bytes_from_string(pattern), bytes_from_string(text));
}

static bool match_path(const char *pattern, const char *path)
{
	return glob_match_path(bytes_from_string(pattern), bytes_from_string(path));
}

static const struct {
	const char *pattern;
	const char *text;
	bool plain;
	bool path;
} table[] = {
	{"", "", true, true},
	{"/a", "/a", true, true},
	{"/a", "/b", false, false},
	{"/a*", "/abc", true, true},
	{"/a*", "/ab/c", true, false},
	{"/usr/*/x", "/usr/lib/x", true, true},
	{"/usr/*/x", "/usr/lib/y/x", true, false},
	{"/usr/share/doc/*", "/usr/share/doc/a/copyright", true, false},
	{"/usr/**", "/usr/bin/ls", true, true},
	{"/usr/**", "/usr", false, false},
	{"/usr/**", "/usrx/bin", false, false},
	{"/usr/?s", "/usr/ls", true, true},
	{"/a?b", "/a/b", true, false},
	{"/[a-c]x", "/bx", true, true},
	{"/[!a-c]x", "/bx", false, false},
	{"/[!a-c]x", "/dx", true, true},
	{"/[]]", "/]", true, true},
	{"/[a", "/[a", true, true},
	{"/\\*", "/*", true, true},
	{"/\\*", "/a", false, false},
	{"*", "", true, true},
	{"**", "a", true, true},
	{"/a/", "/a/", true, true},
	{"/a/", "/a", false, false},
	{"/a", "/a/", false, false},
	{"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false, false},
	{"/x\xff*", "/x\xff\xfe", true, true},
	{"/[\\]]", "/]", true, true},
	{"/[\\]a]", "/a", true, true},
	{"/[a\\-c]", "/-", true, true},
	{"/[a\\-c]", "/b", false, false},
	{"/[!\\]]", "/]", false, false},
	{"/[a-]", "/-", true, true},
	{"/a[/]b", "/a/b", true, false},
	{"/a*b*c", "/aXbYbZc", true, true},
	{"/a*b*c", "/aXbYbZ", false, false},
	{"/*x*/y", "/axb/z", false, false},
};

static void patterns_match_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bool plain = match(table[i].pattern, table[i].text);
		bool path = match_path(table[i].pattern, table[i].text);

		if (plain != table[i].plain || path != table[i].path) {
			print_message("%s %s: %d %d\n", table[i].pattern, table[i].text, plain,
				      path);
		}
		assert_int_equal(plain, table[i].plain);
		assert_int_equal(path, table[i].path);
	}
}

/* fnmatch(3) in the C locale is the oracle, but for two stars at the end. */
static void patterns_match_as_fnmatch_does(void **state)
{
	static const char letters[] = "a/*?b[]-!";
	unsigned seed = 7;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		char pattern[8], text[8];
		size_t p = 0, t = 0;

		for (seed = seed * 1103515245U + 12345U; p < 1 + (seed >> 16) % 6; p++) {
			pattern[p] = letters[(seed >> (p + 3)) % (sizeof(letters) - 1)];
		}
		for (seed = seed * 1103515245U + 12345U; t < (seed >> 16) % 7; t++) {
			text[t] = "ab/"[(seed >> (2 * t + 3)) % 3];
		}
		pattern[p] = text[t] = '\0';
		if (strstr(pattern, "**") || strchr(pattern, '[')) {
			continue;
		}
		assert_int_equal(match(pattern, text), fnmatch(pattern, text, 0) == 0);
		if (match_path(pattern, text) != (fnmatch(pattern, text, FNM_PATHNAME) == 0)) {
			print_message("%s %s\n", pattern, text);
		}
		assert_int_equal(match_path(pattern, text),
				 fnmatch(pattern, text, FNM_PATHNAME) == 0);
	}
}

static void many_stars_take_no_more_than_product(void **state)
{
	char pattern[400], text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	memset(text, 'a', sizeof(text));
	/* Exponential in a naive matcher: this test would not end. */
	pattern[sizeof(pattern) - 1] = 'b';
	assert_false(
		glob_match(bytes_make(pattern, sizeof(pattern)), bytes_make(text, sizeof(text))));
}

static void literal_prefix_ends_at_first_sign(void **state)
{
	(void)state;
	assert_int_equal(glob_literal_prefix(BYTES_LITERAL("/usr/share/*")).len, 11);
	assert_int_equal(glob_literal_prefix(BYTES_LITERAL("/usr")).len, 4);
	assert_int_equal(glob_literal_prefix(BYTES_LITERAL("[x]")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_documented),
		cmocka_unit_test(patterns_match_as_fnmatch_does),
		cmocka_unit_test(many_stars_take_no_more_than_product),
		cmocka_unit_test(literal_prefix_ends_at_first_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
