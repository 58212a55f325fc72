// SPDX-License-Identifier: MIT
/* What comes of a host when its session is over: its outcome, and that it is stored; worker's thread. */
#include <stdlib.h>
#include <string.h>

#include "controller/fleet/host_run_private.h"

/* Finishing: the worker's last job for a host. */

/* Content that was not read for longer than the policy allows makes a host partial. */
static size_t count_stale(const struct observation *seen, const struct policy *policy,
			  int64_t now_s)
{
	size_t stale = 0;

	for (size_t i = 0; policy->max_age_s > 0 && i < seen->section_count; i++) {
		stale += now_s - seen->sections[i].read_s >= policy->max_age_s;
	}
	return stale;
}

int64_t host_oldest_content(const struct host_run *host)
{
	const struct observation *seen = conversation_observation(host->conversation);
	int64_t oldest = INT64_MAX;

	if (host->is_same) {
		return host->foreseen.oldest_s < host->started_s ? host->foreseen.oldest_s
								 : host->started_s;
	}
	for (size_t i = 0; i < seen->section_count; i++) {
		oldest = seen->sections[i].read_s < oldest ? seen->sections[i].read_s : oldest;
	}
	return oldest == INT64_MAX ? 0 : oldest;
}

static enum outcome outcome_of(const struct host_run *host, const struct observation *seen,
			       char *reason, size_t room)
{
	size_t stale = host->is_same
			       ? host->foreseen.stale
			       : count_stale(seen, host_policy(host_config(host)), host->started_s);

	if (judge_is_partial(seen, &host->counts, reason, room)) {
		return OUTCOME_PARTIAL;
	}
	if (stale > 0) {
		(void)snprintf(reason, room, "stale: %zu sections not read within max_age", stale);
		return OUTCOME_PARTIAL;
	}
	for (size_t i = 0; i < host->findings.count; i++) {
		const struct finding *f = &host->findings.item[i];

		if (f->severity > SEVERITY_INFO && f->state != FINDING_ACKNOWLEDGED &&
		    f->state != FINDING_EXPLAINED) {
			return OUTCOME_FINDINGS;
		}
	}
	return OUTCOME_CLEAN;
}

/* A host that broke the protocol or changed its key is a finding even though nothing was read. */
static int judge_unseen(struct host_run *host, struct error *err)
{
	struct finding finding = {
		.witness = WITNESS_RULE,
		.marker = ' ',
		.subject = bytes_from_string(outcome_name(host->outcome)),
		.detail = bytes_from_string(host->reason),
	};

	if (host->outcome == OUTCOME_KEY_MISMATCH) {
		finding.rule = RULE_HOST_KEY;
	} else if (host->outcome == OUTCOME_PROTOCOL_ERROR || host->outcome == OUTCOME_OVER_LIMIT) {
		finding.rule = RULE_PROTOCOL;
	} else {
		return 0;
	}
	if (!rule_severity_by_policy(host_policy(host_config(host)), finding.rule,
				     &finding.severity)) {
		finding.severity = rule_severity(finding.rule);
	}
	return findings_add(&host->findings, &finding, err);
}

static int put(struct host_run *host, struct error *err)
{
	const struct observation *seen = host->whole ? conversation_observation(host->conversation)
						     : NULL;
	const struct store_same same = {
		.sections = host->foreseen.section_count,
		.read = host->foreseen.due,
		.read_s = host->started_s,
		.oldest_s = seen ? host_oldest_content(host) : 0,
	};
	struct store_host row = {
		.name = host->host->target.name,
		.outcome = host->outcome,
		.reason = host->reason,
		.transport = host->transport,
		.excerpt = {host->excerpt, host->excerpt_len},
		.observation = seen,
		.same = seen && host->is_same ? &same : NULL,
		.counts = seen ? &host->counts : NULL,
		.packages = seen ? host->packages : NULL,
		.verdict = host->has_verdict ? &host->verdict : NULL,
		.is_reused = seen && host->is_reused,
		.findings = &host->findings,
		.sent_bytes = host->sent_bytes,
		.received_bytes = host->received_bytes,
		.probe_bytes = host->probe_bytes,
		.started_s = host->started_s,
		.finished_s = host->finished_s,
	};
	const char **acks = NULL;
	struct digest stat_root;
	bool has_stat_root = false;
	int result = -1;

	/* What did not change is kept with its own. */
	if (seen && !host->is_same) {
		if (conversation_stat_root(seen, &stat_root, &has_stat_root, err) != 0) {
			return -1;
		}
		row.stat_root = has_stat_root ? &stat_root : NULL;
	}
	host->first_seen_s = calloc(host->findings.count + 1, sizeof(*host->first_seen_s));
	acks = calloc(host->findings.count + 1, sizeof(*acks));
	if (!host->first_seen_s || !acks) {
		(void)error_set(err, ERROR_NOMEM, 0, "no memory to store a host");
		goto out;
	}
	for (size_t i = 0; host->acks && i < host->findings.count; i++) {
		acks[i] = host->acks[i] ? host->acks[i]->id : "";
	}
	row.first_seen_s = host->first_seen_s;
	row.acks = acks;
	result = store_host_put(host_config(host)->store, host->shared->run, &row, err);
	host->last_complete_s = row.last_complete_s;
out:
	free(acks);
	return result;
}

static int judge_whole(struct host_run *host, struct error *err)
{
	if (host_judge(host, err) != 0) {
		return -1;
	}
	host->outcome = outcome_of(host, conversation_observation(host->conversation), host->reason,
				   sizeof(host->reason));
	return 0;
}

/* What one host did to its judging is its own outcome; nothing of it is kept. */
static void give_up(struct host_run *host, const struct error *why)
{
	findings_clear(&host->findings);
	host->counts = (struct judge_counts){0};
	host->has_verdict = host->is_reused = host->is_same = false;
	free(host->acks);
	host->acks = NULL;
	free(host->first_seen_s);
	host->first_seen_s = NULL;
	host->whole = false;
	host->outcome = why->kind == ERROR_LIMIT  ? OUTCOME_OVER_LIMIT
			: why->kind == ERROR_PEER ? OUTCOME_PROTOCOL_ERROR
						  : OUTCOME_INTERNAL;
	host->given_up = true;
	(void)snprintf(host->reason, sizeof(host->reason), "%.*s", (int)sizeof(host->reason) - 1,
		       why->msg);
}

int host_result(struct host_run *host, struct error *err)
{
	struct error why = {.kind = ERROR_NONE};

	if (host->whole && judge_whole(host, &why) != 0) {
		if (why.kind == ERROR_STORE) {
			*err = why;
			return -1;
		}
		give_up(host, &why);
	}
	if (host->whole && (put(host, &why) == 0 || why.kind == ERROR_STORE)) {
		*err = why;
		return why.kind == ERROR_NONE ? 0 : -1;
	}
	if (host->whole) {
		give_up(host, &why);
	}
	return judge_unseen(host, err) == 0 ? put(host, err) : -1;
}
