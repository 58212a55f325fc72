// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_BASELINE_H
#define MUSTER_BASELINES_BASELINE_H

/*
 * The known-good repository at one pinned commit, read straight from its object database: no
 * checkout, hooks, submodules or filters. What it hands out lives until baseline_close, except where
 * it says "until the next call". Not thread-safe. Writing is baselines/edit.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/manifest.h"
#include "baselines/policy.h"
#include "baselines/records.h"
#include "schema/error.h"

struct baseline;

/* `ref` NULL: HEAD. CONFIG error with file and line for anything that is not well-formed. */
int baseline_open(const char *path, const char *ref, struct baseline **baseline,
		  struct error *err) MUST_CHECK;
void baseline_close(struct baseline *baseline);

const char *baseline_commit(const struct baseline *baseline); /* hex */
const char *baseline_path(const struct baseline *baseline);
const struct policy *baseline_policy(const struct baseline *baseline);

/* Every manifest of this build, any origin (parsed on first use and kept). 0 found is no error. */
int baseline_manifests(struct baseline *baseline, struct bytes manager, struct bytes name,
		       struct bytes version, struct bytes arch, const struct manifest *const **list,
		       size_t *count, struct error *err) MUST_CHECK;
/* Builds of a package next to a version, that one too, of any origin. Until the next call. */
int baseline_builds(struct baseline *baseline, struct bytes manager, struct bytes name,
		    struct bytes version, struct bytes arch, const struct manifest *const **list,
		    size_t *count, struct error *err) MUST_CHECK;
/* Whether a build of the package is known to ship no md5sums: dpkg computes them. */
int baseline_self_summed(struct baseline *baseline, struct bytes manager, struct bytes name,
			 struct bytes arch, bool *self_summed, struct error *err) MUST_CHECK;
bool baseline_knows_package(struct baseline *baseline, struct bytes manager, struct bytes name);

/*
 * Accepted state of a host over that of its groups (baselines/accepted.h), until the next call. Both
 * NULL where nothing was accepted, neither where something was.
 */
int baseline_accepted(struct baseline *baseline, const char *host, const char *const *groups,
		      size_t group_count, const struct manifest **accepted,
		      const struct record_list **records, struct error *err) MUST_CHECK;

/* What packages' scripts set, on every host (baselines/overrides.h). Never NULL. */
const struct record_list *baseline_overrides(const struct baseline *baseline);

/*
 * trees/GROUP for each group that has one, the last group first: the first that has a path counts.
 * Tags say what is known (a blob knows no owner, baselines/trees.h). The list until the next call.
 */
int baseline_trees(struct baseline *baseline, const char *const *groups, size_t group_count,
		   const struct manifest *const **trees, size_t *count,
		   struct error *err) MUST_CHECK;

/* keys/: the listed keys; none is no error. Read on first use and kept. */
struct vendor_keys;
int baseline_keys(struct baseline *baseline, const struct vendor_keys **keys,
		  struct error *err) MUST_CHECK;

struct ack {
	char *id;      /* A-0042 */
	char *rule;    /* file.changed, or * */
	char *path;    /* literal subject */
	char *finding; /* fingerprint the ack is bound to */
	char *hosts;   /* nodeset */
	char *reason;
	char *by;
	char *source;    /* acks/FILE.yaml:LINE */
	int64_t until_s; /* end of that day, UTC */
};
int baseline_acks(struct baseline *baseline, const struct ack **acks, size_t *count,
		  struct error *err) MUST_CHECK;

#endif
