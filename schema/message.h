// SPDX-License-Identifier: MIT
#ifndef MUSTER_SCHEMA_MESSAGE_H
#define MUSTER_SCHEMA_MESSAGE_H

/*
 * The conversation between controller (C) and probe (P), normative with schema/probe.cddl and
 * docs/protocol.md. Each message is one CBOR array in one frame (schema/frame.h): its type, then
 * fields by position. Encoders and decoders of a message stand side by side in message.c. Decoders
 * borrow from the payload, bound every count and length, and refuse trailing bytes.
 *
 *   P hello
 *   C plan
 *   P root                                 one digest over all (key, stat digest), and their count
 *   C ask SAME | LIST
 *     after SAME:  P proof                 one digest over (key, content digest) of always and slice
 *                  C finish, or ask LIST
 *     after LIST:  P list ...              (key, stat digest) in key order; position = section index
 *   C hash ... (last)                      which sections to read, by index
 *     meanwhile:   P digest ...            one a section read; P waits when its ring is full
 *                  C want ...              decides on all sections up to an index, in hash order
 *                  P object ...            the wanted sections' bytes, in chunks
 *   C finish                               when every digest is decided
 *   P timeline ..., coverage ..., end
 *
 * C may send `want` late for sections already passed (an object in flight elsewhere that never
 * came): the probe then collects them again, until finish.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/cbor.h"
#include "schema/frame.h"
#include "schema/section.h"

#define PROTOCOL_VERSION 4

enum message_type {
	MESSAGE_HELLO = 1,
	MESSAGE_PLAN,
	MESSAGE_ROOT,
	MESSAGE_ASK,
	MESSAGE_PROOF,
	MESSAGE_LIST,
	MESSAGE_HASH,
	MESSAGE_DIGEST,
	MESSAGE_WANT,
	MESSAGE_OBJECT,
	MESSAGE_FINISH,
	MESSAGE_TIMELINE,
	MESSAGE_COVERAGE,
	MESSAGE_END,
	MESSAGE_TYPES
};

const char *message_type_name(enum message_type type);
/* The type of a payload, or 0 where it is no message. */
enum message_type message_type_of(struct bytes payload);

/* P: who and where I am. Everything here is the host's own word. */
#define HELLO_TEXT_MAX 256
struct hello {
	uint32_t version;     /* PROTOCOL_VERSION */
	struct bytes build;   /* muster's version */
	struct bytes arch;    /* the probe's: x86_64, aarch64 */
	struct bytes machine; /* uname -m, which may differ under a 32-bit personality */
	struct bytes kernel;  /* uname -r */
	struct bytes hostname;
	struct bytes boot_id;    /* /proc/sys/kernel/random/boot_id */
	struct bytes machine_id; /* /etc/machine-id */
	uint32_t uid;            /* effective */
	uint64_t capabilities;   /* CapEff of /proc/self/status */
	int64_t clock_ns;        /* CLOCK_REALTIME */
	int64_t boot_s;          /* btime of /proc/stat */
	uint32_t tracer;         /* TracerPid: 0, or who watches us */
	uint32_t missing;        /* enum missing_call: fallbacks in use */
};
enum missing_call {
	MISSING_STATX = 1,
	MISSING_OPENAT2 = 2,
	MISSING_PREADV2 = 4,
	MISSING_IOPRIO = 8,
	MISSING_NOATIME = 16, /* not the owner and no CAP_FOWNER: atimes move where mounted so */
};
void hello_encode(struct cbor_writer *w, const struct hello *m);
bool hello_decode(struct bytes payload, struct hello *m);

