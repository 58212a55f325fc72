// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_ANSIBLE_H
#define MUSTER_CONTROLLER_INVENTORY_ANSIBLE_H

/*
 * Ansible's idea of an inventory, filled by the readers of its formats and turned into ours at the end:
 * groups hold hosts and groups, a group nearer to a host wins over one farther away, of equals the
 * later name wins, and a host's own variables over all. Of variables only those that say how a host
 * is reached count; templates are never evaluated. Private to this folder.
 */

#include "controller/inventory/build.h"

struct ansible;

/* Whose variables are meant. */
struct ansible_owner {
	bool is_host;
	const char *name;
};

int ansible_new(struct ansible **ansible, struct inventory *inventory,
		struct error *err) MUST_CHECK;
void ansible_free(struct ansible *ansible);

/* Makes the group known. */
int ansible_group(struct ansible *ansible, const char *group, struct error *err) MUST_CHECK;
/*
 * Hosts by a pattern such as www[01:50:2].example.com or db-[a:f], :PORT behind it optional, into the
 * group; their names are in *hosts (nodeset_free) where it is not NULL.
 */
int ansible_hosts(struct ansible *ansible, const char *group, const char *pattern,
		  struct nodeset **hosts, struct error *err) MUST_CHECK;
int ansible_child(struct ansible *ansible, const char *group, const char *child,
		  struct error *err) MUST_CHECK;

/* A variable of a group or of one host; `place` (FILE:LINE) is for what is told about it. */
int ansible_variable(struct ansible *ansible, const struct ansible_owner *owner, const char *place,
		     const char *key, const char *value, struct error *err) MUST_CHECK;

/* The files group_vars/NAME and host_vars/NAME beside the inventory at `path`. */
int ansible_read_vars(struct ansible *ansible, const char *path, struct error *err) MUST_CHECK;

/* All of it into the inventory. CONFIG error for groups that hold each other. */
int ansible_finish(struct ansible *ansible, struct error *err) MUST_CHECK;

/* For ansible_read_vars: groups and the hosts of the inventory, NULL behind the last. */
const char *ansible_group_name(const struct ansible *ansible, size_t index);
struct inventory *ansible_inventory(struct ansible *ansible);

/* One file of variables into those of the owner. What it cannot read is a note of the inventory. */
int ansible_yaml_vars(struct ansible *ansible, const struct ansible_owner *owner, const char *path,
		      struct error *err) MUST_CHECK;

#endif
