// SPDX-License-Identifier: MIT
#ifndef MUSTER_BASELINES_USRMERGE_H
#define MUSTER_BASELINES_USRMERGE_H

/*
 * The canonical spelling of a path: bin, sbin, lib, lib32, lib64, libx32 and libo32 at the top stand
 * below /usr, as the probe reports them from a host whose /bin is a link to usr/bin. Manifests have
 * always this spelling, whatever the package was built with; a host that is not merged is matched by
 * the judge, which knows the aliases.
 */

#include <stdbool.h>

#include "schema/bytes.h"

/*
 * Whether "/usr" goes in front of `path` (absolute). The top directories themselves are moved only
 * where they are directories: a package that ships the link /bin means the link.
 */
bool usrmerge_moves(struct bytes path, bool is_directory);

#endif
