// SPDX-License-Identifier: MIT
#include "controller/cmd/rules.h"

#include <string.h>

#include "baselines/nearest.h"
#include "controller/judge/finding.h"

static const char *rule_word(const void *words, size_t index)
{
	(void)words;
	return index < RULES ? rule_name((enum rule)index) : NULL;
}

int rules_check_policy(const struct policy *policy, struct error *err)
{
	for (size_t i = 0; i < policy->severities.count; i++) {
		const char *item = policy->severities.item[i], *near;
		char name[NEAREST_WORD_MAX + 1] = "";
		size_t len = strcspn(item, "=");
		enum rule rule;

		memcpy(name, item, len < sizeof(name) ? len : sizeof(name) - 1);
		if (rule_from_name(name, &rule)) {
			continue;
		}
		near = nearest_find(bytes_from_string(name), rule_word, NULL);
		return error_set(err, ERROR_CONFIG, 0, "%s: severities: unknown rule \"%s\"%s%s%s",
				 policy->severity_places.item[i], name,
				 near ? ": did you mean \"" : "", near ? near : "",
				 near ? "\"?" : " (docs/findings.md lists them)");
	}
	return 0;
}
