// SPDX-License-Identifier: MIT
#include "controller/judge/against.h"
#include "controller/judge/walk.h"

bool package_same_section(const struct observation *a, const struct observation *b,
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
int package_load_measured(struct judge *j, struct packages *p, const struct one_package *one,
			  struct error *err)
{
	const struct observation *from[] = {j->in->now, j->in->last, j->in->first};
	struct section_key key = one->key;
	bool found = false;

	key.kind = SECTION_MD5;
	key.part[0] = bytes_from_string(section_kind_name(SECTION_MD5));
	for (size_t i = 0; i < 3 && !found; i++) {
		if (i > 0 &&
		    !package_same_section(j->in->now, from[i], &one->key, SECTION_PACKAGE)) {
			continue;
		}
		if (judge_records(j, from[i], &key, MD5_FIELDS, ROWS_BY_PATH, &j->buffer[4],
				  &p->measured, &found, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Without a manifest: what the package was, entry by entry. */
static int by_earlier(const struct against *a, struct error *err)
{
	struct walk walk = walk_begin(&a->p->files, &a->p->was);
	int result = 0;

	while (result == 0 && walk_next(&walk)) {
		struct change change = against_begin(a, RULE_FILE_CHANGED, walk.path);
		bool proved = false;

		if (!walk.now) {
			struct manifest_entry want = {.entry = *walk.was, .tags = MANIFEST_CAPS};

			result = against_tell_missing(
				a, &want, false,
				!a->one->has_claims || package_claim(&a->p->claims, change.path),
				err);
			continue;
		}
		if (!walk.was) {
			result = against_tell_extra(a, walk.now, err);
			continue;
		}
		change.now = walk.now;
		change.was_entry = walk.was;
		change.differences = compare_entries(walk.now, walk.was);
		if (change.differences != 0) {
			result = against_tell_file(a, change, &proved, err);
		}
		against_count(a, walk.now,
			      a->witness == WITNESS_BASELINE && change.differences == 0);
	}
	return result;
}

/* A capability is in no .deb: without an accepted state nothing proves one. */
static int tell_capabilities(const struct against *a, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < a->p->files.count; i++) {
		const struct entry *now = &a->p->files.item[i];
		struct change change = against_begin(a, RULE_CAPABILITY_GAINED, now->path);

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
		struct change change = against_begin(a, RULE_FILE_CHANGED, path);
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
		result = against_tell_missing(a, &want, false, true, err);
	}
	return result;
}

static void count_all(const struct against *a, const struct entry_list *list, bool proved)
{
	for (size_t i = 0; i < list->count; i++) {
		against_count(a, &list->item[i], proved);
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
			result = against_tell_md5(a, now->field[CLAIM_PATH], md5.data,
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
		struct change change = against_begin(a, RULE_FILE_CHANGED, item->path);
		bool proved;

		if (item->kind == PACKAGE_ITEM_MISSING && !item->in_config &&
		    against_tell_missing(a, item->want, false, true, err) < 0) {
			return -1;
		}
		if (item->kind != PACKAGE_ITEM_DIFFERS || package_is_only_masked(item)) {
			continue;
		}
		change.now = item->now;
		change.was = item->want;
		change.differences = item->differences;
		if (rpm_shared_explains(a->j, a->p, one, item->now, item->want, &change.differences,
					NULL, err) < 0 ||
		    against_tell_file(a, change, &proved, err) < 0) {
			return -1;
		}
	}
	return rpm_tell_claims(a->j, a->p, one, err);
}

int package_by_history(struct judge *j, struct packages *p, struct one_package *one,
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
	if (load_earlier(j, p, one, &a.witness, err) < 0 ||
	    package_load_measured(j, p, one, err) < 0) {
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
	if (!package_same_section(j->in->now, judge_first(j), &one->key, SECTION_CLAIMS)) {
		a.witness = WITNESS_FIRST_SIGHT;
		return claims_changed(&a, err);
	}
	return 0;
}
