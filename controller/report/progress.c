// SPDX-License-Identifier: MIT
#include "controller/report/progress.h"

#include <inttypes.h>
#include <string.h>

#include "controller/report/print.h"

#define BAR_WIDTH 30
#define DRAW_EVERY_MS 100
#define SAY_EVERY_MS 60000
#define LINE_ROOM 200

void progress_init(struct progress *progress, FILE *log, bool is_terminal, uint64_t now_ms)
{
	*progress = (struct progress){
		.log = log, .is_terminal = is_terminal, .start_ms = now_ms, .said_ms = now_ms};
}

/* Of a single host, how far that one is. */
static size_t bar_of(const struct progress_state *state)
{
	bool single = state->total == 1 && state->done == 0;
	size_t of = single ? state->due : state->total;
	size_t done = single ? state->read : state->done;

	if (of == 0) {
		return single ? 0 : BAR_WIDTH;
	}
	return done * BAR_WIDTH / of;
}

void progress_format(const struct progress *progress, const struct progress_state *state,
		     uint64_t now_ms, char *to, size_t room)
{
	uint64_t spent_ms = now_ms > progress->start_ms ? now_ms - progress->start_ms : 0;
	uint64_t percent = state->total ? state->done * 100 / state->total : 100;
	size_t filled = bar_of(state);
	char bar[BAR_WIDTH + 4] = "", left[PRINT_NUMBER_ROOM];
	size_t used;
	int n;

	if (progress->is_terminal) {
		bar[0] = '[';
		memset(bar + 1, '.', BAR_WIDTH);
		memset(bar + 1, '#', filled < BAR_WIDTH ? filled : BAR_WIDTH);
		bar[BAR_WIDTH + 1] = ']';
		bar[BAR_WIDTH + 2] = ' ';
	}
	n = snprintf(to, room, "%s%zu/%zu host%s %" PRIu64 "%%, ", bar, state->done, state->total,
		     state->total == 1 ? "" : "s", percent);
	used = n > 0 ? (size_t)n : 0;
	if (state->at && used < room) {
		n = snprintf(to + used, room - used, "%s", state->at);
	} else if (used < room) {
		n = snprintf(to + used, room - used, "%zu running", state->running);
	}
	used += n > 0 ? (size_t)n : 0;
	if (state->at && state->due > 0 && used < room) {
		n = snprintf(to + used, room - used, ", %zu of %zu sections", state->read,
			     state->due);
		used += n > 0 ? (size_t)n : 0;
	}
	if (state->at && state->done == 0 && used < room) {
		n = snprintf(to + used, room - used, ", %s", print_span(spent_ms / 1000, left));
		used += n > 0 ? (size_t)n : 0;
	}
	if (state->done > 0 && spent_ms > 0 && used < room) {
		uint64_t tenths = state->done * 10000 / spent_ms;
		uint64_t rest_ms = (state->total - state->done) * spent_ms / state->done;

		n = snprintf(to + used, room - used, ", %" PRIu64 ".%" PRIu64 "/s, %s left",
			     tenths / 10, tenths % 10, print_span(rest_ms / 1000, left));
		used += n > 0 ? (size_t)n : 0;
	}
	if (state->failed > 0 && used < room) {
		(void)snprintf(to + used, room - used, ", %zu not looked at", state->failed);
	}
}

void progress_update(struct progress *progress, const struct progress_state *state, uint64_t now_ms,
		     bool asked)
{
	uint64_t every = progress->is_terminal ? DRAW_EVERY_MS : SAY_EVERY_MS;
	bool is_due = now_ms - progress->said_ms >= every;
	char line[LINE_ROOM];

	if (!progress->log || (!is_due && !asked)) {
		return;
	}
	progress->said_ms = now_ms;
	progress_format(progress, state, now_ms, line, sizeof(line));
	if (progress->is_terminal) {
		/* ECMA-48, erase in line: what was longer before does not shine through. */
		(void)fprintf(progress->log, "\r%s\033[K", line);
		progress->is_drawn = true;
	} else {
		(void)fprintf(progress->log, "muster: %s\n", line);
	}
	(void)fflush(progress->log);
}

void progress_clear(struct progress *progress)
{
	if (progress->log && progress->is_drawn) {
		(void)fputs("\r\033[K", progress->log);
		(void)fflush(progress->log);
		progress->is_drawn = false;
	}
}
