// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_MATCH_H
#define MUSTER_PAYLOADS_MATCH_H

/*
 * The patterns of a plan (schema/glob.h) against the paths of a host.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/message.h"

/* Whether any of the list's patterns matches. */
bool match_any(const struct plan_list *patterns, struct bytes path);

#endif
