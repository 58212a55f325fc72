// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_ROUTE_SSH_CONFIG_H
#define MUSTER_CONTROLLER_SSH_ROUTE_SSH_CONFIG_H

/*
 * What ssh_config says of a host, as ssh itself resolves it: `ssh -G HOST` in a child, a few at a
 * time, without blocking the loop. Where the files name no host (only `Host *`), ssh is asked once for
 * all. Where ssh is not installed there is nothing to say. Match exec runs commands: as ssh does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define SSH_CONFIG_LIST_MAX 16

#define SSH_CONFIG_LINES_MAX 160

struct ssh_config_line {
	const char *keyword;
	const char *value;
};

/* NULL: not said. Paths are as written, with ~ and %tokens (ssh_config_expand). */
struct ssh_config_answer {
	const char *hostname;
	const char *user;
	uint16_t port;
	const char *identity[SSH_CONFIG_LIST_MAX];
	size_t identity_count;
	const char *certificate[SSH_CONFIG_LIST_MAX];
	size_t certificate_count;
	const char *user_known_hosts; /* paths with blanks between */
	const char *global_known_hosts;
	const char *hostkey_alias;
	const char *proxy_jump;
	const char *proxy_command;
	const char *identity_agent; /* a path, "SSH_AUTH_SOCK" or "none" */
	bool identities_only;
	bool gssapi;
	bool no_pubkey;
	const char *preferred_authentications;
	const char *revoked_host_keys;
	const char *pkcs11_provider;
	/* All of it, for handing on: keyword (lower case) and value. */
	struct ssh_config_line line[SSH_CONFIG_LINES_MAX];
	size_t line_count;
};

struct ssh_config;

/* Borrowed during the call. NULL without `why`: ssh is not installed; with: ssh refused. */
typedef void (*ssh_config_done)(void *context, uint64_t token,
				const struct ssh_config_answer *answer, const char *why);

/* `file`: as ssh -F; NULL: ssh's own. */
int ssh_config_new(uv_loop_t *loop, const char *file, struct ssh_config **config,
		   struct error *err) MUST_CHECK;
/* Calls `done` once, perhaps from inside, or not at all if freed before. `host` is a host name. */
void ssh_config_ask(struct ssh_config *config, const char *host, ssh_config_done done,
		    void *context, uint64_t token);
/* Gone when the loop has run on. */
void ssh_config_free(struct ssh_config *config);

/* Takes ssh -G's output apart, in place: the answer points into `text`, which ends in NUL. */
void ssh_config_parse(char *text, struct ssh_config_answer *answer);
/* Whether the text of a configuration file has a Host or Match for some hosts only, or an Include. */
bool ssh_config_is_specific(struct bytes text);
/*
 * A path with ~, %d, %h, %n, %r, %u and %% replaced (ssh_config(5), TOKENS); false where it has others
 * or does not fit.
 */
bool ssh_config_expand(const char *path, const char *home, const char *host, const char *user,
		       char *to, size_t room);

#endif
