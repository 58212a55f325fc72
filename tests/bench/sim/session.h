// SPDX-License-Identifier: MIT
#ifndef TESTS_BENCH_SIM_SESSION_H
#define TESTS_BENCH_SIM_SESSION_H

/* One connection to a simulated host, from its banner to its end. Inside the server only. */

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "tests/bench/sim/server.h"
#include "tests/bench/sim/talk.h"
#include "tests/bench/sim/upload.h"

struct session_shared {
	struct fleet *fleet;
	uint32_t night;
	unsigned latency_ms;
	ssh_bind bind;
	ssh_bind other; /* with another key; may be NULL */
	struct server_stats stats;
	struct upload_known known;
};

enum session_stage {
	SESSION_KEYS,    /* key exchange and login */
	SESSION_COMMAND, /* waiting for a command */
	SESSION_LINE,    /* waiting for `SIZE SHA256 PACKED` */
	SESSION_UPLOAD,  /* waiting for the rest of the probe */
	SESSION_TALK,
	SESSION_BABBLE,
	SESSION_END, /* to be closed once all is said */
	SESSION_CLOSING,
};

struct session {
	struct session *next, **previous;
	struct session_shared *shared;
	int fd;
	uint32_t host;
	enum behaviour behaviour;
	uint32_t events; /* as registered */
	uint64_t wait_until_ms;
	uint64_t now_ms;
	ssh_session ssh;
	ssh_event event;
	ssh_channel channel;
	struct ssh_server_callbacks_struct server;
	struct ssh_channel_callbacks_struct channel_calls;
	enum session_stage stage;
	int status;
	char marker[64];
	char line[128];
	size_t line_len;
	struct upload upload;
	uint8_t *in; /* an unfinished frame */
	size_t in_len;
	struct talk talk;
	struct out out;
};

/* Takes over the descriptor. */
struct session *session_new(struct session_shared *shared, int fd, uint32_t host,
			    enum behaviour behaviour);
void session_free(struct session *session);
/* Goes as far as it can; false: it is over. */
bool session_step(struct session *session, uint64_t now_ms);
/* What to poll for. */
uint32_t session_events(const struct session *session);

#endif
