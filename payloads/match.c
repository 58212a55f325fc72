// SPDX-License-Identifier: MIT
#include "payloads/match.h"

/* Length of a bracket expression at the start of `p`, or 0 where it is an ordinary '['. */
static size_t bracket_length(struct bytes p)
{
	size_t i = 1;

	if (i < p.len && (p.data[i] == '!' || p.data[i] == '^')) {
		i++;
	}
	if (i < p.len && p.data[i] == ']') {
		i++;
	}
	while (i < p.len && p.data[i] != ']' && p.data[i] != '/') {
		i += p.data[i] == '\\' && i + 1 < p.len ? 2 : 1;
	}
	return i < p.len && p.data[i] == ']' ? i + 1 : 0;
}

static bool bracket_matches(struct bytes p, uint8_t byte)
{
	bool negated = p.data[1] == '!' || p.data[1] == '^';
	bool found = false;
	size_t end = p.len - 1;
	size_t i = negated ? 2 : 1;

	while (i < end) {
		uint8_t low;
		uint8_t high;

		if (p.data[i] == '\\' && i + 1 < end) {
			i++;
		}
		low = p.data[i++];
		high = low;
		if (i + 1 < end && p.data[i] == '-') {
			i++;
			if (p.data[i] == '\\' && i + 1 < end) {
				i++;
			}
			high = p.data[i++];
		}
		found = found || (byte >= low && byte <= high);
	}
	return found != negated && byte != '/';
}

/* Matches one byte; *used is what it took of the pattern. */
static bool one_matches(struct bytes p, uint8_t byte, size_t *used)
{
	size_t len;

	*used = 1;
	switch (p.data[0]) {
	case '?':
		return byte != '/';
	case '[':
		len = bracket_length(p);
		if (len > 0) {
			*used = len;
			return bracket_matches((struct bytes){p.data, len}, byte);
		}
		break;
	case '\\':
		if (p.len > 1) {
			*used = 2;
			return p.data[1] == byte;
		}
		break;
	default:
		break;
	}
	return p.data[0] == byte;
}

bool match_path(struct bytes pattern, struct bytes path)
{
	size_t p = 0;
	size_t t = 0;
	/* Where to go on when the last star has to take one byte more. Stars do not cross '/'. */
	bool star = false;
	size_t star_p = 0;
	size_t star_t = 0;

	while (t < path.len || p < pattern.len) {
		size_t used;

		if (p < pattern.len && pattern.data[p] == '*') {
			star = true;
			star_p = ++p;
			star_t = t;
			continue;
		}
		if (p < pattern.len && t < path.len &&
		    one_matches((struct bytes){pattern.data + p, pattern.len - p}, path.data[t],
				&used)) {
			star = star && path.data[t] != '/';
			p += used;
			t++;
			continue;
		}
		if (!star || star_t >= path.len || path.data[star_t] == '/') {
			return false;
		}
		t = ++star_t;
		p = star_p;
	}
	return true;
}

/* Whether the plain start of the pattern already differs, as most do. */
static bool differs_early(struct bytes pattern, struct bytes path)
{
	for (size_t i = 0; i < pattern.len; i++) {
		uint8_t byte = pattern.data[i];

		if (byte == '*' || byte == '?' || byte == '[' || byte == '\\') {
			return false;
		}
		if (i >= path.len || path.data[i] != byte) {
			return true;
		}
	}
	return path.len != pattern.len;
}

bool match_any(const struct plan_list *patterns, struct bytes path)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (!differs_early(patterns->item[i], path) &&
		    match_path(patterns->item[i], path)) {
			return true;
		}
	}
	return false;
}
