// SPDX-License-Identifier: MIT
#include "controller/fleet/sweep.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "controller/fleet/compare.h"
#include "controller/fleet/host_run.h"
#include "controller/fleet/object_places.h"
#include "controller/fleet/plan.h"
#include "controller/fleet/worker.h"

#define PROGRESS_INTERVAL_MS 250
/* An unreachable host is tried again after this long, twice as long each time. */
#define RETRY_FIRST_MS 2000U

struct retry {
	size_t index;
	unsigned attempt;
	uint64_t due_ms;
};

struct sweep {
	uv_loop_t *loop;
	const struct sweep_config *config;
	const struct sweep_events *events;
	struct sweep_summary *summary;
	struct host_run_shared shared;
	struct host_run **running; /* config->parallel places */
	size_t running_count;
	size_t next; /* the first host that was not started yet */
	size_t done;
	size_t failed;
	struct retry *retries; /* unordered */
	size_t retry_count;
	bool stopping;
	unsigned handles; /* of the loop, not closed yet */
	struct error fatal;
	uv_prepare_t before_wait;
	uv_timer_t tick;
	uv_timer_t deadline;
	uv_signal_t signals[3];
	struct worker_job job; /* beginning, and what is left at the end */
	struct compare compare;
};

static const int signal_numbers[3] = {SIGINT, SIGTERM, SIGUSR1};

static void fill(struct sweep *sweep);

static void tell_progress(struct sweep *sweep, bool asked)
{
	const struct sweep_progress progress = {
		.total = sweep->config->host_count,
		.done = sweep->done,
		.running = sweep->running_count,
		.failed = sweep->failed,
		.asked = asked,
	};

	if (sweep->events->progress) {
		sweep->events->progress(sweep->events->context, &progress);
	}
}

/* Starts nothing more and ends what runs; each host still reports. */
static void stop(struct sweep *sweep, const char *reason)
{
	if (sweep->stopping) {
		return;
	}
	sweep->stopping = true;
	sweep->retry_count = 0;
	for (size_t i = 0; i < sweep->config->parallel; i++) {
		if (sweep->running[i]) {
			host_run_abort(sweep->running[i], OUTCOME_KILLED, reason);
		}
	}
}

static void fail(struct sweep *sweep, const struct error *err)
{
	if (sweep->fatal.kind == ERROR_NONE) {
		sweep->fatal = *err;
	}
	stop(sweep, "the run was given up");
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct sweep *sweep = handle->data;

	sweep->handles--;
}

static void close_handles(struct sweep *sweep)
{
	uv_close((uv_handle_t *)&sweep->before_wait, on_handle_closed);
	uv_close((uv_handle_t *)&sweep->tick, on_handle_closed);
	uv_close((uv_handle_t *)&sweep->deadline, on_handle_closed);
	for (size_t i = 0; i < 3; i++) {
		uv_close((uv_handle_t *)&sweep->signals[i], on_handle_closed);
	}
	worker_free(sweep->shared.worker);
	sweep->shared.worker = NULL;
}

static void count_findings(struct sweep *sweep, const struct findings *findings)
{
	for (size_t i = 0; findings && i < findings->count; i++) {
		const struct finding *f = &findings->item[i];

		if (f->state == FINDING_NEW || f->state == FINDING_OPEN) {
			sweep->summary->open[f->severity]++;
		}
	}
}

/* The end: hosts that never had their turn are results too. */

static struct sweep *sweep_of(struct worker_job *job)
{
	return (struct sweep *)(void *)((char *)job - offsetof(struct sweep, job));
}

static void work_end(struct worker_job *job)
{
	struct sweep *sweep = sweep_of(job);
	struct error err = {.kind = ERROR_NONE};

	for (size_t i = sweep->next; i < sweep->config->host_count; i++) {
		if (host_run_store_unseen(&sweep->shared, i, OUTCOME_NOT_ASKED,
					  "the run ended first", &err) != 0) {
			break;
		}
	}
	/* A run that was broken off is compared with the next one. */
	if (err.kind == ERROR_NONE && sweep->fatal.kind == ERROR_NONE &&
	    !sweep->summary->interrupted) {
		(void)!compare_hosts(sweep->config, &sweep->summary->run, &sweep->compare, &err);
	}
	sweep->summary->run.finished_s = time(NULL);
	if (err.kind == ERROR_NONE) {
		(void)!store_run_end(sweep->config->store, &sweep->summary->run, &err);
	}
	if (sweep->fatal.kind == ERROR_NONE) {
		sweep->fatal = err;
	}
}

