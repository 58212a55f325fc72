// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_ERROR_H
#define MUSTER_SCHEMA_ERROR_H

/*
 * How a fallible function of the controller says what went wrong: a caller-owned record of fixed
 * size that never allocates. The kind says what the caller should do about it. Set once where the
 * fault is detected; callers may only put context in front.
 */

#include <stddef.h>

#define ERROR_MSG_SIZE 512

enum error_kind {
	ERROR_NONE = 0,
	ERROR_CONFIG,  /* the operator mends it: usage, configuration, baseline */
	ERROR_NET,     /* worth a retry */
	ERROR_AUTH,    /* the host refused us: report */
	ERROR_HOSTKEY, /* not the host we know: alarm */
	ERROR_PEER,    /* the probe or the host broke the protocol: a finding */
	ERROR_LIMIT,   /* one host is more than one may be: its own outcome */
	ERROR_STORE,   /* stop the run: results cannot be kept */
	ERROR_NOMEM,
	ERROR_SYSTEM, /* a system call of the controller's own failed */
};

struct error {
	enum error_kind kind;
	int os_errno; /* 0 where no system call is behind it */
	char msg[ERROR_MSG_SIZE];
};

#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * Sets *err (which may be NULL) from a printf format and returns -1, so that a failing function may
 * end in `return error_set(...)`. Host bytes go in only through escape_text.
 */
int error_set(struct error *err, enum error_kind kind, int os_errno, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the message; kind and errno stay. Returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "config", "net" ...: for logs and tests. */
const char *error_kind_name(enum error_kind kind);

#ifdef __clang_analyzer__
/* It does not look into variadic functions: tell it what they return. */
#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -1)
#endif

#endif
