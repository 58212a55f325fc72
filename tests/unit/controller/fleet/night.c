// SPDX-License-Identifier: MIT
#include "tests/unit/controller/fleet/night.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/fleet/program_id.h"

size_t night_judged, night_same;
static const struct observation *observation; /* what was seen */
static struct observation unloaded;           /* the same without its sections */
static bool is_same, is_as_last;
static const char *program;

const struct observation *__wrap_conversation_observation(const struct conversation *c);
bool __wrap_conversation_is_as_last(const struct conversation *c);
bool __wrap_conversation_is_same(const struct conversation *c);
enum conversation_event __wrap_conversation_recall(struct conversation *c,
						   const struct observation *last,
						   struct error *err);
void __wrap_program_id(char id[PROGRAM_ID_ROOM]);
int __wrap_judge_host(const struct judge_input *input, struct findings *findings,
		      struct judge_counts *counts, struct error *err);
int __real_judge_host(const struct judge_input *input, struct findings *findings,
		      struct judge_counts *counts, struct error *err);

const struct observation *__wrap_conversation_observation(const struct conversation *c)
{
	(void)c;
	return is_same ? &unloaded : observation;
}

bool __wrap_conversation_is_as_last(const struct conversation *c)
{
	(void)c;
	return is_as_last;
}

bool __wrap_conversation_is_same(const struct conversation *c)
{
	(void)c;
	return is_same;
}

enum conversation_event __wrap_conversation_recall(struct conversation *c,
						   const struct observation *last,
						   struct error *err)
{
	(void)c;
	(void)last;
	(void)err;
	assert_true(is_same);
	is_same = false;
	return CONVERSATION_MORE;
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

static bool has_same_contents(const struct observation *a, const struct observation *b)
{
	if (!a || a->section_count != b->section_count) {
		return false;
	}
	for (size_t i = 0; i < a->section_count; i++) {
		if (!bytes_equal(a->sections[i].key, b->sections[i].key) ||
		    !digest_equal(&a->sections[i].content, &b->sections[i].content)) {
			return false;
		}
	}
	return true;
}

/* Of observations with the same sections. */
static bool has_same_gaps(const struct observation *a, const struct observation *b)
{
	for (size_t i = 0; i < a->section_count; i++) {
		if (a->sections[i].unread != b->sections[i].unread) {
			return false;
		}
	}
	return true;
}

/*
 * What a conversation leaves behind. Every other night one in which nothing changed ends as SAME, with
 * all sections read anew; otherwise as the listing of the sections.
 */
static void end_conversation(struct nights *nights, struct host_run *host)
{
	struct error err = {0};
	struct observation *last = NULL;
	size_t count = observation->section_count;

	assert_int_equal(store_observation_load(nights->store, host->host->target.name,
						STORE_LATEST, &last, &err),
			 0);
	is_as_last = has_same_contents(last, observation);
	is_same = !nights->full && nights->now_s / 86400 % 2 == 0 && is_as_last &&
		  has_same_gaps(last, observation);
	for (size_t i = 0; i < count; i++) {
		is_same = is_same && observation->sections[i].read_s == nights->now_s;
	}
	store_observation_free(last);
	if (!is_same) {
		return;
	}
	unloaded = *observation;
	unloaded.sections = NULL;
	unloaded.section_count = 0;
	host->foreseen = (struct foreseen){.section_count = count, .oldest_s = INT64_MAX};
	host->foreseen.due = malloc(count / 8 + 1);
	assert_non_null(host->foreseen.due);
	memset(host->foreseen.due, 0xff, count / 8 + 1);
	for (size_t i = 0; i < count; i++) {
		struct section_key key;

		host->foreseen.has_headers =
			host->foreseen.has_headers ||
			(section_key_decode(observation->sections[i].key, &key) &&
			 key.kind == SECTION_HEADER);
	}
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
	if (whole) {
		end_conversation(nights, &host);
	}
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
	night_same += host.is_same;
	is_same = false;
	foreseen_clear(&host.foreseen);
	store_observation_free(host.last);
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
