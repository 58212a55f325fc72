// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_IMPORT_DEB_H
#define MUSTER_BASELINES_IMPORT_DEB_H

/*
 * What a .deb ships, as a manifest: read through libarchive in one pass, with nothing unpacked to
 * disk and no program run. Paths have the canonical spelling (baselines/usrmerge.h). deb(5),
 * deb-control(5). A .deb says nothing of capabilities, nor of what its scripts change afterwards.
 * Bounded in entries, in bytes and in how far it may inflate.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baselines/manifest.h"
#include "schema/bytes.h"
#include "schema/error.h"

#define DEB_ENTRIES_MAX 500000U
#define DEB_BYTES_MAX ((uint64_t)64 << 30) /* of all its files */
#define DEB_RATIO_MAX 1000U                /* times its own size, above DEB_RATIO_FREE */
#define DEB_RATIO_FREE ((uint64_t)256 << 20)
#define DEB_CONTROL_MAX ((size_t)32 << 20) /* of one control file */

struct arena;

struct deb {
	char *package; /* of printable ASCII without blanks, as the next four */
	char *version;
	char *arch;
	char *source; /* source package and its version: the same where control does not say */
	char *source_version;
	struct digest sha256; /* of the .deb itself */
	struct manifest *manifest;
	size_t files;
	uint64_t bytes;
	bool has_md5sums; /* ships such a list: else dpkg makes one up at unpacking */
	/* Lines of its own md5sums that its files contradict, and the first such path or NULL. */
	size_t md5_wrong;
	const struct manifest_entry *md5_first;
	struct arena *memory; /* private */
};

/* CONFIG error "FILE: ..." where it is no sound .deb. */
int deb_read(const char *file, struct deb **deb, struct error *err) MUST_CHECK;
void deb_free(struct deb *deb);

#endif
