// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_BUILD_H
#define MUSTER_CONTROLLER_INVENTORY_BUILD_H

/*
 * How the readers of each format fill an inventory. Private to this folder. Strings are copied.
 */

#include "controller/inventory/inventory.h"

/* How near to a host a variable was said: the nearer wins, the later of equals. */
enum build_level { BUILD_FOR_ALL, BUILD_FOR_GROUP, BUILD_FOR_HOST, BUILD_FOR_CALL, BUILD_LEVELS };

/* Makes every host of the set known and gives it what `vars` says (NULL: nothing). */
int build_hosts(struct inventory *inventory, struct nodeset *hosts,
		const struct inventory_vars *vars, enum build_level level,
		struct error *err) MUST_CHECK;
/* Every host known so far. */
int build_vars_for_all(struct inventory *inventory, const struct inventory_vars *vars,
		       struct error *err) MUST_CHECK;
/* Takes the set over where it succeeds. A group that exists grows. */
int build_group(struct inventory *inventory, const char *name, struct nodeset *hosts,
		struct error *err) MUST_CHECK;

/* What is passed over, for inventory_note; more than a few are dropped. */
int build_note(struct inventory *inventory, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4))) MUST_CHECK;

/* One format each; `name` is for messages. */
int build_from_list(struct inventory *inventory, const char *name, struct bytes text,
		    struct error *err) MUST_CHECK;
int build_from_yaml(struct inventory *inventory, const char *name, struct bytes text,
		    struct error *err) MUST_CHECK;
int build_from_ansible_ini(struct inventory *inventory, const char *name, struct bytes text,
			   struct error *err) MUST_CHECK;
int build_from_ansible_yaml(struct inventory *inventory, const char *name, struct bytes text,
			    struct error *err) MUST_CHECK;
int build_from_rundeck(struct inventory *inventory, const char *name, struct bytes text,
		       struct error *err) MUST_CHECK;

#endif
