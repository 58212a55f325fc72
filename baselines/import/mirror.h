// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_MIRROR_H
#define MUSTER_BASELINES_IMPORT_MIRROR_H

/*
 * A folder of packages and what signs them, found by how such folders look: a mirror (dists/ and pool/),
 * or a folder of .deb files (/var/cache/apt/archives) with apt's lists beside it. Nothing is trusted for
 * where it lies: each Release is checked (baselines/import/signed.h) before a word of it is used, and .deb files
 * are named by the signed Packages, never by a walk through pool/.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/import/signed.h"
#include "schema/error.h"

#define MIRROR_RELEASES_MAX 256U
#define MIRROR_DEBS_MAX 500000U

struct mirror;

struct mirror_options {
	const char *dir;
	const char *lists;           /* folder of apt's lists; NULL: looked for beside `dir` */
	struct signed_source source; /* all but the release */
};

/*
 * Checks every Release there is and reads its Packages files. One that only keys outside the keyring sign
 * proves nothing and is told of (`tell` may be NULL); any other fault is an error, and so is no Release.
 */
typedef void mirror_tell(void *context, const char *what);
int mirror_open(const struct mirror_options *options, mirror_tell *tell, void *context,
		struct mirror **mirror, struct error *err) MUST_CHECK;
void mirror_free(struct mirror *mirror);

struct mirror_deb {
	const char *file;
	const struct signed_archive *archive; /* NULL: no Packages names a file of this name */
	const struct release_package *package;
};
size_t mirror_count(const struct mirror *mirror);
const struct mirror_deb *mirror_deb(const struct mirror *mirror, size_t index);

size_t mirror_archives(const struct mirror *mirror);
const struct signed_archive *mirror_archive(const struct mirror *mirror, size_t index);

#endif
