// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>

#include "controller/judge/path_class.h"
#include "controller/judge/rpm_asked.h"
#include "schema/escape.h"

/*
 * What the vendor's signature over a package's header is worth on this host, and what the host's
 * database adds to it. Which files differ is package_files.c's matter.
 */

#define UNKNOWN_KEYS_MAX 64U
#define UNKNOWN_KEY_NAMES 3U

int rpm_names_load(struct judge *j, struct error *err)
{
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_HOST, none, none, none, none);
	struct rpm_names names;
	bool found;

	if (judge_load(j, j->in->now, &key, &j->buffer[0], &found, err) < 0) {
		return -1;
	}
	rpm_names_read(found ? buffer_bytes(&j->buffer[0]) : none, &names);
	j->names.users = names.users.data ? judge_keep(j, names.users) : none;
	j->names.groups = names.groups.data ? judge_keep(j, names.groups) : none;
	return 0;
}

static enum rule rule_of(enum rpm_verdict verdict)
{
	switch (verdict) {
	case RPM_PROOF_UNSIGNED:
	case RPM_PROOF_UNSUPPORTED:
		return RULE_HEADER_UNSIGNED;
	case RPM_PROOF_UNKNOWN_KEY:
		return RULE_HEADER_UNKNOWN_KEY;
	case RPM_PROOF_OUTSIDE:
	case RPM_PROOF_REVOKED:
	case RPM_PROOF_EXPIRED:
		return RULE_HEADER_OUTSIDE;
	default:
		return RULE_HEADER_BAD;
	}
}

struct unknown_key {
	struct bytes fingerprint;
	size_t count;
	struct bytes names[UNKNOWN_KEY_NAMES];
};

static void count_key(struct unknown_key *keys, size_t *count, const struct rpm_note *note)
{
	struct unknown_key *key = NULL;

	for (size_t i = 0; i < *count && !key; i++) {
		if (bytes_equal(keys[i].fingerprint, note->fingerprint)) {
			key = &keys[i];
		}
	}
	if (!key && *count == UNKNOWN_KEYS_MAX) {
		key = &keys[UNKNOWN_KEYS_MAX - 1];
	} else if (!key) {
		key = &keys[(*count)++];
		key->fingerprint = note->fingerprint;
	}
	if (key->count < UNKNOWN_KEY_NAMES) {
		key->names[key->count] = note->package;
	}
	key->count++;
}

int rpm_tell_keys(struct judge *j, struct error *err)
{
	struct unknown_key keys[UNKNOWN_KEYS_MAX] = {{{NULL, 0}, 0, {{NULL, 0}}}};
	size_t count = 0;
	int result = 0;

	for (size_t i = 0; i < j->note_count; i++) {
		if (j->note[i].kind == RPM_NOTE_UNKNOWN_KEY) {
			count_key(keys, &count, &j->note[i]);
		}
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		const struct unknown_key *key = &keys[i];
		char detail[1024], name[256];
		struct change change = {
			.rule = RULE_HEADER_UNKNOWN_KEY,
			.witness = WITNESS_RULE,
			.path = key->fingerprint,
			.new_line = BYTES_LITERAL("unknown-key"),
			.detail = detail,
		};
		int len = snprintf(detail, sizeof(detail),
				   "%zu packages are signed by it:", key->count);

		for (size_t n = 0; n < key->count && n < UNKNOWN_KEY_NAMES; n++) {
			len += snprintf(detail + len, sizeof(detail) - (size_t)len, "%s %s",
					n > 0 ? "," : "",
					escape_text(key->names[n], name, sizeof(name)));
		}
		(void)snprintf(detail + len, sizeof(detail) - (size_t)len, "%s.",
			       key->count > UNKNOWN_KEY_NAMES ? " ..." : "");
		result = judge_emit(j, &change, err);
	}
	return result;
}

