// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "payloads/channel.h"

/* A process that speaks through a channel, ends with a status, and the test at its other end. */
static int to_child;
static int from_child;
static pid_t child;

static void start(void (*run)(struct channel *channel))
{
	int in[2];
	int out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static struct channel channel;

		close(in[1]);
		close(out[0]);
		alarm(20);
		channel_init(&channel, in[0], out[1]);
		run(&channel);
		_exit(99);
	}
	close(in[0]);
	close(out[1]);
	to_child = in[1];
	from_child = out[0];
}

static int end(void)
{
	int status;

	if (to_child >= 0) {
		close(to_child);
	}
	close(from_child);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void put(const void *data, size_t len)
{
	assert_int_equal(write(to_child, data, len), len);
}

/* Sends every payload back until the other end is gone. */
static void echo(struct channel *channel)
{
	for (;;) {
		struct bytes payload;

		(void)channel_receive(channel, true, &payload);
		memcpy(channel_room(channel), payload.data, payload.len);
		channel_send(channel, payload.len);
	}
}

static void frames_are_whole_however_they_come(void **state)
{
	uint8_t frame[FRAME_HEAD + 5];
	uint8_t back[sizeof(frame)];

	(void)state;
	frame_head(5, frame);
	memcpy(frame + FRAME_HEAD, "hello", 5);
	start(echo);
	for (size_t cut = 0; cut <= sizeof(frame); cut++) {
		size_t got = 0;

		put(frame, cut);
		put(frame + cut, sizeof(frame) - cut);
		while (got < sizeof(back)) {
			ssize_t part = read(from_child, back + got, sizeof(back) - got);

			assert_true(part > 0);
			got += (size_t)part;
		}
		assert_memory_equal(back, frame, sizeof(frame));
	}
	assert_int_equal(end(), STATUS_CONNECTION);
}

static void a_broken_length_ends_the_process(void **state)
{
	static const uint8_t giant[] = {0, 1, 0, 1};
	static const uint8_t empty[] = {0, 0, 0, 0};

	(void)state;
	start(echo);
	put(giant, sizeof(giant));
	assert_int_equal(read(from_child, &(uint8_t){0}, 1), 0);
	assert_int_equal(end(), STATUS_PROTOCOL);
	start(echo);
	put(empty, sizeof(empty));
	assert_int_equal(read(from_child, &(uint8_t){0}, 1), 0);
	assert_int_equal(end(), STATUS_PROTOCOL);
}

static void send_for_ever(struct channel *channel)
{
	memset(channel_room(channel), 'x', FRAME_MAX);
	for (;;) {
		channel_send(channel, FRAME_MAX);
	}
}

static void sending_to_nobody_ends_the_process(void **state)
{
	(void)state;
	start(send_for_ever);
	assert_int_equal(end(), STATUS_CONNECTION);
}

static void pulse_for_ever(struct channel *channel)
{
	for (;;) {
		channel_pulse(channel, 1);
	}
}

static void a_lost_connection_shows_in_a_pulse(void **state)
{
	(void)state;
	start(pulse_for_ever);
	assert_int_equal(end(), STATUS_CONNECTION);
}

/* What came in the meantime is not lost, and without waiting there is none. */
static void pulse_then_echo(struct channel *channel)
{
	struct bytes payload;

	if (channel_receive(channel, false, &payload)) {
		_exit(98);
	}
	memcpy(channel_room(channel), "ready", 5);
	channel_send(channel, 5);
	channel_pulse(channel, 5000);
	echo(channel);
}

static void what_comes_during_a_pulse_is_kept(void **state)
{
	uint8_t frame[FRAME_HEAD + 5];
	uint8_t back[sizeof(frame)];

	(void)state;
	frame_head(5, frame);
	memcpy(frame + FRAME_HEAD, "hello", 5);
	start(pulse_then_echo);
	assert_int_equal(read(from_child, back, sizeof(back)), sizeof(back));
	put(frame, sizeof(frame));
	assert_int_equal(read(from_child, back, sizeof(back)), sizeof(back));
	assert_memory_equal(back, frame, sizeof(frame));
	assert_int_equal(end(), STATUS_CONNECTION);
}

static void the_stream_digest_is_over_nonce_and_all_payloads(void **state)
{
	static struct channel channel;
	struct digest expected;
	struct digest got;
	struct sha256 sha;
	int out[2];

	(void)state;
	assert_int_equal(pipe(out), 0);
	channel_init(&channel, -1, out[1]);
	memcpy(channel_room(&channel), "first", 5);
	channel_send(&channel, 5);
	channel_bind(&channel, BYTES_LITERAL("nonce"));
	memcpy(channel_room(&channel), "second", 6);
	channel_send(&channel, 6);
	sha256_init(&sha);
	sha256_update(&sha, "noncefirstsecond", 16);
	sha256_final(&sha, expected.bytes);
	channel_digest(&channel, &got);
	assert_true(digest_equal(&expected, &got));
	/* Asking for it does not end it. */
	memcpy(channel_room(&channel), "x", 1);
	channel_send(&channel, 1);
	sha256_init(&sha);
	sha256_update(&sha, "noncefirstsecondx", 17);
	sha256_final(&sha, expected.bytes);
	channel_digest(&channel, &got);
	assert_true(digest_equal(&expected, &got));
	close(out[0]);
	close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_whole_however_they_come),
		cmocka_unit_test(a_broken_length_ends_the_process),
		cmocka_unit_test(sending_to_nobody_ends_the_process),
		cmocka_unit_test(a_lost_connection_shows_in_a_pulse),
		cmocka_unit_test(what_comes_during_a_pulse_is_kept),
		cmocka_unit_test(the_stream_digest_is_over_nonce_and_all_payloads),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
