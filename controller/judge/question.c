// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/judge/cache.h"
#include "controller/judge/path_class.h"
#include "controller/judge/pile.h"
#include "controller/judge/unowned.h"
#include "schema/escape.h"

/*
 * Questions that no single section answers. They are rare on a host without change, so they wait
 * until the end, and only then every section with objects is read once more.
 */

struct question *judge_ask(struct judge *j, enum question_kind kind, struct bytes path)
{
	struct question_list *list = &j->questions;

	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct question *item = NULL;

		if (room <= JUDGE_MEMORY_MAX / sizeof(*item)) {
			item = reallocarray(list->item, room, sizeof(*item));
		}
		if (!item) {
			j->lost_memory = true;
			return NULL;
		}
		list->item = item;
		list->room = room;
	}
	list->item[list->count] = (struct question){.kind = kind, .path = judge_keep(j, path)};
	return &list->item[list->count++];
}

static int compare_hashes(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* By hash, so that a section can be asked without reading it. */
static void asked_paths_make(struct judge *j, struct asked_paths *asked)
{
	asked->hash = judge_alloc(j, j->questions.count + 1, sizeof(*asked->hash));
	asked->map = judge_alloc(j, ASKED_MAP_SIZE, 1);
	if (!asked->hash || !asked->map) {
		return; /* told at the end */
	}
	for (size_t i = 0; i < j->questions.count; i++) {
		uint32_t hash = cache_path_hash(j->in->cache, j->questions.item[i].path);

		asked->hash[asked->count++] = hash;
		asked->map[hash % (ASKED_MAP_SIZE * 8) / 8] |= (uint8_t)(1U << hash % 8);
	}
	qsort(asked->hash, asked->count, sizeof(*asked->hash), compare_hashes);
}

static int compare_questions(const void *left, const void *right)
{
	const struct question *a = left, *b = right;
	int order = bytes_path_compare(a->path, b->path);

	return order != 0 ? order : (a->kind > b->kind) - (a->kind < b->kind);
}

static void answer(struct judge *j, const struct section_key *key, const struct entry *entry,
		   struct question *question)
{
	bool of_package = section_kind_is_of_package(key->kind) || key->kind == SECTION_DIRS;

	/* A package's answer outweighs a tree's. */
	if (question->found && (question->in_package || !of_package)) {
		return;
	}
	question->found = true;
	question->in_package = of_package;
	question->now = judge_keep_entry(j, entry);
	question->owner = judge_keep(j, key->part[key->count > 2 ? 2 : 0]);
}

/* Both in order of paths: one merge, which jumps where a section has much between questions. */
static void answer_section(struct judge *j, const struct section_key *key,
			   const struct entry_list *list)
{
	size_t q = 0, e = 0;

	while (q < j->questions.count && e < list->count) {
		struct question *question = &j->questions.item[q];
		int order = bytes_path_compare(question->path, list->item[e].path);

		if (order == 0) {
			answer(j, key, &list->item[e], question);
			q++;
		} else if (order < 0) {
			struct bytes path = list->item[e].path;

			for (size_t step = 1;
			     q + step < j->questions.count &&
			     bytes_path_compare(j->questions.item[q + step].path, path) < 0;
			     step *= 2) {
				q += step;
			}
			q++;
		} else {
			for (size_t step = 1;
			     e + step < list->count &&
			     bytes_path_compare(list->item[e + step].path, question->path) < 0;
			     step *= 2) {
				e += step;
			}
			e++;
		}
	}
}

/* A section that may have an answer, read whole. */
static int read_section(struct judge *j, const struct observed_section *section,
			const struct section_key *key, struct entry_list *list, bool is_known,
			struct error *err)
{
	enum decoded decoded;

	if (judge_load_section(j, section, &j->buffer[0], err) < 0) {
		return -1;
	}
	decoded = entries_decode(buffer_bytes(&j->buffer[0]), list);
	if (decoded == NO_MEMORY || decoded == TOO_MANY) {
		j->lost_memory = true;
	}
	/* What is malformed was told when it was judged. */
	if (decoded != DECODED || !entries_fit(list, key)) {
		return 0;
	}
	if (j->in->cache && !is_known) {
		cache_add_paths(j->in->cache, &section->content, list);
	}
	answer_section(j, key, list);
	return 0;
}

/* Every section with objects, but for those that are known to have none of the paths asked for. */
static int read_all(struct judge *j, struct error *err)
{
	const struct observation *now = j->in->now;
	struct asked_paths asked = {0};
	struct entry_list list = {0};
	int result = 0;

	if (j->in->cache) {
		asked_paths_make(j, &asked);
	}
	for (size_t i = 0; result == 0 && i < now->section_count; i++) {
		const struct observed_section *section = &now->sections[i];
		struct section_key key;
		bool may = true, is_known = false;

		if (j->in->cache) {
			is_known = cache_asks_paths(j->in->cache, &section->content, &asked, &may);
		}
		if (!may || !section_key_decode(section->key, &key) ||
		    !section_kind_has_entries(key.kind)) {
			continue;
		}
		result = read_section(j, section, &key, &list, is_known, err);
	}
	entries_clear(&list);
	return result;
}

/* A file the manifest has, the host's .list does not, and that still may lie there. */
static int tell_unclaimed(struct judge *j, const struct question *question, struct error *err)
{
	struct change change = {
		.rule = RULE_FILE_MISSING,
		.witness = question->witness,
		.path = question->path,
		.package = question->package,
		.was = question->want,
	};
	char detail[512], owner[256];

	if (!question->found) {
		change.detail = "The host's database does not name it either.";
		return judge_emit(j, &change, err);
	}
	change.now = &question->now;
	change.differences = compare_to_manifest(&question->now, question->want);
	if (question->in_package) {
		/* Another package replaces it, or is made to look so. */
		if ((change.differences & DIFFERS_MORE_THAN_TIME) == 0) {
			return 0;
		}
		(void)snprintf(detail, sizeof(detail),
			       "The host's database gives this file to %s, the manifest does not.",
			       escape_text(question->owner, owner, sizeof(owner)));
	} else {
		(void)snprintf(detail, sizeof(detail),
			       "The host's database no longer names this file of the package.");
	}
	change.rule = RULE_DATABASE_DISAGREES;
	change.differences &= ~(uint32_t)DIFFERS_UNREAD;
	change.detail = detail;
	if (known_as(j, &question->now, question->want, NULL)) {
		return 0;
	}
	return judge_emit(j, &change, err);
}

static int tell_vanished(struct judge *j, const struct question *question, struct error *err)
{
	struct change change = {
		.rule = RULE_UNOWNED_VANISHED,
		.witness = question->kind == ASK_VANISHED ? WITNESS_FIRST_SIGHT : WITNESS_BASELINE,
		.path = question->path,
		.was = question->want,
	};

	if (question->found || (path_class(question->path) & PATH_TEMP) ||
	    unowned_is_cache(&question->want->entry) || known_absent(j, question->path)) {
		return 0;
	}
	if (gap_covers(&j->tree_gaps, question->path)) {
		j->counts->files_hidden += question->want->entry.type != ENTRY_DIR;
		return 0;
	}
	if (question->kind != ASK_TREE && question->want->entry.type == ENTRY_DIR) {
		pile_folder(j, question->path);
	}
	if (question->kind == ASK_TREE) {
		change.rule = RULE_FILE_MISSING;
		change.config = true;
		change.detail = "The tree of one of the host's groups has this file.";
	}
	return pile_change(j, &change, err);
}

static int tell_alternative(struct judge *j, const struct question *question, struct error *err)
{
	struct change change = {
		.rule = RULE_EXCEPTION_UNKNOWN,
		.witness = WITNESS_RULE,
		.has_severity = true,
		.severity = question->known ? SEVERITY_HIGH : SEVERITY_MEDIUM,
		.path = question->package, /* its link */
		.new_line = question->line,
	};
	char detail[512], target[256];

	if (question->found && question->in_package) {
		return 0;
	}
	if (question->found && known_content(j, &question->now)) {
		return 0;
	}
	(void)snprintf(detail, sizeof(detail), "An alternative points to %s, which %s.",
		       escape_text(question->path, target, sizeof(target)),
		       question->found ? "no package owns" : "was not found");
	change.detail = detail;
	return judge_emit(j, &change, err);
}

static int tell_mount(struct judge *j, const struct question *question, struct error *err)
{
	struct change change = {
		.rule = question->found && question->in_package ? RULE_MOUNT_OVER
								: RULE_MOUNT_CHANGED,
		.witness = WITNESS_RULE,
		.path = question->path,
		.new_line = question->line,
		.package = question->in_package ? question->owner : (struct bytes){NULL, 0},
		.detail = question->found && question->in_package
				  ? "The mount hides a packaged file."
				  : NULL,
	};

	/* At first sight only what hides something tells. */
	if (question->known && change.rule == RULE_MOUNT_CHANGED) {
		return 0;
	}
	return judge_emit(j, &change, err);
}

static int tell(struct judge *j, const struct question *question, struct error *err)
{
	switch (question->kind) {
	case ASK_ACCEPTED:
	case ASK_TREE:
	case ASK_VANISHED:
		return tell_vanished(j, question, err);
	case ASK_UNCLAIMED:
		return tell_unclaimed(j, question, err);
	case ASK_ALTERNATIVE:
		return tell_alternative(j, question, err);
	case ASK_MOUNT:
		return tell_mount(j, question, err);
	case ASK_LINK:
		return unowned_tell_link(j, question, err);
	case ASK_SOURCE:
		return unowned_tell_bytecode(j, question, err);
	case ASK_CAPABILITY:
		return judge_tell_capability(j, question, err);
	case ASK_OVERRIDE:
		return judge_tell_override(j, question, err);
	case ASK_LEFT:
		judge_note_left(question);
		return 0;
	}
	return 0;
}

static void ask_unseen(struct judge *j, const struct manifest *manifest, const bool *seen,
		       enum question_kind kind)
{
	for (size_t i = 0; manifest && seen && i < manifest->count; i++) {
		const struct manifest_entry *entry = &manifest->entries[i];
		struct question *question;

		if (seen[i] || (entry->tags & MANIFEST_OPTIONAL)) {
			continue;
		}
		question = judge_ask(j, kind, entry->entry.path);
		if (question) {
			question->want = entry;
		}
	}
}

/* Whether a source was a link, so that its target has to be looked for as well. */
static bool follow_links(struct judge *j)
{
	bool any = false;

	for (size_t i = 0; i < j->questions.count; i++) {
		struct question *question = &j->questions.item[i];

		any = (question->kind == ASK_SOURCE && unowned_follow(j, question)) || any;
	}
	return any && !j->lost_memory;
}

int judge_questions(struct judge *j, struct error *err)
{
	int result = 0;

	judge_ask_capabilities(j);
	judge_ask_overrides(j);
	ask_unseen(j, j->in->accepted, j->accepted_seen, ASK_ACCEPTED);
	for (size_t i = 0; i < j->in->tree_count && j->tree_seen; i++) {
		ask_unseen(j, j->in->trees[i], j->tree_seen[i], ASK_TREE);
	}
	if (j->questions.count == 0 || j->lost_memory) {
		return 0;
	}
	do {
		qsort(j->questions.item, j->questions.count, sizeof(*j->questions.item),
		      compare_questions);
		result = read_all(j, err);
	} while (result == 0 && follow_links(j));
	for (size_t i = 0; result == 0 && i < j->questions.count; i++) {
		result = tell(j, &j->questions.item[i], err);
	}
	return result == 0 ? judge_tell_left(j, err) : result;
}
