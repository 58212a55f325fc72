// SPDX-License-Identifier: MIT
#include "controller/judge/against.h"
#include "controller/judge/path_class.h"
#include "controller/judge/pile_value.h"

/* Whether an object would be told at first sight if no package claimed it (pile.h). */
static bool tells_by_itself(const struct entry *now)
{
	enum pile_part part = pile_part(path_parent(now->path), now);

	/* Of configuration the probe says no magic: what may be run counts as what runs. */
	return part != PART_REST || (now->type == ENTRY_FILE && (now->mode & 0111U));
}

/*
 * What only the host calls configuration, where no earlier state can say whether it is new. Inside of
 * /etc it is as little proved as the other files of a package without manifest, which are counted and
 * not told; elsewhere no .deb has configuration.
 */
static bool is_told_at_first_sight(const struct against *a, const struct entry *now)
{
	bool in_etc = path_is_below(now->path, BYTES_LITERAL("/etc"));

	if (in_etc && a->one->candidate_count == 0 && !a->one->is_left) {
		return (now->type == ENTRY_FILE && (now->mode & MODE_SETID)) ||
		       now->type == ENTRY_CHAR || now->type == ENTRY_BLOCK || now->caps.len > 0 ||
		       now->flags != 0;
	}
	return tells_by_itself(now) || (!in_etc && bytes_equal_string(a->p->manager, "dpkg"));
}

/* Whether a state that could know the file is at hand: then one that it does not know is new. */
static bool is_new_config(const struct against *a, const struct entry *now)
{
	const struct one_package *one = a->one;

	/* rpm's ghosts, which have no content, come and go with their package's programs. */
	if (bytes_equal_string(a->p->manager, "rpm") && !now->has_sha256) {
		return false;
	}
	return a->j->captured ||
	       (judge_first(a->j) && (one->was_seen || one->is_left || one->candidate_count > 0));
}

/* The host's word that a file is its package's configuration is no reason not to look at it. */
static int tell_unknown_config(const struct against *a, const struct entry *now, struct error *err)
{
	struct against unknown = *a;
	bool is_new = is_new_config(a, now);

	if (!is_new && !is_told_at_first_sight(a, now)) {
		against_count(a, now, false);
		return 0;
	}
	if (a->witness > WITNESS_MANIFEST) {
		unknown.witness = !is_new          ? WITNESS_RULE
				  : a->j->captured ? WITNESS_BASELINE
						   : WITNESS_FIRST_SIGHT;
	}
	return against_tell_extra(&unknown, now, err);
}

/* Accepted state, then trees, then the manifest, then first sight: the first that knows the file. */
int package_config_tell(const struct against *a, const struct entry *now,
			const struct manifest_entry *want, struct error *err)
{
	struct change change = against_begin(a, RULE_CONFIG_CHANGED, now->path);
	const struct manifest_entry *accepted = known_accepted(a->j, now->path);
	const struct manifest_entry *reference = accepted;
	const struct entry *was = NULL;
	struct manifest_entry exact, by_tree;

	if (!reference && known_by_tree(a->j, now, want,
					entry_list_find(&a->p->config_was, now->path), &by_tree)) {
		reference = &by_tree;
	}
	change.witness = reference ? WITNESS_BASELINE : a->witness;
	if (!reference) {
		reference = want;
	}
	change.now = now;
	change.config = true;
	change.detail = NULL;
	if (reference) {
		exact = *reference;
		exact.tags |= accepted ? MANIFEST_CAPS : 0U;
		change.was = &exact;
		change.differences = against_compare(a, now, &exact);
	} else {
		was = entry_list_find(&a->p->config_was, now->path);
		if (!was) {
			return tell_unknown_config(a, now, err);
		}
		change.witness = WITNESS_FIRST_SIGHT;
		change.was_entry = was;
		change.differences = compare_entries(now, was);
	}
	change.differences = known_explains(a->j, now, change.differences);
	against_count(a, now, reference && !(change.differences & DIFFERS_MORE_THAN_TIME));
	if (change.differences & DIFFERS_FLAGS && against_tell_flags(change, err, a) < 0) {
		return -1;
	}
	/* An editor that wrote the same text again changed nothing. */
	if (!(change.differences & DIFFERS_MORE_THAN_TIME)) {
		return 0;
	}
	change.differences &= ~(uint32_t)DIFFERS_FLAGS;
	return judge_emit(a->j, &change, err);
}

/* What manifests of a removed package's build say of its configuration: one that agrees, else one. */
static const struct manifest_entry *find_config(const struct one_package *one,
						const struct entry *now)
{
	const struct manifest_entry *found = NULL;

	for (size_t i = 0; i < one->candidate_count; i++) {
		const struct manifest_entry *want = manifest_find(one->candidates[i], now->path);

		if (want && (want->tags & MANIFEST_CONFIG) &&
		    (!found || compare_to_manifest(now, want) == 0)) {
			found = want;
		}
	}
	return found;
}

int package_config_by_history(struct judge *j, struct packages *p, struct one_package *one,
			      struct error *err)
{
	struct against a = {j, p, one, WITNESS_BASELINE, NULL, false};
	int result = 0;

	for (size_t i = 0; result == 0 && i < p->config.count; i++) {
		const struct entry *now = &p->config.item[i];
		const struct manifest_entry *want = find_config(one, now);

		a.witness = want ? WITNESS_MANIFEST : WITNESS_BASELINE;
		result = package_config_tell(&a, now, want, err);
	}
	/* One that was there and is gone. */
	for (size_t i = 0; result == 0 && i < p->config_was.count; i++) {
		const struct entry *was = &p->config_was.item[i];
		struct manifest_entry want = {.entry = *was, .tags = MANIFEST_CONFIG};

		if (!entry_list_find(&p->config, was->path)) {
			a.witness = WITNESS_FIRST_SIGHT;
			result = against_tell_missing(&a, &want, true, true, err);
		}
	}
	return result;
}

int package_left(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	return package_config_by_history(j, p, one, err);
}
