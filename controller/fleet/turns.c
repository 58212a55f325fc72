// SPDX-License-Identifier: MIT
#include "controller/fleet/turns.h"

#include <assert.h>
#include <stdlib.h>

#define NOBODY SIZE_MAX

enum state {
	STATE_WAITING, /* had no turn yet, or waits in a queue */
	STATE_RUNNING,
	STATE_READING, /* running, and reads everything */
	STATE_PARKED,
	STATE_RETRY,
	STATE_OVER,
};

/* First in, first out, through `next` of the hosts. */
struct queue {
	size_t first, last;
};

struct host {
	enum state state;
	unsigned attempt;
	size_t next; /* in its queue */
	uint64_t due_ms;
	const size_t *limits;
	size_t limit_count;
};

struct limit {
	size_t most;
	size_t running;
	struct queue waiting;
};

struct turns {
	struct turns_config config;
	struct host *host;
	struct limit *limit;
	size_t fresh; /* the first that had no turn and is in no queue */
	struct queue ready;
	struct queue parked;
	size_t parked_count;
	size_t running;
	size_t reading;
	size_t retries;
	size_t over;
	uint64_t next_due_ms; /* no retry is due before */
	bool closed;
	bool held; /* those that read everything */
};

static void put(struct turns *turns, struct queue *queue, size_t index)
{
	turns->host[index].next = NOBODY;
	if (queue->first == NOBODY) {
		queue->first = index;
	} else {
		turns->host[queue->last].next = index;
	}
	queue->last = index;
}

static size_t take(struct turns *turns, struct queue *queue)
{
	size_t index = queue->first;

	if (index != NOBODY) {
		queue->first = turns->host[index].next;
	}
	return index;
}

int turns_new(const struct turns_config *config, struct turns **result, struct error *err)
{
	static const struct queue empty = {NOBODY, NOBODY};
	struct turns *turns = calloc(1, sizeof(*turns));

	assert(config->parallel > 0 && config->read_all > 0);
	if (!turns) {
		goto nomem;
	}
	turns->config = *config;
	turns->host = calloc(config->host_count + 1, sizeof(*turns->host));
	turns->limit = calloc(config->limit_count + 1, sizeof(*turns->limit));
	if (!turns->host || !turns->limit) {
		goto nomem;
	}
	turns->ready = empty;
	turns->parked = empty;
	for (size_t i = 0; i < config->limit_count; i++) {
		turns->limit[i].most = config->limits[i].most;
		turns->limit[i].waiting = empty;
	}
	for (size_t i = 0; i < config->host_count; i++) {
		struct turns_host host = {.limit_count = 0};

		config->host(config->context, i, &host);
		turns->host[i].limits = host.limits;
		turns->host[i].limit_count = host.limit_count;
		turns->host[i].state = host.done ? STATE_OVER : STATE_WAITING;
		turns->over += host.done;
	}
	*result = turns;
	return 0;
nomem:
	turns_free(turns);
	return error_set(err, ERROR_NOMEM, 0, "no memory for a run over %zu hosts",
			 config->host_count);
}

void turns_free(struct turns *turns)
{
	if (turns) {
		free(turns->host);
		free(turns->limit);
		free(turns);
	}
}

/* Takes a place under each of its limits; where one is full it waits there. */
static bool admit(struct turns *turns, size_t index)
{
	const struct host *host = &turns->host[index];

	for (size_t i = 0; i < host->limit_count; i++) {
		struct limit *limit = &turns->limit[host->limits[i]];

		if (limit->running >= limit->most) {
			put(turns, &limit->waiting, index);
			return false;
		}
	}
	for (size_t i = 0; i < host->limit_count; i++) {
		turns->limit[host->limits[i]].running++;
	}
	return true;
}

static bool may_read(const struct turns *turns)
{
	return !turns->held && turns->reading < turns->config.read_all;
}

