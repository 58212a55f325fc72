// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "controller/cmd/accepting.h"
#include "controller/cmd/open.h"
#include "controller/cmd/pick.h"
#include "controller/inventory/fold.h"
#include "controller/report/line.h"
#include "controller/report/print.h"

static int accept_change(struct call *call, struct edit *edit, const struct change *change,
			 struct error *err)
{
	struct edit_change *edits = calloc(change->host_count, sizeof(*edits));
	char *hosts = NULL;
	int status = -1;

	if (!edits) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < change->host_count; i++) {
		if (accepting_change(change->finding, change->hosts[i], &edits[i], err) < 0) {
			call_advise(call,
				    "muster ack %.8s --reason TEXT --until 30d, to set it "
				    "aside for a time",
				    change->finding->id);
			goto out;
		}
	}
	if (edit_accept(edit, edits, change->host_count, err) < 0 ||
	    fold_names(change->hosts, change->host_count, &hosts, err) < 0) {
		goto out;
	}
	(void)fputs("  ", call->out);
	(void)line_hosts(call->out, hosts, change->host_count);
	(void)fputs("  ", call->out);
	(void)print_bytes(call->out, change->finding->subject);
	(void)fprintf(call->out, "  %.8s\n", change->finding->id);
	status = 0;
out:
	free(hosts);
	free(edits);
	return status;
}

static int commit(struct call *call, struct edit *edit, struct changes *changes, struct error *err)
{
	const char *message = call_value(call, OPTION_MESSAGE);
	char hash[EDIT_COMMIT_SIZE], text[128];
	size_t count = changes_count(changes);

	(void)snprintf(text, sizeof(text), "hosts: accept %zu change%s (%.8s%s)", count,
		       count == 1 ? "" : "s", changes_at(changes, 0)->finding->id,
		       count > 1 ? " ..." : "");
	if (edit_commit(edit, message ? message : text, hash, err) < 0) {
		return -1;
	}
	if (*hash) {
		(void)fprintf(call->out, "Accepted, commit %.12s. The next run judges by it.\n",
			      hash);
	} else {
		(void)fputs("Nothing to do: the baseline says so already.\n", call->out);
	}
	return EXIT_CLEAN;
}

int verb_accept(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct changes *changes = NULL;
	const struct change *change;
	struct nodeset *hosts = NULL;
	struct store *store = NULL;
	struct edit *edit = NULL;
	const char *path;
	int code = -1;

	if (open_baseline_path(call, &path, err) < 0 || call_inventory(call, &inventory, err) < 0 ||
	    call_hosts_option(call, inventory, &hosts, err) < 0 ||
	    open_store(call, STORE_READ, &store, err) < 0 || changes_new(&changes, err) < 0 ||
	    pick_findings(call, store, hosts, changes, err) < 0 ||
	    edit_open(path, NULL, &edit, err) < 0) {
		goto out;
	}
	for (size_t i = 0; (change = changes_at(changes, i)); i++) {
		if (accept_change(call, edit, change, err) < 0) {
			goto out;
		}
	}
	code = commit(call, edit, changes, err);
out:
	edit_free(edit);
	changes_free(changes);
	store_close(store);
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}
