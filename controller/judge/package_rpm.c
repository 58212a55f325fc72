// SPDX-License-Identifier: MIT
#include "controller/judge/packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "baselines/usrmerge.h"
#include "controller/judge/path_class.h"
#include "schema/escape.h"
#include "schema/siphash.h"

/*
 * What the vendor's signature over a package's header is worth on this host, and what the host's
 * database adds to it. Which files differ is package_files.c's matter.
 */

#define UNKNOWN_KEYS_MAX 64U
#define UNKNOWN_KEY_NAMES 3U
#define COLOR_MASK 0xfU
#define COLOR_ELF32 1U
#define COLOR_ELF64 2U

struct unknown_key {
	const char *fingerprint;
	size_t count;
	struct bytes names[UNKNOWN_KEY_NAMES];
};

struct shared_path {
	uint64_t hash;
	const struct rpm_proof *proof;
	uint32_t entry; /* of the proof's manifest */
};

static const uint8_t path_key[SIPHASH_KEY_SIZE] = "rpm paths shared";

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

/* NULL where there is no header section, or its bytes cannot be had. */
static int find_proof(struct judge *j, struct bytes manager, const struct installed *of,
		      const struct rpm_proof **proof, struct error *err)
{
	struct section_key key =
		section_key_make(SECTION_HEADER, manager, of->name, of->version, of->arch);
	uint8_t room[SECTION_KEY_MAX];
	const struct observed_section *section =
		observation_find(j->in->now, judge_key(&key, room));

	*proof = NULL;
	return section ? j->in->proofs->find(j->in->proofs->context, &section->content, proof, err)
		       : 0;
}

