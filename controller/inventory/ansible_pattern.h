// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_ANSIBLE_PATTERN_H
#define MUSTER_CONTROLLER_INVENTORY_ANSIBLE_PATTERN_H

/*
 * Ansible's notation for many hosts, which is not ours: www[01:50].example.com, db[1:9:2], n-[a:f],
 * both ends inclusive, padded as the first one is, :PORT behind all of it. Pure.
 */

#include <stdint.h>

#include "controller/inventory/nodeset.h"
#include "schema/error.h"

/* Adds the names; *port is 0 where none is said. */
int ansible_pattern_expand(const char *pattern, struct nodeset *hosts, uint16_t *port,
			   struct error *err) MUST_CHECK;

#endif
