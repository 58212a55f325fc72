// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_ACKS_H
#define MUSTER_CONTROLLER_FLEET_ACKS_H

/*
 * Sets aside what an administrator has acknowledged: a finding becomes ACKNOWLEDGED where an ack of
 * the baseline names its fingerprint (and so its content), its rule, this host, and has not expired.
 * Anything that changed since has another fingerprint and stays open. An ack whose hosts cannot be
 * told sets nothing aside. Borrows the baseline; once made, for one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "baselines/baseline.h"
#include "controller/inventory/nodeset.h"
#include "controller/judge/finding.h"
#include "schema/error.h"

struct acks;

/* Groups in an ack's hosts are those of `groups`; NULL: none are known. */
int acks_new(struct acks **acks, struct baseline *baseline, const struct nodeset_groups *groups,
	     struct error *err) MUST_CHECK;
void acks_free(struct acks *acks);

/* What is wrong with the hosts of acks, one after the other, escaped; NULL behind the last. */
const char *acks_fault(const struct acks *acks, size_t index);

/*
 * One ack a finding in *applied, NULL where none: borrowed from the baseline, the array from `acks`
 * until the next call.
 */
int acks_apply(struct acks *acks, const char *host, int64_t now_s, struct findings *findings,
	       const struct ack *const **applied, struct error *err) MUST_CHECK;

#endif
