// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_CACHE_H
#define MUSTER_CONTROLLER_JUDGE_CACHE_H

/*
 * What judging came to, kept from host to host so that a fleet of equals is judged once. Private to
 * judge/ but for judge_cache_new and _free (judge.h). A unit of judging is found by its inputs,
 * which are compared byte by byte: a host cannot make one that passes for another's. Of what else
 * it asked about the host (accepted state, trees, records) the questions are kept with their
 * answers, and asked again: only where every answer is the same does it come to the same. Lives for
 * one run: policy and manifests must not change meanwhile. Bounded: emptied when it is full, between
 * two hosts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/arena.h"
#include "controller/judge/context.h"
#include "schema/siphash.h"

/* Everything a unit may do to the judge. */
struct effect {
	struct judge_counts counts;
	size_t proved_in_packages;
	size_t unproved_in_packages;
	size_t listed;
	const struct finding *finding;
	size_t finding_count;
	const struct question *question;
	size_t question_count;
	const struct expectation *expected;
	size_t expected_count;
	const struct unit_package *judged;
	size_t judged_count;
	const struct rpm_note *note;
	size_t note_count;
};

struct unit_package {
	uint32_t ordinal; /* among the unit's sections of kind package */
	struct judged_package judged;
};

struct verdict {
	struct verdict *next;
	uint64_t hash;
	struct bytes inputs;
	const struct asked *asked;
	size_t asked_count;
	/* What all questions about directories were answered from: where it is the same, so are they. */
	struct digest dirs;
	bool has_dirs;
	struct effect effect;
};

/* A list of installed packages, decoded once for all hosts that have it. */
struct kept_list {
	struct kept_list *next;
	struct digest digest;
	const struct installed *item;
	size_t count;
	bool has_odd_state;
};

#define CACHE_LISTS 64 /* buckets */

/* Which paths a section has: hashes of them. */
struct kept_paths {
	struct kept_paths *next;
	struct digest digest;
	size_t count;
	uint32_t hash[];
};
#define CACHE_PATHS 16384 /* buckets */

/* Paths that are asked for: hashes, and a bit for the lower end of each. */
#define ASKED_MAP_SIZE 8192
struct asked_paths {
	uint32_t *hash; /* ascending */
	size_t count;
	uint8_t *map;
};

struct judge_cache {
	size_t most_bytes;
	struct arena arena;
	struct verdict **bucket;
	size_t buckets; /* a power of two */
	size_t verdicts;
	size_t hits;
	size_t misses;
	struct bytes *context; /* distinct ones; their index is their number */
	size_t context_count;
	size_t context_room;
	struct kept_list *list[CACHE_LISTS];
	struct kept_paths **paths;      /* CACHE_PATHS, made on first use */
	struct rpm_shared *shared;      /* rpm_shared.h; made on first use */
	uint8_t seed[SIPHASH_KEY_SIZE]; /* of tables that hosts choose the keys of */
};

/* Before a host is judged: empties what is full. */
void cache_begin(struct judge_cache *cache);
/* The first verdict of these inputs, or NULL; further ones with other answers by cache_next. */
const struct verdict *cache_find(struct judge_cache *cache, uint64_t hash, struct bytes inputs);
const struct verdict *cache_next(const struct verdict *verdict, struct bytes inputs);
/* Copies all of it. A lack of memory only costs time later. */
void cache_add(struct judge_cache *cache, const struct verdict *verdict);
/* A host's list of installed packages by the digest of its section. */
struct installed_list;
bool cache_find_list(const struct judge_cache *cache, const struct digest *digest,
		     struct installed_list *list);
void cache_add_list(struct judge_cache *cache, const struct digest *digest,
		    const struct installed_list *list);
/* Of a section of entries by its digest. *may is false where it has none of the paths for certain. */
uint32_t cache_path_hash(const struct judge_cache *cache, struct bytes path);
bool cache_asks_paths(const struct judge_cache *cache, const struct digest *digest,
		      const struct asked_paths *asked, bool *may);
void cache_add_paths(struct judge_cache *cache, const struct digest *digest,
		     const struct entry_list *list);
/* The number of these bytes, the same for the same bytes; UINT32_MAX where they cannot be kept. */
uint32_t cache_context(struct judge_cache *cache, struct bytes context);

#endif
