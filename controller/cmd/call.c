// SPDX-License-Identifier: MIT
#include "controller/cmd/call.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "schema/escape.h"

void call_advise(struct call *call, const char *format, ...)
{
	size_t used = strlen(call->advice);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(call->advice + used, sizeof(call->advice) - used, format, args);
	va_end(args);
	used = strlen(call->advice);
	if (used + 1 < sizeof(call->advice)) {
		call->advice[used] = '\n';
		call->advice[used + 1] = '\0';
	}
}

int call_number(const struct call *call, enum option_id id, uint64_t least, uint64_t most,
		uint64_t preset, uint64_t *number, struct error *err)
{
	const char *text = call_value(call, id);

	*number = preset;
	if (!text) {
		return 0;
	}
	if (strlen(text) == 0 || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text) ||
	    (*number = strtoull(text, NULL, 10)) < least || *number > most) {
		return error_set(err, ERROR_CONFIG, 0, "--%s: expected a number from %llu to %llu",
				 option_spec(id)->name, (unsigned long long)least,
				 (unsigned long long)most);
	}
	return 0;
}

static int add_groups(struct call *call, struct inventory *inventory, struct error *err)
{
	struct config_group group;

	for (size_t i = 0; config_group(call->config, i, &group); i++) {
		if (inventory_add_group(inventory, group.name, group.hosts, err) < 0) {
			return error_prefix(err, "%s", group.origin);
		}
	}
	return 0;
}

int call_inventory(struct call *call, struct inventory **inventory, struct error *err)
{
	const char *path = config_text(call->config, CONFIG_INVENTORY);

	if (inventory_new(inventory, err) < 0) {
		return -1;
	}
	if (path && inventory_read(*inventory, path, err) < 0) {
		call_advise(call,
			    "man muster.yaml, for the formats (the inventory was named by %s)",
			    config_origin(call->config, CONFIG_INVENTORY));
	} else if (add_groups(call, *inventory, err) == 0) {
		for (size_t i = 0; !call->quiet && inventory_note(*inventory, i); i++) {
			(void)fprintf(call->log, "muster: %s\n", inventory_note(*inventory, i));
		}
		return 0;
	}
	inventory_free(*inventory);
	*inventory = NULL;
	return -1;
}

int call_hosts(struct call *call, struct inventory *inventory, size_t first, struct nodeset **hosts,
	       struct error *err)
{
	struct nodeset *all = NULL, *some = NULL;

	*hosts = NULL;
	if (first >= call->word_count) {
		return inventory_select(inventory, "@all", hosts, err);
	}
	if (nodeset_new(&all, err) < 0) {
		return -1;
	}
	for (size_t i = first; i < call->word_count; i++) {
		if (inventory_select_named(inventory, call->words[i], &some, err) < 0 ||
		    nodeset_add_set(all, some, err) < 0) {
			nodeset_free(some);
			nodeset_free(all);
			return -1;
		}
		nodeset_free(some);
	}
	*hosts = all;
	return 0;
}

int call_hosts_option(struct call *call, struct inventory *inventory, struct nodeset **hosts,
		      struct error *err)
{
	const char *text = call_value(call, OPTION_HOSTS);

	*hosts = NULL;
	if (!text) {
		return 0;
	}
	if (inventory_select_named(inventory, text, hosts, err) < 0) {
		return error_prefix(err, "--hosts");
	}
	return 0;
}
