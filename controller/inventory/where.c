// SPDX-License-Identifier: MIT
#include "controller/inventory/where.h"

#include <string.h>

#include "schema/escape.h"

#define SHOWN 80

bool where_user_is_valid(const char *user)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._@+$-";
	size_t len = strlen(user);

	return len > 0 && len <= WHERE_USER_MAX && user[0] != '-' && user[len - 1] != '@' &&
	       strspn(user, allowed) == len;
}

static int cut_user(struct where *where, struct error *err)
{
	size_t at = where->name.len;
	char shown[SHOWN];
	struct bytes user;

	while (at > 0 && where->name.data[at - 1] != '@') {
		at--;
	}
	if (at == 0) {
		return 0;
	}
	user = bytes_make(where->name.data, at - 1);
	where->name = bytes_make(where->name.data + at, where->name.len - at);
	if (user.len <= WHERE_USER_MAX) {
		memcpy(where->user, user.data, user.len);
	}
	if (user.len > WHERE_USER_MAX || memchr(user.data, 0, user.len) ||
	    !where_user_is_valid(where->user)) {
		return error_set(err, ERROR_CONFIG, 0, "\"%s\" is no user name",
				 escape_text(user, shown, sizeof(shown)));
	}
	return 0;
}

/* The digits behind the port's colon, from `at` on. */
static int read_port(struct where *where, size_t at, struct error *err)
{
	unsigned long number = 0;
	size_t digits = where->name.len - at;

	for (size_t i = at; i < where->name.len && digits <= 5; i++) {
		uint8_t c = where->name.data[i];

		if (c < '0' || c > '9') {
			digits = 0;
			break;
		}
		number = number * 10 + (unsigned long)(c - '0');
	}
	if (digits == 0 || digits > 5 || number == 0 || number > UINT16_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "a port is a number from 1 to 65535");
	}
	where->port = (uint16_t)number;
	return 0;
}

/* [2001:db8::1] or [2001:db8::1]:22, told from a range by its colons. */
static bool is_bracketed_address(struct bytes name, size_t *end)
{
	const uint8_t *close = name.len > 0 ? memchr(name.data, ']', name.len) : NULL;
	size_t colons = 0;

	if (!close || name.data[0] != '[') {
		return false;
	}
	*end = (size_t)(close - name.data);
	for (size_t i = 0; i < *end; i++) {
		colons += name.data[i] == ':' ? 1 : 0;
	}
	return colons > 1 && (*end + 1 == name.len || name.data[*end + 1] == ':');
}

static int cut_port(struct where *where, struct error *err)
{
	struct bytes name = where->name;
	size_t end, colons = 0, last = 0;

	if (is_bracketed_address(name, &end)) {
		if (end + 1 < name.len && read_port(where, end + 2, err) < 0) {
			return -1;
		}
		where->name = bytes_make(name.data + 1, end - 1);
		return 0;
	}
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == ':') {
			last = i;
			colons++;
		}
	}
	/* More than one is an address. */
	if (colons != 1) {
		return 0;
	}
	if (read_port(where, last + 1, err) < 0) {
		return -1;
	}
	where->name.len = last;
	return 0;
}

int where_cut(struct bytes term, struct where *where, struct error *err)
{
	*where = (struct where){.name = term};
	if (cut_user(where, err) < 0) {
		return -1;
	}
	return cut_port(where, err);
}

bool where_jump_is_valid(const char *jump)
{
	size_t len = strlen(jump);

	return len > 0 && len < WHERE_JUMP_MAX && jump[0] != '-' &&
	       strspn(jump, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "._-+:@,/[]%") == len;
}

bool where_identity_is_valid(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f || path[i] == '"') {
			return false;
		}
	}
	return len > 0 && len < WHERE_PATH_MAX && path[0] != '-';
}
