// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_KEPT_H
#define MUSTER_CONTROLLER_FLEET_KEPT_H

/*
 * What earlier runs found of a host. One more look at it alone does not find all of it again:
 * downgrades, which two runs side by side show only once, and what comparing hosts found at the end of
 * a run, which holds until the package changes, is accepted, or hosts are compared again. The rest
 * need not be found again where nothing changed. Worker's thread.
 */

#include "controller/judge/judge.h"
#include "controller/store/store.h"

struct kept {
	struct findings downgrades;
	struct findings of_fleet;
	struct findings of_host; /* all but those of the fleet, as the judge had told them */
};

/* Zero-initialised is empty; to be cleared even after a failure. */
int kept_load(struct kept *kept, struct store *store, const char *host,
	      struct error *err) MUST_CHECK;
/* Appends to *findings, and sorts them anew, what of the fleet's still holds. */
int kept_carry(const struct kept *kept, const struct judge_input *input, struct findings *findings,
	       struct error *err) MUST_CHECK;
void kept_clear(struct kept *kept);

#endif
