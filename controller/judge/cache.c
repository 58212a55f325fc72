// SPDX-License-Identifier: MIT
#include "controller/judge/cache.h"

#include <assert.h>
#include <stdlib.h>

#include "controller/judge/packages.h"
#include "controller/judge/rpm_shared.h"

#define BUCKETS_FIRST 4096U
#define CONTEXTS_MAX 4096U

int judge_cache_new(struct judge_cache **cache, size_t most_bytes,
		    const uint8_t seed[JUDGE_CACHE_SEED_SIZE], struct error *err)
{
	struct judge_cache *made = calloc(1, sizeof(*made));

	*cache = NULL;
	if (!made) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for verdicts");
	}
	static_assert(sizeof(made->seed) == JUDGE_CACHE_SEED_SIZE, "one seed");
	made->most_bytes = most_bytes;
	memcpy(made->seed, seed, sizeof(made->seed));
	*cache = made;
	return 0;
}

static void forget(struct judge_cache *cache)
{
	arena_clear(&cache->arena);
	free(cache->bucket);
	free(cache->context);
	free(cache->paths);
	rpm_shared_free(cache->shared);
	cache->shared = NULL;
	cache->paths = NULL;
	cache->bucket = NULL;
	cache->context = NULL;
	cache->buckets = cache->verdicts = cache->context_count = cache->context_room = 0;
	memset(cache->list, 0, sizeof(cache->list));
}

void judge_cache_free(struct judge_cache *cache)
{
	if (cache) {
		forget(cache);
		free(cache);
	}
}

void judge_cache_count(const struct judge_cache *cache, size_t *hits, size_t *misses)
{
	*hits = cache->hits;
	*misses = cache->misses;
}

void cache_begin(struct judge_cache *cache)
{
	size_t total = cache->arena.total + cache->buckets * sizeof(struct verdict *) +
		       rpm_shared_bytes(cache->shared);

	if (total > cache->most_bytes || cache->context_count >= CONTEXTS_MAX) {
		forget(cache);
	}
}

static const struct verdict *find_from(const struct verdict *at, uint64_t hash, struct bytes inputs)
{
	while (at && (at->hash != hash || !bytes_equal(at->inputs, inputs))) {
		at = at->next;
	}
	return at;
}

const struct verdict *cache_find(struct judge_cache *cache, uint64_t hash, struct bytes inputs)
{
	return cache->buckets == 0
		       ? NULL
		       : find_from(cache->bucket[hash & (cache->buckets - 1)], hash, inputs);
}

const struct verdict *cache_next(const struct verdict *verdict, struct bytes inputs)
{
	return find_from(verdict->next, verdict->hash, inputs);
}

static bool grow(struct judge_cache *cache)
{
	size_t buckets = cache->buckets ? cache->buckets * 2 : BUCKETS_FIRST;
	struct verdict **bucket;

	if (cache->verdicts < cache->buckets) {
		return true;
	}
	bucket = calloc(buckets, sizeof(struct verdict *));
	if (!bucket) {
		return false;
	}
	for (size_t i = 0; i < cache->buckets; i++) {
		struct verdict *one = cache->bucket[i], *next;

		for (; one; one = next) {
			next = one->next;
			one->next = bucket[one->hash & (buckets - 1)];
			bucket[one->hash & (buckets - 1)] = one;
		}
	}
	free(cache->bucket);
	cache->bucket = bucket;
	cache->buckets = buckets;
	return true;
}

/* An array of `count`; NULL and fine where that is 0. */
static void *make(struct arena *arena, size_t count, size_t size, bool *ok)
{
	void *made = count > 0 ? arena_alloc(arena, count * size) : NULL;

	*ok = *ok && (made || count == 0);
	return made;
}

static const struct manifest_entry *copy_want(struct arena *arena,
					      const struct manifest_entry *from, bool *ok)
{
	struct manifest_entry *copy = from ? make(arena, 1, sizeof(*copy), ok) : NULL;

	if (copy) {
		*copy = *from;
		copy->entry = entry_keep(arena, &from->entry, ok);
	}
	return copy;
}

