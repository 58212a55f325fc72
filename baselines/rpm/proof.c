// SPDX-License-Identifier: MIT
#include "baselines/rpm/proof.h"

static const char *const names[RPM_PROOFS] = {
	[RPM_PROOF_GOOD] = "good",
	[RPM_PROOF_UNSIGNED] = "unsigned",
	[RPM_PROOF_UNKNOWN_KEY] = "unknown key",
	[RPM_PROOF_OUTSIDE] = "key outside its list",
	[RPM_PROOF_BAD_SIGNATURE] = "bad signature",
	[RPM_PROOF_REVOKED] = "revoked key",
	[RPM_PROOF_EXPIRED] = "expired",
	[RPM_PROOF_UNSUPPORTED] = "unsupported signature",
	[RPM_PROOF_MALFORMED] = "malformed header",
};

const char *rpm_verdict_name(enum rpm_verdict verdict)
{
	return verdict < RPM_PROOFS ? names[verdict] : "unknown";
}

bool rpm_verdict_find(const char *name, enum rpm_verdict *verdict)
{
	for (unsigned i = 0; i < RPM_PROOFS; i++) {
		if (strcmp(names[i], name) == 0) {
			*verdict = (enum rpm_verdict)i;
			return true;
		}
	}
	return false;
}

bool rpm_proof_is_of(const struct rpm_proof *proof, const struct section_key *key)
{
	const struct rpm_header *header = proof->header;

	return header && section_kind_is_of_package(key->kind) &&
	       bytes_equal_string(key->part[1], "rpm") && bytes_equal(key->part[2], header->name) &&
	       bytes_equal(key->part[3], header->evr) && bytes_equal(key->part[4], header->arch);
}
