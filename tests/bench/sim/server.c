// SPDX-License-Identifier: MIT
#include "tests/bench/sim/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "tests/bench/sim/session.h"

#define EVENTS 256
#define BACKLOG 4096
#define TICK_MS 50

struct server {
	struct server_options options;
	struct session_shared shared;
	uint32_t hosts;
	const uint8_t *behaviour;
	int listener;
	int epoll;
	struct session *all;
	uint64_t ticked_ms;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "fleet_sim: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static ssh_bind bind_new(const char *key_file)
{
	ssh_bind bind = ssh_bind_new();
	bool no = false;

	/* The key is read once; sessions get copies of it. */
	if (!bind || ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, key_file) != 0) {
		(void)fprintf(stderr, "fleet_sim: %s: %s\n", key_file,
			      bind ? ssh_get_error(bind) : "out of memory");
		exit(1);
	}
	return bind;
}

/* False for a descriptor that libssh has closed, as it does, in silence, where its peer is gone. */
static bool watch(const struct server *server, int fd, int operation, uint32_t events, void *what)
{
	struct epoll_event event = {.events = events, .data = {.ptr = what}};

	if (epoll_ctl(server->epoll, operation, fd, &event) == 0) {
		return true;
	}
	if (errno != EBADF && errno != ENOENT) {
		fail("epoll_ctl");
	}
	return false;
}

static void listen_on(struct server *server)
{
	static const int on = 1;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(server->options.port)};

	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listener < 0) {
		fail("socket");
	}
	(void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* All addresses of the loopback interface, and no others. */
	if (setsockopt(server->listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0) {
		fail("SO_BINDTODEVICE lo");
	}
	if (bind(server->listener, (struct sockaddr *)&in, sizeof(in)) < 0 ||
	    listen(server->listener, BACKLOG) < 0) {
		fail("listen");
	}
	(void)watch(server, server->listener, EPOLL_CTL_ADD, EPOLLIN, NULL);
}

struct server *server_new(const struct server_options *options, struct fleet *fleet, uint32_t hosts)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server || ssh_init() != 0) {
		fail("libssh");
	}
	server->options = *options;
	server->hosts = hosts;
	server->shared.fleet = fleet;
	server->shared.latency_ms = options->latency_ms;
	server->shared.bind = bind_new(options->host_key);
	server->shared.other = options->other_key ? bind_new(options->other_key) : NULL;
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll < 0) {
		fail("epoll");
	}
	listen_on(server);
	return server;
}

void server_behaviours(struct server *server, const uint8_t *behaviour)
{
	server->behaviour = behaviour;
}

void server_night(struct server *server, uint32_t night)
{
	server->shared.night = night;
}

const struct server_stats *server_stats(const struct server *server)
{
	return &server->shared.stats;
}

static void drop(struct server *server, struct session *session)
{
	if (session->next) {
		session->next->previous = session->previous;
	}
	*session->previous = session->next;
	server->shared.stats.open--;
	(void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, session->fd, NULL);
	session_free(session);
}

static void run(struct server *server, struct session *session)
{
	uint32_t events;

	if (!session_step(session, now_ms())) {
		drop(server, session);
		return;
	}
	events = session_events(session);
	if (events != session->events) {
		session->events = events;
		if (!watch(server, session->fd, EPOLL_CTL_MOD, events, session)) {
			drop(server, session);
		}
	}
}

static void take(struct server *server, int fd, uint32_t host)
{
	enum behaviour behaviour = server->behaviour ? (enum behaviour)server->behaviour[host]
						     : BEHAVE_WELL;
	struct session *session;

	if (behaviour == BEHAVE_HANG_UP) {
		static const struct linger now = {1, 0};

		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		(void)close(fd);
		return;
	}
	session = session_new(&server->shared, fd, host, behaviour);
	session->next = server->all;
	session->previous = &server->all;
	if (server->all) {
		server->all->previous = &session->next;
	}
	server->all = session;
	server->shared.stats.open++;
	if (server->shared.stats.open > server->shared.stats.most_open) {
		server->shared.stats.most_open = server->shared.stats.open;
	}
	session->events = EPOLLIN;
	if (watch(server, fd, EPOLL_CTL_ADD, session->events, session)) {
		run(server, session);
	} else {
		drop(server, session);
	}
}

static void accept_all(struct server *server)
{
	for (;;) {
		struct sockaddr_in to;
		socklen_t len = sizeof(to);
		int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
				fail("accept");
			}
			return;
		}
		server->shared.stats.sessions++;
		(void)getsockname(fd, (struct sockaddr *)&to, &len);
		/* An address before the first host's, as 127.0.0.1, wraps around to too large. */
		if (ntohl(to.sin_addr.s_addr) - SERVER_FIRST_ADDRESS >= server->hosts) {
			(void)close(fd);
			continue;
		}
		take(server, fd, ntohl(to.sin_addr.s_addr) - SERVER_FIRST_ADDRESS);
	}
}

/* Those who wait by the clock. */
static void tick(struct server *server)
{
	uint64_t now = now_ms();
	struct session *next;

	if (now - server->ticked_ms < TICK_MS) {
		return;
	}
	server->ticked_ms = now;
	for (struct session *session = server->all; session; session = next) {
		next = session->next;
		if (session->wait_until_ms != 0 && now >= session->wait_until_ms) {
			run(server, session);
		}
	}
}

void server_step(struct server *server, int wait_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(server->epoll, events, EVENTS, wait_ms);

	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr) {
			run(server, events[i].data.ptr);
		} else {
			accept_all(server);
		}
	}
	tick(server);
}

void server_free(struct server *server)
{
	while (server->all) {
		drop(server, server->all);
	}
	(void)close(server->listener);
	(void)close(server->epoll);
	ssh_bind_free(server->shared.bind);
	if (server->shared.other) {
		ssh_bind_free(server->shared.other);
	}
	(void)ssh_finalize();
	free(server);
}
