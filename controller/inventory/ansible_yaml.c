// SPDX-License-Identifier: MIT
/* Ansible's YAML inventories, what `ansible-inventory --list` prints, and files of variables. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/inventory/ansible.h"
#include "controller/inventory/yaml_skip.h"
#include "schema/escape.h"

#define PLACE_MAX 300
#define PATH_ROOM 4096
#define SHOWN 200
#define FOLDERS_MAX 256

struct document {
	struct ansible *ansible;
	struct yaml_reader *reader;
	const char *shown; /* its name, escaped */
};

static const char *place_of(const struct document *document, char *to, size_t room)
{
	size_t line, column;

	yaml_reader_place(document->reader, &line, &column);
	(void)snprintf(to, room, "%s:%zu:%zu", document->shown, line, column);
	return to;
}

/* A fault of the model at the place of the last value. */
static int place_fault(const struct document *document, struct error *err)
{
	char place[PLACE_MAX];

	return error_prefix(err, "%s", place_of(document, place, sizeof(place)));
}

/* One variable, of a group or of each of the hosts. */
static int give(struct document *document, const char *group, struct nodeset *hosts,
		const char *key, const char *value, struct error *err)
{
	const struct ansible_owner owner = {.is_host = false, .name = group};
	char place[PLACE_MAX];

	(void)place_of(document, place, sizeof(place));
	if (!hosts) {
		return ansible_variable(document->ansible, &owner, place, key, value, err);
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		const struct ansible_owner host = {.is_host = true, .name = nodeset_name(hosts, i)};

		if (ansible_variable(document->ansible, &host, place, key, value, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Of the hosts, or of the group where `hosts` is NULL. */
static int read_vars(struct document *document, const char *group, struct nodeset *hosts,
		     struct error *err)
{
	char key[1024], *value = NULL;
	enum yaml_value kind;
	int more;

	if (yaml_reader_peek(document->reader, &kind, err) < 0) {
		return -1;
	}
	if (kind == YAML_VALUE_NULL) {
		return yaml_reader_null(document->reader, err);
	}
	if (yaml_reader_map(document->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(document->reader, key, sizeof(key), err)) > 0) {
		int status = 0;

		if (yaml_scalar_or_skip(document->reader, &value, err) < 0) {
			return -1;
		}
		if (value && give(document, group, hosts, key, value, err) < 0) {
			status = place_fault(document, err);
		}
		free(value);
		if (status < 0) {
			return -1;
		}
	}
	return more;
}

static int vars_of_host(struct document *document, const char *name, struct error *err)
{
	struct nodeset *one = NULL;
	int status = -1;

	if (nodeset_new(&one, err) == 0) {
		status = nodeset_add(one, name, err) < 0 ? place_fault(document, err)
							 : read_vars(document, NULL, one, err);
	}
	nodeset_free(one);
	return status;
}

static int read_hosts(struct document *document, const char *group, struct error *err)
{
	struct nodeset *hosts = NULL;
	char pattern[1024];
	enum yaml_value kind;
	int more = 0, status = 0;

	if (yaml_reader_peek(document->reader, &kind, err) < 0) {
		return -1;
	}
	if (kind == YAML_VALUE_NULL) {
		return yaml_reader_null(document->reader, err);
	}
	if (kind == YAML_VALUE_LIST) {
		if (yaml_reader_list(document->reader, err) < 0) {
			return -1;
		}
		while ((more = yaml_reader_item(document->reader, err)) > 0) {
			if (yaml_reader_text(document->reader, pattern, sizeof(pattern), err) < 0) {
				return -1;
			}
			if (ansible_hosts(document->ansible, group, pattern, NULL, err) < 0) {
				return place_fault(document, err);
			}
		}
		return more;
	}
	if (yaml_reader_map(document->reader, err) < 0) {
		return -1;
	}
	while (status == 0 &&
	       (more = yaml_reader_any_key(document->reader, pattern, sizeof(pattern), err)) > 0) {
		if (ansible_hosts(document->ansible, group, pattern, &hosts, err) < 0) {
			return place_fault(document, err);
		}
		status = read_vars(document, NULL, hosts, err);
		nodeset_free(hosts);
		hosts = NULL;
	}
	return status < 0 ? -1 : more;
}

static int read_group(struct document *document, const char *group, struct error *err);

static int read_children(struct document *document, const char *group, struct error *err)
{
	char child[NODESET_NAME_MAX + 1];
	enum yaml_value kind;
	int more;

	if (yaml_reader_peek(document->reader, &kind, err) < 0) {
		return -1;
	}
	if (kind == YAML_VALUE_NULL) {
		return yaml_reader_null(document->reader, err);
	}
	if (kind == YAML_VALUE_LIST) {
		if (yaml_reader_list(document->reader, err) < 0) {
			return -1;
		}
		while ((more = yaml_reader_item(document->reader, err)) > 0) {
			if (yaml_reader_text(document->reader, child, sizeof(child), err) < 0) {
				return -1;
			}
			if (ansible_child(document->ansible, group, child, err) < 0) {
				return place_fault(document, err);
			}
		}
		return more;
	}
	if (yaml_reader_map(document->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(document->reader, child, sizeof(child), err)) > 0) {
		if (ansible_child(document->ansible, group, child, err) < 0) {
			return place_fault(document, err);
		}
		if (read_group(document, child, err) < 0) {
			return -1;
		}
	}
	return more;
}

/* {hosts, children, vars}; older programs print a list of hosts instead. */
static int read_group(struct document *document, const char *group, struct error *err)
{
	static const char *const keys[] = {"hosts", "children", "vars", NULL};
	enum yaml_value kind;
	size_t key;
	int more, failed;

	if (ansible_group(document->ansible, group, err) < 0) {
		return place_fault(document, err);
	}
	if (yaml_reader_peek(document->reader, &kind, err) < 0) {
		return -1;
	}
	if (kind != YAML_VALUE_MAP) {
		return read_hosts(document, group, err);
	}
	if (yaml_reader_map(document->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(document->reader, keys, &key, err)) > 0) {
		failed = key == 0   ? read_hosts(document, group, err)
			 : key == 1 ? read_children(document, group, err)
				    : read_vars(document, group, NULL, err);
		if (failed < 0) {
			return -1;
		}
	}
	return more;
}

/* _meta: {hostvars: {HOST: {...}}} */
static int read_meta(struct document *document, struct error *err)
{
	char key[64], host[NODESET_NAME_MAX + 1];
	int more, inner;

	if (yaml_reader_map(document->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(document->reader, key, sizeof(key), err)) > 0) {
		if (strcmp(key, "hostvars") != 0) {
			if (yaml_skip(document->reader, err) < 0) {
				return -1;
			}
			continue;
		}
		if (yaml_reader_map(document->reader, err) < 0) {
			return -1;
		}
		while ((inner = yaml_reader_any_key(document->reader, host, sizeof(host), err)) >
		       0) {
			if (vars_of_host(document, host, err) < 0) {
				return -1;
			}
		}
		if (inner < 0) {
			return -1;
		}
	}
	return more;
}

static int read_groups(struct document *document, struct error *err)
{
	char name[NODESET_NAME_MAX + 1];
	int more;

	if (yaml_reader_map(document->reader, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(document->reader, name, sizeof(name), err)) > 0) {
		if ((strcmp(name, "_meta") == 0 ? read_meta(document, err)
						: read_group(document, name, err)) < 0) {
			return -1;
		}
	}
	return more < 0 ? -1 : yaml_reader_done(document->reader, err);
}

int build_from_ansible_yaml(struct inventory *inventory, const char *name, struct bytes text,
			    struct error *err)
{
	char shown[SHOWN];
	struct document document = {
		.shown = escape_text(bytes_from_string(name), shown, sizeof(shown))};
	int status = -1;

	if (ansible_new(&document.ansible, inventory, err) == 0 &&
	    yaml_reader_new(&document.reader, name, text, err) == 0 &&
	    read_groups(&document, err) == 0 &&
	    ansible_read_vars(document.ansible, name, err) == 0 &&
	    ansible_finish(document.ansible, err) == 0) {
		status = 0;
	}
	yaml_reader_free(document.reader);
	ansible_free(document.ansible);
	return status;
}

/* Files of variables. They are written for Ansible: vaults and tags in them are no fault of ours. */

int ansible_yaml_vars(struct ansible *ansible, const struct ansible_owner *owner, const char *path,
		      struct error *err)
{
	char shown[SHOWN];
	struct document document = {
		.ansible = ansible,
		.shown = escape_text(bytes_from_string(path), shown, sizeof(shown))};
	enum yaml_value kind = YAML_VALUE_NONE;
	struct error fault = {.kind = ERROR_NONE};
	int status = 0;

	if (yaml_reader_open(&document.reader, path, &fault) < 0 ||
	    yaml_reader_peek(document.reader, &kind, &fault) < 0 ||
	    (kind != YAML_VALUE_NONE &&
	     (owner->is_host ? vars_of_host(&document, owner->name, &fault)
			     : read_vars(&document, owner->name, NULL, &fault)) < 0)) {
		status = fault.kind == ERROR_NOMEM
				 ? error_set(err, ERROR_NOMEM, 0, "%s", fault.msg)
				 : build_note(ansible_inventory(ansible), err,
					      "%s: what stands behind does not count", fault.msg);
	}
	yaml_reader_free(document.reader);
	return status;
}

static bool is_ours(const char *name)
{
	static const char *const suffixes[] = {".yml", ".yaml", ".json", NULL};
	const char *dot = strrchr(name, '.');

	if (name[0] == '.' || name[strlen(name) - 1] == '~') {
		return false;
	}
	for (size_t i = 0; dot && suffixes[i]; i++) {
		if (strcmp(dot, suffixes[i]) == 0) {
			return true;
		}
	}
	return !dot;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int pick(const struct dirent *entry)
{
	return is_ours(entry->d_name);
}

/* Every file of a folder, in ASCII order. */
static int read_folder(struct ansible *ansible, const struct ansible_owner *owner, const char *path,
		       struct error *err)
{
	struct dirent **entry = NULL;
	char file[PATH_ROOM];
	int count = scandir(path, &entry, pick, by_name), status = 0;

	for (int i = 0; i < count; i++) {
		if (status == 0 && i < FOLDERS_MAX &&
		    snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name) <
			    (int)sizeof(file)) {
			status = ansible_yaml_vars(ansible, owner, file, err);
		}
		free(entry[i]);
	}
	free(entry);
	return status;
}

/* FOLDER/KIND/NAME, with a suffix or as a folder. */
static int read_owner(struct ansible *ansible, const char *folder,
		      const struct ansible_owner *owner, struct error *err)
{
	static const char *const suffixes[] = {"", ".yml", ".yaml", ".json"};
	char path[PATH_ROOM];
	struct stat status;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%s/%s%s", folder,
			     owner->is_host ? "host_vars" : "group_vars", owner->name,
			     suffixes[i]) >= (int)sizeof(path) ||
		    stat(path, &status) < 0) {
			continue;
		}
		if ((S_ISDIR(status.st_mode) ? read_folder(ansible, owner, path, err)
					     : ansible_yaml_vars(ansible, owner, path, err)) < 0) {
			return -1;
		}
	}
	return 0;
}

static bool has_folder(const char *folder, const char *name)
{
	char path[PATH_ROOM];
	struct stat status;

	return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) &&
	       stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int ansible_read_vars(struct ansible *ansible, const char *path, struct error *err)
{
	const struct inventory *inventory = ansible_inventory(ansible);
	const char *slash = strrchr(path, '/'), *name;
	char folder[PATH_ROOM];

	if (!slash) {
		(void)snprintf(folder, sizeof(folder), ".");
	} else if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
		   (int)sizeof(folder)) {
		return 0;
	}
	for (size_t i = 0;
	     has_folder(folder, "group_vars") && (name = ansible_group_name(ansible, i)); i++) {
		const struct ansible_owner owner = {.is_host = false, .name = name};

		if (read_owner(ansible, folder, &owner, err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; has_folder(folder, "host_vars") && i < inventory_count(inventory); i++) {
		const struct ansible_owner owner = {.is_host = true,
						    .name = inventory_host(inventory, i)->name};

		if (read_owner(ansible, folder, &owner, err) < 0) {
			return -1;
		}
	}
	return 0;
}
