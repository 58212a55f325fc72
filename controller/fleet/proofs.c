// SPDX-License-Identifier: MIT
#include "controller/fleet/proofs.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <uthash.h>

#include "baselines/arena.h"
#include "baselines/rpm/manifest.h"
#include "baselines/rpm/signature.h"
#include "baselines/signature/gpgv_batch.h"
#include "baselines/signature/vendor_keys.h"

#define WAVE 64U                        /* headers in memory while they are verified */
#define WAVE_BYTES ((size_t)64 << 20)   /* or so many bytes of them */
#define PARSED_MOST ((size_t)192 << 20) /* bytes of parsed headers kept from host to host */
#define REGION_TAG 63U

/* A header of the fleet, and what is known of it. */
struct known {
	UT_hash_handle hh;
	struct digest section;
	enum rpm_verdict verdict;
	char fingerprint[RPM_FINGERPRINT_SIZE];
	char reason[RPM_REASON_SIZE];
	bool is_final; /* as rpm_check.is_final */
	/* Once asked for: */
	struct rpm_proof *proof; /* NULL: not read yet */
	size_t size;
	uint64_t host; /* who asked last */
};

struct proofs {
	struct store *store;
	struct baseline *baseline;
	const char *folder;
	bool keeps;
	size_t runs_max;
	size_t known_max;
	const struct vendor_keys *keys; /* NULL: not read yet */
	struct vendor_keys *own;        /* where they are not the baseline's */
	struct digest by;               /* the keys and gpgv: what verdicts hang on */
	struct known *known;
	size_t parsed;  /* bytes of all proofs read */
	uint64_t host;  /* number of the one being judged */
	bool are_final; /* what it asked for */
	const struct object_source *objects;
	struct rpm_proof_source source;
	struct proofs_counts counts;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for proofs of rpm headers");
}

static struct known *find_known(const struct proofs *proofs, const struct digest *section)
{
	struct known *found = NULL;

	HASH_FIND(hh, proofs->known, section, sizeof(*section), found);
	return found;
}

static struct known *add_known(struct proofs *proofs, const struct store_proof *from, bool is_final,
			       struct error *err)
{
	struct known *made = calloc(1, sizeof(*made));

	if (!made) {
		(void)no_memory(err);
		return NULL;
	}
	made->section = from->section;
	made->verdict = from->verdict;
	made->is_final = is_final;
	memcpy(made->fingerprint, from->fingerprint, sizeof(made->fingerprint));
	memcpy(made->reason, from->reason, sizeof(made->reason));
	HASH_ADD(hh, proofs->known, section, sizeof(made->section), made);
	if (!made->hh.tbl) {
		free(made);
		(void)no_memory(err);
		return NULL;
	}
	return made;
}

/* What one gpgv does not know or takes for good another may not: a verdict is of both. */
static int know_by(struct proofs *proofs, struct error *err)
{
	const struct digest *keys = vendor_keys_digest(proofs->keys);
	char text[DIGEST_SIZE + 4096];
	struct error ignored;
	size_t len;

	memcpy(text, keys->bytes, DIGEST_SIZE);
	/* Where there is none, that is told when it is needed. */
	if (gpgv_version(text + DIGEST_SIZE, sizeof(text) - DIGEST_SIZE, &len, &ignored) < 0) {
		len = 0;
	}
	return EVP_Digest(text, DIGEST_SIZE + len, proofs->by.bytes, NULL, EVP_sha256(), NULL) == 1
		       ? 0
		       : no_memory(err);
}

static int read_keys(struct proofs *proofs, struct error *err)
{
	if (!proofs->folder && proofs->baseline) {
		return baseline_keys(proofs->baseline, &proofs->keys, err);
	}
	if ((proofs->folder ? vendor_keys_of_folder(proofs->folder, &proofs->own, err)
			    : vendor_keys_none(&proofs->own, err)) < 0) {
		return -1;
	}
	proofs->keys = proofs->own;
	return 0;
}

static int need_keys(struct proofs *proofs, struct error *err)
{
	if (proofs->keys) {
		return 0;
	}
	if (read_keys(proofs, err) < 0 || know_by(proofs, err) < 0) {
		proofs->keys = NULL;
		return -1;
	}
	return 0;
}

