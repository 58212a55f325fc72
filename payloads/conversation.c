// SPDX-License-Identifier: MIT
#include "payloads/conversation.h"

#include <sys/mman.h>
#include <unistd.h>

#include "payloads/collect.h"
#include "payloads/hello.h"
#include "payloads/scan.h"

#define WANTS_MAX 65536U
#define PLAN_WAIT_S 120     /* for the plan */
#define WATCHDOG_SLACK_S 60 /* after the plan's own time, for what is stuck */

/* Objects that the controller wants, in the order in which it said so. */
struct want_queue {
	struct want_slot {
		uint32_t index;
		bool md5;
	} slot[WANTS_MAX];
	size_t first;
	size_t count;
};

/* A section on its way: its objects wait among those of the next ones (object_add). */
struct turn {
	struct talk *talk;
	struct collection collection;
	struct sink sink;
	struct sink md5;
};

struct talk {
	struct probe *probe;
	struct want_queue wants;
	struct turn turn[OBJECTS_AHEAD + 1];
	uint32_t turns_begun;
	uint32_t turns_ended;
	uint32_t left; /* sections asked for and not hashed yet */
	bool is_finished;
	struct proof proof;
	struct sha256 proof_sha;
	/* Chunks of an object on its way out. */
	struct object out;
	size_t out_len;
	uint8_t out_chunk[OBJECT_CHUNK_MAX];
};

static void quit_protocol(void)
{
	channel_quit(STATUS_PROTOCOL);
}

static void begin_message(struct probe *probe, struct cbor_writer *w)
{
	cbor_writer_init(w, channel_room(&probe->channel), FRAME_MAX);
}

static void send_message(struct probe *probe, const struct cbor_writer *w)
{
	if (w->overflow) {
		quit_protocol();
	}
	channel_send(&probe->channel, w->len);
}

/* plan */

static void receive_plan(struct probe *probe)
{
	struct bytes payload;

	(void)channel_receive(&probe->channel, true, &payload);
	memcpy(probe->plan_payload, payload.data, payload.len);
	if (!plan_decode(bytes_make(probe->plan_payload, payload.len), &probe->plan)) {
		quit_protocol();
	}
	channel_bind(&probe->channel, bytes_make(probe->plan.nonce, NONCE_SIZE));
	/* What is stuck in the kernel beyond its time dies by the alarm's own hand. */
	alarm(0);
	if (probe->plan.budget_s > 0) {
		alarm(probe->plan.budget_s + WATCHDOG_SLACK_S);
	}
}

/* root */

static bool is_in_slice(const struct plan *plan, struct bytes key)
{
	return plan->slice_of != 0 &&
	       siphash(plan->slice_key, key) % plan->slice_of == plan->slice_part;
}

static void send_root(struct probe *probe)
{
	struct root root = {.sections = probe->catalog.count};
	struct cbor_writer w;
	struct sha256 sha;

	sha256_init(&sha);
	for (uint32_t i = 0; i < probe->catalog.count; i++) {
		struct bytes key = catalog_key(&probe->catalog, i);
		uint8_t stat[8];

		for (unsigned b = 0; b < 8; b++) {
			stat[b] = (uint8_t)(probe->catalog.list[i].stat >> (56 - 8 * b));
		}
		sha256_update(&sha, key.data, key.len);
		sha256_update(&sha, stat, sizeof(stat));
	}
	sha256_final(&sha, root.stat_root.bytes);
	begin_message(probe, &w);
	root_encode(&w, &root);
	send_message(probe, &w);
}

/* list */

static void send_list_run(struct probe *probe, uint32_t first, uint32_t count)
{
	struct cbor_writer w;

	begin_message(probe, &w);
	list_begin(&w, first, count, first + count == probe->catalog.count);
	for (uint32_t i = first; i < first + count; i++) {
		const struct catalog_item *item = &probe->catalog.list[i];

		list_item_encode(&w, &(struct list_item){
					     .key = catalog_key(&probe->catalog, i),
					     .stat = item->stat,
					     .always = (item->flags & CATALOG_ALWAYS) != 0,
				     });
	}
	send_message(probe, &w);
}

