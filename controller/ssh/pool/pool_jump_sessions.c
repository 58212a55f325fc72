// SPDX-License-Identifier: MIT
/* The sessions of jump hosts: how many there are, who goes by which, and their ends. */
#include <stdio.h>
#include <string.h>

#include "controller/ssh/pool/pool_private.h"

/* Logging in to a jump host in great numbers at once is what its MaxStartups is against. */
#define STARTING_MAX 2U
#define SESSIONS_MAX 32U
/*
 * libssh2 has one request for a channel out at a time: one that is not answered is worth another
 * session to those that wait behind it, after so many seconds in which this process could have heard.
 */
#define STUCK_TICKS 3U
#define IDLE_MS 30000U
#define AGAIN_MS 2000U /* not sooner after a session that did not come up */

static void on_frame(void *context, struct bytes payload)
{
	(void)context;
	(void)payload;
}

/* What there is to do was done when it ended: channel_jump_leave. */
static void on_closed(void *context, const struct channel_close *close)
{
	(void)context;
	(void)close;
}

static int start_session(struct pool_jump *jump, struct error *err)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	const struct route_jump *last = &jump->route.jump[jump->route.jump_count - 1];
	struct target target = {
		.name = last->host,
		.user = last->user,
		.port = last->port,
		.connect_timeout_ms = jump->connect_timeout_ms,
	};
	struct channel *session;

	session = channel_new_jump(jump->pool, &target, jump, &handler, err);
	if (!session) {
		return -1;
	}
	if (jump->route.jump_count > 1) {
		session->route_given = true;
		if (route_copy(&jump->route, jump->route.jump_count - 1, &session->route, err) <
		    0) {
			session->route_is_bad = true;
		}
	}
	session->most = jump->pool->jump_channels;
	session->next_session = jump->sessions;
	jump->sessions = session;
	jump->session_count++;
	jump->starting++;
	channel_begin(session);
	return 0;
}

static bool takes_more(const struct channel *session)
{
	return session->up && !session->aborting && session->carried < session->most;
}

static struct channel *free_session(const struct pool_jump *jump, const struct channel *channel)
{
	struct channel *best = NULL;

	for (struct channel *s = jump->sessions; s; s = s->next_session) {
		if (takes_more(s) && !s->opening && (!channel->alone || s->carried == 0) &&
		    (!best || s->carried < best->carried)) {
			best = s;
		}
	}
	return best;
}

/* How many of those that wait will find a place without another session. */
static size_t places(const struct pool_jump *jump)
{
	size_t free_places = (size_t)jump->starting * jump->pool->jump_channels;

	for (const struct channel *s = jump->sessions; s; s = s->next_session) {
		if (takes_more(s)) {
			free_places += s->most - s->carried;
		}
	}
	return free_places;
}

/* Every session that has a place waits for an answer, and has waited for some time. */
static bool is_stuck(const struct pool_jump *jump)
{
	for (const struct channel *s = jump->sessions; s; s = s->next_session) {
		if (takes_more(s) && (!s->opening || s->opening_ticks < STUCK_TICKS)) {
			return false;
		}
	}
	return jump->starting == 0;
}

static bool is_full(const struct pool_jump *jump)
{
	return jump->most != 0 && jump->carried >= jump->most;
}

/* How many of those that wait may go on as far as the limit is concerned. */
static size_t may_go(const struct pool_jump *jump)
{
	size_t room = is_full(jump) ? 0 : jump->most - jump->carried;

	return jump->most != 0 && room < jump->waiting_count ? room : jump->waiting_count;
}

static void start_more(struct pool_jump *jump)
{
	uint64_t now_ms = uv_now(jump->pool->loop);
	struct error err = {0};

	while (may_go(jump) > 0 && jump->starting < STARTING_MAX &&
	       jump->session_count < SESSIONS_MAX && now_ms >= jump->again_ms && !jump->given_up &&
	       (may_go(jump) > places(jump) || is_stuck(jump) ||
		(jump->waiting && jump->waiting->alone && jump->starting == 0))) {
		if (start_session(jump, &err) < 0) {
			(void)snprintf(jump->why, sizeof(jump->why), "%.190s", err.msg);
			jump->again_ms = now_ms + AGAIN_MS;
			if (jump->session_count == 0) {
				jump_fail_waiting(jump);
			}
			return;
		}
	}
}

void jump_pump(struct pool_jump *jump)
{
	while (jump->waiting && !is_full(jump)) {
		struct channel *channel = jump->waiting;
		struct channel *session = free_session(jump, channel);

		if (!session) {
			break;
		}
		jump_wait_no_more(channel);
		channel->via = session;
		session->opening = channel;
		session->opening_ticks = 0;
		session->carried++;
		jump->carried++;
		channel_start_via(channel);
	}
	start_more(jump);
}

void jump_session_ended(struct channel *session)
{
	struct pool_jump *jump = session->carries;
	struct pool *pool = jump->pool;
	bool came_up = session->up;
	struct channel *channel, *next;

	for (struct channel **at = &jump->sessions; *at; at = &(*at)->next_session) {
		if (*at == session) {
			*at = session->next_session;
			jump->session_count--;
			jump->starting -= !came_up;
			break;
		}
	}
	session->up = false;
	/* Their own ends follow, and name the jump host. */
	HASH_ITER (hh, pool->channels, channel, next) {
		if (channel->via == session) {
			jump_leave_session(channel);
		}
	}
	if (!session->aborting) {
		(void)snprintf(jump->why, sizeof(jump->why), "%s: %.170s",
			       outcome_name(session->close.outcome), session->close.reason);
	}
	if (!came_up) {
		jump->again_ms = uv_now(pool->loop) + AGAIN_MS;
		/* A host key, a login: another try would end in the same way. */
		jump->given_up = outcome_class(session->close.outcome) != OUTCOME_CLASS_UNREACHABLE;
		if (jump->session_count == 0) {
			jump_fail_waiting(jump);
		}
	}
	jump_later(pool);
}

void pool_jumps_tick(struct pool *pool)
{
	uint64_t now_ms = uv_now(pool->loop);
	struct pool_jump *jump, *next_jump;

	HASH_ITER (hh, pool->jumps, jump, next_jump) {
		struct channel *session = jump->sessions;

		while (session) {
			struct channel *next = session->next_session;

			session->opening_ticks++;
			if (session->up && !session->aborting && session->carried == 0 &&
			    !jump->waiting && now_ms - session->idle_since_ms > IDLE_MS) {
				channel_abort(session, OUTCOME_NOT_ASKED, "nobody goes through it");
			}
			session = next;
		}
		jump_pump(jump);
	}
}

void pool_jumps_pump(struct pool *pool)
{
	struct pool_jump *jump, *next_jump;

	pool->jumps_due = false;
	HASH_ITER (hh, pool->jumps, jump, next_jump) {
		jump_pump(jump);
	}
}
