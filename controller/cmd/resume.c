// SPDX-License-Identifier: MIT
#include "controller/cmd/resume.h"

#include <string.h>

#include "controller/cmd/tell.h"

struct adding {
	struct nodeset *done;
	struct error *err;
};

static int on_done(void *context, const char *host)
{
	struct adding *adding = context;

	return nodeset_name_is_valid(host) ? nodeset_add(adding->done, host, adding->err) : 0;
}

/* Hosts of one run are judged by one baseline. */
static int check_commit(const struct sweep_config *config, const struct store_run *run,
			struct error *err)
{
	const char *commit = config->baseline ? baseline_commit(config->baseline) : "";

	if (strcmp(commit, run->commit) == 0) {
		return 0;
	}
	return error_set(err, ERROR_CONFIG, 0,
			 "run %s was judged by another baseline (%.12s): start a new sweep",
			 run->name, run->commit[0] ? run->commit : "none");
}

static int mark(struct reach *reach, const struct resume *resume, struct error *err)
{
	size_t left = 0;

	for (size_t i = 0; i < reach->host_count; i++) {
		struct sweep_host *host = &reach->hosts[i];

		host->done = nodeset_has(resume->done, host->target.name);
		left += !host->done;
	}
	if (left == 0) {
		return error_set(err, ERROR_CONFIG, 0,
				 "run %s has a result for each of these hosts", resume->run.name);
	}
	return 0;
}

int resume_open(struct call *call, struct reach *reach, struct sweep_config *config,
		struct resume *resume, struct error *err)
{
	const char *name = call_value(call, OPTION_RESUME);
	struct adding adding = {.err = err};

	*resume = (struct resume){.done = NULL};
	if (!name) {
		return 0;
	}
	if (store_run_resume(config->store, name, &resume->run, err) < 0) {
		call_advise(call, "muster show latest, for the run that can be resumed");
		return -1;
	}
	if (check_commit(config, &resume->run, err) < 0 || nodeset_new(&resume->done, err) < 0) {
		return -1;
	}
	adding.done = resume->done;
	if (store_run_hosts_done(config->store, resume->run.id, on_done, &adding, err) < 0 ||
	    mark(reach, resume, err) < 0) {
		return -1;
	}
	config->resume = &resume->run;
	return 0;
}

int resume_tell(struct call *call, const struct resume *resume, struct store *store,
		struct report *report, struct error *err)
{
	struct tell tell = {.store = store,
			    .report = report,
			    .run = resume->run.id,
			    .hosts = resume->done,
			    .acks = {.call = call},
			    .with_coverage = true,
			    .settled = true};

	return resume->done ? tell_hosts(&tell, err) : 0;
}

void resume_clear(struct resume *resume)
{
	nodeset_free(resume->done);
	resume->done = NULL;
}
