// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_WORK_TREE_H
#define MUSTER_BASELINES_WORK_TREE_H

/*
 * Files of a clone's work tree, by their path in the repository. No component below the root may be
 * a symbolic link: what is written lands in the clone or nowhere. Files are replaced whole.
 */

#include "schema/bytes.h"
#include "schema/error.h"

enum work_state {
	WORK_ABSENT,
	WORK_SAME,  /* a regular file with exactly this content */
	WORK_OTHER, /* anything else */
};

/* Compares with `content`, reading no more than it has. */
int work_tree_compare(const char *root, const char *path, struct bytes content,
		      enum work_state *state, struct error *err) MUST_CHECK;
int work_tree_write(const char *root, const char *path, struct bytes content,
		    struct error *err) MUST_CHECK;
/* Folders that become empty go too, as git has it. No file there is no error. */
int work_tree_remove(const char *root, const char *path, struct error *err) MUST_CHECK;

#endif
