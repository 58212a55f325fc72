// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_KEYS_AGENT_H
#define MUSTER_CONTROLLER_SSH_KEYS_AGENT_H

/*
 * A client of ssh-agent (draft-ietf-sshm-ssh-agent): lists its keys at the start, then has it sign
 * without blocking the loop. One connection; the agent answers in order. An agent that goes away
 * answers every open request with a refusal. Only in the parent.
 */

#include <stdint.h>

#include <uv.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct agent;

/* One identity, borrowed during the call. */
typedef void (*agent_identity)(void *context, struct bytes blob, struct bytes comment);
/* `signature` as the agent gave it (string algorithm, string value), empty: refused. */
typedef void (*agent_signed)(void *context, uint64_t token, struct bytes signature);

/* Connects, waits at most five seconds for the list (before the loop runs), keeps the connection. */
int agent_new(uv_loop_t *loop, const char *path, agent_identity identity, void *context,
	      struct agent **agent, struct error *err) MUST_CHECK;
/* Calls `done` exactly once, never from inside: at agent_free at the latest. RSA: `flags`. */
int agent_sign(struct agent *agent, struct bytes blob, struct bytes data, uint32_t flags,
	       agent_signed done, void *context, uint64_t token, struct error *err) MUST_CHECK;
/* Refuses what is open. Done when the loop has run once more. */
void agent_free(struct agent *agent);

#define AGENT_RSA_SHA2_256 2U
#define AGENT_RSA_SHA2_512 4U

#endif
