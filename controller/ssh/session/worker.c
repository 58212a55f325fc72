// SPDX-License-Identifier: MIT
#include "controller/ssh/session/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <libssh2.h>
#include <uthash.h>
#include <uv.h>

#include "controller/ssh/bootstrap.h"
#include "controller/ssh/link.h"
#include "controller/ssh/session/session.h"

#define TICK_MS 100U
#define QUEUE_HIGH (4U << 20) /* bytes for the parent at which reading from hosts stops */
#define PROBE_MAX (8U << 20)

struct worker;

/* A poll handle lives on after its descriptor until libuv lets it go. */
struct poller {
	uv_poll_t poll;
	struct host *host;
	int fd;
	unsigned wants;
};

struct host {
	struct worker *worker;
	struct session *session;
	uint64_t id;
	struct poller *poller;
	struct host *next_ready;
	bool ready;
	UT_hash_handle hh;
};

struct worker {
	uv_loop_t loop;
	struct link link;
	uv_timer_t tick;
	uv_idle_t idle;
	struct session_shared shared;
	struct host *hosts;
	struct host *ready;
	struct host **ready_tail;
	bool failed; /* no memory to tell the parent something it must know */
	bool over;
	char why[128];
};

static void fail(struct worker *worker, const char *why)
{
	if (!worker->over) {
		worker->failed = true;
		worker->over = true;
		(void)snprintf(worker->why, sizeof(worker->why), "%s", why);
		uv_stop(&worker->loop);
	}
}

static void check_sent(struct worker *worker, bool sent)
{
	if (!sent) {
		fail(worker, "no memory for a message to the parent");
	}
}

static void on_idle(uv_idle_t *idle);

static void make_ready(struct host *host)
{
	struct worker *worker = host->worker;

	if (host->ready) {
		return;
	}
	host->ready = true;
	host->next_ready = NULL;
	*worker->ready_tail = host;
	worker->ready_tail = &host->next_ready;
	(void)uv_idle_start(&worker->idle, on_idle);
}

/* --- what sessions say --- */

static void on_stage(void *context, enum control_stage stage)
{
	struct host *host = context;
	struct control_message message = {.type = CONTROL_STAGE};

	message.stage.id = host->id;
	message.stage.stage = stage;
	check_sent(host->worker, link_send(&host->worker->link, &message));
}

static void on_frame(void *context, struct bytes payload)
{
	struct host *host = context;
	struct worker *worker = host->worker;

	check_sent(worker, link_send_data(&worker->link, CONTROL_FRAME, host->id, payload));
	if (link_queued(&worker->link) > QUEUE_HIGH) {
		worker->shared.congested = true;
	}
}

static void on_sign(void *context, const struct control_sign *sign)
{
	struct host *host = context;
	struct control_message message = {.type = CONTROL_SIGN, .sign = *sign};

	check_sent(host->worker, link_send(&host->worker->link, &message));
}

static void on_closed(void *context, const struct control_closed *closed)
{
	struct host *host = context;
	struct control_message message = {.type = CONTROL_CLOSED, .closed = *closed};

	check_sent(host->worker, link_send(&host->worker->link, &message));
}

static void on_ready(void *context)
{
	make_ready(context);
}

/* --- polling --- */

