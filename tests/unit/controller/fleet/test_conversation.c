// SPDX-License-Identifier: MIT
#include "controller/fleet/conversation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/siphash.h"
#include "tests/unit/controller/fleet/fake_probe.h"

#define NOW_S 1800000000

/* One conversation with a fake probe, and where the fleet's objects are said to be. */
struct bench {
	struct fake_probe probe;
	struct conversation_plan plan;
	struct conversation *conversation;
	enum object_place place;
	enum object_place (*ask)(void *context, const struct digest *digest, bool last);
	unsigned asked_last;
	unsigned waited;
	const struct observation *recalled; /* what a RECALL brings */
	unsigned recalls;
	struct error err;
};

static int to_probe(void *context, struct bytes payload, struct error *err)
{
	struct bench *bench = context;
	uint8_t *copy = malloc(payload.len);

	(void)err;
	assert_non_null(copy);
	memcpy(copy, payload.data, payload.len);
	fake_probe_receive(&bench->probe, bytes_make(copy, payload.len));
	free(copy);
	return 0;
}

static enum object_place place_of(void *context, const struct digest *digest, bool last)
{
	struct bench *bench = context;

	(void)digest;
	bench->asked_last += last;
	return bench->place;
}

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.place = OBJECT_WANTED, .ask = place_of, .plan = {.now_s = NOW_S}};
	fake_probe_init(&bench->probe);
	fake_probe_tree(&bench->probe, "/a", "content of a", 11, false);
	fake_probe_tree(&bench->probe, "/b", "content of b", 12, true);
	fake_probe_tree(&bench->probe, "/c", "", 13, false);
	fake_probe_package(&bench->probe, "bash", "content of bash", 14);
}

static void bench_clear(struct bench *bench)
{
	conversation_free(bench->conversation);
	fake_probe_clear(&bench->probe);
}

/* Runs to the end, asking for the MD5 of all packages where `md5`. */
static enum conversation_event converse(struct bench *bench, bool md5)
{
	struct conversation_io io = {bench, to_probe, bench->ask};
	enum conversation_event event = CONVERSATION_MORE;
	struct bytes payload;

	assert_int_equal(conversation_new(&bench->plan, &io, &bench->conversation, &bench->err), 0);
	fake_probe_start(&bench->probe);
	while (event == CONVERSATION_MORE) {
		uint8_t *copy;

		if (!fake_probe_next(&bench->probe, &payload)) {
			if (!conversation_is_waiting(bench->conversation)) {
				break;
			}
			bench->waited++;
			event = conversation_ask_again(bench->conversation, bench->waited > 2,
						       &bench->err);
			continue;
		}
		copy = malloc(payload.len);
		assert_non_null(copy);
		memcpy(copy, payload.data, payload.len);
		event = conversation_frame(bench->conversation, bytes_make(copy, payload.len),
					   &bench->err);
		free(copy);
		if (event == CONVERSATION_RECALL) {
			bench->recalls++;
			event = conversation_recall(bench->conversation, bench->recalled,
						    &bench->err);
		}
		if (event == CONVERSATION_LISTED) {
			size_t count = conversation_due_count(bench->conversation);
			bool *flags = calloc(count + 1, sizeof(*flags));

			assert_non_null(flags);
			for (size_t i = 0; i < count; i++) {
				struct section_key key;

				assert_true(section_key_decode(
					conversation_due_key(bench->conversation, i), &key));
				flags[i] = md5 && key.kind == SECTION_PACKAGE;
			}
			event = conversation_hash(bench->conversation, flags, &bench->err);
			free(flags);
		}
	}
	return event;
}

static const struct observed_section *section_of(const struct observation *o, const char *kind)
{
	for (size_t i = 0; i < o->section_count; i++) {
		struct section_key key;

		if (section_key_decode(o->sections[i].key, &key) &&
		    bytes_equal_string(key.part[0], kind)) {
			return &o->sections[i];
		}
	}
	return NULL;
}

