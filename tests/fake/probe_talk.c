// SPDX-License-Identifier: MIT
#include "tests/fake/probe_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/section.h"

static void __attribute__((noreturn)) surprise(const char *what)
{
	fprintf(stderr, "probe_talk: %s\n", what);
	exit(99);
}

static void *must(void *memory)
{
	if (!memory) {
		surprise("no memory");
	}
	return memory;
}

static uint8_t *copy(struct bytes from)
{
	uint8_t *to = must(malloc(from.len + 1));

	memcpy(to, from.data, from.len);
	to[from.len] = '\0';
	return to;
}

void talk_start(struct talk *talk, char *const argv[], int (*child)(int in_fd, int out_fd))
{
	int in[2];
	int out[2];

	memset(talk, 0, sizeof(*talk));
	if (pipe(in) != 0 || pipe(out) != 0) {
		surprise("no pipe");
	}
	talk->pid = fork();
	if (talk->pid < 0) {
		surprise("no process");
	}
	if (talk->pid == 0) {
		close(in[1]);
		close(out[0]);
		if (argv) {
			dup2(in[0], STDIN_FILENO);
			dup2(out[1], STDOUT_FILENO);
			close(in[0]);
			close(out[1]);
			execv(argv[0], argv);
			_exit(127);
		}
		_exit(child(in[0], out[1]));
	}
	close(in[0]);
	close(out[1]);
	talk->to = in[1];
	talk->from = out[0];
}

void talk_stop(struct talk *talk)
{
	if (talk->to >= 0) {
		close(talk->to);
	}
	if (talk->from >= 0) {
		close(talk->from);
	}
	talk->to = -1;
	talk->from = -1;
	(void)wait4(talk->pid, &talk->status, 0, &talk->use);
}

void talk_free(struct talk *talk)
{
	for (size_t i = 0; i < talk->count; i++) {
		free(talk->section[i].key);
		free(talk->section[i].data);
		free(talk->section[i].md5);
	}
	for (size_t i = 0; i < talk->item_count; i++) {
		free((void *)(uintptr_t)talk->item[i].path.data);
	}
	free(talk->section);
	free(talk->row);
	free(talk->item);
}

void talk_send(struct talk *talk, const uint8_t *data, size_t len)
{
	uint8_t frame[FRAME_HEAD + FRAME_MAX];
	size_t at = 0;

	frame_head((uint32_t)len, frame);
	memcpy(frame + FRAME_HEAD, data, len);
	while (at < FRAME_HEAD + len) {
		ssize_t put = write(talk->to, frame + at, FRAME_HEAD + len - at);

		if (put <= 0) {
			surprise("the probe reads no more");
		}
		at += (size_t)put;
	}
}

static bool read_all(int fd, uint8_t *to, size_t len)
{
	while (len > 0) {
		ssize_t got = read(fd, to, len);

		if (got <= 0) {
			return false;
		}
		to += got;
		len -= (size_t)got;
	}
	return true;
}

bool talk_receive(struct talk *talk)
{
	uint8_t head[FRAME_HEAD];
	size_t len;

	if (!read_all(talk->from, head, sizeof(head))) {
		return false;
	}
	len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (len == 0 || len > FRAME_MAX || !read_all(talk->from, talk->payload, len)) {
		surprise("a broken frame");
	}
	talk->len = len;
	talk->received += FRAME_HEAD + len;
	if (!talk->started) {
		memcpy(talk->first, talk->payload, len);
		talk->first_len = len;
	} else if (message_type_of(bytes_make(talk->payload, len)) != MESSAGE_END) {
		sha256_update(&talk->stream, talk->payload, len);
	}
	return true;
}

static struct bytes expect(struct talk *talk, enum message_type type)
{
	struct bytes payload;

	if (!talk_receive(talk)) {
		fprintf(stderr, "probe_talk: expected %s\n", message_type_name(type));
		surprise("the probe ended");
	}
	payload = bytes_make(talk->payload, talk->len);
	if (message_type_of(payload) != type) {
		fprintf(stderr, "probe_talk: expected %s, got %s\n", message_type_name(type),
			message_type_name(message_type_of(payload)));
		exit(99);
	}
	return payload;
}