static void send_list(struct probe *probe)
{
	uint32_t first = 0;

	do {
		uint32_t count = 0;
		size_t room = FRAME_MAX - 32;

		while (first + count < probe->catalog.count &&
		       room >= probe->catalog.list[first + count].key_len + 24U) {
			room -= probe->catalog.list[first + count].key_len + 24U;
			count++;
		}
		send_list_run(probe, first, count);
		first += count;
	} while (first < probe->catalog.count);
}

/* object */

static void flush_chunk(struct talk *talk, bool last)
{
	struct cbor_writer w;

	talk->out.last = last;
	talk->out.chunk = bytes_make(talk->out_chunk, talk->out_len);
	begin_message(talk->probe, &w);
	object_encode(&w, &talk->out);
	send_message(talk->probe, &w);
	talk->out_len = 0;
}

static void put_chunk(void *context, struct bytes data)
{
	struct talk *talk = context;

	while (data.len > 0) {
		size_t len = OBJECT_CHUNK_MAX - talk->out_len;

		if (len == 0) {
			flush_chunk(talk, false);
			continue;
		}
		len = len < data.len ? len : data.len;
		memcpy(talk->out_chunk + talk->out_len, data.data, len);
		talk->out_len += len;
		data.data += len;
		data.len -= len;
	}
}

static void begin_object(struct talk *talk, uint32_t index, bool md5, bool again)
{
	talk->out = (struct object){.index = index, .md5 = md5, .again = again};
	talk->out_len = 0;
}

/*
 * A section that is not held any more is made anew on its way out. The controller sees whether it is
 * still what its digest says.
 */
static void send_again(struct talk *talk, uint32_t index, bool md5)
{
	struct probe *probe = talk->probe;
	struct sink nowhere;
	struct sink out;
	struct collection collection = {.probe = probe, .again = true};

	sink_init(&nowhere);
	sink_init(&out);
	out.send = put_chunk;
	out.context = talk;
	collection.sink = md5 ? &nowhere : &out;
	collection.md5 = md5 ? &out : NULL;
	collect_section(&collection, index);
}

/* Serves the queue from its front; what has to be made anew waits until nothing else is made. */
static void serve_wants(struct talk *talk)
{
	struct want_queue *wants = &talk->wants;

	while (wants->count > 0) {
		const struct want_slot slot = wants->slot[wants->first];
		struct bytes piece[2];

		if (ring_find(&talk->probe->ring, slot.index, slot.md5, piece)) {
			begin_object(talk, slot.index, slot.md5, false);
			put_chunk(talk, piece[0]);
			put_chunk(talk, piece[1]);
		} else if (talk->turns_begun == talk->turns_ended) {
			begin_object(talk, slot.index, slot.md5, true);
			send_again(talk, slot.index, slot.md5);
		} else {
			return;
		}
		flush_chunk(talk, true);
		wants->first = (wants->first + 1) % WANTS_MAX;
		wants->count--;
	}
}

/* What is decided and not wanted, or sent by now, may leave the ring. */
static void release(struct talk *talk, uint32_t upto)
{
	const struct want_queue *wants = &talk->wants;

	/* A want that still waits for its turn keeps what it names and all after it. */
	for (size_t i = 0; i < wants->count; i++) {
		uint32_t index = wants->slot[(wants->first + i) % WANTS_MAX].index;

		if (index <= upto) {
			if (index == 0) {
				return;
			}
			upto = index - 1;
		}
	}
	ring_drop_upto(&talk->probe->ring, upto);
}

