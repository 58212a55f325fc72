// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_PROGRESS_H
#define MUSTER_CONTROLLER_REPORT_PROGRESS_H

/*
 * How far a run has come, for whoever waits: on a terminal one line that is drawn over, with rate and
 * time left; elsewhere a line a minute. Knows no clock: the caller says what time it is. Writes to
 * the log only, never among data.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *log; /* NULL: say nothing */
	bool is_terminal;
	bool is_drawn; /* a line stands that must be wiped */
	uint64_t start_ms;
	uint64_t said_ms;
};

struct progress_state {
	size_t total;
	size_t done;
	size_t running;
	size_t failed;  /* not looked at */
	size_t due;     /* sections that running hosts will read */
	size_t read;    /* of them */
	const char *at; /* where the only running host is; NULL: says nothing */
};

void progress_init(struct progress *progress, FILE *log, bool is_terminal, uint64_t now_ms);

/* Draws, where it is time to. `asked`: now, whatever was said when (SIGUSR1). */
void progress_update(struct progress *progress, const struct progress_state *state, uint64_t now_ms,
		     bool asked);
/* Wipes the line, so that something else can be written. */
void progress_clear(struct progress *progress);

/*
 * The line itself: "[####....] 120/400 hosts 30%, 20 running, 12.5/s, 23 s left, 3 not looked at", or of
 * one host "[####....] 0/1 host 0%, reading, 120 of 300 sections, 23 s".
 */
void progress_format(const struct progress *progress, const struct progress_state *state,
		     uint64_t now_ms, char *to, size_t room);

#endif
