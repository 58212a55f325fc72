// SPDX-License-Identifier: MIT
#include "controller/judge/against.h"

#include <stdio.h>

#include "controller/judge/path_class.h"

struct change against_begin(const struct against *a, enum rule rule, struct bytes path)
{
	return (struct change){
		.rule = rule,
		.witness = a->witness,
		.path = path,
		.package = a->one->text,
		.detail = a->detail,
	};
}

void against_count(const struct against *a, const struct entry *entry, bool proved)
{
	if (entry->type == ENTRY_FILE && !entry->has_sha256) {
		a->j->counts->files_skipped++;
	} else if (proved) {
		a->j->counts->files_proved++;
	} else {
		a->j->counts->files_unproved++;
	}
}

/* Which rule a difference of a packaged file is: the most telling one. */
static enum rule rule_of(uint32_t differences, const struct entry *now, const struct entry *was)
{
	uint32_t content = DIFFERS_SIZE | DIFFERS_DIGEST | DIFFERS_LINK | DIFFERS_DEVICE;

	if (differences & DIFFERS_TYPE) {
		return RULE_FILE_TYPE;
	}
	if (!(differences & content) && (differences & DIFFERS_MODE) && now->type == ENTRY_FILE &&
	    (now->mode & ~(was ? was->mode : 0U) & MODE_SETID)) {
		return RULE_SETID_GAINED;
	}
	if ((differences & DIFFERS_MORE_THAN_TIME) == DIFFERS_CAPS && now->caps.len > 0) {
		return RULE_CAPABILITY_GAINED;
	}
	return RULE_FILE_CHANGED;
}

/* The flag is told apart from what else differs: it is there to defend that. */
int against_tell_flags(struct change change, struct error *err, const struct against *a)
{
	uint32_t was = change.was ? change.was->entry.flags
				  : (change.was_entry ? change.was_entry->flags : 0);

	if ((change.now->flags & ~was) == 0) {
		return 0;
	}
	change.rule = RULE_FLAG_IMMUTABLE;
	change.differences = DIFFERS_FLAGS;
	return judge_emit(a->j, &change, err);
}

uint32_t against_compare(const struct against *a, const struct entry *now,
			 const struct manifest_entry *want)
{
	return want->rpm && a->one->rpm.header
		       ? rpm_differences(&a->one->rpm, now, want,
					 package_measured(&a->p->measured, now))
		       : compare_to_manifest(now, want);
}

/* *proved where nothing is left to tell. */
int against_tell_file(const struct against *a, struct change change, bool *proved,
		      struct error *err)
{
	const struct manifest_entry *accepted;
	struct manifest_entry exact;
	const struct entry *was;

	*proved = true;
	if (known_as(a->j, change.now, change.was, change.was_entry)) {
		return 0;
	}
	accepted = known_accepted(a->j, change.path);
	if (accepted) {
		exact = *accepted;
		exact.tags |= MANIFEST_CAPS;
		change.was = &exact;
		change.was_entry = NULL;
		change.witness = WITNESS_BASELINE;
		change.detail = "It is neither what the package has nor what was accepted.";
		change.differences = compare_to_manifest(change.now, &exact);
	} else if (known_by_tree(a->j, change.now, change.was, change.was_entry, &exact) &&
		   !(compare_to_manifest(change.now, &exact) & ~DIFFERS_OWNERSHIP)) {
		change.was = &exact;
		change.was_entry = NULL;
		change.detail = "It has the content that the tree of one of the host's groups has.";
		change.differences = compare_to_manifest(change.now, &exact);
	}
	change.differences = known_explains(a->j, change.now, change.differences);
	if (change.differences & DIFFERS_FLAGS) {
		*proved = false;
		if (against_tell_flags(change, err, a) < 0) {
			return -1;
		}
		change.differences &= ~(uint32_t)DIFFERS_FLAGS;
	}
	if ((change.differences & ~(uint32_t)DIFFERS_UNREAD) == 0) {
		return 0;
	}
	*proved = false;
	was = change.was ? &change.was->entry : change.was_entry;
	change.rule = rule_of(change.differences, change.now, was);
	return judge_emit(a->j, &change, err);
}

