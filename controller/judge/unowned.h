// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_UNOWNED_H
#define MUSTER_CONTROLLER_JUDGE_UNOWNED_H

/*
 * Private to judge/: why an object that no package owns may be there all the same. Each reason is
 * a proof that is looked at (a link's target, the source of compiled code) or a line of the policy
 * that names the file and what makes it.
 */

#include "controller/judge/context.h"

/* Compiled Python, until it is known what stands at its source's path. */
struct bytecode_case {
	struct entry now;
	const struct manifest_entry *want; /* accepted; or `was`, first sight; or neither */
	const struct entry *was;
	uint32_t differences; /* from that */
	enum witness witness;
	unsigned links; /* followed on the way to the source */
};

/* First sight of an object that breaks no rule by itself. */
int unowned_present(struct judge *j, const struct entry *now, struct error *err) MUST_CHECK;

/*
 * Compiled Python that is not exactly what was accepted: `list` is the section it stands in, `want`
 * or `was` what it differs from (either may be NULL).
 */
int unowned_bytecode(struct judge *j, const struct entry_list *list, const struct entry *now,
		     const struct manifest_entry *want, const struct entry *was,
		     uint32_t differences, struct error *err) MUST_CHECK;

/* Comes and goes with the source: its absence is nothing to tell, nor is its folder. */
bool unowned_is_cache(const struct entry *entry);

/* question.c: what was asked, answered. */
int unowned_tell_link(struct judge *j, const struct question *question,
		      struct error *err) MUST_CHECK;
int unowned_tell_bytecode(struct judge *j, const struct question *question,
			  struct error *err) MUST_CHECK;
/* The source was found to be a link: whether the question now asks for the link's target. */
bool unowned_follow(struct judge *j, struct question *question);

#endif
