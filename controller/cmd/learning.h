// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_LEARNING_H
#define MUSTER_CONTROLLER_CMD_LEARNING_H

/*
 * What `muster baseline learn` proposes: from a host's open findings the overrides
 * (baselines/overrides.h) that would explain them, counted over hosts. Never content: a finding in which
 * a file's bytes, type, link or presence differ gives none, and makes its host no witness of others.
 */

#include <stdbool.h>
#include <stddef.h>

#include "controller/judge/finding.h"
#include "schema/bytes.h"
#include "schema/error.h"

struct proposal {
	struct bytes line;    /* as in overrides.records */
	struct bytes package; /* name version of the first finding, or empty: raw */
	size_t hosts;         /* that have it */
	size_t last_host;     /* number of the latest of them, from 1 */
	bool disputed;        /* other hosts have another value for the same object */
};

struct learning;

int learning_new(struct learning **learning, struct error *err) MUST_CHECK;
void learning_free(struct learning *learning);

enum learned {
	LEARNED_LINE,    /* explained by an override */
	LEARNED_NOTHING, /* no matter of overrides, and nothing that speaks against the host */
	LEARNED_UNCLEAN, /* the host is not what it should be: take no word of it */
};
/* What a finding is, without taking it. */
enum learned learning_judge(const struct finding *finding);
/* Counts the lines of one finding for host number `host`. Copies. */
int learning_take(struct learning *learning, const struct finding *finding, size_t host,
		  struct error *err) MUST_CHECK;
/* Afterwards: in order of lines, disputes marked. */
const struct proposal *learning_proposals(struct learning *learning, size_t *count);

#endif
