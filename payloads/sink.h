// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_SINK_H
#define MUSTER_PAYLOADS_SINK_H

/*
 * Where the canonical encoding of one section goes while it is collected: into its digest always,
 * and besides nowhere, into the ring until the controller has decided, into a buffer of its own (the
 * md5 section that is made at the same time), or straight to the controller.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/digest/sha256.h"
#include "payloads/ring.h"
#include "schema/bytes.h"
#include "schema/record.h"

struct sink {
	struct sha256 sha;
	uint64_t size;
	/* One of these three, or none. */
	struct ring *ring;
	uint8_t *buffer;
	size_t buffer_len;
	size_t buffer_room;
	void (*send)(void *context, struct bytes data);
	/* Asks for room in a full ring; false where there is none to be had. */
	bool (*make_room)(void *context);
	void *context;
	bool kept; /* all of it so far stands in ring or buffer */
};

void sink_init(struct sink *sink);
void sink_put(struct sink *sink, struct bytes encoded);
/* False where it is larger than a record may be: nothing is put. */
bool sink_record(struct sink *sink, const struct record *record);
void sink_digest(struct sink *sink, struct digest *digest);

#endif