static void take_want(struct talk *talk, struct bytes payload)
{
	struct probe *probe = talk->probe;
	struct want_queue *wants = &talk->wants;
	struct want_reader reader;
	struct want_item item;

	if (!want_decode(payload, &reader) || reader.upto >= probe->catalog.count) {
		quit_protocol();
	}
	while (want_next(&reader, &item)) {
		const uint8_t needed = item.md5 ? CATALOG_ASKED_MD5 : CATALOG_HASHED;

		if (item.index >= probe->catalog.count || wants->count == WANTS_MAX ||
		    !(probe->catalog.list[item.index].flags & CATALOG_HASHED) ||
		    !(probe->catalog.list[item.index].flags & needed)) {
			quit_protocol();
		}
		wants->slot[(wants->first + wants->count++) % WANTS_MAX] =
			(struct want_slot){item.index, item.md5};
	}
	if (reader.r.failed) {
		quit_protocol();
	}
	serve_wants(talk);
	release(talk, reader.upto);
}

/* want or finish; anything else is out of turn. */
static void take_message(struct talk *talk, struct bytes payload)
{
	switch (message_type_of(payload)) {
	case MESSAGE_WANT:
		take_want(talk, payload);
		break;
	case MESSAGE_FINISH:
		if (!finish_decode(payload) || talk->left > 0 || talk->wants.count > 0) {
			quit_protocol();
		}
		talk->is_finished = true;
		break;
	default:
		quit_protocol();
	}
}

/*
 * The ring is full: waits for the controller to decide. Where it holds nothing but the section that
 * is being made there is nothing to wait for, and that one is only hashed.
 */
static bool make_room(void *context)
{
	struct talk *talk = context;
	size_t used = talk->probe->ring.used;
	struct bytes payload;

	while (!ring_is_empty(&talk->probe->ring) && talk->wants.count == 0) {
		(void)channel_receive(&talk->probe->channel, true, &payload);
		take_message(talk, payload);
		if (talk->probe->ring.used < used) {
			return true;
		}
	}
	return false;
}

/* hash */

static void receive_hash(struct talk *talk)
{
	struct probe *probe = talk->probe;
	uint64_t next = 0;
	struct hash_reader reader;

	do {
		struct bytes payload;
		struct hash_run run;

		(void)channel_receive(&probe->channel, true, &payload);
		if (!hash_decode(payload, &reader)) {
			quit_protocol();
		}
		while (hash_next(&reader, &run)) {
			if (run.first < next ||
			    (uint64_t)run.first + run.count > probe->catalog.count) {
				quit_protocol();
			}
			next = (uint64_t)run.first + run.count;
			for (uint32_t i = run.first; i < next; i++) {
				struct catalog_item *item = &probe->catalog.list[i];

				item->flags |= CATALOG_ASKED;
				talk->left++;
				if (run.md5 && item->kind == SECTION_PACKAGE) {
					item->flags |= CATALOG_ASKED_MD5;
				} else if (run.md5) {
					quit_protocol();
				}
			}
		}
		if (reader.r.failed) {
			quit_protocol();
		}
	} while (!reader.last);
}

/* The MD5 section was made beside: it goes behind its package's. */
static void keep_md5(struct talk *talk, struct sink *md5, uint32_t index)
{
	struct ring *ring = &talk->probe->ring;

	if (md5->kept && ring_append(ring, bytes_make(md5->buffer, md5->buffer_len))) {
		(void)ring_close(ring, index, true);
	}
}

static struct turn *begin_turn(struct talk *talk, void (*done)(struct collection *collection))
{
	struct turn *turn = &talk->turn[talk->turns_begun++ % (OBJECTS_AHEAD + 1)];

	turn->talk = talk;
	sink_init(&turn->sink);
	sink_init(&turn->md5);
	turn->collection = (struct collection){
		.probe = talk->probe,
		.sink = &turn->sink,
		.done = done,
		.context = turn,
	};
	return turn;
}