void talk_hello(struct talk *talk)
{
	(void)expect(talk, MESSAGE_HELLO);
	if (!hello_decode(bytes_make(talk->first, talk->first_len), &talk->hello)) {
		surprise("a malformed hello");
	}
}

static void send_writer(struct talk *talk, const struct cbor_writer *w)
{
	if (w->overflow) {
		surprise("a message too large");
	}
	talk_send(talk, w->data, w->len);
}

void talk_plan(struct talk *talk, const struct plan *plan)
{
	uint8_t buffer[FRAME_MAX];
	struct cbor_writer w;

	sha256_init(&talk->stream);
	sha256_update(&talk->stream, plan->nonce, NONCE_SIZE);
	sha256_update(&talk->stream, talk->first, talk->first_len);
	talk->started = true;
	cbor_writer_init(&w, buffer, sizeof(buffer));
	plan_encode(&w, plan);
	send_writer(talk, &w);
}

void talk_root(struct talk *talk)
{
	if (!root_decode(expect(talk, MESSAGE_ROOT), &talk->root)) {
		surprise("a malformed root");
	}
}

void talk_ask(struct talk *talk, enum ask_mode mode)
{
	uint8_t buffer[16];
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, sizeof(buffer));
	ask_encode(&w, mode);
	send_writer(talk, &w);
	if (mode == ASK_SAME && !proof_decode(expect(talk, MESSAGE_PROOF), &talk->proof)) {
		surprise("a malformed proof");
	}
}

void talk_list(struct talk *talk)
{
	struct list_reader reader;
	struct sha256 sha;
	struct digest root;

	sha256_init(&sha);
	talk->section = must(calloc(talk->root.sections + 1U, sizeof(*talk->section)));
	do {
		struct list_item item;

		if (!list_decode(expect(talk, MESSAGE_LIST), &reader) ||
		    reader.first != talk->count) {
			surprise("a malformed list");
		}
		while (list_next(&reader, &item)) {
			struct talk_section *section = &talk->section[talk->count];
			uint8_t stat[8];

			if (talk->count == talk->root.sections) {
				surprise("more sections than the root said");
			}
			if (talk->count > 0 &&
			    bytes_compare(bytes_make(section[-1].key, section[-1].key_len),
					  item.key) >= 0) {
				surprise("sections are out of order");
			}
			section->key = copy(item.key);
			section->key_len = item.key.len;
			section->stat = item.stat;
			section->always = item.always;
			talk->count++;
			for (unsigned b = 0; b < 8; b++) {
				stat[b] = (uint8_t)(item.stat >> (56 - 8 * b));
			}
			sha256_update(&sha, item.key.data, item.key.len);
			sha256_update(&sha, stat, sizeof(stat));
		}
		if (reader.r.failed) {
			surprise("a malformed list item");
		}
	} while (!reader.last);
	sha256_final(&sha, root.bytes);
	if (talk->count != talk->root.sections || !digest_equal(&root, &talk->root.stat_root)) {
		surprise("the list is not what the root says");
	}
}

static bool is_package(const struct talk_section *section)
{
	struct section_key key;

	return section_key_decode(bytes_make(section->key, section->key_len), &key) &&
	       key.kind == SECTION_PACKAGE;
}

