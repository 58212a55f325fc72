// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_SHOW_PACKAGES_H
#define MUSTER_CONTROLLER_CMD_SHOW_PACKAGES_H

/* A host's packages as its package manager would list them, from the latest observation. */

#include "controller/cmd/call.h"
#include "controller/store/store.h"

/* An exit code, or -1 with *err. */
int show_rpm(struct call *call, struct store *store, const char *host, struct error *err);
int show_installed(struct call *call, struct store *store, const char *host, struct error *err);

#endif
