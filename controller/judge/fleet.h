// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_FLEET_H
#define MUSTER_CONTROLLER_JUDGE_FLEET_H

/*
 * The fleet as a witness: hosts of one distribution release that have the same build of a package
 * must have the same content. Pure, like all of judge/: who has what comes from the store, and what
 * comes of it holds for every host on one side. Never accuses anybody without a majority, nor where
 * a vendor's signature or a manifest decides.
 */

#include "baselines/manifest.h"
#include "baselines/policy.h"
#include "baselines/records.h"
#include "controller/judge/finding.h"
#include "controller/judge/observation.h"
#include "schema/error.h"
#include "schema/section.h"

/* Fewer hosts with a build than this are no witness. */
#define FLEET_HOSTS_MIN 3

/* One content of a build, and how many hosts have it. */
struct fleet_side {
	struct digest content;
	size_t hosts;
	enum witness witness; /* the strongest that judged it on any host */
	bool differs;         /* ... and found something to tell */
};

struct fleet_group {
	struct bytes release;          /* "debian 12": escaped */
	struct section_key key;        /* of kind package or claims */
	const struct fleet_side *side; /* most hosts first */
	size_t count;
	size_t hosts; /* of all sides */
};

enum fleet_word {
	FLEET_AGREES,   /* one content */
	FLEET_MAJORITY, /* the first side has more than half */
	FLEET_DIVIDED,  /* none has */
	FLEET_FEW,      /* too few hosts to say anything */
};
enum fleet_word fleet_word(const struct fleet_group *group);

/* Where a side differs in more paths than this the build is told as a whole. */
#define FLEET_PATHS_MAX 100

struct fleet_input {
	const struct policy *policy;
	const struct object_source *objects;
	bool brief; /* builds as a whole, no paths: for a host with too much to tell */
};

/* Whether the host's accepted state has what this finding of fleet_judge is about. */
bool fleet_is_accepted(const struct finding *finding, const struct manifest *accepted,
		       const struct record_list *records);

/* Appends what holds on each host that is on this side. */
int fleet_judge(const struct fleet_input *input, const struct fleet_group *group, size_t side,
		struct findings *findings, struct error *err) MUST_CHECK;

#endif
