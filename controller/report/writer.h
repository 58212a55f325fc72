// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_WRITER_H
#define MUSTER_CONTROLLER_REPORT_WRITER_H

/*
 * What a format implements. Private to this folder. `state` is the writer's own; the calls come in
 * the order of report.h. A call that has nothing to fail for returns 0.
 */

#include "controller/report/report.h"

struct writer_context {
	const struct report_options *options; /* of this output */
	const struct report_tally *tally;
	enum report_verdict verdict; /* as of now; the run's at run_end */
	bool interrupted;            /* likewise */
	struct store_run run;        /* as it was given last */
};

static inline bool writer_is_stale(const struct writer_context *context)
{
	return context->run.stale && context->run.stale[0] != '\0';
}

struct writer {
	const char *name;
	int (*make)(void **state, struct error *err);
	void (*free)(void *state);
	int (*run_start)(void *state, const struct writer_context *context, struct error *err);
	int (*host)(void *state, const struct writer_context *context,
		    const struct report_host *host, struct error *err);
	int (*finding)(void *state, const struct writer_context *context,
		       const struct report_finding *finding, struct error *err);
	int (*run_end)(void *state, const struct writer_context *context, struct error *err);
};

extern const struct writer writer_text;
extern const struct writer writer_ndjson;
extern const struct writer writer_rundeck;
extern const struct writer writer_prom;
extern const struct writer writer_journal;

#endif
