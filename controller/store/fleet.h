// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_STORE_FLEET_H
#define MUSTER_CONTROLLER_STORE_FLEET_H

/*
 * Who has what of each package build, and whose database says what of it, over the last complete look at every host: what the judge
 * compares hosts by (judge/fleet.h), and where its findings go. Counted from snapshots, which equal
 * hosts share; a night on which no snapshot changed is not counted at all. Valid until the next host
 * is put.
 */

#include <stdbool.h>
#include <stddef.h>

#include "controller/judge/fleet.h"
#include "controller/store/store.h"

struct store_fleet;

/* Whether anything that hosts are compared by changed since the last comparison. */
int store_fleet_is_due(struct store *store, const struct store_run *run, bool *due,
		       struct error *err) MUST_CHECK;

int store_fleet_load(struct store *store, struct store_fleet **fleet, struct error *err) MUST_CHECK;
void store_fleet_free(struct store_fleet *fleet);

/* Builds of which hosts have several contents, or one that a strong witness contradicts. */
size_t store_fleet_count(const struct store_fleet *fleet);
const struct fleet_group *store_fleet_group(const struct store_fleet *fleet, size_t index);

/* On which side of which group a host is. */
struct store_fleet_place {
	uint32_t group;
	uint32_t side;
	uint8_t witness; /* enum witness: of this package on this host */
	bool differs;
};
/* 0, or negative to stop. */
typedef int store_fleet_cb(void *context, const char *host, const struct store_fleet_place *places,
			   size_t count);
/* Hosts that this run looked at whole and that are in a group or have findings of the fleet. */
int store_fleet_each(const struct store_fleet *fleet, const struct store_run *run,
		     store_fleet_cb *callback, void *context) MUST_CHECK;

/*
 * All findings of the fleet that hold on this host: others of its kind become resolved. *before
 * and *after are the host's outcome in this run. One transaction.
 */
int store_fleet_put(struct store *store, const struct store_run *run, const char *host,
		    struct findings *findings, const char *const *acks, enum outcome *before,
		    enum outcome *after, struct error *err) MUST_CHECK;

/*
 * What the fleet vouches for, host by host, where that changed; then the comparison is done. `fleet`
 * is NULL where none was due. *counts gets what it vouches for on the hosts of this run, under the
 * witness that it outweighs there.
 */
int store_fleet_end(struct store *store, const struct store_fleet *fleet,
		    const struct store_run *run, struct judge_counts *counts,
		    struct error *err) MUST_CHECK;

#endif
