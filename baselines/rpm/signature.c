// SPDX-License-Identifier: MIT
#include "baselines/rpm/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "baselines/arena.h"
#include "baselines/signature/base64.h"
#include "baselines/signature/gpgv_batch.h"

#define REGION_TAG 63U
#define WAVE 64U /* headers that are in memory at once */

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory to check signatures");
}

/* Signature tags */

static void add_packet(struct rpm_signatures *s, struct bytes packet)
{
	struct rpm_signature made = {.packet = packet};

	/* Type 1 would be over text with its line ends changed, the others are of keys. */
	if (packet.len > RPM_SIGNATURE_SIZE_MAX || !openpgp_signature_read(packet, &made.info) ||
	    made.info.type != 0 || s->count == RPM_SIGNATURES_MAX) {
		s->malformed++;
		return;
	}
	for (size_t i = 0; i < s->count; i++) {
		if (bytes_equal(s->item[i].packet, packet)) {
			return; /* rpm 6 repeats RSAHEADER's in OPENPGP */
		}
	}
	s->item[s->count++] = made;
}

static int add_strings(struct rpm_signatures *s, struct bytes value, struct error *err)
{
	while (value.len > 0) {
		const uint8_t *end = memchr(value.data, '\0', value.len);
		size_t len = end ? (size_t)(end - value.data) : value.len;
		struct bytes text = bytes_make(value.data, len);
		uint8_t *to;
		long decoded;

		if (len > 2 * RPM_SIGNATURE_SIZE_MAX || s->count == RPM_SIGNATURES_MAX) {
			s->malformed++;
			return 0;
		}
		to = arena_alloc(s->memory, len);
		if (!to) {
			return no_memory(err);
		}
		decoded = base64_decode(text, to);
		add_packet(s, bytes_make(to, decoded > 0 ? (size_t)decoded : 0));
		value.data += end ? len + 1 : len;
		value.len -= end ? len + 1 : len;
	}
	return 0;
}

int rpm_signatures_read(const struct rpm_section *section, struct rpm_signatures *signatures,
			struct error *err)
{
	memset(signatures, 0, sizeof(*signatures));
	signatures->memory = calloc(1, sizeof(*signatures->memory));
	if (!signatures->memory) {
		return no_memory(err);
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct rpm_item *item = &section->items[i];

		if (item->part != RPM_ITEM_SIGNATURE) {
			continue;
		}
		if ((item->tag == RPM_TAG_RSAHEADER || item->tag == RPM_TAG_DSAHEADER) &&
		    item->type == RPM_TYPE_BIN) {
			add_packet(signatures, item->value);
		} else if (item->tag == RPM_TAG_OPENPGP && item->type == RPM_TYPE_STRING_ARRAY) {
			if (add_strings(signatures, item->value, err) < 0) {
				rpm_signatures_clear(signatures);
				return -1;
			}
		} else if (item->tag == RPM_TAG_RSAHEADER || item->tag == RPM_TAG_DSAHEADER ||
			   item->tag == RPM_TAG_OPENPGP) {
			signatures->malformed++;
		}
	}
	return 0;
}

void rpm_signatures_clear(struct rpm_signatures *signatures)
{
	if (signatures->memory) {
		arena_clear(signatures->memory);
		free(signatures->memory);
	}
	*signatures = (struct rpm_signatures){.memory = NULL};
}

/* Verdicts */

/* One header while its signatures are tried, one after the other. */
struct trial {
	struct rpm_check *check;
	struct rpm_section own;            /* read here */
	const struct rpm_section *section; /* it, or the caller's */
	struct rpm_signatures signatures;
	struct rpm_header *header;
	struct bytes region;
	size_t next; /* signature */
	bool is_over;
};

