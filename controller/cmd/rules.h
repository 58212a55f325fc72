// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_RULES_H
#define MUSTER_CONTROLLER_CMD_RULES_H

/* Whether a policy names rules that exist: the baseline's reader knows none of them, the judge all. */

#include "baselines/policy.h"
#include "schema/error.h"

/* CONFIG error "FILE:LINE:COLUMN: ..." with the nearest right name. */
int rules_check_policy(const struct policy *policy, struct error *err) MUST_CHECK;

#endif
