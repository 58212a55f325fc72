// SPDX-License-Identifier: MIT
#include "controller/inventory/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "baselines/nearest.h"
#include "controller/inventory/build.h"
#include "controller/inventory/kind.h"
#include "schema/escape.h"

#define TEXT_MAX ((size_t)64 << 20) /* a plain list of a million hosts fits */
#define SHOWN 100
#define NOTES_MAX 20

enum { VAR_ADDRESS, VAR_USER, VAR_PORT, VAR_BECOME, VAR_IDENTITY, VAR_JUMP, VAR_TRANSPORT, VARS };

struct host {
	struct inventory_host known;
	uint8_t level[VARS]; /* enum build_level of what is set */
	UT_hash_handle hh;
	char name[];
};

struct group {
	char *name;
	struct nodeset *hosts;
};

struct inventory {
	struct host **host;
	size_t hosts, host_room;
	struct host *by_name;
	struct group *group;
	size_t groups;
	char **string; /* addresses and users */
	size_t strings, string_room;
	char *note[NOTES_MAX];
	size_t notes;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

int inventory_new(struct inventory **inventory, struct error *err)
{
	*inventory = calloc(1, sizeof(**inventory));
	return *inventory ? 0 : out_of_memory(err);
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory) {
		return;
	}
	HASH_CLEAR(hh, inventory->by_name);
	for (size_t i = 0; i < inventory->hosts; i++) {
		free(inventory->host[i]);
	}
	for (size_t i = 0; i < inventory->groups; i++) {
		free(inventory->group[i].name);
		nodeset_free(inventory->group[i].hosts);
	}
	for (size_t i = 0; i < inventory->strings; i++) {
		free(inventory->string[i]);
	}
	for (size_t i = 0; i < inventory->notes; i++) {
		free(inventory->note[i]);
	}
	free(inventory->host);
	free(inventory->group);
	free(inventory->string);
	free(inventory);
}

/* Room for one more pointer. */
static int grow(void *array, size_t count, size_t *room, struct error *err)
{
	void **grown;

	if (count < *room) {
		return 0;
	}
	grown = realloc(*(void **)array, (*room ? *room * 2 : 16) * sizeof(void *));
	if (!grown) {
		return out_of_memory(err);
	}
	*(void **)array = grown;
	*room = *room ? *room * 2 : 16;
	return 0;
}

/* A copy that lives as long as the inventory; a list tends to repeat the same user. */
static int keep_string(struct inventory *inventory, const char *from, const char **kept,
		       struct error *err)
{
	char *copy;

	*kept = NULL;
	if (!from) {
		return 0;
	}
	if (inventory->strings > 0 &&
	    strcmp(inventory->string[inventory->strings - 1], from) == 0) {
		*kept = inventory->string[inventory->strings - 1];
		return 0;
	}
	if (grow(&inventory->string, inventory->strings, &inventory->string_room, err) < 0) {
		return -1;
	}
	copy = strdup(from);
	if (!copy) {
		return out_of_memory(err);
	}
	inventory->string[inventory->strings++] = copy;
	*kept = copy;
	return 0;
}

static struct host *find_host(const struct inventory *inventory, const char *name)
{
	struct host *host;

	HASH_FIND(hh, inventory->by_name, name, strlen(name), host);
	return host;
}

static int make_host(struct inventory *inventory, const char *name, struct host **host,
		     struct error *err)
{
	size_t len = strlen(name);

	*host = find_host(inventory, name);
	if (*host) {
		return 0;
	}
	if (inventory->hosts == NODESET_NAMES_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %d hosts", NODESET_NAMES_MAX);
	}
	if (grow(&inventory->host, inventory->hosts, &inventory->host_room, err) < 0) {
		return -1;
	}
	*host = calloc(1, sizeof(**host) + len + 1);
	if (!*host) {
		return out_of_memory(err);
	}
	memcpy((*host)->name, name, len);
	(*host)->known.name = (*host)->name;
	inventory->host[inventory->hosts++] = *host;
	HASH_ADD_KEYPTR(hh, inventory->by_name, (*host)->name, len, *host);
	return (*host)->hh.tbl ? 0 : out_of_memory(err);
}

static bool takes(struct host *host, int var, bool is_said, enum build_level level)
{
	if (!is_said || host->level[var] > level) {
		return false;
	}
	host->level[var] = (uint8_t)level;
	return true;
}