static void done_end(struct worker_job *job)
{
	struct sweep *sweep = sweep_of(job);

	for (size_t i = sweep->next; i < sweep->config->host_count; i++) {
		const struct sweep_result result = {
			.host = sweep->config->hosts[i].target.name,
			.outcome = OUTCOME_NOT_ASKED,
			.reason = "the run ended first",
		};

		sweep->summary->by_outcome[OUTCOME_NOT_ASKED]++;
		sweep->events->host(sweep->events->context, &result);
	}
	for (size_t i = 0; i < sweep->compare.count; i++) {
		const struct sweep_compared *compared = &sweep->compare.host[i];

		count_findings(sweep, &compared->findings);
		sweep->summary->by_outcome[compared->before]--;
		sweep->summary->by_outcome[compared->outcome]++;
		if (sweep->events->compared) {
			sweep->events->compared(sweep->events->context, compared);
		}
	}
	sweep->summary->vouched = sweep->compare.vouched;
	close_handles(sweep);
}

static bool is_over(const struct sweep *sweep)
{
	return sweep->running_count == 0 && sweep->retry_count == 0 &&
	       (sweep->stopping || sweep->next == sweep->config->host_count);
}

static void end_if_over(struct sweep *sweep)
{
	if (is_over(sweep) && !sweep->job.done) {
		sweep->job = (struct worker_job){.work = work_end, .done = done_end};
		worker_submit(sweep->shared.worker, &sweep->job);
	}
}

/* Hosts */

static void retry_later(struct sweep *sweep, const struct host_run *host)
{
	unsigned attempt = host_run_attempt(host);

	/* One place a host is enough: a host waits for one retry at a time. */
	sweep->retries[sweep->retry_count++] = (struct retry){
		.index = host_run_index(host),
		.attempt = attempt + 1,
		.due_ms = uv_now(sweep->loop) +
			  ((uint64_t)RETRY_FIRST_MS << (attempt < 6 ? attempt : 6)),
	};
}

static void on_over(void *context, struct host_run *host, const struct sweep_result *result,
		    const struct error *fatal)
{
	struct sweep *sweep = context;

	for (size_t i = 0; i < sweep->config->parallel; i++) {
		if (sweep->running[i] == host) {
			sweep->running[i] = NULL;
		}
	}
	sweep->running_count--;
	if (fatal) {
		fail(sweep, fatal);
	} else if (host_run_is_to_be_retried(host) && !sweep->stopping) {
		retry_later(sweep, host);
	} else {
		enum outcome_class class = outcome_class(result->outcome);

		sweep->done++;
		sweep->failed += class != OUTCOME_CLASS_LOOKED && class != OUTCOME_CLASS_PARTIAL;
		sweep->summary->by_outcome[result->outcome]++;
		count_findings(sweep, result->findings);
		sweep->events->host(sweep->events->context, result);
	}
	host_run_free(host);
	fill(sweep);
}

static void start(struct sweep *sweep, size_t index, unsigned attempt)
{
	struct error err;

	for (size_t i = 0; i < sweep->config->parallel; i++) {
		if (sweep->running[i]) {
			continue;
		}
		if (host_run_start(&sweep->shared, index, attempt, &sweep->running[i], &err) != 0) {
			fail(sweep, &err);
			return;
		}
		sweep->running_count++;
		return;
	}
}

/* Keeps `parallel` hosts running: those whose retry is due first, then new ones. */
static void fill(struct sweep *sweep)
{
	uint64_t now_ms = uv_now(sweep->loop);

	for (size_t i = 0; i < sweep->retry_count && !sweep->stopping &&
			   sweep->running_count < sweep->config->parallel;) {
		struct retry retry = sweep->retries[i];

		if (retry.due_ms > now_ms) {
			i++;
			continue;
		}
		sweep->retries[i] = sweep->retries[--sweep->retry_count];
		start(sweep, retry.index, retry.attempt);
	}
	while (!sweep->stopping && sweep->next < sweep->config->host_count &&
	       sweep->running_count < sweep->config->parallel) {
		start(sweep, sweep->next++, 0);
	}
	end_if_over(sweep);
}

static void on_tick(uv_timer_t *timer)
{
	struct sweep *sweep = timer->data;

	tell_progress(sweep, false);
	if (sweep->shared.run->id != 0) {
		fill(sweep);
	}
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct sweep *sweep = prepare->data;

	for (size_t i = 0; i < sweep->config->parallel; i++) {
		if (sweep->running[i]) {
			host_run_flush(sweep->running[i]);
		}
	}
}