/* The signature does not prove the package: why. */
static int tell_verdict(struct judge *j, const struct one_package *one, enum rule rule,
			const char *words, const char *reason, struct error *err)
{
	const struct rpm_proof *proof = one->proof;
	char detail[1024];
	struct change change = {
		.rule = rule,
		.witness = WITNESS_RULE,
		.path = one->subject,
		.package = one->text,
		.new_line = package_accept_line(j, one),
		.detail = detail,
	};

	if (rule == RULE_HEADER_BAD) {
		/* Nobody may accept that. */
		change.new_line = bytes_from_string(words);
	}
	(void)snprintf(detail, sizeof(detail), "%s%s%s%s%s%s%s.", words,
		       proof && proof->fingerprint[0] ? ": key " : "",
		       proof ? proof->fingerprint : "", proof && proof->origin[0] ? " of " : "",
		       proof ? proof->origin : "", reason[0] ? ", " : "", reason);
	return judge_emit(j, &change, err);
}

static bool same_file(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return a->entry.type == b->entry.type && a->entry.mode == b->entry.mode &&
	       bytes_equal(a->entry.link, b->entry.link) &&
	       (!a->entry.has_sha256 || !b->entry.has_sha256 ||
		digest_equal(&a->entry.sha256, &b->entry.sha256));
}

/* The first file in which the two part, or nothing. */
static struct bytes first_difference(const struct manifest *signed_one,
				     const struct manifest *other)
{
	for (size_t i = 0; i < signed_one->count; i++) {
		const struct manifest_entry *entry = &signed_one->entries[i];
		const struct manifest_entry *found;

		if (entry->entry.type == ENTRY_DIR || (entry->tags & MANIFEST_NOCONTENT)) {
			continue;
		}
		found = manifest_find(other, entry->entry.path);
		if (!found || !same_file(entry, found)) {
			return entry->entry.path;
		}
	}
	return (struct bytes){NULL, 0};
}

/* Two witnesses that both say they know the build. */
static int tell_manifests(struct judge *j, const struct one_package *one, struct error *err)
{
	struct bytes first = {NULL, 0};
	char detail[1024], origin[256], path[400];
	struct change change = {
		.rule = RULE_HEADER_MANIFEST,
		.witness = WITNESS_SIGNATURE,
		.path = one->subject,
		.package = one->text,
		.detail = detail,
	};

	for (size_t i = 0; i < one->candidate_count; i++) {
		first = first_difference(one->proof->manifest, one->candidates[i]);
		if (first.len == 0) {
			return 0;
		}
	}
	if (one->candidate_count == 0) {
		return 0;
	}
	(void)snprintf(
		detail, sizeof(detail),
		"The header that %s signed and the manifest of %s differ in %s.",
		one->proof->fingerprint,
		escape_text(bytes_from_string(one->candidates[0]->origin), origin, sizeof(origin)),
		escape_text(first, path, sizeof(path)));
	change.new_line = BYTES_LITERAL("disagree");
	return judge_emit(j, &change, err);
}

/* rpm keeps imported keys as packages: without files, and signed by nobody. */
static bool is_public_key(const struct packages *p, const struct one_package *one)
{
	return bytes_equal_string(one->key.part[2], "gpg-pubkey") && p->files.count == 0 &&
	       p->config.count == 0 &&
	       (!one->proof || !one->proof->header || one->proof->header->file_count == 0);
}

/* Why the package has no proof, or NULL where the bytes of its header are not at hand. */
static const char *why_no_proof(struct judge *j, const struct packages *p,
				const struct one_package *one)
{
	struct section_key key = one->key;
	uint8_t room[SECTION_KEY_MAX];

	if (p->rpm_claims.is_bare) {
		return "no part of the header can carry a signature";
	}
	key.kind = SECTION_HEADER;
	key.part[0] = bytes_from_string(section_kind_name(SECTION_HEADER));
	/* Where the database could not be read, that is what is told. */
	return observation_find(j->in->now, judge_key(&key, room)) || j->package_gaps.everywhere
		       ? NULL
		       : "its header was not sent";
}

