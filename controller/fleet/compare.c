// SPDX-License-Identifier: MIT
#include "controller/fleet/compare.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/fleet/acks.h"
#include "controller/fleet/objects.h"
#include "controller/store/fleet.h"

/* A host with more to tell by its paths is told the rest build by build: none is left out. */
#define COMPARE_PATHS_MAX 2000

/* What holds on each host of one side; judged when the first host on it comes. */
struct side {
	struct findings findings;
	bool is_judged;
};

struct comparing {
	const struct sweep_config *config;
	const struct store_run *run;
	const struct sweep_host **hosts; /* by name */
	struct compare *compare;
	struct store_fleet *fleet;
	struct side **sides; /* by group: one a side */
	struct objects objects;
	int64_t now_s;
	struct error *err;
};

static int by_name(const void *left, const void *right)
{
	const struct sweep_host *const *a = left, *const *b = right;

	return strcmp((*a)->target.name, (*b)->target.name);
}

static int sort_hosts(struct comparing *c)
{
	size_t count = c->config->host_count;

	c->hosts = calloc(count + 1, sizeof(struct sweep_host *));
	if (!c->hosts) {
		return error_set(c->err, ERROR_NOMEM, 0, "no memory to compare hosts");
	}
	for (size_t i = 0; i < count; i++) {
		c->hosts[i] = &c->config->hosts[i];
	}
	if (count > 1) {
		qsort(c->hosts, count, sizeof(struct sweep_host *), by_name);
	}
	return 0;
}

static const struct sweep_host *find_host(const struct comparing *c, const char *name)
{
	const struct sweep_host wanted = {.target.name = name}, *key = &wanted;
	const struct sweep_host **found = bsearch(&key, c->hosts, c->config->host_count,
						  sizeof(struct sweep_host *), by_name);

	return found ? *found : NULL;
}

static int tell_side(struct comparing *c, const struct store_fleet_place *place, bool brief,
		     struct findings *findings)
{
	struct object_source source = objects_source(&c->objects);
	const struct fleet_input input = {
		.policy = c->config->baseline ? baseline_policy(c->config->baseline)
					      : policy_default(),
		.objects = &source,
		.brief = brief,
	};

	/* Side by side: what one host sends takes nothing away from the others' comparing. */
	c->objects.read = 0;
	return fleet_judge(&input, store_fleet_group(c->fleet, place->group), place->side, findings,
			   c->err);
}

static int judge_side(struct comparing *c, const struct store_fleet_place *place,
		      const struct findings **findings)
{
	const struct fleet_group *group = store_fleet_group(c->fleet, place->group);
	struct side *side;

	if (!c->sides[place->group]) {
		c->sides[place->group] = calloc(group->count, sizeof(struct side));
		if (!c->sides[place->group]) {
			return error_set(c->err, ERROR_NOMEM, 0, "no memory to compare hosts");
		}
	}
	side = &c->sides[place->group][place->side];
	if (!side->is_judged && tell_side(c, place, false, &side->findings) != 0) {
		return -1;
	}
	side->is_judged = true;
	*findings = &side->findings;
	return 0;
}

/* An accepted content is what somebody wants there, whatever others have. */
static bool is_wanted(const struct store_fleet_place *place)
{
	return place->witness == WITNESS_BASELINE && !place->differs;
}

static int add_side(struct comparing *c, const struct sweep_host *host,
		    const struct store_fleet_place *place, struct findings *findings)
{
	const struct record_list *records = NULL;
	const struct manifest *accepted = NULL;
	const struct findings *side;
	struct findings own = {0};
	int result = -1;

	if (is_wanted(place)) {
		return 0;
	}
	if (findings->count >= COMPARE_PATHS_MAX) {
		side = &own;
		if (tell_side(c, place, true, &own) != 0) {
			goto out;
		}
	} else if (judge_side(c, place, &side) != 0) {
		goto out;
	}
	if (side->count > 0 && c->config->baseline &&
	    baseline_accepted(c->config->baseline, host->target.name, host->groups,
			      host->group_count, &accepted, &records, c->err) != 0) {
		goto out;
	}
	for (size_t i = 0; i < side->count; i++) {
		if (!fleet_is_accepted(&side->item[i], accepted, records) &&
		    findings_add(findings, &side->item[i], c->err) != 0) {
			goto out;
		}
	}
	/* Nobody else is on it. */
	if (side != &own &&
	    store_fleet_group(c->fleet, place->group)->side[place->side].hosts == 1) {
		struct side *kept = &c->sides[place->group][place->side];

		findings_clear(&kept->findings);
		kept->is_judged = false;
	}
	result = 0;
out:
	findings_clear(&own);
	return result;
}

