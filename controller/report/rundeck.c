// SPDX-License-Identifier: MIT
/*
 * The log of a Rundeck job: docs/rundeck.md has the format. Rundeck reads its own markers at the
 * start of a line; no host may write one. So whatever comes from a host stands behind a prefix, or in
 * a string of JSON, and the word that all markers have is escaped in it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/fold.h"
#include "controller/report/changes.h"
#include "controller/report/jsonl.h"
#include "controller/report/print.h"
#include "controller/report/writer.h"

#define PREFIX "muster| "
#define MARKER "RUNDECK"
#define ROWS_MAX 200
#define HOSTS_SHOWN 200 /* bytes of a folded list in the table */

struct rundeck {
	void *text; /* the text writer's */
	struct changes *changes;
};

static void free_rundeck(void *state)
{
	struct rundeck *rundeck = state;

	if (rundeck->text) {
		writer_text.free(rundeck->text);
	}
	changes_free(rundeck->changes);
	free(rundeck);
}

static int make(void **state, struct error *err)
{
	struct rundeck *rundeck = calloc(1, sizeof(*rundeck));

	*state = NULL;
	if (!rundeck) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	if (writer_text.make(&rundeck->text, err) < 0 || changes_new(&rundeck->changes, err) < 0) {
		free_rundeck(rundeck);
		return -1;
	}
	*state = rundeck;
	return 0;
}

static int run_start(void *state, const struct writer_context *context, struct error *err)
{
	struct rundeck *rundeck = state;

	return writer_text.run_start(rundeck->text, context, err);
}

static int host(void *state, const struct writer_context *context, const struct report_host *host,
		struct error *err)
{
	struct rundeck *rundeck = state;

	return writer_text.host(rundeck->text, context, host, err);
}

static int finding(void *state, const struct writer_context *context,
		   const struct report_finding *found, struct error *err)
{
	struct rundeck *rundeck = state;

	if (writer_text.finding(rundeck->text, context, found, err) < 0) {
		return -1;
	}
	return found->finding->state > FINDING_OPEN || found->finding->severity == SEVERITY_INFO
		       ? 0
		       : changes_add(rundeck->changes, found->host, found->finding,
				     found->first_seen_s, NULL, err);
}

/* The marker's word with its first letter as \122, which the escaping of all reports undoes. */
static void print_line(FILE *out, const char *line, size_t len, const char *letter)
{
	while (len > 0) {
		const char *marker = memmem(line, len, MARKER, strlen(MARKER));
		size_t before = marker ? (size_t)(marker - line) : len;

		(void)fwrite(line, 1, before, out);
		line += before;
		len -= before;
		if (marker) {
			(void)fputs(letter, out);
			line++;
			len--;
		}
	}
	(void)fputc('\n', out);
}

/* The text report, each line behind the prefix. */
static int print_text(struct rundeck *rundeck, const struct writer_context *context,
		      struct error *err)
{
	struct report_options options = *context->options;
	struct writer_context inner = *context;
	FILE *out = context->options->out;
	char *text = NULL;
	size_t len = 0;
	int status;

	options.out = open_memstream(&text, &len);
	options.color = false;
	inner.options = &options;
	if (!options.out) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	status = writer_text.run_end(rundeck->text, &inner, err);
	(void)fclose(options.out);
	for (const char *line = text; status == 0 && line && *line;) {
		size_t end = strcspn(line, "\n");

		(void)fputs(PREFIX, out);
		print_line(out, line, end, "\\122");
		line += end + (line[end] ? 1 : 0);
	}
	free(text);
	return status;
}

static const char *verdict_name(const struct writer_context *context)
{
	switch (context->verdict) {
	case REPORT_CLEAN:
		return "clean";
	case REPORT_FINDINGS:
		return "findings";
	case REPORT_INCOMPLETE:
		return "incomplete";
	}
	return "unknown";
}

static size_t in_class(const struct report_tally *tally, enum outcome_class class)
{
	size_t count = 0;

	for (int i = 0; i < OUTCOMES; i++) {
		count += outcome_class((enum outcome)i) == class ? tally->by_outcome[i] : 0;
	}
	return count;
}

/* Numbers and words of our own: nothing of a host stands here. */
static void print_verdict(const struct writer_context *context)
{
	const struct report_tally *tally = context->tally;
	FILE *out = context->options->out;

	(void)fprintf(out,
		      "#BEGIN:" MARKER ":DATATYPE:text/x-markdown\n"
		      "**%s**: %zu of %zu hosts looked at whole, %zu new findings, %zu critical, "
		      "%zu high, %zu medium open\n"
		      "#END:" MARKER ":DATATYPE\n",
		      verdict_name(context), tally->looked, tally->hosts, tally->fresh,
		      tally->open[SEVERITY_CRITICAL], tally->open[SEVERITY_HIGH],
		      tally->open[SEVERITY_MEDIUM]);
}

