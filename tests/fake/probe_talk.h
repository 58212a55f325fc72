// SPDX-License-Identifier: MIT
#ifndef TESTS_FAKE_PROBE_TALK_H
#define TESTS_FAKE_PROBE_TALK_H

/*
 * The controller's side of a conversation with a probe over pipes, for tests and benches: one call
 * a message, and a whole conversation that keeps every section asked for. Blocking; any surprise
 * ends the process with a message, because in a test every surprise is a failure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "payloads/digest/sha256.h"
#include "schema/message.h"

struct talk_section {
	uint8_t *key;
	size_t key_len;
	uint64_t stat;
	bool always;
	bool hashed;
	struct digest_message digest;
	uint8_t *data; /* NULL: not wanted */
	size_t len;
	uint8_t *md5;
	size_t md5_len;
	unsigned again; /* chunks that were collected anew */
};

struct talk_row {
	char check[33];
	char reason[33];
	char subject[4097];
	enum coverage_state state;
	uint64_t count;
};

struct talk {
	pid_t pid;
	int to;
	int from;
	struct sha256 stream;
	bool started; /* the nonce is known */
	uint8_t first[FRAME_MAX];
	size_t first_len;
	uint8_t payload[FRAME_MAX];
	size_t len;
	uint64_t received;

	struct hello hello; /* texts borrowed from `first` */
	struct root root;
	struct proof proof;
	struct talk_section *section;
	size_t count;
	struct talk_row *row;
	size_t row_count;
	struct timeline_item *item; /* paths allocated */
	size_t item_count;
	struct end end;
	int status; /* of waitpid */
	struct rusage use;
};

enum talk_want { TALK_WANT_NONE, TALK_WANT_ALL };

/* Runs `argv`, or `child` in a forked process where argv is NULL. */
void talk_start(struct talk *talk, char *const argv[], int (*child)(int in_fd, int out_fd));
/* Closes both ends and waits. */
void talk_stop(struct talk *talk);
void talk_free(struct talk *talk);

void talk_send(struct talk *talk, const uint8_t *data, size_t len);
/* Next payload into talk->payload; false at the end of the stream. */
bool talk_receive(struct talk *talk);

void talk_hello(struct talk *talk);
void talk_plan(struct talk *talk, const struct plan *plan);
void talk_root(struct talk *talk);
void talk_ask(struct talk *talk, enum ask_mode mode);
void talk_list(struct talk *talk);
/* Hashes the sections that `choose` takes (NULL: all) and fetches them. */
void talk_hash(struct talk *talk, bool (*choose)(const struct talk_section *section), bool md5,
	       enum talk_want want);
void talk_finish(struct talk *talk);

/* hello to end. */
void talk_whole(struct talk *talk, const struct plan *plan, bool md5, enum talk_want want);

/* A plan that looks at everything. */
void talk_plan_default(struct plan *plan);
void talk_plan_add(struct plan_list *list, const char *item);

/* By the parts of its key after the kind; NULL where there is none. */
struct talk_section *talk_find(struct talk *talk, enum section_kind kind, const char *part);
const struct talk_row *talk_find_row(const struct talk *talk, const char *check,
				     const char *reason);

#endif
