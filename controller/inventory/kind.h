// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_KIND_H
#define MUSTER_CONTROLLER_INVENTORY_KIND_H

/* Which format an inventory's text is in, by its name and what stands in it. */

#include "schema/bytes.h"

enum kind {
	KIND_LIST,
	KIND_YAML, /* muster's own */
	KIND_ANSIBLE_INI,
	KIND_ANSIBLE_YAML, /* also what ansible-inventory --list prints */
	KIND_RUNDECK,
};

/* Never fails: what is of no known kind is read as the nearest one, whose reader says what is wrong. */
enum kind kind_of(const char *name, struct bytes text);

#endif
