// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "controller/cmd/open.h"
#include "controller/cmd/version.h"
#include "controller/inventory/fold.h"
#include "controller/report/groups.h"
#include "controller/report/line.h"
#include "controller/report/lines.h"
#include "controller/report/print.h"
#include "controller/report/values.h"

#define LINES_SHOWN 1000

struct telling {
	struct call *call;
	struct nodeset *hosts;  /* NULL: all */
	struct groups *changes; /* text: the line is the key, so that equal ones fold */
	struct error *err;
	uint64_t count;
};

static bool is_meant(struct telling *telling, const struct store_diff_row *row)
{
	return !telling->hosts || nodeset_has(telling->hosts, row->host);
}

static int on_ndjson(void *context, const struct store_diff_row *row)
{
	struct telling *telling = context;

	if (is_meant(telling, row)) {
		telling->count++;
		lines_difference(telling->call->out, row);
	}
	return 0;
}

static void write_line(FILE *out, const struct store_diff_row *row, bool verbose)
{
	char section[512];

	(void)fprintf(out, "%-8s  ", lines_change_name(row->change));
	if (row->subject.len > 0) {
		(void)print_bytes(out, row->subject);
		(void)fputs("  ", out);
	}
	(void)fprintf(out, "[%s]", lines_section(row->key, section, sizeof(section)));
	if (row->change == STORE_CHANGED || verbose) {
		(void)fputs("  ", out);
		values_print_difference(out, row->old_value, row->new_value);
	}
}

static int on_text(void *context, const struct store_diff_row *row)
{
	struct telling *telling = context;
	char *line = NULL;
	size_t len = 0;
	int status = -1;
	FILE *out;

	if (!is_meant(telling, row)) {
		return 0;
	}
	out = open_memstream(&line, &len);
	if (!out) {
		return error_set(telling->err, ERROR_NOMEM, 0, "out of memory");
	}
	write_line(out, row, telling->call->verbose > 0);
	if (fclose(out) == 0 && line) {
		telling->count++;
		status = groups_add(telling->changes, line, (int)row->key->kind, row->host, 0,
				    telling->err);
	}
	free(line);
	return status;
}

static int print_changes(struct telling *telling, struct error *err)
{
	FILE *out = telling->call->out;
	const struct group *group;
	size_t i;

	groups_sort(telling->changes);
	for (i = 0; (group = groups_at(telling->changes, i)); i++) {
		char *hosts = NULL;

		if (i == LINES_SHOWN && !telling->call->verbose) {
			(void)fputs("  ... and more: -v shows all\n", out);
			break;
		}
		if (fold_names(group->hosts, group->host_count, &hosts, err) < 0) {
			return -1;
		}
		(void)fputs("  ", out);
		(void)line_hosts(out, hosts, group->host_count);
		(void)fprintf(out, "  %s\n", group->key);
		free(hosts);
	}
	return 0;
}

static bool is_wanted(void *context, const char *host)
{
	struct telling *telling = context;

	return !telling->hosts || nodeset_has(telling->hosts, host);
}

/* The last two that can be compared: a check of another host in between is passed over. */
static int find_pair(struct telling *telling, struct store *store, struct store_run *a,
		     struct store_run *b, struct error *err)
{
	bool found = false;

	if (store_run_pair(store, is_wanted, telling, a, b, &found, err) < 0) {
		return -1;
	}
	if (found) {
		return 0;
	}
	if (store_run_find(store, "previous", a, err) < 0) {
		return -1;
	}
	return store_run_find(store, "latest", b, err);
}

static int find_runs(struct telling *telling, struct store *store, struct store_run *a,
		     struct store_run *b, struct error *err)
{
	struct call *call = telling->call;
	const char *second = call->word_count > 1 ? call->words[1] : "latest";
	char again[AGAIN_ROOM];

	if (call->word_count == 0 ? find_pair(telling, store, a, b, err) < 0
				  : store_run_find(store, call->words[0], a, err) < 0 ||
					    store_run_find(store, second, b, err) < 0) {
		call_advise(call,
			    "look a second time, then muster diff compares the two: muster "
			    "sweep%s",
			    again_to_check(call, true, again));
		call_advise(call, "for the name of the newest run: muster show latest%s",
			    again_to_look(call, again));
		return -1;
	}
	return 0;
}

struct known {
	const char *name;
	bool found;
};

static int on_known(void *context, const struct store_host_row *row)
{
	struct known *known = context;

	known->found = strcmp(row->name, known->name) == 0;
	return known->found ? 1 : 0;
}

/* diff HOST: a word that is no run, but a host. */
static int take_host(struct telling *telling, struct store *store, struct error *err)
{
	struct call *call = telling->call;
	struct known known = {0};
	struct store_run run;

	if (call->word_count != 1 || telling->hosts ||
	    store_run_find(store, call->words[0], &run, NULL) == 0) {
		return 0;
	}
	known.name = call->words[0];
	if (store_hosts(store, 0, on_known, &known, err) < 0) {
		return -1;
	}
	if (!known.found) {
		return 0;
	}
	call->word_count = 0;
	return nodeset_new(&telling->hosts, err) < 0 ? -1
						     : nodeset_add(telling->hosts, known.name, err);
}

