// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_HOST_RUN_H
#define MUSTER_CONTROLLER_FLEET_HOST_RUN_H

/*
 * One host of one run, from its turn to its result: load what is known of it, open a channel, hold
 * the conversation, judge, store. Moves between the loop's thread (channel, conversation) and the
 * worker's (store, baseline, judge); belongs to one of the two at any time. Calls `over` once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/fleet/budget.h"
#include "controller/fleet/keeper.h"
#include "controller/fleet/object_places.h"
#include "controller/fleet/proofs.h"
#include "controller/fleet/sweep.h"
#include "controller/fleet/worker.h"

struct host_run;

/* What all host runs of a sweep share. Outlives them. */
struct host_run_shared {
	const struct sweep_config *config;
	const struct sweep_events *events;
	struct store_run *run;
	struct worker *worker;
	struct object_places *places;
	struct proofs *proofs; /* worker's thread */
	struct keeper *keeper;
	struct host_run *dirty;    /* got a frame since they were flushed */
	uint8_t secret[32];        /* PLAN_SECRET_SIZE */
	struct judge_cache *cache; /* verdicts; the worker's */
	void *context;
	/*
	 * What is known of the host is known, its session comes next. False: later, by
	 * host_run_go_on; until then it holds next to nothing.
	 */
	bool (*may_go_on)(void *context, struct host_run *host);
	/* The host has its result (which lives until this returns). Loop's thread. */
	void (*over)(void *context, struct host_run *host, const struct sweep_result *result,
		     const struct error *fatal);
	struct budget *budget; /* for what hosts tell, until it is stored */
	size_t held_bytes; /* of sessions that are over and have no claim, until they are stored */
};

/* Begins; `over` follows, never from inside this call. */
int host_run_start(struct host_run_shared *shared, size_t index, unsigned attempt,
		   struct host_run **host, struct error *err) MUST_CHECK;

/* Ends the session now with this outcome; `over` follows. */
void host_run_abort(struct host_run *host, enum outcome outcome, const char *reason);

/* After may_go_on said no. */
void host_run_go_on(struct host_run *host);
/* The session will read everything: a first contact, a full pass, or stat digests that are of no use. */
bool host_run_reads_all(const struct host_run *host);

/*
 * Tells the probes that spoke what was decided, and hands on the objects that came; once an iteration
 * of the loop, before it waits.
 */
void host_run_flush_all(struct host_run_shared *shared);
/*
 * Now and then: whether what other hosts were asked for has come, and whether a channel stays open
 * behind all that was said.
 */
void host_run_tick(struct host_run *host, uint64_t now_ms);
/* The host whose claim budget_next came to, which goes on. */
void host_run_has_room(struct budget_claim *claim);
/* Memory that its session is likely to take, where it lists what it has. */
size_t host_run_expected_bytes(const struct host_run *host);
/* Stops or resumes reading from the host: back-pressure. */
void host_run_pause(struct host_run *host, bool paused);

/*
 * Adds how many sections it has read, and how many it will in all, as far as it listed them. Where it is
 * just now, for people; NULL: nowhere to be named.
 */
const char *host_run_progress(const struct host_run *host, size_t *read, size_t *due);

size_t host_run_index(const struct host_run *host);
unsigned host_run_attempt(const struct host_run *host);
/* In `over`: unreachable with attempts left, so nothing was stored. */
bool host_run_is_to_be_retried(const struct host_run *host);
/* From inside `over`, or after. */
void host_run_free(struct host_run *host);

/*
 * Puts a host that was never asked, or whose retries are used up, into the store. Worker's thread.
 */
int host_run_store_unseen(const struct host_run_shared *shared, size_t index, enum outcome outcome,
			  const char *reason, struct error *err) MUST_CHECK;

#endif
