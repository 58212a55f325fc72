// SPDX-License-Identifier: MIT
/* Whole sweeps over fake probes in memory: what one host does is that host's outcome alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>
#include <cmocka.h>

#include "controller/fleet/sweep.h"
#include "tests/unit/controller/fleet/fake_probe.h"
#include "tests/unit/controller/store/host_maker.h"

#define HOSTS 2
#define SAFETY_MS 30000
#define FRAMES_AT_ONCE 16
#define MEETING 200
#define FLOWING 400 /* 1.6 MB */

struct channel {
	struct fake_probe *probe;
	const struct channel_handler *handler;
	void *context;
	uv_timer_t timer;
	bool stays_open; /* after its last message */
	bool ended;
	bool paused;
	size_t delivered; /* frames */
	struct channel_close close;
};

struct bench {
	uv_loop_t loop;
	struct transport transport;
	struct place place;
	struct sweep_host host[HOSTS];
	struct sweep_config config;
	struct sweep_summary summary;
	struct fake_probe probe[HOSTS];
	struct channel channel[HOSTS];
	bool stays_open[HOSTS];
	size_t falls_silent[HOSTS]; /* after so many frames, until the other is over; 0: does not */
	unsigned aborts;
	unsigned pauses;
	unsigned most_flowing; /* at once, of those behind FLOWING frames that are not paused */
	bool meet; /* nobody goes beyond MEETING frames before both are there, or paused */
	unsigned open;
	unsigned most_open;
	enum outcome outcome[HOSTS];
	char reason[HOSTS][256];
	size_t findings[HOSTS];
	bool seen[HOSTS];
};

/* One at a time. */
static struct bench *running;

static const char *const names[HOSTS] = {"a", "b"};

static void on_closed(uv_handle_t *handle)
{
	struct channel *channel = handle->data;

	running->open--;
	channel->handler->closed(channel->context, &channel->close);
}

static void close_with(struct channel *channel, enum outcome outcome, const char *reason)
{
	if (channel->ended) {
		return;
	}
	channel->ended = true;
	channel->close.outcome = outcome;
	(void)snprintf(channel->close.reason, sizeof(channel->close.reason), "%s", reason);
	uv_close((uv_handle_t *)&channel->timer, on_closed);
}

static void on_safety(uv_timer_t *timer)
{
	close_with(timer->data, OUTCOME_TIMEOUT, "nobody closed the channel");
}

static bool others_are_there(const struct channel *channel)
{
	const struct channel *other = &running->channel[channel == running->channel];

	return other->delivered >= MEETING || other->paused || other->ended;
}

static bool may_deliver(const struct channel *channel)
{
	size_t silent = running->falls_silent[channel - running->channel];

	return !channel->paused && (silent == 0 || channel->delivered < silent) &&
	       (!running->meet || channel->delivered < MEETING || others_are_there(channel));
}

static void count_flowing(void)
{
	unsigned flowing = 0;

	for (size_t i = 0; i < HOSTS; i++) {
		const struct channel *channel = &running->channel[i];

		flowing += !channel->ended && !channel->paused && channel->delivered > FLOWING;
	}
	running->most_flowing = flowing > running->most_flowing ? flowing : running->most_flowing;
}

static void deliver(uv_timer_t *timer)
{
	struct channel *channel = timer->data;
	struct bytes payload;

	for (unsigned i = 0;
	     !channel->ended && may_deliver(channel) && fake_probe_next(channel->probe, &payload);
	     i++) {
		bool last = message_type_of(payload) == MESSAGE_END;
		uint8_t *copy = malloc(payload.len);

		assert_non_null(copy);
		memcpy(copy, payload.data, payload.len);
		channel->handler->frame(channel->context, bytes_make(copy, payload.len));
		free(copy);
		channel->delivered++;
		if (last && !channel->stays_open) {
			close_with(channel, OUTCOME_CLEAN, "");
		}
		/* As frames come over a line: the loop goes round between them. */
		if (i == FRAMES_AT_ONCE && !channel->ended) {
			count_flowing();
			(void)uv_timer_start(&channel->timer, deliver, 0, 0);
			return;
		}
	}
	if (!channel->ended && !channel->paused && !may_deliver(channel) && running->meet) {
		(void)uv_timer_start(&channel->timer, deliver, 1, 0);
		return;
	}
	if (!channel->ended) {
		(void)uv_timer_start(&channel->timer, on_safety, SAFETY_MS, 0);
	}
}

