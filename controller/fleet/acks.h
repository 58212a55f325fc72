// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_ACKS_H
#define MUSTER_CONTROLLER_FLEET_ACKS_H

/*
 * Sets aside what an administrator has acknowledged: a finding becomes ACKNOWLEDGED where an ack of
 * the baseline names its fingerprint (and so its content), its rule and path, this host, and has not
 * expired. Anything that changed since has another fingerprint and stays open.
 */

#include <stdint.h>

#include "baselines/baseline.h"
#include "controller/judge/finding.h"
#include "schema/error.h"

int acks_apply(struct baseline *baseline, const char *host, int64_t now_s,
	       struct findings *findings, struct error *err) MUST_CHECK;

#endif
