// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/fleet/host_run_private.h"

/*
 * So long a host that has told everything else waits for what another one was asked for: one that
 * claims what it does not send must not hold up the fleet.
 */
#define WAIT_MS 5000U
/* And so long in all, as long as now and then one of those comes. */
#define WAIT_MOST_MS 60000U
/* So long a host may wait in the middle of what it tells for memory that others hold. */
#define STARVE_MS 600000U
/* What a section costs in a conversation, about, and a host of which nothing is known. */
#define SECTION_BYTES 160U
#define UNKNOWN_BYTES ((size_t)1 << 20)
/* A host that tells no more than this takes no part in the budget. */
#define SMALL_BYTES ((size_t)32 << 10)
/* So long a channel may stay open behind the probe's last message: its host keeps a place. */
#define LINGER_MS 3000U

static void phase_set(struct host_run *host, enum phase phase)
{
	host->phase = phase;
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

bool host_run_is_to_be_retried(const struct host_run *host)
{
	return !host->whole && !host->given_up &&
	       outcome_class(host->outcome) == OUTCOME_CLASS_UNREACHABLE &&
	       host->attempt < host_config(host)->retries;
}

static void work_finish(struct worker_job *job)
{
	struct host_run *host = host_of(job);

	if (host_run_is_to_be_retried(host)) {
		return;
	}
	/* A failure stands in host->error, and done_finish makes it the sweep's. */
	(void)!host_result(host, &host->error);
}

static void done_finish(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	const struct host_run_shared *shared = host->shared;
	/* Only what cannot be kept ends the run for the others. */
	const struct error *fatal = host->error.kind != ERROR_NONE ? &host->error : NULL;
	struct sweep_result result = {
		.host = host->host->target.name,
		.outcome = host->outcome,
		.reason = host->reason,
		.transport = host->transport,
		.sent_bytes = host->sent_bytes,
		.received_bytes = host->received_bytes,
		.probe_bytes = host->probe_bytes,
		.wall_ms = (int64_t)(uv_hrtime() / 1000000 - host->started_ms),
		.findings = &host->findings,
		.acks = host->acks,
		.first_seen_s = host->first_seen_s,
		.has_last_complete = true,
		.last_complete_s = host->last_complete_s,
	};

	if (host->whole) {
		result.observation = conversation_observation(host->conversation);
		result.oldest_content_s = host_oldest_content(host);
		result.counts = &host->counts;
	}
	object_places_release(shared->places, (uint32_t)host->index);
	host->shared->held_bytes -= host->held_bytes;
	budget_drop(host->shared->budget, &host->claim);
	phase_set(host, PHASE_OVER);
	shared->over(shared->context, host, &result, fatal);
}

/* What has come is everybody's from now on: the store has it before it has any host that names it. */
static int hand_on_objects(struct host_run *host, struct error *err)
{
	struct conversation_object *objects;
	size_t count = conversation_take_objects(host->conversation, &objects);

	for (size_t i = 0; i < count; i++) {
		struct error ignored;

		/* Forgetting one only means that it is fetched twice. */
		(void)!object_places_keep(host->shared->places, &objects[i].digest, &ignored);
	}
	return keeper_add(host->shared->keeper, objects, count, err);
}

/* The session is over: it waits for memory no more, and holds what it has until it is stored. */
static void settle_claim(struct host_run *host)
{
	size_t bytes = host->conversation ? conversation_bytes(host->conversation) : 0;

	budget_drop(host->shared->budget, &host->claim);
	host->starved_ms = 0;
	if (bytes > SMALL_BYTES) {
		(void)budget_grow(host->shared->budget, &host->claim, bytes);
	} else {
		host->held_bytes = bytes;
		host->shared->held_bytes += bytes;
	}
}

static void finish(struct host_run *host)
{
	struct error err;

	if (host->conversation && hand_on_objects(host, &err) != 0) {
		host->whole = false;
		set_reason(host, OUTCOME_INTERNAL, err.msg);
	}
	keeper_submit(host->shared->keeper, true);
	host->finished_s = time(NULL);
	settle_claim(host);
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
	enum outcome outcome = err->kind == ERROR_PEER    ? OUTCOME_PROTOCOL_ERROR
			       : err->kind == ERROR_LIMIT ? OUTCOME_OVER_LIMIT
							  : OUTCOME_INTERNAL;

	set_reason(host, outcome, err->msg);
	host->host->transport->abort(host->channel, outcome, host->reason);
}

static void work_decide(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	struct known_good known = host_known_good(host_config(host));
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

static void work_recall(struct worker_job *job)
{
	struct host_run *host = host_of(job);

	(void)!host_load_last(host, &host->error);
}

static void done_recall(struct worker_job *job)
{
	struct host_run *host = host_of(job);
	struct error err = host->error;

	phase_set(host, PHASE_TALK);
	if (!host->channel) {
		finish(host);
	} else if (err.kind != ERROR_NONE || conversation_recall(host->conversation, host->last,
								 &err) == CONVERSATION_BROKEN) {
		break_off(host, &err);
	}
}

/* To list what the host has takes memory, and so do the sections that it had. */
size_t host_run_expected_bytes(const struct host_run *host)
{
	return host->foreseen.known ? SMALL_BYTES + host->foreseen.section_count * SECTION_BYTES
				    : UNKNOWN_BYTES;
}

static void begin_list(struct host_run *host)
{
	struct error err;

	if (host->foreseen.known) {
		submit(host, PHASE_RECALL, work_recall, done_recall);
		return;
	}
	phase_set(host, PHASE_TALK);
	if (conversation_recall(host->conversation, NULL, &err) == CONVERSATION_BROKEN) {
		break_off(host, &err);
	}
}

static void on_recall(struct host_run *host)
{
	phase_set(host, PHASE_QUEUED);
	if (host->claim.state == BUDGET_HELD ||
	    budget_ask(host->shared->budget, &host->claim, host_run_expected_bytes(host))) {
		begin_list(host);
	}
}

static void pause_or_resume(struct host_run *host)
{
	if (host->channel) {
		host->host->transport->pause(host->channel, host->paused || host->starved_ms != 0);
	}
}

/* What it has told so far is its claim; where that is too much just now, it waits. */
static void account(struct host_run *host)
{
	size_t bytes =
		conversation_bytes(host->conversation) +
		(host->last ? host->last->section_count * sizeof(struct observed_section) : 0);
	bool has_claim = host->claim.state != BUDGET_NONE;

	if (host->claim.state == BUDGET_WAITING || (!has_claim && bytes <= SMALL_BYTES)) {
		return;
	}
	if (!budget_grow(host->shared->budget, &host->claim, bytes) && host->starved_ms == 0) {
		host->starved_ms = uv_hrtime() / 1000000;
		pause_or_resume(host);
	}
}

void host_run_has_room(struct budget_claim *claim)
{
	struct host_run *host =
		(struct host_run *)(void *)((char *)claim - offsetof(struct host_run, claim));

	if (host->starved_ms != 0) {
		host->starved_ms = 0;
		pause_or_resume(host);
	}
	if (host->phase == PHASE_QUEUED && host->outcome == OUTCOME_NOT_ASKED) {
		begin_list(host);
	}
}

static void mark_dirty(struct host_run *host)
{
	struct host_run_shared *shared = host->shared;

	if (!host->dirty) {
		host->dirty = true;
		host->next_dirty = shared->dirty;
		shared->dirty = host;
	}
}

static void on_frame(void *context, struct bytes payload)
{
	struct host_run *host = context;
	struct error err;

	if (host->outcome != OUTCOME_NOT_ASKED || host->closing) {
		return; /* broken off: what still arrives is not looked at */
	}
	if (host->phase != PHASE_TALK || host->whole) {
		(void)error_set(&err, ERROR_PEER, 0, "the probe spoke out of turn");
		break_off(host, &err);
		return;
	}
	switch (conversation_frame(host->conversation, payload, &err)) {
	case CONVERSATION_MORE:
		mark_dirty(host);
		break;
	case CONVERSATION_LISTED:
		store_observation_free(host->last); /* which is copied as far as it is wanted */
		host->last = NULL;
		mark_dirty(host);
		submit(host, PHASE_DECIDE, work_decide, done_decide);
		break;
	case CONVERSATION_RECALL:
		on_recall(host);
		break;
	case CONVERSATION_DONE:
		host->whole = true;
		host->whole_ms = uv_hrtime() / 1000000;
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
	(void)snprintf(host->transport, sizeof(host->transport), "%s",
		       close->transport ? close->transport : "");
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
	if (host->phase == PHASE_TALK || host->phase == PHASE_QUEUED) {
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
	const struct conversation_plan plan = {
		.plan = host->plan,
		.narrow = host->narrow,
		.foreseen = &host->foreseen,
		.now_s = host->started_s,
		.max_age_s = host_policy(host_config(host))->max_age_s,
	};
	struct conversation_io io = {host, io_send, io_place};

	if (conversation_new(&plan, &io, &host->conversation, err) != 0) {
		return -1;
	}
	return host->host->transport->open(host->host->transport, &host->host->target, &handler,
					   host, &host->channel, err);
}

static void work_prepare(struct worker_job *job)
{
	struct host_run *host = host_of(job);

	/* A failure stands in host->error, where done_prepare looks. */
	(void)!host_prepare(host, &host->error);
	host->reads_all = host->plan.full || !host->foreseen.usable;
	/* It comes back where it is needed: a thousand of them are not held for as many sessions. */
	store_observation_free(host->last);
	host->last = NULL;
}

void host_run_go_on(struct host_run *host)
{
	struct error err;

	phase_set(host, PHASE_TALK);
	if (host->reads_all &&
	    budget_has_room(host->shared->budget, host_run_expected_bytes(host))) {
		(void)budget_ask(host->shared->budget, &host->claim, host_run_expected_bytes(host));
	}
	if (talk(host, &err) != 0) {
		set_reason(host, OUTCOME_INTERNAL, err.msg);
		finish(host);
	}
}

static void done_prepare(struct worker_job *job)
{
	struct host_run *host = host_of(job);

	if (host->outcome != OUTCOME_NOT_ASKED) {
		finish(host); /* aborted meanwhile */
		return;
	}
	if (host->error.kind != ERROR_NONE) {
		set_reason(host, OUTCOME_INTERNAL, host->error.msg);
		finish(host);
		return;
	}
	phase_set(host, PHASE_PARKED);
	if (host->shared->may_go_on(host->shared->context, host)) {
		host_run_go_on(host);
	}
}

bool host_run_reads_all(const struct host_run *host)
{
	return host->reads_all;
}

int host_run_start(struct host_run_shared *shared, size_t index, unsigned attempt,
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

/* All was said: the result stands, however the channel ends. */
static void close_whole(struct host_run *host)
{
	if (host->channel && !host->closing) {
		host->closing = true;
		host->host->transport->abort(host->channel, OUTCOME_CLEAN,
					     "open behind its last message");
	}
}

void host_run_abort(struct host_run *host, enum outcome outcome, const char *reason)
{
	if (host->phase == PHASE_FINISH || host->phase == PHASE_OVER ||
	    host->outcome != OUTCOME_NOT_ASKED) {
		return;
	}
	if (host->whole) {
		close_whole(host);
		return;
	}
	set_reason(host, outcome, reason);
	if (host->channel) {
		host->host->transport->abort(host->channel, outcome, reason);
	}
}

static bool is_talking(const struct host_run *host)
{
	return host->phase == PHASE_TALK && host->channel && !host->whole &&
	       host->outcome == OUTCOME_NOT_ASKED;
}

static void flush(struct host_run *host)
{
	struct error err;

	if (is_talking(host) &&
	    (conversation_flush(host->conversation, &err) == CONVERSATION_BROKEN ||
	     hand_on_objects(host, &err) != 0)) {
		break_off(host, &err);
	}
	if (host->conversation && host->phase == PHASE_TALK) {
		account(host);
	}
	host->waiting_ms = 0;
	if (is_talking(host) && conversation_is_waiting(host->conversation)) {
		host->waiting_ms = host->arrived_ms = uv_hrtime() / 1000000;
		host->waiting_for = conversation_deferred(host->conversation);
	}
}

void host_run_flush_all(struct host_run_shared *shared)
{
	while (shared->dirty) {
		struct host_run *host = shared->dirty;

		shared->dirty = host->next_dirty;
		host->dirty = false;
		flush(host);
	}
	keeper_submit(shared->keeper, false);
}

/* What other hosts were asked for: it comes, or this host is asked after all. */
static void look_for_others(struct host_run *host, uint64_t now_ms)
{
	bool last = now_ms - host->arrived_ms >= WAIT_MS ||
		    now_ms - host->waiting_ms >= WAIT_MOST_MS;
	struct error err;
	size_t left;

	if (host->paused) {
		host->arrived_ms = now_ms; /* so are they */
		return;
	}
	if (conversation_ask_again(host->conversation, last, &err) == CONVERSATION_BROKEN) {
		break_off(host, &err);
		return;
	}
	left = conversation_deferred(host->conversation);
	if (left < host->waiting_for) {
		host->waiting_for = left;
		host->arrived_ms = now_ms;
	}
	if (!conversation_is_waiting(host->conversation)) {
		host->waiting_ms = 0;
	}
}

void host_run_tick(struct host_run *host, uint64_t now_ms)
{
	struct error err;

	if (host->phase == PHASE_TALK && host->whole && host->outcome == OUTCOME_NOT_ASKED &&
	    now_ms - host->whole_ms >= LINGER_MS) {
		close_whole(host);
	}
	if (host->starved_ms != 0 && now_ms - host->starved_ms >= STARVE_MS && is_talking(host)) {
		(void)error_set(&err, ERROR_LIMIT, 0, "no memory for all that it tells");
		break_off(host, &err);
	}
	if (host->waiting_ms != 0 && is_talking(host)) {
		look_for_others(host, now_ms);
	}
}

void host_run_pause(struct host_run *host, bool paused)
{
	host->paused = paused;
	pause_or_resume(host);
}

/* The conversation is looked at only while it is this thread's. */
const char *host_run_progress(const struct host_run *host, size_t *read, size_t *due)
{
	switch (host->phase) {
	case PHASE_PREPARE:
	case PHASE_RECALL:
	case PHASE_DECIDE:
		return "looking up what is known";
	case PHASE_PARKED:
	case PHASE_QUEUED:
		return "waiting for its turn";
	case PHASE_FINISH:
		return "judging";
	case PHASE_OVER:
		return NULL;
	case PHASE_TALK:
		break;
	}
	return host->channel ? conversation_progress(host->conversation, read, due) : NULL;
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
	budget_drop(host->shared->budget, &host->claim);
	for (struct host_run **at = &host->shared->dirty; host->dirty; at = &(*at)->next_dirty) {
		if (*at == host) {
			*at = host->next_dirty;
			host->dirty = false;
			break;
		}
	}
	conversation_free(host->conversation);
	store_observation_free(host->last);
	foreseen_clear(&host->foreseen);
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
