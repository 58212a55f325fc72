// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_ACCEPTING_PILE_H
#define MUSTER_CONTROLLER_CMD_ACCEPTING_PILE_H

/*
 * A finding that stands for many objects (controller/judge/pile.h) is accepted as the entries that
 * it stands for, as the last complete run saw them, so that the next change among them is told by
 * path. What is told one by one of the same folder stays open.
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/baseline.h"
#include "baselines/edit.h"
#include "controller/judge/finding.h"
#include "controller/store/store.h"

/* Zero-initialised is empty. */
struct pile_changes {
	struct edit_change *change;
	size_t count;
	size_t room;
	void **memory; /* private: what they borrow from */
	size_t memory_count;
	size_t memory_room;
};
void pile_changes_clear(struct pile_changes *changes);

/* Whether the finding is one of these. */
bool accepting_pile_is(const struct finding *finding);

/* Appends. `baseline` may be NULL. Borrows from `host` and the finding. */
int accepting_pile(struct store *store, struct baseline *baseline, const struct finding *finding,
		   const char *host, struct pile_changes *changes, struct error *err) MUST_CHECK;

#endif
