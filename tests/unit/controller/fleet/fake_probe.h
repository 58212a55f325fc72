// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CONTROLLER_FLEET_FAKE_PROBE_H
#define TESTS_UNIT_CONTROLLER_FLEET_FAKE_PROBE_H

/*
 * A probe without a host: holds sections in memory and answers a conversation as docs/protocol.md
 * has it, unless told to misbehave. Frames to the controller wait in a queue until taken.
 */

#include "controller/fleet/conversation.h"
#include "schema/message.h"

#define FAKE_SECTIONS_MAX 64

/* One way each of not being an honest probe. */
enum fake_fault {
	FAKE_HONEST,
	FAKE_OTHER_VERSION,
	FAKE_UNORDERED_LIST,
	FAKE_WRONG_FIRST,
	FAKE_UNKNOWN_SECTION,
	FAKE_DIGEST_NOT_ASKED,
	FAKE_DIGEST_TWICE,
	FAKE_GIANT_SECTION,
	FAKE_MD5_NOT_ASKED,
	FAKE_OBJECT_NOT_WANTED,
	FAKE_OBJECT_ALTERED,
	FAKE_OBJECT_LONGER,
	FAKE_OBJECT_SHORTER,
	FAKE_EARLY_END,
	FAKE_WRONG_STREAM,
	FAKE_REPLAYED_STREAM, /* digest under another nonce */
	FAKE_NOISE,           /* a frame that is no message */
	FAKE_FAULTS
};

struct fake_section {
	uint8_t key[128];
	size_t key_len;
	const char *content;
	size_t content_len; /* 0: up to its NUL */
	const char *later;  /* what is there when it is wanted; NULL: the same */
	uint64_t stat;
	bool always;
};

struct fake_probe {
	struct fake_section section[FAKE_SECTIONS_MAX]; /* in key order */
	size_t count;
	enum fake_fault fault;
	int64_t clock_ns;
	struct plan plan; /* as received; lists are not kept */
	unsigned lists, hashed, md5_made, objects_sent;
	bool asked_same;
	bool tells_nothing; /* sends no coverage */
	unsigned flood;     /* more messages of timeline, a long path each */
	uint8_t *queue;     /* frames: 4 bytes of length, payload */
	size_t queue_len, queue_at, queue_room;
	void *stream; /* EVP_MD_CTX */
	bool has_plan;
	uint8_t hello[1024];
	size_t hello_len;
};

void fake_probe_init(struct fake_probe *probe);
void fake_probe_clear(struct fake_probe *probe);
/* Adds [tree, DIR] with this content; call in order of DIR. */
void fake_probe_tree(struct fake_probe *probe, const char *dir, const char *content, uint64_t stat,
		     bool always);
/* Adds [package, dpkg, NAME, 1, all]. */
void fake_probe_package(struct fake_probe *probe, const char *name, const char *content,
			uint64_t stat);
/* Adds [KIND, rpm, old, 0:1-1, i386]. */
void fake_probe_rpm(struct fake_probe *probe, enum section_kind kind, const char *content,
		    uint64_t stat);

/* Speaks first. */
void fake_probe_start(struct fake_probe *probe);
/* A controller's payload arrives. */
void fake_probe_receive(struct fake_probe *probe, struct bytes payload);
/* The next frame to the controller; false when there is none. Borrowed until the next receive. */
bool fake_probe_next(struct fake_probe *probe, struct bytes *payload);

#endif
