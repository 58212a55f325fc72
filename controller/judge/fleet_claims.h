// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_FLEET_CLAIMS_H
#define MUSTER_CONTROLLER_JUDGE_FLEET_CLAIMS_H

/*
 * Private to judge/: in what the databases of two hosts differ about one build. Only what the build
 * fixes counts: configuration that an earlier version left, and what [installs] has since protocol
 * 4, is each host's own history.
 */

#include "controller/judge/context.h"

#define CLAIMS_WORDS_ROOM 320
#define CLAIMS_SHOWN_MAX 3

struct claims_difference {
	size_t count;                  /* of paths or entries; 0: nothing that counts */
	char words[CLAIMS_WORDS_ROOM]; /* the first of them, escaped */
};

/* Of `mine` against `theirs`. What cannot be read any more differs in something. */
int fleet_claims_compare(struct judge *j, struct bytes manager, const struct digest *mine,
			 const struct digest *theirs, struct claims_difference *difference,
			 struct error *err) MUST_CHECK;

#endif
