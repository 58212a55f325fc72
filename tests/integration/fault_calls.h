// SPDX-License-Identifier: MIT
#ifndef TESTS_INTEGRATION_FAULT_CALLS_H
#define TESTS_INTEGRATION_FAULT_CALLS_H

/*
 * Calls of the C library that fail where they are told to. A program that links this (with its symbols
 * exported) has these before those of libc and the sanitizer's, for itself and for every library it
 * uses. Counted while armed only, over all threads. See check_faults.c for what is left alone.
 */

#include <stdatomic.h>
#include <stdbool.h>

enum fault_kind {
	FAULT_ALLOCATION, /* malloc, calloc, realloc and what is made of them */
	FAULT_READ,       /* read, pread, readv: EIO */
	FAULT_WRITE,      /* write, pwrite, writev: ENOSPC */
	FAULT_SYNC,       /* fsync, fdatasync: EIO */
	FAULT_KINDS
};

const char *fault_kind_name(enum fault_kind kind);

/* Memory that forked children share: what became of it is told after their death as well. */
struct fault_report {
	atomic_long count;
	atomic_long failed;
	bool traces; /* says on standard error where it failed */
};
struct fault_report *fault_report_new(void);
void fault_report_to(struct fault_report *report);

/* The `at`-th call from now fails; 0: none does, they are counted. */
void fault_arm(enum fault_kind kind, long at);
void fault_disarm(void);

#endif
