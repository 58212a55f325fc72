// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_SESSION_SESSION_CARRY_H
#define MUSTER_CONTROLLER_SSH_SESSION_SESSION_CARRY_H

/*
 * Sessions that go through others: what a jump host's session (RFC 4254, section 7.2, direct-tcpip)
 * does beside being a session, and what stands for the socket of those it carries. The jump host is as
 * hostile as any host: what it may make us keep, read for nothing and wait for is bounded, and it sees
 * only what the inner sessions encrypt. Private to the session.
 */

#include "controller/ssh/session/session_private.h"

/* Logged in to the jump host: from now on it carries. */
int session_carry_begin(struct session *jump) MUST_CHECK;
/* One step of a jump host's session. */
enum progress session_carry_step(struct session *jump);
unsigned session_carry_wants(const struct session *jump);
/* Lets go of all that it carries; each is told that it is lost. NULL-safe. */
void session_carry_end(struct session *jump);

/* What libssh2's callbacks of the jump host's own session send goes here: it is never refused for long. */
ssize_t session_carry_queue(struct session *jump, const void *from, size_t len);

/* Whether it may read more of its connection in this step: others want their turn. */
bool session_carry_may_receive(const struct session *jump);

/* The inner session's socket: as recv and send, with -errno. */
ssize_t session_carried_read(struct session *inner, void *to, size_t len);
ssize_t session_carried_write(struct session *inner, const void *from, size_t len);
/* Leaves its jump host. */
void session_carried_leave(struct session *inner);

#endif
