// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_MATCH_H
#define MUSTER_PAYLOADS_MATCH_H

/*
 * fnmatch(3) patterns with FNM_PATHNAME over bytes: * ? [...] never match '/', a backslash takes
 * the next byte as it is. Time is bounded by the product of both lengths, stack by nothing at all:
 * patterns come from a policy, but paths come from a host.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/message.h"

bool match_path(struct bytes pattern, struct bytes path);

/* Whether any of the list's patterns matches. */
bool match_any(const struct plan_list *patterns, struct bytes path);

#endif
