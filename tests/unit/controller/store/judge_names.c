// SPDX-License-Identifier: MIT
/*
 * Names that the judge gives, for tests of the store alone. Weak: where the judge is linked its own
 * hold.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/judge/finding.h"
#include "controller/judge/observation.h"

#define WEAK __attribute__((weak))

static const char *const rules[RULES] = {
	[RULE_FILE_CHANGED] = "file.changed",
	[RULE_UNOWNED_APPEARED] = "unowned.appeared",
	[RULE_PACKAGE_UPGRADED] = "package.upgraded",
};

WEAK const char *rule_name(enum rule rule)
{
	return rule < RULES && rules[rule] ? rules[rule] : "unknown";
}

WEAK bool rule_from_name(const char *name, enum rule *rule)
{
	for (unsigned i = 0; i < RULES; i++) {
		if (rules[i] && strcmp(rules[i], name) == 0) {
			*rule = (enum rule)i;
			return true;
		}
	}
	return false;
}

WEAK const char *witness_name(enum witness witness)
{
	static const char *const names[] = {"signature",   "manifest", "baseline", "fleet",
					    "first-sight", "host",     "rule"};

	return witness <= WITNESS_RULE ? names[witness] : "unknown";
}

WEAK const struct observed_section *observation_find(const struct observation *o, struct bytes key)
{
	for (size_t i = 0; i < o->section_count; i++) {
		if (bytes_equal(o->sections[i].key, key)) {
			return &o->sections[i];
		}
	}
	return NULL;
}
