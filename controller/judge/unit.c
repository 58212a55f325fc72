// SPDX-License-Identifier: MIT
#include "controller/judge/unit.h"

#include <stdlib.h>

#include "controller/judge/rpm_asked.h"
#include "controller/judge/rpm_shared.h"

/* What is larger costs more memory than it saves time. */
#define ASKED_MAX 8192U
#define FINDINGS_MAX 64U
#define QUESTIONS_MAX 256U
#define VARIANTS_MAX 16U

bool unit_room(struct judge *j)
{
	j->inputs = j->inputs ? j->inputs : malloc(INPUTS_ROOM);
	return j->inputs != NULL;
}

void unit_inputs(struct judge *j, const struct cbor_writer *w, struct unit *unit)
{
	if (!w->overflow) {
		unit->inputs = bytes_make(w->data, w->len);
		unit->hash = siphash(j->in->cache->seed, unit->inputs);
	}
}

void trace_add(struct judge *j, const struct asked *asked)
{
	struct trace *trace = &j->trace;

	if (!j->is_traced || trace->spoiled) {
		return;
	}
	if (trace->count == ASKED_MAX) {
		trace->spoiled = true;
		return;
	}
	if (trace->count == trace->room) {
		size_t room = trace->room ? trace->room * 2 : 64;
		struct asked *larger = reallocarray(trace->item, room, sizeof(*larger));

		if (!larger) {
			trace->spoiled = true;
			return;
		}
		trace->item = larger;
		trace->room = room;
	}
	trace->item[trace->count] = *asked;
	/* What was asked about may be in a buffer that the next question reuses. */
	trace->item[trace->count].what = judge_keep(j, asked->what);
	trace->item[trace->count].more = judge_keep(j, asked->more);
	trace->item[trace->count].entry = asked->entry ? judge_keep_want(j, asked->entry) : NULL;
	trace->count++;
}

void trace_spoil(struct judge *j)
{
	j->trace.spoiled = true;
}

static bool same_entry(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return a->tags == b->tags && a->has_md5 == b->has_md5 &&
	       (!a->has_md5 || memcmp(a->md5, b->md5, MD5_SIZE) == 0) &&
	       bytes_equal(a->entry.path, b->entry.path) && entry_equal(&a->entry, &b->entry);
}

static bool is_same_answer(struct judge *j, const struct asked *asked, bool has_same_dirs)
{
	const struct manifest_entry *entry;
	struct entry link = {.path = asked->what, .type = ENTRY_LINK, .link = asked->more};
	struct section_key key;
	struct digest digest;
	enum package_line line;
	const struct dir *dir;
	size_t tree = 0;

	switch (asked->kind) {
	case ASKED_ACCEPTED:
		entry = known_accepted(j, asked->what);
		return (entry != NULL) == asked->found &&
		       (!entry || same_entry(entry, asked->entry));
	case ASKED_TREE:
		entry = known_tree(j, asked->what, &tree);
		return (entry != NULL) == asked->found &&
		       (!entry || (tree == asked->number && same_entry(entry, asked->entry)));
	case ASKED_LINE:
		return known_line(j, asked->what) == asked->found;
	case ASKED_PACKAGE:
		digest = asked->digest;
		if (!section_key_decode(asked->what, &key)) {
			return false;
		}
		line = known_package(j, &key, (const struct digest *)(const void *)asked->more.data,
				     &digest);
		return (size_t)line == asked->number &&
		       (line == PACKAGE_UNKNOWN || digest_equal(&digest, &asked->digest));
	case ASKED_HAS_DIR:
		return has_same_dirs || dirs_has(j, asked->what) == asked->found;
	case ASKED_DIR:
		if (has_same_dirs) {
			return true;
		}
		dir = dirs_find(j, asked->what);
		return (dir != NULL) == asked->found &&
		       (!dir || entry_equal(&dir->entry, &asked->entry->entry));
	case ASKED_LINK:
		return exceptions_make(j, &link) == asked->found;
	case ASKED_PROOF:
		return rpm_is_same_proof(j, asked);
	case ASKED_USER:
	case ASKED_GROUP:
		return rpm_is_same_name(j, asked);
	case ASKED_ALONE:
		return rpm_shared_is_alone(j, asked);
	}
	return false;
}

