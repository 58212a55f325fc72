// SPDX-License-Identifier: MIT
#include "controller/cmd/fetching.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "baselines/fetch.h"
#include "controller/cmd/open.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400
#define AGE_ROOM 64

/* "3 days", "1 hour": the largest unit of which there is one. */
static void write_age(int64_t made_s, int64_t now_s, char to[AGE_ROOM])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{DAY_S, "day"}, {HOUR_S, "hour"}, {MINUTE_S, "minute"}, {1, "second"}};
	int64_t age = now_s > made_s ? now_s - made_s : 0;
	size_t i = 0;

	while (i < 3 && age < units[i].seconds) {
		i++;
	}
	(void)snprintf(to, AGE_ROOM, "%" PRId64 " %s%s", age / units[i].seconds, units[i].name,
		       age / units[i].seconds == 1 ? "" : "s");
}

static void tell_stale(struct call *call, const struct baseline *baseline, const char *why)
{
	const char *commit = baseline_commit(baseline);
	char age[AGE_ROOM] = "unknown age";
	int64_t made_s;

	if (fetch_commit_time(baseline_path(baseline), commit, &made_s)) {
		write_age(made_s, (int64_t)time(NULL), age);
	}
	(void)fprintf(
		call->log,
		"muster: the baseline was not fetched: %s: this run judges by the baseline of "
		"%s ago (%.12s)\n",
		why, age, commit);
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

/* False in *fetched, with `why`: what stands is to be judged by. */
static int fetch(struct call *call, const char *path, bool *fetched, struct error *why,
		 struct error *err)
{
	bool moved;

	*fetched = fetch_baseline(path, config_text(call->config, CONFIG_BASELINE_SIGNERS), &moved,
				  why) == 0;
	if (*fetched || why->kind == ERROR_NET || why->kind == ERROR_AUTH) {
		return 0;
	}
	if (why->kind == ERROR_CONFIG) {
		call_advise(call, "do not fetch: baseline_fetch: false (it was set by %s)",
			    config_origin(call->config, CONFIG_BASELINE_FETCH));
	}
	*err = *why;
	return -1;
}

int fetching_open(struct call *call, struct baseline **baseline, bool *stale, struct error *err)
{
	const char *path = config_text(call->config, CONFIG_BASELINE);
	bool wanted = path && config_number(call->config, CONFIG_BASELINE_FETCH) != 0;
	struct error why = {0};
	bool fetched = true;

	*baseline = NULL;
	*stale = false;
	if (wanted && fetch(call, path, &fetched, &why, err) < 0) {
		return -1;
	}
	if (open_baseline(call, baseline, err) < 0) {
		return -1;
	}
	if (*baseline && fetching_check_signed(call, *baseline, err) < 0) {
		baseline_close(*baseline);
		*baseline = NULL;
		return -1;
	}
	if (!fetched) {
		*stale = true;
		tell_stale(call, *baseline, why.msg);
	}
	return 0;
}
