// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_JUDGE_H
#define MUSTER_CONTROLLER_JUDGE_JUDGE_H

/*
 * Observation + baseline + accepted state -> findings. Pure: no I/O of its own, no clock, no
 * randomness; the same input gives the same findings in the same order. Host bytes are bounded by
 * their decoders and by this module's caps; a malformed section is a finding (protocol.broken).
 */

#include "baselines/manifest.h"
#include "baselines/policy.h"
#include "baselines/rpm/proof.h"
#include "controller/judge/finding.h"
#include "controller/judge/observation.h"

/* Known-good, as the judge asks for it. Implemented by baselines/baseline.h and by tests. */
struct known_good {
	void *context;
	/* Every manifest of exactly this package build, any origin; borrowed until the next call. */
	int (*manifests)(void *context, struct bytes manager, struct bytes name,
			 struct bytes version, struct bytes arch,
			 const struct manifest *const **list, size_t *count, struct error *err);
	/* Whether any version of this package is in the baseline. */
	bool (*knows_package)(void *context, struct bytes manager, struct bytes name);
	/* Builds of a package next to a version, that one too, of any origin; NULL: not to be had. */
	int (*builds)(void *context, struct bytes manager, struct bytes name, struct bytes version,
		      struct bytes arch, const struct manifest *const **list, size_t *count,
		      struct error *err);
	/* Whether a build of the package is known to ship no md5sums; NULL: not known. */
	int (*self_summed)(void *context, struct bytes manager, struct bytes name,
			   struct bytes arch, bool *self_summed, struct error *err);
};

struct judge_counts {
	size_t packages;
	size_t packages_by_witness[WITNESS_RULE + 1];
	size_t files_by_witness[WITNESS_RULE +
				1]; /* that were read, by what they were held against */
	size_t files_proved;        /* equal to a signature, a manifest or an accepted state */
	size_t files_unproved;      /* only the host's word or first sight */
	size_t files_skipped;       /* not read, excluded, no content compared */
	/* Not stored: what keeps a host from being called clean. */
	size_t files_undigested; /* whose content should have come, and did not */
	size_t files_hidden;     /* known ones in places that were left out */
	size_t places_unexcused; /* left out for reasons that nothing else bears out */
	const char *untold;      /* a check that the host has no word on; NULL: none. Static */
};

/*
 * What the package of one section came to: its strongest witness, and whether something is to be
 * told against that. Kept beside the snapshot, so that hosts can be compared later (judge/fleet.h).
 */
struct judged_package {
	uint32_t files;  /* that were read */
	uint8_t witness; /* enum witness */
	bool differs;
	bool is_judged; /* false: no section of a package, or not judged */
};

/*
 * Verdicts that hosts share (judge/cache.h), for the hosts of one run: one policy, one baseline.
 * Emptied when it holds more than `most_bytes`. `seed` is random, for tables whose keys hosts choose.
 * For one thread at a time.
 */
#define JUDGE_CACHE_SEED_SIZE 16
struct judge_cache;
int judge_cache_new(struct judge_cache **cache, size_t most_bytes,
		    const uint8_t seed[JUDGE_CACHE_SEED_SIZE], struct error *err) MUST_CHECK;
void judge_cache_free(struct judge_cache *cache);
void judge_cache_count(const struct judge_cache *cache, size_t *hits, size_t *misses);

/* Everything a host is judged by; what is added here goes into basis.c, or findings are lost. */
struct judge_input {
	const struct policy *policy;
	const struct known_good *known;
	const struct rpm_proof_source
		*proofs;                 /* vendors' signatures over rpm headers; NULL: none */
	const struct manifest *accepted; /* hosts/NAME.mtree, groups below it; NULL: none */
	const struct record_list *accepted_records; /* baselines/records.h; NULL: none */
	const struct record_list *overrides;        /* for every host; NULL: none */
	const struct manifest *const *trees;        /* trees/GROUP of this host's groups */
	size_t tree_count;
	const struct observation *now;
	const struct observation *first; /* first complete run; NULL: this is it */
	const struct observation *last;  /* last complete run; NULL: none. Only for upgrades */
	const struct findings *open;     /* still open from earlier runs; NULL: none. A downgrade
					     is to be seen in two runs side by side only once */
	const struct object_source *objects;
	struct judge_cache *cache;       /* NULL: everything is judged anew */
	struct judged_package *packages; /* out, one a section of `now`, zeroed; NULL: not wanted */
};

/*
 * Appends to *findings (state NEW for all; the store knows better) and fills *counts. LIMIT where
 * the host takes more findings, objects or memory than one may.
 */
#define JUDGE_MEMORY_MAX ((size_t)1 << 30)
int judge_host(const struct judge_input *input, struct findings *findings,
	       struct judge_counts *counts, struct error *err) MUST_CHECK;

/*
 * Whether anything was left out of the look, by what the host said and by what it did not say, with
 * `counts` of judge_host: a named reason, escaped. What passes here may be called clean.
 */
bool judge_is_partial(const struct observation *now, const struct judge_counts *counts,
		      char *reason, size_t room);

/*
 * Packages whose MD5 the controller asks for: those of dpkg that no manifest knows, and those of rpm, of
 * which the probe answers for old ones alone.
 */
bool judge_wants_md5(const struct known_good *known, const struct section_key *key);

/* dpkg's version order (deb-version(7)): <0, 0, >0. */
int judge_deb_version_compare(struct bytes a, struct bytes b);

#endif
