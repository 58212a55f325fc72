// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_GROUPS_H
#define MUSTER_CONTROLLER_REPORT_GROUPS_H

/*
 * Hosts by something they share: an end state with its reason, a gap in what was looked at. Keys are
 * text that is escaped already. Owns copies of all it is given.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/error.h"

struct groups;

struct group {
	const char *key;
	int rank; /* as given first: groups are sorted by it, then by the number of hosts */
	const char *const *hosts;
	size_t host_count;
	uint64_t amount; /* summed over all additions */
};

int groups_new(struct groups **groups, struct error *err) MUST_CHECK;
void groups_free(struct groups *groups);

/* A host that is added twice in a row to a group stands in it once. */
int groups_add(struct groups *groups, const char *key, int rank, const char *host, uint64_t amount,
	       struct error *err) MUST_CHECK;

/* Counts without a host: *amount becomes how often this key was counted, this time included. */
int groups_count(struct groups *groups, const char *key, int rank, uint64_t *amount,
		 struct error *err) MUST_CHECK;

void groups_sort(struct groups *groups);
/* NULL behind the last; lives until the next call that adds or sorts. */
const struct group *groups_at(const struct groups *groups, size_t index);

#endif
