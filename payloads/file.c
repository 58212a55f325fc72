// SPDX-License-Identifier: MIT
#include "payloads/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "payloads/digest/md5.h"
#include "payloads/digest/sha256.h"
#include "schema/message.h"

#define FLAG_NOWAIT 0x08    /* RWF_NOWAIT, linux/fs.h */
#define FLAG_DONTCACHE 0x80 /* RWF_DONTCACHE */
#define PULSE_COST 16U      /* of a file; one of a buffer */
#define PULSE_AFTER 256U
#define BURST_NS 100000000 /* of the rate limit */
#define PAGE 4096U

void reader_init(struct reader *reader, struct sys *sys)
{
	memset(reader, 0, offsetof(struct reader, buffer));
	reader->sys = sys;
	reader->until_pulse = PULSE_AFTER;
}

const char *file_result_reason(enum file_result result)
{
	static const char *const names[] = {
		[FILE_READ] = "read",
		[FILE_GONE] = "gone",
		[FILE_DENIED] = "denied",
		[FILE_OTHER_TYPE] = "changed",
		[FILE_CHANGED] = "changed",
		[FILE_ERROR] = "error",
		[FILE_BUDGET_BYTES] = "budget-bytes",
		[FILE_BUDGET_TIME] = "budget-time",
	};

	return names[result];
}

enum file_result file_result_of(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		return FILE_GONE;
	case -EACCES:
	case -EPERM:
		return FILE_DENIED;
	case -ELOOP:
	case -ENXIO:
		return FILE_OTHER_TYPE;
	default:
		return FILE_ERROR;
	}
}

bool reader_is_late(const struct reader *reader)
{
	return reader->deadline_ns != 0 && sys_monotonic_ns() > reader->deadline_ns;
}

static void pulse(struct reader *reader, unsigned cost)
{
	if (reader->until_pulse > cost) {
		reader->until_pulse -= cost;
		return;
	}
	reader->until_pulse = PULSE_AFTER;
	if (reader->pulse) {
		reader->pulse(reader->context, 0);
	}
}

/* Pays for bytes that were read: waits until the rate has caught up. */
static void pay(struct reader *reader, size_t bytes)
{
	int64_t now;

	if (reader->rate_bytes_s == 0) {
		return;
	}
	now = sys_monotonic_ns();
	if (reader->free_ns < now - BURST_NS) {
		reader->free_ns = now - BURST_NS;
	}
	reader->free_ns += (int64_t)((double)bytes * 1e9 / (double)reader->rate_bytes_s);
	while (reader->free_ns > now && !reader_is_late(reader)) {
		int64_t wait_ms = (reader->free_ns - now) / 1000000 + 1;

		wait_ms = wait_ms < 500 ? wait_ms : 500;
		if (reader->pulse) {
			reader->pulse(reader->context, (int)wait_ms);
		} else {
			usleep((useconds_t)wait_ms * 1000);
		}
		now = sys_monotonic_ns();
	}
}

enum file_result file_open(struct reader *reader, int dir_fd, const char *name, int *fd,
			   struct sys_stat *st)
{
	int opened = sys_open_name(reader->sys, dir_fd, name, O_RDONLY);

	if (opened < 0) {
		return file_result_of(opened);
	}
	if (sys_stat_fd(reader->sys, opened, st) != 0 || !S_ISREG(st->mode)) {
		close(opened);
		return FILE_OTHER_TYPE;
	}
	*fd = opened;
	return FILE_READ;
}

static ssize_t read_flagged(int fd, void *to, size_t len, uint64_t at, int flags)
{
	struct iovec part = {.iov_base = to, .iov_len = len};
	/* The kernel takes the offset in two halves; on 64 bits the second is not looked at. */
	long got = syscall(SYS_preadv2, fd, &part, 1, (long)at, (long)(at >> 16 >> 16), flags);

	return got < 0 ? -errno : got;
}

/* For kernels that cannot say so while reading: whether all of the range is in the page cache. */
static bool is_resident(int fd, size_t len, uint64_t at)
{
	unsigned char pages[FILE_BUFFER_SIZE / PAGE + 1];
	void *map;
	bool resident = true;

	if (len == 0 || len > FILE_BUFFER_SIZE || getauxval(AT_PAGESZ) < PAGE) {
		return true;
	}
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)at);
	if (map == MAP_FAILED) {
		return true;
	}
	if (mincore(map, len, pages) == 0) {
		for (size_t i = 0; i < (len + PAGE - 1) / PAGE; i++) {
			resident = resident && (pages[i] & 1) != 0;
		}
	}
	munmap(map, len);
	return resident;
}

/* What was not in the cache is read without more around it and dropped again. */
static ssize_t read_missed(struct reader *reader, int fd, size_t len, uint64_t at, bool *random)
{
	ssize_t got;

	if (!*random) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		*random = true;
	}
	got = pread(fd, reader->buffer, len, (off_t)at);
	if (got > 0) {
		(void)posix_fadvise(fd, (off_t)at, (off_t)len, POSIX_FADV_DONTNEED);
	}
	return got < 0 ? -errno : got;
}

struct cursor {
	uint64_t dev;
	uint64_t size;
	bool random; /* read-ahead is off */
	bool blind;  /* RWF_NOWAIT is not for this file */
};