/* Whose names are compared with what the host knows: whom header and files belong to. */
static void ask_owners(struct judge *j, const struct packages *p, const struct one_package *one)
{
	const struct rpm_header *header = one->proof ? one->proof->header : NULL;

	for (size_t i = 0; header && i < header->file_count; i++) {
		rpm_ask_owner(j, header->files[i].user, header->files[i].group);
	}
	for (size_t i = 0; header && i < p->files.count; i++) {
		rpm_ask_owner(j, p->files.item[i].owner, p->files.item[i].group);
	}
	for (size_t i = 0; header && i < p->config.count; i++) {
		rpm_ask_owner(j, p->config.item[i].owner, p->config.item[i].group);
	}
}

int rpm_prove(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	bool is_accepted = one->accepted == PACKAGE_ACCEPTED;
	const char *why;

	if (!j->in->proofs) {
		return 0;
	}
	one->header = rpm_header_section(j, &one->key);
	if (one->header && rpm_ask_proof(j, one->header, &one->proof, err) < 0) {
		return -1;
	}
	ask_owners(j, p, one);
	one->rpm = (struct rpm_facts){one->proof ? one->proof->header : NULL, j->names};
	if (is_public_key(p, one)) {
		return 0;
	}
	if (!one->proof) {
		why = is_accepted ? NULL : why_no_proof(j, p, one);
		return why ? tell_verdict(j, one, RULE_HEADER_UNSIGNED, why, "", err) : 0;
	}
	if (one->proof->header && !rpm_proof_is_of(one->proof, &one->key)) {
		return tell_verdict(j, one, RULE_HEADER_BAD, "the header is another package's", "",
				    err);
	}
	if (rpm_proves(one->proof, &one->key)) {
		if (tell_manifests(j, one, err) < 0) {
			return -1;
		}
		one->is_signed = true;
		rpm_note_weak(j, one);
		one->signed_candidate[0] = one->proof->manifest;
		one->candidates = one->signed_candidate;
		one->candidate_count = 1;
		return 0;
	}
	if (is_accepted && rule_of(one->proof->verdict) != RULE_HEADER_BAD) {
		return 0;
	}
	if (one->proof->verdict == RPM_PROOF_UNKNOWN_KEY) {
		rpm_note(j, RPM_NOTE_UNKNOWN_KEY, bytes_from_string(one->proof->fingerprint),
			 one->text);
		return 0;
	}
	return tell_verdict(j, one, rule_of(one->proof->verdict),
			    rpm_verdict_name(one->proof->verdict), one->proof->reason, err);
}

/* --- what the host's database adds */

bool rpm_state_excuses(const struct one_package *one, const struct rpm_claims *claims,
		       const struct manifest_entry *want)
{
	const struct rpm_file *file = &one->rpm.header->files[want->rpm->file];
	uint32_t class = path_class(want->entry.path);

	switch (rpm_claims_state(claims, want->rpm->file)) {
	case RPM_STATE_NOT_INSTALLED:
		return (file->flags & RPM_FILE_DOC) || file->langs.len > 0 || (class & PATH_DOC);
	case RPM_STATE_NET_SHARED:
		return !(class & (PATH_BIN | PATH_LIB | PATH_TELLING));
	default:
		return false;
	}
}

static int tell_overrides(struct judge *j, const struct packages *p, const struct one_package *one,
			  struct error *err)
{
	static const struct {
		uint32_t tag;
		const char *name;
	} names[] = {
		{1028, "sizes"},        {1029, "states"},      {1030, "modes"},
		{1033, "devices"},      {1034, "mtimes"},      {1035, "digests"},
		{1036, "links"},        {1037, "flags"},       {1039, "users"},
		{1040, "groups"},       {1045, "verify"},      {1116, "directories"},
		{1117, "names"},        {1118, "directories"}, {5008, "sizes"},
		{5010, "capabilities"}, {5011, "algorithm"},
	};
	const struct rpm_claims *claims = &p->rpm_claims;
	char detail[1024] = "Behind the signed region stand again:", line[256] = "override";
	struct change change = {
		.rule = RULE_HEADER_OVERRIDDEN,
		.witness = WITNESS_SIGNATURE,
		.path = one->subject,
		.package = one->text,
		.detail = detail,
	};
	size_t len = strlen(detail), line_len = strlen(line), paths = 0;

