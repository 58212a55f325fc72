// SPDX-License-Identifier: MIT
#include <time.h>

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
out:
	nodeset_free(hosts);
	inventory_free(inventory);
	store_close(store);
	return code;
}
