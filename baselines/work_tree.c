// SPDX-License-Identifier: MIT
#include "baselines/work_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *root, const char *path, struct error *err)
{
	return error_set(err, ERROR_SYSTEM, errno, "%s/%s: %s", root, path, strerror(errno));
}

/*
 * Opens the folder that `path` stands in, component by component, and makes what is missing if
 * asked. *fd -1 where it is absent and not to be made. *name is the last component.
 */
static int open_parent(const char *root, const char *path, bool make, int *fd, const char **name,
		       struct error *err)
{
	int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char component[256];
	const char *slash;

	*fd = -1;
	*name = path;
	while (at >= 0 && (slash = strchr(*name, '/'))) {
		size_t len = (size_t)(slash - *name);
		int next;

		if (len >= sizeof(component)) {
			(void)close(at);
			errno = ENAMETOOLONG;
			return failed(root, path, err);
		}
		memcpy(component, *name, len);
		component[len] = '\0';
		if (make && mkdirat(at, component, 0755) < 0 && errno != EEXIST) {
			(void)close(at);
			return failed(root, path, err);
		}
		next = openat(at, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(at);
		at = next;
		*name = slash + 1;
	}
	if (at < 0 && (make || errno != ENOENT)) {
		return failed(root, path, err);
	}
	*fd = at;
	return 0;
}

static enum work_state compare_open(int fd, struct bytes content)
{
	uint8_t buffer[65536];
	size_t at = 0;

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));

		if (got == 0) {
			return at == content.len ? WORK_SAME : WORK_OTHER;
		}
		if (got < 0 || (size_t)got > content.len - at ||
		    memcmp(buffer, content.data + at, (size_t)got) != 0) {
			return WORK_OTHER;
		}
		at += (size_t)got;
	}
}

int work_tree_compare(const char *root, const char *path, struct bytes content,
		      enum work_state *state, struct error *err)
{
	const char *name;
	struct stat st;
	int folder, fd;

	*state = WORK_ABSENT;
	if (open_parent(root, path, false, &folder, &name, err) < 0) {
		return -1;
	}
	if (folder < 0) {
		return 0;
	}
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		int result = errno == ENOENT ? 0 : failed(root, path, err);

		(void)close(folder);
		return result;
	}
	*state = WORK_OTHER;
	fd = S_ISREG(st.st_mode) ? openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	(void)close(folder);
	if (fd >= 0) {
		*state = compare_open(fd, content);
		(void)close(fd);
	}
	return 0;
}

static bool write_all(int fd, struct bytes content)
{
	for (size_t at = 0; at < content.len;) {
		ssize_t put = write(fd, content.data + at, content.len - at);

		if (put < 0 && errno != EINTR) {
			return false;
		}
		at += put > 0 ? (size_t)put : 0;
	}
	return true;
}

int work_tree_write(const char *root, const char *path, struct bytes content, struct error *err)
{
	char temporary[64];
	const char *name;
	int folder, fd, result = 0;

	if (open_parent(root, path, true, &folder, &name, err) < 0) {
		return -1;
	}
	(void)snprintf(temporary, sizeof(temporary), ".muster-%ld.tmp", (long)getpid());
	fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || !write_all(fd, content)) {
		result = failed(root, path, err);
	}
	if (fd >= 0 && close(fd) < 0 && result == 0) {
		result = failed(root, path, err);
	}
	if (result == 0 && renameat(folder, temporary, folder, name) < 0) {
		result = failed(root, path, err);
	}
	if (result < 0) {
		(void)unlinkat(folder, temporary, 0);
	}
	(void)close(folder);
	return result;
}

int work_tree_remove(const char *root, const char *path, struct error *err)
{
	char *parent = strdup(path), *slash;
	const char *name;
	int folder, result = 0;

	if (!parent) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a path");
	}
	if (open_parent(root, path, false, &folder, &name, err) < 0) {
		free(parent);
		return -1;
	}
	if (folder >= 0 && unlinkat(folder, name, 0) < 0 && errno != ENOENT) {
		result = failed(root, path, err);
	}
	if (folder >= 0) {
		(void)close(folder);
	}
	while (result == 0 && (slash = strrchr(parent, '/'))) {
		const char *last;

		*slash = '\0';
		if (open_parent(root, parent, false, &folder, &last, err) < 0 || folder < 0) {
			break;
		}
		result = unlinkat(folder, last, AT_REMOVEDIR) < 0 ? 1 : 0;
		(void)close(folder);
	}
	free(parent);
	return result < 0 ? -1 : 0;
}