static void first_contact_brings_every_section_once(void **state)
{
	const struct observation *seen;
	struct bench bench;
	size_t count;

	(void)state;
	bench_init(&bench);
	assert_int_equal(converse(&bench, false), CONVERSATION_DONE);
	seen = conversation_observation(bench.conversation);
	assert_int_equal(seen->section_count, 4);
	assert_int_equal(bench.probe.hashed, 4);
	(void)conversation_objects(bench.conversation, &count);
	assert_int_equal(count, 4);
	assert_int_equal(seen->timeline_count, 1);
	assert_int_equal(seen->coverage_count, 4);
	for (size_t i = 0; i < seen->section_count; i++) {
		assert_int_equal(seen->sections[i].read_s, NOW_S);
		assert_true(seen->sections[i].stat != 0);
		assert_true(i == 0 ||
			    bytes_compare(seen->sections[i - 1].key, seen->sections[i].key) < 0);
	}
	bench_clear(&bench);
}

static void what_the_store_has_is_not_sent(void **state)
{
	struct bench bench;
	size_t count;

	(void)state;
	bench_init(&bench);
	bench.place = OBJECT_KEPT;
	assert_int_equal(converse(&bench, false), CONVERSATION_DONE);
	(void)conversation_objects(bench.conversation, &count);
	assert_int_equal(count, 0);
	assert_int_equal(bench.probe.objects_sent, 0);
	bench_clear(&bench);
}

static void what_another_host_owes_is_asked_for_at_the_end(void **state)
{
	struct bench bench;
	size_t count;

	(void)state;
	bench_init(&bench);
	bench.place = OBJECT_ELSEWHERE;
	assert_int_equal(converse(&bench, true), CONVERSATION_DONE);
	assert_int_equal(bench.asked_last, 5);
	assert_int_equal(bench.waited, 3);
	(void)conversation_objects(bench.conversation, &count);
	assert_int_equal(count, 5);
	bench_clear(&bench);
}

static enum object_place place_in_time(void *context, const struct digest *digest, bool last)
{
	struct bench *bench = context;

	(void)digest;
	bench->asked_last += last;
	return bench->waited > 0 ? OBJECT_KEPT : OBJECT_ELSEWHERE;
}

static void what_another_host_delivers_meanwhile_is_not_asked_for(void **state)
{
	struct conversation_object *objects;
	struct bench bench;

	(void)state;
	bench_init(&bench);
	bench.ask = place_in_time;
	assert_int_equal(converse(&bench, true), CONVERSATION_DONE);
	assert_int_equal(bench.waited, 1);
	assert_int_equal(bench.asked_last, 0);
	assert_int_equal(bench.probe.objects_sent, 0);
	assert_int_equal(conversation_take_objects(bench.conversation, &objects), 0);
	free(objects);
	bench_clear(&bench);
}

/* What is known of a host is not held while it is talked to, only what it would answer unchanged. */
static void an_unchanged_night_needs_no_observation_at_hand(void **state)
{
	const struct observation *seen;
	struct foreseen foreseen;
	struct bench first, second;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, true), CONVERSATION_DONE);
	bench_init(&second);
	second.plan.last = conversation_observation(first.conversation);
	assert_int_equal(conversation_foresee_loaded(&second.plan, &foreseen, &second.err), 0);
	assert_true(foreseen.known && foreseen.usable);
	second.plan.last = NULL;
	second.plan.foreseen = &foreseen;
	second.plan.now_s = NOW_S + 86400;
	second.probe.clock_ns++;
	assert_int_equal(converse(&second, true), CONVERSATION_DONE);
	assert_true(second.probe.asked_same);
	assert_int_equal(second.probe.lists, 0);
	assert_int_equal(second.recalls, 0);
	assert_true(conversation_is_same(second.conversation));
	assert_int_equal(conversation_recall(second.conversation,
					     conversation_observation(first.conversation),
					     &second.err),
			 CONVERSATION_MORE);
	assert_false(conversation_is_same(second.conversation));
	seen = conversation_observation(second.conversation);
	assert_int_equal(seen->section_count, 5);
	for (size_t i = 0; i < seen->section_count; i++) {
		assert_int_equal(seen->sections[i].read_s,
				 seen->sections[i].always ? NOW_S + 86400 : NOW_S);
		assert_int_equal(foreseen.due[i / 8] >> i % 8 & 1, seen->sections[i].always);
	}
	assert_int_equal(foreseen.section_count, 5);
	assert_int_equal(foreseen.oldest_s, NOW_S);
	assert_int_equal(foreseen.stale, 0);
	foreseen_clear(&foreseen);
	bench_clear(&second);
	bench_clear(&first);
}