static bool holds(struct judge *j, const struct verdict *verdict)
{
	bool has_same_dirs = verdict->has_dirs && j->dirs_digest &&
			     digest_equal(&verdict->dirs, j->dirs_digest);

	for (size_t i = 0; i < verdict->asked_count; i++) {
		if (!is_same_answer(j, &verdict->asked[i], has_same_dirs)) {
			return false;
		}
	}
	return true;
}

static void add_counts(struct judge_counts *to, const struct judge_counts *more)
{
	to->packages += more->packages;
	for (unsigned w = 0; w <= WITNESS_RULE; w++) {
		to->packages_by_witness[w] += more->packages_by_witness[w];
		to->files_by_witness[w] += more->files_by_witness[w];
	}
	to->files_proved += more->files_proved;
	to->files_unproved += more->files_unproved;
	to->files_skipped += more->files_skipped;
	to->files_undigested += more->files_undigested;
	to->files_hidden += more->files_hidden;
}

/* Of a signed header by its proof, which has just been found to be the same. */
static int replay_expected(struct judge *j, const struct expectation *expected, struct error *err)
{
	struct expectation again = *expected;
	const struct rpm_proof *proof = NULL;

	if (!expected->manifest) {
		if (j->in->proofs->find(j->in->proofs->context, &expected->header, &proof, err) <
		    0) {
			return -1;
		}
		if (!proof || !proof->manifest) {
			return error_set(err, ERROR_STORE, 0, "the proof of an rpm header is gone");
		}
		again.manifest = proof->manifest;
		again.rpm = proof->header;
	}
	dirs_expect(j, &again);
	return 0;
}

