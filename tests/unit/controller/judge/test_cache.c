// SPDX-License-Identifier: MIT
/* Hosts of many kinds, each judged anew and from what others left: it must come to the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/judge/cache.h"
#include "tests/unit/controller/judge/both_ways.h"
#include "tests/unit/controller/judge/planted.h"

#define HOSTS 1500

static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {7};
static uint64_t state_of_random = 1;

static uint32_t rnd(uint32_t below)
{
	state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(state_of_random >> 33) % below;
}

static void change_entry(struct entry *entry)
{
	static const uint8_t caps[] = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

	switch (rnd(6)) {
	case 0:
		entry->sha256.bytes[9] ^= (uint8_t)(1U + rnd(3));
		break;
	case 1:
		entry->mode ^= 1U << rnd(12);
		break;
	case 2:
		entry->owner = BYTES_LITERAL("daemon");
		break;
	case 3:
		entry->flags ^= ENTRY_IMMUTABLE;
		break;
	case 4:
		entry->caps = entry->type == ENTRY_FILE ? bytes_make(caps, sizeof(caps))
							: entry->caps;
		break;
	default:
		entry->mtime_s += 1 + rnd(3);
		break;
	}
}

static void change_side(struct side *side)
{
	struct build_section *section = &side->section[rnd((uint32_t)side->count)];
	size_t at;

	if (section->count == 0 || section->raw || section->raw_key.data) {
		return;
	}
	at = rnd((uint32_t)section->count);
	if (!section_kind_has_entries(section->key.kind) || rnd(4) == 0) {
		/* One less. */
		section->entry[at] = section->entry[section->count - 1];
		section->record[at] = section->record[section->count - 1];
		section->count--;
		return;
	}
	change_entry(&section->entry[at]);
}

static void change_package(struct side *side)
{
	for (size_t s = 0; s < side->count; s++) {
		if (side->section[s].key.kind == SECTION_PACKAGE && side->section[s].count > 0) {
			change_entry(&side->section[s].entry[0]);
		}
	}
}

/* All of its files are build_file's: their MD5 follows from their size. */
static bool has_seeds(const struct side *side)
{
	for (size_t s = 0; s < side->count; s++) {
		const struct build_section *section = &side->section[s];

		for (size_t i = 0;
		     section_kind_has_entries(section->key.kind) && i < section->count; i++) {
			if (section->entry[i].type == ENTRY_FILE &&
			    section->entry[i].size - 1000 >= 64) {
				return false;
			}
		}
	}
	return true;
}

static void drop_exceptions(struct side *side)
{
	for (size_t s = 0; s < side->count; s++) {
		if (side->section[s].key.kind == SECTION_EXCEPTIONS && !side->section[s].raw) {
			side->section[s].count = 0;
		}
	}
}

static struct side *any_side(struct world *w)
{
	return rnd(2) == 0 ? &w->now : (rnd(2) == 0 && w->has_last ? &w->last : &w->first);
}

/* False where the baseline would have to be another one. */
static bool vary(struct world *w, const struct world *fresh)
{
	uint32_t changes = rnd(4);

	if (rnd(4) == 0) {
		world_capture(w);
	}
	/* They rely on what the standard host has: one, and first. */
	if (rnd(4) != 0) {
		planted[rnd((uint32_t)planted_count)].plant(w);
	}
	w->has_first = rnd(8) != 0;
	if (rnd(3) == 0) {
		w->last = rnd(2) == 0 ? w->first : w->now;
		w->has_last = true;
	}
	for (; changes > 0; changes--) {
		change_side(any_side(w));
	}
	/* Accepted as it is, or as it was before it was changed back. */
	if (rnd(6) == 0 && w->record_count < 8 && !w->has_accepted && has_seeds(&w->now)) {
		struct side before = w->now;

		change_package(&w->now);
		world_capture(w);
		w->accepted.captured = rnd(2) == 0;
		w->now = before;
	}
	/* An alternative that is not the one the others have. */
	if (rnd(6) == 0) {
		drop_exceptions(&w->now);
	}
	if (rnd(5) == 0 && w->now.section[0].count > 0 &&
	    section_kind_has_entries(w->now.section[0].key.kind) &&
	    w->now.section[0].entry[0].size - 1000 < 64) {
		world_accept(w, w->now.section[0].entry[0], 0);
	}
	return !w->records_are_overrides && w->manifest_count == fresh->manifest_count &&
	       bytes_equal(bytes_make(w->manifest, sizeof(w->manifest)),
			   bytes_make(fresh->manifest, sizeof(fresh->manifest))) &&
	       bytes_equal(bytes_make(&w->policy, sizeof(w->policy)),
			   bytes_make(&fresh->policy, sizeof(fresh->policy)));
}

