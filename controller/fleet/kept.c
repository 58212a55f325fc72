// SPDX-License-Identifier: MIT
#include "controller/fleet/kept.h"

#include "controller/judge/fleet.h"

struct keeping {
	struct kept *kept;
	struct error *err;
};

static int keep_finding(void *context, const struct store_finding_row *row)
{
	struct keeping *keeping = context;
	struct kept *kept = keeping->kept;
	struct finding finding = *row->finding;

	/* Whether it is new or acknowledged is decided anew. */
	if (finding.state != FINDING_EXPLAINED) {
		finding.state = FINDING_NEW;
	}
	if (finding.rule < RULES && rule_is_of_fleet(finding.rule)) {
		return findings_add(&kept->of_fleet, &finding, keeping->err);
	}
	if (finding.rule == RULE_PACKAGE_DOWNGRADED &&
	    findings_add(&kept->downgrades, &finding, keeping->err) != 0) {
		return -1;
	}
	return findings_add(&kept->of_host, &finding, keeping->err);
}

int kept_load(struct kept *kept, struct store *store, const char *host, struct error *err)
{
	struct keeping keeping = {kept, err};

	return store_host_findings(store, host, keep_finding, &keeping, err);
}

static bool take(struct bytes *text, struct bytes what)
{
	if (!bytes_has_prefix(*text, what)) {
		return false;
	}
	*text = bytes_make(text->data + what.len, text->len - what.len);
	return true;
}

/* "name:arch version"; what an earlier muster stored has no architecture: then it is any. */
static bool is_of_package(const struct finding *finding, const struct section_key *key)
{
	struct bytes text = finding->package;

	if (!take(&text, key->part[2])) {
		return false;
	}
	if (take(&text, BYTES_LITERAL(":")) && !take(&text, key->part[4])) {
		return false;
	}
	return take(&text, BYTES_LITERAL(" ")) && bytes_equal(text, key->part[3]);
}

/* The package is what it was when hosts were compared. */
static bool still_holds(const struct finding *finding, const struct judge_input *input)
{
	const struct observation *now = input->now;
	enum section_kind kind = finding->rule == RULE_FLEET_CLAIMS ? SECTION_CLAIMS
								    : SECTION_PACKAGE;

	for (size_t i = 0; input->last && i < now->section_count; i++) {
		const struct observed_section *was;
		struct section_key key;

		if (!section_key_decode(now->sections[i].key, &key) || key.kind != kind ||
		    !is_of_package(finding, &key)) {
			continue;
		}
		was = observation_find(input->last, now->sections[i].key);
		if (was && digest_equal(&was->content, &now->sections[i].content)) {
			return !fleet_is_accepted(finding, input->accepted,
						  input->accepted_records);
		}
	}
	return false;
}

int kept_carry(const struct kept *kept, const struct judge_input *input, struct findings *findings,
	       struct error *err)
{
	size_t before = findings->count;

	for (size_t i = 0; i < kept->of_fleet.count; i++) {
		const struct finding *finding = &kept->of_fleet.item[i];

		if (still_holds(finding, input) && findings_add(findings, finding, err) != 0) {
			return -1;
		}
	}
	if (findings->count > before) {
		findings_sort(findings);
	}
	return 0;
}

void kept_clear(struct kept *kept)
{
	findings_clear(&kept->downgrades);
	findings_clear(&kept->of_fleet);
	findings_clear(&kept->of_host);
}
