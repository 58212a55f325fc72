// SPDX-License-Identifier: MIT
#include "controller/inventory/ansible.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/inventory/ansible_args.h"
#include "controller/inventory/ansible_pattern.h"
#include "controller/inventory/where.h"
#include "schema/escape.h"

#define NESTING_MAX 64
#define SHOWN 100

struct vars {
	char *address, *user, *identity, *jump;
	uint16_t port;
	enum inventory_become become;
	enum inventory_transport transport;
};

struct group {
	char *name;
	struct nodeset *hosts; /* named in it, not in its children */
	size_t *child;
	size_t children;
	struct vars vars;
	size_t depth;
	size_t mark; /* of whose members it was last added to */
};

struct ansible {
	struct inventory *inventory;
	struct group *group;
	size_t groups;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

int ansible_new(struct ansible **ansible, struct inventory *inventory, struct error *err)
{
	*ansible = calloc(1, sizeof(**ansible));
	if (!*ansible) {
		return out_of_memory(err);
	}
	(*ansible)->inventory = inventory;
	return ansible_group(*ansible, "all", err);
}

void ansible_free(struct ansible *ansible)
{
	if (!ansible) {
		return;
	}
	for (size_t i = 0; i < ansible->groups; i++) {
		struct group *group = &ansible->group[i];

		free(group->name);
		free(group->child);
		free(group->vars.address);
		free(group->vars.user);
		free(group->vars.identity);
		free(group->vars.jump);
		nodeset_free(group->hosts);
	}
	free(ansible->group);
	free(ansible);
}

static int find_or_make(struct ansible *ansible, const char *name, size_t *index, struct error *err)
{
	struct group *grown;
	char shown[SHOWN];

	for (*index = 0; *index < ansible->groups; (*index)++) {
		if (strcmp(ansible->group[*index].name, name) == 0) {
			return 0;
		}
	}
	if (!nodeset_name_is_valid(name)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "\"%s\" is no group name (letters, digits, . _ : -)",
				 escape_text(bytes_from_string(name), shown, sizeof(shown)));
	}
	grown = realloc(ansible->group, (ansible->groups + 1) * sizeof(*grown));
	if (!grown) {
		return out_of_memory(err);
	}
	ansible->group = grown;
	grown[ansible->groups] = (struct group){.name = strdup(name)};
	if (!grown[ansible->groups].name) {
		return out_of_memory(err);
	}
	ansible->groups++;
	return nodeset_new(&grown[ansible->groups - 1].hosts, err);
}

int ansible_group(struct ansible *ansible, const char *group, struct error *err)
{
	size_t index;

	return find_or_make(ansible, group, &index, err);
}

int ansible_child(struct ansible *ansible, const char *group, const char *child, struct error *err)
{
	size_t parent, index, *grown;

	if (find_or_make(ansible, group, &parent, err) < 0 ||
	    find_or_make(ansible, child, &index, err) < 0) {
		return -1;
	}
	grown = realloc(ansible->group[parent].child,
			(ansible->group[parent].children + 1) * sizeof(*grown));
	if (!grown) {
		return out_of_memory(err);
	}
	ansible->group[parent].child = grown;
	grown[ansible->group[parent].children++] = index;
	return 0;
}

int ansible_hosts(struct ansible *ansible, const char *group, const char *pattern,
		  struct nodeset **hosts, struct error *err)
{
	struct inventory_vars vars = {0};
	struct nodeset *made = NULL;
	size_t index;
	int status = -1;

	if (find_or_make(ansible, group, &index, err) < 0 || nodeset_new(&made, err) < 0 ||
	    ansible_pattern_expand(pattern, made, &vars.port, err) < 0 ||
	    build_hosts(ansible->inventory, made, &vars, BUILD_FOR_HOST, err) < 0 ||
	    nodeset_add_set(ansible->group[index].hosts, made, err) < 0) {
		goto out;
	}
	if (hosts) {
		*hosts = made;
		made = NULL;
	}
	status = 0;
out:
	nodeset_free(made);
	return status;
}

/* Variables */

enum variable {
	VARIABLE_ADDRESS,
	VARIABLE_PORT,
	VARIABLE_USER,
	VARIABLE_BECOME,
	VARIABLE_METHOD,
	VARIABLE_IDENTITY,
	VARIABLE_TRANSPORT,
	VARIABLE_ARGS
};

static const struct {
	const char *name;
	enum variable variable;
} variables[] = {
	{"ansible_host", VARIABLE_ADDRESS},
	{"ansible_ssh_host", VARIABLE_ADDRESS},
	{"ansible_port", VARIABLE_PORT},
	{"ansible_ssh_port", VARIABLE_PORT},
	{"ansible_user", VARIABLE_USER},
	{"ansible_ssh_user", VARIABLE_USER},
	{"ansible_become", VARIABLE_BECOME},
	{"ansible_become_method", VARIABLE_METHOD},
	{"ansible_private_key_file", VARIABLE_IDENTITY},
	{"ansible_ssh_private_key_file", VARIABLE_IDENTITY},
	{"muster_transport", VARIABLE_TRANSPORT},
	{"ansible_ssh_common_args", VARIABLE_ARGS},
	{"ansible_ssh_extra_args", VARIABLE_ARGS},
	{"ansible_ssh_args", VARIABLE_ARGS},
};

