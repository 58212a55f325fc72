// SPDX-License-Identifier: MIT
#include "controller/ssh/pinned.h"

#include <stdio.h>
#include <string.h>

bool pinned_path(size_t index, const char *user, char *to, size_t room)
{
	const char *place = PINNED_PLACES;
	int len;

	for (; index > 0 && *place; index--) {
		place += strcspn(place, " ");
		place += strspn(place, " ");
	}
	if (!*place) {
		return false;
	}
	len = snprintf(to, room, "%.*s/" PINNED_FOLDER "%s/probe", (int)strcspn(place, " "), place,
		       user);
	return len > 0 && (size_t)len < room;
}

bool pinned_arguments(const char *path, size_t size, const char *sha256, char *to, size_t room)
{
	int len =
		snprintf(to, room, "--stdio --self %s --size %zu --sha256 %s", path, size, sha256);

	return len > 0 && (size_t)len < room;
}