int proofs_keys(struct proofs *proofs, struct digest *keys, struct error *err)
{
	if (need_keys(proofs, err) < 0) {
		return -1;
	}
	*keys = proofs->by;
	return 0;
}

/* Verifying */

/* Headers whose verdict is wanted, their bytes held until a wave is full. */
struct wave {
	struct rpm_check checks[WAVE];
	struct digest sections[WAVE];
	size_t count;
	size_t bytes;
};

static void wave_clear(struct wave *wave)
{
	for (size_t i = 0; i < wave->count; i++) {
		free((void *)(uintptr_t)wave->checks[i].content.data);
	}
	wave->count = wave->bytes = 0;
}

/* Verdicts of a wave: into memory all of them, into the store those that will not change. */
static int wave_verify(struct proofs *proofs, struct wave *wave, struct error *err)
{
	struct store_proof *kept = calloc(wave->count + 1, sizeof(*kept));
	size_t final = 0;
	int result = -1;

	if (!kept) {
		(void)no_memory(err);
		goto out;
	}
	if (rpm_signature_check(proofs->keys, wave->checks, wave->count, gpgv_parallel(), err) <
	    0) {
		goto out;
	}
	for (size_t i = 0; i < wave->count; i++) {
		const struct rpm_check *check = &wave->checks[i];
		struct store_proof *to = &kept[final];

		*to = (struct store_proof){.section = wave->sections[i], .verdict = check->verdict};
		memcpy(to->fingerprint, check->fingerprint, sizeof(to->fingerprint));
		memcpy(to->reason, check->reason, sizeof(to->reason));
		if (!add_known(proofs, to, check->is_final, err)) {
			goto out;
		}
		final += check->is_final;
		proofs->counts.runs += check->runs;
	}
	proofs->counts.verified += wave->count;
	/* Kept first: what a host did not get to, it may get to at its next look. */
	result = proofs->keeps ? store_proof_put(proofs->store, &proofs->by, kept, final, err) : 0;
	if (result == 0 && proofs->counts.runs > proofs->runs_max) {
		result = error_set(err, ERROR_LIMIT, 0,
				   "its rpm headers have more signatures to verify than one host "
				   "may (%zu)",
				   proofs->runs_max);
	}
out:
	free(kept);
	wave_clear(wave);
	return result;
}

static int wave_add(struct proofs *proofs, struct wave *wave, const struct digest *section,
		    struct error *err)
{
	struct bytes content = {NULL, 0};
	uint8_t *copy;

	if (proofs->objects->load(proofs->objects->context, section, &content, err) < 0) {
		return -1;
	}
	copy = malloc(content.len + 1);
	if (!copy) {
		return no_memory(err);
	}
	if (content.len > 0) {
		memcpy(copy, content.data, content.len);
	}
	wave->sections[wave->count] = *section;
	wave->checks[wave->count++] = (struct rpm_check){.content = bytes_make(copy, content.len)};
	wave->bytes += content.len;
	return wave->count == WAVE || wave->bytes >= WAVE_BYTES ? wave_verify(proofs, wave, err)
								: 0;
}

/* *known: memory or the store has it. */
static int recall(struct proofs *proofs, const struct digest *section, bool *known,
		  struct error *err)
{
	struct store_proof stored = {.section = *section};

	*known = find_known(proofs, section) != NULL;
	if (*known) {
		return 0;
	}
	if (store_proof_get(proofs->store, &proofs->by, &stored, known, err) < 0) {
		return -1;
	}
	proofs->counts.recalled += *known;
	return *known && !add_known(proofs, &stored, true, err) ? -1 : 0;
}

static bool wave_has(const struct wave *wave, const struct digest *section)
{
	for (size_t i = 0; i < wave->count; i++) {
		if (digest_equal(&wave->sections[i], section)) {
			return true;
		}
	}
	return false;
}

