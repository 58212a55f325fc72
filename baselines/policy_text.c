// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "baselines/policy.h"

/* The built-in policy as the commented YAML that `muster init` writes. */

/* A single-quoted scalar: only the quote itself is special in it (YAML 1.1, 5.3.2). */
static void write_quoted(FILE *to, const char *before, const char *text)
{
	(void)fprintf(to, "%s'", before);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\'') {
			(void)fputc(*p, to);
		}
		(void)fputc(*p, to);
	}
	(void)fputs("'\n", to);
}

static void write_list(FILE *to, const char *key, const struct string_list *list)
{
	if (list->count == 0) {
		(void)fprintf(to, "%s: []\n", key);
		return;
	}
	(void)fprintf(to, "%s:\n", key);
	for (size_t i = 0; i < list->count; i++) {
		write_quoted(to, "  - ", list->item[i]);
	}
}

static void write_where(FILE *to)
{
	const struct policy *policy = policy_default();

	(void)fputs(
		"# What muster checks on every host that is judged by this repository, and how "
		"much it\n"
		"# weighs. Data only: no commands, keys or hosts stand here. What is left out has "
		"the\n"
		"# value shown, which is the built-in one. A pattern is fnmatch(3) with "
		"FNM_PATHNAME\n"
		"# (* never matches a slash); at its end /** is everything below.\n"
		"\n"
		"# Searched for what no package owns. Roots that are links of merged /usr are "
		"skipped.\n",
		to);
	write_list(to, "roots", &policy->roots);
	(void)fputs("\n# Only what is telling there: programs, scripts, set-uid files, devices, "
		    "sockets,\n"
		    "# hidden and odd names.\n",
		    to);
	write_list(to, "volatile", &policy->volatiles);
	(void)fputs("\n# The same, and directories that anybody may write to.\n", to);
	write_list(to, "web_roots", &policy->web_roots);
	(void)fputs("\n# Patterns that are left out by choice. Every one is counted and shown as "
		    "not looked at.\n",
		    to);
	write_list(to, "exclude", &policy->excludes);
	(void)fputs("\n# Read every night, wholly, whatever their times say: what decides who gets "
		    "in and what\n"
		    "# runs. A match draws in the whole package or directory it stands in.\n",
		    to);
	write_list(to, "always", &policy->always);
}

static void write_how_much(FILE *to)
{
	const struct policy *policy = policy_default();

	(void)fprintf(
		to,
		"\n# Everything else is read when its times change, and one part of it in any "
		"case:\n"
		"# the whole in so many nights.\n"
		"rehash_nights: %" PRIu32 "\n"
		"# Content read longer ago than this is no proof any more: the host is partial.\n"
		"max_age: %" PRIu32 "d\n",
		policy->rehash_of, policy->max_age_s / 86400);
	(void)fprintf(to,
		      "\n# What one visit may cost the host; 0 is no limit.\n"
		      "budget_time: %" PRIu32 "h\n"
		      "budget_read: %" PRIu64 "G\n"
		      "budget_entries: %" PRIu64 "\n"
		      "budget_depth: %" PRIu32 "\n"
		      "# Bytes a second.\n"
		      "read_rate: %" PRIu64 "M\n",
		      policy->budget_s / 3600, policy->budget_read_bytes >> 30,
		      policy->budget_entries, policy->budget_depth, policy->rate_bytes_s >> 20);
	(void)fprintf(to,
		      "\n# How far back the first timeline of a host goes.\n"
		      "timeline_window: %" PRId64 "d\n",
		      policy->timeline_window_s / 86400);
}

static void write_rules(FILE *to)
{
	const struct policy *policy = policy_default();

	(void)fputs("\n# Made again by triggers on each host: that they are there is right, their "
		    "content is not\n"
		    "# compared. (The bundle /etc/ssl/certs/ca-certificates.crt is left out on "
		    "purpose: whoever\n"
		    "# adds an authority to it reads the host's traffic.)\n"
		    "generated:\n",
		    to);
	for (size_t i = 0; i < policy->generated.count; i++) {
		write_quoted(to, "  - path: ", policy->generated.item[i]);
		write_quoted(to, "    reason: ", policy->generated_reasons.item[i]);
	}
	(void)fputs("\n# A finding on such a path weighs at least this; the first match counts.\n"
		    "weights:\n",
		    to);
	for (size_t i = 0; i < policy->weight_count; i++) {
		write_quoted(to, "  - path: ", policy->weights[i].pattern);
		(void)fprintf(to, "    at_least: %s\n", severity_name(policy->weights[i].at_least));
	}
	(void)fputs("\n# Other severities than the rules' own, such as\n"
		    "#   severities:\n"
		    "#     unowned.appeared: medium\n"
		    "severities: {}\n",
		    to);
}

static void write_known(FILE *to)
{
	const struct policy *policy = policy_default();

	(void)fputs(
		"\n# Exceptions that the distribution itself makes. `match` is compared with the "
		"fields of the\n"
		"# record, blanks between; here * matches a slash too. A byte that is shown as "
		"\\ooo is\n"
		"# written \\\\ooo, an empty field =.\n"
		"#   diversion: FROM TO PACKAGE             statoverride: PATH USER GROUP MODE\n"
		"#   path-exclude, path-include: PATTERN FILE\n"
		"#   alternative, alternative-slave: NAME LINK STATUS TARGET\n"
		"#   mount: POINT TYPE SOURCE ROOT OPTIONS (at first sight; a new one is told)\n"
		"#   capability: PATH CAPABILITIES\n"
		"#   link: PATH TARGET (in the place of a packaged directory or file)\n"
		"#   unowned: PATH that no package owns; only that it is there is known, a change "
		"is "
		"told\n"
		"#   owned-link: PATH TARGET (a link that no package owns, while a package owns "
		"the "
		"target)\n"
		"#   folder: PATH of a folder that no package owns and that holds unrelated "
		"things\n"
		"# A statoverride also stands for owner and mode that a package's scripts set.\n"
		"known:\n",
		to);
	for (size_t i = 0; i < policy->known_count; i++) {
		(void)fprintf(to, "  - kind: %s\n", policy->known[i].kind);
		write_quoted(to, "    match: ", policy->known[i].pattern);
		write_quoted(to, "    reason: ", policy->known[i].reason);
	}
}

char *policy_default_text(void)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	bool failed;

	if (!to) {
		return NULL;
	}
	write_where(to);
	write_how_much(to);
	write_rules(to);
	write_known(to);
	failed = ferror(to) != 0;
	if (fclose(to) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}