/* C: what is asked. Never an expected value (DESIGN.md, principle 7). */
#define PLAN_ITEMS_MAX 64
#define NONCE_SIZE 32
#define SEED_SIZE 16
enum plan_check {
	CHECK_PACKAGES = 1, /* package databases and their files */
	CHECK_TREE = 2,     /* what no package owns under the roots */
	CHECK_VOLATILE = 4,
	CHECK_SETID = 8, /* over all local file systems */
	CHECK_FLAGS = 16,
	CHECK_MOUNTS = 32,
	CHECK_TIMELINE = 64,
	CHECK_LABELS = 128,
	CHECK_ALL = 255,
};
struct plan_list {
	size_t count;
	struct bytes item[PLAN_ITEMS_MAX];
};
struct plan {
	uint8_t nonce[NONCE_SIZE];  /* binds the stream digest to this session */
	uint8_t seed[SEED_SIZE];    /* keys the probe's hash tables */
	uint32_t checks;            /* enum plan_check */
	uint32_t budget_s;          /* wall clock; 0: none */
	uint64_t budget_read_bytes; /* 0: none */
	uint64_t budget_entries;    /* 0: none */
	uint32_t budget_depth;      /* directories below a root; 0: none */
	uint64_t rate_bytes_s;      /* read rate; 0: none */
	int64_t since_ns;           /* timeline: ctime later than this, the host's clock */
	bool full;                  /* every section is in always */
	uint8_t slice_key[SEED_SIZE];
	uint32_t slice_part;    /* section is in the slice: siphash(slice_key, key) % of == part */
	uint32_t slice_of;      /* 0: no slice */
	struct plan_list roots; /* absolute paths: searched for unowned objects */
	struct plan_list volatiles; /* absolute paths: only telling objects */
	struct plan_list web_roots; /* volatile too; world-writable directories tell as well */
	struct plan_list excludes;  /* fnmatch patterns (FNM_PATHNAME) that policy leaves out */
	struct plan_list always;    /* fnmatch patterns: sections that touch one are always read */
};
void plan_encode(struct cbor_writer *w, const struct plan *m);
bool plan_decode(struct bytes payload, struct plan *m);

/*
 * P: SHA-256 over (encoded key, 8 bytes of stat digest, most significant first) of every section in
 * key order.
 */
struct root {
	struct digest stat_root;
	uint32_t sections;
};
void root_encode(struct cbor_writer *w, const struct root *m);
bool root_decode(struct bytes payload, struct root *m);

enum ask_mode { ASK_SAME = 0, ASK_LIST = 1 };
void ask_encode(struct cbor_writer *w, enum ask_mode mode);
bool ask_decode(struct bytes payload, enum ask_mode *mode);

/* P: SHA-256 over (key bytes, 32 bytes of content digest), key order, of always-set and slice. */
struct proof {
	struct digest content_root;
	uint32_t sections;
	uint32_t unread; /* files that could not be read among them */
};
void proof_encode(struct cbor_writer *w, const struct proof *m);
bool proof_decode(struct bytes payload, struct proof *m);

/*
 * P: a run of sections, the first of which has index `first`. The caller counts first how many
 * items fit a frame: one takes at most SECTION_KEY_MAX + 24 bytes.
 */
struct list_item {
	struct bytes key; /* encoded */
	uint64_t stat;    /* stat digest: host-local, only schedules hashing */
	bool always;      /* touches a pattern of plan.always (the slice the controller knows) */
};
struct list_reader {
	struct cbor_reader r;
	uint32_t first;
	uint32_t count;
	bool last;
};
void list_begin(struct cbor_writer *w, uint32_t first, uint32_t count, bool last);
void list_item_encode(struct cbor_writer *w, const struct list_item *item);
bool list_decode(struct bytes payload, struct list_reader *reader);
/* False at the end, and (reader->r.failed) where malformed. Check r.failed after the last. */
bool list_next(struct list_reader *reader, struct list_item *item);

/* C: sections to read, as runs of indices in ascending order over all hash messages. */
#define HASH_RUNS_MAX 4096
struct hash_run {
	uint32_t first;
	uint32_t count;
	bool md5; /* make [md5, ...] of these packages too */
};
struct hash_reader {
	struct cbor_reader r;
	uint32_t count;
	bool last;
};
void hash_begin(struct cbor_writer *w, uint32_t count, bool last);
void hash_run_encode(struct cbor_writer *w, const struct hash_run *run);
bool hash_decode(struct bytes payload, struct hash_reader *reader);
bool hash_next(struct hash_reader *reader, struct hash_run *run);

/* P: one section was read. */
struct digest_message {
	uint32_t index;
	struct digest content;
	uint64_t stat; /* after the read */
	bool settled;  /* stat equal before and after, and nothing changed within 2 s of the read */
	uint32_t unread; /* files in it that could not be read */
	uint64_t size;   /* bytes of the canonical encoding */
	bool has_md5;
	struct digest md5; /* content digest of the [md5, ...] section */
	uint64_t md5_size;
};
void digest_encode(struct cbor_writer *w, const struct digest_message *m);
bool digest_decode(struct bytes payload, struct digest_message *m);

