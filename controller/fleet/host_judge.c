// SPDX-License-Identifier: MIT
/*
 * What a host is told by what was seen of it: judged, or, where nothing that judging looks at has
 * changed since the last time, what was found then.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/fleet/acks.h"
#include "controller/fleet/host_run_private.h"
#include "controller/fleet/kept.h"
#include "controller/fleet/objects.h"
#include "controller/fleet/program_id.h"
#include "controller/fleet/proofs.h"
#include "controller/judge/basis.h"

/* Known good, as the judge asks for it. */

static int ask_manifests(void *context, struct bytes manager, struct bytes name,
			 struct bytes version, struct bytes arch,
			 const struct manifest *const **list, size_t *count, struct error *err)
{
	return baseline_manifests(context, manager, name, version, arch, list, count, err);
}

static bool ask_knows_package(void *context, struct bytes manager, struct bytes name)
{
	return baseline_knows_package(context, manager, name);
}

static int ask_builds(void *context, struct bytes manager, struct bytes name, struct bytes version,
		      struct bytes arch, const struct manifest *const **list, size_t *count,
		      struct error *err)
{
	return baseline_builds(context, manager, name, version, arch, list, count, err);
}

static int ask_self_summed(void *context, struct bytes manager, struct bytes name,
			   struct bytes arch, bool *self_summed, struct error *err)
{
	return baseline_self_summed(context, manager, name, arch, self_summed, err);
}

static int no_manifests(void *context, struct bytes manager, struct bytes name,
			struct bytes version, struct bytes arch,
			const struct manifest *const **list, size_t *count, struct error *err)
{
	(void)context;
	(void)manager;
	(void)name;
	(void)version;
	(void)arch;
	(void)err;
	*list = NULL;
	*count = 0;
	return 0;
}

static bool knows_no_package(void *context, struct bytes manager, struct bytes name)
{
	(void)context;
	(void)manager;
	(void)name;
	return false;
}

struct known_good host_known_good(const struct sweep_config *config)
{
	if (!config->baseline) {
		return (struct known_good){NULL, no_manifests, knows_no_package, NULL, NULL};
	}
	return (struct known_good){config->baseline, ask_manifests, ask_knows_package, ask_builds,
				   ask_self_summed};
}

const struct policy *host_policy(const struct sweep_config *config)
{
	return config->baseline ? baseline_policy(config->baseline) : policy_default();
}

/* The acks are kept by the host: the next host's judging uses the place they come from again. */
static int apply_acks(struct host_run *host, struct error *err)
{
	const struct sweep_config *config = host_config(host);
	const struct ack *const *applied;
	size_t count = host->findings.count;

	if (!config->acks || count == 0) {
		return 0;
	}
	host->acks = calloc(count, sizeof(*host->acks));
	if (!host->acks) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a host's acknowledgements");
	}
	if (acks_apply(config->acks, host->host->target.name, host->started_s, &host->findings,
		       &applied, err) != 0) {
		return -1;
	}
	memcpy(host->acks, applied, count * sizeof(*host->acks));
	return 0;
}

/* One host, from what is known of it to its findings. */
struct judging {
	struct host_run *host;
	struct judge_input input;
	struct known_good known_good;
	struct kept kept;
	struct store_known known;
	struct observation *first, *last;
	bool has_basis;
	struct digest basis;
};

static uint64_t most_judged(const struct sweep_config *config)
{
	return config->most_judged ? config->most_judged : SWEEP_JUDGED_MAX;
}

static size_t most_findings(const struct sweep_config *config)
{
	return config->most_findings ? config->most_findings : SWEEP_FINDINGS_MAX;
}

/* Nothing changed, and what it still is has not been loaded. */
static bool is_unloaded(const struct host_run *host)
{
	return conversation_is_same(host->conversation);
}

static int load_seen(struct host_run *host, struct error *err)
{
	if (host_load_last(host, err) != 0 ||
	    conversation_recall(host->conversation, host->last, err) == CONVERSATION_BROKEN) {
		return -1;
	}
	return 0;
}

