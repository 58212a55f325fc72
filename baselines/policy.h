// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_POLICY_H
#define MUSTER_BASELINES_POLICY_H

/*
 * The baseline's muster.yaml: what is checked and how much it weighs. Data only: never commands,
 * keys or transport. Immutable once read. policy_default() is what holds without a baseline, and
 * what `muster init` writes out with comments.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct arena;

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

const char *severity_name(enum severity severity);
bool severity_from_name(const char *name, enum severity *severity);

struct string_list {
	char **item;
	size_t count;
};

/* "paths that match get at least this severity": first match wins. */
struct policy_weight {
	char *pattern; /* fnmatch, FNM_PATHNAME; a trailing slash-star-star matches any depth */
	enum severity at_least;
};

/* An exception that the distribution itself makes and the policy knows. */
struct policy_known {
	/*
	 * diversion, statoverride (also: owner and mode that a package's scripts set), path-exclude,
	 * path-include, alternative, alternative-slave, mount, capability (path, as getcap says),
	 * link, and of what no package owns: unowned, folder (path), owned-link (path, target)
	 */
	char *kind;
	/*
	 * Over the record's fields joined by blanks, escaped; * matches '/' too. Of unowned and
	 * folder over the path, component by component.
	 */
	char *pattern;
	char *reason;
};

struct policy {
	struct string_list roots;
	struct string_list volatiles;
	struct string_list web_roots;
	struct string_list excludes;          /* left out by choice: counted as coverage */
	struct string_list always;            /* read every night */
	struct string_list generated;         /* made again by triggers: presence only */
	struct string_list generated_reasons; /* as many */
	uint32_t max_age_s;                   /* content older than this is stale: partial */
	uint32_t rehash_of;                   /* 30: a thirtieth a night */
	uint32_t budget_s;
	uint64_t budget_read_bytes;
	uint64_t budget_entries;
	uint32_t budget_depth;
	uint64_t rate_bytes_s;
	int64_t timeline_window_s; /* how far back a first timeline goes */
	struct policy_weight *weights;
	size_t weight_count;
	struct policy_known *known;
	size_t known_count;
	struct string_list severities;      /* "rule=severity"; the rules are the judge's to know */
	struct string_list severity_places; /* of each, "source:line:column" */
	struct arena *memory;               /* private: NULL in the default */
};

/* Static: what holds without a baseline, and for each key that a policy leaves out. */
const struct policy *policy_default(void);
/* The same as the commented YAML that `muster init` writes (free()), or NULL for lack of memory. */
char *policy_default_text(void);

/* `source` is for messages: CONFIG errors are "source:line:column: ...". */
int policy_parse(const char *source, struct bytes text, struct policy **policy,
		 struct error *err) MUST_CHECK;
/* Not for policy_default(). */
void policy_free(struct policy *policy);

#endif
