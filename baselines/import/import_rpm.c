// SPDX-License-Identifier: MIT
/* From an .rpm's signed header to a manifest of the baseline. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "baselines/import/import_private.h"
#include "baselines/rpm/file.h"
#include "baselines/rpm/manifest.h"
#include "baselines/rpm/signature.h"
#include "baselines/signature/vendor_keys.h"
#include "schema/escape.h"

struct rpm {
	struct rpm_file_front front;
	struct rpm_header *header;
	struct manifest *manifest;
	struct manifest_entry *entries; /* as mtree can say them */
	size_t count;
	struct rpm_check check;
	const struct trust_key *key; /* that proves it, or NULL */
	char name[256];
	char evr[256];
	char arch[64];
	char source[256];
};

/* What goes into names of files and into comments: printable ASCII without blanks. */
static int take_text(struct bytes from, char *to, size_t room, struct error *err)
{
	if (from.len >= room) {
		return error_set(err, ERROR_CONFIG, 0, "its name, version or source is too long");
	}
	for (size_t i = 0; i < from.len; i++) {
		if (from.data[i] <= ' ' || from.data[i] > '~') {
			return error_set(err, ERROR_CONFIG, 0,
					 "its name, version or source is not plain text");
		}
		to[i] = (char)from.data[i];
	}
	to[from.len] = '\0';
	return 0;
}

/* mtree has words for the usual masks of %verify; what it has none for is compared. */
static void apply_mask(struct manifest_entry *entry, const struct manifest_rpm *rpm)
{
	const uint32_t owned = RPM_VERIFY_MODE | RPM_VERIFY_USER | RPM_VERIFY_GROUP;
	bool is_linked = rpm->hardlinks != 0;

	entry->rpm = NULL;
	entry->tags |= (rpm->verify & owned) != owned ? MANIFEST_NOMODE : 0U;
	if (!(rpm->verify & RPM_VERIFY_MTIME)) {
		entry->tags |= entry->entry.has_mtime ? MANIFEST_NOTIME : 0U;
	}
	if (!(rpm->verify & RPM_VERIFY_DIGEST) && entry->entry.type == ENTRY_FILE) {
		entry->tags |= MANIFEST_NOCONTENT;
	}
	if (!(rpm->verify & RPM_VERIFY_CAPS)) {
		entry->tags &= ~(uint32_t)MANIFEST_CAPS;
		entry->entry.caps = bytes_make(NULL, 0);
	}
	entry->tags |= is_linked ? MANIFEST_HARDLINK : 0U;
}

/* Without what mtree cannot say at all: a %ghost link that leads nowhere yet. */
static int make_entries(struct rpm *rpm, struct error *err)
{
	rpm->entries = calloc(rpm->manifest->count + 1, sizeof(*rpm->entries));
	if (!rpm->entries) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a manifest");
	}
	for (size_t i = 0; i < rpm->manifest->count; i++) {
		struct manifest_entry *entry = &rpm->entries[rpm->count];

		*entry = rpm->manifest->entries[i];
		if (entry->entry.type == ENTRY_LINK && entry->entry.link.len == 0) {
			continue;
		}
		apply_mask(entry, entry->rpm);
		rpm->count++;
	}
	return 0;
}

/* A fault in the bytes of a file is the operator's to mend. */
static int as_config(struct error *err)
{
	if (err->kind == ERROR_PEER) {
		err->kind = ERROR_CONFIG;
	}
	return -1;
}

static int read_rpm(const char *file, struct rpm *rpm, struct error *err)
{
	const struct rpm_item *region;

	if (rpm_file_read(file, &rpm->front, err) < 0) {
		return -1;
	}
	region = &rpm->front.section.items[0];
	if (rpm_header_parse(region->value, &rpm->header, err) < 0 ||
	    rpm_manifest_make(rpm->header, "rpm header", "", &rpm->manifest, err) < 0 ||
	    take_text(rpm->header->name, rpm->name, sizeof(rpm->name), err) < 0 ||
	    take_text(rpm->header->evr, rpm->evr, sizeof(rpm->evr), err) < 0 ||
	    take_text(rpm->header->arch, rpm->arch, sizeof(rpm->arch), err) < 0 ||
	    take_text(rpm->header->source_rpm, rpm->source, sizeof(rpm->source), err) < 0 ||
	    make_entries(rpm, err) < 0) {
		(void)as_config(err);
		return error_prefix(err, "%s", file);
	}
	if (rpm->source[0] == '\0') {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: a source package: no host has it installed", file);
	}
	return 0;
}

static void clear_rpm(struct rpm *rpm)
{
	free(rpm->entries);
	manifest_free(rpm->manifest);
	rpm_header_free(rpm->header);
	rpm_file_clear(&rpm->front);
}

