// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_TALK_H
#define MUSTER_CONTROLLER_SSH_TALK_H

/*
 * What is said over one exec channel, whoever carries it (libssh2, or the OpenSSH program): the noise
 * of a login shell, the bootstrap's lines, the upload, then frames; the caps on all of it; and at the
 * end the one named state and its reason. Pure: no I/O, no clock. Every byte it takes is hostile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/fleet/transport.h"
#include "controller/ssh/bootstrap.h"
#include "controller/ssh/framer.h"
#include "schema/bytes.h"
#include "schema/frame.h"
#include "schema/outcome.h"

#define TALK_EXCERPT_MAX 512U
#define TALK_REASON_SIZE TRANSPORT_REASON_SIZE
#define TALK_HEAD_SIZE (64U + 2 * DIGEST_SIZE + 3) /* "SIZE SHA256 PACKED\n" */

enum talk_state {
	TALK_SHELL,  /* until the marker */
	TALK_UPLOAD, /* until the probe's first frame */
	TALK_RUNNING,
};

enum talk_event {
	TALK_MORE,   /* all input is taken */
	TALK_ARCH,   /* talk->bootstrap.word is the machine: talk_head, the probe, then go on */
	TALK_STREAM, /* the probe speaks: go on */
	TALK_OVER,   /* *end says how: nothing more is to be taken */
};

struct talk_end {
	enum outcome outcome;
	char reason[TALK_REASON_SIZE]; /* escaped */
};

struct talk {
	enum talk_state state;
	enum become become;
	bool shell_works; /* sudo was next */
	uint64_t cap_bytes;
	uint64_t received_bytes;
	struct bootstrap bootstrap;
	struct framer framer;
	void (*frame)(void *context, struct bytes payload);
	void *context;
	uint8_t excerpt[TALK_EXCERPT_MAX]; /* what the host said beside the protocol */
	size_t excerpt_len;
	bool noisy; /* a login shell's own output is in it */
};

/* `tag`: as bootstrap_command got it. `cap_bytes` 0: none. */
void talk_init(struct talk *talk, const char *tag, enum become become, uint64_t cap_bytes,
	       void (*frame)(void *context, struct bytes payload), void *context);
void talk_clear(struct talk *talk);

/* So many bytes have come, on standard output or error: MORE, or OVER by the cap. Before they are taken. */
enum talk_event talk_count(struct talk *talk, size_t len, struct talk_end *end);
/* Standard output, from the front of *data up to the next event. */
enum talk_event talk_output(struct talk *talk, struct bytes *data, struct talk_end *end);
/* The line before the probe's bytes; `packed`: how many of gzip's, 0: they are sent as they are. */
size_t talk_head(size_t size, const struct digest *sha256, size_t packed,
		 char line[TALK_HEAD_SIZE]);
/* There is none for that machine. */
void talk_no_probe(const struct talk *talk, struct talk_end *end);
/* The command has ended: with a status, or by a signal where `signal` is not empty. */
void talk_ended(const struct talk *talk, int status, struct bytes signal, struct talk_end *end);

/* Standard error, and what else tells why. */
void talk_keep_excerpt(struct talk *talk, struct bytes data);
/* The excerpt as a tail for a reason: ": text" or nothing. */
const char *talk_said(const struct talk *talk, char *to, size_t room);

#endif
