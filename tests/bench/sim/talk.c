// SPDX-License-Identifier: MIT
#include "tests/bench/sim/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/siphash.h"

#define RING ((uint64_t)3 << 20) /* as the probe's: undecided beyond this, it waits */
#define LIST_ITEMS 400

static void *must(void *memory)
{
	if (!memory) {
		(void)fprintf(stderr, "fleet_sim: out of memory\n");
		abort();
	}
	return memory;
}

const char *behaviour_name(enum behaviour behaviour)
{
	static const char *const names[BEHAVIOURS] = {
		[BEHAVE_WELL] = "well",
		[BEHAVE_SLOW] = "slow",
		[BEHAVE_MUTE] = "mute",
		[BEHAVE_HANG_UP] = "hang-up",
		[BEHAVE_OTHER_KEY] = "other-key",
		[BEHAVE_NO_LOGIN] = "no-login",
		[BEHAVE_BABBLE] = "babble",
		[BEHAVE_NO_PROBE] = "no-probe",
		[BEHAVE_GIANT] = "giant",
		[BEHAVE_HALF] = "half",
		[BEHAVE_UNSORTED] = "unsorted",
		[BEHAVE_BAD_OBJECT] = "bad-object",
		[BEHAVE_BAD_STREAM] = "bad-stream",
		[BEHAVE_FLOOD] = "flood",
		[BEHAVE_NO_SHELL] = "no-shell",
		[BEHAVE_NOISE] = "noise",
		[BEHAVE_REPLAY] = "replay",
		[BEHAVE_SILENT] = "silent",
		[BEHAVE_FALSE_GAP] = "false-gap",
		[BEHAVE_SKEWED] = "skewed",
		[BEHAVE_TWIN] = "twin",
	};

	return names[behaviour];
}

/* Output */

static void out_reserve(struct out *out, size_t len)
{
	if (out->at > 0 && out->at == out->len) {
		out->at = out->len = 0;
	}
	if (out->at > 0 && out->len + len > out->room) {
		memmove(out->data, out->data + out->at, out->len - out->at);
		out->len -= out->at;
		out->at = 0;
	}
	if (out->len + len > out->room) {
		out->room = out->len + len + 4096;
		out->data = must(realloc(out->data, out->room));
	}
}

