// SPDX-License-Identifier: MIT
#include <string.h>

#include "controller/report/jsonl.h"
#include "controller/report/values.h"
#include "controller/report/writer.h"

/* schema/findings.schema.json describes every line; additions only. */
#define SCHEMA_VERSION 1

static int make(void **state, struct error *err)
{
	(void)err;
	*state = NULL;
	return 0;
}

static void free_nothing(void *state)
{
	(void)state;
}

static void begin(struct jsonl *json, const struct writer_context *context, const char *type)
{
	jsonl_init(json, context->options->out);
	jsonl_object(json, NULL);
	jsonl_number(json, "v", SCHEMA_VERSION);
	jsonl_string(json, "type", type);
	if (context->options->is_run) {
		jsonl_string(json, "run", context->run.name);
	} else {
		jsonl_null(json, "run");
	}
}

/* Whole lines only: whoever reads along never sees half of one. */
static int end(struct jsonl *json, struct error *err)
{
	jsonl_close(json, '}');
	if (fflush(json->out) != 0) {
		return error_set(err, ERROR_SYSTEM, 0, "standard output: cannot be written");
	}
	return 0;
}

static int run_start(void *state, const struct writer_context *context, struct error *err)
{
	const struct store_run *run = &context->run;
	struct jsonl json;

	(void)state;
	begin(&json, context, "run_start");
	jsonl_string(&json, "kind", run->kind ? run->kind : "status");
	jsonl_string(&json, "sweep", run->sweep ? run->sweep : "");
	jsonl_time(&json, "started", run->started_s);
	jsonl_string(&json, "version", run->version ? run->version : "");
	if (run->commit && *run->commit) {
		jsonl_string(&json, "baseline", run->commit);
	} else {
		jsonl_null(&json, "baseline");
	}
	jsonl_unsigned(&json, "hosts", run->hosts_asked);
	return end(&json, err);
}

/* "ssh (ProxyCommand)": who, and why where it was not the usual one. */
static void write_transport(struct jsonl *json, const char *transport)
{
	const char *blank = transport ? strchr(transport, ' ') : NULL;
	size_t len = transport ? strlen(transport) : 0;

	if (len == 0) {
		jsonl_null(json, "transport");
		return;
	}
	if (!blank || blank[1] != '(' || transport[len - 1] != ')') {
		jsonl_string(json, "transport", transport);
		return;
	}
	jsonl_bytes(json, "transport", bytes_make(transport, (size_t)(blank - transport)));
	jsonl_bytes(json, "transport_reason",
		    bytes_make(blank + 2, len - (size_t)(blank + 2 - transport) - 1));
}

static void write_coverage(struct jsonl *json, const struct report_host *host)
{
	jsonl_array(json, "coverage");
	for (size_t i = 0; host->coverage && i < host->coverage_count; i++) {
		const struct coverage_item *item = &host->coverage[i];

		jsonl_object(json, NULL);
		jsonl_bytes(json, "check", item->check);
		jsonl_bytes(json, "subject", item->subject);
		jsonl_string(json, "state", values_coverage_name(item->state));
		jsonl_bytes(json, "reason", item->reason);
		jsonl_unsigned(json, "count", item->count);
		jsonl_close(json, '}');
	}
	jsonl_close(json, ']');
}

static void write_by_witness(struct jsonl *json, const char *key, const uint64_t *count)
{
	jsonl_object(json, key);
	for (unsigned w = 0; w <= WITNESS_RULE; w++) {
		if (count[w] > 0) {
			jsonl_unsigned(json, witness_name((enum witness)w), count[w]);
		}
	}
	jsonl_close(json, '}');
}

static void write_witnesses(struct jsonl *json, const uint64_t *packages, const uint64_t *files)
{
	jsonl_object(json, "witnesses");
	write_by_witness(json, "packages", packages);
	write_by_witness(json, "files", files);
	jsonl_close(json, '}');
}

static void write_host_witnesses(struct jsonl *json, const struct judge_counts *counts)
{
	uint64_t packages[WITNESS_RULE + 1], files[WITNESS_RULE + 1];

	for (unsigned w = 0; w <= WITNESS_RULE; w++) {
		packages[w] = counts->packages_by_witness[w];
		files[w] = counts->files_by_witness[w];
	}
	write_witnesses(json, packages, files);
}

static int host(void *state, const struct writer_context *context, const struct report_host *host,
		struct error *err)
{
	const struct judge_counts *counts = host->counts;
	struct jsonl json;

	(void)state;
	begin(&json, context, "host");
	jsonl_string(&json, "host", host->name);
	jsonl_string(&json, "state", outcome_name(host->outcome));
	jsonl_string(&json, "reason", host->reason ? host->reason : "");
	jsonl_string(&json, "advice", outcome_advice(host->outcome));
	write_transport(&json, host->transport);
	if (counts) {
		jsonl_object(&json, "files");
		jsonl_unsigned(&json, "proved", counts->files_proved);
		jsonl_unsigned(&json, "unproved", counts->files_unproved);
		jsonl_unsigned(&json, "skipped", counts->files_skipped);
		jsonl_close(&json, '}');
		jsonl_unsigned(&json, "packages", counts->packages);
		write_host_witnesses(&json, counts);
	} else {
		jsonl_null(&json, "files");
		jsonl_null(&json, "packages");
		jsonl_null(&json, "witnesses");
	}
	write_coverage(&json, host);
	jsonl_object(&json, "bytes");
	jsonl_unsigned(&json, "sent", host->sent_bytes);
	jsonl_unsigned(&json, "received", host->received_bytes);
	jsonl_unsigned(&json, "probe", host->probe_bytes);
	jsonl_close(&json, '}');
	jsonl_number(&json, "ms", host->wall_ms);
	jsonl_time(&json, "finished", host->finished_s);
	jsonl_time(&json, "oldest_content", host->oldest_content_s);
	if (host->has_last_complete && outcome_class(host->outcome) != OUTCOME_CLASS_LOOKED) {
		jsonl_time(&json, "last_complete", host->last_complete_s);
	}
	return end(&json, err);
}

