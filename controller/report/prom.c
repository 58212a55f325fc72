// SPDX-License-Identifier: MIT
/* Prometheus' text exposition format, version 0.0.4: no time stamps, no labels of single hosts. */
#include <inttypes.h>
#include <stdlib.h>

#include "controller/report/writer.h"

#define STATES (FINDING_RESOLVED + 1)

struct prom {
	size_t findings[SEVERITY_CRITICAL + 1][STATES];
};

static int make(void **state, struct error *err)
{
	*state = calloc(1, sizeof(struct prom));
	return *state ? 0 : error_set(err, ERROR_NOMEM, 0, "out of memory");
}

static void free_prom(void *state)
{
	free(state);
}

static int run_start(void *state, const struct writer_context *context, struct error *err)
{
	(void)state;
	(void)context;
	(void)err;
	return 0;
}

static int host(void *state, const struct writer_context *context, const struct report_host *host,
		struct error *err)
{
	(void)state;
	(void)context;
	(void)host;
	(void)err;
	return 0;
}

static int finding(void *state, const struct writer_context *context,
		   const struct report_finding *found, struct error *err)
{
	enum severity severity = found->finding->severity;
	struct prom *prom = state;

	(void)context;
	(void)err;
	prom->findings[severity <= SEVERITY_CRITICAL ? severity : SEVERITY_CRITICAL]
		      [found->finding->state]++;
	return 0;
}

static void describe(FILE *out, const char *name, const char *help)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void print_run(const struct writer_context *context, const char *kind)
{
	static const enum report_verdict verdicts[] = {REPORT_CLEAN, REPORT_FINDINGS,
						       REPORT_INCOMPLETE};
	static const char *const names[] = {"clean", "findings", "incomplete"};
	const struct store_run *run = &context->run;
	FILE *out = context->options->out;

	describe(out, "muster_run_last_completion_timestamp_seconds",
		 "When the latest run that came to its end did so.");
	(void)fprintf(out,
		      "muster_run_last_completion_timestamp_seconds{kind=\"%s\"} %" PRId64 "\n",
		      kind, run->finished_s);
	describe(out, "muster_run_duration_seconds", "How long that run took.");
	(void)fprintf(out, "muster_run_duration_seconds{kind=\"%s\"} %" PRId64 "\n", kind,
		      run->finished_s > run->started_s ? run->finished_s - run->started_s : 0);
	describe(out, "muster_run_interrupted", "Whether it was ended before its time.");
	(void)fprintf(out, "muster_run_interrupted{kind=\"%s\"} %d\n", kind, context->interrupted);
	describe(out, "muster_run_baseline_stale",
		 "Whether its baseline was to be fetched and was not.");
	(void)fprintf(out, "muster_run_baseline_stale{kind=\"%s\"} %d\n", kind,
		      writer_is_stale(context));
	describe(out, "muster_run_verdict", "1 for what it came to.");
	for (size_t i = 0; i < 3; i++) {
		(void)fprintf(out, "muster_run_verdict{kind=\"%s\",verdict=\"%s\"} %d\n", kind,
			      names[i], context->verdict == verdicts[i]);
	}
}

/* Every state is there each time: an alert on one that is absent would never fire. */
static void print_hosts(const struct writer_context *context, const char *kind)
{
	FILE *out = context->options->out;

	describe(out, "muster_hosts", "Hosts of the run by the state they ended in.");
	for (int i = 0; i < OUTCOMES; i++) {
		(void)fprintf(out, "muster_hosts{kind=\"%s\",state=\"%s\"} %zu\n", kind,
			      outcome_name((enum outcome)i), context->tally->by_outcome[i]);
	}
}

static void print_findings(const struct prom *prom, const struct writer_context *context,
			   const char *kind)
{
	FILE *out = context->options->out;

	describe(out, "muster_findings", "Findings of the run, each host counted.");
	for (int s = SEVERITY_CRITICAL; s >= 0; s--) {
		for (int state = 0; state < STATES; state++) {
			(void)fprintf(
				out,
				"muster_findings{kind=\"%s\",severity=\"%s\",state=\"%s\"} %zu\n",
				kind, severity_name((enum severity)s),
				finding_state_name((enum finding_state)state),
				prom->findings[s][state]);
		}
	}
}

static void print_files(const struct writer_context *context, const char *kind)
{
	const struct report_tally *tally = context->tally;
	FILE *out = context->options->out;

	describe(out, "muster_files", "Files that were looked at, by what is known of them.");
	(void)fprintf(out, "muster_files{kind=\"%s\",state=\"proved\"} %" PRIu64 "\n", kind,
		      tally->proved);
	(void)fprintf(out, "muster_files{kind=\"%s\",state=\"unproved\"} %" PRIu64 "\n", kind,
		      tally->unproved);
	(void)fprintf(out, "muster_files{kind=\"%s\",state=\"skipped\"} %" PRIu64 "\n", kind,
		      tally->skipped);
}

static int run_end(void *state, const struct writer_context *context, struct error *err)
{
	const char *kind = context->run.kind ? context->run.kind : "status";

	(void)err;
	print_run(context, kind);
	print_hosts(context, kind);
	print_findings(state, context, kind);
	print_files(context, kind);
	return 0;
}

const struct writer writer_prom = {
	.name = "prom",
	.make = make,
	.free = free_prom,
	.run_start = run_start,
	.host = host,
	.finding = finding,
	.run_end = run_end,
};