static void a_change_recalls_the_observation(void **state)
{
	/* By its stat, and behind an equal stat in the always-set. */
	for (size_t changed = 0; changed < 2; changed++) {
		struct foreseen foreseen;
		struct bench first, second;

		(void)state;
		bench_init(&first);
		assert_int_equal(converse(&first, false), CONVERSATION_DONE);
		bench_init(&second);
		second.plan.last = conversation_observation(first.conversation);
		second.recalled = second.plan.last;
		assert_int_equal(conversation_foresee_loaded(&second.plan, &foreseen, &second.err),
				 0);
		second.plan.last = NULL;
		second.plan.foreseen = &foreseen;
		second.probe.clock_ns++;
		second.probe.section[changed].stat += changed == 0;
		second.probe.section[changed].content = "other";
		assert_int_equal(converse(&second, false), CONVERSATION_DONE);
		assert_int_equal(second.recalls, 1);
		assert_false(conversation_is_same(second.conversation));
		/* The fleet has none: /b is sent again as well where /a's change is listed. */
		assert_int_equal(second.probe.objects_sent, changed == 0 ? 2 : 1);
		assert_int_equal(conversation_observation(second.conversation)->section_count, 4);
		foreseen_clear(&foreseen);
		bench_clear(&second);
		bench_clear(&first);
	}
}

/* A probe whose ring is full says nothing more until it knows what is wanted of what it has said. */
static void a_probe_that_waits_for_decisions_gets_them(void **state)
{
	struct bench bench;
	struct conversation_io io = {&bench, to_probe, place_of};
	struct bytes payload;

	(void)state;
	bench_init(&bench);
	assert_int_equal(conversation_new(&bench.plan, &io, &bench.conversation, &bench.err), 0);
	fake_probe_start(&bench.probe);
	while (fake_probe_next(&bench.probe, &payload)) {
		bool digest = message_type_of(payload) == MESSAGE_DIGEST;
		enum conversation_event event =
			conversation_frame(bench.conversation, payload, &bench.err);

		if (event == CONVERSATION_LISTED) {
			event = conversation_hash(bench.conversation, NULL, &bench.err);
		}
		assert_int_equal(event, CONVERSATION_MORE);
		if (digest) {
			assert_int_equal(bench.probe.objects_sent, 0);
			assert_int_equal(conversation_flush(bench.conversation, &bench.err),
					 CONVERSATION_MORE);
			assert_int_equal(bench.probe.objects_sent, 1);
			break;
		}
	}
	assert_int_equal(bench.probe.objects_sent, 1);
	bench_clear(&bench);
}

static void md5_sections_are_made_on_request_and_kept(void **state)
{
	const struct observation *seen;
	struct bench first, second;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, true), CONVERSATION_DONE);
	seen = conversation_observation(first.conversation);
	assert_int_equal(seen->section_count, 5);
	assert_non_null(section_of(seen, "md5"));

	/* Something else changed: the package is not read again, its MD5 stands. */
	bench_init(&second);
	second.plan.last = seen;
	second.probe.section[0].stat++;
	second.probe.clock_ns++;
	assert_int_equal(converse(&second, true), CONVERSATION_DONE);
	assert_int_equal(second.probe.hashed, 2); /* /a changed, /b always */
	assert_true(digest_equal(
		&section_of(conversation_observation(second.conversation), "md5")->content,
		&section_of(seen, "md5")->content));
	bench_clear(&second);
	bench_clear(&first);
}

