// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_LINE_H
#define MUSTER_CONTROLLER_REPORT_LINE_H

/*
 * The line that a change is for people:
 *	web[001-040] (40)  HIGH  S.5....T.  c /etc/ssh/sshd_config  (openssh-server 1:9.2)  8c1d20aa
 * Never begins with a byte of a host's choosing, and never holds a newline.
 */

#include <stdbool.h>
#include <stdio.h>

#include "controller/report/changes.h"
#include "schema/error.h"

/* Columns, as wide as the widest of the lines that stand together, within reason. */
struct line_widths {
	int hosts;
	int what;
};

int line_measure(const struct change *change, struct line_widths *widths,
		 struct error *err) MUST_CHECK;
int line_change(FILE *out, const struct change *change, const struct line_widths *widths,
		bool color, bool verbose, struct error *err) MUST_CHECK;

/* "web[001-040] (40)"; the count only where it is more than one. Returns the columns. */
int line_hosts(FILE *out, const char *folded, size_t count);

/* "A-0042 until 2026-12-15: CHG1234" */
void line_ack(FILE *out, const struct change_ack *ack);

enum line_color { LINE_RED, LINE_YELLOW, LINE_GREEN, LINE_CYAN, LINE_DIM };
void line_paint(FILE *out, bool color, enum line_color which, const char *text);

#endif
