// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

/*
 * deb-version(7): [epoch:]upstream[-revision]. Numbers are compared as runs of digits of any
 * length, so that a hostile version cannot overflow anything.
 */

struct version {
	struct bytes epoch;
	struct bytes upstream;
	struct bytes revision;
};

static struct bytes part(struct bytes of, size_t from, size_t to)
{
	return bytes_make(of.data + from, to - from);
}

static struct version split(struct bytes text)
{
	struct version version = {{NULL, 0}, text, {NULL, 0}};
	const uint8_t *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	const uint8_t *hyphen;

	if (colon) {
		size_t at = (size_t)(colon - text.data);

		version.epoch = part(text, 0, at);
		version.upstream = part(text, at + 1, text.len);
	}
	text = version.upstream;
	hyphen = text.len > 0 ? memrchr(text.data, '-', text.len) : NULL;
	if (hyphen) {
		size_t at = (size_t)(hyphen - text.data);

		version.revision = part(text, at + 1, text.len);
		version.upstream = part(text, 0, at);
	}
	return version;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* A tilde before everything, even the end; then the end; letters; all else. */
static int weight(struct bytes text, size_t at)
{
	uint8_t c;

	if (at >= text.len) {
		return 0;
	}
	c = text.data[at];
	if (is_digit(c)) {
		return 0;
	}
	if (c == '~') {
		return -1;
	}
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ? c : c + 256;
}

/* The digits from *at on, without leading zeros; *at moves behind them. */
static struct bytes number(struct bytes text, size_t *at)
{
	size_t from;

	while (*at < text.len && text.data[*at] == '0') {
		(*at)++;
	}
	from = *at;
	while (*at < text.len && is_digit(text.data[*at])) {
		(*at)++;
	}
	return text.len > 0 ? part(text, from, *at) : text;
}

static int compare_numbers(struct bytes a, struct bytes b)
{
	if (a.len != b.len) {
		return a.len < b.len ? -1 : 1;
	}
	return bytes_compare(a, b);
}

static int compare_parts(struct bytes a, struct bytes b)
{
	size_t i = 0, j = 0;

	while (i < a.len || j < b.len) {
		int order;

		while ((i < a.len && !is_digit(a.data[i])) || (j < b.len && !is_digit(b.data[j]))) {
			order = weight(a, i) - weight(b, j);
			if (order != 0) {
				return order;
			}
			i++;
			j++;
		}
		order = compare_numbers(number(a, &i), number(b, &j));
		if (order != 0) {
			return order;
		}
	}
	return 0;
}

int judge_deb_version_compare(struct bytes a, struct bytes b)
{
	struct version left = split(a), right = split(b);
	int order = compare_parts(left.epoch, right.epoch);

	if (order == 0) {
		order = compare_parts(left.upstream, right.upstream);
	}
	if (order == 0) {
		order = compare_parts(left.revision, right.revision);
	}
	return order;
}

static bool is_word(uint8_t c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static uint8_t at(struct bytes text, size_t i)
{
	return i < text.len ? text.data[i] : 0;
}

/* A run of digits, or of letters. */
static struct bytes run(struct bytes text, size_t *i, bool digits)
{
	size_t from = *i;

	while (*i < text.len && is_word(text.data[*i]) && is_digit(text.data[*i]) == digits) {
		(*i)++;
	}
	return text.len > 0 ? part(text, from, *i) : text;
}

static void skip(struct bytes text, size_t *i)
{
	while (*i < text.len && !is_word(text.data[*i]) && text.data[*i] != '~' &&
	       text.data[*i] != '^') {
		(*i)++;
	}
}

/* rpmvercmp of rpm (rpmio/rpmvercmp.c): runs of digits and letters; ~ is before all, ^ behind the end. */
static int compare_rpm_parts(struct bytes a, struct bytes b)
{
	size_t i = 0, j = 0;

	while (i < a.len || j < b.len) {
		struct bytes x, y;
		bool digits;
		int order;

		skip(a, &i);
		skip(b, &j);
		if (at(a, i) == '~' || at(b, j) == '~') {
			if (at(a, i) != at(b, j)) {
				return at(a, i) == '~' ? -1 : 1;
			}
			i++;
			j++;
			continue;
		}
		if (at(a, i) == '^' || at(b, j) == '^') {
			if (at(a, i) != at(b, j)) {
				/* More than the end, less than anything else. */
				return at(a, i) == '^' ? (j < b.len ? -1 : 1)
						       : (i < a.len ? 1 : -1);
			}
			i++;
			j++;
			continue;
		}
		if (i >= a.len || j >= b.len) {
			break;
		}
		digits = is_digit(a.data[i]);
		x = run(a, &i, digits);
		y = run(b, &j, digits);
		if (y.len == 0) {
			return digits ? 1 : -1; /* digits are newer than letters */
		}
		order = digits ? compare_numbers(number(x, &(size_t){0}), number(y, &(size_t){0}))
			       : bytes_compare(x, y);
		if (order != 0) {
			return order;
		}
	}
	return i < a.len ? 1 : j < b.len ? -1 : 0;
}

int judge_rpm_version_compare(struct bytes a, struct bytes b)
{
	struct version left = split(a), right = split(b);
	int order = compare_rpm_parts(left.epoch, right.epoch);

	if (order == 0) {
		order = compare_rpm_parts(left.upstream, right.upstream);
	}
	if (order == 0) {
		order = compare_rpm_parts(left.revision, right.revision);
	}
	return order;
}
