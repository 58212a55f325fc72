// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_CHANGES_H
#define MUSTER_CONTROLLER_REPORT_CHANGES_H

/*
 * Findings folded over hosts: the unit that people read is a change with the hosts that have it. Two
 * findings are one change where fingerprint, state and ack are the same. Owns copies of all it is given.
 */

#include <stddef.h>
#include <stdint.h>

#include "controller/judge/finding.h"
#include "schema/error.h"

struct changes;

/* What sets a finding aside. Texts are raw. */
struct change_ack {
	const char *id;     /* "": nothing does */
	const char *reason; /* "": not known */
	int64_t until_s;    /* 0: not known */
};

struct change {
	const struct finding *finding;
	const char *const *hosts; /* in the order of adding */
	size_t host_count;
	int64_t first_seen_s; /* the earliest of all hosts; 0: not known */
	struct change_ack ack;
};

int changes_new(struct changes **changes, struct error *err) MUST_CHECK;
void changes_free(struct changes *changes);

int changes_add(struct changes *changes, const char *host, const struct finding *finding,
		int64_t first_seen_s, const struct change_ack *ack /* NULL: none */,
		struct error *err) MUST_CHECK;

/* Most severe first, then the most hosts, then by subject. */
void changes_sort(struct changes *changes);
size_t changes_count(const struct changes *changes);
/* NULL behind the last; lives until the next call that adds or sorts. */
const struct change *changes_at(struct changes *changes, size_t index);

#endif
