// SPDX-License-Identifier: MIT
/* Jump hosts: who waits for one, who goes through it, and what that means for how a channel ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/pool/pool_private.h"
#include "schema/escape.h"

#define LOGIN_PHASES 4U

void jump_later(struct pool *pool)
{
	pool->jumps_due = true;
	pool_wake(pool);
}

static void jump_wait_at(struct channel *channel, bool first)
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

void jump_wait_no_more(struct channel *channel)
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

void jump_leave_session(struct channel *channel)
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
/*
 * Whoever would go through a jump host that libssh2 cannot log in to goes all of the way by ssh. What
 * goes through it is another jump host's session as a rule: then that one's hosts do. False: neither, so
 * that this way is its end.
 */
static bool turn_to_ssh(struct channel *channel, const struct pool_jump *jump)
{
	if (channel->carries) {
		if (!channel->carries->by_ssh[0]) {
			memcpy(channel->carries->by_ssh, jump->by_ssh, sizeof(jump->by_ssh));
		}
		return false;
	}
	if (!jump->by_ssh[0] || channel->speaker != SPEAKER_AUTO || channel->fetching) {
		return false;
	}
	channel->jump = NULL;
	channel_by_ssh(channel, jump->by_ssh);
	return true;
}

void jump_fail_waiting(struct pool_jump *jump)
{
	while (jump->waiting) {
		struct channel *channel = jump->waiting;

		jump_wait_no_more(channel);
		if (!turn_to_ssh(channel, jump)) {
			channel_end(channel, OUTCOME_JUMP_FAILED, "jump host %.80s: %s", jump->name,
				    jump->why);
		}
	}
}

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
	if (jump->by_ssh[0] && turn_to_ssh(channel, jump)) {
		return;
	}
	if (jump->session_count == 0 && (jump->given_up || uv_now(pool->loop) < jump->again_ms)) {
		channel_end(channel, OUTCOME_JUMP_FAILED, "jump host %.80s: %s", jump->name,
			    jump->why);
		return;
	}
	channel->jump = jump;
	jump->connect_timeout_ms = channel->connect_timeout_ms;
	jump_wait_at(channel, false);
	jump_pump(jump);
}

void channel_jump_stage(struct channel *channel, enum control_stage stage)
{
	if (stage == STAGE_CARRYING && channel->carries && !channel->up) {
		channel->up = true;
		channel->overdue_ms = 0;
		channel->idle_since_ms = uv_now(channel->pool->loop);
		channel->carries->starting--;
		jump_pump(channel->carries);
	}
	if (stage == STAGE_HANDSHAKE && channel->jump) {
		channel->through = true;
		if (channel->via && channel->via->opening == channel) {
			channel->via->opening = NULL;
			jump_pump(channel->jump);
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
	jump_leave_session(channel);
	if (channel_again(channel)) {
		jump_wait_at(channel, true);
		jump_pump(channel->jump);
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

void channel_jump_by_ssh(struct channel *session, const char *why)
{
	struct pool_jump *jump = session->carries;

	(void)snprintf(jump->by_ssh, sizeof(jump->by_ssh), "jump host %.60s: %.45s", jump->name,
		       why);
}

/*
 * Where the way ended before the host could say a word, what stands on standard error is what the ssh of a
 * jump host had to say: no banner comes before the exchange of versions.
 */
void channel_jump_explain_ssh(struct channel *channel)
{
	static const char *const early[] = {"kex_exchange_identification: ",
					    "banner exchange: Connection to UNKNOWN port "};
	struct bytes said = {channel->excerpt, channel->close.excerpt.len};
	struct channel_close *to = &channel->close;
	char jumps[ROUTE_TEXT_MAX], text[300];

	if (channel->route.jump_count == 0 || channel->jump || channel->through ||
	    to->outcome != OUTCOME_LOST || said.len == 0 ||
	    (strncmp(to->reason, early[0], strlen(early[0])) != 0 &&
	     strncmp(to->reason, early[1], strlen(early[1])) != 0) ||
	    !route_print(&channel->route, jumps, sizeof(jumps))) {
		return;
	}
	while (said.len > 0 && said.data[said.len - 1] <= ' ') {
		said.len--;
	}
	if (memmem(said.data, said.len, "open failed: connect failed", 27)) {
		to->outcome = OUTCOME_NO_ROUTE;
		(void)snprintf(to->reason, sizeof(to->reason),
			       "jump host %.200s cannot connect to %.100s port %u", jumps,
			       channel->address, channel->port);
		return;
	}
	to->outcome = OUTCOME_JUMP_FAILED;
	(void)snprintf(to->reason, sizeof(to->reason), "jump host %.200s: %s", jumps,
		       escape_text(said, text, sizeof(text)));
}

void channel_jump_leave(struct channel *channel)
{
	if (channel->carries) {
		jump_session_ended(channel);
	}
	if (!channel->jump) {
		return;
	}
	if (channel->waiting) {
		jump_wait_no_more(channel);
	}
	jump_leave_session(channel);
	jump_later(channel->pool);
}

uint64_t channel_jump_patience_ms(const struct channel *channel)
{
	return (uint64_t)channel->connect_timeout_ms * LOGIN_PHASES;
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
