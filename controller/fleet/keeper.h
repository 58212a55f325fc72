// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_KEEPER_H
#define MUSTER_CONTROLLER_FLEET_KEEPER_H

/*
 * Brings objects into the store while sessions still go on, so that a thousand first contacts do not
 * hold what they have sent until they end, and other hosts need not be asked for it again. What is
 * here and not in the store yet is what the run's memory budget is about. Loop's thread; the store is
 * touched on the worker's.
 */

#include <stddef.h>
#include <stdint.h>

#include "controller/fleet/conversation.h"
#include "controller/fleet/worker.h"
#include "controller/store/store.h"
#include "schema/error.h"

struct keeper;

/* A store that fails ends the run: told once, on the loop's thread. */
typedef void (*keeper_failed)(void *context, const struct error *err);

int keeper_new(struct worker *worker, struct store *store, keeper_failed failed, void *context,
	       struct keeper **keeper, struct error *err) MUST_CHECK;
/* No job of its own may be under way: after the worker's last `done`. */
void keeper_free(struct keeper *keeper);

/* Takes over the array and the contents, also where it fails (for lack of memory). */
int keeper_add(struct keeper *keeper, struct conversation_object *objects, size_t count,
	       struct error *err) MUST_CHECK;
/*
 * Submits what is there, unless a job is under way already and this is not `now`: what the worker is
 * given after that finds the objects in the store.
 */
void keeper_submit(struct keeper *keeper, bool now);
/* Bytes of objects that are not in the store yet. */
size_t keeper_bytes(const struct keeper *keeper);
/* No job is under way and nothing waits. */
bool keeper_is_idle(const struct keeper *keeper);

#endif
