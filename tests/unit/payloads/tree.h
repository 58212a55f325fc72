// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_PAYLOADS_TREE_H
#define TESTS_UNIT_PAYLOADS_TREE_H

/*
 * A temporary directory that plays "/" for package database tests, and text that collects what a
 * reader says. Test code: fails the running test where a step fails.
 */

#include <stddef.h>

#include "payloads/package_db.h"

struct tree {
	char root[64];
	int root_fd;
	struct package_db_host host; /* collects gaps in `gaps` */
	char gaps[8192];             /* "subject reason count\n" each */
};

void tree_make(struct tree *tree);
void tree_remove(struct tree *tree);
/* Directories on the way are made. Paths begin with a slash. */
void tree_write(struct tree *tree, const char *path, const char *text);
void tree_write_bytes(struct tree *tree, const char *path, const void *data, size_t len);
void tree_link(struct tree *tree, const char *path, const char *target);
void tree_dir(struct tree *tree, const char *path);
/* The path on the real file system, in a buffer that the next call uses again. */
const char *tree_path(const struct tree *tree, const char *path);

/* Appends to a text of fixed size. */
void text_add(char *text, size_t room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
