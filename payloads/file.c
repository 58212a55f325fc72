// SPDX-License-Identifier: MIT
#include "payloads/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "schema/message.h"

#define FLAG_NOWAIT 0x08    /* RWF_NOWAIT, linux/fs.h */
#define FLAG_DONTCACHE 0x80 /* RWF_DONTCACHE */
#define PULSE_COST 16U      /* of a file; one of a buffer */
#define PULSE_AFTER 256U
#define BURST_NS 100000000 /* of the rate limit */
#define PAGE 4096U

void reader_init(struct reader *reader, struct sys *sys)
{
	memset(reader, 0, offsetof(struct reader, lane));
	for (unsigned i = 0; i < FILE_LANES; i++) {
		reader->lane[i].job = NULL;
	}
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

/* One place to read, and what was learned about its file. */
struct spot {
	int fd;
	uint64_t dev;
	uint64_t at;
	void *to;
	size_t len;
	bool is_last; /* reaches to the end of the file */
	uint64_t *missed_to;
	bool *random;
	bool *blind;
};

/*
 * The kernel drops a piece of the cache only where all of it lies in the range (mm/fadvise.c): the
 * range is made to end with a page, and at the end of the file, where a piece of several pages may
 * reach beyond it (btrfs), to have no end.
 */
static void drop(const struct spot *spot)
{
	uint64_t page = getauxval(AT_PAGESZ);
	uint64_t end = spot->at + spot->len;

	page = page > 0 ? page : PAGE;
	end += (page - end % page) % page;
	(void)posix_fadvise(spot->fd, (off_t)spot->at, spot->is_last ? 0 : (off_t)(end - spot->at),
			    POSIX_FADV_DONTNEED);
}

/* What was not in the cache is read without more around it and dropped again. */
static ssize_t read_missed(const struct spot *spot)
{
	ssize_t got = pread(spot->fd, spot->to, spot->len, (off_t)spot->at);
	if (got > 0) {
		drop(spot);
	}
	return got < 0 ? -errno : got;
}

static ssize_t read_some(struct sys *sys, const struct spot *spot)
{
	ssize_t got;

	if (sys->has_dontcache && sys->refused_dontcache != spot->dev) {
		got = read_flagged(spot->fd, spot->to, spot->len, spot->at, FLAG_DONTCACHE);
		if (got != -EOPNOTSUPP && got != -EINVAL) {
			return got;
		}
		sys->refused_dontcache = spot->dev;
	}
	/* Also before RWF_NOWAIT, which since 6.5 begins to read ahead where it finds nothing. */
	if (!*spot->random) {
		(void)posix_fadvise(spot->fd, 0, 0, POSIX_FADV_RANDOM);
		*spot->random = true;
	}
	if (spot->at < *spot->missed_to) {
		return read_missed(spot);
	}
	if (!(sys->missing & MISSING_PREADV2) && !*spot->blind) {
		got = read_flagged(spot->fd, spot->to, spot->len, spot->at, FLAG_NOWAIT);
		if (got == -EAGAIN) {
			return read_missed(spot);
		}
		/* Where it ended short the rest is on its way into the cache by now. */
		if (got >= 0 && (size_t)got < spot->len) {
			*spot->missed_to = spot->at + spot->len;
		}
		if (got != -EOPNOTSUPP && got != -EINVAL) {
			return got;
		}
		*spot->blind = true;
	}
	if (!is_resident(spot->fd, spot->len, spot->at)) {
		return read_missed(spot);
	}
	got = pread(spot->fd, spot->to, spot->len, (off_t)spot->at);
	return got < 0 ? -errno : got;
}

static enum entry_magic magic_of(const uint8_t *data, size_t len)
{
	if (len >= 4 && memcmp(data, "\177ELF", 4) == 0) {
		return ENTRY_MAGIC_ELF;
	}
	return len >= 2 && data[0] == '#' && data[1] == '!' ? ENTRY_MAGIC_SCRIPT : ENTRY_MAGIC_NONE;
}

static bool is_same(const struct sys_stat *a, const struct sys_stat *b)
{
	return a->size == b->size && a->ctime_ns == b->ctime_ns && a->mtime_ns == b->mtime_ns &&
	       a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static void end_job(struct file_lane *lane, enum file_result result)
{
	lane->job->result = result;
	lane->job->is_done = true;
	lane->job = NULL;
}

/* Starts at the first byte; false where the budget does not reach. */
static bool begin_reading(struct reader *reader, struct file_lane *lane)
{
	struct file_job *job = lane->job;

	if (reader->budget_bytes != 0 &&
	    (reader->promised >= reader->budget_bytes ||
	     job->before.size > reader->budget_bytes - reader->promised)) {
		return false;
	}
	reader->promised += job->before.size;
	job->content.magic = ENTRY_MAGIC_NONE;
	job->content.head_len = 0;
	lane->at = 0;
	lane->left = 0;
	sha256_init(&lane->sha);
	md5_init(&lane->md5);
	return true;
}

/* All was read, or less than there was: looks whether the file is still the one that was opened. */
static void end_reading(struct reader *reader, struct file_lane *lane, enum file_result result)
{
	struct file_job *job = lane->job;

	if (sys_stat_fd(reader->sys, job->fd, &job->content.st) != 0) {
		end_job(lane, FILE_ERROR);
	} else if (result == FILE_READ && is_same(&job->before, &job->content.st)) {
		sha256_final(&lane->sha, job->content.sha256.bytes);
		if (job->with_md5) {
			md5_final(&lane->md5, job->content.md5);
		}
		reader->files++;
		end_job(lane, FILE_READ);
	} else if (job->is_second) {
		end_job(lane, FILE_CHANGED);
	} else {
		job->is_second = true;
		job->before = job->content.st;
		if (!begin_reading(reader, lane)) {
			end_job(lane, FILE_BUDGET_BYTES);
		}
	}
}

/* Reads on where the buffer is empty; ends the job where there is nothing left. */
static void refill(struct reader *reader, struct file_lane *lane)
{
	struct file_job *job = lane->job;
	uint64_t left = job->before.size - lane->at;
	const struct spot spot = {
		.fd = job->fd,
		.dev = job->before.dev,
		.at = lane->at,
		.to = lane->buffer,
		.len = left < FILE_BUFFER_SIZE ? (size_t)left : FILE_BUFFER_SIZE,
		.is_last = left <= FILE_BUFFER_SIZE,
		.missed_to = &lane->missed_to,
		.random = &lane->random,
		.blind = &lane->blind,
	};
	ssize_t got;

	if (left == 0) {
		end_reading(reader, lane, FILE_READ);
		return;
	}
	if (lane->at > 0 && reader_is_late(reader)) {
		end_job(lane, FILE_BUDGET_TIME);
		return;
	}
	do {
		got = read_some(reader->sys, &spot);
	} while (got == -EINTR);
	if (got < 0) {
		end_job(lane, FILE_ERROR);
		return;
	}
	if (got == 0) {
		end_reading(reader, lane, FILE_CHANGED);
		return;
	}
	if (lane->at == 0) {
		job->content.magic = magic_of(lane->buffer, (size_t)got);
		job->content.head_len = (size_t)got < ENTRY_HEAD_MAX ? (size_t)got : ENTRY_HEAD_MAX;
		memcpy(job->content.head, lane->buffer, job->content.head_len);
	}
	if (job->with_md5) {
		md5_update(&lane->md5, lane->buffer, (size_t)got);
	}
	lane->next = lane->buffer;
	lane->left = (size_t)got;
	lane->at += (uint64_t)got;
	reader->bytes += (uint64_t)got;
	pay(reader, (size_t)got);
	pulse(reader, 1);
}

static void hash_alone(struct file_lane *lane, size_t len)
{
	sha256_update(&lane->sha, lane->next, len);
	lane->next += len;
	lane->left -= len;
}

/* Whole blocks from the border of one on; what stands before is hashed first. */
static size_t whole_blocks(struct file_lane *lane)
{
	size_t pending = sha256_pending(&lane->sha);

	if (pending != 0 || lane->left < SHA256_BLOCK) {
		size_t part = SHA256_BLOCK - pending;

		hash_alone(lane, part < lane->left ? part : lane->left);
	}
	return lane->left / SHA256_BLOCK;
}

static void hash_both(struct file_lane *a, struct file_lane *b)
{
	size_t of_a = whole_blocks(a);
	size_t of_b = whole_blocks(b);
	size_t count = of_a < of_b ? of_a : of_b;

	if (count > 0) {
		sha256_update_pair(&a->sha, a->next, &b->sha, b->next, count);
		a->next += count * SHA256_BLOCK;
		a->left -= count * SHA256_BLOCK;
		b->next += count * SHA256_BLOCK;
		b->left -= count * SHA256_BLOCK;
	}
}

/* Reads where nothing is left to be hashed, which may end a job. */
static void fill(struct reader *reader)
{
	for (unsigned i = 0; i < FILE_LANES; i++) {
		if (reader->lane[i].job && reader->lane[i].left == 0) {
			refill(reader, &reader->lane[i]);
		}
	}
}

static bool is_free(const struct reader *reader)
{
	return !reader->lane[0].job || !reader->lane[1].job;
}

void file_hash_begin(struct reader *reader, struct file_job *job, int fd,
		     const struct sys_stat *opened, bool with_md5)
{
	struct file_lane *lane = &reader->lane[reader->lane[0].job ? 1 : 0];

	assert(!lane->job);
	job->fd = fd;
	job->with_md5 = with_md5;
	job->is_done = false;
	job->is_second = false;
	job->before = *opened;
	lane->job = job;
	lane->missed_to = 0;
	lane->random = false;
	lane->blind = false;
	pulse(reader, PULSE_COST);
	if (reader_is_late(reader)) {
		end_job(lane, FILE_BUDGET_TIME);
	} else if (!begin_reading(reader, lane)) {
		end_job(lane, FILE_BUDGET_BYTES);
	}
	/* What is left alone waits for company. */
	while (!is_free(reader)) {
		fill(reader);
		if (!is_free(reader)) {
			hash_both(&reader->lane[0], &reader->lane[1]);
		}
	}
}

void file_hash_finish(struct reader *reader, struct file_job *job)
{
	while (!job->is_done) {
		fill(reader);
		if (!is_free(reader)) {
			hash_both(&reader->lane[0], &reader->lane[1]);
		} else if (!job->is_done) {
			struct file_lane *lane = &reader->lane[reader->lane[0].job ? 0 : 1];

			hash_alone(lane, lane->left);
		}
	}
}

enum file_result file_peek(struct reader *reader, int fd, const struct sys_stat *opened,
			   enum entry_magic *magic)
{
	uint8_t start[64];
	uint64_t missed_to = 0;
	bool random = false;
	bool blind = false;
	const struct spot spot = {
		.fd = fd,
		.dev = opened->dev,
		.to = start,
		.len = opened->size < sizeof(start) ? (size_t)opened->size : sizeof(start),
		.is_last = opened->size <= sizeof(start),
		.missed_to = &missed_to,
		.random = &random,
		.blind = &blind,
	};
	ssize_t got;

	*magic = ENTRY_MAGIC_NONE;
	pulse(reader, PULSE_COST);
	if (spot.len == 0) {
		return FILE_READ;
	}
	got = read_some(reader->sys, &spot);
	if (got < 0) {
		return FILE_ERROR;
	}
	*magic = magic_of(start, (size_t)got);
	return FILE_READ;
}
