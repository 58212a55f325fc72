// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdlib.h>

#include "controller/judge/bytecode.h"
#include "controller/judge/path_class.h"
#include "controller/judge/pile.h"
#include "controller/judge/unowned.h"
#include "controller/judge/walk.h"

#define MODE_SETID 06000U
#define MODE_EXEC 0111U

static void count_object(struct judge *j, const struct entry *entry, bool proved)
{
	if (entry->type != ENTRY_FILE && entry->type != ENTRY_LINK) {
		return;
	}
	if (entry->type == ENTRY_FILE && !entry->has_sha256) {
		j->counts->files_skipped++;
	} else if (proved) {
		j->counts->files_proved++;
	} else {
		j->counts->files_unproved++;
	}
}

static int tell_changed(struct judge *j, struct change *change, const struct entry *now,
			struct error *err)
{
	change->now = now;
	change->path = now->path;
	if (known_generated(j, now)) {
		/* A trigger may write it as it likes. */
		change->differences &= DIFFERS_TYPE | DIFFERS_FLAGS;
	}
	change->differences = known_explains(j, now, change->differences);
	if ((change->differences & DIFFERS_FLAGS) && now->flags != 0) {
		struct change flag = *change;

		flag.rule = RULE_FLAG_IMMUTABLE;
		flag.differences = DIFFERS_FLAGS;
		if (judge_emit(j, &flag, err) < 0) {
			return -1;
		}
	}
	change->differences &= ~(uint32_t)(DIFFERS_FLAGS | DIFFERS_UNREAD);
	return change->differences == 0 ? 0 : pile_change(j, change, err);
}

/* Which rule an object breaks by itself; RULES: none. */
static enum rule telling_rule(struct judge *j, const struct entry *now)
{
	uint32_t class = path_class(now->path);
	bool file = now->type == ENTRY_FILE;
	bool runs = file && (now->magic != ENTRY_MAGIC_NONE || (now->mode & MODE_EXEC));

	if (file && (now->mode & MODE_SETID) && known_explains(j, now, DIFFERS_MODE) != 0) {
		return RULE_SETID_GAINED;
	}
	if (now->caps.len > 0 && known_explains(j, now, DIFFERS_CAPS) != 0) {
		return RULE_CAPABILITY_GAINED;
	}
	if (runs && ((class & PATH_BIN) || ((class & PATH_LIB) && now->magic == ENTRY_MAGIC_ELF))) {
		return RULE_UNOWNED_EXECUTABLE;
	}
	if (now->type == ENTRY_CHAR || now->type == ENTRY_BLOCK || path_name_is_odd(now->path) ||
	    bytes_equal_string(now->path, "/etc/ld.so.preload")) {
		return RULE_UNOWNED_APPEARED;
	}
	return RULES;
}

/* First sight proves nothing: what tells by itself stays open until somebody accepts it. */
static int judge_telling(struct judge *j, const struct entry *now, struct error *err)
{
	struct change change = {
		.rule = telling_rule(j, now),
		.witness = WITNESS_RULE,
		.path = now->path,
		.now = now,
	};

	if (change.rule == RULE_UNOWNED_EXECUTABLE) {
		if (pile_present(j, now, change.rule, err) < 0) {
			return -1;
		}
	} else if ((change.rule == RULES ? unowned_present(j, now, err)
					 : judge_emit(j, &change, err)) < 0) {
		return -1;
	}
	change.rule = RULE_FLAG_IMMUTABLE;
	return now->flags != 0 ? judge_emit(j, &change, err) : 0;
}

/* A folder that the first sight did not look into is at its own first sight. */
static bool looked_before(const struct judge *j, struct bytes path)
{
	const struct policy *policy = j->in->policy;
	size_t longest = 0;
	bool looked = true;

	for (size_t i = 0; policy && j->root_in_first && i < policy->roots.count; i++) {
		struct bytes root = bytes_from_string(policy->roots.item[i]);

		if (root.len > longest && path_is_below(path, root)) {
			longest = root.len;
			looked = j->root_in_first[i];
		}
	}
	return looked;
}

static int judge_appeared(struct judge *j, const struct entry *now, struct error *err)
{
	struct change change = {
		.rule = RULE_UNOWNED_APPEARED,
		.witness = j->captured ? WITNESS_BASELINE : WITNESS_FIRST_SIGHT,
		.path = now->path,
		.now = now,
	};

	if (now->type == ENTRY_FILE && (now->mode & MODE_SETID)) {
		change.rule = RULE_SETID_GAINED;
	}
	if (now->flags != 0) {
		struct change flag = change;

		flag.rule = RULE_FLAG_IMMUTABLE;
		if (judge_emit(j, &flag, err) < 0) {
			return -1;
		}
	}
	if ((known_generated(j, now) || (now->type == ENTRY_DIR && unowned_is_cache(now))) &&
	    change.rule == RULE_UNOWNED_APPEARED && now->caps.len == 0) {
		return 0;
	}
	return pile_change(j, &change, err);
}

/* Code whose proof is its source; what is wrong with it whatever it is, goes the way of all files. */
static bool is_plain_bytecode(const struct entry *now)
{
	return bytecode_is(now) && (now->mode & MODE_SETID) == 0 && now->caps.len == 0 &&
	       now->flags == 0 && now->magic == ENTRY_MAGIC_NONE && now->has_sha256 &&
	       !path_name_is_odd(now->path);
}

