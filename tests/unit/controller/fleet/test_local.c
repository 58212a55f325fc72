// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>
#include <cmocka.h>

#include "controller/fleet/local.h"

/* One conversation with the fake probe, and what the handler saw of it. */
struct talk {
	uv_loop_t loop;
	struct transport *transport;
	struct channel *channel;
	const char *say; /* sent after hello */
	size_t say_len;
	bool abort_at_hello;
	bool pause_at_hello;
	unsigned frames;
	struct bytes last;
	uint8_t last_data[70000];
	unsigned closed;
	struct channel_close close;
	uv_timer_t timer;
};

static void send_say(struct talk *talk)
{
	struct error err = {0};

	if (talk->say) {
		assert_int_equal(talk->transport->send(talk->channel,
						       bytes_make(talk->say, talk->say_len), &err),
				 0);
	}
}

static void on_resume(uv_timer_t *timer)
{
	struct talk *talk = timer->data;

	assert_int_equal(talk->frames, 1);
	talk->transport->pause(talk->channel, false);
	uv_close((uv_handle_t *)timer, NULL);
}

static void on_frame(void *context, struct bytes payload)
{
	struct talk *talk = context;

	talk->frames++;
	assert_true(payload.len <= sizeof(talk->last_data));
	memcpy(talk->last_data, payload.data, payload.len);
	talk->last = (struct bytes){talk->last_data, payload.len};
	if (talk->frames == 1) {
		assert_true(bytes_equal_string(talk->last, "hello"));
		if (talk->abort_at_hello) {
			talk->transport->abort(talk->channel, OUTCOME_NOT_ASKED, "enough");
			return;
		}
		if (talk->pause_at_hello) {
			talk->transport->pause(talk->channel, true);
			(void)uv_timer_init(&talk->loop, &talk->timer);
			talk->timer.data = talk;
			(void)uv_timer_start(&talk->timer, on_resume, 50, 0);
		}
		send_say(talk);
	} else if (talk->frames == 2) {
		struct error err = {0};

		assert_int_equal(talk->transport->send(talk->channel, BYTES_LITERAL("!quit"), &err),
				 0);
	}
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct talk *talk = context;

	talk->closed++;
	talk->close = *close;
}

static void run(struct talk *talk, const struct target *target)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	struct error err = {0};

	assert_int_equal(uv_loop_init(&talk->loop), 0);
	assert_int_equal(local_new(&talk->loop, FAKE_PROBE, &talk->transport, &err), 0);
	assert_int_equal(talk->transport->open(talk->transport, target, &handler, talk,
					       &talk->channel, &err),
			 0);
	assert_int_equal(talk->closed, 0);
	assert_int_equal(uv_run(&talk->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(talk->closed, 1);
	talk->transport->free(talk->transport);
	assert_int_equal(uv_loop_close(&talk->loop), 0);
}

static struct target target_any(void)
{
	return (struct target){.name = "localhost", .timeout_ms = 20000};
}

static void whole_conversation_is_clean(void **state)
{
	struct talk talk = {.say = "ping", .say_len = 4};
	struct target target = target_any();

	(void)state;
	run(&talk, &target);
	assert_int_equal(talk.frames, 2);
	assert_true(bytes_equal_string(talk.last, "ping"));
	assert_int_equal(talk.close.outcome, OUTCOME_CLEAN);
	assert_int_equal(talk.close.sent_bytes, 4 + 4 + 4 + 5);
	assert_int_equal(talk.close.received_bytes, 4 + 5 + 4 + 4);
	assert_int_equal(talk.close.probe_bytes, 0);
}

static void largest_frame_passes(void **state)
{
	static char big[65536];
	struct talk *talk = calloc(1, sizeof(*talk));
	struct target target = target_any();

	(void)state;
	assert_non_null(talk);
	memset(big, 'x', sizeof(big));
	talk->say = big;
	talk->say_len = sizeof(big);
	run(talk, &target);
	assert_int_equal(talk->last.len, sizeof(big));
	assert_int_equal(talk->close.outcome, OUTCOME_CLEAN);
	free(talk);
}

static void ends_are_named(void **state)
{
	static const struct {
		const char *say;
		enum outcome outcome;
		const char *reason;
	} rows[] = {
		{"!exit 3", OUTCOME_KILLED, "status 3"},
		{"!exit 65", OUTCOME_PROTOCOL_ERROR, "not the probe that was sent"},
		{"!exit 69", OUTCOME_KILLED, "watchdog"},
		{"!exit 0", OUTCOME_CLEAN, ""},
		{"!kill", OUTCOME_KILLED, "signal 9"},
		{"!partial", OUTCOME_KILLED, "middle of a message"},
		{"!giant", OUTCOME_PROTOCOL_ERROR, "impossible length"},
		{"!flood", OUTCOME_OVER_LIMIT, "more than a host may"},
		{"!sleep", OUTCOME_KILLED, "deadline"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk talk = {.say = rows[i].say, .say_len = strlen(rows[i].say)};
		struct target target = target_any();

		if (strcmp(rows[i].say, "!sleep") == 0) {
			target.timeout_ms = 200;
		}
		if (strcmp(rows[i].say, "!flood") == 0) {
			target.cap_bytes = 100;
		}
		run(&talk, &target);
		assert_int_equal(talk.close.outcome, rows[i].outcome);
		assert_non_null(strstr(talk.close.reason, rows[i].reason));
	}
}

static void abort_inside_a_frame_ends_it(void **state)
{
	struct talk talk = {.abort_at_hello = true};
	struct target target = target_any();

	(void)state;
	run(&talk, &target);
	assert_int_equal(talk.frames, 1);
	assert_int_equal(talk.close.outcome, OUTCOME_NOT_ASKED);
	assert_string_equal(talk.close.reason, "enough");
}

static void paused_channel_delivers_nothing(void **state)
{
	struct talk talk = {.say = "ping", .say_len = 4, .pause_at_hello = true};
	struct target target = target_any();

	(void)state;
	run(&talk, &target);
	assert_int_equal(talk.frames, 2);
	assert_int_equal(talk.close.outcome, OUTCOME_CLEAN);
}

static void missing_probe_fails_at_open(void **state)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	struct talk talk = {0};
	struct target target = target_any();
	struct error err = {0};

	(void)state;
	assert_int_equal(uv_loop_init(&talk.loop), 0);
	assert_int_equal(local_new(&talk.loop, "/nonexistent/probe", &talk.transport, &err), 0);
	assert_int_equal(
		talk.transport->open(talk.transport, &target, &handler, &talk, &talk.channel, &err),
		-1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.msg, "/nonexistent/probe"));
	assert_int_equal(uv_run(&talk.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(talk.closed, 0);
	talk.transport->free(talk.transport);
	assert_int_equal(uv_loop_close(&talk.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_conversation_is_clean),
		cmocka_unit_test(largest_frame_passes),
		cmocka_unit_test(ends_are_named),
		cmocka_unit_test(abort_inside_a_frame_ends_it),
		cmocka_unit_test(paused_channel_delivers_nothing),
		cmocka_unit_test(missing_probe_fails_at_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
