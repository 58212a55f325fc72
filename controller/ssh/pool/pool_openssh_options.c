// SPDX-License-Identifier: MIT
/* What ssh is told of a host, beside what cannot be lifted (openssh_args.c). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controller/ssh/openssh/openssh_jump.h"
#include "controller/ssh/pool/pool_private.h"

#define HALF_MAX 30000U
#define PATH_ROOM 8300U

static void add(struct pool_ssh_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct pool_ssh_options *options, const char *format, ...)
{
	char *at = options->text + options->len;
	size_t room = sizeof(options->text) - options->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(at, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room || options->count == OPENSSH_OPTIONS_MAX) {
		options->full = true;
		return;
	}
	options->item[options->count++] = at;
	options->len += (size_t)len + 1;
}

/* A path that is one: ssh would take a % for a token. */
static const char *without_tokens(const char *path, char to[PATH_ROOM])
{
	size_t len = 0;

	for (; *path && len + 3 < PATH_ROOM; path++) {
		if (*path == '%') {
			to[len++] = '%';
		}
		to[len++] = *path;
	}
	to[len] = '\0';
	return to;
}

/* Lists of paths come with blanks between, as ssh wants them; one path may hold blanks. */
static bool is_one_path(const char *keyword)
{
	return strcmp(keyword, "identityfile") == 0 || strcmp(keyword, "certificatefile") == 0 ||
	       strcmp(keyword, "identityagent") == 0 || strcmp(keyword, "revokedhostkeys") == 0 ||
	       strcmp(keyword, "pkcs11provider") == 0 ||
	       strcmp(keyword, "securitykeyprovider") == 0;
}

/* Whether what was said to muster stands in the place of ssh_config's word. */
static bool is_ours(const struct pool *pool, const struct channel *channel, const char *keyword)
{
	if (strcmp(keyword, "identityfile") == 0 || strcmp(keyword, "certificatefile") == 0 ||
	    strcmp(keyword, "identitiesonly") == 0) {
		return pool->keys_given;
	}
	if (strcmp(keyword, "userknownhostsfile") == 0 ||
	    strcmp(keyword, "globalknownhostsfile") == 0) {
		return pool->known_given;
	}
	return channel->route_given && strcmp(keyword, "proxycommand") == 0;
}

static void add_answer(struct pool_ssh_options *options, const struct channel *channel,
		       const struct ssh_config_answer *answer)
{
	for (size_t i = 0; i < answer->line_count; i++) {
		const struct ssh_config_line *line = &answer->line[i];

		if (!openssh_is_carried(line->keyword) ||
		    is_ours(channel->pool, channel, line->keyword)) {
			continue;
		}
		if (is_one_path(line->keyword) && strchr(line->value, ' ')) {
			add(options, "%s=\"%s\"", line->keyword, line->value);
		} else {
			add(options, "%s=%s", line->keyword, line->value);
		}
	}
}

static void add_known_hosts(struct pool_ssh_options *options, const struct pool *pool)
{
	char list[HALF_MAX];
	size_t len = 0;

	for (size_t i = 0; i < pool->known_file_count && len < sizeof(list); i++) {
		char path[PATH_ROOM];
		int n = snprintf(list + len, sizeof(list) - len, " \"%s\"",
				 without_tokens(pool->known_file[i], path));

		len += n > 0 ? (size_t)n : 0;
	}
	if (len >= sizeof(list)) {
		options->full = true;
	} else if (len > 0) {
		add(options, "UserKnownHostsFile=%s", list + 1);
		add(options, "GlobalKnownHostsFile=none");
	}
}

/* What ssh makes of ProxyJump itself, with locks on the jump hosts too. */
static void add_jumps(struct pool_ssh_options *options, const struct channel *channel)
{
	const struct pool *pool = channel->pool;
	const struct openssh_jumps jumps = {
		.route = &channel->route,
		.config = pool->ssh_config,
		.no_config = !pool->config,
		.known_hosts = (const char *const *)pool->known_file,
		.known_hosts_count = pool->known_file_count,
		.identities = (const char *const *)pool->key_file,
		.identity_count = pool->key_file_count,
		.connect_timeout_ms = channel->connect_timeout_ms,
	};
	char option[128];

	for (size_t i = 0; i < channel->route.jump_count; i++) {
		char *at = options->text + options->len;
		size_t room = sizeof(options->text) - options->len;

		if (!openssh_jump_variable(&jumps, i, at, room)) {
			options->full = true;
			return;
		}
		options->hop[options->hop_count++] = at;
		options->len += strlen(at) + 1;
	}
	if (openssh_jump_option(channel->route.jump_count - 1, option, sizeof(option))) {
		add(options, "%s", option);
	}
}

void pool_ssh_options_fill(struct pool_ssh_options *options, const struct channel *channel,
			   const struct ssh_config_answer *answer)
{
	const struct pool *pool = channel->pool;
	char path[PATH_ROOM];

	options->count = options->hop_count = 0;
	options->len = 0;
	options->full = false;
	if (channel->route.jump_count > 0) {
		add_jumps(options, channel);
	} else if (channel->route_given) {
		add(options, "ProxyCommand=none");
	}
	if (channel->identity) {
		add(options, "IdentityFile=\"%s\"", without_tokens(channel->identity, path));
	}
	for (size_t i = 0; i < pool->key_file_count; i++) {
		add(options, "IdentityFile=\"%s\"", without_tokens(pool->key_file[i], path));
	}
	add_known_hosts(options, pool);
	if (answer) {
		add_answer(options, channel, answer);
	}
}
