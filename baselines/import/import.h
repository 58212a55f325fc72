// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_IMPORT_H
#define MUSTER_BASELINES_IMPORT_IMPORT_H

/*
 * From a package file to its manifest in a baseline:
 * packages/MANAGER/ORIGIN/NAME/VERSION_ARCH.mtree. The same file gives the same bytes every time. What a
 * signature proved is never replaced by what none proves.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/edit.h"
#include "baselines/import/signed.h"
#include "schema/error.h"

#define IMPORT_ORIGIN "local" /* where none is named */

enum import_outcome {
	IMPORT_NEW,
	IMPORT_HAD,      /* the baseline has it already, with at least this proof */
	IMPORT_PROVED,   /* it had the same file unsigned */
	IMPORT_REPLACED, /* it had this version of the same origin with other bytes */
};

struct import_report {
	enum import_outcome outcome;
	bool is_signed;    /* the manifest that stands in the baseline now */
	char path[1280];   /* in the repository */
	char package[256]; /* escaped for people */
	char version[256];
	char arch[64];
	size_t entries;
	size_t files;
	uint64_t bytes;     /* of the files */
	bool no_md5sums;    /* the package ships none */
	size_t md5_wrong;   /* lines of the package's own md5sums that its files contradict */
	char md5_path[256]; /* the first of these, escaped; or "" */
	char unproved[256]; /* of an .rpm: why its signature proves nothing, escaped; or "" */
	char origin[256];   /* of an .rpm: where its manifest stands */
};

/* Stages the manifest of one .deb. `origin` NULL: IMPORT_ORIGIN. CONFIG error names the file. */
int import_deb(struct edit *edit, const char *file, const char *origin,
	       struct import_report *report, struct error *err) MUST_CHECK;

/* The same of a .deb that the archive's signature proves: origin and trust are the archive's. */
int import_deb_signed(struct edit *edit, const char *file, const struct signed_archive *archive,
		      struct import_report *report, struct error *err) MUST_CHECK;

/*
 * Stages the manifest of one .rpm, made from its header alone: the payload is not read, since the
 * header has every file's digest. Signed where a key that is listed for the package signed the
 * header: the origin is the key's, or the one named if the key is listed for it. CONFIG error for a
 * signature that is false, and for a key that is revoked, over, or listed for other packages; a
 * header that nobody listed signed is imported as unsigned (origin NULL: IMPORT_ORIGIN).
 */
struct vendor_keys;
int import_rpm(struct edit *edit, const char *file, const char *origin,
	       const struct vendor_keys *keys, struct import_report *report,
	       struct error *err) MUST_CHECK;

/* Whether the baseline has the signed manifest of exactly this .deb: then it need not be read. */
int import_has(struct edit *edit, const char *origin, const struct release_package *package,
	       bool *has, struct error *err) MUST_CHECK;

#endif