/* The host gives a path to the package that the package does not have. */
int against_tell_extra(const struct against *a, const struct entry *now, struct error *err)
{
	struct change change = against_begin(a, RULE_CLAIM_UNPROVED, now->path);
	struct record record = {
		.count = 3,
		.field = {a->p->manager, a->one->key.part[2], now->path},
	};
	bool proved;

	if (known_accepted(a->j, now->path)) {
		change.now = now;
		change.differences = DIFFERS_UNREAD;
		if (against_tell_file(a, change, &proved, err) < 0) {
			return -1;
		}
		against_count(a, now, proved);
		return 0;
	}
	against_count(a, now, false);
	if (known_content(a->j, now) || known_record(a->j, "claim", &record, 0)) {
		return 0;
	}
	change.now = now;
	change.detail = a->witness == WITNESS_SIGNATURE  ? "The signed header has no such file."
			: a->witness == WITNESS_MANIFEST ? "The manifest of this build has no such "
							   "file."
			: a->witness == WITNESS_RULE
				? "Only the host's own database calls it a package's configuration."
				: "The package did not have this file before.";
	return judge_emit(a->j, &change, err);
}

/* A manifest has /usr/lib/modules, a host without merged /usr has /lib/modules. */
static bool has_dir(struct judge *j, struct bytes path)
{
	const struct bytes usr = BYTES_LITERAL("/usr");
	struct bytes rest = path;

	if (bytes_has_prefix(path, usr)) {
		rest = bytes_make(path.data + usr.len, path.len - usr.len);
	}
	return dirs_has(j, path) ||
	       (rest.len < path.len && path_is_alias(rest) && dirs_has(j, rest));
}

int against_tell_missing(const struct against *a, const struct manifest_entry *want, bool config,
			 bool claimed, struct error *err)
{
	struct change change = against_begin(a, RULE_FILE_MISSING, want->entry.path);
	const struct manifest_entry *accepted = config ? known_accepted(a->j, change.path) : NULL;
	const struct dir *dir;

	if ((want->entry.type == ENTRY_DIR && has_dir(a->j, change.path)) ||
	    known_absent(a->j, change.path)) {
		return 0;
	}
	if (known_excluded(a->j, change.path) ||
	    (want->rpm && a->one->rpm.header &&
	     rpm_state_excuses(a->one, &a->p->rpm_claims, want))) {
		a->j->counts->files_skipped++;
		return 0;
	}
	if (gap_covers(&a->j->package_gaps, change.path)) {
		a->j->counts->files_skipped++;
		a->j->counts->files_hidden += want->entry.type != ENTRY_DIR;
		return 0;
	}
	change.config = config;
	change.was = accepted ? accepted : want;
	change.witness = accepted ? WITNESS_BASELINE : a->witness;
	dir = dirs_find(a->j, change.path);
	if (dir && known_content(a->j, &dir->entry)) {
		return 0;
	}
	if (dir) {
		change.rule = RULE_FILE_TYPE;
		change.differences = DIFFERS_TYPE;
		change.now = &dir->entry;
	} else if (!claimed && !config) {
		struct question *question = judge_ask(a->j, ASK_UNCLAIMED, change.path);

		if (question) {
			question->want = judge_keep_want(a->j, want);
			question->package = a->one->text;
			question->witness = a->witness;
		}
		return 0;
	}
	return judge_emit(a->j, &change, err);
}

static void hex(const uint8_t *from, size_t len, char *to)
{
	for (size_t i = 0; i < len; i++) {
		(void)snprintf(to + 2 * i, 3, "%02x", from[i]);
	}
}

/* Two witnesses of a file's MD5 that disagree. The line is what accepting it records. */
int against_tell_md5(const struct against *a, struct bytes path, const uint8_t *was,
		     struct bytes claimed, struct error *err)
{
	struct change change = against_begin(a, RULE_DATABASE_DISAGREES, path);
	char old_hex[2 * MD5_SIZE + 1], new_hex[2 * MD5_SIZE + 1];
	struct record record = {
		.count = 4,
		.field = {a->p->manager, a->one->key.part[2], path},
	};
	struct bytes kept;

	if (claimed.len != MD5_SIZE) {
		return 0;
	}
	hex(was, MD5_SIZE, old_hex);
	hex(claimed.data, MD5_SIZE, new_hex);
	record.field[3] = bytes_make(old_hex, sizeof(old_hex) - 1);
	kept = bytes_make(a->j->words[0],
			  records_line("claim", &record, 0, a->j->words[0], WORDS_ROOM));
	change.old_line = kept;
	record.field[3] = bytes_make(new_hex, sizeof(new_hex) - 1);
	change.new_line = bytes_make(a->j->words[1],
				     records_line("claim", &record, 0, a->j->words[1], WORDS_ROOM));
	if (known_line(a->j, change.new_line)) {
		return 0;
	}
	change.detail =
		a->self_md5 ? "The package ships no md5sums: dpkg computed another MD5 than the "
			      "manifest's, from what it unpacked or was given."
		: a->witness == WITNESS_MANIFEST
			? "The host's database gives another MD5 than the manifest."
			: "The host's database gave another MD5 for this file before.";
	return judge_emit(a->j, &change, err);
}
