// SPDX-License-Identifier: MIT
#include <string.h>
#include <time.h>

#include "baselines/baseline.h"
#include "controller/cmd/open.h"
#include "controller/cmd/tell.h"
#include "controller/cmd/version.h"

static int tell_status(struct call *call, struct store *store, struct nodeset *named,
		       struct nodeset *inventory, struct error *err)
{
	struct store_run run = {.kind = "status",
				.sweep = "",
				.commit = "",
				.version = version_text,
				.started_s = (int64_t)time(NULL)};
	struct tell tell = {.store = store,
			    .acks = {.call = call},
			    .hosts = named,
			    .wanted = named ? named : inventory,
			    .with_resolved = call_has(call, OPTION_ALL)};
	int code = -1;

	if (open_report(call, false, &tell.report, err) < 0) {
		return -1;
	}
	run.finished_s = run.started_s;
	run.hosts_asked = tell.wanted ? nodeset_count(tell.wanted) : 0;
	if (report_run_start(tell.report, &run, err) == 0 && tell_hosts(&tell, err) == 0 &&
	    report_run_end(tell.report, &run, false, err) == 0) {
		code = (int)report_verdict(tell.report);
	}
	report_free(tell.report);
	return code;
}

/* What today's verdict cannot know: a look that is under way, and decisions since the newest one. */
static void tell_pending(struct call *call, struct store *store)
{
	struct baseline *baseline = NULL;
	struct store_run run;
	struct error ignored;
	const char *path = config_text(call->config, CONFIG_BASELINE);

	if (call->quiet || open_format(call) != REPORT_TEXT ||
	    store_run_find(store, "latest", &run, &ignored) < 0) {
		return;
	}
	if (run.finished_s == 0) {
		(void)fprintf(
			call->log,
			"muster: run %s is not over (or was ended: muster sweep --resume latest "
			"goes on with it); hosts it has not come to yet stand as they were\n",
			run.name);
	}
	if (run.stale && *run.stale) {
		(void)fprintf(call->log,
			      "muster: run %s judged by a baseline that was not brought up to "
			      "date: %s\n",
			      run.name, run.stale);
	}
	if (path && *run.commit && baseline_open(path, NULL, &baseline, &ignored) == 0 &&
	    strcmp(baseline_commit(baseline), run.commit) != 0) {
		(void)fprintf(call->log,
			      "muster: the baseline has moved from %.12s to %.12s since the newest "
			      "run: what was accepted or acknowledged meanwhile counts at the next "
			      "look\n",
			      run.commit, baseline_commit(baseline));
	}
	baseline_close(baseline);
}

int verb_status(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	struct store *store = NULL;
	int code = -1;

	if (open_store(call, STORE_READ, &store, err) < 0 ||
	    call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &hosts, err) < 0) {
		goto out;
	}
	code = tell_status(call, store, call->word_count > 0 ? hosts : NULL, hosts, err);
	if (code >= 0) {
		(void)fflush(call->out);
		tell_pending(call, store);
	}
out:
	nodeset_free(hosts);
	inventory_free(inventory);
	store_close(store);
	return code;
}