/* C: every section hashed so far up to and including `upto` is decided; these are wanted. */
#define WANT_ITEMS_MAX 4096
struct want_item {
	uint32_t index;
	bool md5; /* the [md5, ...] section rather than the section itself */
};
struct want_reader {
	struct cbor_reader r;
	uint32_t upto;
	uint32_t count;
};
void want_begin(struct cbor_writer *w, uint32_t upto, uint32_t count);
void want_item_encode(struct cbor_writer *w, const struct want_item *item);
bool want_decode(struct bytes payload, struct want_reader *reader);
bool want_next(struct want_reader *reader, struct want_item *item);

/* P: a chunk of a wanted section's canonical encoding, in order, chunks of one section together. */
#define OBJECT_CHUNK_MAX (FRAME_MAX - 64)
struct object {
	uint32_t index;
	bool md5;
	bool again; /* collected anew since its digest was sent: may be what is there by now */
	bool last;
	struct bytes chunk;
};
void object_encode(struct cbor_writer *w, const struct object *m);
bool object_decode(struct bytes payload, struct object *m);

void finish_encode(struct cbor_writer *w);
bool finish_decode(struct bytes payload);

/* P: objects whose ctime is later than plan.since_ns, ascending by ctime as far as memory allows. */
enum timeline_kind {
	TIMELINE_OBJECT = 0,
	TIMELINE_INSTALL =
		1, /* a package; path holds "name version arch", ctime_ns its install time */
};
struct timeline_item {
	enum timeline_kind kind;
	struct bytes path;
	uint32_t mode; /* whole st_mode */
	uint32_t uid;
	uint32_t gid;
	uint64_t size;
	int64_t ctime_ns;
	int64_t mtime_ns;
	int64_t btime_ns; /* 0: not known */
};
struct timeline_reader {
	struct cbor_reader r;
	uint32_t count;
};
void timeline_begin(struct cbor_writer *w, uint32_t count);
void timeline_item_encode(struct cbor_writer *w, const struct timeline_item *item);
bool timeline_decode(struct bytes payload, struct timeline_reader *reader);
bool timeline_next(struct timeline_reader *reader, struct timeline_item *item);

/* P: how far each check got. A check that is not named was not done. */
enum coverage_state {
	COVERAGE_DONE = 0,
	COVERAGE_PARTIAL,     /* looked at, with gaps */
	COVERAGE_SKIPPED,     /* left out on purpose: an unentered mount, a policy's exclude */
	COVERAGE_UNSUPPORTED, /* kernel, file system or database cannot tell */
};
struct coverage_item {
	struct bytes
		check; /* packages, tree, volatile, setid, flags, mounts, timeline, labels, acl, caps */
	struct bytes subject; /* a path, database or section; may be empty */
	enum coverage_state state;
	struct bytes
		reason; /* a word of [a-z-]: locked, changed, denied, budget-time, budget-bytes, ... */
	uint64_t count; /* objects concerned; for COVERAGE_DONE: looked at */
};
struct coverage_reader {
	struct cbor_reader r;
	uint32_t count;
};
void coverage_begin(struct cbor_writer *w, uint32_t count);
void coverage_item_encode(struct cbor_writer *w, const struct coverage_item *item);
bool coverage_decode(struct bytes payload, struct coverage_reader *reader);
bool coverage_next(struct coverage_reader *reader, struct coverage_item *item);

/* P: the last message. */
struct end {
	uint32_t sections; /* hashed in this session */
	uint64_t entries;  /* objects looked at */
	uint64_t files;    /* files read */
	uint64_t bytes;    /* bytes read and hashed */
	uint64_t unread;   /* files that could not be read */
	uint64_t cpu_us;
	uint64_t wall_us;
	uint64_t peak_kib;    /* resident set */
	struct digest stream; /* SHA-256(nonce || every payload before this one, hello included) */
};
void end_encode(struct cbor_writer *w, const struct end *m);
bool end_decode(struct bytes payload, struct end *m);

#endif
