// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cmd/call.h"
#include "controller/cmd/hosts_rundeck.h"
#include "controller/cmd/open.h"

#define GROUPS_SHOWN 32

/* What the database knows of the hosts that are listed, in their order. */
struct states {
	struct nodeset *hosts;
	struct state {
		bool is_known;
		enum outcome outcome;
		size_t open; /* medium and above */
	} * item;
	int width;
};

static size_t index_of(struct nodeset *hosts, const char *name)
{
	size_t low = 0, high = nodeset_count(hosts);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (nodeset_name_compare(nodeset_name(hosts, middle), name) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static int on_host(void *context, const struct store_host_row *row)
{
	struct states *states = context;
	struct state *state;

	if (!nodeset_has(states->hosts, row->name)) {
		return 0;
	}
	state = &states->item[index_of(states->hosts, row->name)];
	state->is_known = true;
	state->outcome = row->outcome;
	for (int s = SEVERITY_MEDIUM; s <= SEVERITY_CRITICAL; s++) {
		state->open += row->open[s];
	}
	return 0;
}

/* Without a database hosts are listed all the same. */
static int read_states(struct call *call, struct states *states, struct error *err)
{
	const char *path = config_text(call->config, CONFIG_DB);
	struct store *store = NULL;
	int status = -1;

	states->item = calloc(nodeset_count(states->hosts) + 1, sizeof(*states->item));
	if (!states->item) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < nodeset_count(states->hosts); i++) {
		int len = (int)strlen(nodeset_name(states->hosts, i));

		states->width = len > states->width ? len : states->width;
	}
	if (!path || access(path, F_OK) != 0) {
		return 0;
	}
	if (open_store(call, STORE_READ, &store, err) == 0) {
		status = store_hosts(store, 0, on_host, states, err);
	}
	store_close(store);
	return status;
}

static void print_address(FILE *out, const struct inventory_host *host)
{
	const struct inventory_vars *vars = &host->vars;

	if (!vars->address && !vars->port && !vars->user) {
		return;
	}
	(void)fprintf(out, "  %s%s%s", vars->user ? vars->user : "", vars->user ? "@" : "",
		      vars->address ? vars->address : host->name);
	if (vars->port) {
		(void)fprintf(out, ":%u", vars->port);
	}
}

static void print_host(struct call *call, struct inventory *inventory, const struct states *states,
		       size_t index)
{
	const char *name = nodeset_name(states->hosts, index), *groups[GROUPS_SHOWN];
	const struct inventory_host *host = inventory_find(inventory, name);
	const struct state *state = &states->item[index];
	size_t count = inventory_groups_of(inventory, name, groups, GROUPS_SHOWN);

	(void)fprintf(call->out, "%-*s  %s", states->width, name,
		      outcome_name(state->is_known ? state->outcome : OUTCOME_NOT_ASKED));
	if (state->open > 0) {
		(void)fprintf(call->out, "  %zu open", state->open);
	}
	if (host) {
		print_address(call->out, host);
	}
	for (size_t i = 0; i < count && i < GROUPS_SHOWN; i++) {
		(void)fprintf(call->out, "%s@%s", i ? "," : "  ", groups[i]);
	}
	(void)fputc('\n', call->out);
}

int verb_hosts(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct states states = {0};
	int code = -1;

	if (open_is_ndjson(call)) {
		return verb_status(call, err);
	}
	if (open_format(call) == REPORT_RUNDECK) {
		return hosts_rundeck(call, err);
	}
	if (call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &states.hosts, err) < 0 ||
	    read_states(call, &states, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(states.hosts); i++) {
		print_host(call, inventory, &states, i);
	}
	if (nodeset_count(states.hosts) == 0 && !call->quiet) {
		(void)fputs("muster: no inventory: name one with -i FILE, or `inventory:` in the "
			    "configuration\n",
			    call->log);
	}
	code = EXIT_CLEAN;
out:
	nodeset_free(states.hosts);
	free(states.item);
	inventory_free(inventory);
	return code;
}
