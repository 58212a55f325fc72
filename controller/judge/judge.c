// SPDX-License-Identifier: MIT
#include "controller/judge/judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/judge/cache.h"
#include "controller/judge/context.h"
#include "controller/judge/pile.h"
#include "controller/judge/rpm_shared.h"

static int init(struct judge *j, struct error *err)
{
	const struct judge_input *in = j->in;

	j->captured = in->accepted && in->accepted->captured;
	j->dirs_digest = dirs_section(j);
	j->words[0] = judge_alloc(j, WORDS_ROOM, 1);
	j->words[1] = judge_alloc(j, WORDS_ROOM, 1);
	j->line = judge_alloc(j, LINE_ROOM, 1);
	j->accepted_seen = judge_alloc(j, (in->accepted ? in->accepted->count : 0) + 1, 1);
	j->tree_seen = judge_alloc(j, in->tree_count + 1, sizeof(*j->tree_seen));
	for (size_t i = 0; j->tree_seen && i < in->tree_count; i++) {
		j->tree_seen[i] = judge_alloc(j, in->trees[i]->count + 1, 1);
	}
	return j->lost_memory ? error_set(err, ERROR_NOMEM, 0, "no memory to judge") : 0;
}

/* Once a host: a key that names no section, twice the same, or out of order. */
static int judge_keys(struct judge *j, struct error *err)
{
	const struct observation *now = j->in->now, *last = j->in->last;
	int result = 0;
	size_t l = 0;

	for (size_t i = 0; result == 0 && i < now->section_count; i++) {
		struct bytes encoded = now->sections[i].key;
		struct section_key key;
		bool good = false, ordered;

		/* One that was good is good. */
		while (last && l < last->section_count && !good) {
			int order = bytes_compare(last->sections[l].key, encoded);

			if (order > 0) {
				break;
			}
			good = order == 0;
			l++;
		}
		ordered = i == 0 || bytes_compare(now->sections[i - 1].key, encoded) < 0;
		if (good && ordered) {
			continue;
		}
		good = section_key_decode(encoded, &key);
		if (!good) {
			key = (struct section_key){.count = 1, .part = {encoded}};
		}
		if (!good || !ordered) {
			result = judge_broken(j, &key, err);
		}
	}
	return result;
}

/* Every package manager that has a section of its own kind. */
static int judge_managers(struct judge *j, struct error *err)
{
	static const char *const managers[] = {"dpkg", "rpm"};
	static const enum section_kind lists[] = {SECTION_PACKAGES, SECTION_EXCEPTIONS};
	const struct observation *now = j->in->now;
	const struct bytes none = {NULL, 0};
	int result = 0;

	for (unsigned m = 0; result == 0 && m < 2; m++) {
		struct bytes manager = bytes_from_string(managers[m]);
		uint8_t room[SECTION_KEY_MAX];
		bool used = false;

		for (unsigned i = 0; !used && i < 2; i++) {
			struct section_key key =
				section_key_make(lists[i], manager, none, none, none);

			used = observation_find(now, judge_key(&key, room)) != NULL;
		}
		for (unsigned kind = 0; !used && kind < SECTION_KINDS; kind++) {
			struct section_range range;

			if (section_kind_is_of_package((enum section_kind)kind)) {
				range = observation_range(now, (enum section_kind)kind, manager);
				used = range.from < range.to;
			}
		}
		if (used) {
			result = judge_packages(j, manager, err);
		}
	}
	return result;
}

int judge_first_sight(struct judge *j, struct error *err)
{
	const struct judge_counts *counts = j->counts;
	struct change change = {
		.rule = RULE_FIRST_SIGHT,
		.witness = WITNESS_FIRST_SIGHT,
		.path = BYTES_LITERAL("host"),
	};
	char detail[256];

	if (j->captured || j->in->accepted || j->in->accepted_records) {
		return 0;
	}
	(void)snprintf(detail, sizeof(detail),
		       "%zu packages, %zu of them proved by a signature or a manifest; %zu files "
		       "proved, %zu unproved, %zu skipped.",
		       counts->packages,
		       counts->packages_by_witness[WITNESS_SIGNATURE] +
			       counts->packages_by_witness[WITNESS_MANIFEST],
		       counts->files_proved, counts->files_unproved, counts->files_skipped);
	change.detail = detail;
	return judge_emit(j, &change, err);
}

static int run(struct judge *j, struct error *err)
{
	if (init(j, err) < 0 || judge_keys(j, err) < 0 || judge_coverage(j, err) < 0 ||
	    judge_managers(j, err) < 0 || judge_dirs_end(j, err) < 0 || judge_trees(j, err) < 0 ||
	    judge_volatiles(j, err) < 0 || judge_setids(j, err) < 0 || judge_flags(j, err) < 0 ||
	    judge_mounts(j, err) < 0 || judge_questions(j, err) < 0 || pile_end(j, err) < 0 ||
	    judge_first_sight(j, err) < 0) {
		return -1;
	}
	judged_rest(j);
	/* What was left out for lack of memory must not pass for clean. */
	return j->lost_memory ? error_set(err, ERROR_LIMIT, 0,
					  "judging it takes more memory than one host may take")
			      : 0;
}

/* By what is stored: the gravest and best witnessed of those with one fingerprint goes first. */
static int compare_ids(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	int order = strcmp(a->id, b->id);

	if (order == 0) {
		order = (a->severity < b->severity) - (a->severity > b->severity);
	}
	if (order == 0) {
		order = (a->witness > b->witness) - (a->witness < b->witness);
	}
	if (order == 0) {
		order = bytes_compare(a->package, b->package);
	}
	if (order == 0) {
		order = bytes_compare(a->old_value, b->old_value);
	}
	return order != 0 ? order : bytes_compare(a->detail, b->detail);
}

/* Two packages may own one path: what is there is one finding. */
static void drop_repeated(struct findings *findings)
{
	size_t kept = 0;

	if (findings->count > 1) {
		qsort(findings->item, findings->count, sizeof(*findings->item), compare_ids);
	}
	for (size_t i = 0; i < findings->count; i++) {
		if (kept == 0 || strcmp(findings->item[kept - 1].id, findings->item[i].id) != 0) {
			findings->item[kept++] = findings->item[i];
		}
	}
	findings->count = kept;
}

int judge_host(const struct judge_input *input, struct findings *findings,
	       struct judge_counts *counts, struct error *err)
{
	struct judge *j = calloc(1, sizeof(*j));
	int result;

	memset(counts, 0, sizeof(*counts));
	if (!j) {
		return error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	}
	if (input->cache) {
		cache_begin(input->cache);
	}
	j->in = input;
	j->findings = findings;
	j->counts = counts;
	j->arena.most = JUDGE_MEMORY_MAX;
	result = run(j, err);
	drop_repeated(findings);
	findings_sort(findings);
	for (size_t i = 0; i < sizeof(j->buffer) / sizeof(j->buffer[0]); i++) {
		free(j->buffer[i].data);
	}
	package_work_clear(&j->work);
	free(j->questions.item);
	free(j->trace.item);
	free(j->expected);
	free(j->note);
	rpm_shared_free(j->shared);
	free(j->inputs);
	arena_clear(&j->arena);
	free(j);
	return result;
}
