// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_HOST_RUN_PRIVATE_H
#define MUSTER_CONTROLLER_FLEET_HOST_RUN_PRIVATE_H

/*
 * The inside of one host's run, shared by its parts: host_run.c (phases, channel and conversation),
 * host_prepare.c (before the session), host_judge.c (judging, or what was judged before),
 * host_result.c (outcome and storing). Nobody else includes this.
 */

#include "controller/fleet/conversation.h"
#include "controller/fleet/host_run.h"
#include "controller/fleet/plan.h"
#include "schema/message.h"

/* As they follow each other; `phase_set` alone moves on. The comment says who owns the host then. */
enum phase {
	PHASE_PREPARE, /* worker: what is known of the host */
	PHASE_PARKED,  /* loop: waits for its turn among those that read everything */
	PHASE_TALK,    /* loop: channel open, frames come */
	PHASE_QUEUED,  /* loop: channel open, waits for memory to list what it has */
	PHASE_RECALL,  /* worker: something changed, what was known of the host is wanted */
	PHASE_DECIDE,  /* worker: which packages need their MD5 */
	PHASE_FINISH,  /* worker: judge and store */
	PHASE_OVER,
};

struct host_run {
	struct host_run_shared *shared;
	const struct sweep_host *host;
	size_t index;
	unsigned attempt;
	enum phase phase;
	struct worker_job job;
	struct error error; /* of the worker's last job */

	struct foreseen foreseen;
	struct observation *last; /* only where it is wanted */
	struct plan plan;
	struct narrow_since narrow;
	bool reads_all;
	bool dirty; /* in the list of those to be flushed */
	struct host_run *next_dirty;
	uint64_t waiting_ms; /* since when for objects of other hosts; 0: is not */
	uint64_t arrived_ms; /* when the last of them came */
	size_t waiting_for;  /* objects */
	struct conversation *conversation;
	struct channel *channel;
	bool *md5;
	bool whole; /* the conversation came to its end */
	uint64_t whole_ms;
	struct budget_claim claim; /* on the run's memory */
	bool paused;               /* with all others */
	uint64_t starved_ms;       /* since when it is paused for want of memory; 0: is not */
	size_t held_bytes;         /* until it is judged and stored */
	bool closing;              /* by us, although it is whole */
	bool given_up;             /* by the judge: another session would end the same way */

	enum outcome outcome;
	char reason[TRANSPORT_REASON_SIZE];
	char transport[TRANSPORT_WHO_SIZE]; /* who spoke with it; empty: nobody */
	uint8_t *excerpt;
	size_t excerpt_len;
	uint64_t sent_bytes, received_bytes, probe_bytes;
	int64_t started_s, finished_s;
	int64_t last_complete_s; /* where it was not looked at whole now; 0: never */
	uint64_t started_ms;
	struct findings findings;
	const struct ack **acks; /* one a finding; NULL: none */
	int64_t *first_seen_s;   /* likewise */
	struct judge_counts counts;
	struct judged_package *packages; /* one a section seen; NULL: as kept with the verdict */
	struct store_verdict verdict;
	bool has_verdict; /* it may be used again */
	bool is_reused;   /* nothing changed since it was stored: nothing was judged */
	bool is_same;     /* and the observation is the latest one, with younger times */
};

static inline const struct sweep_config *host_config(const struct host_run *host)
{
	return host->shared->config;
}

/* host_prepare.c. Worker's thread. */
/* The plan, and what is foreseen. `last` may be loaded for it. */
int host_prepare(struct host_run *host, struct error *err) MUST_CHECK;
/* The host's latest observation, once more. */
int host_load_last(struct host_run *host, struct error *err) MUST_CHECK;

/* host_judge.c. Worker's thread. */
struct known_good host_known_good(const struct sweep_config *config);
const struct policy *host_policy(const struct sweep_config *config);
/* Findings, counts and acknowledgements of what was seen, which is whole. */
int host_judge(struct host_run *host, struct error *err) MUST_CHECK;

/* host_result.c. Worker's thread. */
/* Judges what was seen, decides the outcome and stores it. */
int host_result(struct host_run *host, struct error *err) MUST_CHECK;
/* Of a host that was looked at: when the section read longest ago was; 0: it has none. Any thread. */
int64_t host_oldest_content(const struct host_run *host);

#endif