static int fake_open(struct transport *self, const struct target *target,
		     const struct channel_handler *handler, void *context, struct channel **result,
		     struct error *err)
{
	size_t i = strcmp(target->name, names[0]) == 0 ? 0 : 1;
	struct channel *channel = &running->channel[i];

	(void)self;
	(void)err;
	*channel = (struct channel){.probe = &running->probe[i],
				    .handler = handler,
				    .context = context,
				    .stays_open = running->stays_open[i]};
	running->open++;
	running->most_open = running->open > running->most_open ? running->open
								: running->most_open;
	(void)uv_timer_init(&running->loop, &channel->timer);
	channel->timer.data = channel;
	fake_probe_start(channel->probe);
	(void)uv_timer_start(&channel->timer, deliver, 0, 0);
	*result = channel;
	return 0;
}

static int fake_send(struct channel *channel, struct bytes payload, struct error *err)
{
	(void)err;
	fake_probe_receive(channel->probe, payload);
	if (!channel->ended) {
		(void)uv_timer_start(&channel->timer, deliver, 0, 0);
	}
	return 0;
}

static void fake_pause(struct channel *channel, bool paused)
{
	running->pauses += paused && !channel->paused;
	if (channel->paused && !paused && !channel->ended) {
		(void)uv_timer_start(&channel->timer, deliver, 0, 0);
	}
	channel->paused = paused;
}

static void fake_abort(struct channel *channel, enum outcome outcome, const char *reason)
{
	running->aborts++;
	close_with(channel, outcome, reason);
}

static void on_started(void *context, const struct store_run *run)
{
	(void)context;
	(void)run;
}

static void on_host(void *context, const struct sweep_result *result)
{
	struct bench *bench = context;
	size_t i = strcmp(result->host, names[0]) == 0 ? 0 : 1;

	assert_false(bench->seen[i]);
	bench->seen[i] = true;
	bench->outcome[i] = result->outcome;
	(void)snprintf(bench->reason[i], sizeof(bench->reason[i]), "%s", result->reason);
	bench->findings[i] = result->findings ? result->findings->count : 0;
	if (bench->falls_silent[1 - i] != 0 && !bench->seen[1 - i]) {
		close_with(&bench->channel[1 - i], OUTCOME_KILLED, "silent");
	}
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->transport = (struct transport){.name = "fake",
					      .open = fake_open,
					      .send = fake_send,
					      .pause = fake_pause,
					      .abort = fake_abort};
	place_make(&bench->place);
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	for (size_t i = 0; i < HOSTS; i++) {
		bench->host[i] = (struct sweep_host){.target = {.name = names[i]},
						     .transport = &bench->transport};
		fake_probe_init(&bench->probe[i]);
	}
	bench->config = (struct sweep_config){.hosts = bench->host,
					      .host_count = HOSTS,
					      .parallel = 1,
					      .full_parallel = 1,
					      .kind = "check",
					      .sweep = "",
					      .version = "test",
					      .retries = 2};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < HOSTS; i++) {
		fake_probe_clear(&bench->probe[i]);
	}
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	place_remove(&bench->place);
	free(bench);
	return 0;
}

/* Every host has to have its say, whatever the other does. */
static void sweep(struct bench *bench)
{
	const struct sweep_events events = {
		.context = bench, .started = on_started, .host = on_host};
	struct error err = {0};

	running = bench;
	bench->config.store = open_store(bench->place.path, STORE_WRITE);
	if (sweep_run(&bench->loop, &bench->config, &events, &bench->summary, &err) != 0) {
		fail_msg("the sweep ended for everyone: %s", err.msg);
	}
	store_close(bench->config.store);
	for (size_t i = 0; i < HOSTS; i++) {
		assert_true(bench->seen[i]);
	}
}

static char *filled(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

static void one_object_named_for_many_sections_is_over_the_limit(void **state)
{
	static const char *const dirs[] = {"/a", "/b", "/c", "/d", "/e", "/f"};
	struct bench *bench = *state;
	char *large = filled(1000);

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		fake_probe_tree(&bench->probe[0], dirs[i], large, i + 1, false);
	}
	fake_probe_tree(&bench->probe[1], "/a", large, 1, false);
	bench->config.most_judged = 3000;
	sweep(bench);
	assert_int_equal(bench->outcome[0], OUTCOME_OVER_LIMIT);
	assert_non_null(strstr(bench->reason[0], "3000 bytes of sections"));
	/* It is told as what a host must not do, and nothing of the rest is kept. */
	assert_int_equal(bench->findings[0], 1);
	/* That host's section is not well-formed, which is judged as ever. */
	assert_int_equal(bench->outcome[1], OUTCOME_FINDINGS);
	free(large);
}

