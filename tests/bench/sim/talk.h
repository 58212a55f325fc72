// SPDX-License-Identifier: MIT
#ifndef TESTS_BENCH_SIM_TALK_H
#define TESTS_BENCH_SIM_TALK_H

/*
 * The probe's end of one conversation (schema/message.h), answered from a simulated snapshot: what
 * it says is made frame by frame as room is asked for, so that a thousand at once stay small. No
 * I/O and no clock of its own. Can be told to misbehave.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "schema/message.h"
#include "tests/bench/sim/fleet.h"

/* What a host does; the first three are no business of the conversation. */
enum behaviour {
	BEHAVE_WELL,
	BEHAVE_SLOW,    /* waits before each answer */
	BEHAVE_MUTE,    /* takes the connection and says nothing */
	BEHAVE_HANG_UP, /* closes it at once */
	BEHAVE_OTHER_KEY,
	BEHAVE_NO_LOGIN,
	BEHAVE_BABBLE,     /* output without end instead of a shell's answer */
	BEHAVE_NO_PROBE,   /* ends with a status instead of saying hello */
	BEHAVE_GIANT,      /* a message of two gigabytes */
	BEHAVE_HALF,       /* stops in the middle of a message and closes */
	BEHAVE_UNSORTED,   /* a list out of order */
	BEHAVE_BAD_OBJECT, /* an object that is not what its digest says, or as bad a proof */
	BEHAVE_BAD_STREAM, /* a wrong digest over the stream */
	BEHAVE_FLOOD,      /* coverage without end */
	BEHAVE_NO_SHELL,   /* a word and a status instead of a shell */
	BEHAVE_NOISE,      /* text where a message should be */
	BEHAVE_REPLAY,     /* the stream of another session */
	BEHAVE_SILENT,     /* not a word of what was looked at */
	BEHAVE_FALSE_GAP,  /* leaves out /usr for a mount that it does not have */
	BEHAVE_SKEWED,     /* a clock that is years ahead */
	BEHAVE_TWIN,       /* the machine id of another host */
	BEHAVIOURS
};

const char *behaviour_name(enum behaviour behaviour);

struct out {
	uint8_t *data;
	size_t at, len, room;
};
void out_put(struct out *out, const void *data, size_t len);
void out_take(struct out *out, size_t len);
void out_clear(struct out *out);

struct talk_run {
	uint32_t index;
	bool md5;
};

struct talk_runs {
	struct talk_run *item;
	size_t count, room, at;
};

/* ROOT, PROOF, LIST and STREAMS: ours to speak; PLAN and ASK: the controller's; HASH: both. */
enum talk_stage {
	TALK_PLAN,
	TALK_ROOT,
	TALK_ASK,
	TALK_PROOF,
	TALK_LIST,
	TALK_HASH,
	TALK_STREAMS,
	TALK_OVER
};

struct talk {
	struct fleet *fleet;
	enum behaviour behaviour;
	enum talk_stage stage;
	struct fleet_snapshot snapshot;
	struct plan plan; /* only its numbers: lists are not kept */
	EVP_MD_CTX *stream;
	uint8_t *hello;
	size_t hello_len;
	size_t listed;           /* sections */
	struct talk_runs due;    /* to be hashed */
	struct talk_runs wanted; /* to be sent */
	size_t decided;          /* of due */
	uint64_t undecided_bytes;
	bool hash_whole;
	struct bytes object; /* being sent, our own copy */
	size_t object_at;
	uint32_t hashed;
	bool covered;
};

void talk_init(struct talk *talk, struct fleet *fleet, uint32_t host, uint32_t night,
	       enum behaviour behaviour);
void talk_clear(struct talk *talk);

/* The first message, which is sent unasked. `clock_ns` is the host's. */
void talk_hello(struct talk *talk, int64_t clock_ns, struct out *out);
/* One payload of the controller's; false: a broken protocol. */
bool talk_frame(struct talk *talk, struct bytes payload);
/* Says more until `most` bytes wait in *out or there is nothing to say. */
void talk_fill(struct talk *talk, struct out *out, size_t most);

#endif
