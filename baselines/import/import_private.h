// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_IMPORT_PRIVATE_H
#define MUSTER_BASELINES_IMPORT_IMPORT_PRIVATE_H

/* What import.c (.deb) and import_rpm.c share, and nobody else sees: putting a manifest in place. */

#include "baselines/import/import.h"
#include "baselines/mtree.h"

/* One build, read from its file. */
struct import_build {
	const char *manager;
	const char *origin;
	const char *package;
	const char *version;
	const char *arch;
	char sha256[2 * DIGEST_SIZE + 1]; /* of what the manifest was made of */
	bool is_signed;
	const char *comments; /* of the manifest, whole lines */
	const struct manifest_entry *entries;
	size_t count;
};

void import_hex(const struct digest *digest, char hex[2 * DIGEST_SIZE + 1]);

/*
 * Stages the manifest and says in `report` what that changes. CONFIG error where it would stand in
 * the place of a signed one with other bytes.
 */
int import_stage(struct edit *edit, const struct import_build *build, struct import_report *report,
		 struct error *err) MUST_CHECK;

#endif
