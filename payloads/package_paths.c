// SPDX-License-Identifier: MIT
#include "payloads/package_paths.h"

#include <string.h>

#include "payloads/package_file.h"

static const char *const alias_names[] = {"bin",   "sbin",   "lib",   "lib32",
					  "lib64", "libx32", "libo32"};
#define ALIASES (sizeof(alias_names) / sizeof(alias_names[0]))

const char *path_fault_reason(enum path_fault fault)
{
	static const char *const words[PATH_FAULTS] = {
		"fine", "path-empty", "path-relative", "path-dotdot", "path-nul", "path-long",
	};

	return fault < PATH_FAULTS ? words[fault] : "path";
}

/*
 * Byte by byte, because components are short and this runs over every line of every list. `part` is
 * where the component begins in `to`, its slash included.
 */
enum path_fault path_clean(struct bytes raw, bool rooted, uint8_t to[PATH_ROOM], size_t *len)
{
	size_t out = 0;
	size_t part = 0;
	bool has_nul = false;

	*len = 0;
	to[0] = '\0';
	if (raw.len == 0) {
		return PATH_EMPTY;
	}
	if (rooted && raw.data[0] != '/') {
		return PATH_RELATIVE;
	}
	to[out++] = '/';
	for (size_t at = 0; at <= raw.len; at++) {
		uint8_t c = at < raw.len ? raw.data[at] : '/';

		if (c != '/') {
			if (out == PATH_LEN_MAX) {
				return PATH_TOO_LONG;
			}
			has_nul = has_nul || c == '\0';
			to[out++] = c;
			continue;
		}
		if (out - part == 3 && to[part + 1] == '.' && to[part + 2] == '.') {
			return PATH_DOTDOT;
		}
		if (out - part == 2 && to[part + 1] == '.') {
			out = part + 1;
		}
		if (out - part > 1 && at < raw.len) {
			if (out == PATH_LEN_MAX) {
				return PATH_TOO_LONG;
			}
			part = out;
			to[out++] = '/';
		}
	}
	if (out > 1 && to[out - 1] == '/') {
		out--;
	}
	if (has_nul) {
		return PATH_NUL;
	}
	to[out] = '\0';
	*len = out;
	return PATH_FINE;
}

void path_aliases_read(struct path_aliases *aliases, int root_fd)
{
	aliases->linked = 0;
	for (size_t i = 0; i < ALIASES; i++) {
		char target[32];
		const char *rest = target;
		ssize_t got = package_link_read(root_fd, alias_names[i], target, sizeof(target));

		if (got <= 0) {
			continue;
		}
		target[got] = '\0';
		rest += rest[0] == '/';
		if (strncmp(rest, "usr/", 4) == 0 && strcmp(rest + 4, alias_names[i]) == 0) {
			aliases->linked |= 1U << i;
		}
	}
}

bool path_map(const struct path_aliases *aliases, uint8_t path[PATH_ROOM], size_t *len,
	      bool *is_alias)
{
	const uint8_t *slash;
	size_t part;

	if (is_alias) {
		*is_alias = false;
	}
	if (aliases->linked == 0 || *len < 4 ||
	    (path[1] != 'l' && path[1] != 'b' && path[1] != 's')) {
		return true;
	}
	slash = memchr(path + 1, '/', *len - 1);
	part = slash ? (size_t)(slash - (path + 1)) : *len - 1;
	for (size_t i = 0; i < ALIASES; i++) {
		if (!(aliases->linked & 1U << i) || strlen(alias_names[i]) != part ||
		    memcmp(path + 1, alias_names[i], part) != 0) {
			continue;
		}
		if (!slash) {
			if (is_alias) {
				*is_alias = true;
			}
			return true;
		}
		if (*len + 4 > PATH_LEN_MAX) {
			return false;
		}
		memmove(path + 4, path, *len + 1);
		memcpy(path, "/usr", 4);
		*len += 4;
		return true;
	}
	return true;
}

/* How many bytes at the start are surely the same: whole words of them. */
static size_t same_start(struct bytes a, struct bytes b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	size_t same = 0;

	while (least - same >= sizeof(uint64_t)) {
		uint64_t x;
		uint64_t y;

		memcpy(&x, a.data + same, sizeof(x));
		memcpy(&y, b.data + same, sizeof(y));
		if (x != y) {
			break;
		}
		same += sizeof(x);
	}
	return same;
}

/* '/' sorts below every other byte. */
static unsigned rank(uint8_t byte)
{
	return byte == '/' ? 0U : byte + 1U;
}

int path_compare(struct bytes a, struct bytes b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	size_t at = same_start(a, b);

	while (at < least && a.data[at] == b.data[at]) {
		at++;
	}
	if (at < least) {
		return rank(a.data[at]) < rank(b.data[at]) ? -1 : 1;
	}
	return (a.len > b.len) - (a.len < b.len);
}

bool path_equal(struct bytes a, struct bytes b)
{
	/* The ends differ soonest: neighbours in a list share their start. */
	if (a.len != b.len || (a.len != 0 && a.data[a.len - 1] != b.data[b.len - 1])) {
		return false;
	}
	for (size_t i = same_start(a, b); i < a.len; i++) {
		if (a.data[i] != b.data[i]) {
			return false;
		}
	}
	return true;
}
