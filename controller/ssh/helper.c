// SPDX-License-Identifier: MIT
#include "controller/ssh/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MUSTER_LIBEXEC
#define MUSTER_LIBEXEC "/usr/libexec/muster"
#endif

static bool own_folder(char *folder, size_t room)
{
	ssize_t len = readlink("/proc/self/exe", folder, room - 1);
	char *slash;

	if (len <= 0) {
		return false;
	}
	folder[len] = '\0';
	slash = strrchr(folder, '/');
	if (!slash) {
		return false;
	}
	*slash = '\0';
	return true;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

int helper_path(const char *name, char *path, size_t room, struct error *err)
{
	char folder[4096];

	if (own_folder(folder, sizeof(folder))) {
		/* Relative to bin, so that an installation can be moved as a whole. */
		static const char *const beside[] = {"", "/../libexec/muster"};

		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
			int len = snprintf(path, room, "%s%s/%s", folder, beside[i], name);

			if (len > 0 && (size_t)len < room && is_program(path)) {
				return 0;
			}
		}
	}
	if ((size_t)snprintf(path, room, "%s/%s", MUSTER_LIBEXEC, name) < room &&
	    is_program(path)) {
		return 0;
	}
	return error_set(err, ERROR_CONFIG, ENOENT,
			 "%s is neither beside this program nor in %s: build or install it", name,
			 MUSTER_LIBEXEC);
}

const char *helper_native_arch(void)
{
#if defined(__x86_64__)
	return "x86_64";
#elif defined(__aarch64__)
	return "aarch64";
#else
	return "unknown";
#endif
}

int helper_read(const char *path, size_t most, uint8_t **data, size_t *len, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t *buffer = NULL;
	struct stat st;
	size_t got = 0;
	int result = -1;

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_set(err, ERROR_CONFIG, errno, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > most) {
		error_set(err, ERROR_CONFIG, 0, "%s: not a file of at most %zu bytes", path, most);
		goto out;
	}
	buffer = malloc((size_t)st.st_size + 1);
	if (!buffer) {
		error_set(err, ERROR_NOMEM, ENOMEM, "%s: no memory", path);
		goto out;
	}
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, buffer + got, (size_t)st.st_size - got);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			error_set(err, ERROR_CONFIG, n < 0 ? errno : 0, "%s: cannot be read whole",
				  path);
			goto out;
		}
		got += (size_t)n;
	}
	buffer[got] = '\0'; /* for callers who read text */
	*data = buffer;
	*len = got;
	buffer = NULL;
	result = 0;
out:
	free(buffer);
	if (fd >= 0) {
		(void)close(fd);
	}
	return result;
}