static void findings_without_end_are_over_the_limit(void **state)
{
	static const char *const dirs[] = {"/a", "/b", "/c", "/d", "/e", "/f"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		fake_probe_tree(&bench->probe[0], dirs[i], "not well-formed", i + 1, false);
	}
	fake_probe_tree(&bench->probe[1], "/a", "not well-formed", 1, false);
	bench->config.most_findings = 4;
	sweep(bench);
	assert_int_equal(bench->outcome[0], OUTCOME_OVER_LIMIT);
	assert_non_null(strstr(bench->reason[0], "more findings than one host may have"));
	assert_int_equal(bench->findings[0], 1);
	assert_int_equal(bench->outcome[1], OUTCOME_FINDINGS);
}

static void paths_without_end_are_over_the_limit(void **state)
{
	struct bench *bench = *state;

	fake_probe_tree(&bench->probe[0], "/a", "", 1, false);
	fake_probe_tree(&bench->probe[1], "/a", "", 1, false);
	bench->probe[0].flood = 1100; /* 4.2 MiB */
	bench->probe[1].flood = 500;  /* as much as an honest probe may send */
	sweep(bench);
	assert_int_equal(bench->outcome[0], OUTCOME_OVER_LIMIT);
	assert_string_equal(bench->reason[0], "more timeline and coverage than a host may send");
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

static void a_first_night_without_a_word_of_coverage_is_partial(void **state)
{
	struct bench *bench = *state;

	fake_probe_tree(&bench->probe[0], "/a", "", 1, false);
	fake_probe_tree(&bench->probe[1], "/a", "", 1, false);
	bench->probe[0].tells_nothing = true;
	sweep(bench);
	assert_int_equal(bench->outcome[0], OUTCOME_PARTIAL);
	assert_string_equal(bench->reason[0], "packages: not a word of this check");
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

static void sweep_with_one_that_stays_open(struct bench *bench)
{
	bench->stays_open[0] = true;
	fake_probe_tree(&bench->probe[0], "/a", "not well-formed", 1, false);
	fake_probe_tree(&bench->probe[1], "/a", "", 1, false);
	sweep(bench);
	assert_int_equal(bench->aborts, 1);
	/* All was said: that it was closed by us takes nothing away. */
	assert_int_equal(bench->outcome[0], OUTCOME_FINDINGS);
	assert_string_equal(bench->reason[0], "");
}

static void channel_behind_the_last_message_is_closed(void **state)
{
	struct bench *bench = *state;
	uint64_t begun_ms = uv_hrtime() / 1000000;

	sweep_with_one_that_stays_open(bench);
	assert_true(uv_hrtime() / 1000000 - begun_ms < SAFETY_MS / 2);
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

static void deadline_does_not_wait_for_a_channel_without_a_word_left(void **state)
{
	struct bench *bench = *state;
	uint64_t begun_ms = uv_hrtime() / 1000000;

	bench->config.deadline_s = 1;
	sweep_with_one_that_stays_open(bench);
	assert_true(uv_hrtime() / 1000000 - begun_ms < 2500);
	assert_int_equal(bench->outcome[1], OUTCOME_NOT_ASKED);
}

/* A host that says nothing changed is taken at its word only for what it was not to prove this night. */
static void other_content_behind_the_same_root_is_judged(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < HOSTS; i++) {
		fake_probe_tree(&bench->probe[i], "/a", "", 1, true);
	}
	for (int night = 0; night < 4; night++) {
		memset(bench->seen, 0, sizeof(bench->seen));
		sweep(bench);
		assert_int_equal(bench->outcome[0], OUTCOME_CLEAN);
		assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
		assert_int_equal(bench->probe[0].asked_same, night > 0);
	}
	bench->probe[0].section[0].content = "not well-formed";
	memset(bench->seen, 0, sizeof(bench->seen));
	sweep(bench);
	assert_int_equal(bench->outcome[0], OUTCOME_FINDINGS);
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

/* A group, a jump host: whatever the limit stands for. */
static void hosts_under_one_limit_are_not_open_at_once(void **state)
{
	static const size_t first[] = {0};
	static const struct turns_limit limits[] = {{1}};
	struct bench *bench = *state;

	bench->config.parallel = 2;
	bench->config.full_parallel = 2;
	sweep(bench);
	assert_int_equal(bench->most_open, 2);
	memset(bench->seen, 0, sizeof(bench->seen));
	bench->most_open = 0;
	bench->config.limits = limits;
	bench->config.limit_count = 1;
	for (size_t i = 0; i < HOSTS; i++) {
		bench->host[i].limits = first;
		bench->host[i].limit_count = 1;
	}
	sweep(bench);
	assert_int_equal(bench->most_open, 1);
}

/* Each of them tells 2 MB. */
static void tell_much(struct bench *bench)
{
	for (size_t i = 0; i < HOSTS; i++) {
		fake_probe_tree(&bench->probe[i], "/a", "", 1, false);
		bench->probe[i].flood = 500;
	}
	bench->meet = true;
	sweep(bench);
}

/* There is not so much: one after the other, and both whole. */
static void hosts_that_tell_more_than_there_is_memory_for_take_turns(void **state)
{
	struct bench *bench = *state;

	bench->config.parallel = bench->config.full_parallel = 2;
	bench->config.most_memory = 5 << 20;
	tell_much(bench);
	assert_int_equal(bench->most_open, 2);
	assert_true(bench->pauses > 0);
	assert_int_equal(bench->most_flowing, 1);
	assert_int_equal(bench->outcome[0], OUTCOME_CLEAN);
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

static void with_memory_for_both_nobody_is_paused(void **state)
{
	struct bench *bench = *state;

	bench->config.parallel = bench->config.full_parallel = 2;
	tell_much(bench);
	assert_int_equal(bench->pauses, 0);
	assert_int_equal(bench->outcome[0], OUTCOME_CLEAN);
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

/* One that falls silent in the middle of what it tells keeps its memory, and nobody else's time. */
static void a_silent_host_does_not_hold_up_the_others(void **state)
{
	struct bench *bench = *state;

	bench->config.parallel = bench->config.full_parallel = 2;
	bench->config.most_memory = 5 << 20;
	for (size_t i = 0; i < HOSTS; i++) {
		fake_probe_tree(&bench->probe[i], "/a", "", 1, false);
	}
	bench->probe[0].flood = 500;
	bench->falls_silent[0] = 450;
	sweep(bench);
	assert_int_equal(bench->outcome[0], OUTCOME_KILLED);
	assert_int_equal(bench->outcome[1], OUTCOME_CLEAN);
}

/* The second night of a host of which something changed asks for memory in the middle of its session. */
static void a_changed_host_waits_for_memory_to_list(void **state)
{
	struct bench *bench = *state;

	bench->config.parallel = bench->config.full_parallel = 2;
	bench->config.most_memory = 1; /* one at a time */
	for (size_t i = 0; i < HOSTS; i++) {
		fake_probe_tree(&bench->probe[i], "/a", "", 1, false);
	}
	sweep(bench);
	for (size_t i = 0; i < HOSTS; i++) {
		bench->probe[i].section[0].stat++;
		bench->seen[i] = false;
	}
	bench->most_open = 0;
	sweep(bench);
	assert_int_equal(bench->most_open, 2);
	for (size_t i = 0; i < HOSTS; i++) {
		assert_int_equal(bench->probe[i].lists, 2);
		assert_int_equal(bench->outcome[i], OUTCOME_CLEAN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			one_object_named_for_many_sections_is_over_the_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			hosts_that_tell_more_than_there_is_memory_for_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(with_memory_for_both_nobody_is_paused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_silent_host_does_not_hold_up_the_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_changed_host_waits_for_memory_to_list, setup,
						teardown),
		cmocka_unit_test_setup_teardown(channel_behind_the_last_message_is_closed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			deadline_does_not_wait_for_a_channel_without_a_word_left, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_without_end_are_over_the_limit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_first_night_without_a_word_of_coverage_is_partial,
						setup, teardown),
		cmocka_unit_test_setup_teardown(hosts_under_one_limit_are_not_open_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(findings_without_end_are_over_the_limit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_content_behind_the_same_root_is_judged, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
