// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

/*
 * Content that a signed header leaves open (%verify(not md5)): the signature says nothing of it. It is
 * held against what was accepted, else against first sight of the same build.
 */

#define CONTENT ((uint32_t)(DIFFERS_SIZE | DIFFERS_DIGEST | DIFFERS_UNREAD))

static int load_was(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	bool found;

	if (one->has_was) {
		return 0;
	}
	one->has_was = true;
	p->was.count = 0;
	return judge_entries(j, judge_first(j), &one->key, &j->buffer[3], &p->was, &found, err);
}

int package_masked(struct judge *j, struct packages *p, struct one_package *one,
		   const struct package_item *item, struct masked *masked, struct error *err)
{
	const struct entry *now = item->now;
	const struct manifest_entry *reference = known_accepted(j, now->path);

	*masked = (struct masked){.differences = 0};
	if (!reference && known_by_tree(j, now, item->want, NULL, &masked->exact)) {
		reference = &masked->exact;
	}
	if (reference) {
		masked->accepted = reference;
		masked->differences = compare_to_manifest(now, reference) & CONTENT;
		masked->is_proved = masked->differences == 0;
		return 0;
	}
	masked->is_proved = one->accepted == PACKAGE_ACCEPTED;
	if (masked->is_proved || known_generated(j, now)) {
		return 0;
	}
	if (load_was(j, p, one, err) < 0) {
		return -1;
	}
	masked->was = entry_list_find(&p->was, now->path);
	masked->differences = masked->was ? compare_entries(now, masked->was) & CONTENT : 0;
	/* Only what would be told is worth a look at all other packages. */
	if (masked->differences == 0) {
		return 0;
	}
	if (rpm_shared_explains(j, p, one, now, NULL, &masked->differences, NULL, err) < 0) {
		return -1;
	}
	masked->is_proved = masked->differences == 0;
	return 0;
}

int package_tell_masked(struct judge *j, const struct one_package *one,
			const struct package_item *item, const struct masked *masked,
			struct error *err)
{
	const struct change change = {
		.rule = RULE_FILE_CHANGED,
		.witness = masked->accepted ? WITNESS_BASELINE : WITNESS_FIRST_SIGHT,
		.differences = masked->differences,
		.path = item->path,
		.package = one->text,
		.now = item->now,
		.was = masked->accepted,
		.was_entry = masked->was,
		.detail = masked->accepted ? "The signed header leaves its content open; it is not "
					     "what was accepted."
					   : "The signed header leaves its content open; it is not "
					     "what it was at first sight.",
	};

	return masked->differences & DIFFERS_MORE_THAN_TIME ? judge_emit(j, &change, err) : 0;
}
