// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_ASIDE_H
#define MUSTER_CONTROLLER_REPORT_ASIDE_H

/*
 * What is set aside, a line an acknowledgement: why and until when is for every morning to read, also
 * where the findings themselves are not listed.
 */

#include <stdio.h>

#include "controller/report/changes.h"
#include "schema/error.h"

/* Nothing where nothing is acknowledged. */
int aside_print(FILE *out, struct changes *changes, struct error *err) MUST_CHECK;

#endif
