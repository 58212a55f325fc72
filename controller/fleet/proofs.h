// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_PROOFS_H
#define MUSTER_CONTROLLER_FLEET_PROOFS_H

/*
 * What vendors' signatures say of the rpm headers that hosts have (baselines/rpm/proof.h), for the
 * judge: each header is verified once for the whole fleet, when it is first seen, and its verdict
 * kept in the store until the listed keys or gpgv change. Headers are read when the judge asks, and kept
 * while there is room. Blocking, worker's thread.
 */

#include "baselines/baseline.h"
#include "baselines/rpm/proof.h"
#include "controller/judge/observation.h"
#include "controller/store/store.h"
#include "schema/error.h"

struct proofs;

/*
 * Runs of gpgv for the headers of one host and look: one takes about 2 ms on the thread that judges all
 * hosts. A real host has a few thousand packages of one or two signatures; only one that makes
 * headers up comes here.
 */
#define PROOFS_RUNS_MAX 20000U
/*
 * Headers whose verdicts are held from host to host, of some 300 bytes each. All builds of a score of releases
 * are fewer; hosts that make headers up, as many as they like, have them forgotten and recalled from the store.
 */
#define PROOFS_KNOWN_MAX 131072U

/*
 * Keys are those of `folder` (its keys.yaml) or, where it is NULL, the baseline's; neither: none. They
 * are read when the first header is met. `keeps`: new verdicts are
 * written to the store (open for writing). Both outlive it.
 */
int proofs_new(struct store *store, struct baseline *baseline, const char *folder, bool keeps,
	       struct proofs **proofs, struct error *err) MUST_CHECK;
void proofs_free(struct proofs *proofs);
/* Instead of PROOFS_RUNS_MAX; it ends within 64 headers of it. */
void proofs_set_runs_max(struct proofs *proofs, size_t most);
/* Instead of PROOFS_KNOWN_MAX; looked at in proofs_end. */
void proofs_set_known_max(struct proofs *proofs, size_t most);

/*
 * Verifies what is new among the headers of one host, several at once; `objects` has their bytes,
 * and is asked again until proofs_end. CONFIG error where keys or gpgv are missing; LIMIT where the
 * host's headers take more runs of gpgv than one host's may: what was verified until then is kept.
 */
int proofs_begin(struct proofs *proofs, const struct observation *now,
		 const struct object_source *objects, struct error *err) MUST_CHECK;
/* For judge_input, between begin and end: a header that begin did not see is verified alone. */
const struct rpm_proof_source *proofs_source(const struct proofs *proofs);
/* The digest of the keys that headers are verified by, read where they were not yet. */
int proofs_keys(struct proofs *proofs, struct digest *keys, struct error *err) MUST_CHECK;
/*
 * Whether everything that was asked for since proofs_begin follows from bytes and keys alone: another
 * run comes to the same. Not so where a newer gpgv might know more, or a header cannot be had.
 */
bool proofs_are_final(const struct proofs *proofs);
/* The host is judged: what it asked for may go. */
void proofs_end(struct proofs *proofs);

struct proofs_counts {
	size_t verified; /* by gpgv, since proofs_new */
	size_t recalled; /* from the store */
	size_t runs;     /* of gpgv, for the host being judged */
};
struct proofs_counts proofs_counts(const struct proofs *proofs);

#endif
