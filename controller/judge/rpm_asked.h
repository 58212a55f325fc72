// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_JUDGE_RPM_ASKED_H
#define MUSTER_CONTROLLER_JUDGE_RPM_ASKED_H

/*
 * Private to judge/: what the judging of an rpm package asks beside its own sections: the proof of a
 * header, whether the host knows a name. Noted where a unit is judged (unit.h), and answered again
 * where its verdict is to be used. Proofs are borrowed until the host is judged.
 */

#include "controller/judge/packages.h"

/* Content of the package's header section, or NULL where there is none. */
const struct digest *rpm_header_section(const struct judge *j, const struct section_key *package);

/* *proof is NULL where the header's bytes cannot be had. */
int rpm_ask_proof(struct judge *j, const struct digest *header, const struct rpm_proof **proof,
		  struct error *err) MUST_CHECK;
bool rpm_is_same_proof(struct judge *j, const struct asked *asked);
/* Whether it proves the package of this key. */
bool rpm_proves(const struct rpm_proof *proof, const struct section_key *key);

/* That these names are going to be looked up among those the host knows. */
void rpm_ask_owner(struct judge *j, struct bytes user, struct bytes group);
bool rpm_is_same_name(const struct judge *j, const struct asked *asked);

/* To be told once a host; borrows. */
void rpm_note(struct judge *j, enum rpm_note_kind kind, struct bytes fingerprint,
	      struct bytes package);

#endif
