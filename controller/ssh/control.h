// SPDX-License-Identifier: MIT
#ifndef MUSTER_CONTROLLER_SSH_CONTROL_H
#define MUSTER_CONTROLLER_SSH_CONTROL_H

/*
 * What muster (P, parent) and a muster-ssh child (C) say to each other over their socketpair, which
 * is descriptor 3 of the child. Normative. Each message is one CBOR array, its type first, behind a
 * length of four bytes as in schema/frame.h but with CONTROL_MAX as its limit. The child is not
 * trusted: the parent decodes what it says with the same care as a host's bytes.
 *
 *   C ready                       sandbox closed, version of libssh2
 *   P probe ...                   each architecture's probe in chunks, once, before the first start
 *   P start                       one host; ids are never used twice
 *     C stage ...                 progress
 *     C sign      P signed        the data of RFC 4252 section 7, with the proof of whose session
 *                                 it is: the host's signature over the session id (RFC 4253,
 *                                 section 8: H of the first exchange is the session id)
 *     C frame ... P send ...      whole frames of the probe, either way
 *     P pause                     stop or resume reading from this host
 *     P abort                     close now; closed follows
 *   C closed                      exactly one for each start
 *
 * A start with `jump` logs in to a jump host and runs nothing there: starts that name its id as `via`
 * then go through it, each by a channel of its own. The parent makes them, so that a jump host is
 * what its configuration names and nothing that a host said. When a jump host's session ends, its
 * `closed` comes before those of the sessions that it carried.
 *
 * A parent that goes away is the end of the child. What one side says about an id that the other
 * has closed meanwhile is ignored.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"
#include "schema/frame.h"
#include "schema/outcome.h"

#define CONTROL_FD 3
#define CONTROL_MAX (2U * FRAME_MAX)
#define CONTROL_CHUNK_MAX FRAME_MAX
#define CONTROL_ADDRESSES_MAX 16
#define CONTROL_PINS_MAX 32
#define CONTROL_KEYS_MAX 16
#define CONTROL_BLOB_MAX 16384U /* a public key or certificate */
#define CONTROL_SIGN_MAX 20000U /* data to be signed: a blob and a user name in it */
#define CONTROL_SIGNATURE_MAX 4096U
#define CONTROL_TEXT_MAX 255U
#define CONTROL_REASON_MAX 767U
#define CONTROL_EXCERPT_MAX 512U

enum control_type {
	CONTROL_PROBE = 1,
	CONTROL_START,
	CONTROL_SEND,
	CONTROL_PAUSE,
	CONTROL_ABORT,
	CONTROL_SIGNED,
	CONTROL_READY = 16,
	CONTROL_STAGE,
	CONTROL_FRAME,
	CONTROL_SIGN,
	CONTROL_CLOSED,
};

/* How far a session is, in this order; shown with -v. */
enum control_stage {
	STAGE_CONNECTING,
	STAGE_HANDSHAKE,
	STAGE_AUTH,
	STAGE_BOOTSTRAP,
	STAGE_UPLOAD,
	STAGE_RUNNING,
	STAGE_CARRYING, /* a jump host, after AUTH: others may go through it */
	STAGES
};

struct control_probe {
	struct bytes arch;
	struct digest sha256; /* of the whole probe */
	uint64_t size;        /* of the whole probe */
	uint64_t offset;
	struct bytes chunk;
};

struct control_address {
	struct bytes ip; /* 4 or 16 bytes */
	uint16_t port;
	uint32_t scope; /* IPv6 zone */
};

/* What became of the way through a jump host. */
enum control_via {
	VIA_FINE,      /* or none was asked for */
	VIA_LOST,      /* the jump host's session ended, or is not there */
	VIA_FULL,      /* it has no channel left (resource shortage) */
	VIA_FORBIDDEN, /* it may not connect there (administratively prohibited) */
	VIA_REFUSED,   /* it could not connect there */
	VIA_SLOW,      /* it had not connected in time */
	VIAS
};

struct control_start {
	uint64_t id;
	bool jump;         /* a jump host: carries others, runs nothing */
	uint64_t via;      /* the jump host's id; 0: by a connection of its own */
	struct bytes host; /* with `via`: what the jump host is to connect to */
	uint16_t port;     /* likewise */
	size_t address_count;
	struct control_address address[CONTROL_ADDRESSES_MAX]; /* tried in this order */
	struct bytes user;
	struct bytes hostkey_types; /* "ssh-ed25519,..." asked for; empty: all that are known */
	size_t pin_count;
	struct bytes pin[CONTROL_PINS_MAX]; /* host key blobs that are accepted; none: report */
	size_t key_count;
	struct bytes key[CONTROL_KEYS_MAX]; /* public keys or certificates to offer */
	bool sudo;                          /* BECOME_SUDO */
	bool pinned;                        /* BECOME_PINNED */
	uint32_t connect_timeout_ms;        /* for each phase before the probe runs */
	uint32_t timeout_ms;                /* total; 0: none */
	uint64_t cap_bytes;                 /* most that the host may send; 0: none */
};

struct control_sign {
	uint64_t id;
	uint32_t key; /* index into control_start.key */
	struct bytes data;
	struct bytes hostkey;   /* K_S of the key exchange */
	struct bytes signature; /* of the host over the session id */
};

struct control_closed {
	uint64_t id;
	enum outcome outcome;
	struct bytes reason;
	struct bytes excerpt;
	struct bytes hostkey; /* as the host showed it; may be empty */
	enum control_via via;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	uint64_t probe_bytes;
};

struct control_message {
	enum control_type type;
	union {
		struct control_probe probe;
		struct control_start start;
		struct control_sign sign;
		struct control_closed closed;
		struct {
			uint64_t id;
			struct bytes
				payload; /* SEND, FRAME; SIGNED: the signature, empty: refused */
		} data;
		struct {
			uint64_t id;
			bool on;
		} pause;
		struct {
			uint64_t id;
			enum control_stage stage;
		} stage;
		uint64_t abort_id;
		struct bytes ready;
	};
};

/* Encodes without the length head. Returns the size, or 0 where it does not fit. */
size_t control_encode(const struct control_message *m, uint8_t *to, size_t room);
/* Borrows from the payload; false: not one of ours, *m undefined. */
bool control_decode(struct bytes payload, struct control_message *m);

/*
 * What stands before the payload of a SEND, FRAME or SIGNED of `len` bytes, length head included,
 * so that big payloads are written without being copied. Returns its size.
 */
#define CONTROL_HEAD_MAX 32
size_t control_data_head(enum control_type type, uint64_t id, size_t len,
			 uint8_t head[CONTROL_HEAD_MAX]);

#endif
