// SPDX-License-Identifier: MIT
#include "controller/fleet/conversation_private.h"

#include <stdlib.h>

static const char *const stage_names[] = {
	[STAGE_HELLO] = "hello",   [STAGE_ROOT] = "root",       [STAGE_RECALL] = "recall",
	[STAGE_PROOF] = "proof",   [STAGE_LIST] = "list",       [STAGE_DUE] = "due",
	[STAGE_HASH] = "hash",     [STAGE_STREAMS] = "streams", [STAGE_DONE] = "done",
	[STAGE_BROKEN] = "broken",
};

const char *conversation_stage(const struct conversation *c)
{
	return stage_names[c->stage];
}

const char *conversation_progress(const struct conversation *c, size_t *read, size_t *due)
{
	switch (c->stage) {
	case STAGE_HELLO:
		return "connecting";
	case STAGE_ROOT:
		return "looking at all files";
	case STAGE_PROOF:
		return "reading what is read every night";
	case STAGE_RECALL:
	case STAGE_LIST:
	case STAGE_DUE:
		return "listing";
	case STAGE_HASH:
		*read += c->due_at;
		*due += c->due_count;
		return "reading";
	case STAGE_STREAMS:
	case STAGE_DONE:
		return "ending";
	case STAGE_BROKEN:
		break;
	}
	return NULL;
}

void stage_set(struct conversation *c, enum stage stage)
{
	c->stage = stage;
}

int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a host's answer");
}

/* Makes room for one more of `size` bytes; grows by half. */
int reserve(void **items, size_t count, size_t *room, size_t size, struct error *err)
{
	size_t more;
	void *grown;

	if (count < *room) {
		return 0;
	}
	more = *room < 16 ? 16 : *room + *room / 2;
	grown = reallocarray(*items, more, size);
	if (!grown) {
		return no_memory(err);
	}
	*items = grown;
	*room = more;
	return 0;
}

int conversation_sha256(struct bytes data, struct digest *digest, struct error *err)
{
	unsigned len = DIGEST_SIZE;

	/* Fails only for lack of memory, which is no fault of the host's. */
	if (EVP_Digest(data.data, data.len, digest->bytes, &len, EVP_sha256(), NULL) != 1) {
		return no_memory(err);
	}
	return 0;
}

int conversation_new(const struct conversation_plan *plan, const struct conversation_io *io,
		     struct conversation **conversation, struct error *err)
{
	struct conversation *c = calloc(1, sizeof(*c));

	if (!c) {
		return no_memory(err);
	}
	c->plan = *plan;
	c->io = *io;
	if (plan->foreseen) {
		c->foreseen = *plan->foreseen;
		c->foreseen.due = NULL; /* the caller's */
		c->recalls = true;
		c->plan.foreseen = NULL;
	} else if (conversation_foresee_loaded(plan, &c->foreseen, err) != 0) {
		conversation_free(c);
		return -1;
	}
	c->stream = EVP_MD_CTX_new();
	if (!c->stream || EVP_DigestInit_ex(c->stream, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(c->stream, plan->plan.nonce, NONCE_SIZE) != 1) {
		conversation_free(c);
		return no_memory(err);
	}
	*conversation = c;
	return 0;
}

void conversation_free(struct conversation *c)
{
	if (!c) {
		return;
	}
	for (size_t i = 0; i < c->object_count; i++) {
		free((void *)(uintptr_t)c->objects[i].content.data);
	}
	EVP_MD_CTX_free(c->stream);
	foreseen_clear(&c->foreseen);
	free(c->listed);
	free(c->due);
	free(c->wanted);
	free(c->object);
	free(c->objects);
	free(c->seen.sections);
	free(c->seen.coverage);
	free(c->seen.timeline);
	arena_clear(&c->arena);
	free(c);
}

/* Sending */

int send_writer(struct conversation *c, const struct cbor_writer *w, struct error *err)
{
	if (w->overflow) {
		return error_set(err, ERROR_SYSTEM, 0, "a message does not fit its frame");
	}
	return c->io.send(c->io.context, bytes_make(w->data, w->len), err);
}

static int send_plan(struct conversation *c, struct error *err)
{
	struct cbor_writer w;
	uint8_t *buffer = malloc(FRAME_MAX);
	int result;

	if (!buffer) {
		return no_memory(err);
	}
	cbor_writer_init(&w, buffer, FRAME_MAX);
	plan_encode(&w, &c->plan.plan);
	result =
		w.overflow
			? error_set(err, ERROR_CONFIG, 0,
				    "the policy's roots and patterns do not fit a plan of %u bytes",
				    FRAME_MAX)
			: send_writer(c, &w, err);
	free(buffer);
	return result;
}

int send_ask(struct conversation *c, enum ask_mode mode, struct error *err)
{
	uint8_t buffer[16];
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, sizeof(buffer));
	ask_encode(&w, mode);
	return send_writer(c, &w, err);
}