static void rpm_bench_init(struct bench *bench, const struct observation *last, uint64_t config)
{
	bench_init(bench);
	bench->probe.count = 0;
	fake_probe_rpm(&bench->probe, SECTION_CONFIG, "configuration", config);
	fake_probe_rpm(&bench->probe, SECTION_PACKAGE, "files", 16);
	bench->probe.clock_ns += last != NULL;
	bench->plan.last = last;
}

/* The package's own stat says nothing of its configuration, whose MD5 stands in the same section. */
static void md5_of_rpm_is_made_anew_with_its_configuration(void **state)
{
	const struct observation *seen;
	struct bench first, same, changed;

	(void)state;
	rpm_bench_init(&first, NULL, 15);
	assert_int_equal(converse(&first, true), CONVERSATION_DONE);
	seen = conversation_observation(first.conversation);
	assert_non_null(section_of(seen, "md5"));
	rpm_bench_init(&same, seen, 15);
	fake_probe_package(&same.probe, "bash", "content of bash", 14);
	assert_int_equal(converse(&same, true), CONVERSATION_DONE);
	assert_int_equal(same.probe.hashed, 1); /* bash, which is new */
	rpm_bench_init(&changed, seen, 17);
	assert_int_equal(converse(&changed, true), CONVERSATION_DONE);
	assert_int_equal(changed.probe.hashed, 2);
	assert_int_equal(changed.probe.md5_made, 1);
	bench_clear(&changed);
	bench_clear(&same);
	bench_clear(&first);
}

static void an_unchanged_night_lists_and_sends_nothing(void **state)
{
	const struct observation *seen;
	struct bench first, second;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, true), CONVERSATION_DONE);

	bench_init(&second);
	second.plan.last = conversation_observation(first.conversation);
	second.plan.now_s = NOW_S + 86400;
	second.probe.clock_ns++;
	assert_int_equal(converse(&second, true), CONVERSATION_DONE);
	assert_true(second.probe.asked_same);
	assert_int_equal(second.probe.lists, 0);
	assert_int_equal(second.probe.objects_sent, 0);
	seen = conversation_observation(second.conversation);
	assert_int_equal(seen->section_count, 5);
	for (size_t i = 0; i < seen->section_count; i++) {
		/* Only what was read tonight is younger. */
		assert_int_equal(seen->sections[i].read_s,
				 seen->sections[i].always ? NOW_S + 86400 : NOW_S);
	}
	bench_clear(&second);
	bench_clear(&first);
}

static void content_that_changed_behind_an_equal_stat_is_found_in_the_slice(void **state)
{
	struct bench first, second;
	size_t found = 0;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, false), CONVERSATION_DONE);
	/* Over a whole cycle of nights every section has its turn. */
	for (uint32_t part = 0; part < 4; part++) {
		const struct observation *seen;

		bench_init(&second);
		second.plan.last = conversation_observation(first.conversation);
		second.plan.plan.slice_of = 4;
		second.plan.plan.slice_part = part;
		second.probe.clock_ns++;
		second.probe.section[0].content = "trojan of a.";
		assert_int_equal(converse(&second, false), CONVERSATION_DONE);
		seen = conversation_observation(second.conversation);
		found += !digest_equal(&seen->sections[0].content,
				       &second.plan.last->sections[0].content);
		bench_clear(&second);
	}
	assert_int_equal(found, 1);
	bench_clear(&first);
}

