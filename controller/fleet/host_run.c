// SPDX-License-Identifier: MIT
#include "controller/fleet/host_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/fleet/acks.h"
#include "controller/fleet/conversation.h"
#include "controller/fleet/kept.h"
#include "controller/fleet/objects.h"
#include "controller/fleet/plan.h"
#include "schema/escape.h"
#include "schema/message.h"

/* As they follow each other; `phase_set` alone moves on. The comment says who owns the host then. */
enum phase {
	PHASE_PREPARE, /* worker: what is known of the host */
	PHASE_TALK,    /* loop: channel open, frames come */
	PHASE_DECIDE,  /* worker: which packages need their MD5 */
	PHASE_FINISH,  /* worker: judge and store */
	PHASE_OVER,
};

struct host_run {
	const struct host_run_shared *shared;
	const struct sweep_host *host;
	size_t index;
	unsigned attempt;
	enum phase phase;
	struct worker_job job;
	struct error error; /* of the worker's last job */

	struct observation *last;
	struct plan plan;
	struct conversation *conversation;
	struct channel *channel;
	bool *md5;
	bool whole; /* the conversation came to its end */

	enum outcome outcome;
	char reason[256];
	uint8_t *excerpt;
	size_t excerpt_len;
	uint64_t sent_bytes, received_bytes, probe_bytes;
	int64_t started_s, finished_s;
	uint64_t started_ms;
	struct findings findings;
	const struct ack **acks; /* one a finding; NULL: none */
	int64_t *first_seen_s;   /* likewise */
	struct judge_counts counts;
	struct judged_package *packages; /* one a section seen */
};

static void phase_set(struct host_run *host, enum phase phase)
{
	host->phase = phase;
}

static const struct sweep_config *config_of(const struct host_run *host)
{
	return host->shared->config;
}

static void set_reason(struct host_run *host, enum outcome outcome, const char *reason)
{
	size_t len = strnlen(reason, sizeof(host->reason) - 1);

	host->outcome = outcome;
	memcpy(host->reason, reason, len);
	host->reason[len] = '\0';
}

static void submit(struct host_run *host, enum phase phase, void (*work)(struct worker_job *),
		   void (*done)(struct worker_job *))
{
	phase_set(host, phase);
	host->error = (struct error){.kind = ERROR_NONE};
	host->job = (struct worker_job){.work = work, .done = done};
	worker_submit(host->shared->worker, &host->job);
}

static struct host_run *host_of(struct worker_job *job)
{
	return (struct host_run *)(void *)((char *)job - offsetof(struct host_run, job));
}

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

