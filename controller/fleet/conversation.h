// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_CONVERSATION_H
#define MUSTER_CONTROLLER_FLEET_CONVERSATION_H

/*
 * The controller's end of one conversation with a probe (schema/message.h, docs/protocol.md): a
 * state machine that is fed whole frames and sends frames, and ends with an observation and the
 * objects that nobody had. No I/O, no clock, no store of its own. Every count and size a host may
 * claim is bounded here; whatever is out of order, oversized or not what its digest says breaks the
 * conversation, and nothing from it may be kept. Owned by one host's run.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/judge/observation.h"
#include "schema/bytes.h"
#include "schema/error.h"
#include "schema/message.h"

/* What a host may claim at most. */
#define CONVERSATION_SECTIONS_MAX 200000U
#define CONVERSATION_KEYS_MAX ((size_t)16 << 20)      /* bytes of all keys */
#define CONVERSATION_SECTION_MAX ((uint64_t)64 << 20) /* bytes of one section */
#define CONVERSATION_OBJECTS_MAX ((uint64_t)1 << 30)  /* bytes of all objects of one session */
#define CONVERSATION_TIMELINE_MAX 100000U
#define CONVERSATION_TEXT_MAX ((size_t)4 << 20) /* of timeline and coverage: a probe's is 2.2 MiB */
#define CONVERSATION_COVERAGE_MAX 20000U

struct conversation;

enum conversation_event {
	CONVERSATION_MORE,   /* nothing for the caller to do */
	CONVERSATION_LISTED, /* conversation_hash is due before the next frame */
	CONVERSATION_RECALL, /* conversation_recall is due before the next frame: its list costs memory */
	CONVERSATION_DONE,   /* whole, stream digest right */
	CONVERSATION_BROKEN, /* *err says why; kind PEER or LIMIT unless memory ran out */
};

enum object_place {
	OBJECT_WANTED,    /* ask this host */
	OBJECT_KEPT,      /* the store has it */
	OBJECT_ELSEWHERE, /* another host was asked: ask again at the end */
};

struct conversation_io {
	void *context;
	int (*send)(void *context, struct bytes payload, struct error *err);
	/* At the end (`last`) ELSEWHERE is no answer any more. */
	enum object_place (*place)(void *context, const struct digest *digest, bool last);
};

/*
 * What an unchanged host will answer, so that a thousand of them can be talked to without holding a
 * thousand observations.
 */
struct foreseen {
	bool known;  /* there is a last observation, and clock_ns is of its hello */
	bool usable; /* every section of it has a stat digest and is young enough */
	int64_t clock_ns;
	uint32_t sections;
	uint32_t proved; /* sections due every night */
	struct digest stat_root;
	struct digest content_root;
	/* What becomes of the last observation where nothing changed. */
	size_t section_count;
	uint8_t *due;     /* a bit a section: read this night; owned (foreseen_clear) */
	int64_t oldest_s; /* reading of those that are not; INT64_MAX: none */
	size_t stale;     /* of them, older than allowed */
	bool has_headers; /* of rpm packages */
};
void foreseen_clear(struct foreseen *foreseen);

/* A later start of the timeline, for a host that comes with these rights again. */
struct narrow_since {
	bool known;
	uint32_t uid;
	int64_t since_ns;
};

struct conversation_plan {
	struct plan plan; /* bytes borrowed for the conversation's life */
	struct narrow_since narrow;
	const struct observation *last; /* the host's latest complete one; NULL: none. Borrowed */
	/* Instead of `last`, which is then asked for by RECALL, be there one or not. Its `due` is not looked at. */
	const struct foreseen *foreseen;
	int64_t now_s;      /* controller's clock at the start */
	uint32_t max_age_s; /* content read longer ago is read again; 0: no limit */
};