static size_t send_hash(struct talk *talk, bool (*choose)(const struct talk_section *section),
			bool md5)
{
	uint8_t *buffer = must(malloc(FRAME_MAX));
	struct hash_run *run = must(calloc(talk->count + 1, sizeof(*run)));
	struct cbor_writer w;
	size_t asked = 0;
	size_t runs = 0;
	size_t at = 0;

	for (size_t i = 0; i < talk->count; i++) {
		bool with_md5 = md5 && is_package(&talk->section[i]);

		if (choose && !choose(&talk->section[i])) {
			continue;
		}
		asked++;
		if (runs > 0 && run[runs - 1].first + run[runs - 1].count == i &&
		    run[runs - 1].md5 == with_md5) {
			run[runs - 1].count++;
		} else {
			run[runs++] = (struct hash_run){(uint32_t)i, 1, with_md5};
		}
	}
	do {
		size_t count = runs - at < HASH_RUNS_MAX ? runs - at : HASH_RUNS_MAX;

		cbor_writer_init(&w, buffer, FRAME_MAX);
		hash_begin(&w, (uint32_t)count, at + count == runs);
		for (size_t i = at; i < at + count; i++) {
			hash_run_encode(&w, &run[i]);
		}
		send_writer(talk, &w);
		at += count;
	} while (at < runs);
	free(buffer);
	free(run);
	return asked;
}

static void take_object(struct talk *talk, struct bytes payload, size_t *open)
{
	struct talk_section *section;
	struct object m;
	uint8_t **data;
	size_t *len;

	if (!object_decode(payload, &m) || m.index >= talk->count) {
		surprise("a malformed object");
	}
	section = &talk->section[m.index];
	section->again += m.again;
	data = m.md5 ? &section->md5 : &section->data;
	len = m.md5 ? &section->md5_len : &section->len;
	*data = must(realloc(*data, *len + m.chunk.len + 1));
	if (m.chunk.len > 0) {
		memcpy(*data + *len, m.chunk.data, m.chunk.len);
	}
	*len += m.chunk.len;
	if (m.last) {
		const struct digest *said = m.md5 ? &section->digest.md5 : &section->digest.content;
		struct sha256 sha;
		struct digest digest;

		sha256_init(&sha);
		sha256_update(&sha, *data, *len);
		sha256_final(&sha, digest.bytes);
		if (!digest_equal(&digest, said) && !m.again) {
			fprintf(stderr, "probe_talk: section %u is not what its digest says\n",
				(unsigned)m.index);
			exit(99);
		}
		--*open;
	}
}

static void send_want(struct talk *talk, uint32_t upto, const struct want_item *item, size_t count)
{
	uint8_t buffer[4096];
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, sizeof(buffer));
	want_begin(&w, upto, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		want_item_encode(&w, &item[i]);
	}
	send_writer(talk, &w);
}

void talk_hash(struct talk *talk, bool (*choose)(const struct talk_section *section), bool md5,
	       enum talk_want want)
{
	size_t left = send_hash(talk, choose, md5);
	size_t open = 0; /* objects wanted and not whole yet */

	while (left > 0 || open > 0) {
		struct want_item item[2];
		struct digest_message m;
		struct bytes payload;
		size_t count = 0;

		if (!talk_receive(talk)) {
			surprise("the probe ended while hashing");
		}
		payload = bytes_make(talk->payload, talk->len);
		if (message_type_of(payload) == MESSAGE_OBJECT) {
			take_object(talk, payload, &open);
			continue;
		}
		if (!digest_decode(payload, &m) || m.index >= talk->count || left == 0) {
			surprise("a malformed digest");
		}
		talk->section[m.index].digest = m;
		talk->section[m.index].hashed = true;
		left--;
		item[count++] = (struct want_item){m.index, false};
		if (m.has_md5) {
			item[count++] = (struct want_item){m.index, true};
		}
		count = want == TALK_WANT_ALL ? count : 0;
		open += count;
		send_want(talk, m.index, item, count);
	}
}

static void take_timeline(struct talk *talk, struct bytes payload)
{
	struct timeline_reader reader;
	struct timeline_item item;

	if (!timeline_decode(payload, &reader)) {
		surprise("a malformed timeline");
	}
	while (timeline_next(&reader, &item)) {
		talk->item =
			must(realloc(talk->item, (talk->item_count + 1) * sizeof(*talk->item)));
		item.path.data = copy(item.path);
		talk->item[talk->item_count++] = item;
	}
	if (reader.r.failed) {
		surprise("a malformed timeline item");
	}
}