static const struct asked *copy_asked(struct arena *arena, const struct asked *from, size_t count,
				      bool *ok)
{
	struct asked *copy = make(arena, count, sizeof(*copy), ok);

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = from[i];
		copy[i].what = arena_copy(arena, from[i].what, ok);
		copy[i].more = arena_copy(arena, from[i].more, ok);
		copy[i].entry = copy_want(arena, from[i].entry, ok);
	}
	return copy;
}

static const struct finding *copy_findings(struct arena *arena, const struct finding *from,
					   size_t count, bool *ok)
{
	struct finding *copy = make(arena, count, sizeof(*copy), ok);

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = from[i];
		copy[i].subject = arena_copy(arena, from[i].subject, ok);
		copy[i].package = arena_copy(arena, from[i].package, ok);
		copy[i].old_value = arena_copy(arena, from[i].old_value, ok);
		copy[i].new_value = arena_copy(arena, from[i].new_value, ok);
		copy[i].detail = arena_copy(arena, from[i].detail, ok);
	}
	return copy;
}

static const struct question *copy_questions(struct arena *arena, const struct question *from,
					     size_t count, bool *ok)
{
	struct question *copy = make(arena, count, sizeof(*copy), ok);

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = from[i];
		copy[i].path = arena_copy(arena, from[i].path, ok);
		copy[i].package = arena_copy(arena, from[i].package, ok);
		copy[i].line = arena_copy(arena, from[i].line, ok);
		copy[i].want = copy_want(arena, from[i].want, ok);
	}
	return copy;
}

static void copy_effect(struct arena *arena, const struct effect *from, struct effect *to, bool *ok)
{
	struct expectation *expected = make(arena, from->expected_count, sizeof(*expected), ok);
	struct unit_package *judged = make(arena, from->judged_count, sizeof(*judged), ok);
	struct rpm_note *note = make(arena, from->note_count, sizeof(*note), ok);

	*to = *from;
	to->finding = copy_findings(arena, from->finding, from->finding_count, ok);
	to->question = copy_questions(arena, from->question, from->question_count, ok);
	for (size_t i = 0; expected && i < from->expected_count; i++) {
		expected[i] = from->expected[i];
		expected[i].package = arena_copy(arena, from->expected[i].package, ok);
		if (expected[i].rpm) {
			/* The proof's, which may be gone when it is asked for again. */
			expected[i].rpm = NULL;
			expected[i].manifest = NULL;
		}
	}
	for (size_t i = 0; note && i < from->note_count; i++) {
		note[i] = from->note[i];
		note[i].fingerprint = arena_copy(arena, from->note[i].fingerprint, ok);
		note[i].package = arena_copy(arena, from->note[i].package, ok);
	}
	if (judged) {
		memcpy(judged, from->judged, from->judged_count * sizeof(*judged));
	}
	to->expected = expected;
	to->judged = judged;
	to->note = note;
}

void cache_add(struct judge_cache *cache, const struct verdict *verdict)
{
	struct arena *arena = &cache->arena;
	bool ok = grow(cache);
	struct verdict *kept = ok ? arena_alloc(arena, sizeof(*kept)) : NULL;

	if (!kept) {
		return;
	}
	kept->hash = verdict->hash;
	kept->inputs = arena_copy(arena, verdict->inputs, &ok);
	kept->asked = copy_asked(arena, verdict->asked, verdict->asked_count, &ok);
	kept->asked_count = verdict->asked_count;
	kept->dirs = verdict->dirs;
	kept->has_dirs = verdict->has_dirs;
	copy_effect(arena, &verdict->effect, &kept->effect, &ok);
	if (ok) {
		kept->next = cache->bucket[kept->hash & (cache->buckets - 1)];
		cache->bucket[kept->hash & (cache->buckets - 1)] = kept;
		cache->verdicts++;
	}
}

