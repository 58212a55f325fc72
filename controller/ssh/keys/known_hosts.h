// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_KEYS_KNOWN_HOSTS_H
#define MUSTER_CONTROLLER_SSH_KEYS_KNOWN_HOSTS_H

/*
 * OpenSSH's known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): plain, hashed, [host]:port,
 * wildcards, negation, several keys a host, @revoked, @cert-authority. Read whole at the start, looked
 * up by name; never written: nothing is trusted on first use. Lives as long as the pool.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/error.h"

struct known_hosts;

enum known_kind { KNOWN_KEY, KNOWN_AUTHORITY, KNOWN_REVOKED };

/* Borrowed from the known_hosts. */
struct known_host {
	enum known_kind kind;
	struct bytes blob;
	const char *file;
	unsigned line;
};

int known_hosts_new(struct known_hosts **known, struct error *err) MUST_CHECK;
void known_hosts_free(struct known_hosts *known);

/* Adds a file. One that does not exist is no error unless `required`. */
int known_hosts_load(struct known_hosts *known, const char *path, bool required,
		     struct error *err) MUST_CHECK;
/* The same from text, which is copied. Lines that are none are counted and skipped, as ssh does. */
int known_hosts_parse(struct known_hosts *known, struct bytes text, const char *name,
		      struct error *err) MUST_CHECK;
/* Lines that could not be read, and the first one's "file:line" (or ""). */
size_t known_hosts_bad_lines(const struct known_hosts *known, const char **first);

/*
 * What is known of `host` on `port` (0 or 22: the plain name, else "[host]:port"), in the order of
 * files and lines, at most `room` entries; returns how many. Names are compared without case.
 */
size_t known_hosts_find(struct known_hosts *known, const char *host, uint16_t port,
			struct known_host *found, size_t room);

#endif
