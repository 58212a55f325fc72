// SPDX-License-Identifier: MIT
#include "controller/report/report.h"

#include <stdlib.h>

#include "controller/report/groups.h"
#include "controller/report/writer.h"

#define OUTPUTS_MAX 32

#define DAY_S 86400

struct output {
	struct report_options options;
	struct writer_context context;
	const struct writer *writer;
	void *state;
};

struct report {
	struct output *output;
	size_t outputs;
	struct report_tally tally;
	struct groups *hosts_open; /* names, each once: a host's findings come in several goes */
};

static const struct writer *const writers[REPORT_FORMATS] = {
	[REPORT_TEXT] = &writer_text,       [REPORT_NDJSON] = &writer_ndjson,
	[REPORT_RUNDECK] = &writer_rundeck, [REPORT_PROM] = &writer_prom,
	[REPORT_JOURNAL] = &writer_journal,
};

const char *report_format_name(enum report_format format)
{
	return (size_t)format < REPORT_FORMATS ? writers[format]->name : NULL;
}

static int add_output(struct report *report, const struct report_options *options,
		      struct error *err)
{
	struct output *output = &report->output[report->outputs];

	if (report->outputs == OUTPUTS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %d reports of one run",
				 OUTPUTS_MAX);
	}
	*output = (struct output){.options = *options, .writer = writers[options->format]};
	output->context.options = &output->options;
	output->context.tally = &report->tally;
	if (output->writer->make(&output->state, err) < 0) {
		return -1;
	}
	report->outputs++;
	return 0;
}

int report_new(struct report **report, const struct report_options *options, struct error *err)
{
	struct report *made = calloc(1, sizeof(*made));

	*report = NULL;
	if (made) {
		made->output = calloc(OUTPUTS_MAX, sizeof(*made->output));
	}
	if (!made || !made->output) {
		free(made);
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (groups_new(&made->hosts_open, err) < 0 || add_output(made, options, err) < 0) {
		report_free(made);
		return -1;
	}
	*report = made;
	return 0;
}

int report_add(struct report *report, enum report_format format, FILE *out, struct error *err)
{
	struct report_options options = report->output[0].options;

	options.format = format;
	options.out = out;
	options.color = false;
	return add_output(report, &options, err);
}

void report_free(struct report *report)
{
	if (!report) {
		return;
	}
	for (size_t i = 0; i < report->outputs; i++) {
		report->output[i].writer->free(report->output[i].state);
	}
	groups_free(report->hosts_open);
	free(report->output);
	free(report);
}

int report_run_start(struct report *report, const struct store_run *run, struct error *err)
{
	for (size_t i = 0; i < report->outputs; i++) {
		struct output *output = &report->output[i];

		output->context.run = *run;
		if (output->writer->run_start(output->state, &output->context, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* How long nobody has seen the whole of a host that could not be looked at now. */
static void count_age(struct report *report, const struct report_host *host)
{
	struct report_tally *tally = &report->tally;
	int64_t age_s = report->output[0].context.run.started_s - host->last_complete_s;

	if (!host->has_last_complete || outcome_class(host->outcome) == OUTCOME_CLASS_LOOKED) {
		return;
	}
	if (host->last_complete_s == 0) {
		tally->never++;
	} else if (age_s < DAY_S + DAY_S / 4) {
		/* The night before last began earlier or took longer. */
		tally->last_day++;
	} else if (age_s < 7 * DAY_S) {
		tally->last_week++;
	} else {
		tally->long_ago++;
	}
}

int report_host(struct report *report, const struct report_host *host, struct error *err)
{
	struct report_tally *tally = &report->tally;

	tally->hosts++;
	tally->by_outcome[host->outcome < OUTCOMES ? host->outcome : OUTCOME_INTERNAL]++;
	if (outcome_class(host->outcome) == OUTCOME_CLASS_LOOKED) {
		tally->looked++;
	}
	count_age(report, host);
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
	for (size_t i = 0; i < report->outputs; i++) {
		struct output *output = &report->output[i];

		if (output->writer->host(output->state, &output->context, host, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int count_open(struct report *report, const struct report_finding *finding,
		      struct error *err)
{
	struct report_tally *tally = &report->tally;
	enum severity severity = finding->finding->severity;
	uint64_t times = 0;

	tally->open[severity <= SEVERITY_CRITICAL ? severity : SEVERITY_CRITICAL]++;
	tally->fresh += finding->finding->state == FINDING_NEW ? 1 : 0;
	if (severity < report->output[0].options.fail_on) {
		return 0;
	}
	if (groups_count(report->hosts_open, finding->host, 0, &times, err) < 0) {
		return -1;
	}
	tally->hosts_open += times == 1;
	return 0;
}

int report_finding(struct report *report, const struct report_finding *finding, struct error *err)
{
	switch (finding->finding->state) {
	case FINDING_NEW:
	case FINDING_OPEN:
		if (count_open(report, finding, err) < 0) {
			return -1;
		}
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
	for (size_t i = 0; i < report->outputs; i++) {
		struct output *output = &report->output[i];

		if (output->writer->finding(output->state, &output->context, finding, err) < 0) {
			return -1;
		}
	}
	return 0;
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
	for (size_t i = 0; i < report->outputs; i++) {
		struct output *output = &report->output[i];

		if (run) {
			output->context.run = *run;
		}
		output->context.verdict = report_verdict(report);
		output->context.interrupted = interrupted;
		if (output->writer->run_end(output->state, &output->context, err) < 0) {
			return -1;
		}
	}
	return 0;
}

const struct report_tally *report_tally(const struct report *report)
{
	return &report->tally;
}

enum report_verdict report_verdict(const struct report *report)
{
	const struct report_tally *tally = &report->tally;

	for (unsigned s = report->output[0].options.fail_on; s <= SEVERITY_CRITICAL; s++) {
		if (tally->open[s] > 0) {
			return REPORT_FINDINGS;
		}
	}
	if (tally->hosts == 0 || writer_is_stale(&report->output[0].context)) {
		return REPORT_INCOMPLETE;
	}
	return (tally->hosts - tally->looked) * 100 >
			       tally->hosts * (size_t)report->output[0].options.max_incomplete
		       ? REPORT_INCOMPLETE
		       : REPORT_CLEAN;
}