static void a_change_in_the_always_set_is_found_behind_an_equal_stat(void **state)
{
	struct bench first, second;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, false), CONVERSATION_DONE);
	bench_init(&second);
	second.plan.last = conversation_observation(first.conversation);
	second.probe.clock_ns++;
	second.probe.section[1].content = "trojan of b.";
	assert_int_equal(converse(&second, false), CONVERSATION_DONE);
	assert_true(second.probe.asked_same);
	assert_int_equal(second.probe.lists, 1);
	assert_int_equal(second.probe.objects_sent, 1);
	bench_clear(&second);
	bench_clear(&first);
}

static void a_clock_that_went_back_forces_a_full_pass(void **state)
{
	struct bench first, second;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, false), CONVERSATION_DONE);
	bench_init(&second);
	second.plan.last = conversation_observation(first.conversation);
	second.probe.clock_ns = 1;
	assert_int_equal(converse(&second, false), CONVERSATION_DONE);
	assert_false(second.probe.asked_same);
	assert_int_equal(second.probe.hashed, 4);
	bench_clear(&second);
	bench_clear(&first);
}

static void stale_content_is_read_again(void **state)
{
	struct bench first, second;

	(void)state;
	bench_init(&first);
	assert_int_equal(converse(&first, false), CONVERSATION_DONE);
	bench_init(&second);
	second.plan.last = conversation_observation(first.conversation);
	second.plan.max_age_s = 100;
	second.plan.now_s = NOW_S + 100;
	second.probe.clock_ns++;
	assert_int_equal(converse(&second, false), CONVERSATION_DONE);
	assert_int_equal(second.probe.hashed, 4);
	bench_clear(&second);
	bench_clear(&first);
}

static void what_changed_before_it_was_fetched_is_told_and_read_again(void **state)
{
	const char *const later[] = {"shorter", "", "longer than the content of a was before"};

	(void)state;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		const struct conversation_object *objects;
		const struct observed_section *section;
		const struct observation *seen;
		struct digest expected;
		struct bench bench;
		size_t count;
		bool found = false;

		bench_init(&bench);
		bench.probe.section[1].later = later[i];
		assert_int_equal(converse(&bench, true), CONVERSATION_DONE);
		assert_int_equal(conversation_sha256(bytes_from_string(later[i]), &expected, NULL),
				 0);
		seen = conversation_observation(bench.conversation);
		assert_int_equal(seen->section_count, 5);
		section = NULL;
		for (size_t s = 0; s < seen->section_count; s++) {
			if (digest_equal(&seen->sections[s].content, &expected) &&
			    seen->sections[s].stat == 0) {
				section = &seen->sections[s];
			}
		}
		assert_non_null(section);
		objects = conversation_objects(bench.conversation, &count);
		for (size_t o = 0; o < count; o++) {
			found = found || digest_equal(&objects[o].digest, &expected);
		}
		assert_true(found);
		assert_int_equal(seen->coverage_count, 5);
		assert_true(bytes_equal_string(seen->coverage[0].check, "objects"));
		assert_true(bytes_equal_string(seen->coverage[0].reason, "changed"));
		assert_int_equal(seen->coverage[0].state, COVERAGE_PARTIAL);
		assert_true(seen->coverage[0].subject.len > 0);
		bench_clear(&bench);
	}
}

static unsigned asked_for_it;

/* As object_places does: what this host was asked for already is on its way. */
static enum object_place asked_once(void *context, const struct digest *digest, bool last)
{
	struct digest shared;

	(void)context;
	(void)last;
	assert_int_equal(conversation_sha256(BYTES_LITERAL("the same"), &shared, NULL), 0);
	return digest_equal(digest, &shared) && asked_for_it++ > 0 ? OBJECT_KEPT : OBJECT_WANTED;
}

static void a_section_with_the_same_content_shows_it_where_the_first_changed(void **state)
{
	const struct conversation_object *objects;
	struct digest shared;
	struct bench bench;
	size_t count;
	bool found = false;

	(void)state;
	bench_init(&bench);
	bench.ask = asked_once;
	asked_for_it = 0;
	bench.probe.section[0].content = "the same";
	bench.probe.section[0].later = "another by now";
	bench.probe.section[2].content = "the same";
	assert_int_equal(converse(&bench, false), CONVERSATION_DONE);
	assert_int_equal(conversation_sha256(BYTES_LITERAL("the same"), &shared, NULL), 0);
	objects = conversation_objects(bench.conversation, &count);
	for (size_t o = 0; o < count; o++) {
		found = found || digest_equal(&objects[o].digest, &shared);
	}
	assert_true(found);
	assert_int_equal(asked_for_it, 2);
	bench_clear(&bench);
}

