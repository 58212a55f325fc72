// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_PACKAGE_PATHS_H
#define MUSTER_PAYLOADS_PACKAGE_PATHS_H

/*
 * From a path as a package manager's database spells it to the one path that muster knows it by.
 * Purely textual but for the root's own symlinks, which are read once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define PATH_ROOM 4097 /* PATH_MAX with its NUL, and one byte to notice what is longer */
#define PATH_LEN_MAX 4095

enum path_fault {
	PATH_FINE,
	PATH_EMPTY,
	PATH_RELATIVE,
	PATH_DOTDOT,
	PATH_NUL,
	PATH_TOO_LONG,
	PATH_FAULTS
};

/* A word of [a-z-] for a gap. */
const char *path_fault_reason(enum path_fault fault);

/*
 * Cleans `raw` as dpkg does (lib/dpkg/path.c): slashes folded, "." components and trailing slashes
 * taken off; writes it with a NUL. Where it is not `rooted`, a leading slash or "./" may be missing.
 * What has ".." is refused: dpkg never writes it, and it would make one file's claim another's.
 */
enum path_fault path_clean(struct bytes raw, bool rooted, uint8_t to[PATH_ROOM], size_t *len);

/* Which of bin, sbin, lib, lib32, lib64, libx32, libo32 are links to exactly usr/X or /usr/X. */
struct path_aliases {
	uint32_t linked;
};

void path_aliases_read(struct path_aliases *aliases, int root_fd);

/*
 * Maps a clean path in place: /bin/x is /usr/bin/x where /bin -> usr/bin. The alias itself stays,
 * and *is_alias (may be NULL) is set. False where the result would be too long.
 */
bool path_map(const struct path_aliases *aliases, uint8_t path[PATH_ROOM], size_t *len,
	      bool *is_alias);

/* bytes_path_compare, eight bytes at a time: sorting file lists spends its time here. */
int path_compare(struct bytes a, struct bytes b);
bool path_equal(struct bytes a, struct bytes b);

#endif
