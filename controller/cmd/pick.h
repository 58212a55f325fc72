// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_PICK_H
#define MUSTER_CONTROLLER_CMD_PICK_H

/*
 * The findings that accept and ack are about: looked up by fingerprint in the database, on the hosts
 * that --hosts names, as of the latest look at each host.
 */

#include "controller/cmd/call.h"
#include "controller/report/changes.h"
#include "controller/store/store.h"

/* One change for each word of the call. CONFIG error for a word that fits nothing that is open. */
int pick_findings(struct call *call, struct store *store, struct nodeset *hosts,
		  struct changes *changes, struct error *err) MUST_CHECK;

#endif