/* The further up, the more is known by it; a good one by a listed key ends the search. */
static unsigned rank(enum rpm_verdict verdict)
{
	static const enum rpm_verdict order[] = {
		RPM_PROOF_UNSIGNED,    RPM_PROOF_MALFORMED,     RPM_PROOF_UNSUPPORTED,
		RPM_PROOF_UNKNOWN_KEY, RPM_PROOF_BAD_SIGNATURE, RPM_PROOF_REVOKED,
		RPM_PROOF_EXPIRED,     RPM_PROOF_OUTSIDE,       RPM_PROOF_GOOD,
	};
	unsigned i = 0;

	while (order[i] != verdict) {
		i++;
	}
	return i;
}

static void settle(struct trial *trial, enum rpm_verdict verdict, const char *fingerprint,
		   const char *reason)
{
	struct rpm_check *check = trial->check;

	if (rank(verdict) < rank(check->verdict)) {
		return;
	}
	check->verdict = verdict;
	(void)snprintf(check->fingerprint, sizeof(check->fingerprint), "%s", fingerprint);
	(void)snprintf(check->reason, sizeof(check->reason), "%s", reason);
}

static int open_trial(struct trial *trial, struct rpm_check *check, struct error *err)
{
	const struct rpm_item *region;
	struct error fault = {0};

	*trial = (struct trial){.check = check};
	check->verdict = RPM_PROOF_UNSIGNED;
	check->is_final = true;
	check->runs = 0;
	check->fingerprint[0] = check->reason[0] = '\0';
	trial->section = check->section ? check->section : &trial->own;
	if (!check->section && rpm_section_read(check->content, &trial->own, &fault) < 0) {
		goto malformed;
	}
	region = rpm_section_find(trial->section, RPM_ITEM_REGION, REGION_TAG);
	if (!region) {
		(void)error_set(&fault, ERROR_PEER, 0, "rpm header: it has no region");
		goto malformed;
	}
	trial->region = region->value;
	if (rpm_header_parse(trial->region, &trial->header, &fault) < 0) {
		goto malformed;
	}
	if (rpm_signatures_read(trial->section, &trial->signatures, err) < 0) {
		return -1;
	}
	if (trial->signatures.malformed > 0) {
		settle(trial, RPM_PROOF_MALFORMED, "", "a signature is no OpenPGP packet");
	}
	return 0;
malformed:
	if (fault.kind == ERROR_NOMEM) {
		*err = fault;
		return -1;
	}
	check->verdict = RPM_PROOF_MALFORMED;
	(void)snprintf(check->reason, sizeof(check->reason), "%.120s", fault.msg);
	trial->is_over = true;
	return 0;
}

static void close_trial(struct trial *trial)
{
	rpm_signatures_clear(&trial->signatures);
	rpm_header_free(trial->header);
	rpm_section_clear(&trial->own);
}

static void note_unknown(struct trial *trial, const struct openpgp_signature *info)
{
	char id[2 * OPENPGP_ID_SIZE + 1] = "";

	for (size_t i = 0; info->has_issuer && i < OPENPGP_ID_SIZE; i++) {
		(void)snprintf(id + 2 * i, 3, "%02X", info->issuer[i]);
	}
	settle(trial, RPM_PROOF_UNKNOWN_KEY, id, "");
}

/* The next signature that gpgv may say something about, or NULL. */
static const struct rpm_signature *next_signature(const struct vendor_keys *keys,
						  struct trial *trial)
{
	while (!trial->is_over && trial->next < trial->signatures.count) {
		const struct rpm_signature *s = &trial->signatures.item[trial->next++];

		if (vendor_keys_count(keys) > 0 &&
		    (!s->info.has_issuer || vendor_keys_has_id(keys, s->info.issuer))) {
			return s;
		}
		note_unknown(trial, &s->info);
	}
	trial->is_over = true;
	return NULL;
}

