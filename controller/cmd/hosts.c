// SPDX-License-Identifier: MIT
#include <string.h>

#include "controller/cmd/call.h"

#define GROUPS_SHOWN 32

static void print_host(struct call *call, struct inventory *inventory, const char *name)
{
	const struct inventory_host *host = inventory_find(inventory, name);
	const char *groups[GROUPS_SHOWN];
	size_t count = inventory_groups_of(inventory, name, groups, GROUPS_SHOWN);

	(void)fprintf(call->out, "%s", name);
	if (host && (host->vars.address || host->vars.port || host->vars.user)) {
		(void)fprintf(call->out, "  %s%s%s", host->vars.user ? host->vars.user : "",
			      host->vars.user ? "@" : "",
			      host->vars.address ? host->vars.address : name);
		if (host->vars.port) {
			(void)fprintf(call->out, ":%u", host->vars.port);
		}
	}
	for (size_t i = 0; i < count && i < GROUPS_SHOWN; i++) {
		(void)fprintf(call->out, "%s@%s", i ? "," : "  ", groups[i]);
	}
	(void)fputc('\n', call->out);
}

int verb_hosts(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	int code = -1;

	if (call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &hosts, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		print_host(call, inventory, nodeset_name(hosts, i));
	}
	code = EXIT_CLEAN;
out:
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}
