// SPDX-License-Identifier: MIT
#include "schema/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/*
 * One row a message: how a sample is written and whether a payload is read whole. What every
 * decoder must do is then said once: read its sample, refuse it cut at any byte, with a byte more,
 * and under another message's type.
 */
struct sample {
	const char *name;
	enum message_type type;
	void (*write)(struct cbor_writer *w);
	bool (*read)(struct bytes payload);
};

static void write_hello(struct cbor_writer *w)
{
	hello_encode(w, &(struct hello){.version = PROTOCOL_VERSION,
					.build = BYTES_LITERAL("0.1.0"),
					.arch = BYTES_LITERAL("x86_64"),
					.machine = BYTES_LITERAL("x86_64"),
					.kernel = BYTES_LITERAL("6.1.0"),
					.hostname = BYTES_LITERAL("web\n001"),
					.boot_id = BYTES_LITERAL("b"),
					.machine_id = BYTES_LITERAL("m"),
					.capabilities = UINT64_MAX,
					.clock_ns = 1700000000000000000,
					.boot_s = -1});
}

static bool read_hello(struct bytes payload)
{
	struct hello m;

	return hello_decode(payload, &m) && bytes_equal_string(m.hostname, "web\n001") &&
	       m.boot_s == -1 && m.capabilities == UINT64_MAX;
}

static void write_plan(struct cbor_writer *w)
{
	struct plan plan = {.checks = CHECK_ALL, .since_ns = -7, .full = true, .slice_of = 30};

	plan.roots = (struct plan_list){2, {BYTES_LITERAL("/etc"), BYTES_LITERAL("/usr")}};
	plan.always = (struct plan_list){1, {BYTES_LITERAL("/etc/pam.d/**")}};
	plan_encode(w, &plan);
}

static bool read_plan(struct bytes payload)
{
	struct plan m;

	return plan_decode(payload, &m) && m.roots.count == 2 && m.full && m.since_ns == -7 &&
	       bytes_equal_string(m.always.item[0], "/etc/pam.d/**");
}

static void write_root(struct cbor_writer *w)
{
	root_encode(w, &(struct root){.sections = 1500});
}

static bool read_root(struct bytes payload)
{
	struct root m;

	return root_decode(payload, &m) && m.sections == 1500;
}

static void write_ask(struct cbor_writer *w)
{
	ask_encode(w, ASK_LIST);
}

static bool read_ask(struct bytes payload)
{
	enum ask_mode mode;

	return ask_decode(payload, &mode) && mode == ASK_LIST;
}

static void write_proof(struct cbor_writer *w)
{
	proof_encode(w, &(struct proof){.sections = 3, .unread = 1});
}

static bool read_proof(struct bytes payload)
{
	struct proof m;

	return proof_decode(payload, &m) && m.sections == 3 && m.unread == 1;
}

static void write_list(struct cbor_writer *w)
{
	list_begin(w, 7, 2, true);
	list_item_encode(w, &(struct list_item){BYTES_LITERAL("key1"), UINT64_MAX, true});
	list_item_encode(w, &(struct list_item){BYTES_LITERAL("key2"), 0, false});
}

static bool read_list(struct bytes payload)
{
	struct list_reader reader;
	struct list_item item;
	unsigned count = 0;

	if (!list_decode(payload, &reader)) {
		return false;
	}
	while (list_next(&reader, &item)) {
		count++;
	}
	return !reader.r.failed && count == 2 && reader.first == 7 && reader.last;
}

static void write_hash(struct cbor_writer *w)
{
	hash_begin(w, 2, false);
	hash_run_encode(w, &(struct hash_run){1, 4, true});
	hash_run_encode(w, &(struct hash_run){UINT32_MAX - 1, 1, false});
}

static bool read_hash(struct bytes payload)
{
	struct hash_reader reader;
	struct hash_run run;
	uint32_t sum = 0;

	if (!hash_decode(payload, &reader)) {
		return false;
	}
	while (hash_next(&reader, &run)) {
		sum += run.count;
	}
	return !reader.r.failed && sum == 5;
}

