// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_FILE_H
#define MUSTER_PAYLOADS_FILE_H

/*
 * Polite reading of regular files: never a device, FIFO or socket, never through a link, atimes
 * kept where the kernel lets us, the page cache left as it was (what was not in it before is dropped
 * again), no faster than the rate, no more than the budgets. The one place that reads content.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/sys.h"
#include "schema/bytes.h"
#include "schema/entry.h"

#define FILE_BUFFER_SIZE (128U * 1024)

enum file_result {
	FILE_READ = 0,
	FILE_GONE,
	FILE_DENIED,
	FILE_OTHER_TYPE, /* is no regular file any more */
	FILE_CHANGED,    /* again and again while it was read */
	FILE_ERROR,
	FILE_BUDGET_BYTES,
	FILE_BUDGET_TIME,
};

struct reader {
	struct sys *sys;
	uint64_t budget_bytes; /* 0: none */
	int64_t deadline_ns;   /* CLOCK_MONOTONIC; 0: none */
	uint64_t rate_bytes_s; /* 0: none */
	/*
	 * Called every now and then with how long it may wait, in ms: looks after the connection
	 * and does not return where that is gone. May be NULL.
	 */
	void (*pulse)(void *context, int wait_ms);
	void *context;

	uint64_t bytes; /* read so far */
	uint64_t files;
	int64_t free_ns; /* when the rate lets the next byte through */
	unsigned until_pulse;
	uint8_t buffer[FILE_BUFFER_SIZE];
};

struct file_content {
	struct digest sha256;
	uint8_t md5[MD5_SIZE]; /* where asked for */
	enum entry_magic magic;
	uint8_t head[ENTRY_HEAD_MAX]; /* the first bytes */
	size_t head_len;
	struct sys_stat st; /* of the bytes that were read */
};

void reader_init(struct reader *reader, struct sys *sys);

/* A result as coverage has it: "gone", "denied", "changed", "budget-bytes" ... */
const char *file_result_reason(enum file_result result);
/* What an errno of open or stat amounts to. */
enum file_result file_result_of(int error);

/*
 * Opens what a stat said to be a regular file, and looks whether it is one: *st is that look's. *fd
 * is the caller's to close, with FILE_READ only.
 */
enum file_result file_open(struct reader *reader, int dir_fd, const char *name, int *fd,
			   struct sys_stat *st);

/* Reads all of it; where it changes meanwhile once more. `opened` is what file_open saw. */
enum file_result file_hash(struct reader *reader, int fd, const struct sys_stat *opened, bool md5,
			   struct file_content *content);

/* The first bytes only. */
enum file_result file_peek(struct reader *reader, int fd, const struct sys_stat *opened,
			   enum entry_magic *magic);

/* Past the deadline? */
bool reader_is_late(const struct reader *reader);

#endif
