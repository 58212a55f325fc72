// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/authreq.h"
#include "controller/ssh/pool_private.h"
#include "controller/ssh/pubkey.h"
#include "schema/escape.h"

#define CONNECT_TIMEOUT_MS 15000U
#define ABORT_MS 5000U
#define OVERDUE_MS 30000U /* beyond the total deadline a child has to end a host */

/* Outlives a channel that ends while the resolver is still at it. */
struct resolving {
	uv_getaddrinfo_t request;
	struct channel *channel;
};

/* --- life --- */

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static struct channel *new_channel(struct pool *pool, const struct target *target,
				   struct pool_jump *carries, const struct channel_handler *handler,
				   void *context, struct error *err)
{
	/* The settings for hosts are not those of the jump hosts before them. */
	const char *user = carries ? pool->login : pool->user;
	uint16_t port = carries ? 0 : pool->port;
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		goto nomem;
	}
	channel->pool = pool;
	channel->id = ++pool->next_id;
	channel->handler = *handler;
	channel->context = context;
	channel->name = copy(target->name);
	channel->address = copy(target->address ? target->address : target->name);
	channel->identity = copy(target->identity);
	channel->user = copy(target->user ? target->user : user);
	channel->port = target->port ? target->port : port ? port : 22;
	channel->carries = carries;
	channel->address_given = target->address != NULL;
	channel->user_given = target->user != NULL || (!carries && pool->user_given);
	channel->port_given = target->port != 0 || port != 0;
	channel->known_hosts = pool->known;
	channel->route_given = target->jump != NULL;
	channel->speaker = target->speaker;
	channel->sudo = target->become == BECOME_SUDO;
	channel->pinned = target->become == BECOME_PINNED;
	channel->connect_timeout_ms = target->connect_timeout_ms ? target->connect_timeout_ms
								 : CONNECT_TIMEOUT_MS;
	channel->timeout_ms = target->timeout_ms;
	channel->cap_bytes = target->cap_bytes;
	if (!channel->name || !channel->address || !channel->user ||
	    (target->identity && !channel->identity)) {
		goto nomem;
	}
	/* One host's bad route is that host's end, not the run's. */
	if (target->jump && route_read_jumps(target->jump, &channel->route, err) < 0) {
		channel->route_is_bad = true;
		(void)snprintf(channel->close.reason, sizeof(channel->close.reason), "%s",
			       err->msg);
	}
	HASH_ADD(hh, pool->channels, id, sizeof(channel->id), channel);
	if (!channel->hh.tbl) {
		route_clear(&channel->route);
		goto nomem;
	}
	if (!carries && pool->guests++ == 0) {
		pool_hold(pool);
	}
	return channel;
nomem:
	if (channel) {
		free(channel->name);
		free(channel->address);
		free(channel->user);
		free(channel->identity);
		free(channel);
	}
	(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a channel");
	return NULL;
}

struct channel *channel_new(struct pool *pool, const struct target *target,
			    const struct channel_handler *handler, void *context, struct error *err)
{
	return new_channel(pool, target, NULL, handler, context, err);
}

struct channel *channel_new_jump(struct pool *pool, const struct target *target,
				 struct pool_jump *jump, const struct channel_handler *handler,
				 struct error *err)
{
	return new_channel(pool, target, jump, handler, NULL, err);
}

static void free_channel(struct channel *channel)
{
	free(channel->name);
	free(channel->address);
	free(channel->user);
	free(channel->identity);
	free(channel->key_alias);
	route_clear(&channel->route);
	free(channel->hostkey);
	free(channel);
}

void channel_tell_and_free(struct channel *channel)
{
	channel->close.excerpt.data = channel->excerpt;
	channel->close.transport = channel->transport[0] ? channel->transport : NULL;
	if (channel->hh.tbl) {
		HASH_DEL(channel->pool->channels, channel);
	}
	channel->pool->guests -= !channel->carries;
	channel->handler.closed(channel->context, &channel->close);
	free_channel(channel);
}

static void stop_resolving(struct channel *channel)
{
	if (channel->resolving) {
		channel->resolving->channel = NULL;
		(void)uv_cancel((uv_req_t *)&channel->resolving->request);
		channel->resolving = NULL;
	}
}

void channel_free_all(struct pool *pool)
{
	struct channel *channel, *next;

	HASH_ITER (hh, pool->channels, channel, next) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(pool->channels, channel); /* NOLINT(clang-analyzer-unix.Malloc) */
		stop_resolving(channel);
		free_channel(channel);
	}
	pool->ended = NULL;
}

