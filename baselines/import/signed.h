// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_SIGNED_H
#define MUSTER_BASELINES_IMPORT_SIGNED_H

/*
 * The chain of an apt archive: a Release signed by a key that counts names the digests of Packages
 * files, and those the digests of .deb files. A .deb is proved where its SHA-256, name, version and
 * architecture stand in one of them; its origin is the Release's. Only what was signed is read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/import/deb.h"
#include "baselines/import/release.h"
#include "baselines/signature/trust.h"
#include "schema/error.h"

#define SIGNED_PACKAGES_MAX ((size_t)1 << 30) /* bytes of one Packages, inflated */
#define SIGNED_RELEASE_MAX ((size_t)64 << 20)

struct signed_archive;

struct signed_source {
	const char *release;   /* InRelease; or Release, with a signature of its own */
	const char *signature; /* Release.gpg; NULL: the release is signed inline */
	const char *keyring;   /* baselines/signature/keyring.h */
	const char *put_back;  /* keyring_put_back: told where no key fits; NULL: nothing */
	/* Whose signatures count, and for what. NULL: any key of the keyring, for every package. */
	const struct trust *trust;
	const char *const *fingerprints; /* of signing or primary keys; none: no further bound */
	size_t fingerprint_count;
	int64_t now_s; /* held against Valid-Until */
};

/*
 * CONFIG errors name the file. *only_unknown (may be NULL): it failed because nothing but keys outside
 * the keyring signed it.
 */
int signed_open(const struct signed_source *source, struct signed_archive **archive,
		bool *only_unknown, struct error *err) MUST_CHECK;
/* A Packages file, plain or compressed (.xz .gz .bz2 .zst .lz4): the Release must name either form. */
int signed_add_packages(struct signed_archive *archive, const char *file,
			struct error *err) MUST_CHECK;
void signed_free(struct signed_archive *archive);

const char *signed_origin(const struct signed_archive *archive);
const char *signed_fingerprint(const struct signed_archive *archive); /* of the key that signed */
const struct release *signed_release(const struct signed_archive *archive);
/* Packages it names, by digest; valid until the next signed_add_packages. */
size_t signed_count(const struct signed_archive *archive);
const struct release_package *signed_package(const struct signed_archive *archive, size_t index);

/* CONFIG error where the archive does not name exactly this .deb, or its key is not for it. */
int signed_check(const struct signed_archive *archive, const struct deb *deb,
		 struct error *err) MUST_CHECK;

#endif
