// SPDX-License-Identifier: MIT
#include "controller/judge/finding.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "baselines/arena.h"

static const char *const witness_names[] = {
	[WITNESS_SIGNATURE] = "signature",
	[WITNESS_MANIFEST] = "manifest",
	[WITNESS_BASELINE] = "baseline",
	[WITNESS_FLEET] = "fleet",
	[WITNESS_FIRST_SIGHT] = "first-sight",
	[WITNESS_HOST] = "host",
	[WITNESS_RULE] = "rule",
};

static const char *const state_names[] = {
	[FINDING_NEW] = "new",
	[FINDING_OPEN] = "open",
	[FINDING_ACKNOWLEDGED] = "acknowledged",
	[FINDING_EXPLAINED] = "explained",
	[FINDING_RESOLVED] = "resolved",
};

const char *witness_name(enum witness witness)
{
	return (size_t)witness <= WITNESS_RULE ? witness_names[witness] : "unknown";
}

const char *finding_state_name(enum finding_state state)
{
	return (size_t)state <= FINDING_RESOLVED ? state_names[state] : "unknown";
}

/* Lengths go in front, so that no two triples run together into the same bytes. */
static bool digest_part(EVP_MD_CTX *ctx, struct bytes part)
{
	uint8_t length[8];

	for (unsigned i = 0; i < sizeof(length); i++) {
		length[i] = (uint8_t)((uint64_t)part.len >> (56 - 8 * i));
	}
	return EVP_DigestUpdate(ctx, length, sizeof(length)) == 1 &&
	       (part.len == 0 || EVP_DigestUpdate(ctx, part.data, part.len) == 1);
}

static bool fingerprint(const struct finding *finding, char id[FINGERPRINT_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	bool ok;

	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	     digest_part(ctx, bytes_from_string(rule_name(finding->rule))) &&
	     digest_part(ctx, finding->subject) && digest_part(ctx, finding->new_value) &&
	     EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; ok && i < (FINGERPRINT_SIZE - 1) / 2; i++) {
		(void)snprintf(id + (size_t)2 * i, 3, "%02x", digest[i]);
	}
	return ok;
}

int findings_add(struct findings *findings, const struct finding *finding, struct error *err)
{
	struct arena *arena = findings->memory;
	struct finding copy = *finding;
	bool ok = true;

	if (!arena) {
		arena = calloc(1, sizeof(*arena));
		if (!arena) {
			return error_set(err, ERROR_NOMEM, 0, "no memory for findings");
		}
		findings->memory = arena;
	}
	if (findings->count == findings->room) {
		size_t room = findings->room ? findings->room * 2 : 64;
		struct finding *item = reallocarray(findings->item, room, sizeof(*item));

		if (!item) {
			return error_set(err, ERROR_NOMEM, 0, "no memory for findings");
		}
		findings->item = item;
		findings->room = room;
	}
	if ((findings->most > 0 && findings->count >= findings->most) ||
	    (findings->most_bytes > 0 && arena->total >= findings->most_bytes)) {
		return error_set(err, ERROR_LIMIT, 0, "more findings than one host may have (%zu)",
				 findings->count);
	}
	copy.subject = arena_copy(arena, finding->subject, &ok);
	copy.package = arena_copy(arena, finding->package, &ok);
	copy.old_value = arena_copy(arena, finding->old_value, &ok);
	copy.new_value = arena_copy(arena, finding->new_value, &ok);
	copy.detail = arena_copy(arena, finding->detail, &ok);
	if (!ok || !fingerprint(&copy, copy.id)) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for findings");
	}
	findings->item[findings->count++] = copy;
	return 0;
}

/* Total, so that the same findings stand in the same order whatever found them first. */
static int compare_findings(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	int order;

	if (a->severity != b->severity) {
		return a->severity > b->severity ? -1 : 1;
	}
	order = bytes_path_compare(a->subject, b->subject);
	if (order == 0) {
		order = (a->rule > b->rule) - (a->rule < b->rule);
	}
	if (order == 0) {
		order = strcmp(a->id, b->id);
	}
	if (order == 0) {
		order = (a->witness > b->witness) - (a->witness < b->witness);
	}
	if (order == 0) {
		order = bytes_compare(a->package, b->package);
	}
	return order != 0 ? order : bytes_compare(a->detail, b->detail);
}

void findings_sort(struct findings *findings)
{
	if (findings->count > 1) {
		qsort(findings->item, findings->count, sizeof(*findings->item), compare_findings);
	}
}

void findings_clear(struct findings *findings)
{
	if (findings->memory) {
		arena_clear(findings->memory);
		free(findings->memory);
	}
	free(findings->item);
	*findings = (struct findings){0};
}
