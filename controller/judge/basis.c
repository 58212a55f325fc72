// SPDX-License-Identifier: MIT
#include "controller/judge/basis.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/evp.h>

/*
 * Whoever adds a member to these has to decide whether it goes into the digest. What does not:
 * judge_input.cache and .packages, which change nothing and are a result, .objects, whose bytes the
 * digests of sections say; of a section its stat digest, time of reading, always-set and count of
 * unread files, of coverage how much was looked at, of an observation its timeline, hello, end and
 * clock: all of that is looked at elsewhere, every time.
 */
#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(struct judge_input) == 15 * 8, "an input of the judge is in its basis");
static_assert(sizeof(struct observed_section) == 72, "what is judged of a section is compared");
static_assert(sizeof(struct coverage_item) == 64, "what is judged of coverage is in the basis");
static_assert(sizeof(struct judge_counts) == 22 * 8, "what the store does not keep is looked at");
static_assert(sizeof(struct finding) == 128, "what a finding says is in its digest");
#endif

/* libcrypto's price is by the call where pieces are small. */
struct sum {
	EVP_MD_CTX *context;
	size_t len;
	bool failed;
	uint8_t data[8192];
};

static void sum_begin(struct sum *sum)
{
	sum->len = 0;
	sum->context = EVP_MD_CTX_new();
	sum->failed = !sum->context || EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) != 1;
}

static void sum_flush(struct sum *sum)
{
	sum->failed = sum->failed || EVP_DigestUpdate(sum->context, sum->data, sum->len) != 1;
	sum->len = 0;
}

static void sum_raw(struct sum *sum, const void *data, size_t len)
{
	if (len > sizeof(sum->data) - sum->len) {
		sum_flush(sum);
	}
	if (len > sizeof(sum->data)) {
		sum->failed = sum->failed || EVP_DigestUpdate(sum->context, data, len) != 1;
	} else if (len > 0) {
		memcpy(sum->data + sum->len, data, len);
		sum->len += len;
	}
}

static void sum_number(struct sum *sum, uint64_t number)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(number >> 8 * i);
	}
	sum_raw(sum, bytes, sizeof(bytes));
}

/* With its length before it, so that no two lists of bytes are one. */
static void sum_bytes(struct sum *sum, struct bytes bytes)
{
	sum_number(sum, bytes.len);
	sum_raw(sum, bytes.data, bytes.len);
}

static void sum_text(struct sum *sum, const char *text)
{
	sum_number(sum, text != NULL);
	sum_bytes(sum, bytes_from_string(text ? text : ""));
}

static int sum_end(struct sum *sum, struct digest *digest, struct error *err)
{
	unsigned len = DIGEST_SIZE;

	sum_flush(sum);
	sum->failed = sum->failed || EVP_DigestFinal_ex(sum->context, digest->bytes, &len) != 1;
	EVP_MD_CTX_free(sum->context);
	return sum->failed ? error_set(err, ERROR_NOMEM, 0, "no memory for a digest") : 0;
}

static void sum_coverage(struct sum *sum, const struct observation *o)
{
	sum_number(sum, o->coverage_count);
	for (size_t i = 0; i < o->coverage_count; i++) {
		const struct coverage_item *item = &o->coverage[i];

		sum_bytes(sum, item->check);
		sum_bytes(sum, item->subject);
		sum_number(sum, (uint64_t)item->state);
		sum_bytes(sum, item->reason);
	}
}

static int by_id(const void *left, const void *right)
{
	const struct finding *const *a = left, *const *b = right;

	return strcmp((*a)->id, (*b)->id);
}

static void sum_finding(struct sum *sum, const struct finding *f)
{
	sum_bytes(sum, bytes_make(f->id, strnlen(f->id, sizeof(f->id))));
	sum_text(sum, rule_name(f->rule));
	sum_number(sum, (uint64_t)f->severity);
	sum_number(sum, (uint64_t)f->witness);
	sum_number(sum, f->state == FINDING_EXPLAINED);
	sum_bytes(sum, bytes_make(f->letters, strnlen(f->letters, sizeof(f->letters))));
	sum_raw(sum, &f->marker, 1);
	sum_bytes(sum, f->subject);
	sum_bytes(sum, f->package);
	sum_bytes(sum, f->old_value);
	sum_bytes(sum, f->new_value);
	sum_bytes(sum, f->detail);
}

static int sum_findings(struct sum *sum, const struct findings *findings, struct error *err)
{
	size_t count = findings ? findings->count : 0, kept = 0;
	const struct finding **order = calloc(count + 1, sizeof(struct finding *));

	if (!order) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a digest");
	}
	for (size_t i = 0; i < count; i++) {
		/* A rule that this muster does not know is none that it found. */
		if (findings->item[i].rule >= RULES || !rule_is_of_fleet(findings->item[i].rule)) {
			order[kept++] = &findings->item[i];
		}
	}
	if (kept > 1) {
		qsort(order, kept, sizeof(struct finding *), by_id);
	}
	sum_number(sum, kept);
	for (size_t i = 0; i < kept; i++) {
		sum_finding(sum, order[i]);
	}
	free(order);
	return 0;
}

int judge_basis_digest(const struct judge_basis *basis, struct digest *digest, struct error *err)
{
	struct sum sum;
	struct error ignored;
	int result;

	sum_begin(&sum);
	sum_text(&sum, basis->program);
	sum_text(&sum, basis->commit);
	sum_text(&sum, basis->host);
	sum_number(&sum, basis->group_count);
	for (size_t i = 0; i < basis->group_count; i++) {
		sum_text(&sum, basis->group[i]);
	}
	sum_raw(&sum, basis->keys.bytes, DIGEST_SIZE);
	sum_raw(&sum, basis->first.bytes, DIGEST_SIZE);
	sum_raw(&sum, basis->last.bytes, DIGEST_SIZE);
	sum_number(&sum, basis->most_judged);
	sum_number(&sum, basis->most_findings);
	sum_coverage(&sum, basis->now);
	result = sum_findings(&sum, basis->open, err);
	return sum_end(&sum, digest, result == 0 ? err : &ignored) == 0 ? result : -1;
}

bool judge_counts_are_kept(const struct judge_counts *counts)
{
	return counts->files_undigested == 0 && counts->files_hidden == 0 &&
	       counts->places_unexcused == 0 && !counts->untold;
}

int judge_findings_digest(const struct findings *findings, struct digest *digest, struct error *err)
{
	struct sum sum;
	struct error ignored;
	int result;

	sum_begin(&sum);
	result = sum_findings(&sum, findings, err);
	return sum_end(&sum, digest, result == 0 ? err : &ignored) == 0 ? result : -1;
}
