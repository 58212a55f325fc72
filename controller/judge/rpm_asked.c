// SPDX-License-Identifier: MIT
#include "controller/judge/rpm_asked.h"

#include <stdlib.h>

#include "controller/judge/unit.h"

const struct digest *rpm_header_section(const struct judge *j, const struct section_key *package)
{
	const struct section_key key = section_key_make(SECTION_HEADER, package->part[1],
							package->part[2], package->part[3],
							package->part[4]);
	uint8_t room[SECTION_KEY_MAX];
	const struct observed_section *section =
		observation_find(j->in->now, judge_key(&key, room));

	return section ? &section->content : NULL;
}

/* All of a proof that words of findings are made of; header and manifest follow from the digest. */
static struct asked asked_proof(const struct digest *header, const struct rpm_proof *proof)
{
	struct asked asked = {.kind = ASKED_PROOF, .found = proof != NULL, .digest = *header};

	if (proof) {
		asked.what = bytes_from_string(proof->fingerprint);
		asked.more = bytes_from_string(proof->reason);
		asked.number = (size_t)proof->verdict << 2 | (size_t)(proof->header != NULL) << 1 |
			       (size_t)(proof->manifest != NULL);
	}
	return asked;
}

int rpm_ask_proof(struct judge *j, const struct digest *header, const struct rpm_proof **proof,
		  struct error *err)
{
	struct asked asked;

	if (j->in->proofs->find(j->in->proofs->context, header, proof, err) < 0) {
		return -1;
	}
	if (j->is_traced) {
		asked = asked_proof(header, *proof);
		trace_add(j, &asked);
	}
	return 0;
}

bool rpm_is_same_proof(struct judge *j, const struct asked *asked)
{
	const struct rpm_proof *proof = NULL;
	struct asked now;
	struct error ignored;

	/* Judged anew where this fails, it fails there. */
	if (!j->in->proofs ||
	    j->in->proofs->find(j->in->proofs->context, &asked->digest, &proof, &ignored) < 0) {
		return false;
	}
	now = asked_proof(&asked->digest, proof);
	return now.found == asked->found && now.number == asked->number &&
	       bytes_equal(now.what, asked->what) && bytes_equal(now.more, asked->more);
}

bool rpm_proves(const struct rpm_proof *proof, const struct section_key *key)
{
	return proof && proof->verdict == RPM_PROOF_GOOD && rpm_proof_is_of(proof, key);
}

static struct asked asked_name(const struct judge *j, enum asked_kind kind, struct bytes name)
{
	struct bytes names = kind == ASKED_USER ? j->names.users : j->names.groups;
	uint32_t id;
	enum rpm_name known = rpm_name_find(names, name, &id);

	return (struct asked){.kind = kind,
			      .found = known == RPM_NAME_KNOWN,
			      .what = name,
			      .number = (size_t)id << 2 | (size_t)known};
}

static void ask_name(struct judge *j, enum asked_kind kind, struct bytes name)
{
	struct asked asked;

	/* root is 0 everywhere. */
	if (bytes_equal_string(name, "root")) {
		return;
	}
	for (size_t i = 0; i < j->owner_asked_count; i++) {
		if (j->owner_asked[i].kind == kind && bytes_equal(j->owner_asked[i].name, name)) {
			return;
		}
	}
	/* Beyond that the same name is asked more than once, which does no harm. */
	if (j->owner_asked_count < OWNERS_ASKED) {
		j->owner_asked[j->owner_asked_count++] =
			(struct owner_asked){kind, judge_keep(j, name)};
	}
	asked = asked_name(j, kind, name);
	trace_add(j, &asked);
}

void rpm_ask_owner(struct judge *j, struct bytes user, struct bytes group)
{
	if (j->is_traced) {
		ask_name(j, ASKED_USER, user);
		ask_name(j, ASKED_GROUP, group);
	}
}

bool rpm_is_same_name(const struct judge *j, const struct asked *asked)
{
	const struct asked now = asked_name(j, asked->kind, asked->what);

	return now.number == asked->number;
}

void rpm_note(struct judge *j, enum rpm_note_kind kind, struct bytes fingerprint,
	      struct bytes package)
{
	if (j->note_count == j->note_room) {
		size_t room = j->note_room ? j->note_room * 2 : 64;
		struct rpm_note *larger = reallocarray(j->note, room, sizeof(*larger));

		if (!larger) {
			j->lost_memory = true;
			return;
		}
		j->note = larger;
		j->note_room = room;
	}
	j->note[j->note_count++] = (struct rpm_note){kind, fingerprint, package};
}
