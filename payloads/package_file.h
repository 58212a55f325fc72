// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_PACKAGE_FILE_H
#define MUSTER_PAYLOADS_PACKAGE_FILE_H

/*
 * How package database readers reach files: directories resolved below a root, regular files only,
 * no symlink as the last component, nothing that can block, bounded pread into memory of the
 * caller's. Opening and reading can be replaced (struct package_file_access), so that the probe's
 * polite reader is used on hosts and plain memory in tests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "schema/bytes.h"

struct package_file_access {
	void *context;
	/* A readable descriptor of a regular file and its status, or -1 and errno. */
	int (*open)(void *context, int dir_fd, const char *name, struct stat *st);
	/* As pread(2). */
	ssize_t (*read)(void *context, int fd, void *to, size_t len, uint64_t offset);
	void (*close)(void *context, int fd);
};

/* openat with O_NOFOLLOW, O_NONBLOCK, O_NOATIME where allowed; pread; close. */
extern const struct package_file_access package_file_plain;

/* A word of [a-z-] for an errno of open or read: absent, denied, symlink, not-regular, io ... */
const char *package_file_reason(int os_errno);

/*
 * Opens the directory `path` (absolute, taken below root_fd). Symlinks on the way are followed, at
 * most eight, as if root_fd were "/". -1 and errno.
 */
int package_dir_open(int root_fd, const char *path);

/*
 * The target of a symlink: its length, or -1 and errno. Not NUL-terminated. Longer than `room`
 * gives ENAMETOOLONG.
 */
ssize_t package_link_read(int dir_fd, const char *name, char *to, size_t room);

/*
 * The names in a directory, from its first, without . and ..: the visitor may open others meanwhile,
 * and ends it with false. -1 and errno where the directory cannot be read to its end.
 */
typedef bool (*name_visitor)(void *context, const char *name);
int package_names_visit(int dir_fd, name_visitor visit, void *context);

/* What tells one version of a file from another. Absent files are all zero. */
struct package_file_stamp {
	uint64_t inode;
	uint64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
};
struct package_file_stamp package_file_stamp(int dir_fd, const char *name);
bool package_file_stamp_equal(const struct package_file_stamp *a,
			      const struct package_file_stamp *b);

/* Lines of a file, through a buffer of the caller's that bounds their length. */
struct line_reader {
	const struct package_file_access *access;
	int fd; /* -1: memory only */
	uint8_t *buffer;
	size_t room;
	size_t start;
	size_t end;
	uint64_t offset; /* of what is read next */
	uint64_t left;   /* bytes that may still be read */
	bool in_long;    /* the rest of a line that did not fit is to be skipped */
	uint32_t long_lines;
	int os_errno; /* a read failed: the walk ended early */
};

enum line_result {
	LINE_NONE, /* the end, or a failure: see os_errno */
	LINE_WHOLE,
	LINE_UNENDED, /* the last one, without a newline */
	LINE_CUT,     /* longer than the buffer: its start; the rest is skipped */
};

/* Reads from fd, at most `most` bytes. Does not close it. */
void line_reader_init(struct line_reader *reader, const struct package_file_access *access, int fd,
		      uint64_t most, uint8_t *buffer, size_t room);
/* *line is borrowed until the next call, without its newline. */
enum line_result line_reader_next(struct line_reader *reader, struct bytes *line);

#endif
