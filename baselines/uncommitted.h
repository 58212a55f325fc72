// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_UNCOMMITTED_H
#define MUSTER_BASELINES_UNCOMMITTED_H

/*
 * What stands in a clone's work tree and in no commit: hosts are judged by a commit, so that an edit
 * which was saved and not committed counts for nothing, and somebody has to say so. Manifests of
 * packages are left out: import commits them, and there are many.
 */

#include <stddef.h>

#include "schema/error.h"

#define UNCOMMITTED_NAME_ROOM 200

/* How many files differ from HEAD, new ones among them, and the first of them, escaped. 0 in a bare one. */
int uncommitted_count(const char *path, size_t *count, char first[UNCOMMITTED_NAME_ROOM],
		      struct error *err) MUST_CHECK;

#endif
