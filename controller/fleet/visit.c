// SPDX-License-Identifier: MIT
#include "controller/fleet/visit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schema/escape.h"

#define HELLO_MAX 4096

struct visits;

struct visit {
	struct visits *visits;
	const struct sweep_host *host;
	struct channel *channel;
	uint8_t greeting[HELLO_MAX]; /* what the hello borrows from */
	struct hello hello;
	bool has_hello;
	int64_t clock_offset_ns;
	uint64_t started_ms;
};

struct visits {
	uv_loop_t *loop;
	const struct sweep_host *hosts;
	size_t count, parallel, next, running;
	void (*callback)(void *context, const struct visit_result *result);
	void *context;
};

static void start_more(struct visits *visits);

static void end(struct visit *visit, enum outcome outcome, const char *reason,
		const char *transport)
{
	struct visits *visits = visit->visits;
	const struct visit_result result = {
		.host = visit->host->target.name,
		.outcome = visit->has_hello ? OUTCOME_CLEAN : outcome,
		.reason = visit->has_hello ? "" : reason,
		.transport = transport,
		.hello = visit->has_hello ? &visit->hello : NULL,
		.clock_offset_ns = visit->clock_offset_ns,
		.took_ms = uv_hrtime() / 1000000 - visit->started_ms,
	};

	visits->callback(visits->context, &result);
	visits->running--;
	free(visit);
}

static void on_frame(void *context, struct bytes payload)
{
	struct visit *visit = context;
	struct timespec now;

	if (visit->has_hello) {
		return;
	}
	if (payload.len > sizeof(visit->greeting)) {
		visit->host->transport->abort(visit->channel, OUTCOME_PROTOCOL_ERROR,
					      "the probe's greeting is too long");
		return;
	}
	memcpy(visit->greeting, payload.data, payload.len);
	if (!hello_decode(bytes_make(visit->greeting, payload.len), &visit->hello)) {
		visit->host->transport->abort(visit->channel, OUTCOME_PROTOCOL_ERROR,
					      "malformed hello");
		return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	visit->clock_offset_ns =
		(int64_t)((uint64_t)visit->hello.clock_ns -
			  ((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec));
	visit->has_hello = true;
	/* The probe ends with its connection. */
	visit->host->transport->abort(visit->channel, OUTCOME_KILLED, "the visit is over");
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct visit *visit = context;
	struct visits *visits = visit->visits;
	bool silent = close->outcome == OUTCOME_CLEAN;

	visit->channel = NULL;
	end(visit, silent ? OUTCOME_KILLED : close->outcome,
	    silent ? "the probe ended without a word" : close->reason, close->transport);
	start_more(visits);
}

static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};

/* What cannot even be opened ends here and now, and makes room for the next. */
static void start_more(struct visits *visits)
{
	while (visits->next < visits->count && visits->running < visits->parallel) {
		const struct sweep_host *host = &visits->hosts[visits->next];
		struct visit *visit = calloc(1, sizeof(*visit));
		struct error err = {.kind = ERROR_NONE};

		if (!visit) {
			return; /* those that run go on; visit_run tells */
		}
		visits->next++;
		visits->running++;
		visit->visits = visits;
		visit->host = host;
		visit->started_ms = uv_hrtime() / 1000000;
		if (host->transport->open(host->transport, &host->target, &handler, visit,
					  &visit->channel, &err) != 0) {
			end(visit, OUTCOME_INTERNAL, err.msg, NULL);
		}
	}
}

int visit_run(uv_loop_t *loop, const struct sweep_host *hosts, size_t count, size_t parallel,
	      void (*callback)(void *context, const struct visit_result *result), void *context,
	      struct error *err)
{
	struct visits visits = {.loop = loop,
				.hosts = hosts,
				.count = count,
				.parallel = parallel > 0 ? parallel : 1,
				.callback = callback,
				.context = context};

	start_more(&visits);
	while (visits.running > 0) {
		(void)uv_run(loop, UV_RUN_ONCE);
	}
	return visits.next == visits.count
		       ? 0
		       : error_set(err, ERROR_NOMEM, 0, "no memory for a visit");
}
