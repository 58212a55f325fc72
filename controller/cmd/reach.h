// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_REACH_H
#define MUSTER_CONTROLLER_CMD_REACH_H

/*
 * From names to hosts that can be asked: transports by the settings, and for each host its target,
 * where flags win over the inventory and the inventory over the configuration. `localhost` is this
 * machine, without SSH, unless the inventory says where it is.
 */

#include <uv.h>

#include "controller/cmd/call.h"
#include "controller/fleet/sweep.h"
#include "controller/fleet/transport.h"

struct reach {
	struct transport *ssh;   /* NULL: not needed */
	struct transport *local; /* likewise */
	struct sweep_host *hosts;
	size_t host_count;
	struct turns_limit *limits; /* of the configuration: max_parallel */
	size_t limit_count;
	void *memory; /* group lists */
	size_t *limit_memory;
};

/* Names and variables are borrowed from `hosts` and `inventory`. */
int reach_open(struct call *call, uv_loop_t *loop, struct inventory *inventory,
	       struct nodeset *hosts, struct reach *reach, struct error *err) MUST_CHECK;
/* Runs the loop until the transports have let go of it. */
void reach_close(struct reach *reach, uv_loop_t *loop);

/*
 * max_parallel of the configuration for the hosts of `reach`: asks ssh_config for all of them where a
 * jump host is named there.
 */
int reach_limits(struct call *call, uv_loop_t *loop, struct inventory *inventory,
		 struct reach *reach, struct error *err) MUST_CHECK;

/* The SSH transport alone. */
int reach_ssh(struct call *call, uv_loop_t *loop, struct transport **transport,
	      struct error *err) MUST_CHECK;
/* One host's target. */
struct target reach_target(struct call *call, struct inventory *inventory, const char *name);

#endif