static void verdicts_of_others_are_ones_own(void **state)
{
	struct world *baseline = world_new();
	struct judge_cache *cache = NULL;
	size_t hits, misses, judged = 0;
	struct error err;

	(void)state;
	world_standard(baseline);
	world_judge(baseline);
	assert_int_equal(judge_cache_new(&cache, (size_t)64 << 20, seed, &err), 0);
	for (int i = 0; i < HOSTS; i++) {
		struct world *w = world_new(), *fresh = world_new();

		world_standard(fresh);
		world_standard(w);
		w->baseline = baseline;
		if (vary(w, fresh)) {
			judge_both_ways_in(w, cache, i);
			judged++;
		}
		world_free(w);
		world_free(fresh);
	}
	judge_cache_count(cache, &hits, &misses);
	print_message("%zu hosts, %zu units from the cache, %zu anew\n", judged, hits, misses);
	/* Most of what hosts have is the same: else nothing was tested. */
	assert_true(judged > HOSTS / 2);
	assert_true(hits > misses);
	assert_true(misses > judged / 4);
	judge_cache_free(cache);
	world_free(baseline);
}

static void equal_host_is_not_judged_again(void **state)
{
	struct world *w = world_new();
	struct judge_cache *cache = NULL;
	size_t hits, misses, again;
	struct error err;

	(void)state;
	world_standard(w);
	assert_int_equal(judge_cache_new(&cache, (size_t)64 << 20, seed, &err), 0);
	w->cache = cache;
	world_judge(w);
	judge_cache_count(cache, &hits, &misses);
	assert_int_equal(hits, 0);
	assert_true(misses > 0);
	world_judge(w);
	judge_cache_count(cache, &hits, &again);
	assert_int_equal(again, misses);
	assert_int_equal(hits, misses);
	judge_cache_free(cache);
	world_free(w);
}

/* Emptied between hosts, never while one is judged. */
static void full_cache_starts_anew(void **state)
{
	struct world *w = world_new();
	struct judge_cache *cache = NULL;
	size_t hits, misses, first;
	struct error err;

	(void)state;
	world_standard(w);
	assert_int_equal(judge_cache_new(&cache, 1, seed, &err), 0);
	judge_both_ways_in(w, cache, 0);
	judge_cache_count(cache, &hits, &first);
	judge_both_ways_in(w, cache, 1);
	judge_cache_count(cache, &hits, &misses);
	assert_int_equal(hits, 0);
	assert_int_equal(misses, 2 * first);
	judge_cache_free(cache);
	world_free(w);
}

/* What an answer points to was the finished host's: AddressSanitizer sees who still reads it. */
static void answers_outlive_the_host_that_was_asked(void **state)
{
	struct entry file = build_file("/usr/bin/run.cpython-311.pyc", 0755, 60);
	static const uint8_t head[ENTRY_HEAD_MAX] = {0xa7, 0x0d, 0x0d, 0x0a};
	struct judge_cache *cache = NULL;
	size_t hits, misses, again;
	struct error err;

	(void)state;
	file.acl = BYTES_LITERAL("an ACL");
	file.head = bytes_make(head, sizeof(head));
	assert_int_equal(judge_cache_new(&cache, (size_t)64 << 20, seed, &err), 0);
	for (int host = 0; host < 2; host++) {
		struct world *w = world_new();

		world_standard(w);
		side_add(&w->now, build_key(SECTION_PACKAGE, build_coreutils), file);
		side_claim(&w->now, build_coreutils, "/usr/bin/run.cpython-311.pyc", 60, "lm");
		world_accept(w, file, 0);
		w->cache = cache;
		world_judge(w);
		world_free(w);
		judge_cache_count(cache, &hits, host == 0 ? &misses : &again);
	}
	assert_true(hits > 0);
	assert_int_equal(hits, misses);
	assert_int_equal(again, misses);
	judge_cache_free(cache);
}

/* Verdicts that are told apart by their inputs alone: each is compared with all others. */
static size_t count_collisions(const struct judge_cache *cache)
{
	size_t count = 0;

	for (size_t i = 0; i < cache->buckets; i++) {
		for (const struct verdict *a = cache->bucket[i]; a; a = a->next) {
			for (const struct verdict *b = a->next; b; b = b->next) {
				count += a->hash == b->hash && !bytes_equal(a->inputs, b->inputs);
			}
		}
	}
	return count;
}

/* 100,000 packages of one content are no more work than as many others. */
static void packages_of_one_content_are_found_by_their_names(void **state)
{
	static const char *const names[] = {"one", "two", "three", "four", "five"};
	struct world *w = world_new();
	struct judge_cache *cache = NULL;
	struct error err;

	(void)state;
	world_standard(w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct build_package same = {names[i], "1", "amd64"};

		side_package(&w->now, same, "install ok installed");
		side_add(&w->now, build_key(SECTION_PACKAGE, same),
			 build_file("/usr/share/same", 0644, 70));
	}
	assert_int_equal(judge_cache_new(&cache, (size_t)64 << 20, seed, &err), 0);
	w->cache = cache;
	world_judge(w);
	assert_true(cache->verdicts >= sizeof(names) / sizeof(names[0]));
	assert_int_equal(count_collisions(cache), 0);
	judge_cache_free(cache);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_of_others_are_ones_own),
		cmocka_unit_test(equal_host_is_not_judged_again),
		cmocka_unit_test(full_cache_starts_anew),
		cmocka_unit_test(answers_outlive_the_host_that_was_asked),
		cmocka_unit_test(packages_of_one_content_are_found_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
