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
	struct nodeset *hosts;  /* only these; NULL: all that are known */
	struct nodeset *wanted; /* told as not-asked where they were never looked at; NULL: none */
	struct ack_book acks;   /* .call set; cleared by tell_hosts */
	bool with_resolved;
	bool with_coverage;
	size_t told; /* hosts, set by tell_hosts */
};

int tell_hosts(struct tell *tell, struct error *err) MUST_CHECK;

#endif
