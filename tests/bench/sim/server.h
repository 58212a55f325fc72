// SPDX-License-Identifier: MIT
#ifndef TESTS_BENCH_SIM_SERVER_H
#define TESTS_BENCH_SIM_SERVER_H

/*
 * Thousands of SSH servers in one process: one listener on all of 127.0.0.0/8, the address says
 * which host is meant. Takes every user and key, runs the bootstrap command as a shell would (marker,
 * architecture, exactly N bytes, their digest) and any other command as `true`. One event loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/sim/talk.h"

/* Host n is 127.1.0.1 + n. */
#define SERVER_FIRST_ADDRESS 0x7f010001U

struct server_options {
	uint16_t port;
	const char *host_key;  /* file */
	const char *other_key; /* file: of hosts whose key changed */
	unsigned latency_ms;   /* before each answer of a slow host */
};

struct server_stats {
	uint64_t sessions;
	uint64_t conversations; /* came to their end */
	uint64_t uploads;  /* probes that were taken whole: each over a session that is logged in */
	uint64_t broken;   /* the controller broke the protocol, or the upload was not whole */
	uint64_t commands; /* other than the bootstrap */
	size_t open, most_open;
};

struct server;

struct server *server_new(const struct server_options *options, struct fleet *fleet,
			  uint32_t hosts);
/* Behaviour of each host: an array of `hosts`, borrowed. */
void server_behaviours(struct server *server, const uint8_t *behaviour);
void server_night(struct server *server, uint32_t night);
/* Waits at most `wait_ms`, does what there is to do. */
void server_step(struct server *server, int wait_ms);
const struct server_stats *server_stats(const struct server *server);
void server_free(struct server *server);

#endif