static ssize_t read_some(struct reader *reader, int fd, struct cursor *cursor, uint64_t at)
{
	struct sys *sys = reader->sys;
	uint64_t left = cursor->size - at;
	size_t len = left < FILE_BUFFER_SIZE ? (size_t)left : FILE_BUFFER_SIZE;
	ssize_t got;

	if (sys->has_dontcache && sys->refused_dontcache != cursor->dev) {
		got = read_flagged(fd, reader->buffer, len, at, FLAG_DONTCACHE);
		if (got != -EOPNOTSUPP && got != -EINVAL) {
			return got;
		}
		sys->refused_dontcache = cursor->dev;
	}
	if (!(sys->missing & MISSING_PREADV2) && !cursor->blind) {
		got = read_flagged(fd, reader->buffer, len, at, FLAG_NOWAIT);
		if (got == -EAGAIN) {
			return read_missed(reader, fd, len, at, &cursor->random);
		}
		if (got != -EOPNOTSUPP && got != -EINVAL) {
			return got;
		}
		cursor->blind = true;
	}
	if (!is_resident(fd, len, at)) {
		return read_missed(reader, fd, len, at, &cursor->random);
	}
	got = pread(fd, reader->buffer, len, (off_t)at);
	return got < 0 ? -errno : got;
}

static enum entry_magic magic_of(const uint8_t *data, size_t len)
{
	if (len >= 4 && memcmp(data, "\177ELF", 4) == 0) {
		return ENTRY_MAGIC_ELF;
	}
	return len >= 2 && data[0] == '#' && data[1] == '!' ? ENTRY_MAGIC_SCRIPT : ENTRY_MAGIC_NONE;
}

static enum file_result hash_once(struct reader *reader, int fd, bool with_md5,
				  const struct sys_stat *st, struct file_content *content)
{
	struct cursor cursor = {.dev = st->dev, .size = st->size};
	struct sha256 sha;
	struct md5 md5;
	uint64_t at = 0;

	sha256_init(&sha);
	md5_init(&md5);
	content->magic = ENTRY_MAGIC_NONE;
	content->head_len = 0;
	while (at < st->size) {
		ssize_t got = read_some(reader, fd, &cursor, at);

		if (got == -EINTR) {
			continue;
		}
		if (got <= 0) {
			return got == 0 ? FILE_CHANGED : FILE_ERROR;
		}
		if (at == 0) {
			content->magic = magic_of(reader->buffer, (size_t)got);
			content->head_len = (size_t)got < ENTRY_HEAD_MAX ? (size_t)got
									 : ENTRY_HEAD_MAX;
			memcpy(content->head, reader->buffer, content->head_len);
		}
		sha256_update(&sha, reader->buffer, (size_t)got);
		if (with_md5) {
			md5_update(&md5, reader->buffer, (size_t)got);
		}
		at += (uint64_t)got;
		reader->bytes += (uint64_t)got;
		pay(reader, (size_t)got);
		pulse(reader, 1);
		if (at < st->size && reader_is_late(reader)) {
			return FILE_BUDGET_TIME;
		}
	}
	sha256_final(&sha, content->sha256.bytes);
	if (with_md5) {
		md5_final(&md5, content->md5);
	}
	return FILE_READ;
}

static bool is_same(const struct sys_stat *a, const struct sys_stat *b)
{
	return a->size == b->size && a->ctime_ns == b->ctime_ns && a->mtime_ns == b->mtime_ns &&
	       a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

enum file_result file_hash(struct reader *reader, int fd, const struct sys_stat *opened, bool md5,
			   struct file_content *content)
{
	enum file_result result = FILE_CHANGED;
	struct sys_stat before = *opened;

	pulse(reader, PULSE_COST);
	if (reader_is_late(reader)) {
		return FILE_BUDGET_TIME;
	}
	for (int tries = 0; tries < 2; tries++) {
		if (reader->budget_bytes != 0 &&
		    (reader->bytes >= reader->budget_bytes ||
		     before.size > reader->budget_bytes - reader->bytes)) {
			return FILE_BUDGET_BYTES;
		}
		result = hash_once(reader, fd, md5, &before, content);
		if (sys_stat_fd(reader->sys, fd, &content->st) != 0) {
			return FILE_ERROR;
		}
		if (result == FILE_READ && is_same(&before, &content->st)) {
			reader->files++;
			return FILE_READ;
		}
		if (result != FILE_READ && result != FILE_CHANGED) {
			return result;
		}
		before = content->st;
	}
	return FILE_CHANGED;
}

enum file_result file_peek(struct reader *reader, int fd, const struct sys_stat *opened,
			   enum entry_magic *magic)
{
	struct cursor cursor = {.dev = opened->dev, .size = opened->size < 64 ? opened->size : 64};
	ssize_t got;

	*magic = ENTRY_MAGIC_NONE;
	pulse(reader, PULSE_COST);
	if (cursor.size == 0) {
		return FILE_READ;
	}
	got = read_some(reader, fd, &cursor, 0);
	if (got < 0) {
		return FILE_ERROR;
	}
	*magic = magic_of(reader->buffer, (size_t)got);
	return FILE_READ;
}
