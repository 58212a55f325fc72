// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_FLEET_NIGHT_H
#define TESTS_UNIT_CONTROLLER_FLEET_NIGHT_H

/*
 * Nights of a few hosts without their conversations: what a host is said to have goes where the end of
 * a session leads it, to the judge and the store. For tests that are linked with --wrap of
 * conversation_observation, conversation_is_same, conversation_recall, program_id and judge_host.
 */

#include "controller/fleet/compare.h"
#include "controller/fleet/host_run_private.h"
#include "tests/unit/controller/judge/builder.h"
#include "tests/unit/controller/store/host_maker.h"

#define NIGHT_HOSTS 6
#define NIGHT_S 1760000000

struct night_result {
	enum outcome outcome;
	char reason[256];
	struct findings findings;
	struct judge_counts counts;
	bool is_reused;
};

/* A database, and what the sweeps that write to it are told. */
struct nights {
	struct place place;
	struct store *store;
	const char *program; /* "": one that cannot be told from another */
	struct baseline *baseline;
	struct acks *acks;
	const char *keys;
	bool full;
	struct sweep_host host[NIGHT_HOSTS];
	struct sweep_config config;
	struct store_run run;
	struct proofs *proofs;
	struct judge_cache *cache;
	int64_t now_s;
	struct night_result result[NIGHT_HOSTS];
};

/* Since the program began: how often judge_host was called, how many hosts were stored unloaded. */
extern size_t night_judged, night_same;

void nights_open(struct nights *nights, const char *program);
void nights_close(struct nights *nights);
void night_begin(struct nights *nights);
/* The host has what world->now says; every section of it was read `age_s` ago. */
void night_host(struct nights *nights, size_t host, struct world *world, int64_t age_s);
void night_unseen(struct nights *nights, size_t host, enum outcome outcome);
void night_end(struct nights *nights, bool compared);
/* One host alone, a night of its own. */
const struct night_result *night_of(struct nights *nights, struct world *world);

#endif
