// SPDX-License-Identifier: MIT
#ifndef TESTS_INTEGRATION_FAULT_CALLS_H
#define TESTS_INTEGRATION_FAULT_CALLS_H

/*
 * Calls of the C library that fail where they are told to. A program that links this (with its symbols
 * exported) has these before those of libc and the sanitizer's, for itself and for every library it
 * uses. Counted while armed only, over all threads. See check_faults.c for what is left alone.
 *
 * A site is a call by way of one stack: the return addresses from the call up to where faults were armed, or
 * to a thread's start. Ours is a site's innermost address within the program itself (libraries are skipped).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_ALLOCATION, /* malloc, calloc, realloc and what is made of them */
	FAULT_READ,       /* read, pread, readv: EIO */
	FAULT_WRITE,      /* write, pwrite, writev: ENOSPC */
	FAULT_SYNC,       /* fsync, fdatasync: EIO */
	FAULT_KINDS
};

const char *fault_kind_name(enum fault_kind kind);

#define FAULT_SITES 65536
#define FAULT_DEPTH 128

struct fault_site {
	uint64_t stack;
	uint64_t ours;
	long first; /* the call that was first to come this way, from 1 */
};

/* Memory that forked children share: what became of it is told after their death as well. */
struct fault_report {
	atomic_long count;
	atomic_long failed;
	bool learns;          /* keeps the sites of all calls, in the order in which they came */
	uint64_t failed_site; /* the stack of the call that failed, and its addresses */
	int failed_depth;
	void *failed_at[FAULT_DEPTH];
	long site_count;
	struct fault_site site[FAULT_SITES];
};
struct fault_report *fault_report_new(void);
void fault_report_to(struct fault_report *report);

/* The `at`-th call from now fails; 0: none does, they are counted. */
void fault_arm(enum fault_kind kind, long at);
/* The first call by way of this stack fails. Slow: the stack of each call is read. */
void fault_arm_site(enum fault_kind kind, uint64_t stack);
void fault_disarm(void);

#endif
