// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_DIFF_ITEMS_H
#define MUSTER_CONTROLLER_STORE_DIFF_ITEMS_H

/*
 * What differs between two contents of one section, item by item. Entries are matched by path,
 * records by the fields that name what they speak of; a content that cannot be decoded (a host may
 * have sent anything) differs as a whole.
 */

#include <stddef.h>

#include "baselines/arena.h"
#include "controller/store/store.h"

struct diff_item {
	enum store_change change;
	struct bytes subject;
	struct bytes old_value;
	struct bytes new_value;
};

struct diff_items {
	struct arena arena; /* owns the items' bytes */
	struct diff_item *item;
	size_t count;
	size_t room;
};

void diff_items_clear(struct diff_items *items);

/* Replaces *items. An empty content where a section is not there. */
int diff_items_make(enum section_kind kind, struct bytes old_content, struct bytes new_content,
		    struct diff_items *items, struct error *err) MUST_CHECK;

#endif
