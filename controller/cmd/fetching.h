// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_FETCHING_H
#define MUSTER_CONTROLLER_CMD_FETCHING_H

/*
 * The baseline of a run: fetched first where the configuration says so, and judged by only where its
 * commit is signed by one of the configured signers. A fetch that fails never leaves a run without
 * baseline: it goes on with the commit it has.
 */

#include <stdbool.h>

#include "baselines/baseline.h"
#include "controller/cmd/call.h"
#include "schema/error.h"

/* A run that judges by what it had. */
struct fetching_stale {
	struct error why; /* kind ERROR_NONE: it does not */
	int64_t made_s;   /* when the commit was made; 0: not known */
};

/* Whether check and sweep are to fetch. CONFIG error for --fetch with --no-fetch. */
int fetching_is_wanted(struct call *call, bool *wanted, struct error *err) MUST_CHECK;

/*
 * As open_baseline. Where it was to be fetched, and was not, that is in *stale and told on the log
 * with the reason and the age of the commit. Blocks while git fetches.
 */
int fetching_open(struct call *call, struct baseline **baseline, struct fetching_stale *stale,
		  struct error *err) MUST_CHECK;

/* Where signers are configured: CONFIG error unless one of them signed the baseline's commit. */
int fetching_check_signed(struct call *call, const struct baseline *baseline,
			  struct error *err) MUST_CHECK;

#endif
