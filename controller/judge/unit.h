// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_UNIT_H
#define MUSTER_CONTROLLER_JUDGE_UNIT_H

/*
 * A unit of judging: what depends on nothing but its inputs and on what it asks by the functions of
 * context.h that trace. Judged, or done again from the cache (cache.h). Where there is no cache all
 * of this is one call.
 */

#include "controller/judge/cache.h"

struct unit {
	struct bytes inputs; /* everything that it looks at unasked; len 0: not to be kept */
	uint64_t hash;
	/* Its sections of kind package in `now`, for judged_package. */
	const struct observed_section *const *section;
	size_t section_count;
};

#define INPUTS_ROOM 16384U

/* Makes sure of j->inputs, INPUTS_ROOM bytes to write inputs to; without it nothing is kept. */
bool unit_room(struct judge *j);
/* What was written, and a hash of it; empty where it did not fit. */
void unit_inputs(struct judge *j, const struct cbor_writer *w, struct unit *unit);

typedef int unit_judge(struct judge *j, void *context, struct error *err);

int unit_run(struct judge *j, const struct unit *unit, unit_judge *judge, void *context,
	     struct error *err) MUST_CHECK;

/* For the functions that answer: notes question and answer where a unit is judged. */
void trace_add(struct judge *j, const struct asked *asked);
/* What is judged now must not be kept. */
void trace_spoil(struct judge *j);

#endif
