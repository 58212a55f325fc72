// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_OBJECT_PLACES_H
#define MUSTER_CONTROLLER_FLEET_OBJECT_PLACES_H

/*
 * Where each content digest of the fleet is: kept in the store, or being fetched from one host, so
 * that an object in flight is asked of one host only. Lives on the loop's thread; begins as a copy
 * of what the store holds.
 */

#include <stddef.h>
#include <stdint.h>

#include "controller/fleet/conversation.h"
#include "schema/error.h"

struct object_places;

int object_places_new(struct object_places **places, struct error *err) MUST_CHECK;
void object_places_free(struct object_places *places);

/* The store has it. */
int object_places_keep(struct object_places *places, const struct digest *digest,
		       struct error *err) MUST_CHECK;

/*
 * Where an object is for a host (a number of the caller's, below UINT32_MAX). WANTED notes that this
 * host is being asked; what the same host was asked for already counts as kept. `last`: do not wait
 * for another host. Lack of memory means WANTED: it is only sent twice.
 */
enum object_place object_places_ask(struct object_places *places, const struct digest *digest,
				    uint32_t host, bool last);

/* The host ended: what it was asked for is kept (its digests were passed to _keep) or free again. */
void object_places_release(struct object_places *places, uint32_t host);

#endif
