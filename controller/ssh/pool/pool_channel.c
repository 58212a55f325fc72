// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/pool/pool_private.h"

#define CONNECT_TIMEOUT_MS 15000U
#define ABORT_MS 5000U

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

void channel_free_all(struct pool *pool)
{
	struct channel *channel, *next;

	HASH_ITER (hh, pool->channels, channel, next) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(pool->channels, channel); /* NOLINT(clang-analyzer-unix.Malloc) */
		channel_stop_resolving(channel);
		free_channel(channel);
	}
	pool->ended = NULL;
}

/* Puts it on the list of those that are told as soon as nobody is in the middle of a call. */
void channel_end_later(struct channel *channel)
{
	struct pool *pool = channel->pool;

	if (channel->child) {
		channel->child->live--;
		channel->child = NULL;
	}
	channel_stop_resolving(channel);
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
	channel_end_later(channel);
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

/* Names go to the resolver, a configuration file and messages: nothing else than names. */
bool channel_is_host_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 255 && name[0] != '-' &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:%-") == len;
}

/* An address needs no resolver, and no thread. */
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

void channel_progress(struct channel *channel, const char *stage)
{
	if (channel->handler.progress) {
		channel->handler.progress(channel->context, stage);
	}
}
