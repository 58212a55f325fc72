// SPDX-License-Identifier: MIT
#include "payloads/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "schema/message.h"

/* The C library may know these under other names, newer ones or not at all. */
#define STATX_WANTED 0x0fffU /* STATX_BASIC_STATS | STATX_BTIME */
#define STATX_GOT_BTIME 0x0800U
#define NO_AUTOMOUNT 0x800
#define RESOLVE_STRICT 0x0eU /* NO_MAGICLINKS | NO_SYMLINKS | BENEATH */
#define GETFLAGS _IOR('f', 1, long)
#define IOPRIO_IDLE (3 << 13)
#define POLICY_IDLE 5

/* linux/stat.h */
struct statx_time {
	int64_t s;
	uint32_t ns;
	int32_t reserved;
};

struct statx_answer {
	uint32_t mask;
	uint32_t blksize;
	uint64_t attributes;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t spare0;
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t spare[14];
};

/* linux/openat2.h */
struct open_how_answer {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

static long result(long value)
{
	return value < 0 ? -(long)errno : value;
}

static bool is_refused(long value)
{
	return value == -ENOSYS || value == -EPERM;
}

static long call_statx(int fd, const char *name, int flags, struct statx_answer *to)
{
	return result(syscall(SYS_statx, fd, name, flags, STATX_WANTED, to));
}

static long call_openat2(int fd, const char *path, int flags)
{
	struct open_how_answer how = {.flags = (uint64_t)(unsigned)flags,
				      .resolve = RESOLVE_STRICT};

	return result(syscall(SYS_openat2, fd, path, &how, sizeof(how)));
}

/* RWF_DONTCACHE came with 6.14 and could drop dirty pages until 6.16. */
static bool is_dontcache_sound(void)
{
	struct utsname name;
	const char *end;
	uint64_t major;
	uint64_t minor = 0;

	if (uname(&name) != 0) {
		return false;
	}
	major = sys_number(name.release, 10, &end);
	if (*end == '.') {
		minor = sys_number(end + 1, 10, &end);
	}
	return major > 6 || (major == 6 && minor >= 16);
}

void sys_init(struct sys *sys)
{
	struct statx_answer answer;
	struct iovec none = {.iov_base = NULL, .iov_len = 0};
	long fd;

	*sys = (struct sys){.has_noatime = true};
	if (is_refused(call_statx(AT_FDCWD, "/", AT_SYMLINK_NOFOLLOW, &answer))) {
		sys->missing |= MISSING_STATX;
	}
	fd = call_openat2(AT_FDCWD, ".", O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		close((int)fd);
	} else if (is_refused(fd)) {
		sys->missing |= MISSING_OPENAT2;
	}
	/* A descriptor that cannot be: EBADF tells that the call is there. */
	if (is_refused(result(syscall(SYS_preadv2, -1, &none, 1, 0, 0, 0)))) {
		sys->missing |= MISSING_PREADV2;
	} else {
		sys->has_dontcache = is_dontcache_sound();
	}
}

void sys_be_polite(struct sys *sys)
{
	const struct rlimit none = {0, 0};
	const int priority = 0;

	if (result(syscall(SYS_ioprio_set, 1, 0, IOPRIO_IDLE)) < 0) {
		sys->missing |= MISSING_IOPRIO;
	}
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_sched_setscheduler, 0, POLICY_IDLE, &priority);
	/* libc's own brings its thread synchronisation along, 1 KB of it. */
	(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL);
	(void)umask(077);
}

/* Times that do not fit are held at the ends: they only ever compare. */
static int64_t to_ns(int64_t s, int64_t ns)
{
	int64_t value;

	if (__builtin_mul_overflow(s, (int64_t)1000000000, &value) ||
	    __builtin_add_overflow(value, ns, &value)) {
		return s < 0 ? INT64_MIN : INT64_MAX;
	}
	return value;
}

static void from_statx(const struct statx_answer *from, struct sys_stat *st)
{
	st->dev = (uint64_t)from->dev_major << 32 | from->dev_minor;
	st->ino = from->ino;
	st->size = from->size;
	st->mode = from->mode;
	st->uid = from->uid;
	st->gid = from->gid;
	st->rdev_major = from->rdev_major;
	st->rdev_minor = from->rdev_minor;
	st->attributes = (uint32_t)from->attributes;
	st->attributes_mask = (uint32_t)from->attributes_mask;
	st->mtime_s = from->mtime.s;
	st->mtime_ns = to_ns(from->mtime.s, from->mtime.ns);
	st->ctime_ns = to_ns(from->ctime.s, from->ctime.ns);
	st->btime_ns = from->mask & STATX_GOT_BTIME ? to_ns(from->btime.s, from->btime.ns) : 0;
}

