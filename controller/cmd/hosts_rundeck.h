// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_HOSTS_RUNDECK_H
#define MUSTER_CONTROLLER_CMD_HOSTS_RUNDECK_H

/*
 * `muster hosts --format rundeck`: the inventory as a Rundeck resource model (resource-yaml), with what
 * is known of each host as attributes, so that a job's node filter can say `muster_state: drift`.
 */

#include "controller/cmd/call.h"

int hosts_rundeck(struct call *call, struct error *err) MUST_CHECK;

#endif
