// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_SIGNATURE_TRUST_H
#define MUSTER_BASELINES_SIGNATURE_TRUST_H

/*
 * Whose signatures count: keys/keys.yaml of the baseline lists OpenPGP keys by fingerprint, the file
 * beside it that holds each, and what it may prove (origins and packages). The same list serves .deb
 * archives and .rpm headers; keys never come from a host. Immutable once read.
 *
 *	- fingerprint: 4D64FEC119C2029067D6E791F8D2585B8783D481
 *	  file: debian-archive.gpg
 *	  origins: [Debian]
 *	  packages: ['*']
 */

#include <stdbool.h>
#include <stddef.h>

#include "baselines/policy.h"
#include "baselines/repository.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define TRUST_FOLDER "keys"
#define TRUST_FILE TRUST_FOLDER "/keys.yaml"
#define TRUST_KEYS_MAX 1000U

struct arena;

struct trust_key {
	const char *fingerprint; /* 40 or 64 hex digits, upper case: a primary or a signing key */
	const char *file;        /* in keys/, binary or armoured */
	struct string_list origins;  /* whose packages it may prove; at least one */
	struct string_list packages; /* fnmatch patterns of names; left out: all */
	const char *source;          /* keys/keys.yaml:LINE */
};

struct trust {
	struct trust_key *item;
	size_t count;
	struct arena *memory; /* private */
};

/* CONFIG error "source:line:column: ...". */
int trust_parse(const char *source, struct bytes text, struct trust **trust,
		struct error *err) MUST_CHECK;
/* None in the repository is no error: count 0. */
int trust_read(struct repository *repository, struct trust **trust, struct error *err) MUST_CHECK;
void trust_free(struct trust *trust);

/* By fingerprint, in any case of letters; NULL: it is not listed. */
const struct trust_key *trust_find(const struct trust *trust, const char *fingerprint);
/* Whether the key is listed for a package of an origin. */
bool trust_proves(const struct trust_key *key, const char *origin, const char *package);
bool trust_proves_origin(const struct trust_key *key, const char *origin);

#endif
