// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RPM_PROOF_H
#define MUSTER_BASELINES_RPM_PROOF_H

/*
 * What a vendor's signature says of an installed rpm header: plain data that fleet makes
 * (controller/fleet/proofs.h) and judge reads. A section [header, rpm, ...] has the same bytes, and
 * so the same proof, on every host; which host claims it, and under which key, is the judge's
 * matter. Borrowed from who made it until the judging of one host ends.
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/manifest.h"
#include "baselines/rpm/header.h"
#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/section.h"

#define RPM_FINGERPRINT_SIZE 65 /* up to 64 hex digits and NUL */
#define RPM_REASON_SIZE 128

enum rpm_verdict {
	RPM_PROOF_GOOD = 0,    /* signed by a key that may prove this package */
	RPM_PROOF_UNSIGNED,    /* the header carries no signature over its region */
	RPM_PROOF_UNKNOWN_KEY, /* signed by a key that is not listed: nothing is known of it */
	RPM_PROOF_OUTSIDE,     /* a good signature, by a key that is not listed for this package */
	RPM_PROOF_BAD_SIGNATURE, /* by a listed key, and false: the header was changed */
	RPM_PROOF_REVOKED,       /* a good signature by a listed key that was revoked */
	RPM_PROOF_EXPIRED,       /* made after its key's end, or past its own */
	RPM_PROOF_UNSUPPORTED,   /* a kind of signature that cannot be checked here */
	RPM_PROOF_MALFORMED,     /* region or signature make no sense */
	RPM_PROOFS
};

struct rpm_proof {
	enum rpm_verdict verdict;
	/* Hex, upper case: of the primary key that signed; RPM_PROOF_UNKNOWN_KEY: its key id; or "". */
	const char *fingerprint;
	const char *origin; /* of keys.yaml: for whom the key speaks; "" unless the key is listed */
	const char *reason; /* words for people, escaped; "" where the verdict says it all */
	/*
	 * What the region says, whoever signed it: both NULL with RPM_PROOF_MALFORMED of a region, never
	 * with RPM_PROOF_GOOD. Only RPM_PROOF_GOOD makes them proof.
	 */
	const struct rpm_header *header;
	const struct manifest *manifest; /* of the header: rpm_manifest.h; trust says the same */
};

/* "good", "unsigned", "unknown key" ...: words of the documentation. */
const char *rpm_verdict_name(enum rpm_verdict verdict);

/* The inverse; false where there is no such word. */
bool rpm_verdict_find(const char *name, enum rpm_verdict *verdict);

/* Whether the header is of the package that the section's key claims: a host may swap them. */
bool rpm_proof_is_of(const struct rpm_proof *proof, const struct section_key *key);

/* How the judge asks. */
struct rpm_proof_source {
	void *context;
	/*
	 * Of the [header, ...] section with this content digest. *proof is NULL where its bytes cannot
	 * be had (store pruned): then nothing is proved. Fails only for what stops a run, or this host's
	 * judging.
	 */
	int (*find)(void *context, const struct digest *section, const struct rpm_proof **proof,
		    struct error *err);
};

#endif