static void send_digest(struct collection *collection)
{
	struct turn *turn = collection->context;
	struct talk *talk = turn->talk;
	struct probe *probe = talk->probe;
	uint32_t index = collection->index;
	struct catalog_item *item = &probe->catalog.list[index];
	struct digest_message m = {
		.index = index,
		.has_md5 = collection->md5 != NULL,
		.stat = collection->stat,
		.settled = collection->settled,
		.unread = collection->unread,
		.size = turn->sink.size,
	};
	struct cbor_writer w;

	if (turn->sink.kept) {
		(void)ring_close(&probe->ring, index, false);
	}
	if (m.has_md5) {
		keep_md5(talk, &turn->md5, index);
		sink_digest(&turn->md5, &m.md5);
		m.md5_size = turn->md5.size;
	}
	sink_digest(&turn->sink, &m.content);
	item->flags |= CATALOG_HASHED;
	item->stat = collection->stat;
	talk->left--;
	talk->turns_ended++;
	probe->hashed++;
	begin_message(probe, &w);
	digest_encode(&w, &m);
	send_message(probe, &w);
}

static void hash_section(struct talk *talk, uint32_t index)
{
	struct probe *probe = talk->probe;
	struct catalog_item *item = &probe->catalog.list[index];
	struct turn *turn = begin_turn(talk, send_digest);

	turn->sink.ring = &probe->ring;
	turn->sink.kept = true;
	turn->sink.make_room = make_room;
	turn->sink.context = talk;
	if (item->flags & CATALOG_ASKED_MD5 &&
	    !package_db_has_md5(probe->db[item->db], item->ref)) {
		item->flags &= (uint8_t)~CATALOG_ASKED_MD5;
	}
	if (item->flags & CATALOG_ASKED_MD5) {
		/* One buffer for all of them: one section after the other is put into it. */
		turn->md5.buffer = probe->md5_buffer;
		turn->md5.buffer_room = PROBE_MD5_SIZE;
		turn->md5.kept = true;
		turn->collection.md5 = &turn->md5;
	}
	collect_begin(&turn->collection, index);
}

static void hash_all(struct talk *talk)
{
	struct probe *probe = talk->probe;
	struct bytes payload;

	for (uint32_t i = 0; i < probe->catalog.count; i++) {
		if (!(probe->catalog.list[i].flags & CATALOG_ASKED)) {
			continue;
		}
		hash_section(talk, i);
		/* Between sections everything that came meanwhile has its turn. */
		while (!talk->is_finished && channel_receive(&probe->channel, false, &payload)) {
			take_message(talk, payload);
		}
		serve_wants(talk);
		if (talk->wants.count > 0) {
			object_flush();
			serve_wants(talk);
		}
	}
	object_flush();
	serve_wants(talk);
	while (!talk->is_finished) {
		(void)channel_receive(&probe->channel, true, &payload);
		take_message(talk, payload);
	}
}

/* proof */

static void prove(struct collection *collection)
{
	struct turn *turn = collection->context;
	struct talk *talk = turn->talk;
	struct bytes key = catalog_key(&talk->probe->catalog, collection->index);
	struct digest content;

	sink_digest(&turn->sink, &content);
	sha256_update(&talk->proof_sha, key.data, key.len);
	sha256_update(&talk->proof_sha, content.bytes, DIGEST_SIZE);
	talk->proof.sections++;
	talk->proof.unread += collection->unread;
	talk->turns_ended++;
	talk->probe->hashed++;
}

static void send_proof(struct talk *talk)
{
	struct probe *probe = talk->probe;
	struct cbor_writer w;

	talk->proof = (struct proof){.sections = 0};
	sha256_init(&talk->proof_sha);
	for (uint32_t i = 0; i < probe->catalog.count; i++) {
		struct turn *turn;

		if (!probe->plan.full && !(probe->catalog.list[i].flags & CATALOG_ALWAYS) &&
		    !is_in_slice(&probe->plan, catalog_key(&probe->catalog, i))) {
			continue;
		}
		turn = begin_turn(talk, prove);
		turn->collection.again = true;
		collect_begin(&turn->collection, i);
	}
	object_flush();
	sha256_final(&talk->proof_sha, talk->proof.content_root.bytes);
	begin_message(probe, &w);
	proof_encode(&w, &talk->proof);
	send_message(probe, &w);
}

/* timeline, coverage, end */