/* `vars` has strings of the inventory's own. */
static void give_vars(struct host *host, const struct inventory_vars *vars, enum build_level level)
{
	struct inventory_vars *to = &host->known.vars;

	if (takes(host, VAR_ADDRESS, vars->address != NULL, level)) {
		to->address = vars->address;
	}
	if (takes(host, VAR_USER, vars->user != NULL, level)) {
		to->user = vars->user;
	}
	if (takes(host, VAR_PORT, vars->port != 0, level)) {
		to->port = vars->port;
	}
	if (takes(host, VAR_BECOME, vars->become != INVENTORY_BECOME_UNSET, level)) {
		to->become = vars->become;
	}
	if (takes(host, VAR_IDENTITY, vars->identity != NULL, level)) {
		to->identity = vars->identity;
	}
	if (takes(host, VAR_JUMP, vars->jump != NULL, level)) {
		to->jump = vars->jump;
	}
	if (takes(host, VAR_TRANSPORT, vars->transport != INVENTORY_TRANSPORT_UNSET, level)) {
		to->transport = vars->transport;
	}
}

static int keep_vars(struct inventory *inventory, const struct inventory_vars *vars,
		     struct inventory_vars *kept, struct error *err)
{
	*kept = vars ? *vars : (struct inventory_vars){0};
	if (keep_string(inventory, kept->address, &kept->address, err) < 0 ||
	    keep_string(inventory, kept->identity, &kept->identity, err) < 0 ||
	    keep_string(inventory, kept->jump, &kept->jump, err) < 0) {
		return -1;
	}
	return keep_string(inventory, kept->user, &kept->user, err);
}

