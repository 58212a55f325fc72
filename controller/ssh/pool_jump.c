// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/pool_private.h"

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
#define LOGIN_PHASES 4U

/* A jump host, reached in one way: all who go through it share its sessions. */
struct pool_jump {
	UT_hash_handle hh; /* by key */
	struct pool *pool;
	struct pool_jump *below; /* the one that its own sessions go through */
	struct route route;      /* to it and with it */
	const char *name;        /* as the configuration calls it */
	struct channel *sessions;
	unsigned session_count;
	unsigned starting;
	struct channel *waiting; /* for a session, in order */
	size_t waiting_count;
	size_t carried;
	size_t most; /* carried at once; 0: any number */
	uint32_t connect_timeout_ms;
	uint64_t again_ms; /* no session is begun before */
	bool given_up;     /* nor ever */
	char why[200];     /* the last session ended */
	char key[];
};

/* Not from inside a call that ends channels: whose turn it is now. */
static void later(struct pool *pool)
{
	pool->jumps_due = true;
	pool_wake(pool);
}

/* --- who waits --- */

static void wait_at(struct channel *channel, bool first)
{
	struct pool_jump *jump = channel->jump;
	struct channel **at = &jump->waiting;

	while (!first && *at) {
		at = &(*at)->next_waiting;
	}
	channel->next_waiting = *at;
	*at = channel;
	channel->waiting = true;
	jump->waiting_count++;
}

static void wait_no_more(struct channel *channel)
{
	struct pool_jump *jump = channel->jump;

	for (struct channel **at = &jump->waiting; *at; at = &(*at)->next_waiting) {
		if (*at == channel) {
			*at = channel->next_waiting;
			jump->waiting_count--;
			break;
		}
	}
	channel->waiting = false;
}

static void leave_session(struct channel *channel)
{
	struct channel *session = channel->via;

	if (session) {
		session->carried--;
		session->idle_since_ms = uv_now(channel->pool->loop);
		if (session->opening == channel) {
			session->opening = NULL;
		}
		channel->jump->carried--;
		channel->via = NULL;
	}
}

/* Nothing is known of those that wait: their way is what failed. */
static void fail_waiting(struct pool_jump *jump)
{
	while (jump->waiting) {
		channel_end(jump->waiting, OUTCOME_JUMP_FAILED, "jump host %.80s: %s", jump->name,
			    jump->why);
	}
}

/* --- its sessions --- */

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
				fail_waiting(jump);
			}
			return;
		}
	}
}

static void pump(struct pool_jump *jump)
{
	while (jump->waiting && !is_full(jump)) {
		struct channel *channel = jump->waiting;
		struct channel *session = free_session(jump, channel);

		if (!session) {
			break;
		}
		wait_no_more(channel);
		channel->via = session;
		session->opening = channel;
		session->opening_ticks = 0;
		session->carried++;
		jump->carried++;
		channel_start_via(channel);
	}
	start_more(jump);
}

static void session_ended(struct channel *session)
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
			leave_session(channel);
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
			fail_waiting(jump);
		}
	}
	later(pool);
}

/* --- what channels tell --- */

/* Whether sessions of `jump` going through `below` would lead back to it. */
static bool leads_round(const struct pool_jump *jump, const struct pool_jump *below)
{
	unsigned count = 1;

	for (; below; below = below->below) {
		if (below == jump || ++count > ROUTE_JUMPS_MAX) {
			return true;
		}
	}
	return false;
}

static size_t most_through(const struct pool *pool, const char *name)
{
	for (size_t i = 0; i < pool->jump_limit_count; i++) {
		if (strcmp(pool->jump_limit[i].host, name) == 0) {
			return pool->jump_limit[i].most;
		}
	}
	return 0;
}

static struct pool_jump *find_jump(struct pool *pool, const struct route *route, struct error *err)
{
	char key[ROUTE_TEXT_MAX];
	struct pool_jump *jump = NULL;

	if (!route_print(route, key, sizeof(key))) {
		(void)error_set(err, ERROR_CONFIG, 0, "a route that is too long");
		return NULL;
	}
	HASH_FIND_STR(pool->jumps, key, jump);
	if (jump) {
		return jump;
	}
	jump = calloc(1, sizeof(*jump) + strlen(key) + 1);
	if (!jump || route_copy(route, route->jump_count, &jump->route, err) < 0) {
		free(jump);
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a jump host");
		return NULL;
	}
	memcpy(jump->key, key, strlen(key));
	jump->pool = pool;
	jump->name = jump->route.jump[jump->route.jump_count - 1].host;
	jump->most = most_through(pool, jump->name);
	HASH_ADD_STR(pool->jumps, key, jump);
	if (!jump->hh.tbl) {
		route_clear(&jump->route);
		free(jump);
		(void)error_set(err, ERROR_NOMEM, ENOMEM, "no memory for a jump host");
		return NULL;
	}
	return jump;
}

