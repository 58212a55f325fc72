// SPDX-License-Identifier: MIT
/* check and sweep: the same run, over hosts that are named or over all of the inventory. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baselines/uncommitted.h"
#include "controller/cmd/fetching.h"
#include "controller/cmd/open.h"
#include "controller/cmd/outputs.h"
#include "controller/cmd/reach.h"
#include "controller/cmd/resume.h"
#include "controller/cmd/run_options.h"
#include "controller/cmd/tell.h"
#include "controller/report/progress.h"
#include "schema/escape.h"

/* A run while it goes: where its events end up. */
struct going {
	struct call *call;
	struct report *report;
	struct store *store;
	const struct resume *resume;
	struct progress progress;
	struct error error; /* the first fault of the report */
	bool failed;
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void on_started(void *context, const struct store_run *run)
{
	struct going *going = context;

	/* The store is ours until the first host begins. */
	if (!going->failed && (report_run_start(going->report, run, &going->error) < 0 ||
			       resume_tell(going->call, going->resume, going->store, going->report,
					   &going->error) < 0)) {
		going->failed = true;
	}
}

static int tell_host(struct going *going, const struct sweep_result *result)
{
	struct report_host host = {
		.name = result->host,
		.outcome = result->outcome,
		.reason = result->reason,
		.transport = result->transport,
		.counts = result->counts,
		.sent_bytes = result->sent_bytes,
		.received_bytes = result->received_bytes,
		.probe_bytes = result->probe_bytes,
		.wall_ms = result->wall_ms,
		.has_last_complete = result->has_last_complete,
		.last_complete_s = result->last_complete_s,
	};

	if (result->observation) {
		host.coverage = result->observation->coverage;
		host.coverage_count = result->observation->coverage_count;
		host.oldest_content_s = result->oldest_content_s;
	}
	if (report_host(going->report, &host, &going->error) < 0) {
		return -1;
	}
	for (size_t i = 0; result->findings && i < result->findings->count; i++) {
		const struct ack *ack = result->acks ? result->acks[i] : NULL;
		const struct finding *found = &result->findings->item[i];
		const struct report_finding finding = {
			.host = result->host,
			.finding = found,
			.first_seen_s = result->first_seen_s ? result->first_seen_s[i] : 0,
			.ack = ack ? ack->id : "",
			.ack_reason = ack ? ack->reason : NULL,
			.ack_until_s = ack ? ack->until_s : 0,
		};

		if (tell_is_settled(result->outcome, found->rule) &&
		    report_finding(going->report, &finding, &going->error) < 0) {
			return -1;
		}
	}
	return 0;
}

static void on_host(void *context, const struct sweep_result *result)
{
	struct going *going = context;

	progress_clear(&going->progress);
	if (!going->failed && tell_host(going, result) < 0) {
		going->failed = true;
	}
}

/* The host was told as it looked alone; comparing it with others may change what it came to. */
static void on_compared(void *context, const struct sweep_compared *result)
{
	struct going *going = context;

	report_outcome_changed(going->report, result->before, result->outcome);
}

static void on_stage(void *context, const char *host, const char *stage)
{
	struct going *going = context;
	char shown[256];

	/* That a host is not libssh2's is worth a line of its own; each step of all is not. */
	if (going->call->verbose < 2 && strncmp(stage, "transport: ", 11) != 0) {
		return;
	}
	progress_clear(&going->progress);
	(void)fprintf(going->call->log, "muster: %s: %s\n",
		      escape_text(bytes_from_string(host), shown, sizeof(shown)), stage);
}

static void on_progress(void *context, const struct sweep_progress *progress)
{
	struct going *going = context;
	const struct progress_state state = {.total = progress->total,
					     .done = progress->done,
					     .running = progress->running,
					     .failed = progress->failed,
					     .due = progress->due,
					     .read = progress->read,
					     .at = progress->at};

	progress_update(&going->progress, &state, now_ms(), progress->asked);
}

/* Everything is open: run, and end the report. The exit code, or -1. */
static int go(struct call *call, uv_loop_t *loop, const struct sweep_config *config,
	      const struct resume *resume, struct report *report, struct error *err)
{
	struct going going = {
		.call = call, .report = report, .store = config->store, .resume = resume};
	const struct sweep_events events = {
		.context = &going,
		.started = on_started,
		.host = on_host,
		.compared = on_compared,
		.stage = call->verbose > 0 ? on_stage : NULL,
		.progress = on_progress,
	};
	struct tell tell = {.store = config->store, .report = report, .acks = {.call = call}};
	struct sweep_summary summary;

	memset(&summary, 0, sizeof(summary));
	progress_init(&going.progress, call->quiet ? NULL : call->log,
		      isatty(fileno(call->log)) == 1, now_ms());
	if (sweep_run(loop, config, &events, &summary, err) < 0) {
		progress_clear(&going.progress);
		return -1;
	}
	progress_clear(&going.progress);
	report_vouched(report, &summary.vouched);
	if (!going.failed &&
	    (tell_rest(&tell, &summary.run, &going.error) < 0 ||
	     report_run_end(report, &summary.run, summary.interrupted, &going.error) < 0)) {
		going.failed = true;
	}
	if (going.failed) {
		*err = going.error;
		return -1;
	}
	return summary.interrupted ? EXIT_INTERRUPTED : (int)report_verdict(report);
}

/* The acks of the baseline with the groups of the inventory; what is wrong with one is told. */
static int open_acks(struct call *call, struct inventory *inventory, struct sweep_config *config,
		     struct error *err)
{
	const struct nodeset_groups groups = inventory_nodeset_groups(inventory);
	const char *fault;

