// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_OBJECTS_H
#define MUSTER_CONTROLLER_FLEET_OBJECTS_H

/*
 * Section contents for the judge: those that came in this session first, the store's otherwise. One
 * loaded content is held at a time. A host may name one object for any number of sections: what is
 * limited is what was handed out. Worker's thread.
 */

#include "controller/fleet/conversation.h"
#include "controller/judge/observation.h"
#include "controller/store/store.h"

struct objects {
	struct store *store;
	const struct conversation_object **session; /* sorted by digest */
	size_t session_count;
	uint8_t *loaded;
	uint64_t read; /* bytes handed out, each time anew */
	uint64_t most; /* of them; 0: no limit */
	bool missed;   /* something that was wanted is not to be had */
};

/* `conversation` may be NULL. */
void objects_init(struct objects *objects, struct store *store,
		  const struct conversation *conversation);
struct object_source objects_source(struct objects *objects);
/* LIMIT where more was wanted than may be handed out. */
int objects_check(const struct objects *objects, struct error *err) MUST_CHECK;
void objects_clear(struct objects *objects);

#endif
