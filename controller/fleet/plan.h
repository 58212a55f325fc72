// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_PLAN_H
#define MUSTER_CONTROLLER_FLEET_PLAN_H

/*
 * From a policy to what one host is asked tonight: roots, patterns and budgets, a fresh nonce, and
 * the slice of sections whose turn it is. The slice's order is secret, per host and cycle, so that
 * nobody on a host can tell when a file will be read again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "baselines/policy.h"
#include "controller/fleet/conversation.h"
#include "controller/judge/observation.h"
#include "schema/error.h"
#include "schema/message.h"

#define PLAN_SECRET_SIZE 32

struct plan_options {
	bool full;             /* read everything */
	uint32_t rehash_of;    /* a part in so many a night; 0: the policy's */
	uint64_t rate_bytes_s; /* 0: the policy's */
	const uint8_t *secret; /* PLAN_SECRET_SIZE bytes of this controller's, for the slices */
	int64_t now_s;
};

/* The host's clock at its last complete look: from then on its timeline is missing. */
struct plan_clock {
	int64_t clock_ns;
	int64_t offset_ns; /* host minus controller */
};

/*
 * Strings in *plan are borrowed from the policy. `complete` is NULL where there was none. Fails where the policy has more items than a plan holds, or without randomness.
 */
int plan_make(const struct policy *policy, const struct plan_options *options, const char *host,
	      const struct plan_clock *complete, struct plan *plan, struct error *err) MUST_CHECK;

/*
 * After a look in part that left out only what its rights do not reach: what it read needs no second
 * telling, as long as the host comes with the same rights. `last` may be NULL.
 */
struct narrow_since plan_narrow(const struct observation *last, int64_t now_s);

#endif
