// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

struct judged_mark judged_mark(const struct judge *j)
{
	return (struct judged_mark){
		.counts = *j->counts,
		.findings = j->findings->count,
	};
}

/* The witness that was counted since; WITNESS_RULE where none was. */
static enum witness counted_witness(const struct judge_counts *before,
				    const struct judge_counts *now)
{
	enum witness witness = WITNESS_SIGNATURE;

	while (witness < WITNESS_RULE &&
	       now->packages_by_witness[witness] == before->packages_by_witness[witness]) {
		witness++;
	}
	return witness;
}

/* Whether this witness says something else of the package's own files; configuration is not theirs. */
static bool is_contradicted(const struct judge *j, const struct judged_mark *before,
			    enum witness witness)
{
	for (size_t i = before->findings; i < j->findings->count; i++) {
		const struct finding *finding = &j->findings->item[i];

		switch (finding->rule) {
		case RULE_FILE_CHANGED:
		case RULE_FILE_MISSING:
		case RULE_FILE_TYPE:
		case RULE_SETID_GAINED:
		case RULE_CAPABILITY_GAINED:
		case RULE_CLAIM_UNPROVED:
			if (finding->witness == witness && finding->marker != 'c') {
				return true;
			}
			break;
		default:
			break;
		}
	}
	return false;
}

void judged_package_end(struct judge *j, const struct section_key *key,
			const struct judged_mark *before)
{
	struct judge_counts *counts = j->counts;
	enum witness witness = counted_witness(&before->counts, counts);
	size_t proved = counts->files_proved - before->counts.files_proved;
	size_t unproved = counts->files_unproved - before->counts.files_unproved;
	const struct observed_section *section;
	uint8_t room[SECTION_KEY_MAX];

	j->proved_in_packages += proved;
	j->unproved_in_packages += unproved;
	counts->files_by_witness[witness] += proved + unproved;
	if (!j->in->packages || witness == WITNESS_RULE) {
		return;
	}
	section = observation_find(j->in->now, judge_key(key, room));
	if (section) {
		j->in->packages[section - j->in->now->sections] = (struct judged_package){
			.files = (uint32_t)(proved + unproved),
			.witness = (uint8_t)witness,
			.differs = is_contradicted(j, before, witness),
			.is_judged = true,
		};
	}
}

void judged_rest(struct judge *j)
{
	struct judge_counts *counts = j->counts;

	counts->files_by_witness[WITNESS_BASELINE] += counts->files_proved - j->proved_in_packages;
	counts->files_by_witness[j->captured ? WITNESS_HOST : WITNESS_FIRST_SIGHT] +=
		counts->files_unproved - j->unproved_in_packages;
}