static void every_fault_breaks_the_conversation_as_the_peers(void **state)
{
	(void)state;
	for (int fault = FAKE_HONEST + 1; fault < FAKE_FAULTS; fault++) {
		struct bench bench;

		bench_init(&bench);
		bench.probe.fault = (enum fake_fault)fault;
		if (converse(&bench, false) != CONVERSATION_BROKEN) {
			fail_msg("fault %d was not noticed", fault);
		}
		assert_int_equal(bench.err.kind, ERROR_PEER);
		assert_null(conversation_observation(bench.conversation));
		bench_clear(&bench);
	}
}

/* Any one byte changed on the way never ends well: the stream digest covers all of it. */
static void no_altered_byte_goes_unnoticed(void **state)
{
	(void)state;
	for (size_t at = 0;; at++) {
		struct bench bench;
		struct conversation_io io = {&bench, to_probe, place_of};
		enum conversation_event event = CONVERSATION_MORE;
		struct bytes payload;
		size_t seen = 0;

		bench_init(&bench);
		assert_int_equal(
			conversation_new(&bench.plan, &io, &bench.conversation, &bench.err), 0);
		fake_probe_start(&bench.probe);
		while (event == CONVERSATION_MORE && fake_probe_next(&bench.probe, &payload)) {
			uint8_t *copy = malloc(payload.len);

			assert_non_null(copy);
			memcpy(copy, payload.data, payload.len);
			if (at >= seen && at < seen + payload.len) {
				copy[at - seen] ^= 0x04;
			}
			seen += payload.len;
			event = conversation_frame(bench.conversation,
						   bytes_make(copy, payload.len), &bench.err);
			free(copy);
			if (event == CONVERSATION_LISTED) {
				event = conversation_hash(bench.conversation, NULL, &bench.err);
			}
		}
		/* In the end message only the counts are free: they are the host's word anyway. */
		if (event == CONVERSATION_DONE && at < seen) {
			assert_true(at >= seen - 60);
		}
		bench_clear(&bench);
		if (at >= seen) {
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_contact_brings_every_section_once),
		cmocka_unit_test(what_the_store_has_is_not_sent),
		cmocka_unit_test(what_another_host_owes_is_asked_for_at_the_end),
		cmocka_unit_test(what_another_host_delivers_meanwhile_is_not_asked_for),
		cmocka_unit_test(an_unchanged_night_needs_no_observation_at_hand),
		cmocka_unit_test(a_change_recalls_the_observation),
		cmocka_unit_test(a_probe_that_waits_for_decisions_gets_them),
		cmocka_unit_test(md5_sections_are_made_on_request_and_kept),
		cmocka_unit_test(md5_of_rpm_is_made_anew_with_its_configuration),
		cmocka_unit_test(an_unchanged_night_lists_and_sends_nothing),
		cmocka_unit_test(content_that_changed_behind_an_equal_stat_is_found_in_the_slice),
		cmocka_unit_test(a_change_in_the_always_set_is_found_behind_an_equal_stat),
		cmocka_unit_test(a_clock_that_went_back_forces_a_full_pass),
		cmocka_unit_test(stale_content_is_read_again),
		cmocka_unit_test(what_changed_before_it_was_fetched_is_told_and_read_again),
		cmocka_unit_test(a_section_with_the_same_content_shows_it_where_the_first_changed),
		cmocka_unit_test(every_fault_breaks_the_conversation_as_the_peers),
		cmocka_unit_test(no_altered_byte_goes_unnoticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