int proofs_begin(struct proofs *proofs, const struct observation *now,
		 const struct object_source *objects, struct error *err)
{
	struct wave *wave = NULL;
	int result = 0;

	proofs->objects = objects;
	proofs->host++;
	proofs->are_final = true;
	proofs->counts.runs = 0;
	for (size_t i = 0; result == 0 && i < now->section_count; i++) {
		const struct digest *section = &now->sections[i].content;
		struct section_key key;
		bool known = false;

		if (!section_key_decode(now->sections[i].key, &key) || key.kind != SECTION_HEADER) {
			continue;
		}
		if (!wave && !(wave = calloc(1, sizeof(*wave)))) {
			return no_memory(err);
		}
		result = need_keys(proofs, err) < 0 ? -1 : recall(proofs, section, &known, err);
		if (result == 0 && !known && !wave_has(wave, section)) {
			result = wave_add(proofs, wave, section, err);
		}
	}
	if (result == 0 && wave && wave->count > 0) {
		result = wave_verify(proofs, wave, err);
	}
	if (wave) {
		wave_clear(wave);
	}
	free(wave);
	return result;
}

/* What the judge asks for */

static void drop_proof(struct proofs *proofs, struct known *known)
{
	if (known->proof) {
		/* Ours: const only for whoever is handed it. */
		manifest_free((struct manifest *)(uintptr_t)known->proof->manifest);
		rpm_header_free((struct rpm_header *)(uintptr_t)known->proof->header);
		free(known->proof);
		proofs->parsed -= known->size;
		known->proof = NULL;
		known->size = 0;
	}
}

static void free_known(struct proofs *proofs, struct known *known)
{
	drop_proof(proofs, known);
	free(known);
}

static void mark_malformed(struct rpm_proof *proof, struct known *known, const struct error *fault)
{
	proof->verdict = RPM_PROOF_MALFORMED;
	(void)snprintf(known->reason, sizeof(known->reason), "%.127s", fault->msg);
	proof->reason = known->reason;
}

/* Header and manifest of the region; a fault in them is the header's, lack of memory ours. */
static int read_region(struct rpm_proof *proof, struct known *known, struct bytes content,
		       struct error *err)
{
	struct rpm_section section;
	struct rpm_header *header = NULL;
	struct manifest *manifest = NULL;
	const struct rpm_item *region;
	struct error fault = {0};
	int result = -1;

	if (rpm_section_read(content, &section, &fault) == 0) {
		region = rpm_section_find(&section, RPM_ITEM_REGION, REGION_TAG);
		result = region ? rpm_header_parse(region->value, &header, &fault)
				: error_set(&fault, ERROR_PEER, 0, "rpm header: it has no region");
		rpm_section_clear(&section);
	}
	if (result == 0) {
		proof->header = header;
		result = rpm_manifest_make(header, "rpm header", proof->origin, &manifest, &fault);
	}
	if (result == 0) {
		manifest->trust = proof->verdict == RPM_PROOF_GOOD ? MANIFEST_SIGNED
								   : MANIFEST_UNSIGNED;
		proof->manifest = manifest;
		return 0;
	}
	if (fault.kind == ERROR_NOMEM) {
		*err = fault;
		return -1;
	}
	mark_malformed(proof, known, &fault);
	return 0;
}

static size_t size_of(const struct rpm_proof *proof)
{
	return sizeof(*proof) + (proof->header ? proof->header->memory->total : 0) +
	       (proof->manifest ? proof->manifest->memory->total : 0);
}

static int read_proof(struct proofs *proofs, struct known *known, struct bytes content,
		      struct error *err)
{
	struct rpm_proof *proof = calloc(1, sizeof(*proof));
	const struct trust_key *key = NULL;

	if (!proof) {
		return no_memory(err);
	}
	if (known->verdict != RPM_PROOF_UNKNOWN_KEY && known->fingerprint[0] != '\0') {
		key = vendor_keys_find(proofs->keys, known->fingerprint, known->fingerprint);
	}
	*proof = (struct rpm_proof){
		.verdict = known->verdict,
		.fingerprint = known->fingerprint,
		.origin = key ? vendor_keys_origin(key) : "",
		.reason = known->reason,
	};
	known->proof = proof;
	if (read_region(proof, known, content, err) < 0) {
		drop_proof(proofs, known);
		return -1;
	}
	known->size = size_of(proof);
	proofs->parsed += known->size;
	return 0;
}

