// SPDX-License-Identifier: MIT
#include "controller/cmd/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/fleet/local.h"
#include "controller/ssh/pool/pool.h"
#include "schema/escape.h"

#define GROUPS_MAX 64
/* A first look at a large host sends tens of megabytes; nothing honest comes near this. */
#define CAP_BYTES (UINT64_C(1) << 30)

/* Given as a flag: it was typed for this run. */
static bool is_flag(const struct call *call, enum config_key key)
{
	return config_is_set(call->config, key) &&
	       strncmp(config_origin(call->config, key), "--", 2) == 0;
}

static enum become become_of(const struct call *call, const struct inventory_vars *vars)
{
	enum config_become become = (enum config_become)config_number(call->config, CONFIG_BECOME);

	if (vars && vars->become != INVENTORY_BECOME_UNSET && !is_flag(call, CONFIG_BECOME)) {
		become = vars->become == INVENTORY_BECOME_SUDO     ? CONFIG_BECOME_SUDO
			 : vars->become == INVENTORY_BECOME_PINNED ? CONFIG_BECOME_PINNED
								   : CONFIG_BECOME_NONE;
	}
	switch (become) {
	case CONFIG_BECOME_SUDO:
		return BECOME_SUDO;
	case CONFIG_BECOME_PINNED:
		return BECOME_PINNED;
	case CONFIG_BECOME_NONE:
		break;
	}
	return BECOME_NONE;
}

static enum speaker speaker_by_config(enum config_transport transport)
{
	switch (transport) {
	case CONFIG_TRANSPORT_LIBSSH2:
		return SPEAKER_LIBSSH2;
	case CONFIG_TRANSPORT_SSH:
		return SPEAKER_SSH;
	case CONFIG_TRANSPORT_AUTO:
		break;
	}
	return SPEAKER_AUTO;
}

static enum speaker speaker_of(const struct call *call, const struct inventory_vars *vars)
{
	static const enum speaker by_inventory[] = {
		[INVENTORY_TRANSPORT_UNSET] = SPEAKER_AUTO,
		[INVENTORY_TRANSPORT_AUTO] = SPEAKER_AUTO,
		[INVENTORY_TRANSPORT_LIBSSH2] = SPEAKER_LIBSSH2,
		[INVENTORY_TRANSPORT_SSH] = SPEAKER_SSH,
	};

	if (vars && vars->transport != INVENTORY_TRANSPORT_UNSET &&
	    !is_flag(call, CONFIG_TRANSPORT)) {
		return by_inventory[vars->transport];
	}
	return speaker_by_config(
		(enum config_transport)config_number(call->config, CONFIG_TRANSPORT));
}

struct target reach_target(struct call *call, struct inventory *inventory, const char *name)
{
	const struct inventory_host *host = inventory_find(inventory, name);
	const struct inventory_vars *vars = host ? &host->vars : NULL;
	struct target target = {
		.name = name,
		.become = become_of(call, vars),
		.speaker = speaker_of(call, vars),
		.connect_timeout_ms =
			(uint32_t)config_number(call->config, CONFIG_CONNECT_TIMEOUT) * 1000,
		.timeout_ms = (uint32_t)config_number(call->config, CONFIG_TIMEOUT) * 1000,
		.cap_bytes = CAP_BYTES,
	};

	if (vars) {
		target.address = vars->address;
		target.user = vars->user;
		target.port = vars->port;
		target.identity = vars->identity;
		target.jump = vars->jump;
	}
	/* What was typed with the host's name is nearer to it than a flag for all. */
	if (is_flag(call, CONFIG_USER) && !(host && host->user_is_named)) {
		target.user = config_text(call->config, CONFIG_USER);
	}
	if (is_flag(call, CONFIG_PORT) && !(host && host->port_is_named)) {
		target.port = (uint16_t)config_number(call->config, CONFIG_PORT);
	}
	return target;
}

static bool is_local(struct inventory *inventory, const char *name)
{
	const struct inventory_host *host = inventory_find(inventory, name);

	return strcmp(name, "localhost") == 0 &&
	       (!host || (!host->vars.address && host->vars.port == 0 && !host->user_is_named));
}

/* A file that was named must be there; the message says who named it. */
static int check_file(const struct call *call, enum config_key key, struct error *err)
{
	const char *path = config_text(call->config, key);
	char shown[256];

	if (!path || (key == CONFIG_SSH_CONFIG && strcmp(path, "none") == 0) ||
	    access(path, R_OK) == 0) {
		return 0;
	}
	return error_set(err, ERROR_CONFIG, errno, "%s: %s: %s", config_origin(call->config, key),
			 escape_text(bytes_from_string(path), shown, sizeof(shown)),
			 strerror(errno));
}