int build_hosts(struct inventory *inventory, struct nodeset *hosts,
		const struct inventory_vars *vars, enum build_level level, struct error *err)
{
	struct inventory_vars kept;
	struct host *host;

	if (keep_vars(inventory, vars, &kept, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		if (make_host(inventory, nodeset_name(hosts, i), &host, err) < 0) {
			return -1;
		}
		give_vars(host, &kept, level);
	}
	return 0;
}

int build_vars_for_all(struct inventory *inventory, const struct inventory_vars *vars,
		       struct error *err)
{
	struct inventory_vars kept;

	if (keep_vars(inventory, vars, &kept, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < inventory->hosts; i++) {
		give_vars(inventory->host[i], &kept, BUILD_FOR_ALL);
	}
	return 0;
}

static struct group *find_group(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->groups; i++) {
		if (strcmp(inventory->group[i].name, name) == 0) {
			return &inventory->group[i];
		}
	}
	return NULL;
}

int build_group(struct inventory *inventory, const char *name, struct nodeset *hosts,
		struct error *err)
{
	struct group *group = find_group(inventory, name), *grown;
	char *copy;

	if (!nodeset_name_is_valid(name) || strcmp(name, "all") == 0) {
		char shown[SHOWN];

		return error_set(err, ERROR_CONFIG, 0,
				 "a group cannot be called \"%s\" (letters, digits, . _ : -; not "
				 "all)",
				 escape_text(bytes_from_string(name), shown, sizeof(shown)));
	}
	if (group) {
		if (nodeset_add_set(group->hosts, hosts, err) < 0) {
			return -1;
		}
		nodeset_free(hosts);
		return 0;
	}
	copy = strdup(name);
	grown = realloc(inventory->group, (inventory->groups + 1) * sizeof(*grown));
	if (grown) {
		inventory->group = grown;
	}
	if (!copy || !grown) {
		free(copy);
		return out_of_memory(err);
	}
	grown[inventory->groups++] = (struct group){.name = copy, .hosts = hosts};
	return 0;
}

static const char *group_word(const void *words, size_t index)
{
	const struct inventory *inventory = words;

	return index < inventory->groups    ? inventory->group[index].name
	       : index == inventory->groups ? "all"
					    : NULL;
}

static int add_group(void *context, const char *name, struct nodeset *set, struct error *err)
{
	const struct inventory *inventory = context;
	const struct group *group = find_group(inventory, name);
	const char *near;

	if (group) {
		return nodeset_add_set(set, group->hosts, err);
	}
	if (strcmp(name, "all") == 0) {
		for (size_t i = 0; i < inventory->hosts; i++) {
			if (nodeset_add(set, inventory->host[i]->name, err) < 0) {
				return -1;
			}
		}
		return 0;
	}
	near = nearest_find(bytes_from_string(name), group_word, inventory);
	if (near) {
		return error_set(err, ERROR_CONFIG, 0, "unknown group @%s: did you mean @%s?", name,
				 near);
	}
	return error_set(err, ERROR_CONFIG, 0,
			 "unknown group @%s: %zu groups are known (muster hosts lists them)", name,
			 inventory->groups);
}

struct nodeset_groups inventory_nodeset_groups(struct inventory *inventory)
{
	return (struct nodeset_groups){.add = add_group, .context = inventory};
}

static int reach_by_file(void *context, struct nodeset *hosts, const char *user, uint16_t port,
			 struct error *err)
{
	const struct inventory_vars vars = {.user = *user ? user : NULL, .port = port};

	return build_hosts(context, hosts, &vars, BUILD_FOR_HOST, err);
}

/* The same host twice by other ways: two machines, as a rule, which would get one name. */
static int refuse_two_ways(const struct inventory *inventory, const char *name, const char *user,
			   uint16_t port, struct error *err)
{
	const struct host *host = find_host(inventory, name);
	const struct inventory_vars *vars = host ? &host->known.vars : NULL;

	if (host && ((*user && host->known.user_is_named && strcmp(user, vars->user) != 0) ||
		     (port && host->known.port_is_named && port != vars->port))) {
		return error_set(
			err, ERROR_CONFIG, 0,
			"%.100s is named with two users or ports: give each host a name of "
			"its own in an inventory, with an address",
			name);
	}
	return 0;
}

static int reach_by_call(void *context, struct nodeset *hosts, const char *user, uint16_t port,
			 struct error *err)
{
	const struct inventory_vars vars = {.user = *user ? user : NULL, .port = port};
	struct inventory *inventory = context;

	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		if (refuse_two_ways(inventory, nodeset_name(hosts, i), user, port, err) < 0) {
			return -1;
		}
	}
	if (build_hosts(inventory, hosts, &vars, BUILD_FOR_CALL, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		struct inventory_host *host = &find_host(inventory, nodeset_name(hosts, i))->known;

		host->user_is_named |= *user != '\0';
		host->port_is_named |= port != 0;
	}
	return 0;
}

int inventory_select(struct inventory *inventory, const char *notation, struct nodeset **hosts,
		     struct error *err)
{
	struct nodeset_groups groups = inventory_nodeset_groups(inventory);

	groups.reach = reach_by_file;
	return nodeset_parse(hosts, notation, &groups, err);
}

int inventory_select_named(struct inventory *inventory, const char *notation,
			   struct nodeset **hosts, struct error *err)
{
	struct nodeset_groups groups = inventory_nodeset_groups(inventory);

	groups.reach = reach_by_call;
	return nodeset_parse(hosts, notation, &groups, err);
}

int inventory_add_hosts(struct inventory *inventory, struct nodeset *hosts, struct error *err)
{
	return build_hosts(inventory, hosts, NULL, BUILD_FOR_ALL, err);
}

int inventory_add_group(struct inventory *inventory, const char *group, const char *notation,
			struct error *err)
{
	struct nodeset *hosts = NULL;

	if (inventory_select(inventory, notation, &hosts, err) < 0 ||
	    build_hosts(inventory, hosts, NULL, BUILD_FOR_GROUP, err) < 0 ||
	    build_group(inventory, group, hosts, err) < 0) {
		nodeset_free(hosts);
		return -1;
	}
	return 0;
}

int build_note(struct inventory *inventory, struct error *err, const char *format, ...)
{
	char text[512];
	va_list args;

	if (inventory->notes == NOTES_MAX) {
		return 0;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	inventory->note[inventory->notes] = strdup(text);
	if (!inventory->note[inventory->notes]) {
		return out_of_memory(err);
	}
	inventory->notes++;
	return 0;
}

const char *inventory_note(const struct inventory *inventory, size_t index)
{
	return index < inventory->notes ? inventory->note[index] : NULL;
}

size_t inventory_count(const struct inventory *inventory)
{
	return inventory->hosts;
}

const struct inventory_host *inventory_host(const struct inventory *inventory, size_t index)
{
	return index < inventory->hosts ? &inventory->host[index]->known : NULL;
}

const struct inventory_host *inventory_find(const struct inventory *inventory, const char *name)
{
	const struct host *host = find_host(inventory, name);

	return host ? &host->known : NULL;
}

size_t inventory_groups_of(struct inventory *inventory, const char *host, const char **groups,
			   size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < inventory->groups; i++) {
		if (!nodeset_has(inventory->group[i].hosts, host)) {
			continue;
		}
		if (count < room) {
			groups[count] = inventory->group[i].name;
		}
		count++;
	}
	return count;
}

size_t inventory_group_count(const struct inventory *inventory)
{
	return inventory->groups;
}

const char *inventory_group_name(const struct inventory *inventory, size_t index)
{
	return index < inventory->groups ? inventory->group[index].name : NULL;
}

/*
 * JSON writes what is beyond the first plane as two halves, which YAML does not know. No name that we
 * take has such a character, so that any other of the same length will do.
 */
static int without_surrogates(struct bytes text, uint8_t **copy, struct error *err)
{
	uint8_t *to = malloc(text.len + 1);

	*copy = to;
	if (!to) {
		return out_of_memory(err);
	}
	if (text.len > 0) {
		memcpy(to, text.data, text.len);
	}
	for (size_t i = 0; i + 6 <= text.len; i++) {
		if (to[i] != '\\') {
			continue;
		}
		if (to[i + 1] == 'u' && (to[i + 2] | 0x20) == 'd' &&
		    strchr("89abcdefABCDEF", to[i + 3])) {
			memcpy(to + i + 2, "fffd", 4);
		}
		i++; /* an escaped backslash begins nothing */
	}
	return 0;
}

static int read_kind(struct inventory *inventory, const char *name, struct bytes text,
		     struct error *err)
{
	switch (kind_of(name, text)) {
	case KIND_YAML:
		return build_from_yaml(inventory, name, text, err);
	case KIND_ANSIBLE_INI:
		return build_from_ansible_ini(inventory, name, text, err);
	case KIND_ANSIBLE_YAML:
		return build_from_ansible_yaml(inventory, name, text, err);
	case KIND_RUNDECK:
		return build_from_rundeck(inventory, name, text, err);
	case KIND_LIST:
		break;
	}
	return build_from_list(inventory, name, text, err);
}

int inventory_read_text(struct inventory *inventory, const char *name, struct bytes text,
			struct error *err)
{
	uint8_t *copy = NULL;
	int status = -1;

	if (text.len == 0 ||
	    (!memmem(text.data, text.len, "\\ud", 3) && !memmem(text.data, text.len, "\\uD", 3))) {
		return read_kind(inventory, name, text, err);
	}
	if (without_surrogates(text, &copy, err) == 0) {
		status = read_kind(inventory, name, bytes_make(copy, text.len), err);
	}
	free(copy);
	return status;
}

static int read_all(int fd, const char *shown, uint8_t **text, size_t *len, struct error *err)
{
	size_t room = 65536, used = 0;
	uint8_t *data = malloc(room);

	while (data) {
		ssize_t got = read(fd, data + used, room - used);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", shown, strerror(errno));
			free(data);
			return -1;
		}
		if (got == 0) {
			*text = data;
			*len = used;
			return 0;
		}
		used += (size_t)got;
		if (used > TEXT_MAX) {
			free(data);
			return error_set(err, ERROR_CONFIG, 0, "%s: larger than %zu bytes", shown,
					 TEXT_MAX);
		}
		if (used == room) {
			uint8_t *grown = realloc(data, room * 2);

			if (!grown) {
				free(data);
			}
			data = grown;
			room *= 2;
		}
	}
	return out_of_memory(err);
}

int inventory_read(struct inventory *inventory, const char *path, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	uint8_t *text = NULL;
	char shown[SHOWN * 2];
	int fd = STDIN_FILENO;
	size_t len = 0;
	int status = -1;

	(void)escape_text(bytes_from_string(is_stdin ? "stdin" : path), shown, sizeof(shown));
	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	if (fd < 0) {
		return error_set(err, ERROR_CONFIG, errno, "%s: %s", shown, strerror(errno));
	}
	if (read_all(fd, shown, &text, &len, err) == 0) {
		status = inventory_read_text(inventory, is_stdin ? "stdin" : path,
					     bytes_make(text, len), err);
	}
	free(text);
	if (!is_stdin) {
		(void)close(fd);
	}
	return status;
}
