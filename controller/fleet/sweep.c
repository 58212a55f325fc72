// SPDX-License-Identifier: MIT
#include "controller/fleet/sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "controller/fleet/compare.h"
#include "controller/fleet/host_run.h"
#include "controller/fleet/object_places.h"
#include "controller/fleet/plan.h"
#include "controller/fleet/turns.h"
#include "controller/fleet/worker.h"

#define PROGRESS_INTERVAL_MS 250
#define VERDICT_BYTES ((size_t)96 << 20) /* kept of what hosts have in common */
/* An unreachable host is tried again after this long, twice as long each time. */
#define RETRY_FIRST_MS 2000U

/*
 * The run's memory for objects that hosts have sent and the store has not got yet: above the first
 * nothing more is read from any host, below the second it goes on.
 */
#define PENDING_HIGH ((size_t)16 << 20)
#define PENDING_LOW ((size_t)4 << 20)
/*
 * And for all else that they tell. A session costs about 100 KB in muster-ssh, and what those take is
 * not there.
 */
#define BUDGET_MOST ((size_t)112 << 20)
#define BUDGET_LEAST ((size_t)48 << 20)
#define SESSION_BYTES ((size_t)100 << 10)
/* There has to be so much for a host that reads everything before it is connected to. */
#define HOST_BYTES ((size_t)1 << 20)
/* Hosts that are known to read everything and wait for their turn cost next to nothing. */
#define PARKED_MAX 4096

struct sweep {
	uv_loop_t *loop;
	const struct sweep_config *config;
	const struct sweep_events *events;
	struct sweep_summary *summary;
	struct host_run_shared shared;
	struct turns *turns;
	struct budget budget;
	struct host_run **host; /* by index; NULL: has not begun, or is over */
	size_t done;
	size_t failed;
	bool stopping;
	bool paused;
	bool ending;      /* or not begun */
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
	struct sweep_progress progress = {
		.total = sweep->config->host_count,
		.done = sweep->done,
		.running = turns_running(sweep->turns),
		.failed = sweep->failed,
		.asked = asked,
	};

	if (!sweep->events->progress) {
		return;
	}
	for (size_t i = 0; i < sweep->config->host_count; i++) {
		if (sweep->host[i]) {
			const char *at =
				host_run_progress(sweep->host[i], &progress.read, &progress.due);

			progress.at = progress.running == 1 && at ? at : progress.at;
		}
	}
	sweep->events->progress(sweep->events->context, &progress);
}

