// SPDX-License-Identifier: MIT
/* Before a host is talked to: its plan, and what it will answer unchanged; worker's thread. */
#include "controller/fleet/host_run_private.h"

int host_load_last(struct host_run *host, struct error *err)
{
	store_observation_free(host->last);
	host->last = NULL;
	return store_observation_load(host_config(host)->store, host->host->target.name,
				      STORE_LATEST, &host->last, err);
}

static int make_plan(struct host_run *host, const struct plan_clock *complete, struct error *err)
{
	const struct sweep_config *config = host_config(host);
	struct plan_options options = {
		.full = config->full,
		.rehash_of = config->rehash_of,
		.rate_bytes_s = config->rate_bytes_s,
		.secret = host->shared->secret,
		.now_s = host->started_s,
	};

	return plan_make(host_policy(config), &options, host->host->target.name, complete,
			 &host->plan, err);
}

static struct look_section section_of_latest(const void *context, size_t index)
{
	const struct store_latest *latest = context;

	return (struct look_section){store_latest_key(latest, index), latest->read_s[index],
				     latest->always[index / 8] >> index % 8 & 1};
}

static const struct digest *content_of_latest(const void *context, size_t index)
{
	return store_latest_content(context, index);
}

/* Most hosts, most nights: from what the store has of it, as it lies there. */
static int foresee_kept(struct host_run *host, const struct store_latest *latest, struct error *err)
{
	const struct last_look last = {
		.section_count = latest->section_count,
		.clock_ns = latest->clock_ns,
		.stat_root = latest->has_stat_root ? &latest->stat_root : NULL,
		.section = section_of_latest,
		.content = content_of_latest,
		.context = latest,
	};
	const struct plan_clock complete = {latest->clock_ns, latest->clock_offset_ns};
	struct conversation_plan plan = {
		.now_s = host->started_s,
		.max_age_s = host_policy(host_config(host))->max_age_s,
	};

	if (make_plan(host, &complete, err) != 0) {
		return -1;
	}
	plan.plan = host->plan;
	return conversation_foresee(&plan, &last, &host->foreseen, err);
}

static int foresee_loaded(struct host_run *host, struct error *err)
{
	const struct sweep_config *config = host_config(host);
	struct conversation_plan plan = {
		.now_s = host->started_s,
		.max_age_s = host_policy(config)->max_age_s,
	};
	struct plan_clock complete = {0};
	bool is_known = false;

	if (host_load_last(host, err) != 0 ||
	    store_complete_clock(config->store, host->host->target.name, &complete.clock_ns,
				 &complete.offset_ns, &is_known, err) != 0 ||
	    make_plan(host, is_known ? &complete : NULL, err) != 0) {
		return -1;
	}
	host->narrow = plan_narrow(host->last, host->started_s);
	plan.plan = host->plan;
	plan.last = host->last;
	return conversation_foresee_loaded(&plan, &host->foreseen, err);
}

int host_prepare(struct host_run *host, struct error *err)
{
	struct store_latest latest;

	if (store_latest_load(host_config(host)->store, host->host->target.name, &latest, err) !=
	    0) {
		return -1;
	}
	return latest.found ? foresee_kept(host, &latest, err) : foresee_loaded(host, err);
}