void out_put(struct out *out, const void *data, size_t len)
{
	out_reserve(out, len);
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

void out_take(struct out *out, size_t len)
{
	out->at += len;
	if (out->at == out->len) {
		out_clear(out);
	}
}

void out_clear(struct out *out)
{
	free(out->data);
	*out = (struct out){.data = NULL};
}

static uint8_t scratch[FRAME_MAX];

static void writer_init(struct cbor_writer *w)
{
	cbor_writer_init(w, scratch, sizeof(scratch));
}

static void put_frame(struct talk *talk, const struct cbor_writer *w, struct out *out)
{
	uint8_t head[FRAME_HEAD];

	if (w->overflow) {
		abort();
	}
	frame_head((uint32_t)w->len, head);
	out_put(out, head, sizeof(head));
	out_put(out, w->data, w->len);
	if (talk->stream) {
		(void)EVP_DigestUpdate(talk->stream, w->data, w->len);
	}
}

/* Life */

void talk_init(struct talk *talk, struct fleet *fleet, uint32_t host, uint32_t night,
	       enum behaviour behaviour)
{
	*talk = (struct talk){.fleet = fleet, .behaviour = behaviour};
	fleet_snapshot_make(fleet, host, night, &talk->snapshot);
}

static void drop_object(struct talk *talk)
{
	free((void *)(uintptr_t)talk->object.data);
	talk->object = (struct bytes){NULL, 0};
	talk->object_at = 0;
}

void talk_clear(struct talk *talk)
{
	EVP_MD_CTX_free(talk->stream);
	fleet_snapshot_clear(&talk->snapshot);
	drop_object(talk);
	free(talk->hello);
	free(talk->due.item);
	free(talk->wanted.item);
	*talk = (struct talk){.fleet = NULL};
}

static void runs_add(struct talk_runs *runs, uint32_t index, bool md5)
{
	if (runs->count == runs->room) {
		runs->room = runs->room ? 2 * runs->room : 64;
		runs->item = must(reallocarray(runs->item, runs->room, sizeof(*runs->item)));
	}
	runs->item[runs->count++] = (struct talk_run){index, md5};
}

void talk_hello(struct talk *talk, int64_t clock_ns, struct out *out)
{
	const int64_t year_ns = 31557600000000000;
	uint32_t machine = talk->behaviour == BEHAVE_TWIN ? 0 : talk->snapshot.host;
	char name[32], id[40];
	struct hello hello = {
		.version = PROTOCOL_VERSION,
		.build = BYTES_LITERAL("simulated"),
		.arch = BYTES_LITERAL("x86_64"),
		.machine = BYTES_LITERAL("x86_64"),
		.kernel = BYTES_LITERAL("6.1.0-18-amd64"),
		.capabilities = UINT64_MAX >> 23,
		.clock_ns = clock_ns + (talk->behaviour == BEHAVE_SKEWED ? 3 * year_ns : 0),
		.boot_s = 1700000000,
	};
	struct cbor_writer w;

	(void)snprintf(name, sizeof(name), "sim%05u", talk->snapshot.host);
	(void)snprintf(id, sizeof(id), "%016llx%016llx",
		       (unsigned long long)fleet_mix('m', machine, 1),
		       (unsigned long long)fleet_mix('m', machine, 2));
	hello.hostname = bytes_from_string(name);
	hello.machine_id = bytes_from_string(id);
	hello.boot_id = bytes_from_string(id);
	writer_init(&w);
	hello_encode(&w, &hello);
	talk->hello = must(malloc(w.len));
	talk->hello_len = w.len;
	memcpy(talk->hello, w.data, w.len);
	put_frame(talk, &w, out);
}

/* What the controller says */

static void put_be64(uint64_t value, uint8_t to[8])
{
	for (unsigned i = 0; i < 8; i++) {
		to[i] = (uint8_t)(value >> (56 - 8 * i));
	}
}

static bool is_due_every_night(const struct talk *talk, const struct fleet_section *section)
{
	const struct plan *plan = &talk->plan;

	return plan->full || section->always ||
	       (plan->slice_of > 0 &&
		siphash(plan->slice_key, section->key) % plan->slice_of == plan->slice_part);
}

static bool on_plan(struct talk *talk, struct bytes payload)
{
	if (!plan_decode(payload, &talk->plan)) {
		return false;
	}
	if (talk->behaviour == BEHAVE_REPLAY) {
		talk->plan.nonce[0] ^= 1;
	}
	talk->stream = must(EVP_MD_CTX_new());
	if (EVP_DigestInit_ex(talk->stream, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(talk->stream, talk->plan.nonce, NONCE_SIZE) != 1 ||
	    EVP_DigestUpdate(talk->stream, talk->hello, talk->hello_len) != 1) {
		abort();
	}
	talk->stage = TALK_ROOT;
	return true;
}

static bool on_ask(struct talk *talk, struct bytes payload)
{
	enum ask_mode mode;

	if (!ask_decode(payload, &mode)) {
		return false;
	}
	talk->stage = mode == ASK_LIST ? TALK_LIST : TALK_PROOF;
	return true;
}

static bool on_hash(struct talk *talk, struct bytes payload)
{
	struct hash_reader reader;
	struct hash_run run;

	if (!hash_decode(payload, &reader)) {
		return false;
	}
	while (hash_next(&reader, &run)) {
		for (uint32_t i = 0; i < run.count; i++) {
			if (run.first + i >= talk->snapshot.count) {
				return false;
			}
			runs_add(&talk->due, run.first + i, run.md5);
		}
	}
	talk->hash_whole = reader.last;
	return !reader.r.failed;
}

static uint64_t sizes(const struct talk *talk, const struct talk_run *run)
{
	const struct fleet_section *section = talk->snapshot.section[run->index];

	return section->size + (run->md5 ? section->md5_size : 0);
}

static bool on_want(struct talk *talk, struct bytes payload)
{
	struct want_reader reader;
	struct want_item item;

	if (!want_decode(payload, &reader)) {
		return false;
	}
	while (want_next(&reader, &item)) {
		if (item.index >= talk->snapshot.count) {
			return false;
		}
		runs_add(&talk->wanted, item.index, item.md5);
	}
	while (talk->decided < talk->due.at && talk->due.item[talk->decided].index <= reader.upto) {
		talk->undecided_bytes -= sizes(talk, &talk->due.item[talk->decided]);
		talk->decided++;
	}
	return !reader.r.failed;
}

bool talk_frame(struct talk *talk, struct bytes payload)
{
	switch (message_type_of(payload)) {
	case MESSAGE_PLAN:
		return talk->stage == TALK_PLAN && on_plan(talk, payload);
	case MESSAGE_ASK:
		return talk->stage == TALK_ASK && on_ask(talk, payload);
	case MESSAGE_HASH:
		return talk->stage == TALK_HASH && !talk->hash_whole && on_hash(talk, payload);
	case MESSAGE_WANT:
		return talk->stage == TALK_HASH && on_want(talk, payload);
	case MESSAGE_FINISH:
		if (!finish_decode(payload) || talk->wanted.at < talk->wanted.count ||
		    (talk->stage != TALK_HASH && talk->stage != TALK_ASK)) {
			return false;
		}
		talk->stage = TALK_STREAMS;
		return true;
	default:
		return false;
	}
}

/* What the probe says */

static void say_root(struct talk *talk, bool proof, struct out *out)
{
	EVP_MD_CTX *context = must(EVP_MD_CTX_new());
	struct digest digest;
	uint32_t count = 0;
	struct cbor_writer w;

	(void)EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (size_t i = 0; i < talk->snapshot.count; i++) {
		const struct fleet_section *section = talk->snapshot.section[i];
		uint8_t stat[8];

		if (proof && !is_due_every_night(talk, section)) {
			continue;
		}
		put_be64(fleet_stat(talk->snapshot.host, section), stat);
		(void)EVP_DigestUpdate(context, section->key.data, section->key.len);
		(void)EVP_DigestUpdate(context, proof ? section->content.bytes : stat,
				       proof ? DIGEST_SIZE : sizeof(stat));
		count++;
	}
	(void)EVP_DigestFinal_ex(context, digest.bytes, NULL);
	EVP_MD_CTX_free(context);
	writer_init(&w);
	if (proof) {
		const struct proof message = {.content_root = digest, .sections = count};

		talk->hashed = count;
		proof_encode(&w, &message);
	} else {
		const struct root message = {.stat_root = digest, .sections = count};

		root_encode(&w, &message);
	}
	put_frame(talk, &w, out);
}

static void say_list(struct talk *talk, struct out *out)
{
	size_t left = talk->snapshot.count - talk->listed;
	uint32_t count = (uint32_t)(left < LIST_ITEMS ? left : LIST_ITEMS);
	struct cbor_writer w;

	writer_init(&w);
	list_begin(&w, (uint32_t)talk->listed, count, count == left);
	for (uint32_t i = 0; i < count; i++) {
		size_t at = talk->listed + i;
		const struct fleet_section *section;
		struct list_item item;

		if (talk->behaviour == BEHAVE_UNSORTED && at < 2) {
			at = 1 - at;
		}
		section = talk->snapshot.section[at];
		item = (struct list_item){section->key, fleet_stat(talk->snapshot.host, section),
					  section->always};
		list_item_encode(&w, &item);
	}
	talk->listed += count;
	if (count == left) {
		talk->stage = TALK_HASH;
	}
	put_frame(talk, &w, out);
}

static void say_digest(struct talk *talk, struct out *out)
{
	const struct talk_run *run = &talk->due.item[talk->due.at++];
	const struct fleet_section *section = talk->snapshot.section[run->index];
	struct digest_message message = {
		.index = run->index,
		.content = section->content,
		.stat = fleet_stat(talk->snapshot.host, section),
		.settled = true,
		.size = section->size,
		.has_md5 = run->md5,
	};
	struct cbor_writer w;

	if (run->md5) {
		message.md5 = section->md5;
		message.md5_size = section->md5_size;
	}
	if (talk->behaviour == BEHAVE_BAD_OBJECT) {
		/* One that nobody has seen, so that it is wanted. */
		message.content.bytes[0] ^= (uint8_t)(1 + talk->snapshot.host % 255);
	}
	talk->undecided_bytes += sizes(talk, run);
	talk->hashed++;
	writer_init(&w);
	digest_encode(&w, &message);
	put_frame(talk, &w, out);
}

static void say_object(struct talk *talk, struct out *out)
{
	const struct talk_run *run = &talk->wanted.item[talk->wanted.at];
	const struct fleet_section *section = talk->snapshot.section[run->index];
	struct object message = {.index = run->index, .md5 = run->md5};
	struct cbor_writer w;
	size_t left;

	if (!talk->object.data) {
		struct bytes content =
			fleet_content(talk->fleet, &talk->snapshot, section, run->md5);
		uint8_t *copy = must(malloc(content.len + 1));

		memcpy(copy, content.data, content.len);
		talk->object = bytes_make(copy, content.len);
	}
	left = talk->object.len - talk->object_at;
	message.chunk = bytes_make(talk->object.data + talk->object_at,
				   left < OBJECT_CHUNK_MAX ? left : OBJECT_CHUNK_MAX);
	message.last = left <= OBJECT_CHUNK_MAX;
	writer_init(&w);
	object_encode(&w, &message);
	put_frame(talk, &w, out);
	talk->object_at += message.chunk.len;
	if (message.last) {
		drop_object(talk);
		talk->wanted.at++;
	}
}

static void say_coverage(struct talk *talk, struct out *out)
{
	static const char *const checks[] = {"packages", "tree",  "volatile",
					     "setid",    "flags", "mounts"};
	const struct coverage_item gap = {
		.check = BYTES_LITERAL("packages"),
		.subject = BYTES_LITERAL("/usr"),
		.state = COVERAGE_SKIPPED,
		.reason = BYTES_LITERAL("network"),
		.count = 1,
	};
	uint32_t count = sizeof(checks) / sizeof(checks[0]);
	bool gaps = talk->behaviour == BEHAVE_FALSE_GAP;
	struct cbor_writer w;

	if (talk->behaviour == BEHAVE_SILENT) {
		return;
	}
	writer_init(&w);
	coverage_begin(&w, count + gaps);
	if (gaps) {
		coverage_item_encode(&w, &gap);
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct coverage_item item = {
			.check = bytes_from_string(checks[i]),
			.state = COVERAGE_DONE,
			.count = talk->snapshot.count,
		};

		coverage_item_encode(&w, &item);
	}
	put_frame(talk, &w, out);
}

static void say_end(struct talk *talk, struct out *out)
{
	struct end end = {
		.sections = talk->hashed,
		.entries = (uint64_t)talk->snapshot.count * 30,
		.files = talk->hashed,
		.cpu_us = 300000,
		.wall_us = 400000,
		.peak_kib = 9000,
	};
	struct cbor_writer w;

	(void)EVP_DigestFinal_ex(talk->stream, end.stream.bytes, NULL);
	EVP_MD_CTX_free(talk->stream);
	talk->stream = NULL;
	if (talk->behaviour == BEHAVE_BAD_STREAM) {
		end.stream.bytes[0] ^= 1;
	}
	writer_init(&w);
	end_encode(&w, &end);
	put_frame(talk, &w, out);
	talk->stage = TALK_OVER;
}

/* One more message; false: nothing to say now. */
static bool say_more(struct talk *talk, struct out *out)
{
	switch (talk->stage) {
	case TALK_ROOT:
	case TALK_PROOF:
		say_root(talk, talk->stage == TALK_PROOF, out);
		talk->stage = TALK_ASK;
		return true;
	case TALK_LIST:
		say_list(talk, out);
		return true;
	case TALK_HASH:
		if (talk->wanted.at < talk->wanted.count) {
			say_object(talk, out);
			return true;
		}
		if (talk->due.at < talk->due.count && talk->undecided_bytes < RING) {
			say_digest(talk, out);
			return true;
		}
		return false;
	case TALK_STREAMS:
		if (!talk->covered || talk->behaviour == BEHAVE_FLOOD) {
			talk->covered = true;
			say_coverage(talk, out);
		} else {
			say_end(talk, out);
		}
		return true;
	case TALK_PLAN:
	case TALK_ASK:
	case TALK_OVER:
		break;
	}
	return false;
}

void talk_fill(struct talk *talk, struct out *out, size_t most)
{
	while (out->len - out->at < most && say_more(talk, out)) {
	}
}
