// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_FRAMER_H
#define MUSTER_CONTROLLER_SSH_FRAMER_H

/*
 * Cuts a byte stream into the frames of schema/frame.h, whatever pieces it arrives in. Whole frames
 * are handed on without a copy; only an unfinished one is kept, in memory that grows as bytes really
 * come and never beyond `max`, so that a length that was merely claimed costs nothing. Used on both
 * sides of the socketpair and for local pipes. Lives as long as its stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

struct framer {
	uint8_t *data; /* the unfinished frame, its head included */
	size_t len;
	size_t room;
	size_t max; /* most bytes of payload */
};

enum framer_result {
	FRAMER_OK,
	FRAMER_STOPPED, /* the sink said so: the rest of the input was dropped */
	FRAMER_INVALID, /* a length of zero or above max */
	FRAMER_NOMEM,
};

/* One payload, borrowed during the call. False: stop, the stream is over (the framer stays). */
typedef bool (*framer_sink)(void *context, struct bytes payload);

void framer_init(struct framer *framer, size_t max);
void framer_clear(struct framer *framer);
/* Takes all of `input`. After FRAMER_INVALID or FRAMER_NOMEM the stream cannot go on. */
enum framer_result framer_feed(struct framer *framer, struct bytes input, framer_sink sink,
			       void *context);
/* Whether the stream stands between two frames. */
bool framer_is_empty(const struct framer *framer);

#endif
