// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_GLOB_H
#define MUSTER_SCHEMA_GLOB_H

/*
 * Shell patterns over bytes, as the policy and dpkg.cfg have them: *, ?, [a-z], [!a-z], \x. One for
 * the probe and the controller, so that a pattern means one thing on both sides. Unlike fnmatch(3)
 * it needs no NUL and knows no locale (a name that is no UTF-8 still matches), and takes
 * at most pattern times text steps whatever a host has put into either.
 */

#include <stdbool.h>

#include "schema/bytes.h"

/* `*` and `?` match '/' as well: dpkg's path-exclude, lists of known exceptions. */
bool glob_match(struct bytes pattern, struct bytes text);

/* Component by component (FNM_PATHNAME); a trailing slash-star-star matches everything below. */
bool glob_match_path(struct bytes pattern, struct bytes path);

/*
 * Whether a pattern from a list may match at all: looks at the bytes before the first special one,
 * and at no more. Most of a long list is passed over by this.
 */
static inline bool glob_may_match(const char *pattern, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)pattern[i];

		if (c == '*' || c == '?' || c == '[' || c == '\\') {
			return true;
		}
		if (c != text.data[i]) {
			return false;
		}
	}
	return true;
}

/* The part of a pattern that stands for itself. */
struct bytes glob_literal_prefix(struct bytes pattern);

#endif
