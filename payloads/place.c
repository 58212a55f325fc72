// SPDX-License-Identifier: MIT
#include "payloads/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 16

void place_init(struct place *place, const struct sys *sys, const struct mounts *mounts,
		int root_fd)
{
	place->sys = sys;
	place->mounts = mounts;
	place->root_fd = root_fd;
	place->fd = -1;
	place->parent_len = 0;
}

void place_clear(struct place *place)
{
	if (place->fd >= 0) {
		close(place->fd);
	}
	place->fd = -1;
	place->parent_len = 0;
}

/* Appends a component to a path without links, taking "." and ".." for what they are. */
static bool add_component(char *path, size_t *len, const char *name, size_t name_len)
{
	if (name_len == 0 || (name_len == 1 && name[0] == '.')) {
		return true;
	}
	if (name_len == 2 && name[0] == '.' && name[1] == '.') {
		while (*len > 0 && path[--*len] != '/') {
		}
		path[*len] = '\0';
		return true;
	}
	if (*len + 1 + name_len > ENTRY_PATH_MAX) {
		return false;
	}
	path[(*len)++] = '/';
	memcpy(path + *len, name, name_len);
	*len += name_len;
	path[*len] = '\0';
	return true;
}

/* Puts the link's target in front of what is left of the path. */
static bool splice_target(char *rest, const char *target, size_t target_len)
{
	size_t rest_len = strlen(rest);

	if (target_len + 1 + rest_len > ENTRY_PATH_MAX) {
		return false;
	}
	memmove(rest + target_len + 1, rest, rest_len + 1);
	memcpy(rest, target, target_len);
	rest[target_len] = '/';
	return true;
}

/*
 * Finds out component by component where the parent really is. A link that somebody else than root
 * owns could lead a check anywhere.
 */
static int resolve(struct place *place)
{
	static char rest[ENTRY_PATH_MAX + 2];
	static char target[ENTRY_PATH_MAX];
	unsigned links = 0;

	memcpy(rest, place->parent, place->parent_len + 1);
	place->real_len = 0;
	place->real[0] = '\0';
	while (rest[0]) {
		size_t len = strcspn(rest, "/");
		size_t before = place->real_len;
		struct sys_stat st;
		ssize_t target_len;
		int error;

		if (!add_component(place->real, &place->real_len, rest, len)) {
			return -ENAMETOOLONG;
		}
		len += strspn(rest + len, "/");
		memmove(rest, rest + len, strlen(rest + len) + 1);
		if (place->real_len <= before) {
			continue;
		}
		if (place->mounts &&
		    !mounts_may_enter(place->mounts, bytes_make(place->real, place->real_len),
				      &place->barred)) {
			return -EXDEV;
		}
		error = sys_stat_at(place->sys, place->root_fd, place->real + 1, &st);
		if (error < 0) {
			return error;
		}
		if (!S_ISLNK(st.mode)) {
			continue;
		}
		if (st.uid != 0 || ++links > LINKS_MAX) {
			return -ELOOP;
		}
		target_len = readlinkat(place->root_fd, place->real + 1, target, sizeof(target));
		if (target_len <= 0 || (size_t)target_len == sizeof(target) ||
		    !splice_target(rest, target, (size_t)target_len)) {
			return -ELOOP;
		}
		place->real_len = target[0] == '/' ? 0 : before;
		place->real[place->real_len] = '\0';
	}
	if (place->real_len == 0) {
		place->real[place->real_len++] = '/';
		place->real[place->real_len] = '\0';
	}
	place->through_link = true;
	return sys_open_beneath(place->sys, place->root_fd, place->real + 1, O_PATH | O_DIRECTORY);
}

static int open_parent(struct place *place)
{
	int fd;

	place->through_link = false;
	place->barred = MOUNT_NONE;
	if (place->mounts &&
	    !mounts_may_enter(place->mounts, bytes_make(place->parent, place->parent_len),
			      &place->barred)) {
		return -EXDEV;
	}
	fd = sys_open_beneath(place->sys, place->root_fd, place->parent + 1, O_PATH | O_DIRECTORY);
	/* O_DIRECTORY makes ENOTDIR of a link that stands last. */
	return fd == -ELOOP || fd == -ENOTDIR ? resolve(place) : fd;
}

int place_open(struct place *place, struct bytes path)
{
	size_t at = path.len;
	size_t len;

	while (at > 0 && path.data[at - 1] != '/') {
		at--;
	}
	if (at == 0 || path.len > ENTRY_PATH_MAX || memchr(path.data, '\0', path.len)) {
		return -EINVAL;
	}
	/* "/" itself is "." of itself. */
	memcpy(place->name, path.data + at, path.len - at);
	place->name[path.len - at] = '\0';
	if (at == path.len) {
		place->name[0] = '.';
		place->name[1] = '\0';
	}
	len = at > 1 ? at - 1 : 1;
	if (place->parent_len != len || memcmp(place->parent, path.data, len) != 0) {
		int fd;

		if (place->fd >= 0) {
			close(place->fd);
		}
		memcpy(place->parent, path.data, len);
		place->parent[len] = '\0';
		place->parent_len = len;
		fd = open_parent(place);
		place->fd = fd >= 0 ? fd : -1;
		place->error = fd >= 0 ? 0 : fd;
	}
	return place->error;
}
