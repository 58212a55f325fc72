// SPDX-License-Identifier: MIT
#ifndef MUSTER_PAYLOADS_SYS_H
#define MUSTER_PAYLOADS_SYS_H

/*
 * The kernel as the probe sees it, from Linux 3.10 on: newer calls by number, each with an older
 * way to the same answer, chosen once by sys_init where the call itself is refused (ENOSYS, or
 * EPERM of a seccomp filter). Results are 0 or more, or a negative errno. Nothing here follows a
 * symbolic link unless its name says so, and nothing opens what could block.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/bytes.h"

struct sys {
	uint32_t missing;           /* enum missing_call of schema/message.h */
	bool has_dontcache;         /* RWF_DONTCACHE is there and sound */
	bool has_noatime;           /* O_NOATIME may be asked for */
	uint64_t refused_dontcache; /* device whose file system has it not */
};

/* Asks the kernel once what it has. */
void sys_init(struct sys *sys);

enum {
	SYS_COMPRESSED = 0x4, /* STATX_ATTR_*, the same bits as FS_*_FL */
	SYS_IMMUTABLE = 0x10,
	SYS_APPEND = 0x20,
	SYS_NODUMP = 0x40,
};

struct sys_stat {
	uint64_t dev; /* major << 32 | minor */
	uint64_t ino;
	uint64_t size;
	uint32_t mode; /* whole st_mode */
	uint32_t uid;
	uint32_t gid;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t attributes;      /* SYS_*, where the mask has the bit */
	uint32_t attributes_mask; /* 0 where the kernel cannot tell without an open file */
	int64_t mtime_s;
	int64_t mtime_ns; /* whole time in ns, held at the ends of the range */
	int64_t ctime_ns;
	int64_t btime_ns; /* 0: not known */
};

/* lstat of `name` below `dir_fd`; never triggers an automount. */
int sys_stat_at(const struct sys *sys, int dir_fd, const char *name, struct sys_stat *st);
int sys_stat_fd(const struct sys *sys, int fd, struct sys_stat *st);

/*
 * Opens a path relative to `dir_fd` through no symbolic link in any component (-ELOOP), nor out of
 * it. O_CLOEXEC, O_NOFOLLOW, O_NOCTTY and O_NONBLOCK are added. An empty path opens `dir_fd` anew.
 */
int sys_open_beneath(const struct sys *sys, int dir_fd, const char *path, int flags);

/* As openat of one name, with the flags above and O_NOATIME where it is granted. */
int sys_open_name(const struct sys *sys, int dir_fd, const char *name, int flags);

/*
 * Reads a text file of the system's (/proc, /etc/machine-id), links followed, regular only unless
 * under /proc: at most `room` bytes; longer ones are cut. Returns the length.
 */
ssize_t sys_read_text(const char *path, char *to, size_t room);

/* What FS_IOC_GETFLAGS says; -ENOTTY and the like where the file system has none. */
int sys_inode_flags(int fd, uint32_t *flags);

/*
 * Extended attributes: of an open file where `fd` is not -1, else of the name, links not followed.
 * -ENODATA: not there; -EOPNOTSUPP: not on this file system.
 */
ssize_t sys_xattr_list(int dir_fd, const char *name, int fd, char *to, size_t room);
ssize_t sys_xattr_get(int dir_fd, const char *name, int fd, const char *attribute, void *to,
		      size_t room);

/* Lowers I/O and CPU priority, sets limits and umask. What is refused is left as it is. */
void sys_be_polite(struct sys *sys);

/* The number in decimal and a NUL; returns its length. stdio would be a tenth of the probe. */
#define SYS_DECIMAL_SIZE 11
size_t sys_decimal(uint32_t value, char to[SYS_DECIMAL_SIZE]);

/*
 * The number at the start of a text, blanks before it passed over, and where it ends; 0 and `text`
 * where there is none. Too large a number is UINT64_MAX. Instead of strtoull, which is 3 KB.
 */
uint64_t sys_number(const char *text, unsigned base, const char **end);

int64_t sys_clock_ns(void);     /* CLOCK_REALTIME */
int64_t sys_monotonic_ns(void); /* CLOCK_MONOTONIC */
uint64_t sys_cpu_us(void);      /* user and system time of this process */
uint64_t sys_peak_kib(void);

#endif
