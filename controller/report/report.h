// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_REPORT_REPORT_H
#define MUSTER_CONTROLLER_REPORT_REPORT_H

/*
 * What a run, or the latest look at each host, came to, in one of several formats: one small writer
 * behind all of them (writer.h). Calls come in this order: run_start; then for each host `host` and
 * its findings, which may come in several goes; run_end. Counts while it goes, so that exit code and
 * verdict are the same in every format. Every byte of a host is escaped on its way out. NDJSON is
 * written as it comes; text folds changes over hosts and is written at the end. One report may have
 * several outputs, each in a format of its own: what they say comes from the same calls.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "controller/judge/finding.h"
#include "controller/judge/judge.h"
#include "controller/judge/observation.h"
#include "controller/store/store.h"
#include "schema/error.h"
#include "schema/outcome.h"

struct report;

/*
 * text and ndjson as documented; rundeck: a job's log (docs/rundeck.md); prom: metrics in Prometheus'
 * text format, for node_exporter's textfile collector; journal: records of what is new, to systemd's
 * journal or syslog, without a file.
 */
enum report_format {
	REPORT_TEXT,
	REPORT_NDJSON,
	REPORT_RUNDECK,
	REPORT_PROM,
	REPORT_JOURNAL,
	REPORT_FORMATS
};
/* "text", "ndjson" ...; NULL behind the last. */
const char *report_format_name(enum report_format format);

#define REPORT_FAIL_NEVER (SEVERITY_CRITICAL + 1)

struct report_options {
	enum report_format format;
	FILE *out;
	bool color;
	bool quiet;              /* no advice */
	bool all;                /* also resolved, explained, acknowledged */
	bool explained;          /* every explained change, not only the most frequent */
	unsigned verbose;        /* 1: more of each finding and host */
	unsigned fail_on;        /* enum severity, or REPORT_FAIL_NEVER */
	unsigned max_incomplete; /* hosts in a hundred that may be left out */
	/* What advised commands need to be given again: show; NULL: nothing. */
	const char *look_options;
	const char *decide_options; /* likewise, accept and ack */
	const char *reach_options;  /* likewise, to reach hosts */
	const char *journal_socket; /* NULL: systemd's, and syslog where it is not there */
	bool is_run;                /* false: the latest look at each host, without a run */
};

/* One host. Borrowed during the call. */
struct report_host {
	const char *name;
	enum outcome outcome;
	const char *reason; /* escaped, may be "" */
	const char *
		transport; /* who spoke with it: "libssh2", "ssh (ProxyCommand)"; NULL or "": nobody */
	const struct judge_counts *counts;    /* NULL where it was not looked at */
	const struct coverage_item *coverage; /* raw; may be NULL */
	size_t coverage_count;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t probe_bytes;
	int64_t wall_ms;          /* 0: not known */
	int64_t finished_s;       /* 0: now */
	int64_t oldest_content_s; /* 0: not known */
	bool has_last_complete;
	int64_t last_complete_s; /* when it was looked at whole before; 0: never */
};

struct report_finding {
	const char *host;
	const struct finding *finding;
	int64_t first_seen_s;   /* 0: not known */
	const char *ack;        /* id, or "" */
	const char *ack_reason; /* raw; NULL or "": not known */
	int64_t ack_until_s;    /* 0: not known */
};

/* Kept while the report is made. */
struct report_tally {
	size_t hosts;
	size_t by_outcome[OUTCOMES];
	size_t looked;                      /* clean, findings */
	size_t last_day, last_week;         /* of the others: looked at whole so lately, */
	size_t long_ago, never;             /* or not; where it is known */
	size_t hosts_open;                  /* with something open at fail_on or above */
	size_t open[SEVERITY_CRITICAL + 1]; /* new and open, a host each */
	size_t fresh;                       /* new among them */
	size_t acknowledged, explained, resolved;
	uint64_t packages, proved, unproved, skipped;
	uint64_t packages_by_witness[WITNESS_RULE + 1];
	uint64_t files_by_witness[WITNESS_RULE + 1];
};

int report_new(struct report **report, const struct report_options *options,
	       struct error *err) MUST_CHECK;
void report_free(struct report *report);

/* Writes the same in another format too, without colour. Before report_run_start. */
int report_add(struct report *report, enum report_format format, FILE *out,
	       struct error *err) MUST_CHECK;

/* A run whose baseline was not brought up to date (run->stale) is not complete. */
int report_run_start(struct report *report, const struct store_run *run,
		     struct error *err) MUST_CHECK;
int report_host(struct report *report, const struct report_host *host,
		struct error *err) MUST_CHECK;
int report_finding(struct report *report, const struct report_finding *finding,
		   struct error *err) MUST_CHECK;
/*
 * Before run_end: what comparing hosts changed of hosts told already, and what the fleet vouches for
 * over all of them (by_witness alone, under the witness it outweighs).
 */
void report_outcome_changed(struct report *report, enum outcome from, enum outcome to);
void report_vouched(struct report *report, const struct judge_counts *vouched);
int report_run_end(struct report *report, const struct store_run *run, bool interrupted,
		   struct error *err) MUST_CHECK;

const struct report_tally *report_tally(const struct report *report);

/* What the whole came to, by the tally: also the exit code of the run. */
enum report_verdict {
	REPORT_CLEAN = 0,
	REPORT_FINDINGS = 1,
	REPORT_INCOMPLETE = 3,
};
enum report_verdict report_verdict(const struct report *report);

#endif