	if (!config->baseline) {
		return 0;
	}
	if (acks_new(&config->acks, config->baseline, &groups, err) < 0) {
		return -1;
	}
	for (size_t i = 0; (fault = acks_fault(config->acks, i)); i++) {
		(void)fprintf(call->log, "muster: %s\n", fault);
	}
	return 0;
}

/* Hosts are judged by a commit: an edit that is only saved counts for nothing. */
static void tell_uncommitted(struct call *call, const struct baseline *baseline)
{
	char first[UNCOMMITTED_NAME_ROOM], more[48] = "";
	struct error ignored;
	size_t count;

	if (!baseline || uncommitted_count(baseline_path(baseline), &count, first, &ignored) < 0 ||
	    count == 0) {
		return;
	}
	if (count > 1) {
		(void)snprintf(more, sizeof(more), " and %zu more", count - 1);
	}
	(void)fprintf(
		call->log,
		"muster: baseline: %s%s differ%s from commit %.12s, by which this run judges: "
		"not committed, not counted\n",
		first, more, count == 1 ? "s" : "", baseline_commit(baseline));
}

static int add_journal(struct call *call, struct report *report, struct error *err)
{
	bool wanted = call_has(call, OPTION_JOURNAL) ||
		      config_number(call->config, CONFIG_JOURNAL) == CONFIG_JOURNAL_NEW;

	return wanted ? report_add(report, REPORT_JOURNAL, NULL, err) : 0;
}

static int run_hosts(struct call *call, struct inventory *inventory, struct nodeset *hosts,
		     struct sweep_config *config, struct error *err)
{
	struct outputs *outputs = NULL;
	struct report *report = NULL;
	struct resume resume = {0};
	struct reach reach = {0};
	struct fetching_stale stale;
	uv_loop_t loop;
	int code = -1;

	if (uv_loop_init(&loop) != 0) {
		return error_set(err, ERROR_SYSTEM, 0, "no event loop");
	}
	if (fetching_open(call, &config->baseline, &stale, err) < 0 ||
	    open_acks(call, inventory, config, err) < 0 ||
	    open_report(call, true, &report, err) < 0 ||
	    outputs_open(call, report, &outputs, err) < 0 || add_journal(call, report, err) < 0 ||
	    reach_open(call, &loop, inventory, hosts, &reach, err) < 0 ||
	    open_store(call, STORE_WRITE, &config->store, err) < 0 ||
	    resume_open(call, &reach, config, &resume, err) < 0) {
		goto out;
	}
	if (stale.why.kind != ERROR_NONE) {
		config->stale = stale.why.msg;
		config->stale_made_s = stale.made_s;
	}
	tell_uncommitted(call, config->baseline);
	config->keys = config_text(call->config, CONFIG_TRUST);
	config->hosts = reach.hosts;
	config->host_count = reach.host_count;
	config->limits = reach.limits;
	config->limit_count = reach.limit_count;
	code = go(call, &loop, config, &resume, report, err);
	if (code >= 0 && outputs_commit(outputs, err) < 0) {
		code = -1;
	}
out:
	resume_clear(&resume);
	reach_close(&reach, &loop);
	store_close(config->store);
	acks_free(config->acks);
	baseline_close(config->baseline);
	report_free(report);
	outputs_free(outputs);
	(void)uv_loop_close(&loop);
	return code;
}

static int run(struct call *call, const char *kind, struct error *err)
{
	struct sweep_config config = {.kind = kind};
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	int code = -1;

	if (run_options_read(call, &config, err) < 0 || call_inventory(call, &inventory, err) < 0) {
		goto out;
	}
	if (call_hosts(call, inventory, 0, &hosts, err) < 0) {
		call_advise(call, "muster %s --help says how hosts are named", call->verb->name);
		goto out;
	}
	if (nodeset_count(hosts) == 0) {
		call_advise(call,
			    "name an inventory: -i FILE, or `inventory:` in the configuration");
		(void)error_set(err, ERROR_CONFIG, 0, "%s: no hosts to look at", call->verb->name);
		goto out;
	}
	code = run_hosts(call, inventory, hosts, &config, err);
out:
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}

int verb_check(struct call *call, struct error *err)
{
	return run(call, "check", err);
}

int verb_sweep(struct call *call, struct error *err)
{
	return run(call, "sweep", err);
}
