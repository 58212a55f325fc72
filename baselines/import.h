// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_H
#define MUSTER_BASELINES_IMPORT_H

/*
 * From a package file to its manifest in a baseline:
 * packages/dpkg/ORIGIN/NAME/VERSION_ARCH.mtree. The same file gives the same bytes every time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/edit.h"
#include "schema/error.h"

#define IMPORT_ORIGIN "local" /* where none is named */

struct import_report {
	char path[1280];   /* in the repository */
	char package[256]; /* escaped for people */
	char version[256];
	char arch[64];
	size_t entries;
	size_t files;
	uint64_t bytes;     /* of the files */
	size_t md5_wrong;   /* lines of the package's own md5sums that its files contradict */
	char md5_path[256]; /* the first of these, escaped; or "" */
};

/* Stages the manifest of one .deb. `origin` NULL: IMPORT_ORIGIN. CONFIG error names the file. */
int import_deb(struct edit *edit, const char *file, const char *origin,
	       struct import_report *report, struct error *err) MUST_CHECK;

/* The same of a .deb that the archive's signature proves: origin and trust are the archive's. */
struct signed_archive;
int import_deb_signed(struct edit *edit, const char *file, const struct signed_archive *archive,
		      struct import_report *report, struct error *err) MUST_CHECK;

#endif