static bool has_headers(const struct host_run *host, const struct observation *now)
{
	struct section_range range;

	if (is_unloaded(host)) {
		return host->foreseen.has_headers;
	}
	range = observation_range(now, SECTION_HEADER, BYTES_LITERAL("rpm"));
	return range.from < range.to;
}

/* Whether what is there is, byte for byte, what the kept verdict was told of: the latest one. */
static bool has_same_sections(const struct host_run *host)
{
	return is_unloaded(host) || conversation_is_as_last(host->conversation);
}

static int find_basis(struct judging *judging, struct error *err)
{
	struct host_run *host = judging->host;
	const struct sweep_config *config = host_config(host);
	char program[PROGRAM_ID_ROOM];
	struct judge_basis basis = {
		.program = program,
		.commit = config->baseline ? baseline_commit(config->baseline) : "",
		.host = host->host->target.name,
		.group = host->host->groups,
		.group_count = host->host->group_count,
		.now = judging->input.now,
		.first = judging->known.first,
		.last = judging->known.last_complete,
		.open = &judging->kept.downgrades,
		.most_judged = most_judged(config),
		.most_findings = most_findings(config),
	};

	program_id(program);
	/* A program that cannot be told from another one judges anew. */
	judging->has_basis = program[0] != '\0';
	if (!judging->has_basis || (has_headers(host, basis.now) &&
				    proofs_keys(host->shared->proofs, &basis.keys, err) != 0)) {
		return judging->has_basis ? -1 : 0;
	}
	return judge_basis_digest(&basis, &judging->basis, err);
}

/*
 * Whether what holds of the host by the store is what judging it again would find. A full pass takes
 * nothing for granted.
 */
static int may_reuse(const struct judging *judging, bool *may, struct error *err)
{
	const struct store_known *known = &judging->known;
	struct digest findings;

	*may = false;
	if (!judging->has_basis || !known->found || host_config(judging->host)->full ||
	    !digest_equal(&judging->basis, &known->verdict.basis) ||
	    !has_same_sections(judging->host)) {
		return 0;
	}
	/* Not so where something was kept open that was not looked at, or told beside the judge. */
	if (judge_findings_digest(&judging->kept.of_host, &findings, err) != 0) {
		return -1;
	}
	*may = digest_equal(&findings, &known->verdict.findings);
	return 0;
}

static void reuse(struct judging *judging)
{
	struct host_run *host = judging->host;

	host->findings = judging->kept.of_host;
	judging->kept.of_host = (struct findings){0};
	findings_sort(&host->findings);
	host->counts = judging->known.counts;
	host->verdict = judging->known.verdict;
	host->has_verdict = true;
	host->is_reused = true;
}

static int load_accepted(struct judging *judging, struct error *err)
{
	const struct sweep_config *config = host_config(judging->host);
	const struct sweep_host *host = judging->host->host;
	struct judge_input *input = &judging->input;

	return !config->baseline
		       ? 0
		       : baseline_accepted(config->baseline, host->target.name, host->groups,
					   host->group_count, &input->accepted,
					   &input->accepted_records, err);
}

static int load_last(struct judging *judging, struct error *err)
{
	struct judge_input *input = &judging->input;

	if (store_observation_load(host_config(judging->host)->store,
				   judging->host->host->target.name, STORE_LAST_COMPLETE,
				   &judging->last, err) != 0) {
		return -1;
	}
	input->last = judging->last;
	return 0;
}

/* All that judge_input wants beside what was seen. */
static int load_input(struct judging *judging, struct error *err)
{
	struct host_run *host = judging->host;
	const struct sweep_config *config = host_config(host);
	struct judge_input *input = &judging->input;

	judging->known_good = host_known_good(config);
	input->known = &judging->known_good;
	input->policy = host_policy(config);
	input->overrides = config->baseline ? baseline_overrides(config->baseline) : NULL;
	input->open = &judging->kept.downgrades;
	input->cache = host->shared->cache;
	if (load_accepted(judging, err) != 0 ||
	    (config->baseline &&
	     baseline_trees(config->baseline, host->host->groups, host->host->group_count,
			    &input->trees, &input->tree_count, err) != 0) ||
	    load_last(judging, err) != 0 ||
	    store_observation_load(config->store, host->host->target.name, STORE_FIRST,
				   &judging->first, err) != 0) {
		return -1;
	}
	input->first = judging->first;
	host->packages = calloc(input->now->section_count + 1, sizeof(*host->packages));
	input->packages = host->packages;
	return host->packages ? 0 : error_set(err, ERROR_NOMEM, 0, "no memory to judge a host");
}