static void write_digest_with_md5(struct cbor_writer *w)
{
	digest_encode(w, &(struct digest_message){.index = 3,
						  .stat = 9,
						  .settled = true,
						  .size = 1000,
						  .has_md5 = true,
						  .md5_size = 100});
}

static bool read_digest_with_md5(struct bytes payload)
{
	struct digest_message m;

	return digest_decode(payload, &m) && m.index == 3 && m.has_md5 && m.md5_size == 100;
}

static void write_digest_without_md5(struct cbor_writer *w)
{
	digest_encode(w, &(struct digest_message){.index = 3, .unread = 2, .size = 1000});
}

static bool read_digest_without_md5(struct bytes payload)
{
	struct digest_message m;

	return digest_decode(payload, &m) && m.unread == 2 && !m.has_md5 && !m.settled;
}

static void write_want(struct cbor_writer *w)
{
	want_begin(w, 40, 1);
	want_item_encode(w, &(struct want_item){39, true});
}

static bool read_want(struct bytes payload)
{
	struct want_reader reader;
	struct want_item item;

	return want_decode(payload, &reader) && want_next(&reader, &item) && item.index == 39 &&
	       item.md5 && !want_next(&reader, &item) && !reader.r.failed && reader.upto == 40;
}

static void write_object(struct cbor_writer *w)
{
	object_encode(w, &(struct object){5, false, true, true, BYTES_LITERAL("chunk")});
}

static bool read_object(struct bytes payload)
{
	struct object m;

	return object_decode(payload, &m) && m.last && bytes_equal_string(m.chunk, "chunk");
}

static void write_finish(struct cbor_writer *w)
{
	finish_encode(w);
}

static void write_timeline(struct cbor_writer *w)
{
	timeline_begin(w, 1);
	timeline_item_encode(w, &(struct timeline_item){.kind = TIMELINE_INSTALL,
							.path = BYTES_LITERAL("bash 5 amd64"),
							.ctime_ns = -3});
}

static bool read_timeline(struct bytes payload)
{
	struct timeline_reader reader;
	struct timeline_item item;

	return timeline_decode(payload, &reader) && timeline_next(&reader, &item) &&
	       item.kind == TIMELINE_INSTALL && item.ctime_ns == -3 &&
	       !timeline_next(&reader, &item) && !reader.r.failed;
}

static void write_coverage(struct cbor_writer *w)
{
	coverage_begin(w, 1);
	coverage_item_encode(w, &(struct coverage_item){BYTES_LITERAL("mounts"),
							BYTES_LITERAL("/nfs\n"), COVERAGE_SKIPPED,
							BYTES_LITERAL("network"), 1});
}

static bool read_coverage(struct bytes payload)
{
	struct coverage_reader reader;
	struct coverage_item item;

	return coverage_decode(payload, &reader) && coverage_next(&reader, &item) &&
	       item.state == COVERAGE_SKIPPED && !coverage_next(&reader, &item) && !reader.r.failed;
}

static void write_end(struct cbor_writer *w)
{
	end_encode(w, &(struct end){.sections = 9, .peak_kib = 12000});
}

static bool read_end(struct bytes payload)
{
	struct end m;

	return end_decode(payload, &m) && m.sections == 9 && m.peak_kib == 12000;
}

