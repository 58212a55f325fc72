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

/*
 * As open_baseline. *stale: it was to be fetched, and was not, which is told on the log with the
 * reason and the age of the commit. Blocks while git fetches.
 */
int fetching_open(struct call *call, struct baseline **baseline, bool *stale,
		  struct error *err) MUST_CHECK;

/* Where signers are configured: CONFIG error unless one of them signed the baseline's commit. */
int fetching_check_signed(struct call *call, const struct baseline *baseline,
			  struct error *err) MUST_CHECK;

#endif