int reach_ssh(struct call *call, uv_loop_t *loop, struct transport **transport, struct error *err)
{
	const char *identity = config_text(call->config, CONFIG_IDENTITY);
	const char *known_hosts = config_text(call->config, CONFIG_KNOWN_HOSTS);
	const char *ssh_config = config_text(call->config, CONFIG_SSH_CONFIG);
	struct pool_jump_limit *limits = NULL;
	struct config_limit limit;
	struct pool_options options = {
		.user = config_text(call->config, CONFIG_USER),
		.port = (uint16_t)config_number(call->config, CONFIG_PORT),
		.identities = &identity,
		.identity_count = identity ? 1 : 0,
		.known_hosts = &known_hosts,
		.known_hosts_count = known_hosts ? 1 : 0,
		.jump_channels = (size_t)config_number(call->config, CONFIG_JUMP_CHANNELS),
	};
	size_t count = 0;
	int status;

	if (check_file(call, CONFIG_IDENTITY, err) < 0 ||
	    check_file(call, CONFIG_KNOWN_HOSTS, err) < 0 ||
	    check_file(call, CONFIG_SSH_CONFIG, err) < 0) {
		return -1;
	}
	options.no_ssh_config = ssh_config && strcmp(ssh_config, "none") == 0;
	options.ssh_config = options.no_ssh_config ? NULL : ssh_config;
	while (config_limit(call->config, count, &limit)) {
		count++;
	}
	limits = calloc(count + 1, sizeof(*limits));
	if (!limits) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; config_limit(call->config, i, &limit); i++) {
		if (limit.kind == CONFIG_LIMIT_JUMP_HOST) {
			limits[options.jump_limit_count++] =
				(struct pool_jump_limit){limit.name, limit.most};
		}
	}
	options.jump_limits = limits;
	status = pool_new(loop, &options, transport, err);
	free(limits);
	if (status < 0) {
		call_advise(call, "muster %s --help, for the options of SSH", call->verb->name);
		return -1;
	}
	return 0;
}

static int open_transport(struct call *call, uv_loop_t *loop, bool local, struct reach *reach,
			  struct transport **transport, struct error *err)
{
	struct transport **which = local ? &reach->local : &reach->ssh;

	if (!*which &&
	    (local ? local_new(loop, NULL, which, err) : reach_ssh(call, loop, which, err)) < 0) {
		*which = NULL;
		return -1;
	}
	*transport = *which;
	return 0;
}

/* The groups of all hosts, one after the other in one list. */
static int add_groups(struct inventory *inventory, struct reach *reach, struct error *err)
{
	const char *groups[GROUPS_MAX];
	size_t total = 0, used = 0;
	const char **list;

	for (size_t i = 0; i < reach->host_count; i++) {
		size_t count = inventory_groups_of(inventory, reach->hosts[i].target.name, groups,
						   GROUPS_MAX);

		reach->hosts[i].group_count = count < GROUPS_MAX ? count : GROUPS_MAX;
		total += reach->hosts[i].group_count;
	}
	list = calloc(total ? total : 1, sizeof(*list));
	if (!list) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	reach->memory = list;
	for (size_t i = 0; i < reach->host_count; i++) {
		(void)inventory_groups_of(inventory, reach->hosts[i].target.name, list + used,
					  reach->hosts[i].group_count);
		reach->hosts[i].groups = list + used;
		used += reach->hosts[i].group_count;
	}
	return 0;
}

/* `transports:` of the configuration, for those of which neither flag nor inventory says anything. */
static int choose_speakers(struct call *call, struct inventory *inventory, struct reach *reach,
			   struct error *err)
{
	struct config_chosen chosen;

	if (is_flag(call, CONFIG_TRANSPORT)) {
		return 0;
	}
	for (size_t i = 0; config_chosen(call->config, i, &chosen); i++) {
		struct nodeset *hosts = NULL;

		if (inventory_select(inventory, chosen.hosts, &hosts, err) < 0) {
			return error_prefix(err, "%s", chosen.origin);
		}
		for (size_t j = 0; j < reach->host_count; j++) {
			struct target *target = &reach->hosts[j].target;
			const struct inventory_host *host = inventory_find(inventory, target->name);

			if ((!host || host->vars.transport == INVENTORY_TRANSPORT_UNSET) &&
			    nodeset_has(hosts, target->name)) {
				target->speaker = speaker_by_config(chosen.transport);
			}
		}
		nodeset_free(hosts);
	}
	return 0;
}

int reach_open(struct call *call, uv_loop_t *loop, struct inventory *inventory,
	       struct nodeset *hosts, struct reach *reach, struct error *err)
{
	size_t count = nodeset_count(hosts);

	*reach = (struct reach){0};
	reach->hosts = calloc(count ? count : 1, sizeof(*reach->hosts));
	if (!reach->hosts) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		struct sweep_host *host = &reach->hosts[i];
		const char *name = nodeset_name(hosts, i);
		bool local = is_local(inventory, name);

		host->target = reach_target(call, inventory, name);
		if (local && geteuid() == 0) {
			host->target.become = BECOME_NONE;
		}
		if (open_transport(call, loop, local, reach, &host->transport, err) < 0) {
			return -1;
		}
		reach->host_count++;
	}
	if (choose_speakers(call, inventory, reach, err) < 0 ||
	    add_groups(inventory, reach, err) < 0) {
		return -1;
	}
	return reach_limits(call, loop, inventory, reach, err);
}

void reach_close(struct reach *reach, uv_loop_t *loop)
{
	if (reach->ssh) {
		reach->ssh->free(reach->ssh);
	}
	if (reach->local) {
		reach->local->free(reach->local);
	}
	(void)uv_run(loop, UV_RUN_DEFAULT);
	free(reach->hosts);
	free(reach->memory);
	free(reach->limits);
	free(reach->limit_memory);
	*reach = (struct reach){0};
}