uint32_t cache_context(struct judge_cache *cache, struct bytes context)
{
	bool ok = true;

	/* The newest first: hosts of one kind tend to come together. */
	for (size_t i = cache->context_count; i > 0; i--) {
		if (bytes_equal(cache->context[i - 1], context)) {
			return (uint32_t)(i - 1);
		}
	}
	if (cache->context_count == cache->context_room) {
		size_t room = cache->context_room ? cache->context_room * 2 : 16;
		struct bytes *larger = reallocarray(cache->context, room, sizeof(*larger));

		if (!larger) {
			return UINT32_MAX;
		}
		cache->context = larger;
		cache->context_room = room;
	}
	cache->context[cache->context_count] = arena_copy(&cache->arena, context, &ok);
	return ok ? (uint32_t)cache->context_count++ : UINT32_MAX;
}

static size_t list_bucket(const struct digest *digest)
{
	return digest->bytes[0] & (CACHE_LISTS - 1);
}

bool cache_find_list(const struct judge_cache *cache, const struct digest *digest,
		     struct installed_list *list)
{
	for (const struct kept_list *kept = cache->list[list_bucket(digest)]; kept;
	     kept = kept->next) {
		if (digest_equal(&kept->digest, digest)) {
			*list = (struct installed_list){.item = kept->item,
							.count = kept->count,
							.known = true,
							.has_odd_state = kept->has_odd_state};
			return true;
		}
	}
	return false;
}

void cache_add_list(struct judge_cache *cache, const struct digest *digest,
		    const struct installed_list *list)
{
	struct kept_list *kept = arena_alloc(&cache->arena, sizeof(*kept));
	bool ok = kept != NULL;
	struct installed *item = make(&cache->arena, list->count + 1, sizeof(*item), &ok);

	for (size_t i = 0; item && i < list->count; i++) {
		item[i] = (struct installed){
			arena_copy(&cache->arena, list->item[i].name, &ok),
			arena_copy(&cache->arena, list->item[i].arch, &ok),
			arena_copy(&cache->arena, list->item[i].version, &ok),
		};
	}
	if (ok && kept) {
		*kept = (struct kept_list){
			.next = cache->list[list_bucket(digest)],
			.digest = *digest,
			.item = item,
			.count = list->count,
			.has_odd_state = list->has_odd_state,
		};
		cache->list[list_bucket(digest)] = kept;
	}
}

uint32_t cache_path_hash(const struct judge_cache *cache, struct bytes path)
{
	return (uint32_t)siphash(cache->seed, path);
}

static size_t paths_bucket(const struct digest *digest)
{
	return ((size_t)digest->bytes[0] << 8 | digest->bytes[1]) & (CACHE_PATHS - 1);
}

static bool is_asked(const struct asked_paths *asked, uint32_t hash)
{
	size_t low = 0, high = asked->count;

	if (!(asked->map[hash % (ASKED_MAP_SIZE * 8) / 8] >> hash % 8 & 1)) {
		return false;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (asked->hash[middle] == hash) {
			return true;
		}
		if (asked->hash[middle] < hash) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

bool cache_asks_paths(const struct judge_cache *cache, const struct digest *digest,
		      const struct asked_paths *asked, bool *may)
{
	const struct kept_paths *kept = cache->paths ? cache->paths[paths_bucket(digest)] : NULL;

	*may = true;
	while (kept && !digest_equal(&kept->digest, digest)) {
		kept = kept->next;
	}
	if (!kept || !asked->map || !asked->hash) {
		return kept != NULL;
	}
	*may = false;
	for (size_t i = 0; i < kept->count && !*may; i++) {
		*may = is_asked(asked, kept->hash[i]);
	}
	return true;
}

void cache_add_paths(struct judge_cache *cache, const struct digest *digest,
		     const struct entry_list *list)
{
	struct kept_paths *kept;

	if (!cache->paths) {
		cache->paths = calloc(CACHE_PATHS, sizeof(struct kept_paths *));
	}
	kept = cache->paths ? arena_alloc(&cache->arena,
					  sizeof(*kept) + list->count * sizeof(kept->hash[0]))
			    : NULL;
	if (!kept) {
		return;
	}
	kept->digest = *digest;
	kept->count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		kept->hash[i] = cache_path_hash(cache, list->item[i].path);
	}
	kept->next = cache->paths[paths_bucket(digest)];
	cache->paths[paths_bucket(digest)] = kept;
}
