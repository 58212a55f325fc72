// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_OPENSSH_OPENSSH_H
#define MUSTER_CONTROLLER_SSH_OPENSSH_OPENSSH_H

/*
 * One host's session carried by the OpenSSH program: for what libssh2 cannot do. ssh runs as a child
 * (through muster-run-ssh, so that nothing of it is left behind), locked down by options of ours that
 * no configuration can lift, and gets the bootstrap as its command; talk.h does the rest, as for
 * libssh2. Host and user names are checked and can never become options. Ends in exactly one `closed`,
 * after which it has freed itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "controller/ssh/control.h"
#include "controller/ssh/talk.h"
#include "schema/error.h"

#define OPENSSH_PROGRAM "/usr/bin/ssh"
#define OPENSSH_OPTIONS_MAX 64

struct openssh;

/* Borrowed until openssh_new returns, the probes until `closed`. */
struct openssh_probe {
	const char *arch;
	struct digest sha256;
	struct bytes data;
};
struct openssh_start {
	const char *guard; /* path of muster-run-ssh */
	const char *host;  /* what ssh is asked for: %n in its configuration */
	const char *address;
	const char *user;
	uint16_t port;
	/* "Keyword value", after ours: what ssh_config says and may say. ssh reads no file. */
	const char *const *options;
	size_t option_count;
	/* "NAME=value" beside what of ours is passed on. */
	const char *const *environment;
	size_t environment_count;
	bool no_agent;
	enum become become;
	uint32_t connect_timeout_ms;
	uint32_t timeout_ms; /* total; 0: none */
	uint64_t cap_bytes;  /* 0: none */
	const struct openssh_probe *probe;
	size_t probe_count;
	uint8_t *buffer; /* PIPED_READ_SIZE bytes for all sessions of one loop */
};

struct openssh_handler {
	void (*stage)(void *context, enum control_stage stage);
	void (*frame)(void *context, struct bytes payload);
	/* Exactly once, never from inside a call of ours. Without host key. */
	void (*closed)(void *context, const struct control_closed *closed);
};

/* Fails where ssh cannot be started, or a name cannot be given to it (CONFIG). */
int openssh_new(uv_loop_t *loop, const struct openssh_start *start,
		const struct openssh_handler *handler, void *context, struct openssh **openssh,
		struct error *err) MUST_CHECK;
/* One frame. Fails only for lack of memory. */
int openssh_send(struct openssh *openssh, struct bytes payload, struct error *err) MUST_CHECK;
void openssh_pause(struct openssh *openssh, bool paused);
/* Kills it; `closed` follows (OUTCOME_NOT_ASKED). */
void openssh_abort(struct openssh *openssh);

/* --- openssh_args.c, pure --- */

/* Whether ssh takes it for a user's name, wherever it is put: a ProxyCommand's %r is read by a shell. */
bool openssh_is_user(const char *name);
/* Whether a line of `ssh -G` is one that is handed on: keys, host keys, algorithms, the way. */
bool openssh_is_carried(const char *line);
/*
 * The arguments of muster-run-ssh, NULL at the end, one allocation for the caller to free; `command` is
 * what the host runs. NULL: no memory.
 */
char **openssh_arguments(const struct openssh_start *start, const char *command);
/* What of our environment ssh gets, and what `start` adds; likewise. */
char **openssh_environment(char *const *ours, const struct openssh_start *start);

#endif