	for (size_t i = 0; i < claims->override_count && i < RPM_CLAIMS_OVERRIDES; i++) {
		const char *name = "tag";

		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			name = names[n].tag == claims->overrides[i] ? names[n].name : name;
		}
		paths += claims->overrides[i] >= 1116 && claims->overrides[i] <= 1118;
		len += (size_t)snprintf(detail + len, sizeof(detail) - len, "%s %s (%u)",
					i > 0 ? "," : "", name, claims->overrides[i]);
		line_len += (size_t)snprintf(line + line_len, sizeof(line) - line_len, " %u",
					     claims->overrides[i]);
	}
	/* rpm --relocate writes the paths anew, and keeps the old ones under other tags. */
	if (claims->is_relocated && paths == claims->override_count) {
		return 0;
	}
	(void)snprintf(detail + len, sizeof(detail) - len, ". rpm believes these.");
	change.new_line = bytes_make(line, line_len);
	return claims->override_count == 0 ? 0 : judge_emit(j, &change, err);
}

/* The object of a header's file on this host. */
static const struct entry *find_object(struct judge *j, const struct packages *p, struct bytes path)
{
	const struct entry *found = entry_list_find(&p->files, path);
	const struct dir *dir;

	found = found ? found : entry_list_find(&p->config, path);
	if (found) {
		return found;
	}
	dir = dirs_find(j, path);
	if (dir) {
		rpm_ask_owner(j, dir->entry.owner, dir->entry.group);
	}
	return dir ? &dir->entry : NULL;
}

/* A file that is there and differs, and that rpm does not look at because of its state. */
static int count_hidden(struct judge *j, struct packages *p, const struct one_package *one,
			const struct manifest_entry *want, size_t *hidden, struct bytes *first,
			struct error *err)
{
	const struct entry *now = find_object(j, p, want->entry.path);
	uint32_t differences;

	if (!now) {
		return 0;
	}
	differences = rpm_differences(&one->rpm, now, want, package_measured(&p->measured, now)) &
		      (DIFFERS_MORE_THAN_TIME | DIFFERS_FLAGS);
	/* What --replacefiles put there is no deception, and is told of the file. */
	if (differences != 0 &&
	    rpm_shared_explains(j, p, one, now, NULL, &differences, NULL, err) < 0) {
		return -1;
	}
	if (differences != 0 && !known_as(j, now, want, NULL)) {
		*first = *hidden == 0 ? want->entry.path : *first;
		(*hidden)++;
	}
	return 0;
}

static int tell_states(struct judge *j, struct packages *p, const struct one_package *one,
		       struct error *err)
{
	const struct manifest *manifest = one->proof->manifest;
	struct bytes first = {NULL, 0};
	size_t hidden = 0;
	char detail[1024], path[600], line[64];
	struct change change = {
		.rule = RULE_HEADER_STATES,
		.witness = one->is_signed ? WITNESS_SIGNATURE : WITNESS_HOST,
		.path = one->subject,
		.package = one->text,
		.detail = detail,
	};

	for (size_t i = 0; i < manifest->count; i++) {
		const struct manifest_entry *want = &manifest->entries[i];

		if (rpm_claims_state(&p->rpm_claims, want->rpm->file) > RPM_STATE_NORMAL &&
		    count_hidden(j, p, one, want, &hidden, &first, err) < 0) {
			return -1;
		}
	}
	if (hidden == 0) {
		return 0;
	}
	(void)snprintf(detail, sizeof(detail),
		       "%zu changed files are marked as not installed, shared or replaced, so that "
		       "rpm -V passes them over: %s%s.",
		       hidden, escape_text(first, path, sizeof(path)), hidden > 1 ? " ..." : "");
	(void)snprintf(line, sizeof(line), "states hide %zu", hidden);
	change.new_line = bytes_from_string(line);
	return judge_emit(j, &change, err);
}

int rpm_tell_claims(struct judge *j, struct packages *p, const struct one_package *one,
		    struct error *err)
{
	if (tell_overrides(j, p, one, err) < 0) {
		return -1;
	}
	return one->proof && one->proof->manifest && p->rpm_claims.states
		       ? tell_states(j, p, one, err)
		       : 0;
}
