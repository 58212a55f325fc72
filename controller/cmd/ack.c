// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "baselines/edit.h"
#include "controller/cmd/open.h"
#include "controller/cmd/pick.h"
#include "controller/cmd/when.h"
#include "controller/inventory/fold.h"
#include "schema/escape.h"

#define DAY_S 86400
#define DAYS_MAX 180 /* what is right for longer is to be accepted */

static int read_until(struct call *call, char day[WHEN_DAY_ROOM], struct error *err)
{
	const char *text = call_value(call, OPTION_UNTIL);
	int64_t now = (int64_t)time(NULL), until;

	if (!text) {
		call_advise(call, "muster ack FINDING --reason TEXT --until 30d");
		return error_set(err, ERROR_CONFIG, 0, "ack: --until DATE is missing");
	}
	if (!when_parse(text, now, WHEN_AHEAD, &until)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "--until: expected a day such as 2026-12-15, or 30d from now");
	}
	if (until < now - DAY_S || until > now + (int64_t)DAYS_MAX * DAY_S) {
		call_advise(call, "muster accept, for what is right for good");
		return error_set(err, ERROR_CONFIG, 0,
				 "--until: expected a day from today to %d "
				 "days ahead",
				 DAYS_MAX);
	}
	(void)when_day(until, day);
	return 0;
}

static int write_ack(struct call *call, struct edit *edit, const struct change *change,
		     const char *day, struct error *err)
{
	char path[ESCAPE_ROOM(4096)], id[EDIT_ID_SIZE], rule[64], fingerprint[FINGERPRINT_SIZE];
	char *hosts = NULL, *reason = NULL;
	struct ack ack = {.path = path, .rule = rule, .finding = fingerprint, .by = NULL};
	int status = -1;

	(void)snprintf(rule, sizeof(rule), "%s", rule_name(change->finding->rule));
	(void)snprintf(fingerprint, sizeof(fingerprint), "%s", change->finding->id);
	(void)escape_text(change->finding->subject, path, sizeof(path));
	reason = strdup(call_value(call, OPTION_REASON));
	if (!reason) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (fold_names(change->hosts, change->host_count, &hosts, err) == 0) {
		ack.hosts = hosts;
		ack.reason = reason;
		ack.by = "";
		status = edit_ack(edit, &ack, day, id, err);
	}
	if (status == 0) {
		(void)fprintf(call->out, "%s  %.8s  %s  until %s  on ", id, fingerprint, path, day);
		(void)fprintf(call->out, "%s (%zu)\n", hosts, change->host_count);
	}
	free(hosts);
	free(reason);
	return status;
}

static int commit(struct call *call, struct edit *edit, size_t count, struct error *err)
{
	char hash[EDIT_COMMIT_SIZE], message[256];

	(void)snprintf(message, sizeof(message), "acks: set %zu finding%s aside: %.150s", count,
		       count == 1 ? "" : "s", call_value(call, OPTION_REASON));
	if (edit_commit(edit, message, hash, err) < 0) {
		return -1;
	}
	(void)fprintf(call->out, "Commit %.12s. The next run judges by it.\n", hash);
	return EXIT_CLEAN;
}

int verb_ack(struct call *call, struct error *err)
{
	struct inventory *inventory = NULL;
	struct changes *changes = NULL;
	const struct change *change;
	struct nodeset *hosts = NULL;
	struct store *store = NULL;
	struct edit *edit = NULL;
	char day[WHEN_DAY_ROOM];
	const char *path;
	int code = -1;

	if (!call_has(call, OPTION_REASON) || !*call_value(call, OPTION_REASON)) {
		call_advise(call, "muster ack FINDING --reason TEXT --until 30d");
		return error_set(err, ERROR_CONFIG, 0, "ack: --reason TEXT is missing");
	}
	if (read_until(call, day, err) < 0 || open_baseline_path(call, &path, err) < 0 ||
	    call_inventory(call, &inventory, err) < 0 ||
	    call_hosts_option(call, inventory, &hosts, err) < 0 ||
	    open_store(call, STORE_READ, &store, err) < 0 || changes_new(&changes, err) < 0 ||
	    pick_findings(call, store, hosts, changes, err) < 0 ||
	    edit_open(path, NULL, &edit, err) < 0) {
		goto out;
	}
	for (size_t i = 0; (change = changes_at(changes, i)); i++) {
		if (write_ack(call, edit, change, day, err) < 0) {
			goto out;
		}
	}
	code = commit(call, edit, changes_count(changes), err);
out:
	edit_free(edit);
	changes_free(changes);
	store_close(store);
	nodeset_free(hosts);
	inventory_free(inventory);
	return code;
}