/* What another look at the same would come to as well may be used again. */
static int keep_verdict(struct judging *judging, bool is_final, struct error *err)
{
	struct host_run *host = judging->host;

	if (!judging->has_basis || !is_final || !judge_counts_are_kept(&host->counts)) {
		return 0;
	}
	host->verdict.basis = judging->basis;
	if (judge_findings_digest(&host->findings, &host->verdict.findings, err) != 0) {
		return -1;
	}
	host->has_verdict = true;
	return 0;
}

static int judge_anew(struct judging *judging, struct error *err)
{
	struct host_run *host = judging->host;
	const struct sweep_config *config = host_config(host);
	struct proofs *proofs = host->shared->proofs;
	struct objects objects, headers; /* apart: what one loads the other still holds */
	struct object_source source, header_source;
	int result = -1;

	objects_init(&objects, config->store, host->conversation);
	objects_init(&headers, config->store, host->conversation);
	objects.most = headers.most = most_judged(config);
	host->findings.most = most_findings(config);
	host->findings.most_bytes = SWEEP_FINDINGS_BYTES_MAX;
	source = objects_source(&objects);
	header_source = objects_source(&headers);
	judging->input.objects = &source;
	if (proofs_begin(proofs, judging->input.now, &header_source, err) != 0) {
		goto out;
	}
	judging->input.proofs = proofs_source(proofs);
	/* What the judge and the proofs take for an object that is not there may be one too many. */
	if (load_input(judging, err) != 0 ||
	    judge_host(&judging->input, &host->findings, &host->counts, err) != 0 ||
	    objects_check(&objects, err) != 0 || objects_check(&headers, err) != 0 ||
	    keep_verdict(judging, proofs_are_final(proofs) && !objects.missed && !headers.missed,
			 err) != 0) {
		goto out;
	}
	result = 0;
out:
	judging->input.objects = NULL;
	judging->input.proofs = NULL;
	proofs_end(proofs);
	objects_clear(&headers);
	objects_clear(&objects);
	return result;
}

/* What the fleet found of it last, and what was acknowledged: both every time. */
static int add_others(struct judging *judging, struct error *err)
{
	struct host_run *host = judging->host;

	if (host->is_reused && judging->kept.of_fleet.count > 0 &&
	    (load_accepted(judging, err) != 0 || load_last(judging, err) != 0)) {
		return -1;
	}
	if (kept_carry(&judging->kept, &judging->input, &host->findings, err) != 0) {
		return -1;
	}
	return apply_acks(host, err);
}

int host_judge(struct host_run *host, struct error *err)
{
	struct store *store = host_config(host)->store;
	const char *name = host->host->target.name;
	struct judging judging = {
		.host = host,
		.input = {.now = conversation_observation(host->conversation)},
	};
	bool may = false;
	int result = -1;

	if (store_known_load(store, name, &judging.known, err) != 0 ||
	    kept_load(&judging.kept, store, name, err) != 0 || find_basis(&judging, err) != 0 ||
	    may_reuse(&judging, &may, err) != 0) {
		goto out;
	}
	/* What else is done with a host wants its sections, unless it is as clean as it was. */
	if (is_unloaded(host) &&
	    (!may || !judging.known.is_settled || judging.kept.of_fleet.count > 0) &&
	    load_seen(host, err) != 0) {
		goto out;
	}
	judging.input.now = conversation_observation(host->conversation);
	host->is_same = is_unloaded(host);
	if (may) {
		reuse(&judging);
	} else if (judge_anew(&judging, err) != 0) {
		goto out;
	}
	result = add_others(&judging, err);
out:
	kept_clear(&judging.kept);
	store_observation_free(judging.first);
	store_observation_free(judging.last);
	return result;
}
