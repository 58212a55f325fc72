// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_REPORT_SCHEMA_CHECK_H
#define TESTS_UNIT_CONTROLLER_REPORT_SCHEMA_CHECK_H

/*
 * Holds lines of NDJSON to schema/findings.schema.json: as much of JSON Schema as that file uses
 * (type, const, enum, required, properties, additionalProperties, items, $ref to $defs).
 */

#include <stdbool.h>

/* Whether every line is of its type's shape; otherwise why and where is printed. Counts lines. */
bool schema_check_lines(const char *text, unsigned *lines);

#endif