static void take_coverage(struct talk *talk, struct bytes payload)
{
	struct coverage_reader reader;
	struct coverage_item item;

	if (!coverage_decode(payload, &reader)) {
		surprise("a malformed coverage");
	}
	while (coverage_next(&reader, &item)) {
		struct talk_row *row;

		talk->row = must(realloc(talk->row, (talk->row_count + 1) * sizeof(*talk->row)));
		row = &talk->row[talk->row_count++];
		memset(row, 0, sizeof(*row));
		memcpy(row->check, item.check.data, item.check.len);
		memcpy(row->reason, item.reason.data, item.reason.len);
		memcpy(row->subject, item.subject.data, item.subject.len);
		row->state = item.state;
		row->count = item.count;
	}
	if (reader.r.failed) {
		surprise("a malformed coverage row");
	}
}

void talk_finish(struct talk *talk)
{
	uint8_t buffer[8];
	struct digest digest;
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, sizeof(buffer));
	finish_encode(&w);
	send_writer(talk, &w);
	for (;;) {
		struct bytes payload;

		if (!talk_receive(talk)) {
			surprise("the probe ended without an end");
		}
		payload = bytes_make(talk->payload, talk->len);
		if (message_type_of(payload) == MESSAGE_TIMELINE) {
			take_timeline(talk, payload);
		} else if (message_type_of(payload) == MESSAGE_COVERAGE) {
			take_coverage(talk, payload);
		} else if (end_decode(payload, &talk->end)) {
			break;
		} else {
			surprise("something else than an end");
		}
	}
	sha256_final(&talk->stream, digest.bytes);
	if (!digest_equal(&digest, &talk->end.stream)) {
		surprise("the stream is not what its digest says");
	}
	if (talk_receive(talk)) {
		surprise("more after the end");
	}
}

void talk_whole(struct talk *talk, const struct plan *plan, bool md5, enum talk_want want)
{
	talk_hello(talk);
	talk_plan(talk, plan);
	talk_root(talk);
	talk_ask(talk, ASK_LIST);
	talk_list(talk);
	talk_hash(talk, NULL, md5, want);
	talk_finish(talk);
	talk_stop(talk);
}

void talk_plan_add(struct plan_list *list, const char *item)
{
	list->item[list->count++] = bytes_from_string(item);
}

void talk_plan_default(struct plan *plan)
{
	static const char *const roots[] = {"/boot", "/etc", "/usr",   "/opt",  "/root",
					    "/bin",  "/lib", "/lib64", "/sbin", "/var/spool/cron"};

	memset(plan, 0, sizeof(*plan));
	memset(plan->nonce, 7, sizeof(plan->nonce));
	memset(plan->seed, 9, sizeof(plan->seed));
	plan->checks = CHECK_ALL;
	plan->since_ns = INT64_MAX;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		talk_plan_add(&plan->roots, roots[i]);
	}
	talk_plan_add(&plan->volatiles, "/tmp");
	talk_plan_add(&plan->volatiles, "/var/tmp");
	talk_plan_add(&plan->volatiles, "/dev/shm");
}

struct talk_section *talk_find(struct talk *talk, enum section_kind kind, const char *part)
{
	for (size_t i = 0; i < talk->count; i++) {
		struct section_key key;

		if (!section_key_decode(bytes_make(talk->section[i].key, talk->section[i].key_len),
					&key) ||
		    key.kind != kind) {
			continue;
		}
		if (!part) {
			return &talk->section[i];
		}
		for (size_t p = 1; p < key.count; p++) {
			if (bytes_equal_string(key.part[p], part)) {
				return &talk->section[i];
			}
		}
	}
	return NULL;
}

const struct talk_row *talk_find_row(const struct talk *talk, const char *check, const char *reason)
{
	for (size_t i = 0; i < talk->row_count; i++) {
		if (strcmp(talk->row[i].check, check) == 0 &&
		    strcmp(talk->row[i].reason, reason) == 0) {
			return &talk->row[i];
		}
	}
	return NULL;
}
