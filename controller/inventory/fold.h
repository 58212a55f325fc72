// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_FOLD_H
#define MUSTER_CONTROLLER_INVENTORY_FOLD_H

/*
 * Many names as one short text: web[001-040],db[1,3-5]. The way back is nodeset_parse, exactly,
 * where all names are valid host names; others stand as they are, unescaped. n log n in the number
 * of names, so that a finding on a whole fleet folds in milliseconds.
 */

#include <stddef.h>

#include "controller/inventory/nodeset.h"
#include "schema/error.h"

/* The text belongs to the caller (free). Names in any order, repetition allowed. */
int fold_names(const char *const *names, size_t count, char **text, struct error *err) MUST_CHECK;
int fold_nodeset(struct nodeset *set, char **text, struct error *err) MUST_CHECK;

#endif
