// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_TREES_H
#define MUSTER_BASELINES_TREES_H

/*
 * trees/GROUP/...: files as they should be on the hosts of a group, as a manifest whose digests are
 * computed from the git blobs. A blob knows no owner and no time, and of the mode only the
 * executable bit (entry.mode 0755 or 0644, with MANIFEST_NOMODE). Directories are not in it. The
 * name .gitkeep only keeps a directory in git.
 */

#include "baselines/manifest.h"
#include "baselines/repository.h"
#include "schema/error.h"

#define TREES_FOLDER "trees"

/* *manifest NULL where the group has no tree. */
int trees_read(struct repository *repository, const char *group, struct manifest **manifest,
	       struct error *err) MUST_CHECK;

#endif
