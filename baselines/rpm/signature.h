// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_RPM_SIGNATURE_H
#define MUSTER_BASELINES_RPM_SIGNATURE_H

/*
 * Whether a vendor signed the region of an rpm header: the OpenPGP signatures of the tags
 * RSAHEADER, DSAHEADER and OPENPGP (rpm 6: several), verified by gpgv against the listed keys.
 * Digest tags (SHA1HEADER ...) prove nothing and are not looked at; nor are signatures over header
 * and payload (SIGPGP, SIGGPG), whose message an installed package no longer has. Blocking.
 */

#include <stddef.h>

#include "baselines/rpm/proof.h"
#include "baselines/rpm/section.h"
#include "baselines/signature/vendor_keys.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define RPM_SIGNATURES_MAX 6U         /* of one header: rpm 6 has two to four, others one or two */
#define RPM_SIGNATURE_SIZE_MAX 65536U /* of one packet: signatures of hash trees have 50 KB */

enum rpm_signature_tag {
	RPM_TAG_DSAHEADER = 267, /* also ECDSA and EdDSA */
	RPM_TAG_RSAHEADER = 268,
	RPM_TAG_OPENPGP = 278, /* base64 strings, any algorithm */
};

/* The packets of the signature tags, as bytes that gpgv reads. */
struct rpm_signature {
	struct bytes packet;
	struct openpgp_signature info;
};
struct rpm_signatures {
	struct rpm_signature item[RPM_SIGNATURES_MAX];
	size_t count;
	size_t malformed;     /* what is there and is no signature packet over binary data */
	struct arena *memory; /* private */
};
/* Never fails but for lack of memory. Borrows from the section. */
int rpm_signatures_read(const struct rpm_section *section, struct rpm_signatures *signatures,
			struct error *err) MUST_CHECK;
void rpm_signatures_clear(struct rpm_signatures *signatures);

/* One header, and what came of it. */
struct rpm_check {
	struct bytes content;              /* of its [header, ...] section, or: */
	const struct rpm_section *section; /* such a section that was read already */
	/* Filled: */
	enum rpm_verdict verdict;
	bool is_final; /* the verdict follows from bytes, keys and gpgv alone: it may be kept */
	size_t runs;   /* of gpgv: signatures that a listed key may have made */
	char fingerprint[RPM_FINGERPRINT_SIZE]; /* as in struct rpm_proof */
	char reason[RPM_REASON_SIZE];
};

/* Verifies all, `parallel` at once. Fails where nothing can be verified (no gpgv, no memory). */
int rpm_signature_check(const struct vendor_keys *keys, struct rpm_check *checks, size_t count,
			unsigned parallel, struct error *err) MUST_CHECK;

#endif
