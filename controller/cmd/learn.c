// SPDX-License-Identifier: MIT
/* baseline learn: what packages' scripts set, proposed from clean hosts for review. */
#include <stdlib.h>
#include <string.h>

#include "baselines/baseline.h"
#include "baselines/edit.h"
#include "baselines/overrides.h"
#include "baselines/packages.h"
#include "controller/cmd/learning.h"
#include "controller/cmd/open.h"
#include "controller/report/print.h"
#include "schema/escape.h"

struct learn {
	struct call *call;
	struct store *store;
	struct baseline *baseline;
	struct learning *learning;
	size_t host; /* number of the one that is read, from 1 */
	size_t clean;
	/* Of the host that is read: */
	size_t against;
	char first[256]; /* of what speaks against it */
	struct error *err;
};

static bool is_open(const struct store_finding_row *row)
{
	return row->finding->state == FINDING_NEW || row->finding->state == FINDING_OPEN;
}

static int judge_row(void *context, const struct store_finding_row *row)
{
	struct learn *l = context;

	if (is_open(row) && learning_judge(row->finding) == LEARNED_UNCLEAN && l->against++ == 0) {
		char shown[160];

		(void)snprintf(l->first, sizeof(l->first), "%s of %s", row->rule_name,
			       escape_text(row->finding->subject, shown, sizeof(shown)));
	}
	return 0;
}

static int take_row(void *context, const struct store_finding_row *row)
{
	struct learn *l = context;

	return is_open(row) ? learning_take(l->learning, row->finding, l->host, l->err) : 0;
}

static int learn_host(struct learn *l, const char *host, struct error *err)
{
	const struct store_finding_query query = {.host = host};
	struct observation *seen = NULL;
	char again[AGAIN_ROOM];

	if (store_observation_load(l->store, host, STORE_LAST_COMPLETE, &seen, err) < 0) {
		return -1;
	}
	if (!seen) {
		call_advise(l->call, "muster check %s%s", host,
			    again_to_check(l->call, true, again));
		return error_set(err, ERROR_CONFIG, 0, "%s: never looked at whole", host);
	}
	store_observation_free(seen);
	l->host++;
	l->against = 0;
	if (store_findings(l->store, &query, judge_row, l, err) < 0) {
		return -1;
	}
	if (l->against > 0) {
		(void)fprintf(l->call->log,
			      "muster: %s is not clean (%zu finding%s that no override explains, "
			      "first %s): nothing is learned from it\n",
			      host, l->against, l->against == 1 ? "" : "s", l->first);
		return 0;
	}
	l->clean++;
	return store_findings(l->store, &query, take_row, l, err);
}

/* Only what nobody disputes and more than one host shows; one host alone is taken at its word. */
static bool is_agreed(const struct learn *l, const struct proposal *p)
{
	return !p->disputed && (p->hosts > 1 || l->clean == 1);
}

static void print_proposal(const struct learn *l, const struct proposal *p)
{
	FILE *out = l->call->out;

	(void)fputc('+', out);
	(void)print_escaped(out, p->line);
	(void)fprintf(out, "   (%zu of %zu host%s", p->hosts, l->clean, l->clean == 1 ? "" : "s");
	if (p->package.len > 0) {
		(void)fputs("; ", out);
		(void)print_bytes(out, p->package);
	}
	(void)fputs(p->disputed     ? "; DISPUTED: other hosts say otherwise)\n"
		    : p->hosts == 1 ? "; only one host says so: review it)\n"
				    : ")\n",
		    out);
}

/* The manager whose package it is: without one, an exception of dpkg's. */
static const char *manager_of(const struct learn *l, const struct proposal *p)
{
	const uint8_t *blank = p->package.len > 0 ? memchr(p->package.data, ' ', p->package.len)
						  : NULL;
	struct bytes name = bytes_make(p->package.data,
				       blank ? (size_t)(blank - p->package.data) : p->package.len);

	return name.len > 0 && !baseline_knows_package(l->baseline, BYTES_LITERAL("dpkg"), name) &&
			       baseline_knows_package(l->baseline, BYTES_LITERAL("rpm"), name)
		       ? "rpm"
		       : "dpkg";
}

