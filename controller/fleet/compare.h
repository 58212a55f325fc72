// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_COMPARE_H
#define MUSTER_CONTROLLER_FLEET_COMPARE_H

/*
 * The end of a run: hosts held against each other, as the store knows them now. Brings together who
 * has what (store/fleet.h), what that means (judge/fleet.h) and what was accepted or acknowledged.
 * Worker's thread.
 */

#include "controller/fleet/sweep.h"

struct compare {
	struct sweep_compared *host; /* hosts that came to something else */
	size_t count;
	size_t room;
	struct judge_counts vouched;
};

/* Zero-initialised is empty. On failure what was put stays put: the next run compares again. */
int compare_hosts(const struct sweep_config *config, const struct store_run *run,
		  struct compare *compare, struct error *err) MUST_CHECK;
void compare_clear(struct compare *compare);

#endif