static void on_deadline(uv_timer_t *timer)
{
	stop(timer->data, "the run's deadline has passed");
	end_if_over(timer->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct sweep *sweep = handle->data;

	if (number == SIGUSR1) {
		tell_progress(sweep, true);
		return;
	}
	sweep->summary->interrupted = true;
	stop(sweep, "interrupted");
	end_if_over(sweep);
}

/* The beginning: what the store knows decides what hosts will be asked for. */

static int keep_object(void *context, const struct digest *digest)
{
	struct sweep *sweep = context;

	return object_places_keep(sweep->shared.places, digest, &sweep->fatal);
}

static void work_begin(struct worker_job *job)
{
	struct sweep *sweep = sweep_of(job);
	struct store *store = sweep->config->store;

	if (store_each_object(store, keep_object, sweep, &sweep->fatal) != 0 ||
	    store_secret(store, sweep->shared.secret, &sweep->fatal) != 0 ||
	    store_run_begin(store, &sweep->summary->run, &sweep->fatal) != 0) {
		return; /* done_begin looks at sweep->fatal */
	}
}

static void done_begin(struct worker_job *job)
{
	struct sweep *sweep = sweep_of(job);

	sweep->job = (struct worker_job){0};
	if (sweep->fatal.kind != ERROR_NONE) {
		close_handles(sweep);
		return;
	}
	sweep->events->started(sweep->events->context, &sweep->summary->run);
	fill(sweep);
}

static int begin(struct sweep *sweep, struct error *err)
{
	const struct sweep_config *config = sweep->config;

	sweep->running = calloc(config->parallel, sizeof(struct host_run *));
	sweep->retries = calloc(config->host_count + 1, sizeof(*sweep->retries));
	if (!sweep->running || !sweep->retries) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a run over %zu hosts",
				 config->host_count);
	}
	if (object_places_new(&sweep->shared.places, err) != 0 ||
	    proofs_new(config->store, config->baseline, true, &sweep->shared.proofs, err) != 0 ||
	    worker_new(sweep->loop, &sweep->shared.worker, err) != 0) {
		return -1;
	}
	(void)uv_prepare_init(sweep->loop, &sweep->before_wait);
	sweep->before_wait.data = sweep;
	(void)uv_prepare_start(&sweep->before_wait, on_before_wait);
	(void)uv_timer_init(sweep->loop, &sweep->tick);
	(void)uv_timer_init(sweep->loop, &sweep->deadline);
	sweep->tick.data = sweep;
	sweep->deadline.data = sweep;
	(void)uv_timer_start(&sweep->tick, on_tick, PROGRESS_INTERVAL_MS, PROGRESS_INTERVAL_MS);
	if (config->deadline_s > 0) {
		(void)uv_timer_start(&sweep->deadline, on_deadline,
				     (uint64_t)config->deadline_s * 1000, 0);
	}
	for (size_t i = 0; i < 3; i++) {
		(void)uv_signal_init(sweep->loop, &sweep->signals[i]);
		sweep->signals[i].data = sweep;
		(void)uv_signal_start(&sweep->signals[i], on_signal, signal_numbers[i]);
	}
	sweep->handles = 6;
	sweep->job = (struct worker_job){.work = work_begin, .done = done_begin};
	worker_submit(sweep->shared.worker, &sweep->job);
	return 0;
}

int sweep_run(uv_loop_t *loop, const struct sweep_config *config, const struct sweep_events *events,
	      struct sweep_summary *summary, struct error *err)
{
	struct sweep sweep = {
		.loop = loop,
		.config = config,
		.events = events,
		.summary = summary,
	};
	int result = -1;

	*summary = (struct sweep_summary){
		.run = {.kind = config->kind,
			.sweep = config->sweep,
			.commit = config->baseline ? baseline_commit(config->baseline) : "",
			.version = config->version,
			.started_s = time(NULL),
			.hosts_asked = config->host_count},
	};
	sweep.shared = (struct host_run_shared){
		.config = config,
		.events = events,
		.run = &summary->run,
		.context = &sweep,
		.over = on_over,
	};
	if (begin(&sweep, err) != 0) {
		goto out;
	}
	/* Transports have handles of their own: ours decide when the run is over. */
	while (sweep.handles > 0) {
		(void)uv_run(loop, UV_RUN_ONCE);
	}
	if (sweep.fatal.kind != ERROR_NONE) {
		*err = sweep.fatal;
		goto out;
	}
	result = 0;
out:
	compare_clear(&sweep.compare);
	proofs_free(sweep.shared.proofs);
	object_places_free(sweep.shared.places);
	free(sweep.retries);
	free(sweep.running);
	return result;
}
