// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_VERSION_H
#define MUSTER_CONTROLLER_CMD_VERSION_H

/* What this is: stored with every run. Static. */

extern const char version_text[];

#endif
