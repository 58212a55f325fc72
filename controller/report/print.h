// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_PRINT_H
#define MUSTER_CONTROLLER_REPORT_PRINT_H

/*
 * Small pieces of text for people: bytes of hosts, escaped on their way out and of any length, and
 * times, sizes and counts as all reports write them. No allocation; write errors are the stream's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "schema/bytes.h"

/* Raw bytes, escaped (schema/escape.h, ESCAPE_TEXT). Returns the columns taken, about. */
size_t print_bytes(FILE *out, struct bytes bytes);
/* Text that is escaped already: backslashes stay, whatever else is not plain is escaped still. */
size_t print_escaped(FILE *out, struct bytes text);

#define PRINT_TIME_ROOM 32
/* 2026-11-21T02:00:00Z */
const char *print_time(int64_t seconds, char to[PRINT_TIME_ROOM]);
/* With nanoseconds: 2026-11-21T02:00:00.123456789Z */
const char *print_time_ns(int64_t ns, char to[PRINT_TIME_ROOM]);

#define PRINT_MODE_ROOM 12
/* -rwsr-xr-x, of a whole st_mode */
const char *print_mode(uint32_t mode, char to[PRINT_MODE_ROOM]);

#define PRINT_NUMBER_ROOM 32
/* 91,234 */
const char *print_count(uint64_t count, char to[PRINT_NUMBER_ROOM]);
/* 1.9 KB, 12 MB */
const char *print_size(uint64_t bytes, char to[PRINT_NUMBER_ROOM]);
/* 12 s, 3 min 20 s, 2 h 5 min */
const char *print_span(uint64_t seconds, char to[PRINT_NUMBER_ROOM]);
/* 3 days, 1 hour: the largest unit of which there is one */
const char *print_age(uint64_t seconds, char to[PRINT_NUMBER_ROOM]);

#endif
