// SPDX-License-Identifier: MIT
#ifndef MUSTER_TESTS_UNIT_CONTROLLER_SSH_POOL_LAB_H
#define MUSTER_TESTS_UNIT_CONTROLLER_SSH_POOL_LAB_H

/*
 * A pool whose muster-ssh was taken over (tests/fake/fake_muster_ssh.c), in a folder of its own with a
 * host key, a key to log in with and known_hosts. What the fake does stands in the user's name.
 */

#include <stddef.h>

#include <uv.h>

#include "controller/ssh/pool/pool.h"

struct pool_lab {
	uv_loop_t loop;
	struct transport *transport;
	unsigned closed;
	unsigned clean;
	struct channel_close last;
	char by[TRANSPORT_WHO_SIZE]; /* who spoke with the last one */
};

/* For cmocka_run_group_tests. */
int pool_lab_set_up(void **state);
int pool_lab_tear_down(void **state);

/* A path in the folder; four at a time. */
const char *pool_lab_file(const char *name);
/* 0: as many hosts through one session of a jump host as usual. */
void pool_lab_open_of(struct pool_lab *lab, size_t jump_channels);
void pool_lab_open(struct pool_lab *lab);
void pool_lab_close(struct pool_lab *lab);
/* `jump` NULL: directly. */
struct channel *pool_lab_target(struct pool_lab *lab, const struct target *target);
struct channel *pool_lab_host(struct pool_lab *lab, const char *name, const char *user);

#endif
