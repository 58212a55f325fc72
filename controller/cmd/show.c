// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cmd/open.h"
#include "controller/cmd/outputs.h"
#include "controller/cmd/show_packages.h"
#include "controller/cmd/tell.h"
#include "controller/cmd/version.h"
#include "controller/inventory/fold.h"
#include "controller/report/changes.h"
#include "controller/report/line.h"
#include "controller/report/print.h"
#include "controller/report/values.h"
#include "schema/escape.h"

#define SHOWN 100

static int tell_all(struct call *call, struct store *store, const struct store_run *run,
		    struct nodeset *hosts, bool is_run, struct error *err)
{
	struct tell tell = {.store = store,
			    .acks = {.call = call},
			    .run = is_run ? run->id : 0,
			    .hosts = hosts,
			    .with_resolved = call_has(call, OPTION_ALL),
			    .with_coverage = true};
	struct outputs *outputs = NULL;
	struct store_run latest;
	int code = -1;

	tell.is_latest = is_run && store_run_find(store, "latest", &latest, NULL) == 0 &&
			 latest.id == run->id;
	if (open_report(call, is_run, &tell.report, err) == 0 &&
	    outputs_open(call, tell.report, &outputs, err) == 0 &&
	    report_run_start(tell.report, run, err) == 0 && tell_hosts(&tell, err) == 0 &&
	    report_run_end(tell.report, run, is_run && run->finished_s == 0, err) == 0 &&
	    outputs_commit(outputs, err) == 0) {
		code = (int)report_verdict(tell.report);
	}
	report_free(tell.report);
	outputs_free(outputs);
	return code;
}

struct finder {
	const char *name;
	bool found;
	FILE *out; /* NULL: only look */
};

static void print_facts(FILE *out, const struct store_host_row *row)
{
	char time[PRINT_TIME_ROOM], number[PRINT_NUMBER_ROOM];

	(void)fputs("\nHost:\n  system    ", out);
	(void)print_escaped(out, bytes_from_string(row->os));
	(void)fputs(", Linux ", out);
	(void)print_bytes(out, row->hello.kernel);
	(void)fputs(", ", out);
	(void)print_bytes(out, row->hello.machine);
	(void)fprintf(out, "\n  rights    uid %u%s\n", row->hello.uid,
		      row->hello.uid == 0 ? " (root)" : ": what it could not read is told above");
	if (row->last_complete_s) {
		(void)fprintf(out, "  whole     last looked at whole %s\n",
			      print_time(row->last_complete_s, time));
	} else {
		(void)fputs("  whole     never looked at whole\n", out);
	}
	if (row->oldest_content_s) {
		(void)fprintf(out, "  content   oldest check of a content %s\n",
			      print_time(row->oldest_content_s, time));
	}
	if (*row->transport) {
		(void)fprintf(out, "  transport %s\n", row->transport);
	}
	(void)fprintf(out, "  session   %s received", print_size(row->received_bytes, number));
	(void)fprintf(out, ", %s sent", print_size(row->sent_bytes, number));
	(void)fprintf(out, ", %s read, ", print_size(row->end.bytes, number));
	(void)fprintf(out, "%llu ms of CPU in %llu ms, %llu KiB resident\n",
		      (unsigned long long)row->end.cpu_us / 1000,
		      (unsigned long long)row->end.wall_us / 1000,
		      (unsigned long long)row->end.peak_kib);
}

static int on_host(void *context, const struct store_host_row *row)
{
	struct finder *finder = context;

	if (strcmp(row->name, finder->name) != 0) {
		return 0;
	}
	finder->found = true;
	if (finder->out && row->hello.kernel.len > 0) {
		print_facts(finder->out, row);
	} else if (finder->out && *row->transport) {
		(void)fprintf(finder->out, "\nHost:\n  transport %s\n", row->transport);
	}
	return 1;
}

static int on_coverage(void *context, const struct coverage_item *item)
{
	FILE *out = context;
	char count[PRINT_NUMBER_ROOM];

	(void)fputs("  ", out);
	(void)print_bytes(out, item->check);
	(void)fprintf(out, "  %s", values_coverage_name(item->state));
	if (item->reason.len > 0) {
		(void)fputs(", ", out);
		(void)print_bytes(out, item->reason);
	}
	if (item->subject.len > 0) {
		(void)fputs("  ", out);
		(void)print_bytes(out, item->subject);
	}
	(void)fprintf(out, "  %s\n", print_count(item->count, count));
	return 0;
}