static void on_poller_gone(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_poller(struct host *host)
{
	if (host->poller) {
		host->poller->host = NULL;
		(void)uv_poll_stop(&host->poller->poll);
		uv_close((uv_handle_t *)&host->poller->poll, on_poller_gone);
		host->poller = NULL;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	const struct poller *poller = poll->data;

	(void)status; /* an error shows at the next read or write */
	(void)events;
	if (poller->host) {
		make_ready(poller->host);
	}
}

static bool make_poller(struct host *host, int fd)
{
	struct poller *poller = calloc(1, sizeof(*poller));

	if (!poller) {
		return false;
	}
	if (uv_poll_init(&host->worker->loop, &poller->poll, fd) != 0) {
		free(poller);
		return false;
	}
	poller->poll.data = poller;
	poller->host = host;
	poller->fd = fd;
	host->poller = poller;
	return true;
}

/* Brings the poll handle in line with what the session wants; false: it cannot be polled. */
static bool update_poller(struct host *host)
{
	int fd = session_fd(host->session);
	unsigned wants = session_wants(host->session);
	int events = (wants & SESSION_WANT_READ ? UV_READABLE : 0) |
		     (wants & SESSION_WANT_WRITE ? UV_WRITABLE : 0);

	/* A number that is used again is another socket: while connecting, always anew. */
	if (host->poller &&
	    (host->poller->fd != fd || session_state(host->session) == SESSION_CONNECT)) {
		drop_poller(host);
	}
	if (fd < 0) {
		return true;
	}
	if (!host->poller && !make_poller(host, fd)) {
		return false;
	}
	if (host->poller->wants == wants) {
		return true;
	}
	host->poller->wants = wants;
	return (events ? uv_poll_start(&host->poller->poll, events, on_poll)
		       : uv_poll_stop(&host->poller->poll)) == 0;
}

static void free_host(struct host *host)
{
	drop_poller(host);
	HASH_DEL(host->worker->hosts, host);
	session_free(host->session);
	free(host);
}

/* What it goes through may have to be polled for other things now. */
static void update_below(struct host *host)
{
	struct host *below = session_via_context(host->session);

	for (; below; below = session_via_context(below->session)) {
		if (!update_poller(below)) {
			session_abort(below->session);
			make_ready(below);
		}
	}
}

/* Not from inside a session's own callbacks. */
static void step_host(struct host *host)
{
	bool more = false;

	if (session_step(host->session, uv_now(&host->worker->loop), &more) == STEP_DONE) {
		free_host(host);
		return;
	}
	if (!update_poller(host)) {
		session_abort(host->session);
		more = true;
	}
	if (more) {
		make_ready(host);
	}
	update_below(host);
}

static void on_idle(uv_idle_t *idle)
{
	struct worker *worker = idle->data;
	struct host *host = worker->ready;

	worker->ready = NULL;
	worker->ready_tail = &worker->ready;
	(void)uv_idle_stop(idle);
	while (host) {
		struct host *next = host->next_ready;

		host->ready = false;
		step_host(host);
		host = next;
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	uint64_t now_ms = uv_now(&worker->loop);

	for (struct host *host = worker->hosts; host; host = host->hh.next) {
		if (session_is_due(host->session, now_ms)) {
			make_ready(host);
		}
	}
}

/* --- what the parent says --- */

static struct host *find(struct worker *worker, uint64_t id)
{
	struct host *host = NULL;

	HASH_FIND(hh, worker->hosts, &id, sizeof(id), host);
	return host;
}

static void take_probe(struct worker *worker, const struct control_probe *m)
{
	struct session_shared *shared = &worker->shared;
	struct session_probe *probe = NULL;

	for (size_t i = 0; i < shared->probe_count; i++) {
		if (bytes_equal_string(m->arch, shared->probe[i].arch)) {
			probe = &shared->probe[i];
		}
	}
	if (!probe) {
		if (shared->probe_count == SESSION_PROBES_MAX || m->size == 0 ||
		    m->size > PROBE_MAX || m->arch.len >= sizeof(probe->arch)) {
			fail(worker, "a probe that cannot be held");
			return;
		}
		probe = &shared->probe[shared->probe_count];
		probe->data = malloc((size_t)m->size);
		if (!probe->data) {
			fail(worker, "no memory for a probe");
			return;
		}
		shared->probe_count++;
		memcpy(probe->arch, m->arch.data, m->arch.len);
		probe->sha256 = m->sha256;
		probe->size = (size_t)m->size;
	}
	if (m->offset != probe->have || m->chunk.len > probe->size - probe->have) {
		fail(worker, "a probe out of order");
		return;
	}
	memcpy(probe->data + probe->have, m->chunk.data, m->chunk.len);
	probe->have += m->chunk.len;
}

static bool make_tag(char tag[BOOTSTRAP_TAG_SIZE + 1])
{
	uint8_t random[BOOTSTRAP_TAG_SIZE / 2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		(void)snprintf(tag + 2 * i, 3, "%02x", random[i]);
	}
	return true;
}

static void start_host(struct worker *worker, const struct control_start *start)
{
	static const struct session_handler handler = {
		.stage = on_stage,
		.frame = on_frame,
		.sign = on_sign,
		.ready = on_ready,
		.closed = on_closed,
	};
	struct host *jump = start->via != 0 ? find(worker, start->via) : NULL;
	struct control_closed refused = {.id = start->id, .outcome = OUTCOME_INTERNAL};
	struct host *host = calloc(1, sizeof(*host));
	char tag[BOOTSTRAP_TAG_SIZE + 1];
	struct error err = {0};

	if (host) {
		host->id = start->id;
		HASH_ADD(hh, worker->hosts, id, sizeof(host->id), host);
	}
	if (!host || !host->hh.tbl || !make_tag(tag) ||
	    session_new(start, tag, &worker->shared, &handler, host, &host->session, &err) < 0) {
		struct control_message message = {.type = CONTROL_CLOSED};

		refused.reason = BYTES_LITERAL("no memory for a session");
		message.closed = refused;
		check_sent(worker, link_send(&worker->link, &message));
		if (host && host->hh.tbl) {
			HASH_DEL(worker->hosts, host);
		}
		free(host);
		return;
	}
	host->worker = worker;
	if (start->via != 0) {
		session_go_through(host->session, jump ? jump->session : NULL);
	}
	make_ready(host);
}

static void send_to_host(struct worker *worker, uint64_t id, struct bytes payload)
{
	struct host *host = find(worker, id);
	struct error err = {0};

	if (!host) {
		return;
	}
	if (session_send(host->session, payload, &err) < 0) {
		session_abort(host->session);
	}
	make_ready(host);
}

static void on_message(void *context, const struct control_message *message)
{
	struct worker *worker = context;
	struct host *host;

	switch (message->type) {
	case CONTROL_PROBE:
		take_probe(worker, &message->probe);
		return;
	case CONTROL_START:
		start_host(worker, &message->start);
		return;
	case CONTROL_SEND:
		send_to_host(worker, message->data.id, message->data.payload);
		return;
	case CONTROL_PAUSE:
		host = find(worker, message->pause.id);
		if (host) {
			session_pause(host->session, message->pause.on);
			make_ready(host);
		}
		return;
	case CONTROL_ABORT:
		host = find(worker, message->abort_id);
		if (host) {
			session_abort(host->session);
			make_ready(host);
		}
		return;
	case CONTROL_SIGNED:
		host = find(worker, message->data.id);
		if (host) {
			session_signed(host->session, message->data.payload);
			make_ready(host);
		}
		return;
	case CONTROL_READY:
	case CONTROL_STAGE:
	case CONTROL_FRAME:
	case CONTROL_SIGN:
	case CONTROL_CLOSED:
		break;
	}
	fail(worker, "the parent spoke out of turn");
}

static void on_ended(void *context, const char *why)
{
	struct worker *worker = context;

	(void)why; /* the parent's going away is the ordinary end */
	worker->over = true;
	uv_stop(&worker->loop);
}

static void on_drained(void *context)
{
	struct worker *worker = context;

	if (worker->shared.congested) {
		worker->shared.congested = false;
		for (struct host *host = worker->hosts; host; host = host->hh.next) {
			make_ready(host);
		}
	}
}

/* --- life --- */

int worker_new(int fd, struct worker **worker_out, struct error *err)
{
	static const struct link_handler handler = {
		.message = on_message, .ended = on_ended, .drained = on_drained};
	struct worker *worker = calloc(1, sizeof(*worker));
	int rc;

	if (!worker) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	worker->ready_tail = &worker->ready;
	rc = uv_loop_init(&worker->loop);
	if (rc != 0) {
		free(worker);
		return error_set(err, ERROR_SYSTEM, -rc, "loop: %s", uv_strerror(rc));
	}
	(void)uv_timer_init(&worker->loop, &worker->tick);
	(void)uv_idle_init(&worker->loop, &worker->idle);
	worker->tick.data = worker;
	worker->idle.data = worker;
	if (link_init(&worker->link, &worker->loop, &handler, worker, err) < 0 ||
	    link_open_fd(&worker->link, fd, err) < 0) {
		worker_free(worker);
		return -1;
	}
	*worker_out = worker;
	return 0;
}

int worker_run(struct worker *worker, struct error *err)
{
	struct control_message ready = {.type = CONTROL_READY};

	if (link_start(&worker->link, err) < 0) {
		return -1;
	}
	ready.ready = bytes_from_string(libssh2_version(0));
	check_sent(worker, link_send(&worker->link, &ready));
	(void)uv_timer_start(&worker->tick, on_tick, TICK_MS, TICK_MS);
	while (!worker->over && uv_run(&worker->loop, UV_RUN_DEFAULT) != 0) {
	}
	return worker->failed ? error_set(err, ERROR_SYSTEM, 0, "%s", worker->why) : 0;
}

static void close_handle(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

void worker_free(struct worker *worker)
{
	struct host *host, *next;

	if (!worker) {
		return;
	}
	HASH_ITER (hh, worker->hosts, host, next) {
		free_host(host);
	}
	if (worker->link.buffer) {
		link_close(&worker->link);
	}
	uv_walk(&worker->loop, close_handle, NULL);
	(void)uv_run(&worker->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&worker->loop);
	for (size_t i = 0; i < worker->shared.probe_count; i++) {
		free(worker->shared.probe[i].data);
		free(worker->shared.probe[i].packed);
	}
	free(worker);
}