static bool is_word(const char *value, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int bad_value(const char *key, const char *value, const char *expected, struct error *err)
{
	char shown[SHOWN];

	return error_set(err, ERROR_CONFIG, 0, "%s: \"%s\" is no %s", key,
			 escape_text(bytes_from_string(value), shown, sizeof(shown)), expected);
}

static int take_port(const char *key, const char *value, uint16_t *port, struct error *err)
{
	size_t len = strlen(value);
	unsigned long number = len <= 5 ? strtoul(value, NULL, 10) : 0;

	if (len == 0 || strspn(value, "0123456789") != len || number < 1 || number > 65535) {
		return bad_value(key, value, "port", err);
	}
	*port = (uint16_t)number;
	return 0;
}

/* Ansible has no word for it: a variable of our own. */
static int take_transport(const char *key, const char *value, enum inventory_transport *transport,
			  struct error *err)
{
	static const char *const words[] = {
		[INVENTORY_TRANSPORT_AUTO] = "auto",
		[INVENTORY_TRANSPORT_LIBSSH2] = "libssh2",
		[INVENTORY_TRANSPORT_SSH] = "ssh",
	};

	for (int i = INVENTORY_TRANSPORT_AUTO; i <= INVENTORY_TRANSPORT_SSH; i++) {
		if (strcmp(value, words[i]) == 0) {
			*transport = (enum inventory_transport)i;
			return 0;
		}
	}
	return bad_value(key, value, "transport (auto, libssh2, ssh)", err);
}

/* The jump hosts; what else the arguments hold is told. */
static int take_args(struct ansible *ansible, const char *place, const char *key, const char *value,
		     struct ansible_args *args, struct inventory_vars *vars, struct error *err)
{
	if (!ansible_args_read(value, args)) {
		return build_note(ansible->inventory, err,
				  "%s: %s cannot be taken apart and is not used: say it in "
				  "ssh_config",
				  place, key);
	}
	vars->jump = args->jump[0] ? args->jump : NULL;
	return args->left[0] ? build_note(ansible->inventory, err,
					  "%s: %s: of %s only the jump hosts are used: say it in "
					  "ssh_config",
					  place, args->left, key)
			     : 0;
}

/* Fills `vars` from one variable; strings are borrowed, from `args` too. */
static int take_variable(struct ansible *ansible, enum variable variable, const char *place,
			 const char *key, const char *value, struct ansible_args *args,
			 struct inventory_vars *vars, struct error *err)
{
	static const char *const yes[] = {"true", "yes", "on", "1", "y", "t", NULL};
	static const char *const no[] = {"false", "no", "off", "0", "n", "f", "", NULL};

	switch (variable) {
	case VARIABLE_ADDRESS:
		vars->address = value;
		return nodeset_name_is_valid(value) ? 0 : bad_value(key, value, "address", err);
	case VARIABLE_PORT:
		return take_port(key, value, &vars->port, err);
	case VARIABLE_USER:
		vars->user = value;
		return where_user_is_valid(value) ? 0 : bad_value(key, value, "user name", err);
	case VARIABLE_BECOME:
		if (!is_word(value, yes) && !is_word(value, no)) {
			return bad_value(key, value, "yes or no", err);
		}
		vars->become = is_word(value, yes) ? INVENTORY_BECOME_SUDO : INVENTORY_BECOME_NONE;
		return 0;
	case VARIABLE_METHOD:
		return strcmp(value, "sudo") == 0
			       ? 0
			       : build_note(ansible->inventory, err,
					    "%s: %s is not used: muster becomes root by sudo",
					    place, key);
	case VARIABLE_IDENTITY:
		vars->identity = value;
		return where_identity_is_valid(value) ? 0 : bad_value(key, value, "file", err);
	case VARIABLE_TRANSPORT:
		return take_transport(key, value, &vars->transport, err);
	case VARIABLE_ARGS:
		break;
	}
	return take_args(ansible, place, key, value, args, vars, err);
}

static int keep_string(char **kept, const char *value, struct error *err)
{
	char *copy;

	if (!value) {
		return 0;
	}
	copy = strdup(value);
	if (!copy) {
		return out_of_memory(err);
	}
	free(*kept);
	*kept = copy;
	return 0;
}

static int give_host(struct ansible *ansible, const char *name, const struct inventory_vars *vars,
		     struct error *err)
{
	struct nodeset *one = NULL;
	int status = -1;

	if (nodeset_new(&one, err) == 0 && nodeset_add(one, name, err) == 0) {
		status = build_hosts(ansible->inventory, one, vars, BUILD_FOR_HOST, err);
	}
	nodeset_free(one);
	return status;
}

int ansible_variable(struct ansible *ansible, const struct ansible_owner *owner, const char *place,
		     const char *key, const char *value, struct error *err)
{
	struct inventory_vars vars = {0};
	struct ansible_args args;
	struct vars *kept;
	size_t i = 0, index;

	while (i < sizeof(variables) / sizeof(variables[0]) &&
	       strcmp(variables[i].name, key) != 0) {
		i++;
	}
	if (i == sizeof(variables) / sizeof(variables[0])) {
		return 0;
	}
	if (strstr(value, "{{") || strstr(value, "{%")) {
		return build_note(ansible->inventory, err,
				  "%s: %s is a template, which is not evaluated: it does not count",
				  place, key);
	}
	if (take_variable(ansible, variables[i].variable, place, key, value, &args, &vars, err) <
	    0) {
		return -1;
	}
	if (owner->is_host) {
		return give_host(ansible, owner->name, &vars, err);
	}
	if (find_or_make(ansible, owner->name, &index, err) < 0) {
		return -1;
	}
	kept = &ansible->group[index].vars;
	kept->port = vars.port ? vars.port : kept->port;
	kept->become = vars.become != INVENTORY_BECOME_UNSET ? vars.become : kept->become;
	if (vars.transport != INVENTORY_TRANSPORT_UNSET) {
		kept->transport = vars.transport;
	}
	if (keep_string(&kept->address, vars.address, err) < 0 ||
	    keep_string(&kept->identity, vars.identity, err) < 0 ||
	    keep_string(&kept->jump, vars.jump, err) < 0) {
		return -1;
	}
	return keep_string(&kept->user, vars.user, err);
}

/* The end */

/* How far each lies below those that hold it, at most: the longest way counts. */
static int measure(struct ansible *ansible, struct error *err)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < ansible->groups; i++) {
			const struct group *group = &ansible->group[i];

			for (size_t c = 0; c < group->children; c++) {
				struct group *child = &ansible->group[group->child[c]];

				if (child->depth > group->depth) {
					continue;
				}
				child->depth = group->depth + 1;
				changed = true;
				if (child->depth > NESTING_MAX) {
					return error_set(err, ERROR_CONFIG, 0,
							 "group %s: groups hold each other, or are "
							 "nested more than %d deep",
							 child->name, NESTING_MAX);
				}
			}
		}
	}
	return 0;
}