static void send_timeline(struct probe *probe)
{
	const size_t most_head = 32;
	const size_t most_fields = 80;
	struct timeline *timeline = &probe->timeline;
	size_t at = 0;

	if (!(probe->plan.checks & CHECK_TIMELINE)) {
		return;
	}
	timeline_finish(timeline);
	while (at < timeline->count) {
		struct cbor_writer w;
		uint32_t count = 0;
		size_t room = FRAME_MAX - most_head;

		while (at + count < timeline->count &&
		       room >= timeline->heap[at + count].len + most_fields) {
			room -= timeline->heap[at + count].len + most_fields;
			count++;
		}
		begin_message(probe, &w);
		timeline_begin(&w, count);
		for (uint32_t i = 0; i < count; i++) {
			struct timeline_item item;

			timeline_get(timeline, at + i, &item);
			timeline_item_encode(&w, &item);
		}
		send_message(probe, &w);
		at += count;
	}
	coverage_tell(&probe->coverage, "timeline", BYTES_LITERAL(""),
		      timeline->dropped > 0 ? COVERAGE_PARTIAL : COVERAGE_DONE,
		      timeline->dropped > 0 ? "budget-memory" : "",
		      timeline->dropped > 0 ? timeline->dropped : timeline->count);
}

static void send_coverage(struct probe *probe)
{
	const size_t most_fields = 96;
	struct coverage_item item;
	size_t at = 0;

	while (coverage_item(&probe->coverage, at, &item)) {
		struct cbor_writer w;
		uint32_t count = 0;
		size_t room = FRAME_MAX - 32;

		while (coverage_item(&probe->coverage, at + count, &item) &&
		       room >= item.subject.len + most_fields) {
			room -= item.subject.len + most_fields;
			count++;
		}
		begin_message(probe, &w);
		coverage_begin(&w, count);
		for (uint32_t i = 0; i < count; i++) {
			(void)coverage_item(&probe->coverage, at + i, &item);
			coverage_item_encode(&w, &item);
		}
		send_message(probe, &w);
		at += count;
	}
}

static void send_end(struct probe *probe)
{
	struct end end = {
		.sections = probe->hashed,
		.entries = probe->entries,
		.files = probe->reader.files,
		.bytes = probe->reader.bytes,
		.unread = probe->unread,
		.cpu_us = sys_cpu_us(),
		.wall_us = (uint64_t)(sys_monotonic_ns() - probe->start_ns) / 1000,
		.peak_kib = sys_peak_kib(),
	};
	struct cbor_writer w;

	channel_digest(&probe->channel, &end.stream);
	begin_message(probe, &w);
	end_encode(&w, &end);
	send_message(probe, &w);
}

/* Whether the listing is asked for; finish is an answer only where it may be. */
static bool receive_ask(struct probe *probe, bool may_finish, enum ask_mode *mode)
{
	struct bytes payload;

	(void)channel_receive(&probe->channel, true, &payload);
	if (ask_decode(payload, mode)) {
		return true;
	}
	if (!may_finish || !finish_decode(payload)) {
		quit_protocol();
	}
	return false;
}

static void answer(struct talk *talk)
{
	struct probe *probe = talk->probe;
	enum ask_mode mode;

	(void)receive_ask(probe, false, &mode);
	if (mode == ASK_SAME) {
		send_proof(talk);
		if (!receive_ask(probe, true, &mode)) {
			return;
		}
		if (mode != ASK_LIST) {
			quit_protocol();
		}
		probe->hashed = 0;
	}
	send_list(probe);
	receive_hash(talk);
	hash_all(talk);
}

enum status conversation_run(struct probe *probe)
{
	struct talk *talk = mmap(NULL, sizeof(*talk), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum status status;

	if (talk == MAP_FAILED) {
		return STATUS_MEMORY;
	}
	talk->probe = probe;
	alarm(PLAN_WAIT_S);
	hello_send(probe);
	receive_plan(probe);
	status = scan_host(probe);
	if (status == STATUS_DONE) {
		send_root(probe);
		answer(talk);
		scan_check_databases(probe);
		send_timeline(probe);
		send_coverage(probe);
		send_end(probe);
	}
	munmap(talk, sizeof(*talk));
	return status;
}