static void take_good(const struct vendor_keys *keys, struct trial *trial,
		      const struct gpgv_check *done)
{
	const struct trust_key *key = vendor_keys_find(keys, done->fingerprint, done->signer);

	if (!key) {
		settle(trial, RPM_PROOF_UNKNOWN_KEY, done->fingerprint, "");
	} else if (!vendor_keys_may_prove(key, trial->header->name)) {
		settle(trial, RPM_PROOF_OUTSIDE, key->fingerprint, "");
	} else {
		settle(trial, RPM_PROOF_GOOD, key->fingerprint, "");
		trial->check->is_final = true;
		trial->is_over = true;
	}
}

static void take_result(const struct vendor_keys *keys, struct trial *trial,
			const struct gpgv_check *done)
{
	const struct openpgp_signature *info =
		&trial->signatures.item[trial->next > 0 ? trial->next - 1 : 0].info;

	switch (done->state) {
	case GPGV_GOOD:
		take_good(keys, trial, done);
		break;
	case GPGV_BAD:
		settle(trial, RPM_PROOF_BAD_SIGNATURE, done->fingerprint, "");
		break;
	case GPGV_NO_KEY:
		note_unknown(trial, info);
		break;
	case GPGV_EXPIRED:
		settle(trial, RPM_PROOF_EXPIRED, done->fingerprint, "");
		break;
	case GPGV_REVOKED:
		settle(trial, RPM_PROOF_REVOKED, done->fingerprint, "");
		break;
	case GPGV_UNSUPPORTED:
		settle(trial, RPM_PROOF_UNSUPPORTED, done->fingerprint,
		       "gpgv does not know its algorithm, or refuses it");
		break;
	default:
		settle(trial, RPM_PROOF_UNSUPPORTED, "", "gpgv came to no verdict");
		trial->check->is_final = false;
		break;
	}
}

/* One signature of each header that is still open. *asked: how many. */
static int try_round(const struct vendor_keys *keys, int keyring, struct trial *trials,
		     size_t count, unsigned parallel, size_t *asked, struct error *err)
{
	struct gpgv_check *checks = calloc(count, sizeof(*checks));
	size_t *of = calloc(count, sizeof(*of));
	int result = -1;

	*asked = 0;
	if (!checks || !of) {
		(void)no_memory(err);
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		const struct rpm_signature *s = next_signature(keys, &trials[i]);

		if (s) {
			checks[*asked].signature = s->packet;
			checks[*asked].message = trials[i].region;
			of[(*asked)++] = i;
			trials[i].check->runs++;
		}
	}
	if (*asked > 0 && gpgv_batch(keyring, checks, *asked, parallel, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < *asked; i++) {
		take_result(keys, &trials[of[i]], &checks[i]);
	}
	result = 0;
out:
	free(of);
	free(checks);
	return result;
}

static int check_wave(const struct vendor_keys *keys, int keyring, struct rpm_check *checks,
		      size_t count, unsigned parallel, struct error *err)
{
	struct trial *trials = calloc(count, sizeof(*trials));
	size_t opened = 0, asked = 1;
	int result = 0;

	if (!trials) {
		return no_memory(err);
	}
	while (result == 0 && opened < count) {
		result = open_trial(&trials[opened], &checks[opened], err);
		opened++;
	}
	while (result == 0 && asked > 0) {
		result = try_round(keys, keyring, trials, count, parallel, &asked, err);
	}
	for (size_t i = 0; i < opened; i++) {
		close_trial(&trials[i]);
	}
	free(trials);
	return result;
}

int rpm_signature_check(const struct vendor_keys *keys, struct rpm_check *checks, size_t count,
			unsigned parallel, struct error *err)
{
	int keyring = -1, result = 0;

	if (vendor_keys_count(keys) > 0 &&
	    gpgv_keyring(vendor_keys_ring(keys), &keyring, err) < 0) {
		return -1;
	}
	for (size_t at = 0; result == 0 && at < count; at += WAVE) {
		size_t wave = count - at < WAVE ? count - at : WAVE;

		result = check_wave(keys, keyring, checks + at, wave, parallel, err);
	}
	if (keyring >= 0) {
		(void)close(keyring);
	}
	return result;
}