static bool proves(const struct rpm_proof *proof, const struct section_key *key)
{
	return proof && proof->verdict == RPM_PROOF_GOOD && rpm_proof_is_of(proof, key);
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

static void note_unknown_key(struct judge *j, struct packages *p, const struct rpm_proof *proof,
			     struct bytes name)
{
	struct unknown_key *key = NULL;

	if (!p->unknown_keys) {
		p->unknown_keys = judge_alloc(j, UNKNOWN_KEYS_MAX, sizeof(*p->unknown_keys));
	}
	for (size_t i = 0; p->unknown_keys && i < p->unknown_key_count && !key; i++) {
		if (strcmp(p->unknown_keys[i].fingerprint, proof->fingerprint) == 0) {
			key = &p->unknown_keys[i];
		}
	}
	if (!p->unknown_keys) {
		return;
	}
	if (!key && p->unknown_key_count == UNKNOWN_KEYS_MAX) {
		key = &p->unknown_keys[UNKNOWN_KEYS_MAX - 1];
	} else if (!key) {
		key = &p->unknown_keys[p->unknown_key_count++];
		*key = (struct unknown_key){.fingerprint = proof->fingerprint};
	}
	if (key->count < UNKNOWN_KEY_NAMES) {
		key->names[key->count] = name;
	}
	key->count++;
}

int rpm_tell_keys(struct judge *j, const struct packages *p, struct error *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < p->unknown_key_count; i++) {
		const struct unknown_key *key = &p->unknown_keys[i];
		char detail[1024], name[256];
		struct change change = {
			.rule = RULE_HEADER_UNKNOWN_KEY,
			.witness = WITNESS_RULE,
			.path = bytes_from_string(key->fingerprint),
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

int rpm_prove(struct judge *j, struct packages *p, struct one_package *one, struct error *err)
{
	const struct installed of = {one->key.part[2], one->key.part[4], one->key.part[3]};
	bool is_accepted = one->accepted == PACKAGE_ACCEPTED;
	const char *why;

	if (!j->in->proofs) {
		return 0;
	}
	if (find_proof(j, p->manager, &of, &one->proof, err) < 0) {
		return -1;
	}
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
	if (proves(one->proof, &one->key)) {
		if (tell_manifests(j, one, err) < 0) {
			return -1;
		}
		one->is_signed = true;
		rpm_note_weak(j, p, one);
		one->signed_candidate[0] = one->proof->manifest;
		one->candidates = one->signed_candidate;
		one->candidate_count = 1;
		return 0;
	}
	if (is_accepted && rule_of(one->proof->verdict) != RULE_HEADER_BAD) {
		return 0;
	}
	if (one->proof->verdict == RPM_PROOF_UNKNOWN_KEY) {
		note_unknown_key(j, p, one->proof, one->text);
		return 0;
	}
	return tell_verdict(j, one, rule_of(one->proof->verdict),
			    rpm_verdict_name(one->proof->verdict), one->proof->reason, err);
}

/* --- paths of several packages */

static int compare_shared(const void *left, const void *right)
{
	const struct shared_path *a = left, *b = right;

	return (a->hash > b->hash) - (a->hash < b->hash);
}

static void add_shared(struct packages *p, const struct rpm_proof *proof)
{
	for (size_t i = 0; i < proof->manifest->count; i++) {
		const struct entry *entry = &proof->manifest->entries[i].entry;

		if (entry->type != ENTRY_DIR) {
			p->shared[p->shared_count++] = (struct shared_path){
				siphash(path_key, entry->path), proof, (uint32_t)i};
		}
	}
}

/* Only a host on which a file differs pays for this. */
static int list_shared(struct judge *j, struct packages *p, struct error *err)
{
	const struct rpm_proof **proofs = judge_alloc(j, p->now.count + 1, sizeof(void *));
	size_t total = 0;

	for (size_t i = 0; proofs && i < p->now.count; i++) {
		const struct installed *one = &p->now.item[i];
		struct section_key key = section_key_make(SECTION_PACKAGE, p->manager, one->name,
							  one->version, one->arch);

		if (find_proof(j, p->manager, one, &proofs[i], err) < 0) {
			return -1;
		}
		proofs[i] = proves(proofs[i], &key) ? proofs[i] : NULL;
		total += proofs[i] ? proofs[i]->manifest->count : 0;
	}
	p->shared = judge_alloc(j, total + 1, sizeof(*p->shared));
	for (size_t i = 0; proofs && p->shared && i < p->now.count; i++) {
		if (proofs[i]) {
			add_shared(p, proofs[i]);
		}
	}
	if (p->shared && p->shared_count > 1) {
		qsort(p->shared, p->shared_count, sizeof(*p->shared), compare_shared);
	}
	return 0;
}

/* A ghost's content is nobody's, and what is masked fits whatever is there. */
static bool is_compared(const struct manifest_entry *want)
{
	const uint32_t all = RPM_VERIFY_DIGEST | RPM_VERIFY_SIZE | RPM_VERIFY_LINK |
			     RPM_VERIFY_USER | RPM_VERIFY_GROUP | RPM_VERIFY_MODE |
			     RPM_VERIFY_RDEV | RPM_VERIFY_CAPS;

	return !(want->rpm->flags & RPM_FILE_GHOST) && (want->rpm->verify & all) == all;
}

/* Older files over newer ones are what `rpm -i --force` leaves: both builds are in the database. */
static bool is_older_build(const struct rpm_proof *other, const struct one_package *one)
{
	return bytes_equal(other->header->name, one->key.part[2]) &&
	       judge_rpm_version_compare(other->header->evr, one->key.part[3]) < 0;
}

/* The object is just what the other package has. */
static bool is_others(const struct judge *j, const struct shared_path *shared,
		      const struct entry *now, const uint8_t *md5)
{
	const struct rpm_facts facts = {shared->proof->header, j->names};
	const struct manifest_entry *want = &shared->proof->manifest->entries[shared->entry];

	return is_compared(want) && (rpm_differences(&facts, now, want, md5) &
				     (DIFFERS_MORE_THAN_TIME | DIFFERS_UNREAD)) == 0;
}

/*
 * Packages of two names have a path together only where they agree on it: rpm installs no other
 * (--replacefiles and --force do). The one exception is a 64-bit program over a 32-bit one.
 */
static bool may_differ(const struct one_package *one, const struct manifest_entry *mine,
		       const struct shared_path *shared)
{
	const struct rpm_header *other = shared->proof->header;
	const struct manifest_entry *theirs = &shared->proof->manifest->entries[shared->entry];

	return !mine || !one->is_signed || bytes_equal(other->name, one->key.part[2]) ||
	       ((one->rpm.header->files[mine->rpm->file].color & COLOR_MASK) == COLOR_ELF32 &&
		(other->files[theirs->rpm->file].color & COLOR_MASK) == COLOR_ELF64);
}

int rpm_shared_explains(struct judge *j, struct packages *p, const struct one_package *one,
			const struct entry *now, const struct manifest_entry *mine,
			uint32_t *differences, const struct rpm_proof **like, struct error *err)
{
	uint64_t hash = siphash(path_key, now->path);
	size_t low = 0, high;

	if (!p->shared && list_shared(j, p, err) < 0) {
		return -1;
	}
	high = p->shared ? p->shared_count : 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->shared[middle].hash < hash) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (; p->shared && low < p->shared_count && p->shared[low].hash == hash; low++) {
		const struct shared_path *shared = &p->shared[low];
		const struct rpm_proof *other = shared->proof;
		const struct entry *theirs = &other->manifest->entries[shared->entry].entry;

		if (other == one->proof || !bytes_equal(theirs->path, now->path) ||
		    is_older_build(other, one)) {
			continue;
		}
		/* rpm drops the time of a path that several packages have. */
		*differences &= ~(uint32_t)DIFFERS_TIME;
		if (!is_others(j, shared, now, package_measured(&p->measured, now))) {
			continue;
		}
		if (may_differ(one, mine, shared)) {
			*differences &= DIFFERS_FLAGS;
		} else if (like) {
			*like = other;
		}
	}
	return 0;
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