/* Good: rpm->key. Proves nothing: report->unproved. What contradicts its signature is refused. */
static int check_rpm(const char *file, struct rpm *rpm, const struct vendor_keys *keys,
		     struct import_report *report, struct error *err)
{
	const char *fingerprint = rpm->check.fingerprint;

	rpm->check.section = &rpm->front.section;
	if (rpm_signature_check(keys, &rpm->check, 1, 1, err) < 0) {
		return -1;
	}
	switch (rpm->check.verdict) {
	case RPM_PROOF_GOOD:
		rpm->key = vendor_keys_find(keys, fingerprint, fingerprint);
		return 0;
	case RPM_PROOF_UNSIGNED:
		(void)snprintf(report->unproved, sizeof(report->unproved),
			       "nobody signed its header");
		return 0;
	case RPM_PROOF_UNKNOWN_KEY:
		(void)snprintf(report->unproved, sizeof(report->unproved),
			       "signed by key %.64s, which " TRUST_FILE " does not list",
			       fingerprint);
		return 0;
	case RPM_PROOF_UNSUPPORTED:
		(void)snprintf(report->unproved, sizeof(report->unproved),
			       "its signature cannot be checked: %.100s", rpm->check.reason);
		return 0;
	default:
		return error_set(err, ERROR_CONFIG, 0, "%s: %s%s%s%s%s", file,
				 rpm_verdict_name(rpm->check.verdict), *fingerprint ? ": key " : "",
				 fingerprint, *rpm->check.reason ? ": " : "", rpm->check.reason);
	}
}

static void fill_report(const struct rpm *rpm, struct import_report *report)
{
	(void)snprintf(report->package, sizeof(report->package), "%s", rpm->name);
	(void)snprintf(report->version, sizeof(report->version), "%s", rpm->evr);
	(void)snprintf(report->arch, sizeof(report->arch), "%s", rpm->arch);
	report->entries = rpm->count;
	for (size_t i = 0; i < rpm->count; i++) {
		if (rpm->entries[i].entry.type == ENTRY_FILE) {
			report->files++;
			report->bytes += rpm->entries[i].entry.size;
		}
	}
}

static int stage_rpm(struct edit *edit, const struct rpm *rpm, const char *origin,
		     struct import_report *report, struct error *err)
{
	struct bytes region = rpm->front.section.items[0].value;
	char comments[2048];
	struct digest digest;
	unsigned len = 0;
	struct import_build build = {
		.manager = "rpm",
		.origin = origin,
		.package = rpm->name,
		.version = rpm->evr,
		.arch = rpm->arch,
		.is_signed = rpm->key != NULL,
		.comments = comments,
		.entries = rpm->entries,
		.count = rpm->count,
	};

	if (EVP_Digest(region.data, region.len, digest.bytes, &len, EVP_sha256(), NULL) != 1) {
		return error_set(err, ERROR_SYSTEM, 0, "OpenSSL computes no SHA-256");
	}
	import_hex(&digest, build.sha256);
	(void)snprintf(comments, sizeof(comments),
		       "# package %s %s %s\n# source %s\n" MTREE_RPM_SHA256 "%s\n%s%s%s\n",
		       rpm->name, rpm->evr, rpm->arch, rpm->source, build.sha256,
		       rpm->key ? MTREE_SIGNED_BY : "# trust unsigned",
		       rpm->key ? rpm->check.fingerprint : "",
		       rpm->key ? "\n" MTREE_TRUST_SIGNED : "");
	return import_stage(edit, &build, report, err);
}

int import_rpm(struct edit *edit, const char *file, const char *origin,
	       const struct vendor_keys *keys, struct import_report *report, struct error *err)
{
	struct rpm rpm = {.header = NULL};
	int result = -1;

	*report = (struct import_report){.outcome = IMPORT_NEW};
	if (read_rpm(file, &rpm, err) < 0 || check_rpm(file, &rpm, keys, report, err) < 0) {
		goto out;
	}
	if (rpm.key && origin && !trust_proves_origin(rpm.key, origin)) {
		(void)error_set(err, ERROR_CONFIG, 0,
				"%s: signed by key %s, which is not listed "
				"for origin %s (%s)",
				file, rpm.check.fingerprint, origin, rpm.key->source);
		goto out;
	}
	if (!origin) {
		origin = rpm.key ? vendor_keys_origin(rpm.key) : IMPORT_ORIGIN;
	}
	fill_report(&rpm, report);
	result = stage_rpm(edit, &rpm, origin, report, err);
	if (result < 0) {
		(void)error_prefix(err, "%s", file);
	} else {
		(void)snprintf(report->origin, sizeof(report->origin), "%s", origin);
	}
out:
	clear_rpm(&rpm);
	return result;
}
