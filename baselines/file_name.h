// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_FILE_NAME_H
#define MUSTER_BASELINES_FILE_NAME_H

/*
 * Names of packages, versions, origins and hosts as one component of a path that git, every file
 * system and every shell take as it is, and back: letters, digits and . + - ~ _ stay, every other
 * byte (and a leading dot) is %xx. In a version the underscore is %5f, because the first one of
 * VERSION_ARCH.mtree parts the two. Bytes may come from a host: nothing they hold leaves the folder.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

#define FILE_NAME_MAX 240 /* leaves room for a suffix in NAME_MAX */
#define FILE_NAME_ROOM (FILE_NAME_MAX + 1)

/* The escaped name with a NUL, or false where `from` is empty or the result too long. */
bool file_name_escape(struct bytes from, char to[FILE_NAME_ROOM]);
bool file_name_escape_version(struct bytes from, char to[FILE_NAME_ROOM]);

/* Undoes either: `to` has room for as many bytes. -1 where `name` is not what escaping makes. */
long file_name_undo(struct bytes name, uint8_t *to);

#endif
