// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/fold.h"
#include "controller/report/aside.h"
#include "controller/report/changes.h"
#include "controller/report/groups.h"
#include "controller/report/line.h"
#include "controller/report/print.h"
#include "controller/report/values.h"
#include "controller/report/writer.h"
#include "schema/escape.h"

#define GROUPS_SHOWN 100
#define BUNCH_SHOWN 10 /* changes of one package, or in one place */
#define EXPLAINED_SHOWN 20

struct text {
	struct changes *changes;
	struct groups *unlooked; /* by state and reason */
	struct groups *gaps;     /* of partial hosts: by check and reason */
};

static void free_text(void *state)
{
	struct text *text = state;

	changes_free(text->changes);
	groups_free(text->unlooked);
	groups_free(text->gaps);
	free(text);
}

static int make(void **state, struct error *err)
{
	struct text *text = calloc(1, sizeof(*text));

	*state = NULL;
	if (!text) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (changes_new(&text->changes, err) < 0 || groups_new(&text->unlooked, err) < 0 ||
	    groups_new(&text->gaps, err) < 0) {
		free_text(text);
		return -1;
	}
	*state = text;
	return 0;
}

static int run_start(void *state, const struct writer_context *context, struct error *err)
{
	(void)state;
	(void)context;
	(void)err;
	return 0;
}

