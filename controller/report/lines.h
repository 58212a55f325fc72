// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_LINES_H
#define MUSTER_CONTROLLER_REPORT_LINES_H

/*
 * Lines of NDJSON that are no run's: differences and events, between a run_start and a run_end as
 * any other (schema/findings.schema.json).
 */

#include <stdio.h>

#include "controller/store/store.h"
#include "schema/message.h"

void lines_start(FILE *out, const char *kind, const char *version);
void lines_end(FILE *out);

void lines_event(FILE *out, const char *host, const struct timeline_item *item);
/* `section`: "package dpkg login ...", as shown to people. */
void lines_difference(FILE *out, const struct store_diff_row *row);

/* The section's key as one line of text, escaped. Returns `to`. */
const char *lines_section(const struct section_key *key, char *to, size_t room);
/* "appeared", "vanished", "modified" */
const char *lines_change_name(enum store_change change);

#endif
