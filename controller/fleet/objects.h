// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_OBJECTS_H
#define MUSTER_CONTROLLER_FLEET_OBJECTS_H

/*
 * Section contents for the judge: those that came in this session first, the store's otherwise. One
 * loaded content is held at a time. Worker's thread.
 */

#include "controller/fleet/conversation.h"
#include "controller/judge/observation.h"
#include "controller/store/store.h"

struct objects {
	struct store *store;
	const struct conversation_object **session; /* sorted by digest */
	size_t session_count;
	uint8_t *loaded;
};

/* `conversation` may be NULL. */
void objects_init(struct objects *objects, struct store *store,
		  const struct conversation *conversation);
struct object_source objects_source(struct objects *objects);
void objects_clear(struct objects *objects);

#endif