int send_finish(struct conversation *c, struct error *err)
{
	uint8_t buffer[16];
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, sizeof(buffer));
	finish_encode(&w);
	stage_set(c, STAGE_STREAMS);
	return send_writer(c, &w, err);
}

/* hello */

struct bytes keep(struct conversation *c, struct bytes from, bool *ok)
{
	return arena_copy(&c->arena, from, ok);
}

int keep_text(struct conversation *c, struct bytes *text, struct error *err)
{
	bool ok = true;

	if (text->len > CONVERSATION_TEXT_MAX - c->text_bytes) {
		return error_set(err, ERROR_LIMIT, 0,
				 "more timeline and coverage than a host may send");
	}
	c->text_bytes += text->len;
	*text = keep(c, *text, &ok);
	return ok ? 0 : no_memory(err);
}

static int on_hello(struct conversation *c, struct bytes payload, struct error *err)
{
	struct hello *h = &c->seen.hello;
	bool ok = true;

	if (!hello_decode(payload, h)) {
		return error_set(err, ERROR_PEER, 0, "malformed hello");
	}
	if (h->version != PROTOCOL_VERSION) {
		return error_set(err, ERROR_PEER, 0, "the probe speaks version %u, expected %u",
				 h->version, PROTOCOL_VERSION);
	}
	h->build = keep(c, h->build, &ok);
	h->arch = keep(c, h->arch, &ok);
	h->machine = keep(c, h->machine, &ok);
	h->kernel = keep(c, h->kernel, &ok);
	h->hostname = keep(c, h->hostname, &ok);
	h->boot_id = keep(c, h->boot_id, &ok);
	h->machine_id = keep(c, h->machine_id, &ok);
	if (!ok) {
		return no_memory(err);
	}
	if (c->plan.narrow.known && c->plan.narrow.uid == h->uid &&
	    c->plan.narrow.since_ns > c->plan.plan.since_ns) {
		c->plan.plan.since_ns = c->plan.narrow.since_ns;
	}
	stage_set(c, STAGE_ROOT);
	return send_plan(c, err);
}

/* streams */

static int on_timeline(struct conversation *c, struct bytes payload, struct error *err)
{
	struct timeline_reader reader;
	struct timeline_item item;

	if (!timeline_decode(payload, &reader)) {
		return error_set(err, ERROR_PEER, 0, "malformed timeline");
	}
	while (timeline_next(&reader, &item)) {
		if (c->seen.timeline_count >= CONVERSATION_TIMELINE_MAX) {
			return error_set(err, ERROR_PEER, 0, "more timeline than a host may send");
		}
		if (reserve((void **)&c->seen.timeline, c->seen.timeline_count, &c->timeline_room,
			    sizeof(item), err) != 0) {
			return -1;
		}
		if (keep_text(c, &item.path, err) != 0) {
			return -1;
		}
		c->seen.timeline[c->seen.timeline_count++] = item;
	}
	if (reader.r.failed) {
		return error_set(err, ERROR_PEER, 0, "malformed timeline");
	}
	return 0;
}

static int on_coverage(struct conversation *c, struct bytes payload, struct error *err)
{
	struct coverage_reader reader;
	struct coverage_item item;

	if (!coverage_decode(payload, &reader)) {
		return error_set(err, ERROR_PEER, 0, "malformed coverage");
	}
	while (coverage_next(&reader, &item)) {
		if (c->seen.coverage_count >= CONVERSATION_COVERAGE_MAX) {
			return error_set(err, ERROR_PEER, 0, "more coverage than a host may send");
		}
		if (reserve((void **)&c->seen.coverage, c->seen.coverage_count, &c->coverage_room,
			    sizeof(item), err) != 0) {
			return -1;
		}
		if (keep_text(c, &item.check, err) != 0 || keep_text(c, &item.subject, err) != 0 ||
		    keep_text(c, &item.reason, err) != 0) {
			return -1;
		}
		c->seen.coverage[c->seen.coverage_count++] = item;
	}
	if (reader.r.failed) {
		return error_set(err, ERROR_PEER, 0, "malformed coverage");
	}
	return 0;
}

static int on_end(struct conversation *c, struct bytes payload, struct error *err)
{
	struct digest stream;
	unsigned len = DIGEST_SIZE;

	if (!end_decode(payload, &c->seen.end)) {
		return error_set(err, ERROR_PEER, 0, "malformed end");
	}
	if (EVP_DigestFinal_ex(c->stream, stream.bytes, &len) != 1) {
		return no_memory(err);
	}
	if (!digest_equal(&stream, &c->seen.end.stream)) {
		return error_set(err, ERROR_PEER, 0,
				 "the stream digest is wrong: truncated, altered or replayed");
	}
	stage_set(c, STAGE_DONE);
	return 0;
}

