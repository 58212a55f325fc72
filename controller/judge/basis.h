// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_BASIS_H
#define MUSTER_CONTROLLER_JUDGE_BASIS_H

/*
 * What the judging of one host rests on: everything that judge_host looks at but for the sections,
 * so that equal bases of equal sections have equal findings, and what was found last time need not be
 * found again. Sections are not in it because of most hosts it is known that they are the same without
 * so much as loading them, and summing 3,000 costs more than all else. Whatever changes how a
 * host is judged must be here: a member of judge_input that is not would hide findings. Time is not
 * in it, and must never come to be in judge_input: what follows from it (max_age, the end of an
 * acknowledgement) is decided anew every time, outside of the judge.
 */

#include "controller/judge/finding.h"
#include "controller/judge/judge.h"
#include "controller/judge/observation.h"
#include "schema/error.h"
#include "schema/section.h"

struct judge_basis {
	const char *program;      /* which build of muster judges: its rules and its own policy */
	const char *commit;       /* of the baseline: policy, manifests, trees, accepted state */
	const char *host;         /* whose accepted state, */
	const char *const *group; /* and of which groups, in their order */
	size_t group_count;
	struct digest keys;            /* vendors' keys and what they may prove; zero: none asked */
	const struct observation *now; /* coverage; its sections are the caller's to compare */
	struct digest first;         /* of the sections and the coverage of earlier observations; */
	struct digest last;          /* zero where there is none */
	const struct findings *open; /* downgrades, judge_input.open */
	uint64_t most_judged;        /* what the host may cost */
	size_t most_findings;
};

/* SHA-256 over all of it. */
int judge_basis_digest(const struct judge_basis *basis, struct digest *digest,
		       struct error *err) MUST_CHECK;

/*
 * Whether the store keeps all that these counts say, so that they need not be made anew: not where the
 * host is no whole look.
 */
bool judge_counts_are_kept(const struct judge_counts *counts);

/*
 * SHA-256 over what findings say, in any order, but for those of the fleet, which no single host's
 * judging finds: whether a list that was kept is the one that was judged. Of the states only that
 * something is explained counts.
 */
int judge_findings_digest(const struct findings *findings, struct digest *digest,
			  struct error *err) MUST_CHECK;

#endif