/* Puts it on the list of those that are told as soon as nobody is in the middle of a call. */
static void end_later(struct channel *channel)
{
	struct pool *pool = channel->pool;

	if (channel->child) {
		channel->child->live--;
		channel->child = NULL;
	}
	stop_resolving(channel);
	channel->state = CHANNEL_ENDED;
	channel_jump_leave(channel);
	channel->next_ended = NULL;
	*pool->ended_tail = channel;
	pool->ended_tail = &channel->next_ended;
	pool_wake(pool);
}

void channel_end(struct channel *channel, enum outcome outcome, const char *format, ...)
{
	va_list args;

	if (channel->state == CHANNEL_ENDED) {
		return;
	}
	if (!channel->aborting) {
		channel->close.outcome = outcome;
		va_start(args, format);
		(void)vsnprintf(channel->close.reason, sizeof(channel->close.reason), format, args);
		va_end(args);
	}
	end_later(channel);
}

void channel_abort(struct channel *channel, enum outcome outcome, const char *reason)
{
	struct control_message message = {.type = CONTROL_ABORT, .abort_id = channel->id};

	if (channel->aborting) {
		return;
	}
	if (channel->openssh) {
		openssh_abort(channel->openssh);
	} else if (channel->state != CHANNEL_STARTED ||
		   !link_send(&channel->child->process->link, &message)) {
		channel_end(channel, outcome, "%s", reason);
		return;
	}
	channel->aborting = true;
	channel->close.outcome = outcome;
	(void)snprintf(channel->close.reason, sizeof(channel->close.reason), "%s", reason);
	channel->overdue_ms = channel->openssh ? 0 : uv_now(channel->pool->loop) + ABORT_MS;
}

/* --- which host keys --- */

static bool is_revoked(const struct channel *channel, struct bytes blob,
		       const struct known_host **by)
{
	for (size_t i = 0; i < channel->known_count; i++) {
		if (channel->known[i].kind == KNOWN_REVOKED &&
		    bytes_equal(channel->known[i].blob, blob)) {
			*by = &channel->known[i];
			return true;
		}
	}
	return false;
}

static bool is_pin(const struct channel *channel, size_t i)
{
	const struct known_host *by;

	return channel->known[i].kind == KNOWN_KEY &&
	       pubkey_hostkey_algorithms(pubkey_type(channel->known[i].blob)) &&
	       !is_revoked(channel, channel->known[i].blob, &by);
}

static void find_known(struct channel *channel)
{
	struct known_hosts *known = channel->known_hosts;
	const char *name = channel->key_alias ? channel->key_alias : channel->address;
	uint16_t port = channel->key_alias ? 0 : channel->port;

	channel->known_count = known_hosts_find(known, name, port, channel->known, POOL_KNOWN_MAX);
	if (channel->known_count == 0 && port != 0 && port != 22) {
		/* As ssh does: the same key may stand there without the port. */
		channel->known_count =
			known_hosts_find(known, name, 0, channel->known, POOL_KNOWN_MAX);
		channel->known_by_name_only = channel->known_count > 0;
	}
}

/* Fills pins and the algorithms that make the server show a key of their types. */
static void set_pins(const struct channel *channel, struct control_start *start, char *types,
		     size_t room)
{
	size_t len = 0;

	types[0] = '\0';
	for (size_t i = 0; i < channel->known_count; i++) {
		const char *algorithms;

		if (!is_pin(channel, i) || start->pin_count == CONTROL_PINS_MAX) {
			continue;
		}
		algorithms = pubkey_hostkey_algorithms(pubkey_type(channel->known[i].blob));
		start->pin[start->pin_count++] = channel->known[i].blob;
		if (!strstr(types, algorithms)) {
			int n = snprintf(types + len, room - len, "%s%s", len > 0 ? "," : "",
					 algorithms);

			len += n > 0 ? (size_t)n : 0;
		}
	}
	start->hostkey_types = bytes_from_string(types);
}

/* --- start --- */

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
		set_pins(channel, start, types, sizeof(types));
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

