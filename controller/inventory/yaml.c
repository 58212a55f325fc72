// SPDX-License-Identifier: MIT
#include "baselines/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "controller/inventory/build.h"
#include "controller/inventory/where.h"
#include "schema/escape.h"

#define NOTATION_MAX 65536
#define GROUP_NAME_MAX 256
#define SHOWN 100

/* The memory that `vars` borrows from while a mapping is read. */
struct vars_text {
	char address[NODESET_NAME_MAX + 1];
	char user[NODESET_NAME_MAX + 1];
	char identity[WHERE_PATH_MAX];
	char jump[WHERE_JUMP_MAX];
};

static int bad_word(const struct yaml_reader *reader, const char *word, const char *what,
		    struct error *err)
{
	char shown[SHOWN];

	return yaml_reader_fail(reader, err, "\"%s\" is no %s",
				escape_text(bytes_from_string(word), shown, sizeof(shown)), what);
}

static int read_var(struct yaml_reader *reader, size_t key, struct vars_text *text,
		    struct inventory_vars *vars, struct error *err)
{
	static const char *const becomes[] = {"none", "sudo", "pinned", NULL};
	static const char *const transports[] = {"auto", "libssh2", "ssh", NULL};
	size_t become, transport;
	uint64_t port;

	switch (key) {
	case 0:
		if (yaml_reader_text(reader, text->address, sizeof(text->address), err) < 0) {
			return -1;
		}
		vars->address = text->address;
		return nodeset_name_is_valid(text->address)
			       ? 0
			       : bad_word(reader, text->address, "address", err);
	case 1:
		if (yaml_reader_number(reader, 1, 65535, &port, err) < 0) {
			return -1;
		}
		vars->port = (uint16_t)port;
		return 0;
	case 2:
		if (yaml_reader_text(reader, text->user, sizeof(text->user), err) < 0) {
			return -1;
		}
		vars->user = text->user;
		return where_user_is_valid(text->user)
			       ? 0
			       : bad_word(reader, text->user, "user name", err);
	case 4:
		if (yaml_reader_text(reader, text->identity, sizeof(text->identity), err) < 0) {
			return -1;
		}
		vars->identity = text->identity;
		return where_identity_is_valid(text->identity)
			       ? 0
			       : bad_word(reader, text->identity, "file", err);
	case 5:
		if (yaml_reader_text(reader, text->jump, sizeof(text->jump), err) < 0) {
			return -1;
		}
		vars->jump = text->jump;
		return where_jump_is_valid(text->jump)
			       ? 0
			       : bad_word(reader, text->jump, "[user@]host[:port]", err);
	case 6:
		if (yaml_reader_word(reader, transports, &transport, err) < 0) {
			return -1;
		}
		vars->transport = (enum inventory_transport)(transport + INVENTORY_TRANSPORT_AUTO);
		return 0;
	default:
		if (yaml_reader_word(reader, becomes, &become, err) < 0) {
			return -1;
		}
		vars->become = become == 1   ? INVENTORY_BECOME_SUDO
			       : become == 2 ? INVENTORY_BECOME_PINNED
					     : INVENTORY_BECOME_NONE;
		return 0;
	}
}

/* A mapping of variables, or nothing. */
static int read_vars(struct yaml_reader *reader, struct vars_text *text,
		     struct inventory_vars *vars, struct error *err)
{
	static const char *const keys[] = {"address",  "port", "user",      "become",
					   "identity", "jump", "transport", NULL};
	enum yaml_value value;
	size_t key;
	int more;

	*vars = (struct inventory_vars){0};
	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NULL) {
		return yaml_reader_null(reader, err);
	}
	if (yaml_reader_map(reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(reader, keys, &key, err)) > 0) {
		if (read_var(reader, key, text, vars, err) < 0) {
			return -1;
		}
	}
	return more;
}

/* Hosts of one notation, made known and added to `all`. `vars` NULL: none. */
static int add_notation(struct yaml_reader *reader, struct inventory *inventory,
			const char *notation, struct nodeset **hosts, struct nodeset *all,
			struct error *err)
{
	struct error fault = {0};

	if (inventory_select(inventory, notation, hosts, &fault) < 0) {
		return yaml_reader_fail(reader, err, "%s", fault.msg);
	}
	return nodeset_add_set(all, *hosts, err);
}

static int read_notation(struct yaml_reader *reader, struct inventory *inventory, char *notation,
			 struct nodeset *all, struct error *err)
{
	struct nodeset *hosts = NULL;
	int status = -1;

	if (yaml_reader_text(reader, notation, NOTATION_MAX, err) == 0 &&
	    add_notation(reader, inventory, notation, &hosts, all, err) == 0) {
		status = build_hosts(inventory, hosts, NULL, BUILD_FOR_HOST, err);
	}
	nodeset_free(hosts);
	return status;
}

/* notation: vars */
static int read_host_vars(struct yaml_reader *reader, struct inventory *inventory,
			  const char *notation, struct nodeset *all, struct error *err)
{
	struct inventory_vars vars;
	struct nodeset *hosts = NULL;
	struct vars_text text;
	int status = -1;

	if (add_notation(reader, inventory, notation, &hosts, all, err) == 0 &&
	    read_vars(reader, &text, &vars, err) == 0) {
		status = build_hosts(inventory, hosts, &vars, BUILD_FOR_HOST, err);
	}
	nodeset_free(hosts);
	return status;
}

