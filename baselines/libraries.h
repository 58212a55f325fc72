// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_LIBRARIES_H
#define MUSTER_BASELINES_LIBRARIES_H

/* Which libraries stand behind this folder, for `muster version`. Static, without state. */

#include <stddef.h>

/* "libgit2 1.5.1, libarchive 3.6.2, libyaml 0.2.5". Returns `to`. */
const char *libraries_of_baselines(char *to, size_t room);

#endif
