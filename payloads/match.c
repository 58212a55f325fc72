// SPDX-License-Identifier: MIT
#include "payloads/match.h"

#include "schema/glob.h"

/* Whether the plain start of the pattern already differs, as most do. */
static bool differs_early(struct bytes pattern, struct bytes path)
{
	struct bytes literal = glob_literal_prefix(pattern);

	return !bytes_has_prefix(path, literal);
}

bool match_any(const struct plan_list *patterns, struct bytes path)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (!differs_early(patterns->item[i], path) &&
		    glob_match_path(patterns->item[i], path)) {
			return true;
		}
	}
	return false;
}