/* The same path of two packages is one finding, as the store keeps it. */
static int by_id(const void *left, const void *right)
{
	return strcmp(((const struct finding *)left)->id, ((const struct finding *)right)->id);
}

static void drop_repeated(struct findings *findings)
{
	size_t kept = 0;

	if (findings->count > 1) {
		qsort(findings->item, findings->count, sizeof(*findings->item), by_id);
	}
	for (size_t i = 0; i < findings->count; i++) {
		if (kept == 0 || strcmp(findings->item[kept - 1].id, findings->item[i].id) != 0) {
			findings->item[kept++] = findings->item[i];
		}
	}
	findings->count = kept;
	findings_sort(findings);
}

static int keep_outcome(struct comparing *c, const struct sweep_host *host, enum outcome before,
			enum outcome outcome)
{
	struct compare *compare = c->compare;

	if (before == outcome) {
		return 0;
	}
	if (compare->count == compare->room) {
		size_t room = compare->room ? compare->room * 2 : 16;
		struct sweep_compared *more = reallocarray(compare->host, room, sizeof(*more));

		if (!more) {
			return error_set(c->err, ERROR_NOMEM, 0, "no memory to compare hosts");
		}
		compare->host = more;
		compare->room = room;
	}
	compare->host[compare->count++] = (struct sweep_compared){
		.host = host->target.name, .before = before, .outcome = outcome};
	return 0;
}

/* Sets aside what is acknowledged, and stores what holds now. */
static int put(struct comparing *c, const char *name, struct findings *findings,
	       enum outcome *before, enum outcome *outcome)
{
	const struct ack *const *applied = NULL;
	const char **acks = calloc(findings->count + 1, sizeof(*acks));
	int result = -1;

	if (!acks) {
		return error_set(c->err, ERROR_NOMEM, 0, "no memory to compare hosts");
	}
	if (c->config->acks &&
	    acks_apply(c->config->acks, name, c->now_s, findings, &applied, c->err) != 0) {
		goto out;
	}
	for (size_t i = 0; applied && i < findings->count; i++) {
		acks[i] = applied[i] ? applied[i]->id : "";
	}
	result = store_fleet_put(c->config->store, c->run, name, findings, acks, before, outcome,
				 c->err);
out:
	free(acks);
	return result;
}

static int on_host(void *context, const char *name, const struct store_fleet_place *places,
		   size_t count)
{
	struct comparing *c = context;
	const struct sweep_host *host = find_host(c, name);
	struct findings findings = {0};
	enum outcome before, outcome;
	int result = -1;

	if (!host) {
		return 0; /* not of this run after all */
	}
	for (size_t i = 0; i < count; i++) {
		if (add_side(c, host, &places[i], &findings) != 0) {
			goto out;
		}
	}
	drop_repeated(&findings);
	if (put(c, name, &findings, &before, &outcome) != 0) {
		goto out;
	}
	result = keep_outcome(c, host, before, outcome);
out:
	findings_clear(&findings);
	return result;
}

static void free_sides(struct comparing *c)
{
	for (size_t g = 0; c->sides && g < store_fleet_count(c->fleet); g++) {
		for (size_t s = 0; c->sides[g] && s < store_fleet_group(c->fleet, g)->count; s++) {
			findings_clear(&c->sides[g][s].findings);
		}
		free(c->sides[g]);
	}
	free(c->sides);
}

int compare_hosts(const struct sweep_config *config, const struct store_run *run,
		  struct compare *compare, struct error *err)
{
	struct comparing c = {
		.config = config,
		.run = run,
		.compare = compare,
		.now_s = time(NULL),
		.err = err,
	};
	bool due = false;
	int result = -1;

	objects_init(&c.objects, config->store, NULL);
	c.objects.most = config->most_judged ? config->most_judged : SWEEP_JUDGED_MAX;
	if (store_fleet_is_due(config->store, run, &due, err) != 0 ||
	    (due && store_fleet_load(config->store, &c.fleet, err) != 0)) {
		goto out;
	}
	if (due) {
		c.sides = calloc(store_fleet_count(c.fleet) + 1, sizeof(struct side *));
		if (!c.sides) {
			(void)error_set(err, ERROR_NOMEM, 0, "no memory to compare hosts");
			goto out;
		}
		if (sort_hosts(&c) != 0 || store_fleet_each(c.fleet, run, on_host, &c) != 0) {
			goto out;
		}
	}
	result = store_fleet_end(config->store, c.fleet, run, &compare->vouched, err);
out:
	free_sides(&c);
	free(c.hosts);
	store_fleet_free(c.fleet);
	objects_clear(&c.objects);
	return result;
}

void compare_clear(struct compare *compare)
{
	free(compare->host);
	*compare = (struct compare){0};
}
