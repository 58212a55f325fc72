// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_CMD_TELL_H
#define MUSTER_CONTROLLER_CMD_TELL_H

/*
 * What the database knows of hosts, told to a report: the reading half of check, for status and show.
 */

#include "controller/cmd/ack_book.h"
#include "controller/cmd/call.h"
#include "controller/report/report.h"
#include "controller/store/store.h"

struct tell {
	struct store *store;
	struct report *report;
	int64_t run;            /* 0: the latest look at each host */
	bool is_latest;         /* no other run is newer than `run` */
	struct nodeset *hosts;  /* only these; NULL: all that are known */
	struct nodeset *wanted; /* told as not-asked where they were never looked at; NULL: none */
	struct ack_book acks;   /* .call set; cleared by tell_hosts */
	bool with_resolved;
	bool with_coverage;
	bool settled; /* only what tell_is_settled; tell_rest tells the others */
	size_t told;  /* hosts, set by tell_hosts */
};

int tell_hosts(struct tell *tell, struct error *err) MUST_CHECK;

/*
 * Whether a host's own result has the last word on this finding of its. It has not on what comes of
 * comparing hosts, which is settled when all were looked at, nor where the host was not looked at whole:
 * what was open there stays open, and only the store knows of it.
 */
bool tell_is_settled(enum outcome outcome, enum rule rule);

/* The end of a run: all that no host's own result settled. */
int tell_rest(struct tell *tell, const struct store_run *run, struct error *err) MUST_CHECK;

#endif
