// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>

#include "controller/judge/path_class.h"
#include "controller/judge/pile_value.h"
#include "controller/judge/walk.h"
#include "schema/escape.h"

#define MODE_SETID 06000U

/* What one package's files are held against, and what findings say of it. */
struct against {
	struct judge *j;
	struct packages *p;
	struct one_package *one;
	enum witness witness;
	const char *detail;
	bool self_md5; /* the manifest's package ships no md5sums */
};

static struct change begin(const struct against *a, enum rule rule, struct bytes path)
{
	return (struct change){
		.rule = rule,
		.witness = a->witness,
		.path = path,
		.package = a->one->text,
		.detail = a->detail,
	};
}

static void count_file(const struct against *a, const struct entry *entry, bool proved)
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
static int tell_flags(struct change change, struct error *err, const struct against *a)
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

static uint32_t compare_wanted(const struct against *a, const struct entry *now,
			       const struct manifest_entry *want)
{
	return want->rpm && a->one->rpm.header
		       ? rpm_differences(&a->one->rpm, now, want,
					 package_measured(&a->p->measured, now))
		       : compare_to_manifest(now, want);
}

/* *proved where nothing is left to tell. */
static int tell_file(const struct against *a, struct change change, bool *proved, struct error *err)
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
		if (tell_flags(change, err, a) < 0) {
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
static int tell_extra(const struct against *a, const struct entry *now, struct error *err)
{
	struct change change = begin(a, RULE_CLAIM_UNPROVED, now->path);
	struct record record = {
		.count = 3,
		.field = {a->p->manager, a->one->key.part[2], now->path},
	};
	bool proved;

	if (known_accepted(a->j, now->path)) {
		change.now = now;
		change.differences = DIFFERS_UNREAD;
		if (tell_file(a, change, &proved, err) < 0) {
			return -1;
		}
		count_file(a, now, proved);
		return 0;
	}
	count_file(a, now, false);
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
		count_file(a, now, false);
		return 0;
	}
	if (a->witness > WITNESS_MANIFEST) {
		unknown.witness = !is_new          ? WITNESS_RULE
				  : a->j->captured ? WITNESS_BASELINE
						   : WITNESS_FIRST_SIGHT;
	}
	return tell_extra(&unknown, now, err);
}

/* Accepted state, then trees, then the manifest, then first sight: the first that knows the file. */
static int tell_config(const struct against *a, const struct entry *now,
		       const struct manifest_entry *want, struct error *err)
{
	struct change change = begin(a, RULE_CONFIG_CHANGED, now->path);
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
		change.differences = compare_wanted(a, now, &exact);
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
	count_file(a, now, reference && !(change.differences & DIFFERS_MORE_THAN_TIME));
	if (change.differences & DIFFERS_FLAGS && tell_flags(change, err, a) < 0) {
		return -1;
	}
	/* An editor that wrote the same text again changed nothing. */
	if (!(change.differences & DIFFERS_MORE_THAN_TIME)) {
		return 0;
	}
	change.differences &= ~(uint32_t)DIFFERS_FLAGS;
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
	return dirs_find(j, path) ||
	       (rest.len < path.len && path_is_alias(rest) && dirs_find(j, rest));
}

