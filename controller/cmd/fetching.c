// SPDX-License-Identifier: MIT
#include "controller/cmd/fetching.h"

#include <stdio.h>
#include <time.h>

#include "baselines/fetch.h"
#include "controller/cmd/open.h"
#include "controller/report/print.h"

static void tell_stale(struct call *call, const struct baseline *baseline,
		       struct fetching_stale *stale)
{
	const char *commit = baseline_commit(baseline);
	char age[PRINT_NUMBER_ROOM] = "unknown age";
	int64_t now_s = (int64_t)time(NULL);

	if (fetch_commit_time(baseline_path(baseline), commit, &stale->made_s)) {
		(void)print_age(now_s > stale->made_s ? (uint64_t)(now_s - stale->made_s) : 0, age);
	}
	(void)fprintf(
		call->log,
		"muster: the baseline was not fetched: %s: this run judges by the baseline of "
		"%s ago (%.12s)\n",
		stale->why.msg, age, commit);
}

int fetching_check_signed(struct call *call, const struct baseline *baseline, struct error *err)
{
	const char *signers = config_text(call->config, CONFIG_BASELINE_SIGNERS);

	if (!signers ||
	    fetch_verify(baseline_path(baseline), baseline_commit(baseline), signers, err) == 0) {
		return 0;
	}
	call_advise(call,
		    "sign the commit by a key of that file: git commit -S, with "
		    "gpg.format=ssh (this file was named by %s)",
		    config_origin(call->config, CONFIG_BASELINE_SIGNERS));
	return error_prefix(err, "%s", baseline_path(baseline));
}

int fetching_is_wanted(struct call *call, bool *wanted, struct error *err)
{
	bool on = call_has(call, OPTION_FETCH), off = call_has(call, OPTION_NO_FETCH);

	*wanted = on || (!off && config_number(call->config, CONFIG_BASELINE_FETCH) != 0);
	if (on && off) {
		return error_set(err, ERROR_CONFIG, 0, "--fetch and --no-fetch: one of them");
	}
	if (on && !config_text(call->config, CONFIG_BASELINE)) {
		return error_set(err, ERROR_CONFIG, 0, "--fetch: there is no baseline to fetch");
	}
	return 0;
}

static void advise_not_to(struct call *call)
{
	if (call_has(call, OPTION_FETCH)) {
		call_advise(call, "leave --fetch out");
	} else {
		call_advise(call,
			    "do not fetch: --no-fetch, or baseline_fetch: false (it was set "
			    "by %s)",
			    config_origin(call->config, CONFIG_BASELINE_FETCH));
	}
}

/* *why is not set where it was fetched; where it is, what stands is to be judged by. */
static int fetch(struct call *call, const char *path, struct error *why, struct error *err)
{
	bool moved;

	if (fetch_baseline(path, config_text(call->config, CONFIG_BASELINE_SIGNERS), &moved, why) ==
	    0) {
		*why = (struct error){.kind = ERROR_NONE};
		return 0;
	}
	if (why->kind == ERROR_NET || why->kind == ERROR_AUTH) {
		return 0;
	}
	if (why->kind == ERROR_CONFIG) {
		advise_not_to(call);
	}
	*err = *why;
	return -1;
}

int fetching_open(struct call *call, struct baseline **baseline, struct fetching_stale *stale,
		  struct error *err)
{
	const char *path = config_text(call->config, CONFIG_BASELINE);
	bool wanted;

	*baseline = NULL;
	*stale = (struct fetching_stale){.made_s = 0};
	if (fetching_is_wanted(call, &wanted, err) < 0 ||
	    (wanted && path && fetch(call, path, &stale->why, err) < 0) ||
	    open_baseline(call, baseline, err) < 0) {
		return -1;
	}
	if (*baseline && fetching_check_signed(call, *baseline, err) < 0) {
		baseline_close(*baseline);
		*baseline = NULL;
		return -1;
	}
	if (stale->why.kind != ERROR_NONE) {
		tell_stale(call, *baseline, stale);
	}
	return 0;
}