/* Accepted state, then trees, then first sight: the first that knows the path. */
static int judge_object(struct judge *j, const struct entry_list *list, const struct entry *now,
			const struct entry *was, struct error *err)
{
	struct change change = {.rule = RULE_UNOWNED_CHANGED, .witness = WITNESS_BASELINE};
	const struct manifest_entry *reference;
	struct manifest_entry exact, by_tree;

	if (now->type == ENTRY_DIR) {
		pile_folder(j, now->path);
	}
	if (exceptions_make(j, now)) {
		return 0; /* its target is what is judged */
	}
	reference = known_accepted(j, now->path);
	if (!reference && known_by_tree(j, now, NULL, was, &by_tree)) {
		reference = &by_tree;
		change.rule = RULE_CONFIG_CHANGED;
		change.config = true;
	}
	if (reference) {
		exact = *reference;
		exact.tags |= MANIFEST_CAPS;
		change.was = &exact;
		change.differences = compare_to_manifest(now, &exact);
		count_object(j, now, change.differences == 0);
		if (change.differences != 0 && !change.config && is_plain_bytecode(now)) {
			return unowned_bytecode(j, list, now, &exact, NULL, change.differences,
						err);
		}
		return change.differences == 0 ? 0 : tell_changed(j, &change, now, err);
	}
	count_object(j, now, false);
	if (is_plain_bytecode(now)) {
		return unowned_bytecode(j, list, now, NULL, was,
					was ? compare_entries(now, was) : 0, err);
	}
	if (was) {
		change.witness = WITNESS_FIRST_SIGHT;
		change.was_entry = was;
		change.differences = compare_entries(now, was);
		if (change.differences & ~(uint32_t)DIFFERS_UNREAD) {
			return tell_changed(j, &change, now, err);
		}
		return judge_telling(j, now, err);
	}
	if (j->captured ||
	    (j->in->first && looked_before(j, now->path) &&
	     !observation_left_out_path(j->in->first, now->path, j->tree_in_first))) {
		return judge_appeared(j, now, err);
	}
	return judge_telling(j, now, err);
}

static void ask_vanished(struct judge *j, const struct entry *was)
{
	const struct policy *policy = j->in->policy;
	struct manifest_entry want = {.entry = *was};
	struct question *question;
	bool asked = false;

	/* A root that the policy dropped is not looked at any more. */
	for (size_t i = 0; policy && i < policy->roots.count && !asked; i++) {
		asked = path_is_below(was->path, bytes_from_string(policy->roots.item[i]));
	}
	if (!asked || known_generated(j, was) || unowned_is_cache(was)) {
		return;
	}
	question = judge_ask(j, ASK_VANISHED, was->path);
	if (question) {
		question->want = judge_keep_want(j, &want);
	}
}

static int judge_tree(struct judge *j, const struct section_key *key, struct error *err)
{
	struct entry_list now = {0}, was = {0};
	bool found, found_was = false;
	int result = 0;

	if (judge_entries(j, j->in->now, key, &j->buffer[0], &now, &found, err) < 0 ||
	    judge_entries(j, judge_first(j), key, &j->buffer[1], &was, &found_was, err) < 0) {
		result = -1;
	}
	j->tree_in_first = found_was;
	if (result == 0 && found) {
		struct walk walk = walk_begin(&now, &was);

		while (result == 0 && walk_next(&walk)) {
			if (walk.now) {
				result = judge_object(j, &now, walk.now, walk.was, err);
			} else {
				ask_vanished(j, walk.was);
			}
		}
	}
	entries_clear(&now);
	entries_clear(&was);
	return result;
}

/* Sections of the first sight that are not there any more: all in them is gone. */
static int judge_gone(struct judge *j, const struct observed_section *section, struct error *err)
{
	struct entry_list was = {0};
	int result = judge_load_section(j, section, &j->buffer[1], err);

	if (result == 0 && entries_decode(buffer_bytes(&j->buffer[1]), &was) == DECODED) {
		for (size_t i = 0; i < was.count; i++) {
			ask_vanished(j, &was.item[i]);
		}
	}
	entries_clear(&was);
	return result;
}

static void mark_roots(struct judge *j, struct bytes dir)
{
	const struct policy *policy = j->in->policy;

	for (size_t i = 0; policy && j->root_in_first && i < policy->roots.count; i++) {
		struct bytes root = bytes_from_string(policy->roots.item[i]);

		/* A deep root's objects are in the section of a folder above it. */
		if (path_is_below(dir, root) || path_is_below(root, dir)) {
			j->root_in_first[i] = true;
		}
	}
}

int judge_trees(struct judge *j, struct error *err)
{
	const struct observation *now = j->in->now, *first = judge_first(j);
	const struct bytes none = {NULL, 0};
	struct section_range range = {0};
	struct section_key key;
	int result = 0;

	if (first && j->in->policy) {
		j->root_in_first = judge_alloc(j, j->in->policy->roots.count + 1, sizeof(bool));
	}
	if (first) {
		range = observation_range(first, SECTION_TREE, none);
	}
	for (size_t i = range.from; result == 0 && i < range.to; i++) {
		if (!section_key_decode(first->sections[i].key, &key)) {
			continue;
		}
		mark_roots(j, key.part[1]);
		if (!observation_find(now, first->sections[i].key)) {
			result = judge_gone(j, &first->sections[i], err);
		}
	}
	range = observation_range(now, SECTION_TREE, none);
	for (size_t i = range.from; result == 0 && i < range.to; i++) {
		if (section_key_decode(now->sections[i].key, &key)) {
			result = judge_tree(j, &key, err);
		}
	}
	return result;
}
