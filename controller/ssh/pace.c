// SPDX-License-Identifier: MIT
#include "controller/ssh/pace.h"

#define STALL_MS 60000U
#define STALL_BYTES 1024U

void pace_begin(struct pace *pace, uint64_t now_ms, uint32_t timeout_ms)
{
	*pace = (struct pace){
		.now_ms = now_ms,
		.end_ms = timeout_ms == 0 ? UINT64_MAX : now_ms + timeout_ms,
		.window_start_ms = now_ms,
	};
}

void pace_phase(struct pace *pace, uint64_t phase_ms)
{
	pace->phase_end_ms = pace->now_ms + phase_ms;
	pace_restart(pace);
}

void pace_moved(struct pace *pace, size_t bytes)
{
	pace->window_bytes += bytes;
}

void pace_restart(struct pace *pace)
{
	pace->window_start_ms = pace->now_ms;
	pace->window_bytes = 0;
}

static bool is_stalled(struct pace *pace, bool in_message)
{
	bool stalled;

	if (pace->now_ms - pace->window_start_ms < STALL_MS) {
		return false;
	}
	stalled = in_message && pace->window_bytes < STALL_BYTES;
	pace_restart(pace);
	return stalled;
}

enum pace_verdict pace_check(struct pace *pace, uint64_t now_ms, bool reading, bool in_message)
{
	uint64_t since_ms = now_ms - pace->now_ms;

	pace->now_ms = now_ms;
	if (now_ms >= pace->end_ms) {
		return PACE_DEADLINE;
	}
	if (!reading) {
		/* Not the host's fault that nothing moves. */
		pace->phase_end_ms += since_ms;
	}
	if (is_stalled(pace, reading && in_message)) {
		return PACE_STALLED;
	}
	return now_ms < pace->phase_end_ms ? PACE_ON : PACE_PHASE;
}

bool pace_is_due(const struct pace *pace, uint64_t now_ms)
{
	return now_ms >= pace->end_ms || now_ms >= pace->phase_end_ms ||
	       now_ms - pace->window_start_ms >= STALL_MS;
}
