// SPDX-License-Identifier: MIT
#include <assert.h>

#include "controller/ssh/talk.h"
#include "tests/fuzz/fuzz.h"

#define CAP 100000U

struct seen {
	size_t frames;
	bool over;
};

static void on_frame(void *context, struct bytes payload)
{
	struct seen *seen = context;

	assert(!seen->over && payload.len > 0 && payload.len <= FRAME_MAX);
	seen->frames++;
}

/*
 * A host's output in pieces of the first byte's size: no frame before the probe has its turn, none behind
 * the end, and one state at the end whatever the status.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes left = bytes_make(data, size);
	size_t piece = size > 0 ? 1 + (size_t)data[0] : 1;
	struct seen seen = {.frames = 0};
	struct talk_end end = {.outcome = OUTCOME_NOT_ASKED};
	struct talk talk;

	talk_init(&talk, "0123456789abcdef0123456789abcdef", BECOME_PINNED, CAP, on_frame, &seen);
	while (left.len > 0 && !seen.over) {
		struct bytes part = {left.data, left.len < piece ? left.len : piece};

		left.data += part.len;
		left.len -= part.len;
		seen.over = talk_count(&talk, part.len, &end) == TALK_OVER;
		while (part.len > 0 && !seen.over) {
			enum talk_state before = talk.state;
			enum talk_event event = talk_output(&talk, &part, &end);

			assert(event != TALK_ARCH ||
			       (before == TALK_SHELL && talk.state == TALK_UPLOAD));
			assert(event != TALK_STREAM || talk.state == TALK_RUNNING);
			assert(event != TALK_MORE || part.len == 0);
			seen.over = event == TALK_OVER;
		}
	}
	assert(seen.frames == 0 || talk.state == TALK_RUNNING);
	if (!seen.over) {
		talk_ended(&talk, size > 1 ? data[1] : 0, (struct bytes){NULL, 0}, &end);
	}
	assert(end.outcome != OUTCOME_NOT_ASKED);
	for (const char *c = end.reason; *c; c++) {
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	talk_clear(&talk);
	return 0;
}
