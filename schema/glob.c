// SPDX-License-Identifier: MIT
#include "schema/glob.h"

#include <string.h>

static struct bytes from(struct bytes b, size_t at)
{
	return at < b.len ? bytes_make(b.data + at, b.len - at) : (struct bytes){NULL, 0};
}

/* Length of the bracket expression at `pattern`, or 0 where it never closes. */
static size_t bracket_size(struct bytes pattern)
{
	size_t at = 1;

	if (at < pattern.len && (pattern.data[at] == '!' || pattern.data[at] == '^')) {
		at++;
	}
	for (size_t first = at; at < pattern.len; at++) {
		if (pattern.data[at] == ']' && at > first) {
			return at + 1;
		}
		at += pattern.data[at] == '\\';
	}
	return 0;
}

/* A backslash takes the next byte as it is, here too; the bracket's end is never taken. */
static uint8_t bracket_byte(struct bytes bracket, size_t *at)
{
	if (bracket.data[*at] == '\\' && *at + 2 < bracket.len) {
		++*at;
	}
	return bracket.data[(*at)++];
}

static bool in_bracket(struct bytes bracket, uint8_t c)
{
	size_t at = 1;
	bool negated = bracket.data[at] == '!' || bracket.data[at] == '^';
	bool found = false;

	at += negated;
	while (at + 1 < bracket.len) {
		uint8_t low = bracket_byte(bracket, &at), high = low;

		if (at + 2 < bracket.len && bracket.data[at] == '-') {
			at++;
			high = bracket_byte(bracket, &at);
		}
		found = found || (c >= low && c <= high);
	}
	return found != negated;
}

/* Matches one unit of the pattern; returns its length, or 0 for no match. */
static size_t match_one(struct bytes pattern, uint8_t c)
{
	size_t size;

	switch (pattern.data[0]) {
	case '?':
		return 1;
	case '[':
		size = bracket_size(pattern);
		if (size > 0) {
			return in_bracket(bytes_make(pattern.data, size), c) ? size : 0;
		}
		break;
	case '\\':
		if (pattern.len > 1) {
			return pattern.data[1] == c ? 2 : 0;
		}
		break;
	default:
		break;
	}
	return pattern.data[0] == c ? 1 : 0;
}

bool glob_match(struct bytes pattern, struct bytes text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;

	/* Only the last star is ever tried again: what an earlier one matched stays good. */
	for (;;) {
		size_t taken;

		if (p < pattern.len && pattern.data[p] == '*') {
			star = ++p;
			retry = t;
			continue;
		}
		if (t == text.len && p == pattern.len) {
			return true;
		}
		taken = t < text.len && p < pattern.len ? match_one(from(pattern, p), text.data[t])
							: 0;
		if (taken > 0) {
			p += taken;
			t++;
		} else if (star != SIZE_MAX && retry < text.len) {
			p = star;
			t = ++retry;
		} else {
			return false;
		}
	}
}

static struct bytes next_component(struct bytes *rest)
{
	const uint8_t *slash = rest->len > 0 ? memchr(rest->data, '/', rest->len) : NULL;
	size_t len = slash ? (size_t)(slash - rest->data) : rest->len;
	struct bytes component = bytes_make(rest->data, len);

	*rest = slash ? from(*rest, len + 1) : (struct bytes){NULL, 0};
	return component;
}

static bool has_slash(struct bytes b)
{
	return b.len > 0 && memchr(b.data, '/', b.len) != NULL;
}

bool glob_match_path(struct bytes pattern, struct bytes path)
{
	/* Either has at least one component, if an empty one: before, between and behind slashes. */
	for (;;) {
		bool last_pattern = !has_slash(pattern), last_path = !has_slash(path);
		struct bytes want = next_component(&pattern), have = next_component(&path);

		if (last_pattern && bytes_equal_string(want, "**")) {
			return true;
		}
		if (!glob_match(want, have)) {
			return false;
		}
		if (last_pattern || last_path) {
			return last_pattern && last_path;
		}
	}
}

struct bytes glob_literal_prefix(struct bytes pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (memchr("*?[\\", pattern.data[i], 4)) {
			return bytes_make(pattern.data, i);
		}
	}
	return pattern;
}
