// SPDX-License-Identifier: MIT
/* What comes of a host when its session is over: judged and stored, on the worker's thread. */
#include <stdlib.h>
#include <string.h>

#include "controller/fleet/acks.h"
#include "controller/fleet/host_run_private.h"
#include "controller/fleet/kept.h"
#include "controller/fleet/objects.h"
#include "controller/fleet/proofs.h"

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

/* Finishing: the worker's last job for a host. */

/* Content that was not read for longer than the policy allows makes a host partial. */
static size_t count_stale(const struct observation *seen, const struct policy *policy,
			  int64_t now_s)
{
	size_t stale = 0;

	for (size_t i = 0; policy->max_age_s > 0 && i < seen->section_count; i++) {
		stale += now_s - seen->sections[i].read_s >= policy->max_age_s;
	}
	return stale;
}

static enum outcome outcome_of(const struct host_run *host, const struct observation *seen,
			       char *reason, size_t room)
{
	size_t stale = count_stale(seen, host_policy(host_config(host)), host->started_s);

	if (judge_is_partial(seen, &host->counts, reason, room)) {
		return OUTCOME_PARTIAL;
	}
	if (stale > 0) {
		(void)snprintf(reason, room, "stale: %zu sections not read within max_age", stale);
		return OUTCOME_PARTIAL;
	}
	for (size_t i = 0; i < host->findings.count; i++) {
		const struct finding *f = &host->findings.item[i];

		if (f->severity > SEVERITY_INFO && f->state != FINDING_ACKNOWLEDGED &&
		    f->state != FINDING_EXPLAINED) {
			return OUTCOME_FINDINGS;
		}
	}
	return OUTCOME_CLEAN;
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

static int judge(struct host_run *host, struct error *err)
{
	const struct sweep_config *config = host_config(host);
	struct known_good known = host_known_good(config);
	struct proofs *proofs = host->shared->proofs;
	struct objects objects, headers; /* apart: what one loads the other still holds */
	struct object_source source, header_source;
	struct judge_input input = {
		.policy = host_policy(config),
		.known = &known,
		.now = conversation_observation(host->conversation),
		.objects = &source,
		.now_s = host->started_s,
	};
	struct kept kept = {0};
	struct observation *first = NULL, *last = NULL;
	int result = -1;

	objects_init(&objects, config->store, host->conversation);
	objects_init(&headers, config->store, host->conversation);
	objects.most = config->most_judged ? config->most_judged : SWEEP_JUDGED_MAX;
	headers.most = objects.most;
	host->findings.most = config->most_findings ? config->most_findings : SWEEP_FINDINGS_MAX;
	host->findings.most_bytes = SWEEP_FINDINGS_BYTES_MAX;
	source = objects_source(&objects);
	header_source = objects_source(&headers);
	if (proofs_begin(proofs, input.now, &header_source, err) != 0) {
		goto out;
	}
	input.proofs = proofs_source(proofs);
	input.overrides = config->baseline ? baseline_overrides(config->baseline) : NULL;
	if (config->baseline &&
	    (baseline_accepted(config->baseline, host->host->target.name, host->host->groups,
			       host->host->group_count, &input.accepted, &input.accepted_records,
			       err) != 0 ||
	     baseline_trees(config->baseline, host->host->groups, host->host->group_count,
			    &input.trees, &input.tree_count, err) != 0)) {
		goto out;
	}
	if (store_observation_load(config->store, host->host->target.name, STORE_FIRST, &first,
				   err) != 0 ||
	    store_observation_load(config->store, host->host->target.name, STORE_LAST_COMPLETE,
				   &last, err) != 0 ||
	    kept_load(&kept, config->store, host->host->target.name, err) != 0) {
		goto out;
	}
	host->packages = calloc(input.now->section_count + 1, sizeof(*host->packages));
	if (!host->packages) {
		(void)error_set(err, ERROR_NOMEM, 0, "no memory to judge a host");
		goto out;
	}
	input.packages = host->packages;
	input.cache = host->shared->cache;
	input.first = first;
	input.last = last;
	input.open = &kept.downgrades;
	/* What the judge and the proofs take for an object that is not there may be one too many. */
	if (judge_host(&input, &host->findings, &host->counts, err) != 0 ||
	    objects_check(&objects, err) != 0 || objects_check(&headers, err) != 0 ||
	    kept_carry(&kept, &input, &host->findings, err) != 0 || apply_acks(host, err) != 0) {
		goto out;
	}
	result = 0;
out:
	kept_clear(&kept);
	store_observation_free(first);
	store_observation_free(last);
	proofs_end(proofs);
	objects_clear(&headers);
	objects_clear(&objects);
	return result;
}

/* A host that broke the protocol or changed its key is a finding even though nothing was read. */
static int judge_unseen(struct host_run *host, struct error *err)
{
	struct finding finding = {
		.severity = SEVERITY_HIGH,
		.witness = WITNESS_RULE,
		.marker = ' ',
		.subject = bytes_from_string(outcome_name(host->outcome)),
		.detail = bytes_from_string(host->reason),
	};

	if (host->outcome == OUTCOME_KEY_MISMATCH) {
		finding.rule = RULE_HOST_KEY;
	} else if (host->outcome == OUTCOME_PROTOCOL_ERROR || host->outcome == OUTCOME_OVER_LIMIT) {
		finding.rule = RULE_PROTOCOL;
	} else {
		return 0;
	}
	return findings_add(&host->findings, &finding, err);
}

static int put(struct host_run *host, struct error *err)
{
	const struct observation *seen = host->whole ? conversation_observation(host->conversation)
						     : NULL;
	struct store_host row = {
		.name = host->host->target.name,
		.outcome = host->outcome,
		.reason = host->reason,
		.excerpt = {host->excerpt, host->excerpt_len},
		.observation = seen,
		.counts = seen ? &host->counts : NULL,
		.packages = seen ? host->packages : NULL,
		.findings = &host->findings,
		.sent_bytes = host->sent_bytes,
		.received_bytes = host->received_bytes,
		.probe_bytes = host->probe_bytes,
		.started_s = host->started_s,
		.finished_s = host->finished_s,
	};
	const char **acks = NULL;
	int result = -1;

	host->first_seen_s = calloc(host->findings.count + 1, sizeof(*host->first_seen_s));
	acks = calloc(host->findings.count + 1, sizeof(*acks));
	if (!host->first_seen_s || !acks) {
		(void)error_set(err, ERROR_NOMEM, 0, "no memory to store a host");
		goto out;
	}
	for (size_t i = 0; host->acks && i < host->findings.count; i++) {
		acks[i] = host->acks[i] ? host->acks[i]->id : "";
	}
	row.first_seen_s = host->first_seen_s;
	row.acks = acks;
	result = store_host_put(host_config(host)->store, host->shared->run, &row, err);
	host->last_complete_s = row.last_complete_s;
out:
	free(acks);
	return result;
}

static int judge_whole(struct host_run *host, struct error *err)
{
	if (conversation_is_same(host->conversation) &&
	    (host_load_last(host, err) != 0 ||
	     conversation_recall(host->conversation, host->last, err) == CONVERSATION_BROKEN)) {
		return -1;
	}
	if (judge(host, err) != 0) {
		return -1;
	}
	host->outcome = outcome_of(host, conversation_observation(host->conversation), host->reason,
				   sizeof(host->reason));
	return 0;
}

/* What one host did to its judging is its own outcome; nothing of it is kept. */
static void give_up(struct host_run *host, const struct error *why)
{
	findings_clear(&host->findings);
	host->counts = (struct judge_counts){0};
	free(host->acks);
	host->acks = NULL;
	free(host->first_seen_s);
	host->first_seen_s = NULL;
	host->whole = false;
	host->outcome = why->kind == ERROR_LIMIT  ? OUTCOME_OVER_LIMIT
			: why->kind == ERROR_PEER ? OUTCOME_PROTOCOL_ERROR
						  : OUTCOME_INTERNAL;
	host->given_up = true;
	(void)snprintf(host->reason, sizeof(host->reason), "%.*s", (int)sizeof(host->reason) - 1,
		       why->msg);
}

int host_result(struct host_run *host, struct error *err)
{
	struct error why = {.kind = ERROR_NONE};

	if (host->whole && judge_whole(host, &why) != 0) {
		if (why.kind == ERROR_STORE) {
			*err = why;
			return -1;
		}
		give_up(host, &why);
	}
	if (host->whole && (put(host, &why) == 0 || why.kind == ERROR_STORE)) {
		*err = why;
		return why.kind == ERROR_NONE ? 0 : -1;
	}
	if (host->whole) {
		give_up(host, &why);
	}
	return judge_unseen(host, err) == 0 ? put(host, err) : -1;
}
