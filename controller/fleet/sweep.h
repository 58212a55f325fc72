// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_SWEEP_H
#define MUSTER_CONTROLLER_FLEET_SWEEP_H

/*
 * One run over a set of hosts: opens a channel to each, at most `parallel` at once, holds the
 * conversations, judges and stores each host as it ends, and tells what came of it. One host's fault
 * is never another's. Runs the given loop until all is done; store and baseline are used by the
 * worker thread alone until sweep_run returns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "baselines/baseline.h"
#include "controller/fleet/acks.h"
#include "controller/fleet/transport.h"
#include "controller/fleet/turns.h"
#include "controller/judge/finding.h"
#include "controller/judge/judge.h"
#include "controller/store/store.h"
#include "schema/error.h"
#include "schema/outcome.h"

struct sweep_host {
	struct target target;
	const char *const *groups; /* names, without @; for trees and accepted group state */
	size_t group_count;
	const size_t *limits; /* indices of sweep_config.limits that it falls under */
	size_t limit_count;
	struct transport *transport;
	bool done; /* in the run that is gone on with: it gets no turn and no result */
};

/* What one host may cost: a section read twice counts twice. Beyond it the host is over-limit. */
#define SWEEP_JUDGED_MAX ((uint64_t)2 << 30)
#define SWEEP_FINDINGS_MAX ((size_t)100000)
#define SWEEP_FINDINGS_BYTES_MAX ((size_t)128 << 20)

struct sweep_config {
	const struct sweep_host *hosts;
	size_t host_count;
	size_t parallel;                  /* sessions at once; at least 1 */
	size_t full_parallel;             /* of them, those that read everything; at least 1 */
	const struct turns_limit *limits; /* of a group, of a jump host */
	size_t limit_count;
	uint32_t deadline_s;   /* for the whole run; 0: none. What is not done then is not-asked */
	unsigned retries;      /* for hosts that were unreachable */
	bool full;             /* read everything, whatever the stat digests say */
	uint32_t rehash_of;    /* 0: the policy's */
	uint64_t rate_bytes_s; /* 0: the policy's */
	const struct store_run *resume; /* the run to go on with; NULL: a new one */
	uint64_t most_judged;      /* bytes of sections to judge one host by; 0: SWEEP_JUDGED_MAX */
	size_t most_findings;      /* of one host; 0: SWEEP_FINDINGS_MAX */
	size_t most_memory;        /* for what hosts tell, until it is stored; 0: by `parallel` */
	const char *kind;          /* "check", "sweep" */
	const char *sweep;         /* configured name, or "" */
	const char *version;       /* muster's */
	struct store *store;       /* open for writing */
	struct baseline *baseline; /* NULL: none, policy_default() holds */
	const char *stale;         /* as in struct store_run, with the next */
	int64_t stale_made_s;
	struct acks *acks; /* of the baseline; NULL: none are applied */
	const char *keys;  /* folder with keys.yaml; NULL: the baseline's keys/ */
};

struct sweep_result {
	const char *host;
	enum outcome outcome;
	const char *reason;    /* escaped, may be "" */
	const char *transport; /* as channel_close; NULL or "": nobody spoke with it */
	/* NULL where not looked at; without its sections where nothing of them changed. */
	const struct observation *observation;
	int64_t oldest_content_s;          /* the section read longest ago; 0: there is none */
	const struct judge_counts *counts; /* NULL likewise */
	/*
	 * NULL likewise; states as the store has them. Of a host that was not looked at whole, and of
	 * comparing hosts, which is done when all were looked at, the store knows more at the run's end.
	 */
	const struct findings *findings;
	const struct ack *const *acks; /* one a finding, NULL where none; or NULL: none */
	const int64_t *first_seen_s;   /* one a finding; or NULL: not known */
	bool has_last_complete;        /* of a host that was not looked at whole */
	int64_t last_complete_s;       /* 0: never */
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t probe_bytes;
	int64_t wall_ms;
};

/* A host that came to something else once hosts were compared with each other, at the end. */
struct sweep_compared {
	const char *host;
	enum outcome before; /* as the host's result had it */
	enum outcome outcome;
};

struct sweep_progress {
	size_t total;
	size_t done;
	size_t running;
	size_t failed; /* not looked at */
	size_t due;  /* sections that the running ones will read, of those that have listed them */
	size_t read; /* of them */
	const char *at; /* where the only one that runs is, in a word; NULL: several run, or none */
	bool asked;     /* by SIGUSR1 */
};

struct sweep_events {
	void *context;
	void (*started)(void *context, const struct store_run *run);
	void (*host)(void *context,
		     const struct sweep_result *result); /* borrowed during the call */
	/* After all hosts. May be NULL. */
	void (*compared)(void *context, const struct sweep_compared *result);
	/* For -v: a stage of one host's session. May be NULL. */
	void (*stage)(void *context, const char *host, const char *stage);
	void (*progress)(void *context, const struct sweep_progress *progress); /* may be NULL */
};

struct sweep_summary {
	struct store_run run;
	size_t by_outcome[OUTCOMES];
	struct judge_counts vouched; /* by the fleet: by_witness alone, under what it outweighs */
	bool interrupted;
};

/*
 * Fails (STORE ...) only where the run as a whole cannot go on: what a host does ends in its
 * outcome. After SIGINT or SIGTERM running sessions are ended, finished hosts are kept and
 * summary->interrupted is set.
 */
int sweep_run(uv_loop_t *loop, const struct sweep_config *config, const struct sweep_events *events,
	      struct sweep_summary *summary, struct error *err) MUST_CHECK;

#endif