static int ask_builds(void *context, struct bytes manager, struct bytes name, struct bytes arch,
		      const struct manifest *const **list, size_t *count, struct error *err)
{
	return baseline_builds(context, manager, name, arch, list, count, err);
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

static struct known_good known_good_of(const struct sweep_config *config)
{
	if (!config->baseline) {
		return (struct known_good){NULL, no_manifests, knows_no_package, NULL};
	}
	return (struct known_good){config->baseline, ask_manifests, ask_knows_package, ask_builds};
}

static const struct policy *policy_of(const struct sweep_config *config)
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
	size_t stale = count_stale(seen, policy_of(config_of(host)), host->started_s);

	for (size_t i = 0; i < seen->coverage_count; i++) {
		const struct coverage_item *item = &seen->coverage[i];
		char check[64], why[64];

		if (item->state == COVERAGE_PARTIAL) {
			(void)snprintf(reason, room, "%s: %s",
				       escape_text(item->check, check, sizeof(check)),
				       escape_text(item->reason, why, sizeof(why)));
			return OUTCOME_PARTIAL;
		}
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
	const struct sweep_config *config = config_of(host);
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
	const struct sweep_config *config = config_of(host);
	struct known_good known = known_good_of(config);
	struct objects objects;
	struct object_source source;
	struct judge_input input = {
		.policy = policy_of(config),
		.known = &known,
		.now = conversation_observation(host->conversation),
		.objects = &source,
		.now_s = host->started_s,
	};
	struct kept kept = {0};
	struct observation *first = NULL, *last = NULL;
	int result = -1;

	objects_init(&objects, config->store, host->conversation);
	source = objects_source(&objects);
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
	input.first = first;
	input.last = last;
	input.open = &kept.downgrades;
	if (judge_host(&input, &host->findings, &host->counts, err) != 0 ||
	    kept_carry(&kept, &input, &host->findings, err) != 0 || apply_acks(host, err) != 0) {
		goto out;
	}
	result = 0;
out:
	kept_clear(&kept);
	store_observation_free(first);
	store_observation_free(last);
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
	const struct conversation_object *objects;
	struct store_object *copies = NULL;
	const char **acks = NULL;
	size_t count = 0;
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
	if (seen) {
		objects = conversation_objects(host->conversation, &count);
		copies = calloc(count + 1, sizeof(*copies));
		if (!copies) {
			(void)error_set(err, ERROR_NOMEM, 0, "no memory to store a host");
			goto out;
		}
		for (size_t i = 0; i < count; i++) {
			copies[i] = (struct store_object){objects[i].digest, objects[i].content};
		}
		row.objects = copies;
		row.object_count = count;
	}
	result = store_host_put(config_of(host)->store, host->shared->run, &row, err);
out:
	free(acks);
	free(copies);
	return result;
}

bool host_run_is_to_be_retried(const struct host_run *host)
{
	return !host->whole && outcome_class(host->outcome) == OUTCOME_CLASS_UNREACHABLE &&
	       host->attempt < config_of(host)->retries;
}

static void work_finish(struct worker_job *job)
{
	struct host_run *host = host_of(job);

	if (host_run_is_to_be_retried(host)) {
		return;
	}
	if (host->whole) {
		if (judge(host, &host->error) != 0) {
			return;
		}
		host->outcome = outcome_of(host, conversation_observation(host->conversation),
					   host->reason, sizeof(host->reason));
	} else if (judge_unseen(host, &host->error) != 0) {
		return;
	}
	if (put(host, &host->error) != 0) {
		return; /* done_finish makes it the sweep's */
	}
}

static void done_finish(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	const struct host_run_shared *shared = host->shared;
	const struct error *fatal = host->error.kind != ERROR_NONE ? &host->error : NULL;
	struct sweep_result result = {
		.host = host->host->target.name,
		.outcome = host->outcome,
		.reason = host->reason,
		.sent_bytes = host->sent_bytes,
		.received_bytes = host->received_bytes,
		.probe_bytes = host->probe_bytes,
		.wall_ms = (int64_t)(uv_hrtime() / 1000000 - host->started_ms),
		.findings = &host->findings,
		.acks = host->acks,
		.first_seen_s = host->first_seen_s,
	};

	if (host->whole) {
		const struct conversation_object *objects;
		struct error ignored;
		size_t count;

		result.observation = conversation_observation(host->conversation);
		result.counts = &host->counts;
		objects = conversation_objects(host->conversation, &count);
		for (size_t i = 0; !fatal && i < count; i++) {
			/* Forgetting one only means that it is fetched twice. */
			if (object_places_keep(shared->places, &objects[i].digest, &ignored) != 0) {
				break;
			}
		}
	}
	object_places_release(shared->places, (uint32_t)host->index);
	phase_set(host, PHASE_OVER);
	shared->over(shared->context, host, &result, fatal);
}

static void finish(struct host_run *host)
{
	host->finished_s = time(NULL);
	submit(host, PHASE_FINISH, work_finish, done_finish);
}

/* Talking: the loop's thread. */

static int io_send(void *context, struct bytes payload, struct error *err)
{
	struct host_run *host = context;

	return host->host->transport->send(host->channel, payload, err);
}

static enum object_place io_place(void *context, const struct digest *digest, bool last)
{
	struct host_run *host = context;

	return object_places_ask(host->shared->places, digest, (uint32_t)host->index, last);
}

/* The conversation cannot go on: end the channel with the reason; `closed` follows. */
static void break_off(struct host_run *host, const struct error *err)
{
	enum outcome outcome = err->kind == ERROR_PEER ? OUTCOME_PROTOCOL_ERROR : OUTCOME_INTERNAL;

	set_reason(host, outcome, err->msg);
	host->host->transport->abort(host->channel, outcome, host->reason);
}

static void work_decide(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	struct known_good known = known_good_of(config_of(host));
	size_t count = conversation_due_count(host->conversation);

	host->md5 = calloc(count + 1, sizeof(*host->md5));
	for (size_t i = 0; host->md5 && i < count; i++) {
		struct section_key key;

		host->md5[i] =
			section_key_decode(conversation_due_key(host->conversation, i), &key) &&
			key.kind == SECTION_PACKAGE && judge_wants_md5(&known, &key);
	}
}

static void done_decide(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	struct error err;

	phase_set(host, PHASE_TALK);
	if (!host->channel) {
		finish(host);
		return;
	}
	if (conversation_hash(host->conversation, host->md5, &err) == CONVERSATION_BROKEN) {
		break_off(host, &err);
	}
	free(host->md5);
	host->md5 = NULL;
}

static void on_frame(void *context, struct bytes payload)
{
	struct host_run *host = context;
	struct error err;

	if (host->outcome != OUTCOME_NOT_ASKED) {
		return; /* broken off: what still arrives is not looked at */
	}
	if (host->phase != PHASE_TALK || host->whole) {
		(void)error_set(&err, ERROR_PEER, 0, "the probe spoke out of turn");
		break_off(host, &err);
		return;
	}
	switch (conversation_frame(host->conversation, payload, &err)) {
	case CONVERSATION_MORE:
		break;
	case CONVERSATION_LISTED:
		submit(host, PHASE_DECIDE, work_decide, done_decide);
		break;
	case CONVERSATION_DONE:
		host->whole = true;
		break;
	case CONVERSATION_BROKEN:
		break_off(host, &err);
		break;
	}
}

static void keep_excerpt(struct host_run *host, struct bytes excerpt)
{
	host->excerpt = excerpt.len > 0 ? malloc(excerpt.len) : NULL;
	if (host->excerpt) {
		memcpy(host->excerpt, excerpt.data, excerpt.len);
		host->excerpt_len = excerpt.len;
	}
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct host_run *host = context;

	host->channel = NULL;
	host->sent_bytes = close->sent_bytes;
	host->received_bytes = close->received_bytes;
	host->probe_bytes = close->probe_bytes;
	if (host->outcome != OUTCOME_NOT_ASKED) {
		/* Broken off or aborted by us: the reason is known already. */
		host->whole = false;
		keep_excerpt(host, close->excerpt);
	} else if (!host->whole) {
		bool silent = close->outcome == OUTCOME_CLEAN;

		set_reason(host, silent ? OUTCOME_KILLED : close->outcome,
			   silent ? "the probe ended before its last message" : close->reason);
		keep_excerpt(host, close->excerpt);
	}
	if (host->phase == PHASE_TALK) {
		finish(host);
	}
}

static void on_progress(void *context, const char *stage)
{
	struct host_run *host = context;
	const struct sweep_events *events = host->shared->events;

	if (events->stage) {
		events->stage(events->context, host->host->target.name, stage);
	}
}

static const struct channel_handler handler = {
	.frame = on_frame,
	.closed = on_closed,
	.progress = on_progress,
};

static int talk(struct host_run *host, struct error *err)
{
	const struct sweep_config *config = config_of(host);
	struct conversation_plan plan;
	struct conversation_io io = {host, io_send, io_place};
	struct plan_options options = {
		.full = config->full,
		.rehash_of = config->rehash_of,
		.rate_bytes_s = config->rate_bytes_s,
		.secret = host->shared->secret,
		.now_s = host->started_s,
	};

	if (plan_make(policy_of(config), &options, host->host->target.name, host->last, &host->plan,
		      err) != 0) {
		return -1;
	}
	plan = (struct conversation_plan){
		.plan = host->plan,
		.last = host->last,
		.now_s = host->started_s,
		.max_age_s = policy_of(config)->max_age_s,
	};
	if (conversation_new(&plan, &io, &host->conversation, err) != 0) {
		return -1;
	}
	return host->host->transport->open(host->host->transport, &host->host->target, &handler,
					   host, &host->channel, err);
}

/* Preparing */

static void work_prepare(struct worker_job *job)
{
	struct host_run *host = host_of(job);

	/* A failure stands in host->error, where done_prepare looks. */
	if (store_observation_load(config_of(host)->store, host->host->target.name, STORE_LATEST,
				   &host->last, &host->error) != 0) {
		host->last = NULL;
	}
}

static void done_prepare(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	struct error err;

	phase_set(host, PHASE_TALK);
	if (host->outcome != OUTCOME_NOT_ASKED) {
		finish(host); /* aborted meanwhile */
		return;
	}
	if (host->error.kind != ERROR_NONE) {
		set_reason(host, OUTCOME_INTERNAL, host->error.msg);
		finish(host);
		return;
	}
	if (talk(host, &err) != 0) {
		set_reason(host, OUTCOME_INTERNAL, err.msg);
		finish(host);
	}
}

int host_run_start(const struct host_run_shared *shared, size_t index, unsigned attempt,
		   struct host_run **result, struct error *err)
{
	struct host_run *host = calloc(1, sizeof(*host));

	if (!host) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a host's run");
	}
	host->shared = shared;
	host->host = &shared->config->hosts[index];
	host->index = index;
	host->attempt = attempt;
	host->outcome = OUTCOME_NOT_ASKED;
	host->started_s = time(NULL);
	host->started_ms = uv_hrtime() / 1000000;
	*result = host;
	submit(host, PHASE_PREPARE, work_prepare, done_prepare);
	return 0;
}

