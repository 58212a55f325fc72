// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_LIBRARIES_H
#define MUSTER_CONTROLLER_STORE_LIBRARIES_H

/* Which libraries stand behind this folder, for `muster version`. Static, without state. */

#include <stddef.h>

/* "SQLite 3.40.1, zstd 1.5.4". Returns `to`. */
const char *libraries_of_store(char *to, size_t room);

#endif