struct looked {
	struct nodeset *set;
	struct telling *telling;
};

static int on_looked(void *context, const struct store_host_row *row)
{
	struct looked *looked = context;
	bool is_looked = outcome_class(row->outcome) == OUTCOME_CLASS_LOOKED ||
			 row->outcome == OUTCOME_PARTIAL;

	if (!is_looked || !nodeset_name_is_valid(row->name) ||
	    (looked->telling->hosts && !nodeset_has(looked->telling->hosts, row->name))) {
		return 0;
	}
	return nodeset_add(looked->set, row->name, looked->telling->err);
}

static int hosts_of_run(struct telling *telling, struct store *store, int64_t run,
			struct nodeset **set, struct error *err)
{
	struct looked looked = {.telling = telling};

	if (nodeset_new(set, err) < 0) {
		return -1;
	}
	looked.set = *set;
	return store_hosts(store, run, on_looked, &looked, err);
}

/* A host that one of the runs did not see differs in nothing, and says nothing. */
static int print_compared(struct telling *telling, struct store *store, const struct store_run *a,
			  const struct store_run *b, size_t *compared, struct error *err)
{
	struct nodeset *in_a = NULL, *in_b = NULL, *alone = NULL;
	size_t both = 0;
	char *folded = NULL;
	int status = -1;

	if (hosts_of_run(telling, store, a->id, &in_a, err) < 0 ||
	    hosts_of_run(telling, store, b->id, &in_b, err) < 0 || nodeset_new(&alone, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(in_a); i++) {
		const char *name = nodeset_name(in_a, i);

		both += nodeset_has(in_b, name) ? 1 : 0;
		if (!nodeset_has(in_b, name) && nodeset_add(alone, name, err) < 0) {
			goto out;
		}
	}
	for (size_t i = 0; i < nodeset_count(in_b); i++) {
		const char *name = nodeset_name(in_b, i);

		if (!nodeset_has(in_a, name) && nodeset_add(alone, name, err) < 0) {
			goto out;
		}
	}
	(void)fprintf(telling->call->out, "%zu host%s compared", both, both == 1 ? "" : "s");
	if (nodeset_count(alone) > 0) {
		if (fold_nodeset(alone, &folded, err) < 0) {
			goto out;
		}
		(void)fputs("; looked at in one of the runs only: ", telling->call->out);
		(void)line_hosts(telling->call->out, folded, nodeset_count(alone));
	}
	(void)fputs(".\n", telling->call->out);
	*compared = both;
	status = 0;
out:
	free(folded);
	nodeset_free(in_a);
	nodeset_free(in_b);
	nodeset_free(alone);
	return status;
}

static int tell_difference(struct telling *telling, struct store *store, const struct store_run *a,
			   const struct store_run *b, struct error *err)
{
	char from[PRINT_TIME_ROOM], to[PRINT_TIME_ROOM], count[PRINT_NUMBER_ROOM];
	FILE *out = telling->call->out;
	size_t compared = 0;

	if (open_is_ndjson(telling->call)) {
		lines_start(out, "diff", version_text);
		if (store_diff(store, a->id, b->id, NULL, on_ndjson, telling, err) < 0) {
			return -1;
		}
		lines_end(out);
		return EXIT_CLEAN;
	}
	if (store_diff(store, a->id, b->id, NULL, on_text, telling, err) < 0) {
		return -1;
	}
	(void)fprintf(out, "%s difference%s from run %s (%s) to %s (%s).\n",
		      print_count(telling->count, count), telling->count == 1 ? "" : "s", a->name,
		      print_time(a->started_s, from), b->name, print_time(b->started_s, to));
	if (print_compared(telling, store, a, b, &compared, err) < 0 ||
	    print_changes(telling, err) < 0) {
		return -1;
	}
	if (compared == 0) {
		/* No difference between runs that share no host is no answer. */
		(void)fputs("Nothing was compared. Name two runs that looked at the same hosts: "
			    "muster diff RUN_A RUN_B\n",
			    out);
		return EXIT_INCOMPLETE;
	}
	return EXIT_CLEAN;
}

int verb_diff(struct call *call, struct error *err)
{
	struct telling telling = {.call = call, .err = err};
	struct inventory *inventory = NULL;
	struct store *store = NULL;
	struct store_run a, b;
	int code = -1;

	if (open_store(call, STORE_READ, &store, err) < 0 ||
	    call_inventory(call, &inventory, err) < 0 ||
	    call_hosts_option(call, inventory, &telling.hosts, err) < 0 ||
	    take_host(&telling, store, err) < 0 || find_runs(&telling, store, &a, &b, err) < 0 ||
	    groups_new(&telling.changes, err) < 0) {
		goto out;
	}
	code = tell_difference(&telling, store, &a, &b, err);
out:
	groups_free(telling.changes);
	nodeset_free(telling.hosts);
	inventory_free(inventory);
	store_close(store);
	return code;
}