/* The file of one manager with what is agreed on added to it. *added: lines that are new. */
static int stage_manager(const struct learn *l, struct edit *edit, const char *manager,
			 size_t *added, struct error *err)
{
	char path[OVERRIDES_PATH_MAX], *text = NULL;
	struct record_list *had = NULL, *all = NULL;
	const struct proposal *list;
	struct bytes *lines = NULL;
	uint8_t *data = NULL;
	size_t len = 0, count = 0, total = 0;
	int result = -1;

	*added = 0;
	if (!overrides_path(bytes_from_string(manager), path) ||
	    edit_read(edit, path, RECORDS_SIZE_MAX, &data, &len, err) < 0 ||
	    overrides_parse(path, bytes_make(data, len), &had, err) < 0) {
		goto out;
	}
	list = learning_proposals(l->learning, &count);
	lines = calloc(had->count + count + 1, sizeof(*lines));
	if (!lines) {
		(void)error_set(err, ERROR_NOMEM, 0, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < had->count; i++) {
		lines[total++] = had->line[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (is_agreed(l, &list[i]) && strcmp(manager_of(l, &list[i]), manager) == 0 &&
		    !records_has(had, list[i].line)) {
			lines[total++] = list[i].line;
			(*added)++;
		}
	}
	if (*added == 0) {
		result = 0;
	} else if (records_make(lines, total, &all, err) == 0 &&
		   records_write(all, &text, &len, err) == 0) {
		result = edit_put(edit, path, bytes_make(text, len), err);
	}
out:
	free(text);
	free(lines);
	free(data);
	records_free(had);
	records_free(all);
	return result;
}

static int commit(const struct learn *l, const char *path, struct error *err)
{
	static const char *const managers[] = {"dpkg", "rpm"};
	const char *message = call_value(l->call, OPTION_MESSAGE);
	char hash[EDIT_COMMIT_SIZE], text[128];
	struct edit *edit = NULL;
	size_t total = 0;
	int result = edit_open(path, NULL, &edit, err);

	for (size_t i = 0; result == 0 && i < 2; i++) {
		size_t added = 0;

		result = stage_manager(l, edit, managers[i], &added, err);
		total += added;
	}
	(void)snprintf(text, sizeof(text), "packages: learn %zu override%s from %zu host%s", total,
		       total == 1 ? "" : "s", l->clean, l->clean == 1 ? "" : "s");
	if (result == 0) {
		result = edit_commit(edit, message ? message : text, hash, err);
	}
	if (result == 0 && *hash) {
		(void)fprintf(l->call->out,
			      "%zu override%s, commit %.12s. The next run judges by it.\n", total,
			      total == 1 ? "" : "s", hash);
	} else if (result == 0) {
		(void)fputs("Nothing to commit: no line that hosts agree on is new.\n",
			    l->call->out);
	}
	edit_free(edit);
	return result;
}

static int tell(const struct learn *l, const char *path, struct error *err)
{
	const struct proposal *list;
	size_t count, agreed = 0, printed = 0;

	list = learning_proposals(l->learning, &count);
	for (size_t i = 0; i < count; i++) {
		if (records_has(baseline_overrides(l->baseline), list[i].line)) {
			continue;
		}
		print_proposal(l, &list[i]);
		printed++;
		agreed += is_agreed(l, &list[i]);
	}
	if (printed == 0) {
		(void)fprintf(l->call->out, "Nothing to learn from %zu clean host%s.\n", l->clean,
			      l->clean == 1 ? "" : "s");
		return EXIT_CLEAN;
	}
	if (call_has(l->call, OPTION_COMMIT)) {
		return commit(l, path, err) < 0 ? -1 : EXIT_CLEAN;
	}
	(void)fprintf(l->call->out,
		      "%zu lines for " PACKAGES_FOLDER "/MANAGER/" OVERRIDES_NAME
		      ", %zu that hosts agree on: review them, then --commit.\n",
		      printed, agreed);
	return EXIT_CLEAN;
}

int verb_baseline_learn(struct call *call, struct error *err)
{
	struct learn l = {.call = call, .err = err};
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	const char *path;
	int code = -1;

	if (open_baseline_path(call, &path, err) < 0 || open_baseline(call, &l.baseline, err) < 0 ||
	    call_inventory(call, &inventory, err) < 0 ||
	    call_hosts(call, inventory, 0, &hosts, err) < 0 ||
	    open_store(call, STORE_READ, &l.store, err) < 0 || learning_new(&l.learning, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		if (learn_host(&l, nodeset_name(hosts, i), err) < 0) {
			goto out;
		}
	}
	code = nodeset_count(hosts) == 0
		       ? error_set(err, ERROR_CONFIG, 0, "muster baseline learn: no hosts")
		       : tell(&l, path, err);
out:
	learning_free(l.learning);
	store_close(l.store);
	nodeset_free(hosts);
	inventory_free(inventory);
	baseline_close(l.baseline);
	return code;
}