static const struct sample samples[] = {
	{"hello", MESSAGE_HELLO, write_hello, read_hello},
	{"plan", MESSAGE_PLAN, write_plan, read_plan},
	{"root", MESSAGE_ROOT, write_root, read_root},
	{"ask", MESSAGE_ASK, write_ask, read_ask},
	{"proof", MESSAGE_PROOF, write_proof, read_proof},
	{"list", MESSAGE_LIST, write_list, read_list},
	{"hash", MESSAGE_HASH, write_hash, read_hash},
	{"digest with md5", MESSAGE_DIGEST, write_digest_with_md5, read_digest_with_md5},
	{"digest without md5", MESSAGE_DIGEST, write_digest_without_md5, read_digest_without_md5},
	{"want", MESSAGE_WANT, write_want, read_want},
	{"object", MESSAGE_OBJECT, write_object, read_object},
	{"finish", MESSAGE_FINISH, write_finish, finish_decode},
	{"timeline", MESSAGE_TIMELINE, write_timeline, read_timeline},
	{"coverage", MESSAGE_COVERAGE, write_coverage, read_coverage},
	{"end", MESSAGE_END, write_end, read_end},
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static size_t write_to(const struct sample *sample, uint8_t *to, size_t room)
{
	struct cbor_writer w;

	cbor_writer_init(&w, to, room);
	sample->write(&w);
	assert_false(w.overflow);
	return w.len;
}

/* A copy of exactly this size, so that the sanitizer sees a read beyond. */
static bool read_copy(const struct sample *sample, const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	bool whole;

	assert_non_null(exact);
	memcpy(exact, data, len);
	whole = sample->read(bytes_make(exact, len));
	free(exact);
	return whole;
}

static void every_message_round_trips(void **state)
{
	uint8_t buffer[1024];

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t len = write_to(&samples[i], buffer, sizeof(buffer));

		assert_int_equal(message_type_of(bytes_make(buffer, len)), samples[i].type);
		assert_true(read_copy(&samples[i], buffer, len));
		assert_string_not_equal(message_type_name(samples[i].type), "unknown");
	}
}

static void every_message_is_refused_when_cut_or_longer(void **state)
{
	uint8_t buffer[1024];

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t len = write_to(&samples[i], buffer, sizeof(buffer));

		for (size_t cut = 0; cut < len; cut++) {
			assert_false(read_copy(&samples[i], buffer, cut));
		}
		buffer[len] = 0;
		assert_false(read_copy(&samples[i], buffer, len + 1));
	}
}

static void no_message_is_taken_for_another(void **state)
{
	uint8_t buffer[1024];

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t len = write_to(&samples[i], buffer, sizeof(buffer));

		for (size_t j = 0; j < SAMPLES; j++) {
			if (samples[j].type != samples[i].type) {
				assert_false(read_copy(&samples[j], buffer, len));
			}
		}
	}
	assert_int_equal(message_type_of(BYTES_LITERAL("")), 0);
	assert_int_equal(message_type_of(BYTES_LITERAL("\x81\x18\xff")), 0);
}

static void coverage_words_that_are_no_words_are_refused(void **state)
{
	static const char *const bad[] = {"Locked", "a b", "x\n", "a_b"};
	uint8_t buffer[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct coverage_item item = {.check = BYTES_LITERAL("tree"),
					     .reason = bytes_from_string(bad[i])};
		struct coverage_reader reader;
		struct cbor_writer w;

		cbor_writer_init(&w, buffer, sizeof(buffer));
		coverage_begin(&w, 1);
		coverage_item_encode(&w, &item);
		assert_true(coverage_decode(bytes_make(buffer, w.len), &reader));
		assert_false(coverage_next(&reader, &item));
		assert_true(reader.r.failed);
	}
}

static void a_hash_run_that_wraps_is_refused(void **state)
{
	uint8_t buffer[64];
	struct hash_reader reader;
	struct hash_run run;
	struct cbor_writer w;

	(void)state;
	cbor_writer_init(&w, buffer, sizeof(buffer));
	hash_begin(&w, 1, true);
	hash_run_encode(&w, &(struct hash_run){UINT32_MAX, 2, false});
	assert_true(hash_decode(bytes_make(buffer, w.len), &reader));
	assert_false(hash_next(&reader, &run));
	assert_true(reader.r.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_round_trips),
		cmocka_unit_test(every_message_is_refused_when_cut_or_longer),
		cmocka_unit_test(no_message_is_taken_for_another),
		cmocka_unit_test(coverage_words_that_are_no_words_are_refused),
		cmocka_unit_test(a_hash_run_that_wraps_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