void channel_jump_join(struct channel *channel)
{
	struct pool *pool = channel->pool;
	struct error err = {0};
	struct pool_jump *jump = find_jump(pool, &channel->route, &err);

	if (!jump) {
		channel_end(channel, OUTCOME_INTERNAL, "%.200s", err.msg);
		return;
	}
	if (channel->carries) {
		if (leads_round(channel->carries, jump)) {
			channel_end(channel, OUTCOME_NO_ROUTE,
				    "ProxyJump leads round in a circle, or over more than %d "
				    "jump hosts",
				    ROUTE_JUMPS_MAX);
			return;
		}
		channel->carries->below = jump;
	}
	if (jump->session_count == 0 && (jump->given_up || uv_now(pool->loop) < jump->again_ms)) {
		channel_end(channel, OUTCOME_JUMP_FAILED, "jump host %.80s: %s", jump->name,
			    jump->why);
		return;
	}
	channel->jump = jump;
	jump->connect_timeout_ms = channel->connect_timeout_ms;
	wait_at(channel, false);
	pump(jump);
}

void channel_jump_stage(struct channel *channel, enum control_stage stage)
{
	if (stage == STAGE_CARRYING && channel->carries && !channel->up) {
		channel->up = true;
		channel->overdue_ms = 0;
		channel->idle_since_ms = uv_now(channel->pool->loop);
		channel->carries->starting--;
		pump(channel->carries);
	}
	if (stage == STAGE_HANDSHAKE && channel->jump) {
		channel->through = true;
		if (channel->via && channel->via->opening == channel) {
			channel->via->opening = NULL;
			pump(channel->jump);
		}
	}
}

/* Where the way was not there for want of room or of the session, another session may have it: once. */
static bool may_move(const struct channel *channel, enum control_via fault, size_t others)
{
	if (channel->through || channel->aborting) {
		return false;
	}
	return fault == VIA_LOST ? !channel->moved
				 : (fault == VIA_FULL || fault == VIA_FORBIDDEN) && others > 0 &&
					   !channel->alone;
}

bool channel_jump_moves(struct channel *channel, enum control_via fault)
{
	struct channel *session = channel->via;
	size_t others = session ? session->carried - 1 : 0;

	if (!channel->jump || !may_move(channel, fault, others)) {
		return false;
	}
	if (session && fault == VIA_FULL) {
		session->most = others;
	}
	channel->moved = channel->moved || fault == VIA_LOST;
	channel->alone = fault != VIA_LOST;
	leave_session(channel);
	if (channel_again(channel)) {
		wait_at(channel, true);
		pump(channel->jump);
	}
	return true;
}

void channel_jump_explain(struct channel *channel, enum control_via fault)
{
	const char *name = channel->jump ? channel->jump->name : "";
	struct channel_close *to = &channel->close;
	size_t len = strlen(to->reason);

	if (!channel->jump) {
		return;
	}
	switch (fault) {
	case VIA_FINE:
		if (to->outcome == OUTCOME_LOST) {
			(void)snprintf(to->reason + len, sizeof(to->reason) - len,
				       " (behind jump host %.80s)", name);
		}
		break;
	case VIA_LOST:
		to->outcome = OUTCOME_JUMP_FAILED;
		(void)snprintf(to->reason, sizeof(to->reason), "jump host %.80s: %s", name,
			       channel->jump->why[0] ? channel->jump->why : "its connection broke");
		break;
	case VIA_FULL:
		to->outcome = OUTCOME_JUMP_FAILED;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "jump host %.80s has no channel left", name);
		break;
	case VIA_FORBIDDEN:
		to->outcome = OUTCOME_JUMP_FAILED;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "jump host %.80s does not forward to %.100s port %u: see "
			       "AllowTcpForwarding and PermitOpen there",
			       name, channel->address, channel->port);
		break;
	case VIA_REFUSED:
		to->outcome = OUTCOME_NO_ROUTE;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "jump host %.80s cannot connect to %.100s port %u", name,
			       channel->address, channel->port);
		break;
	case VIA_SLOW:
		to->outcome = OUTCOME_TIMEOUT;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "jump host %.80s did not connect to %.100s port %u in time", name,
			       channel->address, channel->port);
		break;
	case VIAS:
		break;
	}
}

void channel_jump_leave(struct channel *channel)
{
	if (channel->carries) {
		session_ended(channel);
	}
	if (!channel->jump) {
		return;
	}
	if (channel->waiting) {
		wait_no_more(channel);
	}
	leave_session(channel);
	later(channel->pool);
}

uint64_t channel_jump_patience_ms(const struct channel *channel)
{
	return (uint64_t)channel->connect_timeout_ms * LOGIN_PHASES;
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
		pump(jump);
	}
}

void pool_jumps_pump(struct pool *pool)
{
	struct pool_jump *jump, *next_jump;

	pool->jumps_due = false;
	HASH_ITER (hh, pool->jumps, jump, next_jump) {
		pump(jump);
	}
}

void pool_jumps_clear(struct pool *pool)
{
	struct pool_jump *jump, *next_jump;

	HASH_ITER (hh, pool->jumps, jump, next_jump) {
		/* The analyser does not see that the table forgets it. */
		HASH_DEL(pool->jumps, jump); /* NOLINT(clang-analyzer-unix.Malloc) */
		route_clear(&jump->route);
		free(jump);
	}
}
