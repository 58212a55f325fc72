// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_FLEET_CONVERSATION_PRIVATE_H
#define MUSTER_CONTROLLER_FLEET_CONVERSATION_PRIVATE_H

/*
 * What the files of the conversation share: conversation.c (life, order of messages, streams),
 * conversation_foresee.c (what an unchanged host will answer), conversation_schedule.c (what is read
 * in this session), conversation_objects.c (what is fetched).
 */

#include <openssl/evp.h>

#include "baselines/arena.h"
#include "controller/fleet/conversation.h"
#include "schema/cbor.h"

/* In the order in which a conversation goes through them; `stage_set` alone moves on. */
enum stage {
	STAGE_HELLO,
	STAGE_ROOT,
	STAGE_RECALL, /* something changed or is new; the caller brings the last observation */
	STAGE_PROOF,  /* asked for SAME */
	STAGE_LIST,
	STAGE_DUE,     /* listed; the caller decides */
	STAGE_HASH,    /* digests and objects */
	STAGE_STREAMS, /* finish sent: timeline, coverage, end */
	STAGE_DONE,
	STAGE_BROKEN,
};

/* Decided at once, however many frames are still to be handed over. */
#define UNDECIDED_BYTES_MAX ((uint64_t)256 << 10)
#define UNDECIDED_MAX 32

/* The MD5 that goes with a package: as it was, then as it is. */
struct listed_md5 {
	struct digest digest;
	int64_t read_s;
	uint32_t size;
	bool was; /* in the last observation */
	bool has; /* told in this session */
	bool changed;
	bool deferred; /* its object is being fetched from another host */
};

/*
 * One a section and session, so that its size counts. What the last observation had is copied into it,
 * which is given back then: content, time and unread are as it was until they are told anew.
 */
struct listed {
	struct bytes key;
	uint64_t stat;
	uint64_t last_stat; /* 0: not known */
	int64_t read_s;
	struct digest content;
	struct listed_md5 *md5; /* NULL: has none */
	uint32_t size;
	uint32_t unread;
	bool always : 1;
	bool was : 1; /* in the last observation */
	bool due : 1; /* will be hashed in this session */
	bool ask_md5 : 1;
	bool md5_is_old : 1; /* its configuration is of another moment than its MD5 */
	bool hashed : 1;
	bool changed : 1; /* its content, from what it was */
	bool settled : 1;
	bool deferred : 1; /* its object is being fetched from another host */
};

struct pending {
	uint32_t index;
	bool md5;
};

struct conversation {
	struct conversation_plan plan;
	struct conversation_io io;
	struct foreseen foreseen;
	enum stage stage;
	bool same;    /* nothing changed, and `last` is not at hand yet */
	bool recalls; /* `last` is asked for, and where there is none, whether there is room to list */
	size_t last_count; /* sections that it had */
	bool is_as_last;   /* contents and keys, though stats were not */
	EVP_MD_CTX *stream;
	struct arena arena;

	struct listed *listed;
	size_t listed_count, listed_room;
	size_t key_bytes;
	size_t *due; /* indices into listed */
	size_t due_count;
	size_t due_at;  /* the next digest's place in `due` */
	size_t decided; /* how many of `due` have been decided */
	uint64_t undecided_bytes;

	struct pending *wanted; /* asked for, in order; [wanted_at] is the one that comes next */
	size_t wanted_count, wanted_room, wanted_at;
	uint8_t *object;
	size_t object_len, object_room;
	uint64_t objects_bytes; /* of all that came */
	size_t object_bytes;    /* of those not handed over yet */
	struct conversation_object *objects;
	size_t object_count, objects_room;
	size_t deferred;

	size_t coverage_room, timeline_room;
	size_t text_bytes; /* of both */
	struct observation seen;
};

void stage_set(struct conversation *c, enum stage stage);
int no_memory(struct error *err);
/* Makes room for one more item of `size` bytes; grows by half. */
int reserve(void **items, size_t count, size_t *room, size_t size, struct error *err) MUST_CHECK;
/* A copy in the conversation's memory; *ok as arena_copy. */
struct bytes keep(struct conversation *c, struct bytes from, bool *ok);
/* The same, of timeline and coverage: LIMIT where a host sends more than one may. */
int keep_text(struct conversation *c, struct bytes *text, struct error *err) MUST_CHECK;
int send_writer(struct conversation *c, const struct cbor_writer *w, struct error *err) MUST_CHECK;
int send_ask(struct conversation *c, enum ask_mode mode, struct error *err) MUST_CHECK;
int send_finish(struct conversation *c, struct error *err) MUST_CHECK;

/* That of a package, made where it has none yet; NULL for lack of memory. */
struct listed_md5 *listed_md5(struct conversation *c, struct listed *l, struct error *err);

/* An MD5 section goes with its package's: the probe neither lists nor foresees it. */
bool section_is_md5(struct bytes key);
/* Read so long ago that it is read again. */
bool section_is_stale(const struct conversation_plan *plan, int64_t read_s);
/* Read in this session even though it seems unchanged: always-set and slice. */
bool section_is_due(const struct plan *plan, struct bytes key, bool always);

/* Handlers, one a message of the probe's. */
int keep_last(struct conversation *c, struct error *err) MUST_CHECK;
int on_root(struct conversation *c, struct bytes payload, struct error *err) MUST_CHECK;
int on_proof(struct conversation *c, struct bytes payload, struct error *err) MUST_CHECK;
int on_list(struct conversation *c, struct bytes payload, struct error *err) MUST_CHECK;
int on_digest(struct conversation *c, struct bytes payload, struct error *err) MUST_CHECK;
int on_object(struct conversation *c, struct bytes payload, struct error *err) MUST_CHECK;

/* Everything due is decided and delivered: the probe may finish. */
int maybe_finish(struct conversation *c, struct error *err) MUST_CHECK;

#endif
