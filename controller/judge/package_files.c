// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "controller/judge/against.h"
#include "controller/judge/path_class.h"
#include "schema/escape.h"

static int tell_claimed_config(const struct against *a, const struct package_item *item,
			       struct error *err)
{
	struct change change = against_begin(a, RULE_DATABASE_DISAGREES, item->path);
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
	return package_has_prelink(a->p);
}

/* The file is a package's of another name, which explains nothing (rpm_shared_explains). */
static void say_like(const struct rpm_proof *like, const char *before, char *to, size_t room)
{
	char said[1000], name[128], version[128];

	(void)snprintf(said, sizeof(said), "%s", before ? before : "");
	(void)snprintf(to, room,
		       "%s It is just what %s %s has, which is signed too: rpm puts one package's "
		       "file over another's only by force.",
		       said, escape_text(like->header->name, name, sizeof(name)),
		       escape_text(like->header->evr, version, sizeof(version)));
}

static int tell_item(const struct against *a, const struct package_item *item, struct error *err)
{
	struct change change = against_begin(a, RULE_FILE_CHANGED, item->path);
	char detail[1400];
	struct masked masked = {.is_proved = true};
	const struct rpm_proof *like = NULL;
	bool proved = false;

	switch (item->kind) {
	case PACKAGE_ITEM_CONFIG:
		return package_config_tell(a, item->now, item->want, err);
	case PACKAGE_ITEM_DIFFERS:
		if (item->is_masked && package_masked(a->j, a->p, a->one, item, &masked, err) < 0) {
			return -1;
		}
		if (package_is_only_masked(item)) {
			against_count(a, item->now, masked.is_proved);
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
		if (item->want->rpm &&
		    rpm_shared_explains(a->j, a->p, a->one, item->now, item->want,
					&change.differences, &like, err) < 0) {
			return -1;
		}
		if (like) {
			say_like(like, change.detail, detail, sizeof(detail));
			change.detail = detail;
		}
		if (against_tell_file(a, change, &proved, err) < 0) {
			return -1;
		}
		against_count(a, item->now, proved && masked.is_proved && !item->diverted_unknown);
		return 0;
	case PACKAGE_ITEM_MISSING:
		return against_tell_missing(a, item->want, item->in_config, item->claimed, err);
	case PACKAGE_ITEM_EXTRA:
		/* A conffile that only an earlier version had stays until it is purged. */
		if (item->in_config && item->obsolete && item->now->type == ENTRY_FILE &&
		    path_is_below(item->path, BYTES_LITERAL("/etc")) &&
		    (item->now->mode & MODE_SETID) == 0) {
			return package_config_tell(a, item->now, NULL, err);
		}
		return against_tell_extra(a, item->now, err);
	case PACKAGE_ITEM_CLAIM_MD5:
		return against_tell_md5(a, item->path, item->want->md5, item->md5, err);
	case PACKAGE_ITEM_CLAIM_CONFIG:
		return tell_claimed_config(a, item, err);
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
	struct expectation expected = {.package = one->text};
	char detail[512], origin[256];

	p->measured.count = 0;
	if (one->is_signed && one->rpm.header->digest_algorithm == RPM_DIGEST_MD5 &&
	    package_load_measured(j, p, one, err) < 0) {
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
	expected.manifest = verdict->manifest;
	if (one->is_signed) {
		expected.rpm = one->rpm.header;
		expected.header = *one->header;
	}
	dirs_expect(j, &expected);
	if (builds_mixed(j, one, verdict, err) < 0) {
		return -1;
	}
	return one->is_signed ? rpm_tell_claims(j, p, one, err) : 0;
}

int package_files(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	if (one->candidate_count > 0) {
		return by_manifest(j, p, one, err);
	}
	if (package_by_history(j, p, one, err) < 0) {
		return -1;
	}
	return package_config_by_history(j, p, one, err);
}
