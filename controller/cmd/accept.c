// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "controller/cmd/accepting.h"
#include "controller/cmd/accepting_pile.h"
#include "controller/cmd/open.h"
#include "controller/cmd/pick.h"
#include "controller/inventory/fold.h"
#include "controller/report/line.h"
#include "controller/report/print.h"

struct accepting {
	struct call *call;
	struct store *store;
	struct baseline *baseline;
	struct edit *edit;
};

/* One finding, one object. */
static int stage_object(const struct accepting *a, const struct change *change, struct error *err)
{
	struct edit_change *edits = calloc(change->host_count, sizeof(*edits));
	int status = -1;

	if (!edits) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < change->host_count; i++) {
		if (accepting_change(change->finding, change->hosts[i], &edits[i], err) < 0) {
			call_advise(a->call,
				    "muster ack %.8s --reason TEXT --until 30d, to set it "
				    "aside for a time",
				    change->finding->id);
			goto out;
		}
	}
	status = edit_accept(a->edit, edits, change->host_count, err);
out:
	free(edits);
	return status;
}

/* One that stands for many. */
static int stage_pile(const struct accepting *a, const struct change *change, struct error *err)
{
	struct pile_changes edits = {0};
	int status = 0;

	for (size_t i = 0; status == 0 && i < change->host_count; i++) {
		status = accepting_pile(a->store, a->baseline, change->finding, change->hosts[i],
					&edits, err);
	}
	if (status == 0) {
		status = edit_accept(a->edit, edits.change, edits.count, err);
	}
	pile_changes_clear(&edits);
	return status;
}

static int accept_change(const struct accepting *a, const struct change *change, struct error *err)
{
	struct call *call = a->call;
	char *hosts = NULL;

	if ((accepting_pile_is(change->finding) ? stage_pile(a, change, err)
						: stage_object(a, change, err)) < 0 ||
	    fold_names(change->hosts, change->host_count, &hosts, err) < 0) {
		return -1;
	}
	(void)fputs("  ", call->out);
	(void)line_hosts(call->out, hosts, change->host_count);
	(void)fputs("  ", call->out);
	(void)print_bytes(call->out, change->finding->subject);
	(void)fprintf(call->out, "  %.8s\n", change->finding->id);
	free(hosts);
	return 0;
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
	struct accepting a = {.call = call};
	struct inventory *inventory = NULL;
	struct changes *changes = NULL;
	const struct change *change;
	struct nodeset *hosts = NULL;
	const char *path;
	int code = -1;

	if (open_baseline_path(call, &path, err) < 0 || open_baseline(call, &a.baseline, err) < 0 ||
	    call_inventory(call, &inventory, err) < 0 ||
	    call_hosts_option(call, inventory, &hosts, err) < 0 ||
	    open_store(call, STORE_READ, &a.store, err) < 0 || changes_new(&changes, err) < 0 ||
	    pick_findings(call, a.store, hosts, changes, err) < 0 ||
	    edit_open(path, NULL, &a.edit, err) < 0) {
		goto out;
	}
	for (size_t i = 0; (change = changes_at(changes, i)); i++) {
		if (accept_change(&a, change, err) < 0) {
			goto out;
		}
	}
	code = commit(call, a.edit, changes, err);
out:
	edit_free(a.edit);
	changes_free(changes);
	store_close(a.store);
	baseline_close(a.baseline);
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}