static void from_stat(const struct stat *from, struct sys_stat *st)
{
	st->dev = (uint64_t)major(from->st_dev) << 32 | minor(from->st_dev);
	st->ino = from->st_ino;
	st->size = (uint64_t)from->st_size;
	st->mode = from->st_mode;
	st->uid = from->st_uid;
	st->gid = from->st_gid;
	st->rdev_major = major(from->st_rdev);
	st->rdev_minor = minor(from->st_rdev);
	st->attributes = 0;
	st->attributes_mask = 0;
	st->mtime_s = from->st_mtim.tv_sec;
	st->mtime_ns = to_ns(from->st_mtim.tv_sec, from->st_mtim.tv_nsec);
	st->ctime_ns = to_ns(from->st_ctim.tv_sec, from->st_ctim.tv_nsec);
	st->btime_ns = 0;
}

int sys_stat_at(const struct sys *sys, int dir_fd, const char *name, struct sys_stat *st)
{
	const int flags = AT_SYMLINK_NOFOLLOW | NO_AUTOMOUNT;

	if (sys->missing & MISSING_STATX) {
		struct stat answer;

		if (fstatat(dir_fd, name, &answer, flags) != 0) {
			return -errno;
		}
		from_stat(&answer, st);
	} else {
		struct statx_answer answer;
		long error = call_statx(dir_fd, name, flags, &answer);

		if (error < 0) {
			return (int)error;
		}
		from_statx(&answer, st);
	}
	return 0;
}

int sys_stat_fd(const struct sys *sys, int fd, struct sys_stat *st)
{
	if (sys->missing & MISSING_STATX) {
		struct stat answer;

		if (fstat(fd, &answer) != 0) {
			return -errno;
		}
		from_stat(&answer, st);
	} else {
		struct statx_answer answer;
		long error = call_statx(fd, "", AT_EMPTY_PATH, &answer);

		if (error < 0) {
			return (int)error;
		}
		from_statx(&answer, st);
	}
	return 0;
}

/* One component; what is a link is told as one whatever O_DIRECTORY makes of it. */
static int open_component(int dir_fd, const char *name, int flags)
{
	int fd = openat(dir_fd, name, flags);
	struct stat st;

	if (fd < 0 && errno == ENOTDIR && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode)) {
		errno = ELOOP;
	}
	return fd < 0 ? -errno : fd; // cppcheck-suppress resourceLeak
}

/* The way of kernels before 5.6: each directory on the path opened by itself. */
static int open_by_component(int dir_fd, const char *path, int flags)
{
	const int inner = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char name[NAME_MAX + 1];
	int fd = dir_fd;

	for (;;) {
		size_t len = strcspn(path, "/");
		const char *rest = path + len + strspn(path + len, "/");
		int next;

		if (len > NAME_MAX || (len == 2 && path[0] == '.' && path[1] == '.')) {
			next = len > NAME_MAX ? -ENAMETOOLONG : -EXDEV;
		} else {
			memcpy(name, path, len);
			name[len] = '\0';
			next = open_component(fd, len > 0 ? name : ".", *rest ? inner : flags);
		}
		if (fd != dir_fd) {
			close(fd);
		}
		if (next < 0 || !*rest) {
			return next;
		}
		fd = next;
		path = rest;
	}
}

static int open_strict(const struct sys *sys, int dir_fd, const char *path, int flags)
{
	if (path[0] == '/') {
		return -EXDEV;
	}
	if (sys->missing & MISSING_OPENAT2) {
		return open_by_component(dir_fd, path, flags);
	}
	return (int)call_openat2(dir_fd, path[0] ? path : ".", flags);
}

int sys_open_beneath(const struct sys *sys, int dir_fd, const char *path, int flags)
{
	int fd;

	if (flags & O_PATH) {
		return open_strict(sys, dir_fd, path, flags | O_NOFOLLOW | O_CLOEXEC);
	}
	flags |= O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	if (sys->has_noatime) {
		fd = open_strict(sys, dir_fd, path, flags | O_NOATIME);
		if (fd != -EPERM) {
			return fd;
		}
	}
	return open_strict(sys, dir_fd, path, flags);
}

