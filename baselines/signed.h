// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNED_H
#define MUSTER_BASELINES_SIGNED_H

/*
 * The chain of an apt archive: an InRelease signed by a key of the pinned keyring names the digests of
 * Packages files, and those the digests of .deb files. A .deb is proved where its SHA-256, size, name,
 * version and architecture stand in one of them; its origin is the Release's.
 */

#include <stddef.h>
#include <stdint.h>

#include "baselines/deb.h"
#include "schema/error.h"

#define SIGNED_PACKAGES_MAX ((size_t)1 << 30) /* bytes of one Packages, inflated */

struct signed_archive;

/*
 * `packages` may be compressed (.xz .gz .bz2 .zst .lz4): either form's digest must be in the Release.
 * `fingerprints` (of the signing or the primary key, 40 or 64 hex digits) narrows the keyring; none:
 * any key of it. `now_s` is held against Valid-Until. CONFIG errors name the file.
 */
int signed_open(const char *in_release, const char *const *packages, size_t package_count,
		const char *keyring, const char *const *fingerprints, size_t fingerprint_count,
		int64_t now_s, struct signed_archive **archive, struct error *err) MUST_CHECK;
void signed_free(struct signed_archive *archive);

const char *signed_origin(const struct signed_archive *archive);
const char *signed_fingerprint(const struct signed_archive *archive); /* of the key that signed */
size_t signed_count(const struct signed_archive *archive);            /* packages it names */

/* CONFIG error where the archive does not name exactly this .deb. */
int signed_check(const struct signed_archive *archive, const struct deb *deb,
		 struct error *err) MUST_CHECK;

#endif
