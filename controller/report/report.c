// SPDX-License-Identifier: MIT
#include "controller/report/report.h"

#include <stdlib.h>

#include "controller/report/writer.h"

struct report {
	struct report_options options;
	struct report_tally tally;
	struct writer_context context;
	const struct writer *writer;
	void *state;
	char last_open_name[256]; /* findings of a host come together */
};

static const struct writer *const writers[] = {
	[REPORT_TEXT] = &writer_text,
	[REPORT_NDJSON] = &writer_ndjson,
};

int report_new(struct report **report, const struct report_options *options, struct error *err)
{
	struct report *made = calloc(1, sizeof(*made));

	*report = NULL;
	if (!made) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	made->options = *options;
	made->context.options = &made->options;
	made->context.tally = &made->tally;
	made->writer = writers[options->format];
	if (made->writer->make(&made->state, err) < 0) {
		free(made);
		return -1;
	}
	*report = made;
	return 0;
}

void report_free(struct report *report)
{
	if (!report) {
		return;
	}
	report->writer->free(report->state);
	free(report);
}

int report_run_start(struct report *report, const struct store_run *run, struct error *err)
{
	report->context.run = *run;
	return report->writer->run_start(report->state, &report->context, err);
}

int report_host(struct report *report, const struct report_host *host, struct error *err)
{
	struct report_tally *tally = &report->tally;

	tally->hosts++;
	tally->by_outcome[host->outcome < OUTCOMES ? host->outcome : OUTCOME_INTERNAL]++;
	if (outcome_class(host->outcome) == OUTCOME_CLASS_LOOKED) {
		tally->looked++;
	}
	if (host->counts) {
		tally->packages += host->counts->packages;
		tally->proved += host->counts->files_proved;
		tally->unproved += host->counts->files_unproved;
		tally->skipped += host->counts->files_skipped;
		for (unsigned w = 0; w <= WITNESS_RULE; w++) {
			tally->packages_by_witness[w] += host->counts->packages_by_witness[w];
			tally->files_by_witness[w] += host->counts->files_by_witness[w];
		}
	}
	return report->writer->host(report->state, &report->context, host, err);
}

static void count_open(struct report *report, const struct report_finding *finding)
{
	struct report_tally *tally = &report->tally;
	enum severity severity = finding->finding->severity;

	tally->open[severity <= SEVERITY_CRITICAL ? severity : SEVERITY_CRITICAL]++;
	tally->fresh += finding->finding->state == FINDING_NEW ? 1 : 0;
	if (severity < report->options.fail_on ||
	    strncmp(report->last_open_name, finding->host, sizeof(report->last_open_name) - 1) ==
		    0) {
		return;
	}
	tally->hosts_open++;
	(void)snprintf(report->last_open_name, sizeof(report->last_open_name), "%s", finding->host);
}

int report_finding(struct report *report, const struct report_finding *finding, struct error *err)
{
	switch (finding->finding->state) {
	case FINDING_NEW:
	case FINDING_OPEN:
		count_open(report, finding);
		break;
	case FINDING_ACKNOWLEDGED:
		report->tally.acknowledged++;
		break;
	case FINDING_EXPLAINED:
		report->tally.explained++;
		break;
	case FINDING_RESOLVED:
		report->tally.resolved++;
		break;
	}
	return report->writer->finding(report->state, &report->context, finding, err);
}

void report_outcome_changed(struct report *report, enum outcome from, enum outcome to)
{
	struct report_tally *tally = &report->tally;

	if (from < OUTCOMES && to < OUTCOMES && tally->by_outcome[from] > 0) {
		tally->by_outcome[from]--;
		tally->by_outcome[to]++;
	}
}

static void move_some(uint64_t *to, uint64_t *from, uint64_t most)
{
	uint64_t moved = *from < most ? *from : most;

	*from -= moved;
	*to += moved;
}

void report_vouched(struct report *report, const struct judge_counts *vouched)
{
	struct report_tally *tally = &report->tally;

	for (unsigned w = WITNESS_FLEET + 1; w <= WITNESS_RULE; w++) {
		move_some(&tally->packages_by_witness[WITNESS_FLEET],
			  &tally->packages_by_witness[w], vouched->packages_by_witness[w]);
		move_some(&tally->files_by_witness[WITNESS_FLEET], &tally->files_by_witness[w],
			  vouched->files_by_witness[w]);
	}
}

int report_run_end(struct report *report, const struct store_run *run, bool interrupted,
		   struct error *err)
{
	if (run) {
		report->context.run = *run;
	}
	report->context.verdict = report_verdict(report);
	report->context.interrupted = interrupted;
	return report->writer->run_end(report->state, &report->context, err);
}

const struct report_tally *report_tally(const struct report *report)
{
	return &report->tally;
}

enum report_verdict report_verdict(const struct report *report)
{
	const struct report_tally *tally = &report->tally;

	for (unsigned s = report->options.fail_on; s <= SEVERITY_CRITICAL; s++) {
		if (tally->open[s] > 0) {
			return REPORT_FINDINGS;
		}
	}
	return tally->looked < tally->hosts || tally->hosts == 0 ? REPORT_INCOMPLETE : REPORT_CLEAN;
}
