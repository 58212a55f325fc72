// SPDX-License-Identifier: MIT
/* From a channel to what its child is told to begin with. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/pool/pool_private.h"
#include "schema/escape.h"

#define OVERDUE_MS 30000U /* beyond the total deadline a child has to end a host */

/* Outlives a channel that ends while the resolver is still at it. */
struct resolving {
	uv_getaddrinfo_t request;
	struct channel *channel;
};

/* --- what its child gets --- */

static void set_addresses(struct control_start *start, const struct addrinfo *info, uint16_t port)
{
	for (; info && start->address_count < CONTROL_ADDRESSES_MAX; info = info->ai_next) {
		struct control_address *to = &start->address[start->address_count];

		if (info->ai_family == AF_INET) {
			const struct sockaddr_in *in = (const void *)info->ai_addr;

			to->ip = bytes_make(&in->sin_addr, 4);
		} else if (info->ai_family == AF_INET6) {
			const struct sockaddr_in6 *in6 = (const void *)info->ai_addr;

			to->ip = bytes_make(&in6->sin6_addr, 16);
			to->scope = in6->sin6_scope_id;
		} else {
			continue;
		}
		to->port = port;
		start->address_count++;
	}
}

size_t channel_key_count(const struct channel *channel)
{
	return channel->keys_chosen ? channel->key_count : channel->pool->own_keys;
}

static void offer_keys(struct channel *channel, struct control_start *start)
{
	struct keys *keys = channel->pool->keys;

	if (!channel->keys_chosen) {
		for (size_t i = 0; i < channel->pool->own_keys; i++) {
			channel_offer(channel, i);
		}
	}
	for (size_t i = 0; i < channel->key_count; i++) {
		start->key[start->key_count++] = keys_blob(keys, channel->key[i]);
	}
}

static bool send_start(struct channel *channel, const struct addrinfo *info, struct error *err)
{
	struct control_message message = {.type = CONTROL_START};
	struct control_start *start = &message.start;
	char types[512];

	*start = (struct control_start){
		.id = channel->id,
		.jump = channel->carries != NULL,
		.via = channel->via ? channel->via->id : 0,
		.user = bytes_from_string(channel->user),
		.sudo = channel->sudo,
		.pinned = channel->pinned,
		.connect_timeout_ms = channel->connect_timeout_ms,
		.timeout_ms = channel->timeout_ms,
		.cap_bytes = channel->cap_bytes,
	};
	if (channel->via) {
		start->host = bytes_from_string(channel->address);
		start->port = channel->port;
	} else {
		set_addresses(start, info, channel->port);
	}
	if (channel->fetching) {
		start->hostkey_types = bytes_from_string(channel->fetch_types);
	} else {
		channel_set_pins(channel, start, types, sizeof(types));
		offer_keys(channel, start);
	}
	if (start->pin_count > 0 && start->key_count == 0) {
		channel_end(channel, OUTCOME_AUTH_FAILED,
			    "there is no key to log in with: --identity FILE, or ssh-agent");
		return true;
	}
	channel->child = channel->via ? channel->via->child : pool_take_child(channel->pool, err);
	if (!channel->child) {
		return false;
	}
	channel->child->live++;
	channel->state = CHANNEL_STARTED;
	if (channel->timeout_ms != 0) {
		channel->overdue_ms = uv_now(channel->pool->loop) + channel->timeout_ms +
				      OVERDUE_MS;
	} else if (channel->carries) {
		channel->overdue_ms = uv_now(channel->pool->loop) +
				      channel_jump_patience_ms(channel) + OVERDUE_MS;
	}
	if (!link_send(&channel->child->process->link, &message)) {
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory to start a session");
		return false;
	}
	return true;
}

static void start(struct channel *channel, const struct addrinfo *info)
{
	struct error err = {0};

	if (!send_start(channel, info, &err)) {
		channel_end(channel, OUTCOME_INTERNAL, "%.200s", err.msg);
	}
}

void channel_start_via(struct channel *channel)
{
	start(channel, NULL);
}

/* --- its address --- */

void channel_stop_resolving(struct channel *channel)
{
	if (channel->resolving) {
		channel->resolving->channel = NULL;
		(void)uv_cancel((uv_req_t *)&channel->resolving->request);
		channel->resolving = NULL;
	}
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *info)
{
	struct resolving *resolving = (struct resolving *)request;
	struct channel *channel = resolving->channel;

	if (channel) {
		channel->resolving = NULL;
		if (status == 0 && info) {
			start(channel, info);
		} else {
			channel_end(channel, OUTCOME_NAME_UNKNOWN, "%.100s does not resolve: %s",
				    channel->address, uv_strerror(status));
		}
	}
	uv_freeaddrinfo(info);
	free(resolving);
}

