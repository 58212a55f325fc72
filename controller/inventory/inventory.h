// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_INVENTORY_INVENTORY_H
#define MUSTER_CONTROLLER_INVENTORY_INVENTORY_H

/*
 * The hosts that muster knows, how to reach each and which groups it is in: from plain lists, YAML
 * inventories, the configuration's groups and the command line. Reads files and stdin; resolves no
 * names and asks no host. Strings live as long as the inventory. Every host's name is valid
 * (nodeset_name_is_valid).
 *
 * Wherever a host is named, `user@` in front and `:port` behind it may stand ([ADDRESS]:port for
 * IPv6); the host's name is what is between. Plain list: a host or range a line, # comments.
 * YAML: vars (of all hosts); hosts: nodeset, list of nodesets, or mapping nodeset: vars; groups:
 * mapping name: nodeset, list, or {hosts, vars}; vars are address, port, user, become,
 * identity, jump, transport. A group may name groups that stand above it. A host's own vars win over a later group's, and these over an
 * earlier group's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/inventory/nodeset.h"
#include "schema/bytes.h"
#include "schema/error.h"

struct inventory;

enum inventory_become {
	INVENTORY_BECOME_UNSET,
	INVENTORY_BECOME_NONE,
	INVENTORY_BECOME_SUDO,
	INVENTORY_BECOME_PINNED
};

enum inventory_transport {
	INVENTORY_TRANSPORT_UNSET,
	INVENTORY_TRANSPORT_AUTO,
	INVENTORY_TRANSPORT_LIBSSH2,
	INVENTORY_TRANSPORT_SSH
};

struct inventory_vars {
	const char *address; /* NULL: not said */
	const char *user;
	const char *identity; /* file of the private key to offer first; NULL: not said */
	const char *jump;     /* as ProxyJump has it; NULL: not said */
	uint16_t port;        /* 0: not said */
	enum inventory_become become;
	enum inventory_transport transport; /* who speaks SSH with it */
};

struct inventory_host {
	const char *name;
	struct inventory_vars vars;
	bool user_is_named; /* on the command line: inventory_select_named */
	bool port_is_named;
};

int inventory_new(struct inventory **inventory, struct error *err) MUST_CHECK;
void inventory_free(struct inventory *inventory);

/*
 * `path` "-": stdin. Beside our own formats (plain list, YAML) Ansible's static ones (INI, YAML, with
 * group_vars and host_vars beside the file), what `ansible-inventory --list` prints, and Rundeck's
 * resource models (YAML, JSON) are read; which one it is, name and text tell (kind.h).
 */
int inventory_read(struct inventory *inventory, const char *path, struct error *err) MUST_CHECK;
int inventory_read_text(struct inventory *inventory, const char *name, struct bytes text,
			struct error *err) MUST_CHECK;

/* A group of the configuration; unknown hosts in it become known. */
int inventory_add_group(struct inventory *inventory, const char *group, const char *notation,
			struct error *err) MUST_CHECK;
/* Hosts that were named on the command line and stand in no inventory. */
int inventory_add_hosts(struct inventory *inventory, struct nodeset *hosts,
			struct error *err) MUST_CHECK;

size_t inventory_count(const struct inventory *inventory);
/* In the order in which they were first named. */
const struct inventory_host *inventory_host(const struct inventory *inventory, size_t index);
/* NULL: not known. */
const struct inventory_host *inventory_find(const struct inventory *inventory, const char *name);

/*
 * Hosts of a notation in which @group and @all may stand. Names need not be in the inventory: what
 * is named is meant.
 */
int inventory_select(struct inventory *inventory, const char *notation, struct nodeset **hosts,
		     struct error *err) MUST_CHECK;
/* The same for what was typed: its USER@ and :PORT win over all else that is said of the host. */
int inventory_select_named(struct inventory *inventory, const char *notation,
			   struct nodeset **hosts, struct error *err) MUST_CHECK;

/* The groups for nodeset_parse: reads the inventory alone, so any one thread may while none writes. */
struct nodeset_groups inventory_nodeset_groups(struct inventory *inventory);

/* What an inventory of another program said and is passed over: a line each, escaped. */
const char *inventory_note(const struct inventory *inventory, size_t index);

/* Names of the host's groups, in the order they were defined: fills up to `room`, returns all. */
size_t inventory_groups_of(struct inventory *inventory, const char *host, const char **groups,
			   size_t room);
size_t inventory_group_count(const struct inventory *inventory);
const char *inventory_group_name(const struct inventory *inventory, size_t index);

#endif