/* Which message may come in which stage: the whole order of the conversation is this table. */
static const struct {
	enum message_type type;
	unsigned stages;
	int (*handle)(struct conversation *c, struct bytes payload, struct error *err);
} handlers[] = {
	{MESSAGE_HELLO, 1U << STAGE_HELLO, on_hello},
	{MESSAGE_ROOT, 1U << STAGE_ROOT, on_root},
	{MESSAGE_PROOF, 1U << STAGE_PROOF, on_proof},
	{MESSAGE_LIST, 1U << STAGE_LIST, on_list},
	{MESSAGE_DIGEST, 1U << STAGE_HASH, on_digest},
	{MESSAGE_OBJECT, 1U << STAGE_HASH, on_object},
	{MESSAGE_TIMELINE, 1U << STAGE_STREAMS, on_timeline},
	{MESSAGE_COVERAGE, 1U << STAGE_STREAMS, on_coverage},
	{MESSAGE_END, 1U << STAGE_STREAMS, on_end},
};

static int dispatch(struct conversation *c, struct bytes payload, struct error *err)
{
	enum message_type type = message_type_of(payload);

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].type != type) {
			continue;
		}
		if (!(handlers[i].stages & 1U << c->stage)) {
			return error_set(err, ERROR_PEER, 0, "%s out of order (at stage %s)",
					 message_type_name(type), conversation_stage(c));
		}
		return handlers[i].handle(c, payload, err);
	}
	return error_set(err, ERROR_PEER, 0, "not a message of the probe's (at stage %s)",
			 conversation_stage(c));
}

enum conversation_event conversation_frame(struct conversation *c, struct bytes payload,
					   struct error *err)
{
	/* The end message holds the digest of what came before it, so it is not part of it. */
	if (message_type_of(payload) != MESSAGE_END &&
	    EVP_DigestUpdate(c->stream, payload.data, payload.len) != 1) {
		(void)no_memory(err);
		stage_set(c, STAGE_BROKEN);
		return CONVERSATION_BROKEN;
	}
	if (dispatch(c, payload, err) != 0) {
		stage_set(c, STAGE_BROKEN);
		return CONVERSATION_BROKEN;
	}
	return c->stage == STAGE_DONE     ? CONVERSATION_DONE
	       : c->stage == STAGE_DUE    ? CONVERSATION_LISTED
	       : c->stage == STAGE_RECALL ? CONVERSATION_RECALL
					  : CONVERSATION_MORE;
}

bool conversation_is_same(const struct conversation *c)
{
	return c->stage == STAGE_DONE && c->same;
}

enum conversation_event conversation_recall(struct conversation *c, const struct observation *last,
					    struct error *err)
{
	int result = 0;

	c->plan.last = last;
	if (c->stage == STAGE_RECALL) {
		c->recalls = false;
		stage_set(c, STAGE_LIST);
		result = send_ask(c, ASK_LIST, err);
	} else if (conversation_is_same(c)) {
		c->same = false;
		result = last ? keep_last(c, err) : no_memory(err);
	}
	if (result != 0) {
		stage_set(c, STAGE_BROKEN);
		return CONVERSATION_BROKEN;
	}
	return CONVERSATION_MORE;
}

bool conversation_is_as_last(const struct conversation *c)
{
	return c->stage == STAGE_DONE && c->is_as_last;
}

size_t conversation_bytes(const struct conversation *c)
{
	return c->arena.total + c->listed_room * sizeof(*c->listed) +
	       c->wanted_room * sizeof(*c->wanted) +
	       (c->due ? c->listed_count * sizeof(*c->due) : 0) + c->object_room + c->object_bytes +
	       c->objects_room * sizeof(*c->objects) +
	       c->seen.section_count * sizeof(*c->seen.sections) +
	       c->coverage_room * sizeof(*c->seen.coverage) +
	       c->timeline_room * sizeof(*c->seen.timeline);
}

size_t conversation_deferred(const struct conversation *c)
{
	return c->deferred;
}

const struct observation *conversation_observation(const struct conversation *c)
{
	return c->stage == STAGE_DONE ? &c->seen : NULL;
}

const struct conversation_object *conversation_objects(const struct conversation *c, size_t *count)
{
	*count = c->object_count;
	return c->objects;
}

size_t conversation_take_objects(struct conversation *c, struct conversation_object **objects)
{
	size_t count = c->object_count;

	*objects = c->objects;
	c->objects = NULL;
	c->object_count = 0;
	c->objects_room = 0;
	c->object_bytes = 0;
	return count;
}