static void write_package(struct jsonl *json, struct bytes package)
{
	const uint8_t *blank = package.len ? memchr(package.data, ' ', package.len) : NULL;
	size_t name = blank ? (size_t)(blank - package.data) : package.len;

	if (package.len == 0) {
		jsonl_null(json, "pkg");
		return;
	}
	jsonl_object(json, "pkg");
	jsonl_bytes(json, "name", bytes_make(package.data, name));
	jsonl_bytes(json, "ver",
		    blank ? bytes_make(blank + 1, package.len - name - 1) : bytes_make("", 0));
	jsonl_close(json, '}');
}

static int finding(void *state, const struct writer_context *context,
		   const struct report_finding *found, struct error *err)
{
	const struct finding *f = found->finding;
	struct jsonl json;

	(void)state;
	begin(&json, context, "finding");
	jsonl_string(&json, "host", found->host);
	jsonl_string(&json, "fid", f->id);
	jsonl_string(&json, "rule", rule_name(f->rule));
	jsonl_string(&json, "sev", severity_name(f->severity));
	jsonl_string(&json, "state", finding_state_name(f->state));
	jsonl_string(&json, "change", values_change_name(f));
	jsonl_bytes(&json, "path", f->subject);
	if (jsonl_is_exact(f->subject)) {
		jsonl_null(&json, "path_b64");
	} else {
		jsonl_base64(&json, "path_b64", f->subject);
	}
	jsonl_string(&json, "attrs", f->letters);
	jsonl_string(&json, "marker", f->marker == 'c' ? "c" : "");
	jsonl_string(&json, "witness", witness_name(f->witness));
	values_write(&json, "old", f->old_value);
	values_write(&json, "new", f->new_value);
	write_package(&json, f->package);
	jsonl_bytes(&json, "detail", f->detail);
	if (found->ack && *found->ack) {
		jsonl_string(&json, "ack", found->ack);
	} else {
		jsonl_null(&json, "ack");
	}
	if (found->ack_reason && *found->ack_reason) {
		jsonl_string(&json, "ack_reason", found->ack_reason);
	}
	if (found->ack_until_s) {
		jsonl_time(&json, "ack_until", found->ack_until_s);
	}
	jsonl_time(&json, "first_seen", found->first_seen_s);
	return end(&json, err);
}

static int run_end(void *state, const struct writer_context *context, struct error *err)
{
	static const char *const verdicts[] = {[REPORT_CLEAN] = "clean",
					       [REPORT_FINDINGS] = "findings",
					       [REPORT_INCOMPLETE] = "incomplete"};
	const struct report_tally *tally = context->tally;
	struct jsonl json;

	(void)state;
	begin(&json, context, "run_end");
	jsonl_time(&json, "finished", context->run.finished_s);
	jsonl_string(&json, "verdict",
		     context->interrupted ? "interrupted" : verdicts[context->verdict]);
	if (writer_is_stale(context)) {
		jsonl_string(&json, "baseline", "stale");
		jsonl_string(&json, "baseline_why", context->run.stale);
		if (context->run.stale_made_s) {
			jsonl_time(&json, "baseline_made", context->run.stale_made_s);
		}
	}
	jsonl_object(&json, "hosts");
	for (int i = 0; i < OUTCOMES; i++) {
		if (tally->by_outcome[i] > 0) {
			jsonl_unsigned(&json, outcome_name((enum outcome)i), tally->by_outcome[i]);
		}
	}
	jsonl_close(&json, '}');
	jsonl_object(&json, "open");
	for (int i = 0; i <= SEVERITY_CRITICAL; i++) {
		jsonl_unsigned(&json, severity_name((enum severity)i), tally->open[i]);
	}
	jsonl_close(&json, '}');
	jsonl_unsigned(&json, "new", tally->fresh);
	jsonl_unsigned(&json, "acknowledged", tally->acknowledged);
	jsonl_unsigned(&json, "explained", tally->explained);
	jsonl_unsigned(&json, "resolved", tally->resolved);
	jsonl_object(&json, "files");
	jsonl_unsigned(&json, "proved", tally->proved);
	jsonl_unsigned(&json, "unproved", tally->unproved);
	jsonl_unsigned(&json, "skipped", tally->skipped);
	jsonl_close(&json, '}');
	write_witnesses(&json, tally->packages_by_witness, tally->files_by_witness);
	return end(&json, err);
}

const struct writer writer_ndjson = {
	.name = "ndjson",
	.make = make,
	.free = free_nothing,
	.run_start = run_start,
	.host = host,
	.finding = finding,
	.run_end = run_end,
};
