// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_JUDGE_BOTH_WAYS_H
#define TESTS_UNIT_CONTROLLER_JUDGE_BOTH_WAYS_H

/* Judges a host anew and from the verdicts that others left, and fails where these differ. */

#include "tests/unit/controller/judge/builder.h"

/* Whose manifests are those that the cache has seen. */
void judge_both_ways_in(struct world *w, struct judge_cache *cache, int host);
/* With a cache that all hosts of the program share which have the standard host's baseline. */
void judge_both_ways(struct world *w);

#endif