static int show_host(struct call *call, struct store *store, const char *name, struct error *err)
{
	const struct store_run now = {
		.kind = "show", .sweep = "", .commit = "", .version = version_text};
	struct finder finder = {.name = name, .out = call->out};
	struct nodeset *hosts = NULL;
	int code = -1, verdict;

	if (nodeset_new(&hosts, err) < 0 || nodeset_add(hosts, name, err) < 0) {
		goto out;
	}
	verdict = tell_all(call, store, &now, hosts, false, err);
	if (verdict < 0) {
		goto out;
	}
	if (open_format(call) == REPORT_TEXT) {
		if (store_hosts(store, 0, on_host, &finder, err) < 0) {
			goto out;
		}
		(void)fputs("\nChecks:\n", call->out);
		if (store_coverage(store, name, 0, on_coverage, call->out, err) < 0) {
			goto out;
		}
	}
	code = verdict;
out:
	nodeset_free(hosts);
	return code;
}

struct collecting {
	struct changes *changes;
	struct ack_book acks;
	struct error *err;
};

static int on_finding(void *context, const struct store_finding_row *row)
{
	struct collecting *collecting = context;

	const struct ack *known = ack_book_find(&collecting->acks, row->ack);
	const struct change_ack ack = {.id = row->ack,
				       .reason = known ? known->reason : "",
				       .until_s = known ? known->until_s : 0};

	return changes_add(collecting->changes, row->host, row->finding, row->first_seen_s, &ack,
			   collecting->err);
}

static void print_value(FILE *out, const char *label, struct bytes value)
{
	if (value.len > 0) {
		(void)fprintf(out, "  %-9s ", label);
		(void)print_escaped(out, value);
		(void)fputc('\n', out);
	}
}

/* What is the same of a finding on all hosts. */
static void print_finding(FILE *out, const struct finding *finding, bool color)
{
	(void)fprintf(out, "%s  ", finding->id);
	line_paint(out, color, finding->severity >= SEVERITY_HIGH ? LINE_RED : LINE_YELLOW,
		   severity_name(finding->severity));
	(void)fprintf(out, "  %s: %s\n  about     ", rule_name(finding->rule),
		      rule_title(finding->rule));
	(void)print_bytes(out, finding->subject);
	if (finding->package.len > 0) {
		(void)fputs("  (", out);
		(void)print_bytes(out, finding->package);
		(void)fputc(')', out);
	}
	(void)fputc('\n', out);
	print_value(out, "", finding->detail);
	if (finding->letters[0]) {
		(void)fprintf(out, "  differs   %s\n", finding->letters);
	}
	if (finding->old_value.len > 0 && finding->new_value.len > 0) {
		(void)fputs("  changed   ", out);
		values_print_difference(out, finding->old_value, finding->new_value);
		(void)fputc('\n', out);
	}
	print_value(out, "was", finding->old_value);
	print_value(out, "is", finding->new_value);
	(void)fprintf(out, "  judged    against %s\n", witness_name(finding->witness));
}

static int print_hosts(FILE *out, const struct change *change, struct error *err)
{
	char time[PRINT_TIME_ROOM];
	char *folded = NULL;

	if (fold_names(change->hosts, change->host_count, &folded, err) < 0) {
		return -1;
	}
	(void)fprintf(out, "  %-9s ", finding_state_name(change->finding->state));
	/* Here all of the hosts stand, however many: it is where other lines point to. */
	(void)print_bytes(out, bytes_from_string(folded));
	free(folded);
	(void)fprintf(out, " (%zu)", change->host_count);
	if (change->first_seen_s) {
		(void)fprintf(out, ", first seen %s", print_time(change->first_seen_s, time));
	}
	if (*change->ack.id) {
		(void)fputs(", ", out);
		line_ack(out, &change->ack);
	}
	(void)fputc('\n', out);
	return 0;
}

static int print_changes(struct call *call, struct changes *changes, struct error *err)
{
	const struct change *change = changes_at(changes, 0);
	const struct finding *finding = change->finding;

	print_finding(call->out, finding, call->color);
	for (size_t i = 0; (change = changes_at(changes, i)); i++) {
		if (print_hosts(call->out, change, err) < 0) {
			return -1;
		}
	}
	if (!call->quiet) {
		const char *again = again_to_decide(call, call->decide_options);

		(void)fprintf(call->out, "\nNext:\n  %s\n", rule_advice(finding->rule));
		if (rule_can_be_accepted(finding->rule)) {
			(void)fprintf(call->out,
				      "  muster accept %.8s%s        it is right: make it the "
				      "baseline\n",
				      finding->id, again);
		}
		(void)fprintf(call->out, "  muster ack %.8s --reason TEXT --until 30d%s\n",
			      finding->id, again);
	}
	return 0;
}