static void leave(struct turns *turns, size_t index)
{
	struct host *host = &turns->host[index];

	assert(host->state == STATE_RUNNING || host->state == STATE_READING);
	turns->running--;
	turns->reading -= host->state == STATE_READING;
	for (size_t i = 0; i < host->limit_count; i++) {
		struct limit *limit = &turns->limit[host->limits[i]];
		size_t next = take(turns, &limit->waiting);

		limit->running--;
		if (next != NOBODY) {
			put(turns, &turns->ready, next);
		}
	}
}

static void collect_retries(struct turns *turns, uint64_t now_ms)
{
	if (turns->retries == 0 || now_ms < turns->next_due_ms) {
		return;
	}
	turns->next_due_ms = UINT64_MAX;
	for (size_t i = 0; i < turns->config.host_count; i++) {
		struct host *host = &turns->host[i];

		if (host->state != STATE_RETRY) {
			continue;
		}
		if (host->due_ms <= now_ms) {
			host->state = STATE_WAITING;
			turns->retries--;
			put(turns, &turns->ready, i);
		} else if (host->due_ms < turns->next_due_ms) {
			turns->next_due_ms = host->due_ms;
		}
	}
}

static size_t next_waiting(struct turns *turns)
{
	size_t index = take(turns, &turns->ready);

	if (index != NOBODY) {
		return index;
	}
	while (turns->fresh < turns->config.host_count &&
	       turns->host[turns->fresh].state != STATE_WAITING) {
		turns->fresh++;
	}
	return turns->fresh < turns->config.host_count ? turns->fresh++ : NOBODY;
}

static void run(struct turns *turns, size_t index, bool parked, struct turn *turn)
{
	turns->running++;
	turns->host[index].state = parked ? STATE_READING : STATE_RUNNING;
	*turn = (struct turn){index, turns->host[index].attempt, parked};
}

bool turns_next(struct turns *turns, uint64_t now_ms, struct turn *turn)
{
	size_t index;

	if (turns->closed || turns->running >= turns->config.parallel) {
		return false;
	}
	if (turns->parked_count > 0 && may_read(turns)) {
		for (size_t left = turns->parked_count; left > 0; left--) {
			index = take(turns, &turns->parked);
			turns->parked_count--;
			if (admit(turns, index)) {
				turns->reading++;
				run(turns, index, true, turn);
				return true;
			}
		}
	}
	collect_retries(turns, now_ms);
	while (turns->parked_count < turns->config.parked &&
	       (index = next_waiting(turns)) != NOBODY) {
		bool parked = turns->host[index].state == STATE_PARKED;

		if (parked && !may_read(turns)) {
			put(turns, &turns->parked, index);
			turns->parked_count++;
		} else if (admit(turns, index)) {
			turns->reading += parked;
			run(turns, index, parked, turn);
			return true;
		}
	}
	return false;
}

bool turns_may_read_all(struct turns *turns, size_t index)
{
	if (turns->host[index].state == STATE_READING) {
		return true;
	}
	if (turns->closed || may_read(turns)) {
		turns->host[index].state = STATE_READING;
		turns->reading++;
		return true;
	}
	leave(turns, index);
	turns->host[index].state = STATE_PARKED;
	put(turns, &turns->parked, index);
	turns->parked_count++;
	return false;
}

void turns_retry(struct turns *turns, size_t index, uint64_t due_ms)
{
	struct host *host = &turns->host[index];

	leave(turns, index);
	host->state = STATE_RETRY;
	host->attempt++;
	host->due_ms = due_ms;
	if (turns->retries++ == 0 || due_ms < turns->next_due_ms) {
		turns->next_due_ms = due_ms;
	}
}

void turns_over(struct turns *turns, size_t index)
{
	leave(turns, index);
	turns->host[index].state = STATE_OVER;
	turns->over++;
}

void turns_hold(struct turns *turns, bool held)
{
	turns->held = held;
}

void turns_close(struct turns *turns)
{
	turns->closed = true;
}

bool turns_are_over(const struct turns *turns)
{
	return turns->running == 0 && (turns->closed || turns->over == turns->config.host_count);
}

size_t turns_running(const struct turns *turns)
{
	return turns->running;
}

bool turns_is_over(const struct turns *turns, size_t index)
{
	return turns->host[index].state == STATE_OVER;
}
