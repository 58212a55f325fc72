// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_RELEASE_H
#define MUSTER_BASELINES_IMPORT_RELEASE_H

/*
 * The texts of an apt archive: Release (the signed text of InRelease) and Packages, as deb-archive
 * tools write them. Pure parsers; who signed what is baselines/import/signed.h. Only SHA-256 counts.
 */

#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define RELEASE_FILES_MAX 200000U
#define RELEASE_PACKAGES_MAX 500000U

struct arena;

struct release_file {
	struct digest sha256;
	uint64_t size;
	const char *name; /* main/binary-amd64/Packages.xz */
};

struct release {
	char *origin; /* Debian */
	char *suite;  /* stable, or "" */
	char *codename;
	int64_t valid_until_s;      /* 0: no end is given */
	struct release_file *files; /* by digest */
	size_t count;
	struct arena *memory;
};

/* CONFIG error without a place. Field Origin and section SHA256 must be there. */
int release_parse(struct bytes text, struct release **release, struct error *err) MUST_CHECK;
void release_free(struct release *release);
/* The file of this digest and size, or NULL. */
const struct release_file *release_find(const struct release *release, const struct digest *sha256,
					uint64_t size);

struct release_package {
	struct digest sha256; /* of the .deb */
	uint64_t size;
	const char *package;
	const char *version;
	const char *arch;
	const char *file; /* Filename: its place in the archive, plain components only; or "" */
};

/* The stanzas of one or more Packages files, by digest. Zero-initialised is empty. */
struct release_packages {
	struct release_package *item;
	size_t count;
	size_t room;
	struct arena *memory;
};
int release_packages_add(struct release_packages *packages, struct bytes text,
			 struct error *err) MUST_CHECK;
/* After the last text: puts them in order. */
void release_packages_sort(struct release_packages *packages);
const struct release_package *release_packages_find(const struct release_packages *packages,
						    const struct digest *sha256);
void release_packages_clear(struct release_packages *packages);

#endif
