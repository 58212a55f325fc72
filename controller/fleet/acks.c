// SPDX-License-Identifier: MIT
#include "controller/fleet/acks.h"

#include <string.h>

#include "controller/inventory/nodeset.h"

static bool names_finding(const struct ack *ack, const struct finding *finding)
{
	bool any_rule = !ack->rule || strcmp(ack->rule, "*") == 0;

	/* Without a fingerprint an ack would also silence the next change of the same file. */
	return ack->finding && strcmp(ack->finding, finding->id) == 0 &&
	       (any_rule || strcmp(ack->rule, rule_name(finding->rule)) == 0);
}

/* An ack names its hosts literally or as a set; groups were resolved when it was written. */
static int names_host(const struct ack *ack, const char *host, bool *named, struct error *err)
{
	struct nodeset *set = NULL;

	if (nodeset_parse(&set, ack->hosts, NULL, err) != 0) {
		return error_prefix(err, "%s", ack->source);
	}
	*named = nodeset_has(set, host);
	nodeset_free(set);
	return 0;
}

int acks_apply(struct baseline *baseline, const char *host, int64_t now_s,
	       struct findings *findings, struct error *err)
{
	const struct ack *acks;
	size_t count;

	if (findings->count == 0) {
		return 0;
	}
	if (baseline_acks(baseline, &acks, &count, err) != 0) {
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		const struct ack *ack = &acks[i];

		if (ack->until_s <= now_s) {
			continue;
		}
		for (size_t f = 0; f < findings->count; f++) {
			struct finding *finding = &findings->item[f];
			bool named = false;

			if (!names_finding(ack, finding)) {
				continue;
			}
			if (names_host(ack, host, &named, err) != 0) {
				return -1;
			}
			if (named && finding->state != FINDING_EXPLAINED) {
				finding->state = FINDING_ACKNOWLEDGED;
			}
		}
	}
	return 0;
}
