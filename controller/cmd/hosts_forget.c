// SPDX-License-Identifier: MIT
#include "controller/cmd/open.h"
#include "schema/escape.h"

int verb_hosts_forget(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	struct store *store = NULL;
	size_t forgotten = 0;
	int code = -1;

	if (call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &hosts, err) < 0 ||
	    /* Forgetting in what is not there must not make it. */
	    open_store(call, STORE_READ, &store, err) < 0) {
		goto out;
	}
	store_close(store);
	store = NULL;
	if (open_store(call, STORE_WRITE, &store, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		const char *name = nodeset_name(hosts, i);
		bool known = false;
		char shown[256];

		if (store_host_forget(store, name, &known, err) < 0) {
			goto out;
		}
		forgotten += known;
		if (!known) {
			(void)fprintf(call->log, "muster: %s: nothing is known of it\n",
				      escape_text(bytes_from_string(name), shown, sizeof(shown)));
		}
	}
	(void)fprintf(
		call->out,
		"%zu host%s forgotten. Runs that looked at %s keep that until they are pruned.\n",
		forgotten, forgotten == 1 ? "" : "s", forgotten == 1 ? "it" : "them");
	code = forgotten > 0 ? EXIT_CLEAN : EXIT_INCOMPLETE;
out:
	store_close(store);
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}
