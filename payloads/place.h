// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_PLACE_H
#define MUSTER_PAYLOADS_PLACE_H

/*
 * From a path to an open parent directory and a name, with the last parent kept open: package paths
 * come in order, so that most share it. Links on the way are followed only where root owns them and
 * never into a mount that may not be entered; the caller is told.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/mounts.h"
#include "payloads/sys.h"
#include "schema/bytes.h"
#include "schema/entry.h"

struct place {
	const struct sys *sys;
	const struct mounts *mounts;
	int root_fd;
	int fd;    /* of the parent, or -1 */
	int error; /* why not: a negative errno; -EXDEV: a mount that is not entered */
	enum mount_class barred;
	bool through_link;
	size_t parent_len; /* 0: nothing is kept */
	char parent[ENTRY_PATH_MAX + 1];
	size_t real_len; /* where the parent really is, when through_link */
	char real[ENTRY_PATH_MAX + 1];
	char name[ENTRY_PATH_MAX + 1];
};

void place_init(struct place *place, const struct sys *sys, const struct mounts *mounts,
		int root_fd);
void place_clear(struct place *place);

/* Opens the parent of an absolute path, place->name and place->fd are set. 0 or a negative errno. */
int place_open(struct place *place, struct bytes path);

#endif
