// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_OPENSSH_SSH_WORDS_H
#define MUSTER_CONTROLLER_SSH_OPENSSH_SSH_WORDS_H

/*
 * What OpenSSH's ssh says in its own log (-E, LogLevel VERBOSE), read for how far it has come and why
 * it failed. The log is ssh's alone, but some of its lines quote the host: those are known by how they
 * begin, and nothing behind that is believed. Bounded; what is said is for people only where it is not
 * one of the texts of readconf.c, sshconnect.c, sshconnect2.c, packet.c, kex.c and clientloop.c.
 */

#include <stdbool.h>
#include <stddef.h>

#include "schema/bytes.h"
#include "schema/outcome.h"

#define SSH_WORDS_LINE 1024U

struct ssh_words {
	char line[SSH_WORDS_LINE]; /* the one that is coming */
	size_t line_len;
	bool cut; /* longer than is kept */
	bool authenticated;
	unsigned rank;             /* of `said`; 0: the text is known and weighs most */
	enum outcome outcome;      /* of `said`; OUTCOME_NOT_ASKED: no known text */
	char said[SSH_WORDS_LINE]; /* the line that decides, or the last one; may be empty */
	char fingerprint[80];      /* of a host key that is another one: "SHA256:..." */
	char place[300];           /* where the expected one stands: "FILE:LINE" */
};

void ssh_words_init(struct ssh_words *words);
/* True where it has just become known that the login is done. */
bool ssh_words_feed(struct ssh_words *words, struct bytes data);
/* Why it failed, by what was said. `to` is escaped; OUTCOME_NOT_ASKED: nothing known was said. */
enum outcome ssh_words_reason(const struct ssh_words *words, char *to, size_t room);

#endif
