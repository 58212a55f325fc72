// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_FILE_H
#define MUSTER_PAYLOADS_FILE_H

/*
 * Polite reading of regular files: never a device, FIFO or socket, never through a link, atimes
 * kept where the kernel lets us, the page cache left as it was (what was not in it before is dropped
 * again), no faster than the rate, no more than the budgets. The one place that reads content. Two
 * files are hashed at a time, where the CPU does that in less time than one after the other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payloads/digest/md5.h"
#include "payloads/digest/sha256.h"
#include "payloads/sys.h"
#include "schema/bytes.h"
#include "schema/entry.h"

#define FILE_LANES 2U
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

struct file_content {
	struct digest sha256;
	uint8_t md5[MD5_SIZE]; /* where asked for */
	enum entry_magic magic;
	uint8_t head[ENTRY_HEAD_MAX]; /* the first bytes */
	size_t head_len;
	struct sys_stat st; /* of the bytes that were read */
};

/* One file on its way through the hash. Memory of the caller's, who keeps it in place until it is done. */
struct file_job {
	int fd;
	bool with_md5;
	bool is_done;
	bool is_second; /* it changed while it was read: what was asked before is of another moment */
	enum file_result result;
	struct file_content content; /* with FILE_READ */
	struct sys_stat before;
};

/* Where a file is read and hashed; the reader's own. */
struct file_lane {
	struct file_job *job; /* NULL: free */
	uint64_t at;          /* of what is read next */
	uint64_t missed_to;   /* what comes before that was not in the cache */
	bool random;          /* read-ahead is off */
	bool blind;           /* RWF_NOWAIT is not for this file */
	struct sha256 sha;
	struct md5 md5;
	const uint8_t *next; /* read and not hashed yet */
	size_t left;
	uint8_t buffer[FILE_BUFFER_SIZE];
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

	uint64_t bytes;    /* read so far */
	uint64_t promised; /* of the budget: sizes of all that was begun */
	uint64_t files;
	int64_t free_ns; /* when the rate lets the next byte through */
	unsigned until_pulse;
	struct file_lane lane[FILE_LANES];
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

/*
 * Reads all of it; where it changes meanwhile once more. `opened` is what file_open saw; the
 * descriptor stays the caller's and open until the job is done. Works on it and on another one only
 * until there is room for the next: any later call may end it, file_hash_finish does.
 */
void file_hash_begin(struct reader *reader, struct file_job *job, int fd,
		     const struct sys_stat *opened, bool with_md5);
void file_hash_finish(struct reader *reader, struct file_job *job);

/* The first bytes only. */
enum file_result file_peek(struct reader *reader, int fd, const struct sys_stat *opened,
			   enum entry_magic *magic);

/* Past the deadline? */
bool reader_is_late(const struct reader *reader);

#endif