static int tell_missing(const struct against *a, const struct manifest_entry *want, bool config,
			bool claimed, struct error *err)
{
	struct change change = begin(a, RULE_FILE_MISSING, want->entry.path);
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
static int tell_md5(const struct against *a, struct bytes path, const uint8_t *was,
		    struct bytes claimed, struct error *err)
{
	struct change change = begin(a, RULE_DATABASE_DISAGREES, path);
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

static int tell_claimed_config(const struct against *a, const struct package_item *item,
			       struct error *err)
{
	struct change change = begin(a, RULE_DATABASE_DISAGREES, item->path);
	struct record record = {
		.count = 4,
		.field = {a->p->manager, a->one->key.part[2], item->path,
			  BYTES_LITERAL("conffile")},
	};

	change.new_line = bytes_make(a->j->words[1],
				     records_line("claim", &record, 0, a->j->words[1], WORDS_ROOM));
	change.has_severity = true;
	change.severity = SEVERITY_HIGH;
	change.detail = "The host's database calls it a conffile, which the manifest does not.";
	return known_line(a->j, change.new_line) ? 0 : judge_emit(a->j, &change, err);
}

/*
 * prelink (EL5 to EL7) writes into programs and libraries, and only prelink undoes it: such a change is told
 * as any other, beside what may have made it. The host's word takes nothing from it.
 */
static bool may_be_prelinked(const struct against *a, const struct package_item *item)
{
	if (!item->want->rpm || !(item->differences & DIFFERS_DIGEST) ||
	    !(path_class(item->path) & (PATH_BIN | PATH_LIB))) {
		return false;
	}
	for (size_t i = 0; i < a->p->now.count; i++) {
		if (bytes_equal_string(a->p->now.item[i].name, "prelink")) {
			return true;
		}
	}
	return false;
}

static int tell_item(const struct against *a, const struct package_item *item, struct error *err)
{
	struct change change = begin(a, RULE_FILE_CHANGED, item->path);
	char detail[1024];
	struct masked masked = {.is_proved = true};
	bool proved = false;

	switch (item->kind) {
	case PACKAGE_ITEM_CONFIG:
		return tell_config(a, item->now, item->want, err);
	case PACKAGE_ITEM_DIFFERS:
		if (item->is_masked && package_masked(a->j, a->p, a->one, item, &masked, err) < 0) {
			return -1;
		}
		if (package_is_only_masked(item)) {
			count_file(a, item->now, masked.is_proved);
			return package_tell_masked(a->j, a->one, item, &masked, err);
		}
		change.now = item->now;
		change.was = item->want;
		change.differences = item->differences | masked.differences;
		if (may_be_prelinked(a, item)) {
			(void)snprintf(detail, sizeof(detail),
				       "%.800s prelink is installed on this host and changes "
				       "programs and libraries; muster does not undo it.",
				       a->detail);
			change.detail = detail;
		}
		if (item->want->rpm && rpm_shared_explains(a->j, a->p, a->one, item->now,
							   &change.differences, err) < 0) {
			return -1;
		}
		if (tell_file(a, change, &proved, err) < 0) {
			return -1;
		}
		count_file(a, item->now, proved && masked.is_proved && !item->diverted_unknown);
		return 0;
	case PACKAGE_ITEM_MISSING:
		return tell_missing(a, item->want, item->in_config, item->claimed, err);
	case PACKAGE_ITEM_EXTRA:
		/* A conffile that only an earlier version had stays until it is purged. */
		if (item->in_config && item->obsolete && item->now->type == ENTRY_FILE &&
		    path_is_below(item->path, BYTES_LITERAL("/etc")) &&
		    (item->now->mode & MODE_SETID) == 0) {
			return tell_config(a, item->now, NULL, err);
		}
		return tell_extra(a, item->now, err);
	case PACKAGE_ITEM_CLAIM_MD5:
		return tell_md5(a, item->path, item->want->md5, item->md5, err);
	case PACKAGE_ITEM_CLAIM_CONFIG:
		return tell_claimed_config(a, item, err);
	}
	return 0;
}

static bool same_section(const struct observation *a, const struct observation *b,
			 const struct section_key *of, enum section_kind kind)
{
	uint8_t room[SECTION_KEY_MAX];
	const struct observed_section *x, *y;
	struct section_key key = *of;
	struct bytes encoded;

	if (!a || !b) {
		return false;
	}
	key.kind = kind;
	key.part[0] = bytes_from_string(section_kind_name(kind));
	encoded = judge_key(&key, room);
	x = observation_find(a, encoded);
	y = observation_find(b, encoded);
	return x && y && digest_equal(&x->content, &y->content);
}

/* What was measured stays true while the files are the same. */
static int load_measured(struct judge *j, struct packages *p, const struct one_package *one,
			 struct error *err)
{
	const struct observation *from[] = {j->in->now, j->in->last, j->in->first};
	struct section_key key = one->key;
	bool found = false;

	key.kind = SECTION_MD5;
	key.part[0] = bytes_from_string(section_kind_name(SECTION_MD5));
	for (size_t i = 0; i < 3 && !found; i++) {
		if (i > 0 && !same_section(j->in->now, from[i], &one->key, SECTION_PACKAGE)) {
			continue;
		}
		if (judge_records(j, from[i], &key, MD5_FIELDS, ROWS_BY_PATH, &j->buffer[4],
				  &p->measured, &found, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int by_manifest(struct judge *j, struct packages *p, struct one_package *one,
		       struct error *err)
{
	struct package_input input = {
		.name = one->key.part[2],
		.files = &p->files,
		.config = &p->config,
		.claims = &p->claims,
		.has_claims = one->has_claims,
		.redirects = &j->exceptions.redirects,
		.candidates = one->candidates,
		.candidate_count = one->candidate_count,
		.rpm = one->is_signed ? &one->rpm : NULL,
		.measured = &p->measured,
	};
	enum witness witness = one->is_signed ? WITNESS_SIGNATURE : WITNESS_MANIFEST;
	struct against a = {j, p, one, witness, NULL, false};
	const struct package_verdict *verdict;
	char detail[512], origin[256];

	p->measured.count = 0;
	if (one->is_signed && one->rpm.header->digest_algorithm == RPM_DIGEST_MD5 &&
	    load_measured(j, p, one, err) < 0) {
		return -1;
	}
	if (package_judge(&j->work, &input, &verdict, err) < 0) {
		return -1;
	}
	(void)snprintf(
		detail, sizeof(detail), "Held against the manifest of %s%s%s.",
		escape_text(bytes_from_string(verdict->manifest->origin ? verdict->manifest->origin
									: ""),
			    origin, sizeof(origin)),
		verdict->manifest->trust == MANIFEST_UNSIGNED ? " (unsigned)" : "",
		one->candidate_count > 1 ? ", the nearest of several" : "");
	if (one->is_signed) {
		(void)snprintf(detail, sizeof(detail),
			       "Held against the header that %s signed%s%s.",
			       one->proof->fingerprint, one->proof->origin[0] ? " for " : "",
			       one->proof->origin);
	}
	a.detail = detail;
	a.self_md5 = verdict->manifest->no_md5sums;
	j->counts->files_proved += verdict->same;
	j->counts->files_skipped += verdict->unread;
	j->counts->packages_by_witness[witness]++;
	for (size_t i = 0; i < verdict->count; i++) {
		if (tell_item(&a, &verdict->item[i], err) < 0) {
			return -1;
		}
	}
	dirs_expect(j, verdict->manifest, one->is_signed ? &one->rpm : NULL, one->text);
	if (builds_mixed(j, one, verdict, err) < 0) {
		return -1;
	}
	return one->is_signed ? rpm_tell_claims(j, p, one, err) : 0;
}

/* Without a manifest: what the package was, entry by entry. */
static int by_earlier(const struct against *a, struct error *err)
{
	struct walk walk = walk_begin(&a->p->files, &a->p->was);
	int result = 0;

	while (result == 0 && walk_next(&walk)) {
		struct change change = begin(a, RULE_FILE_CHANGED, walk.path);
		bool proved = false;

		if (!walk.now) {
			struct manifest_entry want = {.entry = *walk.was, .tags = MANIFEST_CAPS};

			result = tell_missing(a, &want, false,
					      !a->one->has_claims ||
						      package_claim(&a->p->claims, change.path),
					      err);
			continue;
		}
		if (!walk.was) {
			result = tell_extra(a, walk.now, err);
			continue;
		}
		change.now = walk.now;
		change.was_entry = walk.was;
		change.differences = compare_entries(walk.now, walk.was);
		if (change.differences != 0) {
			result = tell_file(a, change, &proved, err);
		}
		count_file(a, walk.now, a->witness == WITNESS_BASELINE && change.differences == 0);
	}
	return result;
}

/* A capability is in no .deb: without an accepted state nothing proves one. */
static int tell_capabilities(const struct against *a, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < a->p->files.count; i++) {
		const struct entry *now = &a->p->files.item[i];
		struct change change = begin(a, RULE_CAPABILITY_GAINED, now->path);

		if (now->caps.len == 0 || known_content(a->j, now) ||
		    known_explains(a->j, now, DIFFERS_CAPS) == 0) {
			continue;
		}
		change.now = now;
		change.differences = DIFFERS_CAPS;
		change.witness = WITNESS_RULE;
		change.detail = "Neither policy nor accepted state knows this capability.";
		result = judge_emit(a->j, &change, err);
	}
	return result;
}

/* debsums' question: is each file what the host's own database says? Shown, never proof. */
static int by_database(const struct against *a, struct error *err)
{
	const struct row_list *claims = &a->p->claims, *measured = &a->p->measured;
	size_t m = 0;
	int result = 0;

	for (size_t c = 0; result == 0 && c < claims->count; c++) {
		const struct record *claim = &claims->item[c];
		struct bytes path = claim->field[CLAIM_PATH], md5 = claim->field[CLAIM_MD5];
		struct change change = begin(a, RULE_FILE_CHANGED, path);
		const struct entry *now, *was;

		while (m < measured->count &&
		       bytes_path_compare(measured->item[m].field[MD5_PATH], path) < 0) {
			m++;
		}
		if (md5.len != MD5_SIZE || package_claim_has(claim, 'c') || m == measured->count ||
		    !bytes_equal(measured->item[m].field[MD5_PATH], path) ||
		    bytes_equal(measured->item[m].field[MD5_VALUE], md5)) {
			continue;
		}
		now = entry_list_find(&a->p->files, path);
		was = entry_list_find(&a->p->was, path);
		/* What differs from an earlier state as well is told by that. */
		if (!now || (was && compare_entries(now, was) & DIFFERS_MORE_THAN_TIME) ||
		    known_as(a->j, now, NULL, was)) {
			continue;
		}
		change.now = now;
		change.differences = DIFFERS_DIGEST;
		result = judge_emit(a->j, &change, err);
	}
	return result;
}

/* A path with an MD5 in the host's database and no object on the host. */
static int missing_by_database(const struct against *a, struct error *err)
{
	const struct row_list *claims = &a->p->claims;
	size_t f = 0;
	int result = 0;

	for (size_t c = 0; result == 0 && c < claims->count; c++) {
		const struct record *claim = &claims->item[c];
		struct bytes path = claim->field[CLAIM_PATH];
		struct manifest_entry want = {
			.entry = {.path = path, .type = ENTRY_FILE, .mode = 0},
			.tags = MANIFEST_NOMODE | MANIFEST_NOTIME,
		};

		while (f < a->p->files.count &&
		       bytes_path_compare(a->p->files.item[f].path, path) < 0) {
			f++;
		}
		if (!package_claim_has(claim, 'm') || package_claim_has(claim, 'c') ||
		    (f < a->p->files.count && bytes_equal(a->p->files.item[f].path, path)) ||
		    entry_list_find(&a->p->config, path) || entry_list_find(&a->p->was, path)) {
			continue;
		}
		if (claim->field[CLAIM_MD5].len == MD5_SIZE) {
			want.has_md5 = true;
			memcpy(want.md5, claim->field[CLAIM_MD5].data, MD5_SIZE);
		}
		result = tell_missing(a, &want, false, true, err);
	}
	return result;
}

static void count_all(const struct against *a, const struct entry_list *list, bool proved)
{
	for (size_t i = 0; i < list->count; i++) {
		count_file(a, &list->item[i], proved);
	}
}

/* Did the host's word about the same build change since first sight? */
static int claims_changed(const struct against *a, struct error *err)
{
	struct judge *j = a->j;
	struct section_key key = a->one->key;
	struct row_list was = {0};
	bool found = false;
	int result;

	key.kind = SECTION_CLAIMS;
	key.part[0] = bytes_from_string(section_kind_name(SECTION_CLAIMS));
	result = judge_records(j, judge_first(j), &key, CLAIM_FIELDS, ROWS_BY_PATH, &j->buffer[5],
			       &was, &found, err);
	for (size_t i = 0; result == 0 && found && i < was.count; i++) {
		const struct record *now = package_claim(&a->p->claims, was.item[i].field[0]);
		struct bytes md5 = was.item[i].field[CLAIM_MD5];

		if (now && md5.len == MD5_SIZE && !bytes_equal(now->field[CLAIM_MD5], md5)) {
			result = tell_md5(a, now->field[CLAIM_PATH], md5.data,
					  now->field[CLAIM_MD5], err);
		}
	}
	rows_clear(&was);
	return result;
}

/* The state to hold an unproved package against; its witness, or WITNESS_HOST for none. */
static int load_earlier(struct judge *j, struct packages *p, const struct one_package *one,
			enum witness *witness, struct error *err)
{
	bool found = false;

	*witness = WITNESS_HOST;
	p->was.count = 0;
	if (one->accepted == PACKAGE_OTHER) {
		if (judge_load_digest(j, &one->accepted_digest, &j->buffer[3], &found, err) < 0) {
			return -1;
		}
		if (found && entries_decode(buffer_bytes(&j->buffer[3]), &p->was) == DECODED) {
			*witness = WITNESS_BASELINE;
			return 0;
		}
		p->was.count = 0;
		if (package_not_accepted(j, one, err) < 0) {
			return -1;
		}
	}
	if (judge_entries(j, judge_first(j), &one->key, &j->buffer[3], &p->was, &found, err) < 0) {
		return -1;
	}
	if (found) {
		*witness = WITNESS_FIRST_SIGHT;
	}
	return 0;
}

/* rpm -V's question, of a header that nobody vouches for. */
static int by_header(const struct against *a, struct error *err)
{
	const struct one_package *one = a->one;
	const struct manifest *candidate = one->proof ? one->proof->manifest : NULL;
	const struct package_input input = {
		.name = one->key.part[2],
		.files = &a->p->files,
		.config = &a->p->config,
		.claims = &a->p->claims,
		.redirects = &a->j->exceptions.redirects,
		.candidates = &candidate,
		.candidate_count = 1,
		.rpm = &one->rpm,
		.measured = &a->p->measured,
	};
	const struct package_verdict *verdict;

	/* The header may be another package's: then it says nothing of this one. */
	if (!candidate || !rpm_proof_is_of(one->proof, &one->key)) {
		return 0;
	}
	if (package_judge(&a->j->work, &input, &verdict, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < verdict->count; i++) {
		const struct package_item *item = &verdict->item[i];
		struct change change = begin(a, RULE_FILE_CHANGED, item->path);
		bool proved;

		if (item->kind == PACKAGE_ITEM_MISSING && !item->in_config &&
		    tell_missing(a, item->want, false, true, err) < 0) {
			return -1;
		}
		if (item->kind != PACKAGE_ITEM_DIFFERS || package_is_only_masked(item)) {
			continue;
		}
		change.now = item->now;
		change.was = item->want;
		change.differences = item->differences;
		if (rpm_shared_explains(a->j, a->p, one, item->now, &change.differences, err) < 0 ||
		    tell_file(a, change, &proved, err) < 0) {
			return -1;
		}
	}
	return rpm_tell_claims(a->j, a->p, one, err);
}

static int by_history(struct judge *j, struct packages *p, struct one_package *one,
		      struct error *err)
{
	struct against a = {j, p, one, WITNESS_BASELINE, NULL, false};
	struct against host = {
		j,    p, one, WITNESS_HOST, "By the host's own database, which proves nothing.",
		false};

	if (one->accepted == PACKAGE_ACCEPTED) {
		j->counts->packages_by_witness[WITNESS_BASELINE]++;
		count_all(&a, &p->files, true);
		return 0;
	}
	if (builds_self_md5(j, one, err) < 0) {
		return -1;
	}
	if (one->self_md5) {
		host.detail = "By md5sums that dpkg computed itself when it unpacked: they prove "
			      "nothing.";
	}
	if (load_earlier(j, p, one, &a.witness, err) < 0 || load_measured(j, p, one, err) < 0) {
		return -1;
	}
	j->counts->packages_by_witness[a.witness]++;
	if (a.witness == WITNESS_HOST) {
		count_all(&a, &p->files, false);
	} else if (by_earlier(&a, err) < 0) {
		return -1;
	}
	if (tell_capabilities(&a, err) < 0 || by_database(&host, err) < 0 ||
	    missing_by_database(&host, err) < 0) {
		return -1;
	}
	if (bytes_equal_string(p->manager, "rpm")) {
		return by_header(&host, err);
	}
	if (!same_section(j->in->now, judge_first(j), &one->key, SECTION_CLAIMS)) {
		a.witness = WITNESS_FIRST_SIGHT;
		return claims_changed(&a, err);
	}
	return 0;
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

static int config_by_history(struct judge *j, struct packages *p, struct one_package *one,
			     struct error *err)
{
	struct against a = {j, p, one, WITNESS_BASELINE, NULL, false};
	int result = 0;

	for (size_t i = 0; result == 0 && i < p->config.count; i++) {
		const struct entry *now = &p->config.item[i];
		const struct manifest_entry *want = find_config(one, now);

		a.witness = want ? WITNESS_MANIFEST : WITNESS_BASELINE;
		result = tell_config(&a, now, want, err);
	}
	/* One that was there and is gone. */
	for (size_t i = 0; result == 0 && i < p->config_was.count; i++) {
		const struct entry *was = &p->config_was.item[i];
		struct manifest_entry want = {.entry = *was, .tags = MANIFEST_CONFIG};

		if (!entry_list_find(&p->config, was->path)) {
			a.witness = WITNESS_FIRST_SIGHT;
			result = tell_missing(&a, &want, true, true, err);
		}
	}
	return result;
}

int package_files(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	if (one->candidate_count > 0) {
		return by_manifest(j, p, one, err);
	}
	if (by_history(j, p, one, err) < 0) {
		return -1;
	}
	return config_by_history(j, p, one, err);
}

int package_left(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	return config_by_history(j, p, one, err);
}