int sys_open_name(const struct sys *sys, int dir_fd, const char *name, int flags)
{
	int fd;

	flags |= O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	if (sys->has_noatime) {
		fd = openat(dir_fd, name, flags | O_NOATIME);
		if (fd >= 0 || errno != EPERM) {
			return fd < 0 ? -errno : fd; // cppcheck-suppress resourceLeak
		}
	}
	fd = openat(dir_fd, name, flags);
	return fd < 0 ? -errno : fd; // cppcheck-suppress resourceLeak
}

ssize_t sys_read_text(const char *path, char *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	ssize_t got = 0;

	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	while (len < room) {
		got = read(fd, to + len, room - len);
		if (got <= 0) {
			break;
		}
		len += (size_t)got;
	}
	close(fd);
	return got < 0 && len == 0 ? -EIO : (ssize_t)len;
}

/* glibc and musl differ in the type of ioctl's second argument. */
#ifdef __GLIBC__
typedef unsigned long request;
#else
typedef int request;
#endif

int sys_inode_flags(int fd, uint32_t *flags)
{
	/* The ioctl's number says long; what it writes is an int (fs/ioctl.c). */
	union {
		long room;
		uint32_t value;
	} answer = {0};

	if (ioctl(fd, (request)GETFLAGS, &answer) != 0) {
		return -errno;
	}
	*flags = answer.value;
	return 0;
}

size_t sys_decimal(uint32_t value, char to[SYS_DECIMAL_SIZE])
{
	char digits[SYS_DECIMAL_SIZE];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	for (size_t i = 0; i < count; i++) {
		to[i] = digits[count - 1 - i];
	}
	to[count] = '\0';
	return count;
}

/* Attributes of a name need a path: the directory's own link in /proc is one. */
static bool xattr_path(int dir_fd, const char *name, char *to, size_t room)
{
	static const char links[] = "/proc/self/fd/";
	size_t name_len = strlen(name);
	size_t len = 0;

	if (name_len + sizeof(links) + SYS_DECIMAL_SIZE + 1 > room) {
		return false;
	}
	if (dir_fd != AT_FDCWD) {
		memcpy(to, links, sizeof(links) - 1);
		len = sizeof(links) - 1;
		len += sys_decimal((uint32_t)dir_fd, to + len);
		to[len++] = '/';
	}
	memcpy(to + len, name, name_len + 1);
	return true;
}

ssize_t sys_xattr_list(int dir_fd, const char *name, int fd, char *to, size_t room)
{
	char path[NAME_MAX + 64];
	ssize_t len;

	if (fd >= 0) {
		len = flistxattr(fd, to, room);
	} else if (xattr_path(dir_fd, name, path, sizeof(path))) {
		len = llistxattr(path, to, room);
	} else {
		return -ENAMETOOLONG;
	}
	return len < 0 ? -errno : len;
}

ssize_t sys_xattr_get(int dir_fd, const char *name, int fd, const char *attribute, void *to,
		      size_t room)
{
	char path[NAME_MAX + 64];
	ssize_t len;

	if (fd >= 0) {
		len = fgetxattr(fd, attribute, to, room);
	} else if (xattr_path(dir_fd, name, path, sizeof(path))) {
		len = lgetxattr(path, attribute, to, room);
	} else {
		return -ENAMETOOLONG;
	}
	return len < 0 ? -errno : len;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t sys_clock_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t sys_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t sys_cpu_us(void)
{
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	return (uint64_t)use.ru_utime.tv_sec * 1000000 + (uint64_t)use.ru_utime.tv_usec +
	       (uint64_t)use.ru_stime.tv_sec * 1000000 + (uint64_t)use.ru_stime.tv_usec;
}

uint64_t sys_peak_kib(void)
{
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	return (uint64_t)use.ru_maxrss;
}

static unsigned digit_value(char c)
{
	unsigned digit = (unsigned)c - '0';
	unsigned letter = ((unsigned)c | 0x20U) - 'a';

	return digit < 10 ? digit : letter < 26 ? letter + 10 : 255;
}

uint64_t sys_number(const char *text, unsigned base, const char **end)
{
	const char *at = text;
	uint64_t number = 0;

	while (*at == ' ' || *at == '\t') {
		at++;
	}
	*end = digit_value(*at) < base ? at : text;
	for (; digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit_value(*at), &number)) {
			number = UINT64_MAX;
		}
		*end = at + 1;
	}
	return number;
}