/* The last observation as foreseeing wants it: one section after the other, wherever they are. */
struct look_section {
	struct bytes key;
	int64_t read_s;
	bool always;
};
struct last_look {
	size_t section_count;
	int64_t clock_ns;               /* of its hello */
	const struct digest *stat_root; /* as conversation_stat_root; NULL: not whole */
	/* In order of keys. */
	struct look_section (*section)(const void *context, size_t index);
	/* Apart: it is wanted of few sections, and lies elsewhere. */
	const struct digest *(*content)(const void *context, size_t index);
	const void *context;
};
/* `last` NULL: there is none. To be cleared even after a failure. */
int conversation_foresee(const struct conversation_plan *plan, const struct last_look *last,
			 struct foreseen *foreseen, struct error *err) MUST_CHECK;
/* The same from `plan->last`, which may be NULL. */
int conversation_foresee_loaded(const struct conversation_plan *plan, struct foreseen *foreseen,
				struct error *err) MUST_CHECK;
/* What the probe says first while none of these stat digests changes; *whole: none is missing. */
int conversation_stat_root(const struct observation *observation, struct digest *root, bool *whole,
			   struct error *err) MUST_CHECK;

/* Sends nothing yet: the probe speaks first. */
int conversation_new(const struct conversation_plan *plan, const struct conversation_io *io,
		     struct conversation **conversation, struct error *err) MUST_CHECK;
void conversation_free(struct conversation *conversation);

enum conversation_event conversation_frame(struct conversation *conversation, struct bytes payload,
					   struct error *err);

/*
 * After CONVERSATION_LISTED: how many sections will be read anew, and their keys. The caller says
 * for which of them the MD5 is needed as well (a flag each, or NULL for none).
 */
size_t conversation_due_count(const struct conversation *conversation);
struct bytes conversation_due_key(const struct conversation *conversation, size_t index);
/* MORE, or BROKEN for lack of memory. */
enum conversation_event conversation_hash(struct conversation *conversation, const bool *md5,
					  struct error *err);

/*
 * Decides on what was hashed so far. To be called once all frames that have come are handed over and
 * before waiting for more: a probe whose ring is full waits for decisions, and nobody but the probe
 * knows when that is. MORE, or BROKEN for lack of memory.
 */
enum conversation_event conversation_flush(struct conversation *conversation, struct error *err);

/*
 * After CONVERSATION_RECALL: the last observation, or NULL where there is none. It is at hand until
 * LISTED; after DONE, for the conversation's life. MORE, or BROKEN for lack of memory.
 */
enum conversation_event conversation_recall(struct conversation *conversation,
					    const struct observation *last, struct error *err);

/* Whether all that is missing are objects that other hosts were asked for. */
bool conversation_is_waiting(const struct conversation *conversation);
/* Looks for them again; `last`: this host is asked for what still is not there. MORE or BROKEN. */
enum conversation_event conversation_ask_again(struct conversation *conversation, bool last,
					       struct error *err);

/* Stage of the conversation in a word, for messages: "hello", "root" ... */
const char *conversation_stage(const struct conversation *conversation);
/* What goes on, for people who wait; adds the sections that have been read, and that will be in all. */
const char *conversation_progress(const struct conversation *conversation, size_t *read,
				  size_t *due);

/*
 * After DONE, where nothing had changed and `last` is not at hand: until conversation_recall has it,
 * the observation has no sections.
 */
bool conversation_is_same(const struct conversation *conversation);
/* After DONE: whether keys and contents are those of the last observation, whatever was read. */
bool conversation_is_as_last(const struct conversation *conversation);
/* Memory that it holds now. */
size_t conversation_bytes(const struct conversation *conversation);
/* Sections that other hosts were asked for and that are not there yet. */
size_t conversation_deferred(const struct conversation *conversation);
/* After DONE; owned by the conversation. */
const struct observation *conversation_observation(const struct conversation *conversation);
struct conversation_object {
	struct digest digest;
	struct bytes content;
};
const struct conversation_object *conversation_objects(const struct conversation *conversation,
						       size_t *count);
/* Hands over what has come so far: the caller frees the array and each content. */
size_t conversation_take_objects(struct conversation *conversation,
				 struct conversation_object **objects);

/* SHA-256 (OpenSSL). */
int conversation_sha256(struct bytes data, struct digest *digest, struct error *err) MUST_CHECK;

#endif