/* The hosts of a group and of those in it, each group once. Never deeper than measure allowed. */
static int add_members(struct ansible *ansible, size_t index, size_t mark, struct nodeset *hosts,
		       struct error *err)
{
	struct group *group = &ansible->group[index];

	if (group->mark == mark) {
		return 0;
	}
	group->mark = mark;
	if (nodeset_add_set(hosts, group->hosts, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < group->children; i++) {
		if (add_members(ansible, group->child[i], mark, hosts, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int by_depth(const void *a, const void *b)
{
	const struct group *x = *(const struct group *const *)a;
	const struct group *y = *(const struct group *const *)b;

	return x->depth != y->depth ? (x->depth > y->depth) - (x->depth < y->depth)
				    : strcmp(x->name, y->name);
}

static int build_one(struct ansible *ansible, const struct group *group, struct error *err)
{
	const struct inventory_vars vars = {.address = group->vars.address,
					    .user = group->vars.user,
					    .identity = group->vars.identity,
					    .jump = group->vars.jump,
					    .port = group->vars.port,
					    .become = group->vars.become,
					    .transport = group->vars.transport};
	size_t index = (size_t)(group - ansible->group);
	struct nodeset *hosts = NULL;
	int status = -1;

	if (strcmp(group->name, "all") == 0) {
		return build_vars_for_all(ansible->inventory, &vars, err);
	}
	if (nodeset_new(&hosts, err) == 0 &&
	    add_members(ansible, index, index + 1, hosts, err) == 0 &&
	    build_hosts(ansible->inventory, hosts, &vars, BUILD_FOR_GROUP, err) == 0 &&
	    build_group(ansible->inventory, group->name, hosts, err) == 0) {
		hosts = NULL;
		status = 0;
	}
	nodeset_free(hosts);
	return status;
}

int ansible_finish(struct ansible *ansible, struct error *err)
{
	const struct group **order = calloc(ansible->groups + 1, sizeof(struct group *));
	int status;

	if (!order) {
		return out_of_memory(err);
	}
	status = measure(ansible, err);

	for (size_t i = 0; status == 0 && i < ansible->groups; i++) {
		order[i] = &ansible->group[i];
	}
	if (status == 0 && ansible->groups > 1) {
		qsort(order, ansible->groups, sizeof(struct group *), by_depth);
	}
	for (size_t i = 0; status == 0 && i < ansible->groups; i++) {
		assert(order[i]);
		status = build_one(ansible, order[i], err);
	}
	free(order);
	return status;
}

const char *ansible_group_name(const struct ansible *ansible, size_t index)
{
	return index < ansible->groups ? ansible->group[index].name : NULL;
}

struct inventory *ansible_inventory(struct ansible *ansible)
{
	return ansible->inventory;
}
