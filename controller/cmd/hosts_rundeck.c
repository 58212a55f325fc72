// SPDX-License-Identifier: MIT
#include "controller/cmd/hosts_rundeck.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cmd/open.h"
#include "controller/report/jsonl.h"
#include "controller/report/print.h"

#define GROUPS_MAX 64
#define TAGS_ROOM 4096

/* What the database has of one host; rows come in no order of ours. */
struct known {
	char *name;
	enum outcome outcome;
	size_t high, open;
	int64_t last_ok_s;
	char os[128], machine[64];
};

struct nodes {
	struct known *item;
	size_t count, room;
	struct nodeset *hosts;
	struct error *err;
};

static int on_host(void *context, const struct store_host_row *row)
{
	struct nodes *nodes = context;
	struct known *known;

	if (!nodeset_has(nodes->hosts, row->name)) {
		return 0;
	}
	if (nodes->count == nodes->room) {
		size_t room = nodes->room ? nodes->room * 2 : 64;
		struct known *grown = realloc(nodes->item, room * sizeof(*grown));

		if (!grown) {
			return error_set(nodes->err, ERROR_NOMEM, 0, "out of memory");
		}
		nodes->item = grown;
		nodes->room = room;
	}
	known = &nodes->item[nodes->count];
	*known = (struct known){.name = strdup(row->name),
				.outcome = row->outcome,
				.last_ok_s = row->last_complete_s,
				.high = row->open[SEVERITY_HIGH] + row->open[SEVERITY_CRITICAL]};
	if (!known->name) {
		return error_set(nodes->err, ERROR_NOMEM, 0, "out of memory");
	}
	nodes->count++;
	for (int s = SEVERITY_MEDIUM; s <= SEVERITY_CRITICAL; s++) {
		known->open += row->open[s];
	}
	(void)snprintf(known->os, sizeof(known->os), "%s", row->os);
	(void)snprintf(known->machine, sizeof(known->machine), "%.*s",
		       (int)(row->hello.machine.len < 60 ? row->hello.machine.len : 60),
		       row->hello.machine.data ? (const char *)row->hello.machine.data : "");
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->name, ((const struct known *)b)->name);
}

static const struct known *find(const struct nodes *nodes, const char *name)
{
	struct known key = {0};
	char copy[NODESET_NAME_MAX + 1];

	(void)snprintf(copy, sizeof(copy), "%s", name);
	key.name = copy;
	return nodes->count ? bsearch(&key, nodes->item, nodes->count, sizeof(key), by_name) : NULL;
}

/* Words for a node filter: few, and the same for all causes of one kind. */
static const char *state_of(const struct known *known)
{
	if (!known) {
		return "never";
	}
	switch (outcome_class(known->outcome)) {
	case OUTCOME_CLASS_LOOKED:
		return known->outcome == OUTCOME_CLEAN ? "clean" : "drift";
	case OUTCOME_CLASS_PARTIAL:
		return known->open > 0 ? "drift" : "partial";
	case OUTCOME_CLASS_UNREACHABLE:
		return "unreachable";
	case OUTCOME_CLASS_REFUSED:
		return "refused";
	case OUTCOME_CLASS_ALARM:
		return "alarm";
	case OUTCOME_CLASS_NOT_ASKED:
		break;
	}
	return "never";
}

/* A string of JSON is one of YAML too: nothing in it can end it or begin something else. */
static void write_value(FILE *out, const char *key, const char *text)
{
	struct jsonl json;
	char *line = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&line, &len);

	if (!to) {
		return;
	}
	jsonl_init(&json, to);
	jsonl_array(&json, NULL);
	jsonl_string(&json, NULL, text);
	jsonl_close(&json, ']');
	(void)fclose(to);
	if (line && len > 3) {
		(void)fprintf(out, "  %s: %.*s\n", key, (int)len - 3, line + 1);
	}
	free(line);
}

static void write_number(FILE *out, const char *key, size_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%zu", number);
	write_value(out, key, text);
}

static void write_tags(FILE *out, struct inventory *inventory, const char *name)
{
	const char *groups[GROUPS_MAX];
	size_t count = inventory_groups_of(inventory, name, groups, GROUPS_MAX), used = 0;
	char tags[TAGS_ROOM] = "";

	for (size_t i = 0; i < count && i < GROUPS_MAX && used + 300 < sizeof(tags); i++) {
		used += (size_t)snprintf(tags + used, sizeof(tags) - used, "%s%s", i ? "," : "",
					 groups[i]);
	}
	if (used > 0) {
		write_value(out, "tags", tags);
	}
}

static void write_node(struct call *call, struct inventory *inventory, const struct nodes *nodes,
		       const char *name)
{
	const struct inventory_host *host = inventory_find(inventory, name);
	const struct known *known = find(nodes, name);
	const char *address = host && host->vars.address ? host->vars.address : name;
	const char *user = host && host->vars.user ? host->vars.user
						   : config_text(call->config, CONFIG_USER);
	char hostname[NODESET_NAME_MAX + 16], time[PRINT_TIME_ROOM];
	FILE *out = call->out;

	if (host && host->vars.port) {
		(void)snprintf(hostname, sizeof(hostname),
			       strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
			       host->vars.port);
	} else {
		(void)snprintf(hostname, sizeof(hostname), "%s", address);
	}
	(void)fprintf(out, "\"%s\":\n", name);
	write_value(out, "nodename", name);
	write_value(out, "hostname", hostname);
	write_value(out, "username", user ? user : "");
	write_value(out, "osFamily", "unix");
	if (known && *known->machine) {
		write_value(out, "osArch", known->machine);
	}
	if (known && *known->os) {
		write_value(out, "osName", known->os);
	}
	write_tags(out, inventory, name);
	write_value(out, "muster_state", state_of(known));
	write_value(out, "muster_outcome",
		    outcome_name(known ? known->outcome : OUTCOME_NOT_ASKED));
	write_number(out, "muster_findings_high", known ? known->high : 0);
	write_number(out, "muster_findings_open", known ? known->open : 0);
	if (known && known->last_ok_s) {
		write_value(out, "muster_last_ok", print_time(known->last_ok_s, time));
	}
}

static int read_nodes(struct call *call, struct nodes *nodes, struct error *err)
{
	const char *path = config_text(call->config, CONFIG_DB);
	struct store *store = NULL;
	int status = 0;

	/* Without a database every host is one that nobody looked at. */
	if (path && access(path, F_OK) == 0) {
		status = open_store(call, STORE_READ, &store, err);
		if (status == 0) {
			status = store_hosts(store, 0, on_host, nodes, err);
		}
		store_close(store);
	}
	if (nodes->count > 1) {
		qsort(nodes->item, nodes->count, sizeof(*nodes->item), by_name);
	}
	return status;
}

int hosts_rundeck(struct call *call, struct error *err)
{
	struct nodes nodes = {.err = err};
	struct inventory *inventory = NULL;
	int code = -1;

	if (call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &nodes.hosts, err) < 0 ||
	    read_nodes(call, &nodes, err) < 0) {
		goto out;
	}
	if (nodeset_count(nodes.hosts) == 0) {
		(void)fputs("{}\n", call->out);
	}
	for (size_t i = 0; i < nodeset_count(nodes.hosts); i++) {
		write_node(call, inventory, &nodes, nodeset_name(nodes.hosts, i));
	}
	code = EXIT_CLEAN;
out:
	for (size_t i = 0; i < nodes.count; i++) {
		free(nodes.item[i].name);
	}
	free(nodes.item);
	nodeset_free(nodes.hosts);
	inventory_free(inventory);
	return code;
}
