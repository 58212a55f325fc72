// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_RESUME_H
#define MUSTER_CONTROLLER_CMD_RESUME_H

/*
 * Going on with a run that was killed or interrupted (--resume): which of its hosts have a result that
 * stands. They are told from the store, so that the report is one of the whole run; the others are
 * looked at as if nothing had been. Lives as long as the run.
 */

#include "controller/cmd/call.h"
#include "controller/cmd/reach.h"
#include "controller/fleet/sweep.h"
#include "controller/report/report.h"

struct resume {
	struct store_run run;
	struct nodeset *done;
};

/*
 * Does nothing without --resume. Else sets config->resume and marks hosts of *reach as done. CONFIG
 * error where the run cannot be gone on with: it is not the newest, was judged by another baseline,
 * or has nothing left to look at.
 */
int resume_open(struct call *call, struct reach *reach, struct sweep_config *config,
		struct resume *resume, struct error *err) MUST_CHECK;
/* After the run has started, before its first host: what it has already. */
int resume_tell(struct call *call, const struct resume *resume, struct store *store,
		struct report *report, struct error *err) MUST_CHECK;
void resume_clear(struct resume *resume);

#endif
