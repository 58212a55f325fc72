// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_PACE_H
#define MUSTER_CONTROLLER_SSH_PACE_H

/*
 * How long a session may take: a total deadline, one for each phase, and a minimum progress of a
 * message that has begun. Pure: the owner says what time it is (monotonic milliseconds), asks at
 * every step, and says when it is not the host's fault that nothing moves.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_SILENCE_MS 3600000U /* a probe that reads a large tree says nothing for long */
#define PACE_SHELL_PATIENCE 4U   /* login shells take their time, and so do slow lines */

struct pace {
	uint64_t now_ms;
	uint64_t end_ms; /* total deadline; 0: not begun */
	uint64_t phase_end_ms;
	uint64_t window_start_ms; /* minimum progress */
	uint64_t window_bytes;
};

enum pace_verdict {
	PACE_ON,
	PACE_DEADLINE, /* the total one */
	PACE_STALLED,  /* a message that does not go on */
	PACE_PHASE,    /* the phase's own */
};

/* `timeout_ms` 0: none. */
void pace_begin(struct pace *pace, uint64_t now_ms, uint32_t timeout_ms);
/* A phase begins now. */
void pace_phase(struct pace *pace, uint64_t phase_ms);
void pace_moved(struct pace *pace, size_t bytes);
/* Minimum progress is counted anew from now: after a pause. */
void pace_restart(struct pace *pace);
/* `reading`: the host may send; false: we do not listen. `in_message`: one has begun. */
enum pace_verdict pace_check(struct pace *pace, uint64_t now_ms, bool reading, bool in_message);
/* Whether pace_check may have something to say. */
bool pace_is_due(const struct pace *pace, uint64_t now_ms);

#endif