static int verify_alone(struct proofs *proofs, const struct digest *section, struct error *err)
{
	struct wave *wave = calloc(1, sizeof(*wave));
	bool known = false;
	int result = -1;

	if (!wave) {
		return no_memory(err);
	}
	if (need_keys(proofs, err) == 0 && recall(proofs, section, &known, err) == 0) {
		result = known ? 0 : wave_add(proofs, wave, section, err);
		if (result == 0 && wave->count > 0) {
			result = wave_verify(proofs, wave, err);
		}
	}
	wave_clear(wave);
	free(wave);
	return result;
}

static int ask(struct proofs *proofs, const struct digest *section, const struct rpm_proof **proof,
	       struct error *err)
{
	struct known *known = find_known(proofs, section);
	struct bytes content = {NULL, 0};
	struct error ignored;

	*proof = NULL;
	if (!known || !known->proof) {
		if (proofs->objects->load(proofs->objects->context, section, &content, &ignored) <
		    0) {
			return 0;
		}
	}
	if (!known) {
		if (verify_alone(proofs, section, err) < 0) {
			return -1;
		}
		known = find_known(proofs, section);
		if (!known || proofs->objects->load(proofs->objects->context, section, &content,
						    &ignored) < 0) {
			return 0;
		}
	}
	if (!known->proof && read_proof(proofs, known, content, err) < 0) {
		return -1;
	}
	known->host = proofs->host;
	proofs->are_final = proofs->are_final && known->is_final;
	*proof = known->proof;
	return 0;
}

static int find(void *context, const struct digest *section, const struct rpm_proof **proof,
		struct error *err)
{
	struct proofs *proofs = context;
	int result = ask(proofs, section, proof, err);

	proofs->are_final = proofs->are_final && *proof;
	return result;
}

bool proofs_are_final(const struct proofs *proofs)
{
	return proofs->are_final;
}

const struct rpm_proof_source *proofs_source(const struct proofs *proofs)
{
	return &proofs->source;
}

static void forget(struct proofs *proofs)
{
	struct known *known = proofs->known, *next;

	/* The table goes, its members stay linked. */
	HASH_CLEAR(hh, proofs->known);
	for (; known; known = next) {
		next = known->hh.next;
		free_known(proofs, known);
	}
}

/* Hosts come in groups of equals: what the last one asked for, the next one will. */
void proofs_end(struct proofs *proofs)
{
	struct known *known, *next;

	proofs->objects = NULL;
	if (HASH_COUNT(proofs->known) > proofs->known_max) {
		forget(proofs);
	}
	if (proofs->parsed <= PARSED_MOST) {
		return;
	}
	HASH_ITER (hh, proofs->known, known, next) {
		if (known->host != proofs->host || proofs->parsed > 2 * PARSED_MOST) {
			drop_proof(proofs, known);
		}
	}
}

struct proofs_counts proofs_counts(const struct proofs *proofs)
{
	return proofs->counts;
}

int proofs_new(struct store *store, struct baseline *baseline, const char *folder, bool keeps,
	       struct proofs **proofs, struct error *err)
{
	struct proofs *made = calloc(1, sizeof(*made));

	if (!made) {
		return no_memory(err);
	}
	made->store = store;
	made->baseline = baseline;
	made->folder = folder;
	made->keeps = keeps;
	made->runs_max = PROOFS_RUNS_MAX;
	made->known_max = PROOFS_KNOWN_MAX;
	made->source = (struct rpm_proof_source){.context = made, .find = find};
	*proofs = made;
	return 0;
}

void proofs_set_runs_max(struct proofs *proofs, size_t most)
{
	proofs->runs_max = most;
}

void proofs_set_known_max(struct proofs *proofs, size_t most)
{
	proofs->known_max = most;
}

void proofs_free(struct proofs *proofs)
{
	if (!proofs) {
		return;
	}
	forget(proofs);
	vendor_keys_free(proofs->own);
	free(proofs);
}
