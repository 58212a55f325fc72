// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_WALK_H
#define MUSTER_CONTROLLER_JUDGE_WALK_H

/* Two lists of entries in canonical order, side by side. */

#include <stdbool.h>
#include <stddef.h>

#include "controller/judge/package.h"

struct walk {
	const struct entry_list *now_list;
	const struct entry_list *was_list;
	size_t n;
	size_t w;
	const struct entry *now; /* NULL: gone */
	const struct entry *was; /* NULL: appeared */
	struct bytes path;
};

static inline struct walk walk_begin(const struct entry_list *now, const struct entry_list *was)
{
	return (struct walk){.now_list = now, .was_list = was};
}

static inline bool walk_next(struct walk *walk)
{
	bool has_now = walk->n < walk->now_list->count, has_was = walk->w < walk->was_list->count;
	int order;

	walk->now = walk->was = NULL;
	if (!has_now && !has_was) {
		return false;
	}
	order = !has_now   ? 1
		: !has_was ? -1
			   : bytes_path_compare(walk->now_list->item[walk->n].path,
						walk->was_list->item[walk->w].path);
	if (order <= 0) {
		walk->now = &walk->now_list->item[walk->n++];
		walk->path = walk->now->path;
	}
	if (order >= 0) {
		walk->was = &walk->was_list->item[walk->w++];
		walk->path = walk->was->path;
	}
	return true;
}

#endif
