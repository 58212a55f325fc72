// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_KEYS_KEYS_H
#define MUSTER_CONTROLLER_SSH_KEYS_KEYS_H

/*
 * The keys muster logs in with: from files, each loaded once, and from ssh-agent; with user
 * certificates. They live here, in the parent; muster-ssh gets public keys and signatures. Each
 * signature goes through keys_sign, after authreq has taken the request apart. Lives as long as the
 * pool.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "schema/bytes.h"
#include "schema/error.h"

#define KEYS_MAX 512

struct keys;

/* The value of the signature, empty: refused. May come from inside keys_sign. */
typedef void (*keys_signed)(void *context, uint64_t token, struct bytes value);

int keys_new(uv_loop_t *loop, struct keys **keys, struct error *err) MUST_CHECK;
void keys_free(struct keys *keys);

/*
 * A private key's file, and `FILE-cert.pub` where it exists. One that is there already is not added
 * again. *first and *count (may be NULL) say which indices are its own: the certificate first.
 */
int keys_add_file(struct keys *keys, const char *path, size_t *first, size_t *count,
		  struct error *err) MUST_CHECK;
/* A certificate's file for a key that is there already. */
int keys_add_certificate(struct keys *keys, const char *path, struct error *err) MUST_CHECK;
/* All that ssh-agent holds and that can be used. `path`: SSH_AUTH_SOCK. Once. */
int keys_add_agent(struct keys *keys, const char *path, struct error *err) MUST_CHECK;

/* Whether the file of this private key has a public one of a security key (FIDO) beside it. */
bool keys_is_security_file(const char *path);
/* Whether ssh-agent holds a security key, which cannot be used here. */
bool keys_agent_has_security(const struct keys *keys);

size_t keys_count(const struct keys *keys);
/* What is offered to a host: the public key, or the certificate. */
struct bytes keys_blob(const struct keys *keys, size_t index);
/* The file or the agent's comment, for people; escaped. */
const char *keys_name(const struct keys *keys, size_t index);
/* Whether ssh-agent has it. */
bool keys_is_agents(const struct keys *keys, size_t index);
/* The index of a blob, or keys_count. */
size_t keys_find(const struct keys *keys, struct bytes blob);

/* Signs `data` with the algorithm that authreq read out of it. `done` is called exactly once. */
void keys_sign(struct keys *keys, size_t index, struct bytes algorithm, struct bytes data,
	       keys_signed done, void *context, uint64_t token);

#endif