/* An address needs no resolver, and no thread. */
static bool start_numeric(struct channel *channel)
{
	struct sockaddr_storage storage;
	struct addrinfo info = {.ai_addr = (struct sockaddr *)&storage};

	if (uv_ip4_addr(channel->address, channel->port, (struct sockaddr_in *)&storage) == 0) {
		info.ai_family = AF_INET;
	} else if (uv_ip6_addr(channel->address, channel->port, (struct sockaddr_in6 *)&storage) ==
		   0) {
		info.ai_family = AF_INET6;
	} else {
		return false;
	}
	start(channel, &info);
	return true;
}

static void resolve(struct channel *channel)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct resolving *resolving = calloc(1, sizeof(*resolving));

	if (!resolving) {
		channel_end(channel, OUTCOME_INTERNAL, "no memory to resolve a name");
		return;
	}
	resolving->channel = channel;
	if (uv_getaddrinfo(channel->pool->loop, &resolving->request, on_resolved, channel->address,
			   NULL, &hints) != 0) {
		free(resolving);
		channel_end(channel, OUTCOME_INTERNAL, "the resolver cannot be started");
		return;
	}
	channel->resolving = resolving;
}

/* A colon is an IPv6 address's: "web1:22:" was meant otherwise, and no resolver should be asked. */
static bool can_be_address(const char *address)
{
	char plain[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	size_t len = strcspn(address, "%");

	if (!channel_is_host_name(address)) {
		return false;
	}
	if (!strchr(address, ':')) {
		return true;
	}
	if (len >= sizeof(plain)) {
		return false;
	}
	memcpy(plain, address, len);
	plain[len] = '\0';
	return inet_pton(AF_INET6, plain, &in6) == 1;
}

void channel_begin(struct channel *channel)
{
	if (channel->route_is_bad) {
		channel->close.outcome = OUTCOME_NO_ROUTE;
		channel_end_later(channel);
		return;
	}
	if (!can_be_address(channel->address)) {
		char text[200];

		escape_text(bytes_from_string(channel->address), text, sizeof(text));
		channel_end(channel, OUTCOME_NAME_UNKNOWN, "%.150s is no host name", text);
		return;
	}
	if (!channel_own_identity(channel)) {
		return;
	}
	if (channel->pool->config) {
		channel_ask_config(channel);
	} else {
		channel_go(channel, NULL);
	}
}

/* What libssh2 cannot do, where ssh is not to be asked. */
static bool is_beyond(struct channel *channel, size_t pins, size_t authorities)
{
	if (channel->route.command) {
		channel_end(channel, OUTCOME_NO_ROUTE,
			    "ssh_config reaches it by ProxyCommand %.100s, which libssh2 "
			    "cannot do",
			    channel->route.command);
		return true;
	}
	if (!channel->fetching && pins == 0 && authorities > 0) {
		channel_end(channel, OUTCOME_KEY_UNKNOWN,
			    "only a @cert-authority is known for it (%.100s:%u), which libssh2 "
			    "cannot check: import its plain key with `muster hosts keys`",
			    channel->known[0].file, channel->known[0].line);
		return true;
	}
	return false;
}

void channel_go(struct channel *channel, const struct ssh_config_answer *answer)
{
	size_t pins = 0, authorities = 0;
	const char *why;

	channel_find_known(channel);
	for (size_t i = 0; i < channel->known_count; i++) {
		pins += channel_is_pin(channel, i);
		authorities += channel->known[i].kind == KNOWN_AUTHORITY;
	}
	why = channel_choose(channel, answer, pins, authorities);
	if (why && channel->carries) {
		channel_jump_by_ssh(channel, why);
		channel_end(channel, OUTCOME_NO_ROUTE, "libssh2 cannot log in to it (%s)", why);
		return;
	}
	if (why) {
		channel_by_ssh(channel, why);
		return;
	}
	(void)snprintf(channel->transport, sizeof(channel->transport), "libssh2");
	if (is_beyond(channel, pins, authorities)) {
		return;
	}
	if (channel->route.jump_count > 0) {
		channel_jump_join(channel);
	} else if (!start_numeric(channel)) {
		resolve(channel);
	}
}