/* Hexadecimal and short: what a fingerprint looks like. */
static bool looks_like_finding(const char *text)
{
	size_t len = strlen(text);

	return len >= 4 && len < FINGERPRINT_SIZE && strspn(text, "0123456789abcdef") == len;
}

static int unknown_name(struct call *call, const char *name, struct error *err)
{
	char shown[SHOWN];

	call_advise(call, "muster status, for hosts and findings");
	call_advise(call, "muster show latest, for the newest run");
	return error_set(err, ERROR_CONFIG, 0, "\"%s\": no run, host or finding of that name",
			 escape_text(bytes_from_string(name), shown, sizeof(shown)));
}

/*
 * A line a host, as in a run. As text a finding is shown otherwise, so that then only the files of -o
 * are written here.
 */
static int tell_finding(struct call *call, struct changes *changes, struct error *err)
{
	const struct store_run now = {
		.kind = "show", .sweep = "", .commit = "", .version = version_text};
	FILE *out = call->out, *nowhere = NULL;
	struct outputs *outputs = NULL;
	struct report *report = NULL;
	const struct change *change;
	int status = -1;

	if (open_format(call) == REPORT_TEXT) {
		nowhere = fopen("/dev/null", "we");
		if (!nowhere) {
			return error_set(err, ERROR_SYSTEM, errno, "/dev/null: %s",
					 strerror(errno));
		}
		call->out = nowhere;
	}
	if (open_report(call, false, &report, err) < 0 ||
	    outputs_open(call, report, &outputs, err) < 0 ||
	    report_run_start(report, &now, err) < 0) {
		goto out;
	}
	for (size_t i = 0; (change = changes_at(changes, i)); i++) {
		for (size_t h = 0; h < change->host_count; h++) {
			const struct report_finding found = {.host = change->hosts[h],
							     .finding = change->finding,
							     .first_seen_s = change->first_seen_s,
							     .ack = change->ack.id,
							     .ack_reason = change->ack.reason,
							     .ack_until_s = change->ack.until_s};

			if (report_finding(report, &found, err) < 0) {
				goto out;
			}
		}
	}
	status = report_run_end(report, &now, false, err);
	if (status == 0) {
		status = outputs_commit(outputs, err);
	}
out:
	report_free(report);
	outputs_free(outputs);
	if (nowhere) {
		(void)fclose(nowhere);
		call->out = out;
	}
	return status;
}

static int show_finding(struct call *call, struct store *store, const char *id, struct error *err)
{
	struct collecting collecting = {.acks = {.call = call}, .err = err};
	const struct store_finding_query query = {
		.id = id, .with_resolved = true, .with_explained = true};
	int code = -1;

	if (changes_new(&collecting.changes, err) < 0 ||
	    (looks_like_finding(id) &&
	     store_findings(store, &query, on_finding, &collecting, err) < 0)) {
		goto out;
	}
	if (changes_count(collecting.changes) == 0) {
		(void)unknown_name(call, id, err);
		goto out;
	}
	changes_sort(collecting.changes);
	if ((open_format(call) != REPORT_TEXT || call_has(call, OPTION_OUTPUT)) &&
	    tell_finding(call, collecting.changes, err) < 0) {
		goto out;
	}
	if (open_format(call) == REPORT_TEXT && print_changes(call, collecting.changes, err) < 0) {
		goto out;
	}
	code = EXIT_CLEAN;
out:
	ack_book_clear(&collecting.acks);
	changes_free(collecting.changes);
	return code;
}

int verb_show(struct call *call, struct error *err)
{
	const char *name = call->words[0];
	struct finder finder = {.name = name};
	struct store *store = NULL;
	struct store_run run;
	int code = -1;

	if (open_store(call, STORE_READ, &store, err) < 0 ||
	    store_hosts(store, 0, on_host, &finder, err) < 0) {
		goto out;
	}
	if (call_has(call, OPTION_RPM) || call_has(call, OPTION_INSTALLED)) {
		code = call_has(call, OPTION_RPM) ? show_rpm(call, store, name, err)
						  : show_installed(call, store, name, err);
	} else if (finder.found) {
		code = show_host(call, store, name, err);
	} else if (store_run_find(store, name, &run, NULL) == 0) {
		code = tell_all(call, store, &run, NULL, true, err);
	} else {
		code = show_finding(call, store, name, err);
	}
out:
	store_close(store);
	return code;
}