static int add_gaps(struct text *text, const struct report_host *host, struct error *err)
{
	for (size_t i = 0; host->coverage && i < host->coverage_count; i++) {
		const struct coverage_item *item = &host->coverage[i];
		char key[512], check[160], reason[160];

		if (item->state != COVERAGE_PARTIAL) {
			continue;
		}
		(void)snprintf(key, sizeof(key), "%s: %s",
			       escape_text(item->check, check, sizeof(check)),
			       escape_text(item->reason, reason, sizeof(reason)));
		if (groups_add(text->gaps, key, 0, host->name, item->count, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* In days, so that hosts that were lost together stay together. */
static const char *last_whole(const struct writer_context *context, const struct report_host *host,
			      char to[64])
{
	int64_t age_s = context->run.started_s - host->last_complete_s;
	const char *comma = host->reason && host->reason[0] ? "; " : "";

	to[0] = '\0';
	if (!host->has_last_complete) {
		return to;
	}
	if (host->last_complete_s == 0) {
		(void)snprintf(to, 64, "%snever looked at whole", comma);
	} else if (age_s < 86400) {
		(void)snprintf(to, 64, "%slast whole within a day", comma);
	} else {
		(void)snprintf(to, 64, "%slast whole %lld day%s ago", comma,
			       (long long)(age_s / 86400), age_s / 86400 == 1 ? "" : "s");
	}
	return to;
}

static int host(void *state, const struct writer_context *context, const struct report_host *host,
		struct error *err)
{
	struct text *text = state;
	char key[1024], age[64];

	if (outcome_class(host->outcome) == OUTCOME_CLASS_LOOKED) {
		return 0;
	}
	(void)snprintf(key, sizeof(key), "%s\n%s%s", outcome_name(host->outcome),
		       host->reason ? host->reason : "", last_whole(context, host, age));
	if (groups_add(text->unlooked, key, (int)host->outcome, host->name, 0, err) < 0) {
		return -1;
	}
	return host->outcome == OUTCOME_PARTIAL ? add_gaps(text, host, err) : 0;
}

static int finding(void *state, const struct writer_context *context,
		   const struct report_finding *found, struct error *err)
{
	const struct change_ack ack = {.id = found->ack ? found->ack : "",
				       .reason = found->ack_reason ? found->ack_reason : "",
				       .until_s = found->ack_until_s};
	struct text *text = state;

	(void)context;
	return changes_add(text->changes, found->host, found->finding, found->first_seen_s, &ack,
			   err);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* "1 high, 2 medium" of what is open in changes, and how many that is. */
static size_t count_open(struct text *text, unsigned fail_on, char *to, size_t room)
{
	size_t by[SEVERITY_CRITICAL + 1] = {0}, total = 0, used = 0;
	const struct change *change;

	for (size_t i = 0; (change = changes_at(text->changes, i)); i++) {
		if (change->finding->state <= FINDING_OPEN &&
		    change->finding->severity >= fail_on) {
			by[change->finding->severity]++;
			total++;
		}
	}
	to[0] = '\0';
	for (int s = SEVERITY_CRITICAL; s >= 0; s--) {
		if (by[s] > 0 && used < room) {
			used += (size_t)snprintf(to + used, room - used, "%s%zu %s",
						 used ? ", " : "", by[s],
						 severity_name((enum severity)s));
		}
	}
	return total;
}

static const char *threshold(const struct writer_context *context, char *to, size_t room)
{
	if (context->options->fail_on > SEVERITY_CRITICAL) {
		(void)snprintf(to, room, "nothing makes this run fail (--fail-on never)");
	} else {
		(void)snprintf(to, room, "nothing open at %s or above",
			       severity_name((enum severity)context->options->fail_on));
	}
	return to;
}

static void print_stale(FILE *out, const struct store_run *run)
{
	char age[PRINT_NUMBER_ROOM];

	(void)fputs("; the baseline was not brought up to date", out);
	if (run->stale_made_s > 0) {
		(void)fprintf(out, " and was %s old",
			      print_age(run->started_s > run->stale_made_s
						? (uint64_t)(run->started_s - run->stale_made_s)
						: 0,
					age));
	}
	(void)fputs(" (", out);
	(void)print_escaped(out, bytes_from_string(run->stale));
	(void)fputc(')', out);
}

/* The first sentence answers the first question: is it well? */
static void print_verdict(struct text *text, const struct writer_context *context)
{
	const struct report_tally *tally = context->tally;
	FILE *out = context->options->out;
	bool color = context->options->color;
	size_t unlooked = tally->hosts - tally->looked, changes;
	char list[160], clean[96];

	changes = count_open(text, context->options->fail_on, list, sizeof(list));
	(void)threshold(context, clean, sizeof(clean));
	switch (context->verdict) {
	case REPORT_FINDINGS:
		line_paint(out, color, LINE_RED, "FINDINGS");
		(void)fprintf(out, ": %zu change%s open on %zu of %zu host%s (%s)", changes,
			      plural(changes), tally->hosts_open, tally->hosts,
			      plural(tally->hosts), list);
		if (unlooked > 0) {
			(void)fprintf(out, "; %zu host%s not looked at whole", unlooked,
				      plural(unlooked));
		}
		break;
	case REPORT_INCOMPLETE:
		line_paint(out, color, LINE_YELLOW, "INCOMPLETE");
		(void)fprintf(out, ": %zu of %zu host%s looked at whole, %s", tally->looked,
			      tally->hosts, plural(tally->hosts), clean);
		break;
	case REPORT_CLEAN:
		line_paint(out, color, LINE_GREEN, "CLEAN");
		(void)fprintf(out, ": %zu of %zu host%s looked at whole, %s", tally->looked,
			      tally->hosts, plural(tally->hosts), clean);
		break;
	}
	if (writer_is_stale(context)) {
		print_stale(out, &context->run);
	}
	(void)fputs(context->interrupted ? ". Interrupted: what was finished is kept.\n" : ".\n",
		    out);
}

static void print_part(FILE *out, size_t count, const char *what, bool *first)
{
	char number[PRINT_NUMBER_ROOM];

	if (count > 0) {
		(void)fprintf(out, "%s%s %s", *first ? "" : ", ", print_count(count, number), what);
		*first = false;
	}
}

/* How many hosts were not seen, and how long nobody has seen them: the other half of the verdict. */
static void print_seen(const struct writer_context *context)
{
	const struct report_tally *tally = context->tally;
	size_t partly = tally->by_outcome[OUTCOME_PARTIAL];
	FILE *out = context->options->out;
	bool first = true;

	if (tally->looked == tally->hosts) {
		return;
	}
	(void)fputs("Coverage: ", out);
	print_part(out, tally->looked, "whole", &first);
	print_part(out, partly, "partly", &first);
	print_part(out, tally->hosts - tally->looked - partly, "not at all", &first);
	if (tally->last_day + tally->last_week + tally->long_ago + tally->never > 0) {
		first = true;
		(void)fputs("; last whole: ", out);
		print_part(out, tally->last_day, "within a day", &first);
		print_part(out, tally->last_week, "within a week", &first);
		print_part(out, tally->long_ago, "longer ago", &first);
		print_part(out, tally->never, "never", &first);
	}
	(void)fputs(".\n", out);
}

static void print_run(const struct writer_context *context)
{
	char proved[PRINT_NUMBER_ROOM], unproved[PRINT_NUMBER_ROOM], skipped[PRINT_NUMBER_ROOM];
	char span[PRINT_NUMBER_ROOM], started[PRINT_TIME_ROOM];
	const struct report_tally *tally = context->tally;
	const struct store_run *run = &context->run;
	FILE *out = context->options->out;

	if (context->options->is_run) {
		(void)fprintf(out, "Run %s of %s, ", run->name,
			      print_time(run->started_s, started));
		if (run->commit && *run->commit) {
			(void)fprintf(out, "baseline %.12s", run->commit);
		} else {
			(void)fputs("no baseline: judged by first sight and each host's own word",
				    out);
		}
		if (run->finished_s > run->started_s) {
			(void)fprintf(
				out, ", took %s",
				print_span((uint64_t)(run->finished_s - run->started_s), span));
		}
		(void)fputs(".\n", out);
	}
	(void)fprintf(out, "Files: %s proved, %s unproved, %s skipped.\n",
		      print_count(tally->proved, proved), print_count(tally->unproved, unproved),
		      print_count(tally->skipped, skipped));
}

/* A first look compares a host with nothing but itself: no newcomer may take that for an answer. */
static void print_unproved(const struct writer_context *context)
{
	const struct report_tally *tally = context->tally;

	if (tally->proved > 0 || tally->unproved == 0) {
		return;
	}
	(void)fputs(
		"Nothing of this is proved: it is held against what was seen first and what the "
		"hosts say of themselves.\n"
		"  try: muster baseline import (packages), then muster baseline capture HOST "
		"(the rest)\n",
		context->options->out);
}

/* How much is proved by what. */
static void print_witnesses(const struct writer_context *context)
{
	char packages[PRINT_NUMBER_ROOM], files[PRINT_NUMBER_ROOM];
	const struct report_tally *tally = context->tally;
	FILE *out = context->options->out;
	bool any = false;

	for (unsigned w = 0; w <= WITNESS_RULE; w++) {
		if (tally->packages_by_witness[w] == 0 && tally->files_by_witness[w] == 0) {
			continue;
		}
		(void)fprintf(out, "%s %s %s package%s, %s file%s",
			      any ? ";" : "Judged by:", witness_name((enum witness)w),
			      print_count(tally->packages_by_witness[w], packages),
			      plural(tally->packages_by_witness[w]),
			      print_count(tally->files_by_witness[w], files),
			      plural(tally->files_by_witness[w]));
		any = true;
	}
	if (any) {
		(void)fputs(".\n", out);
	}
}

/* The advice of a state, with the hosts it is about in the place of HOST. */
static void print_advice(const struct report_options *options, const char *advice,
			 const char *hosts)
{
	const char *place = strstr(advice, "HOST"), *again = NULL;
	FILE *out = options->out;

	if (strstr(advice, "muster ")) {
		again = strstr(advice, "hosts keys") ? options->reach_options
						     : options->look_options;
	}

	(void)fputs("      try: ", out);
	if (place && strlen(hosts) < 60) {
		(void)fprintf(out, "%.*s", (int)(place - advice), advice);
		(void)print_bytes(out, bytes_from_string(hosts));
		advice = place + strlen("HOST");
	}
	(void)fprintf(out, "%s%s\n", advice, again ? again : "");
}

static int print_unlooked(const struct writer_context *context, const struct group *group,
			  bool with_advice, struct error *err)
{
	const char *newline = strchr(group->key, '\n');
	const char *advice = outcome_advice((enum outcome)group->rank);
	FILE *out = context->options->out;
	char *hosts = NULL;

	if (fold_names(group->hosts, group->host_count, &hosts, err) < 0) {
		return -1;
	}
	(void)fprintf(out, "  %-14.*s ", (int)(newline - group->key), group->key);
	line_hosts(out, hosts, group->host_count);
	if (newline[1]) {
		(void)fputs("  ", out);
		(void)print_escaped(out, bytes_from_string(newline + 1));
	}
	(void)fputc('\n', out);
	if (with_advice && *advice) {
		print_advice(context->options, advice, hosts);
	}
	free(hosts);
	return 0;
}

static int print_gaps(const struct text *text, const struct writer_context *context,
		      struct error *err)
{
	char count[PRINT_NUMBER_ROOM];
	FILE *out = context->options->out;
	const struct group *group;

	for (size_t i = 0; (group = groups_at(text->gaps, i)) && i < GROUPS_SHOWN; i++) {
		char *hosts = NULL;

		if (fold_names(group->hosts, group->host_count, &hosts, err) < 0) {
			return -1;
		}
		(void)fputs("    ", out);
		(void)print_escaped(out, bytes_from_string(group->key));
		if (group->amount > 0) {
			(void)fprintf(out, " (%s object%s)", print_count(group->amount, count),
				      plural(group->amount));
		}
		(void)fputs("  ", out);
		line_hosts(out, hosts, group->host_count);
		(void)fputc('\n', out);
		free(hosts);
	}
	return 0;
}

static int print_coverage(struct text *text, const struct writer_context *context,
			  struct error *err)
{
	const struct group *group, *next;
	FILE *out = context->options->out;
	size_t i;

	groups_sort(text->unlooked);
	groups_sort(text->gaps);
	for (i = 0; (group = groups_at(text->unlooked, i)) && i < GROUPS_SHOWN; i++) {
		/* One line of advice a state, behind its last group. */
		bool last;

		next = groups_at(text->unlooked, i + 1);
		last = !next || next->rank != group->rank || i + 1 == GROUPS_SHOWN;
		if (i == 0) {
			(void)fputs("\nNot looked at whole:\n", out);
		}
		if (print_unlooked(context, group,
				   last && !context->options->quiet && !context->interrupted,
				   err) < 0) {
			return -1;
		}
	}
	if (group) {
		(void)fputs("  ... and more: --format ndjson has them all\n", out);
	}
	return print_gaps(text, context, err);
}

/* Whether a change is listed under this state. */
static bool belongs(const struct change *change, enum finding_state state,
		    const struct report_options *options)
{
	return change->finding->state == state &&
	       (change->finding->severity > SEVERITY_INFO || state == FINDING_EXPLAINED ||
		options->all || options->verbose);
}

/*
 * What a change belongs together with: the package, or the place and the rule, on the same hosts. A
 * package that was replaced by hand is one thing to know, not ten thousand.
 */
static int bunch_key(const struct change *change, char **key, struct error *err)
{
	const struct finding *finding = change->finding;
	struct bytes place = finding->package;
	char *hosts = NULL;
	size_t len = 0;
	FILE *out;

	*key = NULL;
	if (place.len == 0) {
		size_t slashes = 0;

		place = finding->subject;
		for (size_t i = 0; i < place.len; i++) {
			slashes += place.data[i] == '/' ? 1 : 0;
			if (slashes == 3) {
				place.len = i;
			}
		}
	}
	if (fold_names(change->hosts, change->host_count, &hosts, err) < 0) {
		return -1;
	}
	out = open_memstream(key, &len);
	if (out) {
		(void)line_hosts(out, hosts, change->host_count);
		(void)fputs("  ", out);
		(void)print_bytes(out, place);
		(void)fprintf(out, "  %s", rule_name(finding->rule));
		(void)fclose(out);
	}
	free(hosts);
	return out && *key ? 0 : error_set(err, ERROR_NOMEM, 0, "out of memory");
}

/* Whether the change's line is to be printed; otherwise it is counted in its bunch. */
static int take_turn(struct groups *bunches, const struct change *change, bool *is_shown,
		     struct error *err)
{
	uint64_t amount = 0;
	char *key = NULL;
	int status = -1;

	if (bunch_key(change, &key, err) == 0 &&
	    groups_count(bunches, key, (int)change->finding->rule, &amount, err) == 0) {
		*is_shown = amount <= BUNCH_SHOWN;
		status = 0;
	}
	free(key);
	return status;
}

static void print_bunches(FILE *out, struct groups *bunches)
{
	char count[PRINT_NUMBER_ROOM];
	const struct group *group;
	bool any = false;

	groups_sort(bunches);
	for (size_t i = 0; (group = groups_at(bunches, i)); i++) {
		if (group->amount > BUNCH_SHOWN) {
			(void)fprintf(out, "  ... and %s more like these: %s\n",
				      print_count(group->amount - BUNCH_SHOWN, count), group->key);
			any = true;
		}
	}
	if (any) {
		(void)fputs("  (--all shows every one)\n", out);
	}
}

static int print_rows(struct text *text, const struct writer_context *context,
		      enum finding_state state, const char *title, struct groups *bunches,
		      struct error *err)
{
	const struct report_options *options = context->options;
	struct line_widths widths = {0};
	const struct change *change;
	size_t explained = 0;
	bool is_first = true;

	for (size_t i = 0; (change = changes_at(text->changes, i)); i++) {
		if (belongs(change, state, options) && line_measure(change, &widths, err) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; (change = changes_at(text->changes, i)); i++) {
		bool is_shown = true;

		if (!belongs(change, state, options)) {
			continue;
		}
		if (!options->all && take_turn(bunches, change, &is_shown, err) < 0) {
			return -1;
		}
		if (state == FINDING_EXPLAINED && !options->all && !options->explained) {
			is_shown = is_shown && explained++ < EXPLAINED_SHOWN;
		}
		if (is_first) {
			(void)fprintf(options->out, "\n%s:\n", title);
			is_first = false;
		}
		if (is_shown && line_change(options->out, change, &widths, options->color,
					    options->verbose > 0, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int print_section(struct text *text, const struct writer_context *context,
			 enum finding_state state, const char *title, struct error *err)
{
	struct groups *bunches = NULL;
	int status = -1;

	if (groups_new(&bunches, err) == 0 &&
	    print_rows(text, context, state, title, bunches, err) == 0) {
		print_bunches(context->options->out, bunches);
		status = 0;
	}
	groups_free(bunches);
	return status;
}

static void print_hidden(struct text *text, const struct writer_context *context)
{
	const struct report_tally *tally = context->tally;
	const struct report_options *options = context->options;
	const struct change *change;
	size_t informational = 0;

	for (size_t i = 0; (change = changes_at(text->changes, i)); i++) {
		informational += change->finding->state <= FINDING_OPEN &&
				 change->finding->severity == SEVERITY_INFO;
	}
	if (!options->all && tally->acknowledged + tally->explained + tally->resolved > 0) {
		(void)fprintf(options->out,
			      "\n%zu acknowledged, %zu explained, %zu resolved (--all shows "
			      "them).\n",
			      tally->acknowledged, tally->explained, tally->resolved);
	}
	if (!options->all && !options->verbose && informational > 0) {
		(void)fprintf(options->out, "\n%zu for information (-v shows them).\n",
			      informational);
	}
}

/* A command as it can be pasted, and what it is for. */
static void print_command(const struct writer_context *context, const char *verb, const char *id,
			  const char *rest, const char *why)
{
	const char *options = strcmp(verb, "show") == 0 ? context->options->look_options
							: context->options->decide_options;
	int len;

	len = fprintf(context->options->out, "  muster %s %.8s%s%s", verb, id, rest,
		      options ? options : "");
	(void)fprintf(context->options->out, "%*s  %s\n", len > 0 && len < 50 ? 50 - len : 0, "",
		      why);
}

static void print_next(struct text *text, const struct writer_context *context)
{
	const struct change *change;

	if (context->options->quiet) {
		return;
	}
	for (size_t i = 0; (change = changes_at(text->changes, i)); i++) {
		const struct finding *found = change->finding;

		if (found->state > FINDING_OPEN || found->severity == SEVERITY_INFO) {
			continue;
		}
		(void)fputs("\nNext:\n", context->options->out);
		print_command(context, "show", found->id, "", "what it was, what it is");
		if (rule_can_be_accepted(found->rule)) {
			print_command(context, "accept", found->id, "",
				      "it is right: make it the baseline");
		}
		print_command(context, "ack", found->id, " --reason TEXT --until 30d",
			      "it is known: set it aside");
		return;
	}
}

static int run_end(void *state, const struct writer_context *context, struct error *err)
{
	struct text *text = state;

	changes_sort(text->changes);
	print_verdict(text, context);
	print_seen(context);
	print_run(context);
	print_witnesses(context);
	print_unproved(context);
	if (print_coverage(text, context, err) < 0 ||
	    print_section(text, context, FINDING_NEW, "New", err) < 0 ||
	    print_section(text, context, FINDING_OPEN, "Still open", err) < 0) {
		return -1;
	}
	if (print_section(text, context, FINDING_EXPLAINED, "Explained, nothing to do", err) < 0) {
		return -1;
	}
	if (context->options->all &&
	    (print_section(text, context, FINDING_ACKNOWLEDGED, "Acknowledged", err) < 0 ||
	     print_section(text, context, FINDING_RESOLVED, "Resolved", err) < 0)) {
		return -1;
	}
	if (!context->options->all && aside_print(context->options->out, text->changes, err) < 0) {
		return -1;
	}
	print_hidden(text, context);
	print_next(text, context);
	return 0;
}

const struct writer writer_text = {
	.name = "text",
	.make = make,
	.free = free_text,
	.run_start = run_start,
	.host = host,
	.finding = finding,
	.run_end = run_end,
};
