// SPDX-License-Identifier: MIT
#include "tests/unit/controller/fleet/night.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/fleet/program_id.h"

size_t night_judged;
static const struct observation *observation;
static const char *program;

const struct observation *__wrap_conversation_observation(const struct conversation *c);
bool __wrap_conversation_is_same(const struct conversation *c);
void __wrap_program_id(char id[PROGRAM_ID_ROOM]);
int __wrap_judge_host(const struct judge_input *input, struct findings *findings,
		      struct judge_counts *counts, struct error *err);
int __real_judge_host(const struct judge_input *input, struct findings *findings,
		      struct judge_counts *counts, struct error *err);

const struct observation *__wrap_conversation_observation(const struct conversation *c)
{
	(void)c;
	return observation;
}

bool __wrap_conversation_is_same(const struct conversation *c)
{
	(void)c;
	return false;
}

void __wrap_program_id(char id[PROGRAM_ID_ROOM])
{
	(void)snprintf(id, PROGRAM_ID_ROOM, "%s", program);
}

int __wrap_judge_host(const struct judge_input *input, struct findings *findings,
		      struct judge_counts *counts, struct error *err)
{
	night_judged++;
	return __real_judge_host(input, findings, counts, err);
}

void nights_open(struct nights *nights, const char *name)
{
	static const char *const names[NIGHT_HOSTS] = {"a1", "a2", "a3", "a4", "a5", "a6"};

	*nights = (struct nights){.program = name, .now_s = NIGHT_S};
	place_make(&nights->place);
	nights->store = open_store(nights->place.path, STORE_WRITE);
	for (size_t i = 0; i < NIGHT_HOSTS; i++) {
		nights->host[i].target.name = names[i];
	}
}

static void forget_results(struct nights *nights)
{
	for (size_t i = 0; i < NIGHT_HOSTS; i++) {
		findings_clear(&nights->result[i].findings);
		nights->result[i] = (struct night_result){.outcome = OUTCOME_NOT_ASKED};
	}
}

void nights_close(struct nights *nights)
{
	forget_results(nights);
	store_close(nights->store);
	place_remove(&nights->place);
}

void night_begin(struct nights *nights)
{
	static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {7};
	struct error err = {0};

	forget_results(nights);
	nights->now_s += 86400;
	nights->run = begin_run(nights->store, nights->now_s);
	nights->config = (struct sweep_config){
		.hosts = nights->host,
		.host_count = NIGHT_HOSTS,
		.full = nights->full,
		.store = nights->store,
		.baseline = nights->baseline,
		.acks = nights->acks,
		.keys = nights->keys,
	};
	assert_int_equal(proofs_new(nights->store, nights->baseline, nights->keys, true,
				    &nights->proofs, &err),
			 0);
	assert_int_equal(judge_cache_new(&nights->cache, (size_t)64 << 20, seed, &err), 0);
}

static void finish(struct nights *nights, size_t index, bool whole, enum outcome outcome)
{
	struct host_run_shared shared = {
		.config = &nights->config,
		.run = &nights->run,
		.proofs = nights->proofs,
		.cache = nights->cache,
	};
	struct host_run host = {
		.shared = &shared,
		.host = &nights->host[index],
		.index = index,
		.whole = whole,
		.outcome = outcome,
		.started_s = nights->now_s,
		.finished_s = nights->now_s + 1,
	};
	struct night_result *result = &nights->result[index];
	struct error err = {0};

	program = nights->program;
	if (host_result(&host, &err) != 0) {
		fail_msg("%s", err.msg);
	}
	*result = (struct night_result){
		.outcome = host.outcome,
		.findings = host.findings,
		.counts = host.counts,
		.is_reused = host.is_reused,
	};
	memcpy(result->reason, host.reason, sizeof(result->reason));
	free(host.packages);
	free(host.acks);
	free(host.first_seen_s);
}

void night_host(struct nights *nights, size_t host, struct world *world, int64_t age_s)
{
	struct store_object objects[BUILD_SECTIONS];
	struct error err = {0};

	world_encode(world);
	assert_true(world->object_count <= BUILD_SECTIONS);
	for (size_t i = 0; i < world->object_count; i++) {
		objects[i] = (struct store_object){
			world->object[i].digest,
			bytes_make(world->object[i].data, world->object[i].len)};
	}
	for (size_t i = 0; i < world->now.count; i++) {
		world->now.observed[i].read_s = nights->now_s - age_s;
	}
	assert_int_equal(store_objects_put(nights->store, objects, world->object_count, &err), 0);
	observation = &world->now.observation;
	finish(nights, host, true, OUTCOME_NOT_ASKED);
	observation = NULL;
}

void night_unseen(struct nights *nights, size_t host, enum outcome outcome)
{
	finish(nights, host, false, outcome);
}

void night_end(struct nights *nights, bool compared)
{
	struct compare compare = {0};
	struct error err = {0};

	if (compared) {
		assert_int_equal(compare_hosts(&nights->config, &nights->run, &compare, &err), 0);
		compare_clear(&compare);
	}
	end_run(nights->store, &nights->run, nights->now_s + 60);
	proofs_free(nights->proofs);
	judge_cache_free(nights->cache);
}

const struct night_result *night_of(struct nights *nights, struct world *world)
{
	night_begin(nights);
	night_host(nights, 0, world, 0);
	night_end(nights, false);
	return &nights->result[0];
}
