// SPDX-License-Identifier: MIT
#include "controller/cmd/tell.h"

#include <stdlib.h>
#include <string.h>

/* Coverage of one host, copied out of the query. */
struct coverage {
	struct coverage_item *item;
	size_t count, room;
	struct error *err;
};

static struct bytes copy_bytes(struct bytes from, bool *failed)
{
	uint8_t *copy = malloc(from.len ? from.len : 1);

	if (!copy) {
		*failed = true;
		return (struct bytes){0};
	}
	if (from.len > 0) {
		memcpy(copy, from.data, from.len);
	}
	return bytes_make(copy, from.len);
}

static void free_bytes(struct bytes bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

static void coverage_clear(struct coverage *coverage)
{
	for (size_t i = 0; i < coverage->count; i++) {
		free_bytes(coverage->item[i].check);
		free_bytes(coverage->item[i].subject);
		free_bytes(coverage->item[i].reason);
	}
	free(coverage->item);
}

static int on_coverage(void *context, const struct coverage_item *item)
{
	struct coverage *coverage = context;
	struct coverage_item *copy;
	bool failed = false;

	if (coverage->count == coverage->room) {
		size_t room = coverage->room ? coverage->room * 2 : 16;
		struct coverage_item *grown = realloc(coverage->item, room * sizeof(*grown));

		if (!grown) {
			return error_set(coverage->err, ERROR_NOMEM, 0, "out of memory");
		}
		coverage->item = grown;
		coverage->room = room;
	}
	copy = &coverage->item[coverage->count++];
	*copy = *item;
	copy->check = copy_bytes(item->check, &failed);
	copy->subject = copy_bytes(item->subject, &failed);
	copy->reason = copy_bytes(item->reason, &failed);
	return failed ? error_set(coverage->err, ERROR_NOMEM, 0, "out of memory") : 0;
}

struct telling {
	struct tell *tell;
	enum outcome outcome; /* of the host at hand */
	struct error *err;
};

bool tell_is_settled(enum outcome outcome, enum rule rule)
{
	return outcome_class(outcome) == OUTCOME_CLASS_LOOKED && !rule_is_of_fleet(rule);
}

static int on_finding(void *context, const struct store_finding_row *row)
{
	struct telling *telling = context;
	const struct ack *ack;
	struct report_finding finding = {.host = row->host,
					 .finding = row->finding,
					 .first_seen_s = row->first_seen_s,
					 .ack = row->ack};

	if (telling->tell->settled && !tell_is_settled(telling->outcome, row->finding->rule)) {
		return 0;
	}
	ack = ack_book_find(&telling->tell->acks, row->ack);
	if (ack) {
		finding.ack_reason = ack->reason;
		finding.ack_until_s = ack->until_s;
	}
	return report_finding(telling->tell->report, &finding, telling->err);
}

static int on_host(void *context, const struct store_host_row *row)
{
	struct telling *telling = context;
	struct tell *tell = telling->tell;
	struct coverage coverage = {.err = telling->err};
	struct store_finding_query query = {.host = row->name,
					    .run = tell->run,
					    .with_resolved = tell->with_resolved,
					    .with_explained = true,
					    .at_least = SEVERITY_INFO};
	struct report_host host = {
		.name = row->name,
		.outcome = row->outcome,
		.reason = row->reason,
		.transport = row->transport,
		.sent_bytes = row->sent_bytes,
		.received_bytes = row->received_bytes,
		.probe_bytes = row->probe_bytes,
		.finished_s = row->finished_s,
		.oldest_content_s = row->oldest_content_s,
		/* The store knows of today; what was at an older run is not asked. */
		.has_last_complete = tell->run == 0 || tell->is_latest,
		.last_complete_s = row->last_complete_s,
	};
	int status = -1;

	if (tell->hosts && !nodeset_has(tell->hosts, row->name)) {
		return 0;
	}
	tell->told++;
	telling->outcome = row->outcome;
	if (outcome_class(row->outcome) <= OUTCOME_CLASS_PARTIAL) {
		host.counts = &row->counts;
	}
	if ((tell->with_coverage || row->outcome == OUTCOME_PARTIAL) &&
	    store_coverage(tell->store, row->name, row->run, on_coverage, &coverage, telling->err) <
		    0) {
		goto out;
	}
	host.coverage = coverage.item;
	host.coverage_count = coverage.count;
	if (report_host(tell->report, &host, telling->err) == 0) {
		status = store_findings(tell->store, &query, on_finding, telling, telling->err);
	}
out:
	coverage_clear(&coverage);
	return status;
}

struct names {
	struct nodeset *set;
	struct error *err;
};

static int on_name(void *context, const struct store_host_row *row)
{
	struct names *names = context;

	/* A name that is none cannot be wanted either. */
	return nodeset_name_is_valid(row->name) ? nodeset_add(names->set, row->name, names->err)
						: 0;
}

/* Hosts that are wanted and that nobody ever looked at: silence is never clean. */
static int tell_never_asked(struct tell *tell, struct error *err)
{
	struct names names = {.err = err};
	int status = -1;

	if (nodeset_new(&names.set, err) < 0 ||
	    store_hosts(tell->store, tell->run, on_name, &names, err) < 0) {
		goto out;
	}
	for (size_t i = 0; i < nodeset_count(tell->wanted); i++) {
		const struct report_host host = {.name = nodeset_name(tell->wanted, i),
						 .outcome = OUTCOME_NOT_ASKED,
						 .reason = "never looked at",
						 .has_last_complete = true};

		if (nodeset_has(names.set, host.name)) {
			continue;
		}
		if (report_host(tell->report, &host, err) < 0) {
			goto out;
		}
	}
	status = 0;
out:
	nodeset_free(names.set);
	return status;
}

int tell_hosts(struct tell *tell, struct error *err)
{
	struct telling telling = {.tell = tell, .err = err};

	int status;

	tell->told = 0;
	status = store_hosts(tell->store, tell->run, on_host, &telling, err);
	if (status == 0 && tell->wanted) {
		status = tell_never_asked(tell, err);
	}
	ack_book_clear(&tell->acks);
	return status;
}

int tell_rest(struct tell *tell, const struct store_run *run, struct error *err)
{
	struct telling telling = {.tell = tell, .err = err};
	int status = store_findings_at_end(tell->store, run, on_finding, &telling, err);

	ack_book_clear(&tell->acks);
	return status;
}