bool channel_again(struct channel *channel)
{
	struct pool *pool = channel->pool;
	bool has_room;

	HASH_DEL(pool->channels, channel);
	channel->id = ++pool->next_id;
	HASH_ADD(hh, pool->channels, id, sizeof(channel->id), channel);
	has_room = channel->hh.tbl;
	if (channel->child) {
		channel->child->live--;
		channel->child = NULL;
	}
	channel->state = CHANNEL_RESOLVING;
	channel->overdue_ms = 0;
	if (!channel->keys_chosen) {
		channel->key_count = channel->own_key_count;
	}
	if (!has_room) {
		channel_end(channel, OUTCOME_INTERNAL, "no memory to start it again");
	}
	return has_room;
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

/* Names go to the resolver, a configuration file and messages: nothing else than names. */
bool channel_is_host_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 255 && name[0] != '-' &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:%-") == len;
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

void channel_begin(struct channel *channel)
{
	if (channel->route_is_bad) {
		channel->close.outcome = OUTCOME_NO_ROUTE;
		end_later(channel);
		return;
	}
	if (!channel_is_host_name(channel->address)) {
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

void channel_progress(struct channel *channel, const char *stage)
{
	if (channel->handler.progress) {
		channel->handler.progress(channel->context, stage);
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

	find_known(channel);
	for (size_t i = 0; i < channel->known_count; i++) {
		pins += is_pin(channel, i);
		authorities += channel->known[i].kind == KNOWN_AUTHORITY;
	}
	why = channel_choose(channel, answer, pins, authorities);
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

/* --- what its child says --- */

/*
 * The child has escaped what came from the host, and is not trusted to have done it: all but the
 * backslashes of its escapes is escaped again.
 */
static void take_reason(struct channel *channel, struct bytes text)
{
	char *to = channel->close.reason;
	size_t room = sizeof(channel->close.reason);

	to[0] = '\0';
	while (text.len > 0 && room > 2) {
		const uint8_t *slash = memchr(text.data, '\\', text.len);
		size_t run = slash ? (size_t)(slash - text.data) : text.len;
		size_t used = escape_bytes(ESCAPE_TEXT, bytes_make(text.data, run), to, room);

		to += used;
		room -= used;
		if (slash && room > 2) {
			*to++ = '\\';
			*to = '\0';
			room--;
			run++;
		}
		text.data += run;
		text.len -= run;
	}
}

/* What to do about a host key, in words: fingerprints, file and line. */
static void explain_key(struct channel *channel, struct bytes blob)
{
	char got[PUBKEY_FINGERPRINT_SIZE], pinned[PUBKEY_FINGERPRINT_SIZE];
	const struct known_host *known = NULL;
	struct bytes type = pubkey_type(blob);
	struct channel_close *to = &channel->close;

	pubkey_fingerprint(blob, got);
	if (is_revoked(channel, blob, &known)) {
		to->outcome = OUTCOME_KEY_MISMATCH;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "its host key %s is revoked by %.100s:%u", got, known->file,
			       known->line);
		return;
	}
	for (size_t i = 0; i < channel->known_count && !known; i++) {
		if (is_pin(channel, i) && bytes_equal(pubkey_type(channel->known[i].blob), type)) {
			known = &channel->known[i];
		}
	}
	if (to->outcome == OUTCOME_KEY_MISMATCH && known && !channel->known_by_name_only) {
		pubkey_fingerprint(known->blob, pinned);
		(void)snprintf(to->reason, sizeof(to->reason),
			       "host key changed: got %s, expected %s from %.90s:%u", got, pinned,
			       known->file, known->line);
		return;
	}
	to->outcome = OUTCOME_KEY_UNKNOWN;
	(void)snprintf(to->reason, sizeof(to->reason),
		       "its host key %.*s %s is not known: compare, then `muster hosts keys %.80s "
		       "--import FILE`",
		       (int)(type.len < 30 ? type.len : 30), (const char *)type.data, got,
		       channel->name);
}

static void on_closed(struct channel *channel, const struct control_closed *closed)
{
	struct channel_close *to = &channel->close;

	if (channel_fall_back(channel, closed)) {
		return;
	}
	to->sent_bytes = closed->sent_bytes;
	to->received_bytes = closed->received_bytes;
	to->probe_bytes = closed->probe_bytes;
	memcpy(channel->excerpt, closed->excerpt.data, closed->excerpt.len);
	to->excerpt.len = closed->excerpt.len;
	if (channel->aborting) {
		end_later(channel);
		return;
	}
	if (channel_jump_moves(channel, closed->via)) {
		return;
	}
	to->outcome = closed->outcome;
	take_reason(channel, closed->reason);
	if (channel->fetching) {
		channel->hostkey = closed->hostkey.len > 0 ? malloc(closed->hostkey.len) : NULL;
		if (channel->hostkey) {
			memcpy(channel->hostkey, closed->hostkey.data, closed->hostkey.len);
			channel->hostkey_len = closed->hostkey.len;
		}
	} else if (closed->hostkey.len > 0 && (closed->outcome == OUTCOME_KEY_UNKNOWN ||
					       closed->outcome == OUTCOME_KEY_MISMATCH)) {
		explain_key(channel, closed->hostkey);
	} else if (closed->outcome == OUTCOME_AUTH_FAILED && channel->refused) {
		to->outcome = OUTCOME_INTERNAL;
		(void)snprintf(to->reason, sizeof(to->reason), "nothing was signed: %s",
			       channel->refused);
	}
	channel_jump_explain(channel, closed->via);
	end_later(channel);
}

static const char *check_sign(struct channel *channel, const struct control_sign *sign,
			      struct authreq *request)
{
	bool pinned = false;

	if (sign->key >= channel->key_count || !authreq_read(sign->data, request)) {
		return "the request is no login";
	}
	if (!bytes_equal_string(request->user, channel->user) ||
	    !bytes_equal(request->blob, keys_blob(channel->pool->keys, channel->key[sign->key]))) {
		return "the request is for another user or key";
	}
	for (size_t i = 0; i < channel->known_count; i++) {
		pinned = pinned ||
			 (is_pin(channel, i) && bytes_equal(channel->known[i].blob, sign->hostkey));
	}
	if (!pinned) {
		return "the session is not with a known host key";
	}
	if (channel->session_id_len == 0) {
		if (!pubkey_verify(sign->hostkey, sign->signature, request->session_id)) {
			return "the host has not signed the session";
		}
		memcpy(channel->session_id, request->session_id.data, request->session_id.len);
		channel->session_id_len = request->session_id.len;
	}
	return bytes_equal(request->session_id,
			   bytes_make(channel->session_id, channel->session_id_len))
		       ? NULL
		       : "the session is another one";
}

void channel_signed(struct channel *channel, struct bytes value)
{
	if (channel->state == CHANNEL_STARTED &&
	    !link_send_data(&channel->child->process->link, CONTROL_SIGNED, channel->id, value)) {
		channel_end(channel, OUTCOME_INTERNAL, "no memory for a signature");
	}
}

static void on_signed(void *context, uint64_t id, struct bytes value)
{
	struct pool *pool = context;
	struct channel *channel = NULL;

	HASH_FIND(hh, pool->channels, &id, sizeof(id), channel);
	if (channel) {
		channel_signed(channel, value);
	}
}

static void on_sign(struct channel *channel, const struct control_sign *sign)
{
	struct authreq request;
	const char *refused = check_sign(channel, sign, &request);

	if (refused) {
		channel->refused = refused;
		channel_signed(channel, (struct bytes){NULL, 0});
		return;
	}
	keys_sign(channel->pool->keys, channel->key[sign->key], request.algorithm, sign->data,
		  on_signed, channel->pool, channel->id);
}

void channel_message(struct channel *channel, const struct control_message *message)
{
	static const char *const stages[STAGES] = {
		[STAGE_CONNECTING] = "connecting",      [STAGE_HANDSHAKE] = "connected",
		[STAGE_AUTH] = "host key accepted",     [STAGE_BOOTSTRAP] = "logged in",
		[STAGE_UPLOAD] = "sending the probe",   [STAGE_RUNNING] = "probe started",
		[STAGE_CARRYING] = "goes on from here",
	};

	switch (message->type) {
	case CONTROL_STAGE:
		channel_jump_stage(channel, message->stage.stage);
		channel_progress(channel, stages[message->stage.stage]);
		break;
	case CONTROL_FRAME:
		if (!channel->aborting) {
			channel->handler.frame(channel->context, message->data.payload);
		}
		break;
	case CONTROL_SIGN:
		on_sign(channel, &message->sign);
		break;
	case CONTROL_CLOSED:
		on_closed(channel, &message->closed);
		break;
	case CONTROL_PROBE:
	case CONTROL_START:
	case CONTROL_SEND:
	case CONTROL_PAUSE:
	case CONTROL_ABORT:
	case CONTROL_SIGNED:
	case CONTROL_READY:
		break;
	}
}