void host_run_abort(struct host_run *host, enum outcome outcome, const char *reason)
{
	if (host->phase == PHASE_FINISH || host->phase == PHASE_OVER || host->whole ||
	    host->outcome != OUTCOME_NOT_ASKED) {
		return;
	}
	set_reason(host, outcome, reason);
	if (host->channel) {
		host->host->transport->abort(host->channel, outcome, reason);
	}
}

void host_run_flush(struct host_run *host)
{
	struct error err;

	if (host->phase == PHASE_TALK && host->channel && !host->whole &&
	    host->outcome == OUTCOME_NOT_ASKED &&
	    conversation_flush(host->conversation, &err) == CONVERSATION_BROKEN) {
		break_off(host, &err);
	}
}

size_t host_run_index(const struct host_run *host)
{
	return host->index;
}

unsigned host_run_attempt(const struct host_run *host)
{
	return host->attempt;
}

void host_run_free(struct host_run *host)
{
	if (!host) {
		return;
	}
	assert(!host->channel);
	conversation_free(host->conversation);
	store_observation_free(host->last);
	findings_clear(&host->findings);
	free(host->packages);
	free(host->acks);
	free(host->first_seen_s);
	free(host->md5);
	free(host->excerpt);
	free(host);
}

int host_run_store_unseen(const struct host_run_shared *shared, size_t index, enum outcome outcome,
			  const char *reason, struct error *err)
{
	struct findings none = {0};
	int64_t now_s = time(NULL);
	struct store_host row = {
		.name = shared->config->hosts[index].target.name,
		.outcome = outcome,
		.reason = reason,
		.findings = &none,
		.started_s = now_s,
		.finished_s = now_s,
	};

	return store_host_put(shared->config->store, shared->run, &row, err);
}
