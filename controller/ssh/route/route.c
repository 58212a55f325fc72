// SPDX-License-Identifier: MIT
#include "controller/ssh/route/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/escape.h"

#define SCHEME "ssh://"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HOST_MAX 255U
#define USER_MAX 128U

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a route");
}

static int bad_jump(struct bytes word, struct error *err)
{
	char shown[100];

	return error_set(err, ERROR_CONFIG, 0, "ProxyJump: \"%s\" is no [user@]host[:port]",
			 escape_text(word, shown, sizeof(shown)));
}

static bool consists_of(struct bytes text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\0' || !strchr(allowed, text.data[i])) {
			return false;
		}
	}
	return true;
}

/* Host names and addresses; a colon is an address's. */
static bool is_host(struct bytes host)
{
	return host.len > 0 && host.len <= HOST_MAX && host.data[0] != '-' &&
	       consists_of(host, LETTERS DIGITS "._-:%");
}

static bool is_user(struct bytes user)
{
	return user.len > 0 && user.len <= USER_MAX && user.data[0] != '-' &&
	       consists_of(user, LETTERS DIGITS "._-+@\\$");
}

static bool read_port(struct bytes text, uint16_t *port)
{
	unsigned long number = 0;

	if (text.len == 0 || text.len > 5 || !consists_of(text, DIGITS)) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		number = number * 10 + (unsigned)(text.data[i] - '0');
	}
	*port = (uint16_t)number;
	return number >= 1 && number <= UINT16_MAX;
}

static struct bytes from(struct bytes text, size_t at)
{
	return (struct bytes){text.data + at, text.len - at};
}

/* "host", "host:port", "[address]", "[address]:port". */
static bool cut_port(struct bytes text, struct bytes *host, uint16_t *port)
{
	const uint8_t *end;
	struct bytes rest;

	*port = 0;
	if (text.len > 0 && text.data[0] == '[') {
		end = memchr(text.data, ']', text.len);
		if (!end) {
			return false;
		}
		*host = (struct bytes){text.data + 1, (size_t)(end - text.data) - 1};
		rest = from(text, host->len + 2);
		return rest.len == 0 || (rest.data[0] == ':' && read_port(from(rest, 1), port));
	}
	*host = text;
	end = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	if (!end || memchr(end + 1, ':', text.len - (size_t)(end + 1 - text.data))) {
		return true; /* no port, or a bare IPv6 address */
	}
	host->len = (size_t)(end - text.data);
	return read_port(from(text, host->len + 1), port);
}

static int read_jump(struct bytes word, struct route_jump *jump, struct error *err)
{
	struct bytes text = word, user = {NULL, 0}, host = {NULL, 0};

	if (bytes_has_prefix(text, BYTES_LITERAL(SCHEME))) {
		text = from(text, strlen(SCHEME));
	}
	/* The last @ counts, as in ssh: a user's name may hold one. */
	for (size_t i = text.len; i > 0; i--) {
		if (text.data[i - 1] == '@') {
			user = (struct bytes){text.data, i - 1};
			text = from(text, i);
			break;
		}
	}
	if (!cut_port(text, &host, &jump->port) || !is_host(host) ||
	    (user.data && !is_user(user))) {
		return bad_jump(word, err);
	}
	jump->host = strndup((const char *)host.data, host.len);
	jump->user = user.data ? strndup((const char *)user.data, user.len) : NULL;
	return jump->host && (jump->user || !user.data) ? 0 : no_memory(err);
}

int route_read_jumps(const char *text, struct route *route, struct error *err)
{
	struct bytes left = bytes_from_string(text);

	*route = (struct route){.jump_count = 0};
	if (strcmp(text, "none") == 0) {
		return 0;
	}
	for (;;) {
		const uint8_t *comma = left.len > 0 ? memchr(left.data, ',', left.len) : NULL;
		struct bytes word = {left.data, comma ? (size_t)(comma - left.data) : left.len};

		if (route->jump_count == ROUTE_JUMPS_MAX) {
			route_clear(route);
			return error_set(err, ERROR_CONFIG, 0,
					 "ProxyJump: more than %d jump hosts one after the other",
					 ROUTE_JUMPS_MAX);
		}
		if (read_jump(word, &route->jump[route->jump_count++], err) < 0) {
			route_clear(route);
			return -1;
		}
		if (!comma) {
			return 0;
		}
		left = from(left, word.len + 1);
	}
}

int route_set_command(const char *command, struct route *route, struct error *err)
{
	*route = (struct route){.command = strdup(command)};
	return route->command ? 0 : no_memory(err);
}

int route_copy(const struct route *from_route, size_t count, struct route *to, struct error *err)
{
	*to = (struct route){.jump_count = 0};
	for (size_t i = 0; i < count; i++) {
		const struct route_jump *jump = &from_route->jump[i];
		struct route_jump *copy = &to->jump[to->jump_count++];

		copy->host = strdup(jump->host);
		copy->user = jump->user ? strdup(jump->user) : NULL;
		copy->port = jump->port;
		if (!copy->host || (jump->user && !copy->user)) {
			route_clear(to);
			return no_memory(err);
		}
	}
	return 0;
}

void route_clear(struct route *route)
{
	for (size_t i = 0; i < route->jump_count; i++) {
		free(route->jump[i].host);
		free(route->jump[i].user);
	}
	free(route->command);
	*route = (struct route){.jump_count = 0};
}

bool route_print(const struct route *route, char *to, size_t room)
{
	size_t len = 0;

	if (room == 0) {
		return false;
	}
	to[0] = '\0';
	for (size_t i = 0; i < route->jump_count; i++) {
		const struct route_jump *jump = &route->jump[i];
		bool address = strchr(jump->host, ':') != NULL;
		char port[8] = "";
		int n;

		if (jump->port != 0) {
			(void)snprintf(port, sizeof(port), ":%u", jump->port);
		}
		n = snprintf(to + len, room - len, "%s%s%s%s%s%s%s", i > 0 ? "," : "",
			     jump->user ? jump->user : "", jump->user ? "@" : "",
			     address ? "[" : "", jump->host, address ? "]" : "", port);
		if (n < 0 || (size_t)n >= room - len) {
			return false;
		}
		len += (size_t)n;
	}
	return true;
}