/* Starts nothing more and ends what runs; each host still reports. */
static void stop(struct sweep *sweep, const char *reason)
{
	if (sweep->stopping) {
		return;
	}
	sweep->stopping = true;
	turns_close(sweep->turns);
	for (size_t i = 0; i < sweep->config->host_count; i++) {
		if (sweep->host[i]) {
			host_run_abort(sweep->host[i], OUTCOME_KILLED, reason);
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
	keeper_free(sweep->shared.keeper);
	sweep->shared.keeper = NULL;
	worker_free(sweep->shared.worker);
	sweep->shared.worker = NULL;
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

	for (size_t i = 0; i < sweep->config->host_count; i++) {
		if (!turns_is_over(sweep->turns, i) &&
		    host_run_store_unseen(&sweep->shared, i, OUTCOME_NOT_ASKED,
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

	for (size_t i = 0; i < sweep->config->host_count; i++) {
		const struct sweep_result result = {
			.host = sweep->config->hosts[i].target.name,
			.outcome = OUTCOME_NOT_ASKED,
			.reason = "the run ended first",
		};

		if (turns_is_over(sweep->turns, i)) {
			continue;
		}
		host_run_free(sweep->host[i]); /* parked ones have begun */
		sweep->host[i] = NULL;
		sweep->summary->by_outcome[OUTCOME_NOT_ASKED]++;
		sweep->events->host(sweep->events->context, &result);
	}
	for (size_t i = 0; i < sweep->compare.count; i++) {
		const struct sweep_compared *compared = &sweep->compare.host[i];

		sweep->summary->by_outcome[compared->before]--;
		sweep->summary->by_outcome[compared->outcome]++;
		if (sweep->events->compared) {
			sweep->events->compared(sweep->events->context, compared);
		}
	}
	sweep->summary->vouched = sweep->compare.vouched;
	close_handles(sweep);
}

static void end_if_over(struct sweep *sweep)
{
	/* All that hosts have sent is in the store first: keeper_free wants that. */
	if (turns_are_over(sweep->turns) && !sweep->ending) {
		sweep->ending = true;
		keeper_submit(sweep->shared.keeper, true);
		sweep->job = (struct worker_job){.work = work_end, .done = done_end};
		worker_submit(sweep->shared.worker, &sweep->job);
	}
}

/* Hosts */

static void on_over(void *context, struct host_run *host, const struct sweep_result *result,
		    const struct error *fatal)
{
	struct sweep *sweep = context;
	size_t index = host_run_index(host);
	unsigned attempt = host_run_attempt(host);

	sweep->host[index] = NULL;
	if (fatal) {
		turns_over(sweep->turns, index);
		fail(sweep, fatal);
	} else if (host_run_is_to_be_retried(host) && !sweep->stopping) {
		turns_retry(sweep->turns, index,
			    uv_now(sweep->loop) +
				    ((uint64_t)RETRY_FIRST_MS << (attempt < 6 ? attempt : 6)));
	} else {
		enum outcome_class class = outcome_class(result->outcome);

		turns_over(sweep->turns, index);
		sweep->done++;
		sweep->failed += class != OUTCOME_CLASS_LOOKED && class != OUTCOME_CLASS_PARTIAL;
		sweep->summary->by_outcome[result->outcome]++;
		sweep->events->host(sweep->events->context, result);
	}
	host_run_free(host);
	fill(sweep);
}

/* For one more host that reads everything. */
static bool has_room(const struct sweep *sweep)
{
	return budget_has_room(&sweep->budget, HOST_BYTES);
}

static bool on_may_go_on(void *context, struct host_run *host)
{
	struct sweep *sweep = context;
	bool may;

	turns_hold(sweep->turns, !has_room(sweep));
	may = !host_run_reads_all(host) || turns_may_read_all(sweep->turns, host_run_index(host));
	if (!may) {
		fill(sweep); /* its place is free */
	}
	return may;
}

/* Keeps `parallel` hosts running. */
static void fill(struct sweep *sweep)
{
	struct turn turn;
	struct error err;

	turns_hold(sweep->turns, !has_room(sweep));
	while (!sweep->stopping && turns_next(sweep->turns, uv_now(sweep->loop), &turn)) {
		if (turn.parked) {
			host_run_go_on(sweep->host[turn.index]);
		} else if (host_run_start(&sweep->shared, turn.index, turn.attempt,
					  &sweep->host[turn.index], &err) != 0) {
			turns_over(sweep->turns, turn.index);
			fail(sweep, &err);
		}
		turns_hold(sweep->turns, !has_room(sweep));
	}
	end_if_over(sweep);
}

static void pause_all(struct sweep *sweep, bool paused)
{
	if (paused == sweep->paused) {
		return;
	}
	sweep->paused = paused;
	for (size_t i = 0; i < sweep->config->host_count; i++) {
		if (sweep->host[i]) {
			host_run_pause(sweep->host[i], paused);
		}
	}
}

static void on_keeper_failed(void *context, const struct error *err)
{
	fail(context, err);
	end_if_over(context);
}

static void on_tick(uv_timer_t *timer)
{
	struct sweep *sweep = timer->data;
	uint64_t now_ms = uv_hrtime() / 1000000;

	if (sweep->shared.run->id == 0 || sweep->ending) {
		return;
	}
	tell_progress(sweep, false);
	for (size_t i = 0; i < sweep->config->host_count; i++) {
		if (sweep->host[i]) {
			host_run_tick(sweep->host[i], now_ms);
		}
	}
	fill(sweep);
}

static void on_before_wait(uv_prepare_t *prepare)
{
	struct sweep *sweep = prepare->data;
	struct budget_claim *claim;
	size_t pending;

	host_run_flush_all(&sweep->shared);
	while ((claim = budget_next(&sweep->budget))) {
		host_run_has_room(claim);
	}
	/* Of sessions that are over alone: what still talks lets nothing go while it is paused. */
	pending = keeper_bytes(sweep->shared.keeper) + sweep->shared.held_bytes;
	if (pending > PENDING_HIGH) {
		pause_all(sweep, true);
	} else if (pending < PENDING_LOW) {
		pause_all(sweep, false);
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

	uint8_t seed[JUDGE_CACHE_SEED_SIZE];

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		(void)error_set(&sweep->fatal, ERROR_SYSTEM, errno, "no random numbers");
		return;
	}
	if (judge_cache_new(&sweep->shared.cache, VERDICT_BYTES, seed, &sweep->fatal) != 0 ||
	    store_each_object(store, keep_object, sweep, &sweep->fatal) != 0 ||
	    store_secret(store, sweep->shared.secret, &sweep->fatal) != 0 ||
	    (sweep->config->resume
		     ? store_run_reopen(store, &sweep->summary->run, &sweep->fatal)
		     : store_run_begin(store, &sweep->summary->run, &sweep->fatal)) != 0) {
		return; /* done_begin looks at sweep->fatal */
	}
}

static void done_begin(struct worker_job *job)
{
	struct sweep *sweep = sweep_of(job);

	sweep->ending = false;
	if (sweep->fatal.kind != ERROR_NONE) {
		close_handles(sweep);
		return;
	}
	sweep->events->started(sweep->events->context, &sweep->summary->run);
	fill(sweep);
}

static void describe_host(const void *context, size_t index, struct turns_host *host)
{
	const struct sweep_config *config = context;

	*host = (struct turns_host){
		.limits = config->hosts[index].limits,
		.limit_count = config->hosts[index].limit_count,
		.done = config->hosts[index].done,
	};
}

static int begin(struct sweep *sweep, struct error *err)
{
	const struct sweep_config *config = sweep->config;
	const struct turns_config turns = {
		.host_count = config->host_count,
		.parallel = config->parallel,
		.read_all = config->full_parallel < config->parallel ? config->full_parallel
								     : config->parallel,
		.parked = PARKED_MAX,
		.limits = config->limits,
		.limit_count = config->limit_count,
		.host = describe_host,
		.context = config,
	};

	sweep->host = calloc(config->host_count + 1, sizeof(struct host_run *));
	if (!sweep->host) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a run over %zu hosts",
				 config->host_count);
	}
	if (turns_new(&turns, &sweep->turns, err) != 0 ||
	    object_places_new(&sweep->shared.places, err) != 0 ||
	    proofs_new(config->store, config->baseline, config->keys, true, &sweep->shared.proofs,
		       err) != 0 ||
	    worker_new(sweep->loop, &sweep->shared.worker, err) != 0) {
		return -1;
	}
	if (keeper_new(sweep->shared.worker, config->store, on_keeper_failed, sweep,
		       &sweep->shared.keeper, err) != 0) {
		worker_free(sweep->shared.worker);
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
	sweep->ending = true;
	sweep->job = (struct worker_job){.work = work_begin, .done = done_begin};
	worker_submit(sweep->shared.worker, &sweep->job);
	return 0;
}

static size_t budget_for(const struct sweep_config *config)
{
	size_t sessions = config->parallel < 10000 ? config->parallel * SESSION_BYTES : BUDGET_MOST;

	if (config->most_memory) {
		return config->most_memory;
	}
	return sessions < BUDGET_MOST - BUDGET_LEAST ? BUDGET_MOST - sessions : BUDGET_LEAST;
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
			.stale = config->stale,
			.stale_made_s = config->stale_made_s,
			.started_s = time(NULL),
			.hosts_asked = config->host_count},
	};
	if (config->resume) {
		summary->run = *config->resume;
		summary->run.hosts_asked = config->host_count;
		if (config->stale && !(summary->run.stale && summary->run.stale[0])) {
			summary->run.stale = config->stale;
			summary->run.stale_made_s = config->stale_made_s;
		}
	}
	for (size_t i = 0; i < config->host_count; i++) {
		sweep.done += config->hosts[i].done;
	}
	budget_init(&sweep.budget, budget_for(config));
	sweep.shared = (struct host_run_shared){
		.budget = &sweep.budget,
		.config = config,
		.events = events,
		.run = &summary->run,
		.context = &sweep,
		.may_go_on = on_may_go_on,
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
	judge_cache_free(sweep.shared.cache);
	proofs_free(sweep.shared.proofs);
	object_places_free(sweep.shared.places);
	turns_free(sweep.turns);
	free(sweep.host);
	return result;
}