/* Shown in a page's table: no markup either. */
static void write_text(struct jsonl *json, const char *key, struct bytes from)
{
	char *text = NULL, *safe = NULL;
	size_t len = 0, used = 0;
	FILE *out = open_memstream(&text, &len);

	if (out) {
		(void)print_bytes(out, from);
		(void)fclose(out);
	}
	safe = text ? malloc(4 * len + 1) : NULL;
	for (size_t i = 0; safe && i < len; i++) {
		if (text[i] == '<') {
			memcpy(safe + used, "\\074", 4);
			used += 4;
		} else {
			safe[used++] = text[i];
		}
	}
	jsonl_bytes(json, key, safe ? bytes_make(safe, used) : bytes_from_string("?"));
	free(safe);
	free(text);
}

static int write_row(struct jsonl *json, const struct change *change, struct error *err)
{
	const struct finding *finding = change->finding;
	char *hosts = NULL;
	size_t len;

	if (fold_names(change->hosts, change->host_count, &hosts, err) < 0) {
		return -1;
	}
	len = strlen(hosts);
	jsonl_object(json, NULL);
	jsonl_string(json, "severity", severity_name(finding->severity));
	jsonl_string(json, "state", finding_state_name(finding->state));
	jsonl_string(json, "rule", rule_name(finding->rule));
	jsonl_string(json, "attrs", finding->letters);
	write_text(json, "path", finding->subject);
	write_text(json, "hosts", bytes_make(hosts, len > HOSTS_SHOWN ? HOSTS_SHOWN : len));
	jsonl_unsigned(json, "count", change->host_count);
	jsonl_string(json, "finding", finding->id);
	jsonl_close(json, '}');
	free(hosts);
	return 0;
}

/* A JSON list of objects with the same keys: Rundeck makes a table of it. */
static int print_table(struct rundeck *rundeck, const struct writer_context *context,
		       struct error *err)
{
	FILE *out = context->options->out, *to;
	const struct change *change;
	struct jsonl json;
	char *text = NULL;
	size_t len = 0;
	int status = 0;

	if (changes_count(rundeck->changes) == 0) {
		return 0;
	}
	to = open_memstream(&text, &len);
	if (!to) {
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	changes_sort(rundeck->changes);
	jsonl_init(&json, to);
	jsonl_array(&json, NULL);
	for (size_t i = 0;
	     status == 0 && i < ROWS_MAX && (change = changes_at(rundeck->changes, i)); i++) {
		status = write_row(&json, change, err);
	}
	jsonl_close(&json, ']');
	(void)fclose(to);
	if (status == 0 && text) {
		(void)fputs("#BEGIN:" MARKER ":DATATYPE:application/json\n", out);
		print_line(out, text, strcspn(text, "\n"), "\\u0052");
		(void)fputs("#END:" MARKER ":DATATYPE\n", out);
	}
	free(text);
	return status;
}

static void print_number(FILE *out, const char *key, uint64_t number)
{
	(void)fprintf(out, MARKER ":DATA:muster_%s=%" PRIu64 "\n", key, number);
}

static void print_data(const struct rundeck *rundeck, const struct writer_context *context)
{
	const struct report_tally *tally = context->tally;
	FILE *out = context->options->out;

	if (context->options->is_run) {
		(void)fprintf(out, MARKER ":DATA:muster_run=%s\n", context->run.name);
	}
	(void)fprintf(out, MARKER ":DATA:muster_verdict=%s\n",
		      context->interrupted ? "interrupted" : verdict_name(context));
	print_number(out, "hosts", tally->hosts);
	print_number(out, "hosts_ok", tally->by_outcome[OUTCOME_CLEAN]);
	print_number(out, "hosts_drift", tally->by_outcome[OUTCOME_FINDINGS]);
	print_number(out, "hosts_partial", tally->by_outcome[OUTCOME_PARTIAL]);
	print_number(out, "hosts_unreachable", in_class(tally, OUTCOME_CLASS_UNREACHABLE));
	print_number(out, "hosts_refused",
		     in_class(tally, OUTCOME_CLASS_REFUSED) + in_class(tally, OUTCOME_CLASS_ALARM));
	print_number(out, "hosts_not_asked", in_class(tally, OUTCOME_CLASS_NOT_ASKED));
	print_number(out, "findings_critical", tally->open[SEVERITY_CRITICAL]);
	print_number(out, "findings_high", tally->open[SEVERITY_HIGH]);
	print_number(out, "findings_medium", tally->open[SEVERITY_MEDIUM]);
	print_number(out, "findings_new", tally->fresh);
	print_number(out, "changes", changes_count(rundeck->changes));
}

static int run_end(void *state, const struct writer_context *context, struct error *err)
{
	struct rundeck *rundeck = state;

	if (print_text(rundeck, context, err) < 0) {
		return -1;
	}
	print_verdict(context);
	if (print_table(rundeck, context, err) < 0) {
		return -1;
	}
	print_data(rundeck, context);
	return 0;
}

const struct writer writer_rundeck = {
	.name = "rundeck",
	.make = make,
	.free = free_rundeck,
	.run_start = run_start,
	.host = host,
	.finding = finding,
	.run_end = run_end,
};
