// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_BOOTSTRAP_H
#define MUSTER_CONTROLLER_SSH_BOOTSTRAP_H

/*
 * How the probe gets onto a host: one shell command, and the reading of what it prints. The command
 * (normative text in docs/ssh.md) prints a marker that is random per session and never stands in the
 * command line as a whole, finds a folder in which the user can both write and execute, says the
 * architecture, reads one line `SIZE SHA256 [PACKED]`, takes exactly SIZE bytes, or PACKED bytes that gzip
 * makes SIZE of, and executes them. Whatever
 * stands before the marker (banners, rc files) is noise, bounded and dropped. Pure: no I/O.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/fleet/transport.h"
#include "schema/bytes.h"

#define BOOTSTRAP_TAG_SIZE 32      /* hexadecimal digits */
#define BOOTSTRAP_COMMAND_MAX 2048 /* some shells end at 4096 */
#define BOOTSTRAP_PREAMBLE_MAX 65536U
#define BOOTSTRAP_WORD_MAX 64U

enum bootstrap_event {
	BOOTSTRAP_MORE,     /* all input taken */
	BOOTSTRAP_SHELL,    /* the login shell runs commands; sudo comes next */
	BOOTSTRAP_READY,    /* `word` is uname -m: send the probe */
	BOOTSTRAP_FAILED,   /* `word` says why: no-place, short */
	BOOTSTRAP_STREAM,   /* the rest of the input is the probe's */
	BOOTSTRAP_TOO_MUCH, /* more noise than any banner, or a marker line that is none of ours */
};

struct bootstrap {
	char marker[8 + BOOTSTRAP_TAG_SIZE];
	char word[BOOTSTRAP_WORD_MAX];
	uint8_t line[512]; /* the end of what has come since the last newline */
	size_t line_len;
	size_t noise; /* bytes that were no marker line */
	bool ready;
	bool unpacks; /* the host has a gzip: the probe may be sent packed */
	bool streaming;
};

/* `tag`: BOOTSTRAP_TAG_SIZE hexadecimal digits, fresh for each session. */
void bootstrap_init(struct bootstrap *bootstrap, const char *tag);

/*
 * The command for an exec request. `room_bytes` is what the folder must be able to hold. Returns its
 * length, or 0 where it does not fit.
 */
size_t bootstrap_command(const char *tag, enum become become, size_t room_bytes, char *to,
			 size_t room);

/* Takes from the front of *input up to the next event. After STREAM and TOO_MUCH: no more. */
enum bootstrap_event bootstrap_feed(struct bootstrap *bootstrap, struct bytes *input);

#endif