/* A notation, a list of notations, or a mapping of notations to variables. */
static int read_hosts(struct yaml_reader *reader, struct inventory *inventory, struct nodeset *all,
		      struct error *err)
{
	char *notation = NULL;
	enum yaml_value value;
	int status = -1;
	int more = 0;

	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NULL) {
		return yaml_reader_null(reader, err);
	}
	notation = malloc(NOTATION_MAX);
	if (!notation) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (value == YAML_VALUE_LIST) {
		if (yaml_reader_list(reader, err) < 0) {
			goto out;
		}
		while ((more = yaml_reader_item(reader, err)) > 0) {
			if (read_notation(reader, inventory, notation, all, err) < 0) {
				goto out;
			}
		}
	} else if (value == YAML_VALUE_MAP) {
		if (yaml_reader_map(reader, err) < 0) {
			goto out;
		}
		while ((more = yaml_reader_any_key(reader, notation, NOTATION_MAX, err)) > 0) {
			if (read_host_vars(reader, inventory, notation, all, err) < 0) {
				goto out;
			}
		}
	} else if (read_notation(reader, inventory, notation, all, err) < 0) {
		goto out;
	}
	status = more;
out:
	free(notation);
	return status;
}

/* {hosts: ..., vars: ...} of a group, in either order. */
static int read_group_map(struct yaml_reader *reader, struct inventory *inventory,
			  struct nodeset *hosts, struct error *err)
{
	static const char *const keys[] = {"hosts", "vars", NULL};
	struct inventory_vars vars = {0};
	struct vars_text text;
	size_t key;
	int more;

	if (yaml_reader_map(reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(reader, keys, &key, err)) > 0) {
		if ((key == 0 ? read_hosts(reader, inventory, hosts, err)
			      : read_vars(reader, &text, &vars, err)) < 0) {
			return -1;
		}
	}
	return more < 0 ? -1 : build_hosts(inventory, hosts, &vars, BUILD_FOR_GROUP, err);
}

static int read_group(struct yaml_reader *reader, struct inventory *inventory, const char *name,
		      struct error *err)
{
	struct nodeset *hosts = NULL;
	enum yaml_value value;
	size_t line, column;
	int status = -1;

	yaml_reader_place(reader, &line, &column);
	if (nodeset_new(&hosts, err) < 0 || yaml_reader_peek(reader, &value, err) < 0) {
		goto out;
	}
	if ((value == YAML_VALUE_MAP ? read_group_map(reader, inventory, hosts, err)
				     : read_hosts(reader, inventory, hosts, err)) < 0) {
		goto out;
	}
	if (build_group(inventory, name, hosts, err) < 0) {
		(void)error_prefix(err, "line %zu", line);
		goto out;
	}
	hosts = NULL;
	status = 0;
out:
	nodeset_free(hosts);
	return status;
}

static int read_groups(struct yaml_reader *reader, struct inventory *inventory, struct error *err)
{
	char name[GROUP_NAME_MAX];
	enum yaml_value value;
	int more;

	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	if (value == YAML_VALUE_NULL) {
		return yaml_reader_null(reader, err);
	}
	if (yaml_reader_map(reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(reader, name, sizeof(name), err)) > 0) {
		if (!nodeset_name_is_valid(name) || strcmp(name, "all") == 0) {
			return bad_word(reader, name,
					"group name (letters, digits, . _ : -; not all)", err);
		}
		if (read_group(reader, inventory, name, err) < 0) {
			return -1;
		}
	}
	return more;
}

static int read_inventory(struct yaml_reader *reader, struct inventory *inventory,
			  struct error *err)
{
	static const char *const keys[] = {"vars", "hosts", "groups", NULL};
	struct inventory_vars vars = {0};
	struct nodeset *hosts = NULL;
	struct vars_text text;
	int status = -1, failed;
	size_t key;
	int more;

	if (nodeset_new(&hosts, err) < 0 || yaml_reader_map(reader, err) < 0) {
		goto out;
	}
	while ((more = yaml_reader_key(reader, keys, &key, err)) > 0) {
		failed = key == 0   ? read_vars(reader, &text, &vars, err)
			 : key == 1 ? read_hosts(reader, inventory, hosts, err)
				    : read_groups(reader, inventory, err);
		if (failed < 0) {
			goto out;
		}
	}
	if (more == 0 && yaml_reader_done(reader, err) == 0) {
		status = build_vars_for_all(inventory, &vars, err);
	}
out:
	nodeset_free(hosts);
	return status;
}

int build_from_yaml(struct inventory *inventory, const char *name, struct bytes text,
		    struct error *err)
{
	struct yaml_reader *reader = NULL;
	enum yaml_value value;
	int status = -1;

	if (yaml_reader_new(&reader, name, text, err) < 0) {
		return -1;
	}
	if (yaml_reader_peek(reader, &value, err) < 0) {
		goto out;
	}
	status = value == YAML_VALUE_NONE ? 0 : read_inventory(reader, inventory, err);
out:
	yaml_reader_free(reader);
	return status;
}
