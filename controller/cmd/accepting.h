// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_ACCEPTING_H
#define MUSTER_CONTROLLER_CMD_ACCEPTING_H

/* From a finding to the change of the baseline that makes it right: what accept and capture share. */

#include "baselines/edit.h"
#include "controller/judge/finding.h"
#include "schema/error.h"

/*
 * Borrows from `finding`. CONFIG error for what cannot be made right by a baseline: a broken
 * protocol, a host key, views that differ.
 */
int accepting_change(const struct finding *finding, const char *host, struct edit_change *change,
		     struct error *err) MUST_CHECK;

#endif
