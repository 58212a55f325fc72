// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdio.h>

#include "controller/judge/compare.h"
#include "controller/judge/path_class.h"
#include "schema/escape.h"

/*
 * A package that was taken out of the database without its files is a way to have them no longer
 * looked at: nothing owns them, and what nothing owns is rarely held against anything.
 */

/*
 * What may be run or loaded, or decides who gets in, is asked for whatever its name: no package has more
 * of it. Of the rest, where a package has more, some are asked for from its first to its last.
 */
#define LEFT_WEIGHTY_MAX 16384U
#define LEFT_OTHERS_MAX 1024U
#define LEFT_ALL_MAX 131072U /* of all packages that are gone */
#define MODE_RUNS 06111U     /* set-id, execute */

/* What the package's section was when somebody knew it: accepted, or at an earlier run. */
static int load_was(struct judge *j, const struct section_key *key, struct entry_list *was,
		    struct error *err)
{
	const struct observation *const earlier[] = {j->in->first, j->in->last};
	struct digest digest;
	bool found = false;

	if (known_package(j, key, NULL, &digest) == PACKAGE_OTHER) {
		if (judge_load_digest(j, &digest, &j->buffer[0], &found, err) < 0) {
			return -1;
		}
		if (found && entries_decode(buffer_bytes(&j->buffer[0]), was) == DECODED) {
			return 0;
		}
		found = false;
	}
	was->count = 0;
	for (unsigned i = 0; i < 2 && !found; i++) {
		if (judge_entries(j, earlier[i], key, &j->buffer[0], was, &found, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static bool weighs(const struct entry *was)
{
	return (was->mode & MODE_RUNS) || was->caps.len > 0 ||
	       (path_class(was->path) & (PATH_BIN | PATH_LIB | PATH_TELLING));
}

static void ask(struct judge *j, const struct entry *was, struct left *left)
{
	const struct manifest_entry want = {.entry = *was};
	struct question *question = judge_ask(j, ASK_LEFT, was->path);

	if (question) {
		question->left = left;
		question->want = judge_keep_want(j, &want);
		left->asked++;
		j->left_asked++;
	}
}

static void ask_all(struct judge *j, const struct entry_list *was, struct left *left)
{
	size_t others = 0, weighty = 0, step;

	for (size_t i = 0; i < was->count; i++) {
		others += was->item[i].type == ENTRY_FILE && !weighs(&was->item[i]);
	}
	step = others / LEFT_OTHERS_MAX + 1;
	others = 0;
	for (size_t i = 0; i < was->count && j->left_asked < LEFT_ALL_MAX; i++) {
		if (was->item[i].type != ENTRY_FILE) {
			continue;
		}
		if (weighs(&was->item[i]) ? weighty++ < LEFT_WEIGHTY_MAX : others++ % step == 0) {
			ask(j, &was->item[i], left);
		}
	}
}

int judge_ask_left(struct judge *j, const struct section_key *key, struct bytes subject,
		   struct bytes package, enum witness witness, struct error *err)
{
	struct entry_list was = {0};
	struct left *left = judge_alloc(j, 1, sizeof(*left));
	int result = load_was(j, key, &was, err);

	if (result == 0 && left && was.count > 0) {
		*left = (struct left){.next = j->left,
				      .subject = subject,
				      .package = package,
				      .witness = witness};
		j->left = left;
		ask_all(j, &was, left);
	}
	entries_clear(&was);
	return result;
}

void judge_note_left(const struct question *question)
{
	struct left *left = question->left;
	const struct entry *was = &question->want->entry;

	if (!question->found || question->in_package || question->now.type != ENTRY_FILE ||
	    !question->now.has_sha256 || !was->has_sha256 ||
	    !digest_equal(&question->now.sha256, &was->sha256)) {
		return;
	}
	left->first = left->found == 0 ? question->path : left->first;
	left->found++;
}

int judge_tell_left(struct judge *j, struct error *err)
{
	int result = 0;

	for (const struct left *left = j->left; result == 0 && left; left = left->next) {
		char detail[1024], path[600], line[64];
		struct change change = {
			.rule = RULE_PACKAGE_HIDDEN,
			.witness = left->witness,
			.path = left->subject,
			.package = left->package,
			.detail = detail,
		};

		if (left->found == 0) {
			continue;
		}
		(void)snprintf(
			detail, sizeof(detail),
			"%zu of the %zu files that were asked for are there as they were, and "
			"no package's: %s%s.",
			left->found, left->asked, escape_text(left->first, path, sizeof(path)),
			left->found > 1 ? " ..." : "");
		(void)snprintf(line, sizeof(line), "left %zu", left->found);
		change.new_line = bytes_from_string(line);
		result = judge_emit(j, &change, err);
	}
	return result;
}
