// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_JUDGE_BUILDER_H
#define TESTS_UNIT_CONTROLLER_JUDGE_BUILDER_H

/*
 * Hosts and baselines made of a few lines, for tests of the judge: sections are kept as entries and
 * records that a test may change, and encoded only when the world is judged. Strings given to it
 * are borrowed and must outlive the world.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/manifest.h"
#include "baselines/policy.h"
#include "baselines/records.h"
#include "controller/judge/judge.h"

#define BUILD_SECTIONS 28
#define BUILD_ITEMS 32

struct build_package {
	const char *name;
	const char *version;
	const char *arch;
};

struct build_section {
	struct section_key key;
	struct entry entry[BUILD_ITEMS];
	struct record record[BUILD_ITEMS];
	size_t count;
	struct bytes raw_key; /* these bytes instead of the encoded key */
	bool by_path;         /* records stand in order of paths, not of encodings */
	const char *raw;      /* these bytes instead of an encoding */
	size_t raw_len;
};

/* One observation. */
struct side {
	struct build_section section[BUILD_SECTIONS];
	size_t count;
	struct coverage_item coverage[16];
	size_t coverage_count;
	/* made by world_judge */
	struct observation observation;
	struct observed_section observed[BUILD_SECTIONS];
	uint8_t keys[BUILD_SECTIONS][SECTION_KEY_MAX];
};

struct build_manifest {
	struct build_package package;
	struct manifest manifest;
	struct manifest_entry entry[BUILD_ITEMS];
};

struct build_object {
	struct digest digest;
	uint8_t *data;
	size_t len;
};

struct world {
	struct side now;
	struct side first;
	struct side last;
	bool has_first;
	bool has_last;
	struct build_manifest manifest[12];
	size_t manifest_count;
	const struct manifest *found[12];
	struct manifest accepted;
	struct manifest_entry accepted_entry[BUILD_ITEMS];
	bool has_accepted;
	const char *records[64];
	char record_text[64][512];
	size_t record_count;
	bool records_are_overrides; /* the records hold for every host, and are not accepted */
	struct manifest tree;
	struct manifest_entry tree_entry[BUILD_ITEMS];
	struct policy policy;
	struct build_object object[2048];
	size_t object_count;
	struct world *baseline;    /* whose manifests hold; NULL: its own */
	struct judge_cache *cache; /* borrowed; NULL: none */
	bool keeps_objects;        /* from one judging to the next, as a store does */
	const struct digest
		*lost; /* this object cannot be read, and judging fails; NULL: all can */
	const struct rpm_proof_source *proofs; /* of rpm headers; NULL: none */
	/* results */
	struct findings findings;
	struct judge_counts counts;
	struct judged_package packages[BUILD_SECTIONS];
	struct findings open;
	struct manifest *parsed[64];
	size_t parsed_count;
	struct error err;
};

struct world *world_new(void);
void world_free(struct world *w);

/* Makes the observation of `now` and its objects, which world_judge does by itself. */
void world_encode(struct world *w);
/* Judges anew; findings and counts are in the world. */
void world_judge(struct world *w);
/* The first finding of this rule and subject, or NULL. */
const struct finding *world_finding(const struct world *w, enum rule rule, const char *subject);
/* Findings of at least this severity. */
size_t world_count(const struct world *w, enum severity least);
void world_print(const struct world *w);

/* `seed` stands for content: size, sha256 and md5 follow from it. */
struct entry build_file(const char *path, uint32_t mode, unsigned seed);
struct entry build_link(const char *path, const char *target);
struct entry build_dir(const char *path, uint32_t mode);
struct entry build_elf(const char *path, uint32_t mode, unsigned seed);
struct entry build_script(const char *path, uint32_t mode, unsigned seed);

struct build_section *side_section(struct side *side, struct section_key key);
struct section_key build_key(enum section_kind kind, struct build_package package);
struct section_key build_dir_key(enum section_kind kind, const char *dir);
struct entry *side_add(struct side *side, struct section_key key, struct entry entry);
/* The entry of this path in any section of entries, or NULL. */
struct entry *side_find(struct side *side, const char *path);
void side_remove(struct side *side, const char *path);
void side_record(struct side *side, struct section_key key, const char *const *fields);
void side_claim(struct side *side, struct build_package package, const char *path, int seed,
		const char *flags);
/* The claim of this path, or NULL. */
struct record *side_find_claim(struct side *side, const char *path);
void side_remove_record(struct side *side, enum section_kind kind, const char *first_field);
/* In [packages, dpkg], installed. */
void side_package(struct side *side, struct build_package package, const char *state);
void side_coverage(struct side *side, const char *check, const char *subject,
		   enum coverage_state state, const char *reason);
/* Drops the package's sections and its row. */
void side_forget(struct side *side, struct build_package package);

struct build_manifest *world_manifest(struct world *w, struct build_package package,
				      const char *origin);
void manifest_put(struct build_manifest *manifest, struct entry entry, uint32_t tags);
void world_accept(struct world *w, struct entry entry, uint32_t tags);
void world_tree(struct world *w, struct entry entry);

/*
 * Accepts what a finding says as it stands, the way `muster accept` does: words become an entry of
 * the accepted state, a line becomes a record, nothing becomes an absence. False: there is no way.
 */
bool world_accept_finding(struct world *w, const struct finding *finding);

/*
 * A small honest host: coreutils 9.1-1 with a manifest, local 1.0 without one, some unowned files,
 * an alternative, mounts, coverage. The first sight is the same.
 */
extern const struct build_package build_coreutils;
extern const struct build_package build_local;
void world_standard(struct world *w);
/* Records what no manifest proves as accepted, whole, as `muster baseline capture` does. */
void world_capture(struct world *w);

/* 32 or 16 bytes that follow from a seed, static. */
struct bytes build_md5(int seed);

#endif
