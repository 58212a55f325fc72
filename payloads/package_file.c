// SPDX-License-Identifier: MIT
#include "payloads/package_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS_MAX 8

static int plain_open(void *context, int dir_fd, const char *name, struct stat *st)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd;

	(void)context;
	/* Asked before, because merely opening some devices does something. */
	if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) < 0) {
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		errno = S_ISLNK(st->st_mode) ? ELOOP : EINVAL;
		return -1;
	}
	fd = openat(dir_fd, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) {
		fd = openat(dir_fd, name, flags);
	}
	if (fd < 0) {
		return -1;
	}
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		(void)close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static ssize_t plain_read(void *context, int fd, void *to, size_t len, uint64_t offset)
{
	ssize_t got;

	(void)context;
	do {
		got = pread(fd, to, len, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return got;
}

static void plain_close(void *context, int fd)
{
	(void)context;
	(void)close(fd);
}

const struct package_file_access package_file_plain = {NULL, plain_open, plain_read, plain_close};

const char *package_file_reason(int os_errno)
{
	switch (os_errno) {
	case ENOENT:
	case ENOTDIR:
		return "absent";
	case EACCES:
	case EPERM:
		return "denied";
	case ELOOP:
		return "symlink";
	case EINVAL:
		return "not-regular";
	case ENAMETOOLONG:
		return "name-long";
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return "no-memory";
	default:
		return "io";
	}
}

/* A walk from directory to directory; `depth` counts real ones below the root. */
struct dir_walk {
	int root_fd;
	int depth;
	int links;
	char rest[PATH_MAX]; /* still to go, no slash in front */
};

/* A symlink stands where rest[0..len) should be a directory: puts its target there. */
static int step_through_link(struct dir_walk *walk, int at_fd, size_t len, bool is_last)
{
	char target[PATH_MAX];
	size_t left = strlen(walk->rest + len + !is_last) + !is_last + 1U;
	ssize_t got = package_link_read(at_fd, walk->rest, target, sizeof(target));

	if (got < 0) {
		errno = errno == EINVAL ? ENOTDIR : errno;
		return -1;
	}
	if (++walk->links > LINKS_MAX || got == 0) {
		errno = ELOOP;
		return -1;
	}
	if ((size_t)got + left > sizeof(walk->rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!is_last) {
		walk->rest[len] = '/';
	}
	memmove(walk->rest + got, walk->rest + len, left);
	memcpy(walk->rest, target, (size_t)got);
	if (target[0] == '/') {
		walk->depth = 0;
		return openat(walk->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return openat(at_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Enters the first component of walk->rest. Returns the new directory or -1. */
static int step_into(struct dir_walk *walk, int at_fd)
{
	size_t len = strcspn(walk->rest, "/");
	bool is_last = walk->rest[len] == '\0';
	int fd;

	walk->rest[len] = '\0';
	if (strcmp(walk->rest, "..") == 0) {
		/* Never above the root: no symlink was entered, so the depth is true. */
		fd = openat(at_fd, walk->depth > 0 ? ".." : ".",
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		walk->depth -= walk->depth > 0;
	} else {
		fd = openat(at_fd, walk->rest,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
			return step_through_link(walk, at_fd, len, is_last);
		}
		walk->depth += strcmp(walk->rest, ".") != 0;
	}
	if (fd >= 0) {
		size_t taken = len + !is_last;

		memmove(walk->rest, walk->rest + taken, strlen(walk->rest + taken) + 1);
	}
	return fd;
}

int package_dir_open(int root_fd, const char *path)
{
	struct dir_walk walk = {.root_fd = root_fd};
	int at_fd;

	if (strlen(path) >= sizeof(walk.rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(walk.rest, path, strlen(path) + 1);
	at_fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (at_fd >= 0) {
		size_t slashes = strspn(walk.rest, "/");
		int next_fd;
		int saved;

		memmove(walk.rest, walk.rest + slashes, strlen(walk.rest + slashes) + 1);
		if (walk.rest[0] == '\0') {
			return at_fd;
		}
		next_fd = step_into(&walk, at_fd);
		saved = errno;
		(void)close(at_fd);
		errno = saved;
		at_fd = next_fd;
	}
	return -1;
}

ssize_t package_link_read(int dir_fd, const char *name, char *to, size_t room)
{
	ssize_t got = readlinkat(dir_fd, name, to, room);

	if (got >= 0 && (size_t)got >= room) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return got;
}

/* getdents64(2), linux/dirent.h. By number: opendir would bring libc's allocator with it. */
struct dirent_head {
	uint64_t inode;
	int64_t offset;
	uint16_t len;
	uint8_t type;
	char name[];
};

int package_names_visit(int dir_fd, name_visitor visit, void *context)
{
	alignas(struct dirent_head) char buffer[4096];
	long got;

	if (lseek(dir_fd, 0, SEEK_SET) < 0) {
		return -1;
	}
	while ((got = syscall(SYS_getdents64, dir_fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < got;) {
			const struct dirent_head *entry =
				(const struct dirent_head *)(const void *)(buffer + at);

			at += entry->len;
			if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0 &&
			    !visit(context, entry->name)) {
				return 0;
			}
		}
	}
	return got == 0 ? 0 : -1;
}

struct package_file_stamp package_file_stamp(int dir_fd, const char *name)
{
	struct package_file_stamp stamp = {0, 0, 0, 0};
	struct stat st;

	if (dir_fd >= 0 && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		stamp.inode = st.st_ino;
		stamp.size = (uint64_t)st.st_size;
		stamp.mtime_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
		stamp.ctime_ns = st.st_ctim.tv_sec * 1000000000LL + st.st_ctim.tv_nsec;
	}
	return stamp;
}

bool package_file_stamp_equal(const struct package_file_stamp *a,
			      const struct package_file_stamp *b)
{
	return a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}

void line_reader_init(struct line_reader *reader, const struct package_file_access *access, int fd,
		      uint64_t most, uint8_t *buffer, size_t room)
{
	*reader = (struct line_reader){
		.access = access, .fd = fd, .buffer = buffer, .room = room, .left = most};
}

/* Moves what is left to the front and reads behind it. False where nothing came. */
static bool refill(struct line_reader *reader)
{
	size_t have = reader->end - reader->start;
	size_t want = reader->room - have;
	ssize_t got;

	if (have != 0) {
		memmove(reader->buffer, reader->buffer + reader->start, have);
	}
	reader->start = 0;
	reader->end = have;
	if (want > reader->left) {
		want = (size_t)reader->left;
	}
	if (want == 0 || reader->fd < 0 || reader->os_errno != 0) {
		return false;
	}
	got = reader->access->read(reader->access->context, reader->fd, reader->buffer + have, want,
				   reader->offset);
	if (got <= 0) {
		reader->os_errno = got < 0 ? errno : 0;
		reader->left = 0;
		return false;
	}
	reader->end += (size_t)got;
	reader->offset += (uint64_t)got;
	reader->left -= (uint64_t)got;
	return true;
}

enum line_result line_reader_next(struct line_reader *reader, struct bytes *line)
{
	for (;;) {
		uint8_t *from = reader->buffer + reader->start;
		size_t have = reader->end - reader->start;
		uint8_t *newline = have != 0 ? memchr(from, '\n', have) : NULL;

		if (newline) {
			size_t len = (size_t)(newline - from);

			reader->start += len + 1;
			if (reader->in_long) {
				reader->in_long = false;
				continue;
			}
			*line = bytes_make(from, len);
			return LINE_WHOLE;
		}
		if (reader->in_long) {
			reader->start = reader->end;
			have = 0;
		}
		if (have == reader->room) {
			reader->in_long = true;
			reader->long_lines++;
			reader->start = reader->end;
			*line = bytes_make(from, have);
			return LINE_CUT;
		}
		if (!refill(reader)) {
			from = reader->buffer + reader->start;
			have = reader->end - reader->start;
			reader->start = reader->end;
			if (have == 0 || reader->in_long) {
				return LINE_NONE;
			}
			*line = bytes_make(from, have);
			return LINE_UNENDED;
		}
	}
}