static int replay(struct judge *j, const struct unit *unit, const struct effect *effect,
		  struct error *err)
{
	add_counts(j->counts, &effect->counts);
	j->proved_in_packages += effect->proved_in_packages;
	j->unproved_in_packages += effect->unproved_in_packages;
	j->listed += effect->listed;
	for (size_t i = 0; i < effect->finding_count; i++) {
		if (findings_add(j->findings, &effect->finding[i], err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < effect->question_count; i++) {
		const struct question *from = &effect->question[i];
		struct question *question = judge_ask(j, from->kind, from->path);

		if (question) {
			*question = *from;
		}
	}
	for (size_t i = 0; i < effect->expected_count; i++) {
		if (replay_expected(j, &effect->expected[i], err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < effect->note_count; i++) {
		const struct rpm_note *note = &effect->note[i];

		rpm_note(j, note->kind, note->fingerprint, note->package);
	}
	for (size_t i = 0; j->in->packages && i < effect->judged_count; i++) {
		const struct unit_package *one = &effect->judged[i];

		j->in->packages[unit->section[one->ordinal] - j->in->now->sections] = one->judged;
	}
	return 0;
}

/* What the judge was like before. */
struct before {
	struct judge_counts counts;
	size_t proved_in_packages;
	size_t unproved_in_packages;
	size_t listed;
	size_t findings;
	size_t questions;
	size_t expected;
	size_t notes;
};

static size_t list_judged(struct judge *j, const struct unit *unit, struct unit_package *to)
{
	size_t count = 0;

	for (size_t i = 0; j->in->packages && i < unit->section_count; i++) {
		const struct judged_package *judged =
			&j->in->packages[unit->section[i] - j->in->now->sections];

		if (judged->is_judged) {
			to[count++] = (struct unit_package){(uint32_t)i, *judged};
		}
	}
	return count;
}

static void keep(struct judge *j, const struct unit *unit, const struct before *before)
{
	struct verdict verdict = {
		.hash = unit->hash,
		.inputs = unit->inputs,
		.asked = j->trace.item,
		.asked_count = j->trace.count,
	};
	struct effect *effect = &verdict.effect;
	struct judge_counts *counts = &effect->counts;
	struct unit_package *judged = judge_alloc(j, unit->section_count + 1, sizeof(*judged));

	if (j->dirs_digest) {
		verdict.dirs = *j->dirs_digest;
		verdict.has_dirs = true;
	}
	/* Directories that could not be read are none that are missing; the host fails in the end. */
	if (j->trace.spoiled || j->lost_memory || j->dirs_failed || !judged) {
		return;
	}
	*counts = *j->counts;
	counts->packages -= before->counts.packages;
	for (unsigned w = 0; w <= WITNESS_RULE; w++) {
		counts->packages_by_witness[w] -= before->counts.packages_by_witness[w];
		counts->files_by_witness[w] -= before->counts.files_by_witness[w];
	}
	counts->files_proved -= before->counts.files_proved;
	counts->files_unproved -= before->counts.files_unproved;
	counts->files_skipped -= before->counts.files_skipped;
	counts->files_undigested -= before->counts.files_undigested;
	counts->files_hidden -= before->counts.files_hidden;
	effect->proved_in_packages = j->proved_in_packages - before->proved_in_packages;
	effect->unproved_in_packages = j->unproved_in_packages - before->unproved_in_packages;
	effect->listed = j->listed - before->listed;
	effect->finding = j->findings->item + before->findings;
	effect->finding_count = j->findings->count - before->findings;
	effect->question = j->questions.item + before->questions;
	effect->question_count = j->questions.count - before->questions;
	effect->expected = j->expected + before->expected;
	effect->expected_count = j->expected_count - before->expected;
	effect->note = j->note + before->notes;
	effect->note_count = j->note_count - before->notes;
	effect->judged = judged;
	effect->judged_count = list_judged(j, unit, judged);
	for (size_t i = 0; i < effect->question_count; i++) {
		const struct question *question = &effect->question[i];

		if (question->object || question->bytecode || question->left || question->found ||
		    (question->want && question->want->rpm)) {
			return; /* more than is copied */
		}
	}
	if (effect->finding_count <= FINDINGS_MAX && effect->question_count <= QUESTIONS_MAX) {
		cache_add(j->in->cache, &verdict);
	}
}

static int judge_anew(struct judge *j, const struct unit *unit, unit_judge *judge, void *context,
		      struct error *err)
{
	const struct before before = {
		.counts = *j->counts,
		.proved_in_packages = j->proved_in_packages,
		.unproved_in_packages = j->unproved_in_packages,
		.listed = j->listed,
		.findings = j->findings->count,
		.questions = j->questions.count,
		.expected = j->expected_count,
		.notes = j->note_count,
	};
	int result;

	j->trace.count = 0;
	j->trace.spoiled = false;
	j->owner_asked_count = 0;
	j->is_traced = true;
	result = judge(j, context, err);
	j->is_traced = false;
	if (result == 0) {
		keep(j, unit, &before);
	}
	return result;
}

int unit_run(struct judge *j, const struct unit *unit, unit_judge *judge, void *context,
	     struct error *err)
{
	struct judge_cache *cache = j->in->cache;
	const struct verdict *verdict;
	size_t variants = 0;

	if (!cache || unit->inputs.len == 0 || j->is_traced) {
		return judge(j, context, err);
	}
	verdict = cache_find(cache, unit->hash, unit->inputs);
	for (; verdict; verdict = cache_next(verdict, unit->inputs)) {
		if (holds(j, verdict)) {
			cache->hits++;
			return replay(j, unit, &verdict->effect, err);
		}
		variants++;
	}
	cache->misses++;
	return variants < VARIANTS_MAX ? judge_anew(j, unit, judge, context, err)
				       : judge(j, context, err);
}
