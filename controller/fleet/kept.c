// SPDX-License-Identifier: MIT
#include "controller/fleet/kept.h"

#include <stdlib.h>
#include <string.h>

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

/* A finding of the fleet, among others in order of their packages. */
struct carried {
	const struct finding *finding;
	bool holds;
};

static enum section_kind kind_of(const struct finding *finding)
{
	return finding->rule == RULE_FLEET_CLAIMS ? SECTION_CLAIMS : SECTION_PACKAGE;
}

static int by_package(const void *left, const void *right)
{
	const struct carried *a = left, *b = right;
	int order = bytes_compare(a->finding->package, b->finding->package);

	return order != 0 ? order : (a->finding > b->finding) - (a->finding < b->finding);
}

static int by_place(const void *left, const void *right)
{
	const struct carried *a = left, *b = right;

	return (a->finding > b->finding) - (a->finding < b->finding);
}

static void mark(struct carried *carried, size_t count, enum section_kind kind,
		 struct bytes package)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(carried[middle].finding->package, package) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (; low < count && bytes_equal(carried[low].finding->package, package); low++) {
		carried[low].holds = carried[low].holds || kind_of(carried[low].finding) == kind;
	}
}

static struct bytes join(uint8_t *to, const struct bytes *part, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (part[i].len > 0) {
			memcpy(to + len, part[i].data, part[i].len);
			len += part[i].len;
		}
	}
	return bytes_make(to, len);
}

/*
 * Marks what is of a package that is what it was when hosts were compared: "name:arch version". What an
 * earlier muster stored has no architecture: then it is any.
 */
static void mark_same(struct carried *carried, size_t count, const struct judge_input *input)
{
	const struct observation *now = input->now;
	uint8_t text[SECTION_KEY_MAX + 2];

	for (size_t i = 0; input->last && i < now->section_count; i++) {
		const struct observed_section *was;
		struct section_key key;

		if (!section_key_decode(now->sections[i].key, &key) ||
		    (key.kind != SECTION_PACKAGE && key.kind != SECTION_CLAIMS)) {
			continue;
		}
		was = observation_find(input->last, now->sections[i].key);
		if (was && digest_equal(&was->content, &now->sections[i].content)) {
			const struct bytes full[] = {key.part[2], BYTES_LITERAL(":"), key.part[4],
						     BYTES_LITERAL(" "), key.part[3]};
			const struct bytes old[] = {key.part[2], BYTES_LITERAL(" "), key.part[3]};

			mark(carried, count, key.kind, join(text, full, 5));
			mark(carried, count, key.kind, join(text, old, 3));
		}
	}
}

/* Through the sections once: a host may have 200,000, and half as many findings. */
int kept_carry(const struct kept *kept, const struct judge_input *input, struct findings *findings,
	       struct error *err)
{
	size_t count = kept->of_fleet.count, before = findings->count;
	struct carried *carried = count > 0 ? calloc(count, sizeof(*carried)) : NULL;
	int result = 0;

	if (count == 0) {
		return 0;
	}
	if (!carried) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for what the fleet found");
	}
	for (size_t i = 0; i < count; i++) {
		carried[i].finding = &kept->of_fleet.item[i];
	}
	qsort(carried, count, sizeof(*carried), by_package);
	mark_same(carried, count, input);
	qsort(carried, count, sizeof(*carried), by_place);
	for (size_t i = 0; result == 0 && i < count; i++) {
		if (carried[i].holds && !fleet_is_accepted(carried[i].finding, input->accepted,
							   input->accepted_records)) {
			result = findings_add(findings, carried[i].finding, err);
		}
	}
	free(carried);
	if (result == 0 && findings->count > before) {
		findings_sort(findings);
	}
	return result;
}

void kept_clear(struct kept *kept)
{
	findings_clear(&kept->downgrades);
	findings_clear(&kept->of_fleet);
	findings_clear(&kept->of_host);
}
