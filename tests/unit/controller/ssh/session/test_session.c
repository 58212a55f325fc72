// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libssh2.h>
#include <cmocka.h>

#include "controller/ssh/session/probe_pack.h"
#include "controller/ssh/session/session.h"
#include "tests/fake/fake_libssh2.h"

#define TAG "0123456789abcdef0123456789abcdef"
#define READY "MUSTER" TAG " a x86_64\n"
#define HELLO "\0\0\0\5hello"
#define PROBE_SIZE 3000U
/* "3000 " and 64 digits and a newline come before the probe. */
#define UPLOAD_SIZE (5 + 64 + 1 + PROBE_SIZE)

/* BYTES_LITERAL for static tables. */
#define TEXT(s)                                        \
	{                                              \
		(const uint8_t *)("" s), sizeof(s) - 1 \
	}

struct seen {
	struct session *session;
	enum control_stage last_stage;
	unsigned frames;
	char frame[64];
	unsigned signs;
	unsigned closed;
	enum outcome outcome;
	char reason[256];
	size_t excerpt_len;
	size_t hostkey_len;
	uint64_t sent_bytes;
	uint64_t probe_bytes;
	const char *say; /* sent after the first frame */
	bool answers_sign;
	bool refuses_sign;
};

static struct session_shared shared;
static uint8_t probe[PROBE_SIZE];
static int listener = -1;
static uint16_t port;

static void on_stage(void *context, enum control_stage stage)
{
	struct seen *seen = context;

	assert_true(stage >= seen->last_stage);
	seen->last_stage = stage;
}

static void on_frame(void *context, struct bytes payload)
{
	struct seen *seen = context;
	struct error err;

	seen->frames++;
	(void)snprintf(seen->frame, sizeof(seen->frame), "%.*s", (int)payload.len,
		       (const char *)payload.data);
	if (seen->say && seen->frames == 1) {
		assert_int_equal(session_send(seen->session, bytes_from_string(seen->say), &err),
				 0);
	}
}

static void on_sign(void *context, const struct control_sign *sign)
{
	struct seen *seen = context;

	assert_true(bytes_equal_string(sign->data, "data"));
	seen->signs++;
}

static void on_ready(void *context)
{
	(void)context;
	fail_msg("nobody goes through anybody");
}

static void on_closed(void *context, const struct control_closed *closed)
{
	struct seen *seen = context;

	seen->closed++;
	seen->outcome = closed->outcome;
	seen->excerpt_len = closed->excerpt.len;
	seen->hostkey_len = closed->hostkey.len;
	seen->sent_bytes = closed->sent_bytes;
	seen->probe_bytes = closed->probe_bytes;
	(void)snprintf(seen->reason, sizeof(seen->reason), "%.*s", (int)closed->reason.len,
		       (const char *)closed->reason.data);
}

static struct control_start start_plain(void)
{
	struct control_start start = {
		.id = 7,
		.address_count = 1,
		.user = BYTES_LITERAL("root"),
		.pin_count = 1,
		.key_count = 1,
		.connect_timeout_ms = 10000,
		.timeout_ms = 600000,
	};

	start.address[0] =
		(struct control_address){.ip = BYTES_LITERAL("\x7f\0\0\1"), .port = port};
	start.pin[0] = BYTES_LITERAL("hostkey");
	start.key[0] = BYTES_LITERAL("\0\0\0\3key");
	return start;
}

/* A server that lets the probe run, which says hello and ends with status 0. */
static void serve_well(void)
{
	fake_libssh2 = (struct fake_libssh2){
		.hostkey = BYTES_LITERAL("hostkey"),
		.output = {{0, 0, BYTES_LITERAL(READY)}, {UPLOAD_SIZE, 0, BYTES_LITERAL(HELLO)}},
		.output_count = 2,
		.ends = true,
	};
}

static void open_session(const struct control_start *start, struct seen *seen)
{
	static const struct session_handler handler = {.stage = on_stage,
						       .frame = on_frame,
						       .sign = on_sign,
						       .ready = on_ready,
						       .closed = on_closed};
	struct error err = {0};

	assert_int_equal(session_new(start, TAG, &shared, &handler, seen, &seen->session, &err), 0);
}

/* Steps until closed, at most `most` times, with a clock that moves `ms` a step. */
static void step(struct seen *seen, unsigned most, uint64_t ms)
{
	static uint64_t now_ms = 1000;
	bool more;

	for (unsigned i = 0; i < most; i++) {
		now_ms += ms;
		if (session_step(seen->session, now_ms, &more) == STEP_DONE) {
			break;
		}
		if (seen->signs > 0 && seen->answers_sign) {
			session_signed(seen->session, seen->refuses_sign
							      ? (struct bytes){NULL, 0}
							      : BYTES_LITERAL("signature"));
		}
		/* What the loop would poll for is never nothing, but while others decide. */
		assert_true(session_wants(seen->session) != 0 || seen->signs > 0);
	}
}

static void run(const struct control_start *start, struct seen *seen)
{
	open_session(start, seen);
	step(seen, 500, 1);
	assert_int_equal(seen->closed, 1);
	assert_int_equal(session_state(seen->session), SESSION_CLOSED);
	assert_int_equal(session_fd(seen->session), -1);
	assert_int_equal(fake_libssh2.violations, 0);
	session_free(seen->session);
}

static void whole_session_is_clean(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	serve_well();
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_CLEAN);
	assert_string_equal(seen.frame, "hello");
	assert_int_equal(seen.last_stage, STAGE_RUNNING);
	assert_int_equal(seen.probe_bytes, PROBE_SIZE);
	assert_int_equal(fake_libssh2.input_len, UPLOAD_SIZE);
	assert_memory_equal(fake_libssh2.input, "3000 ", 5);
	assert_memory_equal(fake_libssh2.input + 5 + 64 + 1, probe, PROBE_SIZE);
	assert_true(fake_libssh2.freed);
	/* The marker as a whole is not in the command. */
	assert_null(strstr(fake_libssh2.command, "MUSTER" TAG));
}

static void a_host_that_unpacks_gets_the_probe_packed(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};
	size_t packed_size = 0, head;
	uint8_t *packed = probe_pack(bytes_make(probe, PROBE_SIZE), &packed_size);
	char tail[32];

	(void)state;
	assert_non_null(packed);
	(void)snprintf(tail, sizeof(tail), " %zu\n", packed_size);
	head = 5 + 64 + strlen(tail);
	serve_well();
	fake_libssh2.output[0].data = BYTES_LITERAL("MUSTER" TAG " z x86_64\n");
	fake_libssh2.output[1].after_input = head + packed_size;
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_CLEAN);
	assert_string_equal(seen.frame, "hello");
	assert_int_equal(seen.probe_bytes, packed_size);
	assert_int_equal(fake_libssh2.input_len, head + packed_size);
	assert_memory_equal(fake_libssh2.input, "3000 ", 5);
	assert_memory_equal(fake_libssh2.input + 5 + 64, tail, strlen(tail));
	assert_memory_equal(fake_libssh2.input + head, packed, packed_size);
	free(packed);
}

static void any_number_of_eagain_changes_nothing(void **state)
{
	(void)state;
	for (unsigned eagain = 0; eagain < 4; eagain++) {
		for (unsigned outbound = 0; outbound < 2; outbound++) {
			struct control_start start = start_plain();
			struct seen seen = {.say = "ping"};

			serve_well();
			fake_libssh2.eagain = eagain;
			fake_libssh2.blocks_outbound = outbound == 1;
			fake_libssh2.output[2] = (struct fake_output){
				UPLOAD_SIZE + 8, 0, BYTES_LITERAL("\0\0\0\4ping")};
			fake_libssh2.output_count = 3;
			run(&start, &seen);
			assert_int_equal(seen.outcome, OUTCOME_CLEAN);
			assert_int_equal(seen.frames, 2);
			assert_string_equal(seen.frame, "ping");
			assert_memory_equal(fake_libssh2.input + UPLOAD_SIZE, "\0\0\0\4ping", 8);
		}
	}
}

static void failure_of_each_call_is_named(void **state)
{
	static const struct {
		const char *call;
		int code;
		enum outcome outcome;
	} rows[] = {
		{"handshake", LIBSSH2_ERROR_SOCKET_DISCONNECT, OUTCOME_LOST},
		{"handshake", LIBSSH2_ERROR_KEX_FAILURE, OUTCOME_KEX_FAILED},
		{"handshake", LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, OUTCOME_KEX_FAILED},
		{"handshake", LIBSSH2_ERROR_HOSTKEY_SIGN, OUTCOME_KEY_MISMATCH},
		{"handshake", LIBSSH2_ERROR_ALLOC, OUTCOME_OVER_LIMIT},
		{"auth", LIBSSH2_ERROR_AUTHENTICATION_FAILED, OUTCOME_AUTH_FAILED},
		{"auth", LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, OUTCOME_AUTH_FAILED},
		{"auth", LIBSSH2_ERROR_SOCKET_DISCONNECT, OUTCOME_AUTH_FAILED},
		{"open", LIBSSH2_ERROR_CHANNEL_FAILURE, OUTCOME_SHELL_REFUSED},
		{"open", LIBSSH2_ERROR_SOCKET_RECV, OUTCOME_LOST},
		{"exec", LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED, OUTCOME_SHELL_REFUSED},
		{"exec", LIBSSH2_ERROR_SOCKET_SEND, OUTCOME_LOST},
		{"write", LIBSSH2_ERROR_SOCKET_SEND, OUTCOME_LOST},
		{"read", LIBSSH2_ERROR_SOCKET_RECV, OUTCOME_LOST},
		{"read", LIBSSH2_ERROR_ALLOC, OUTCOME_LOST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned eagain = 0; eagain < 3; eagain += 2) {
			struct control_start start = start_plain();
			struct seen seen = {0};

			serve_well();
			fake_libssh2.eagain = eagain;
			fake_libssh2.fail = rows[i].call;
			fake_libssh2.fail_code = rows[i].code;
			run(&start, &seen);
			assert_int_equal(seen.outcome, rows[i].outcome);
			assert_true(seen.reason[0] != '\0');
		}
	}
}

static void other_host_key_ends_before_login(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	serve_well();
	fake_libssh2.hostkey = BYTES_LITERAL("another");
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_KEY_MISMATCH);
	assert_int_equal(seen.hostkey_len, 7);
	assert_int_equal(fake_libssh2.auth_calls, 0);

	start.pin_count = 0;
	memset(&seen, 0, sizeof(seen));
	serve_well();
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_KEY_UNKNOWN);
	assert_int_equal(fake_libssh2.auth_calls, 0);
}

static void keys_are_tried_in_turn(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	start.key_count = 3;
	start.key[1] = BYTES_LITERAL("\0\0\0\3two");
	start.key[2] = BYTES_LITERAL("\0\0\0\3six");
	serve_well();
	fake_libssh2.accepts = 2;
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_CLEAN);
	assert_int_equal(fake_libssh2.auth_calls, 3);
}

static void signature_comes_from_outside(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {.answers_sign = true};

	(void)state;
	serve_well();
	fake_libssh2.asks_signature = true;
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_CLEAN);
	assert_int_equal(seen.signs, 1);
	assert_int_equal(fake_libssh2.signature_len, strlen("signature"));
}

static void refused_signature_is_no_login(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {.answers_sign = true, .refuses_sign = true};

	(void)state;
	serve_well();
	fake_libssh2.asks_signature = true;
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_AUTH_FAILED);
}

static void what_sudo_says_counts_before_the_marker_too(void **state)
{
	static const struct fake_output late[] = {{0, 0, TEXT("MUSTER" TAG " s\n")},
						  {0, 1, TEXT("sudo: a password is required\n")}};
	static const struct fake_output early[] = {{0, 1, TEXT("sudo: a password is required\n")},
						   {0, 0, TEXT("MUSTER" TAG " s\n")}};
	const struct fake_output *const orders[] = {late, early};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct control_start start = start_plain();
		struct seen seen = {0};

		serve_well();
		memcpy(fake_libssh2.output, orders[i], 2 * sizeof(*orders[i]));
		fake_libssh2.output_count = 2;
		fake_libssh2.exit_status = 1;
		run(&start, &seen);
		assert_int_equal(seen.outcome, OUTCOME_NO_SUDO);
		assert_non_null(strstr(seen.reason, "a password is required"));
	}
}

static void ends_before_the_probe_are_told_apart(void **state)
{
	static const struct {
		struct fake_output output[3];
		size_t count;
		int status;
		const char *signal;
		enum outcome outcome;
	} rows[] = {
		{{{0}}, 0, 1, NULL, OUTCOME_SHELL_REFUSED},
		{{{0, 0, TEXT("not available\n")}}, 1, 1, NULL, OUTCOME_SHELL_REFUSED},
		{{{0, 1, TEXT("sh: Cannot fork\n")}}, 1, 2, NULL, OUTCOME_NO_PROCESS},
		{{{0, 0, TEXT("MUSTER" TAG " s\n")},
		  {0, 1, TEXT("sudo: a password is required\n")}},
		 2,
		 1,
		 NULL,
		 OUTCOME_NO_SUDO},
		{{{0, 0, TEXT("MUSTER" TAG " e no-place\n")}}, 1, 0, NULL, OUTCOME_NO_PLACE},
		{{{0, 0, TEXT("MUSTER" TAG " a sparc64\n")}}, 1, 0, NULL, OUTCOME_ARCH_UNKNOWN},
		{{{0, 0, TEXT(READY)}, {UPLOAD_SIZE, 0, TEXT("MUSTER" TAG " e short\n")}},
		 2,
		 0,
		 NULL,
		 OUTCOME_NO_PLACE},
		{{{0, 0, TEXT(READY)}, {UPLOAD_SIZE, 1, TEXT("Permission denied\n")}},
		 2,
		 126,
		 NULL,
		 OUTCOME_EXEC_DENIED},
		{{{0, 0, TEXT(READY)}}, 1, 0, "KILL", OUTCOME_KILLED},
		{{{0, 0, TEXT("MUSTER" TAG " nonsense\n")}}, 1, 0, NULL, OUTCOME_OVER_LIMIT},
		{{{0, 0, TEXT(READY)}, {UPLOAD_SIZE, 0, TEXT("\xff\xff\xff\xff")}},
		 2,
		 0,
		 NULL,
		 OUTCOME_PROTOCOL_ERROR},
		{{{0, 0, TEXT(READY)}, {UPLOAD_SIZE, 0, TEXT("\0\0\0\5he")}},
		 2,
		 0,
		 NULL,
		 OUTCOME_KILLED},
		{{{0, 0, TEXT(READY)}, {UPLOAD_SIZE, 0, TEXT(HELLO)}}, 2, 3, NULL, OUTCOME_KILLED},
		{{{0, 0, TEXT(READY)}}, 1, 65, NULL, OUTCOME_PROTOCOL_ERROR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct control_start start = start_plain();
		struct seen seen = {0};

		serve_well();
		memcpy(fake_libssh2.output, rows[i].output, sizeof(rows[i].output));
		fake_libssh2.output_count = rows[i].count;
		fake_libssh2.exit_status = rows[i].status;
		fake_libssh2.exit_signal = rows[i].signal;
		run(&start, &seen);
		if (seen.outcome != rows[i].outcome) {
			print_error("row %zu: %s (%s)\n", i, outcome_name(seen.outcome),
				    seen.reason);
		}
		assert_int_equal(seen.outcome, rows[i].outcome);
	}
}

static void cap_is_kept(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	start.cap_bytes = sizeof(READY) + 3;
	serve_well();
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_OVER_LIMIT);
	assert_int_equal(seen.frames, 0);
}

static void silence_has_its_end_in_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < fake_libssh2_call_count; i++) {
		struct control_start start = start_plain();
		struct seen seen = {0};

		serve_well();
		fake_libssh2.ends = false;
		fake_libssh2.eagain = 0;
		open_session(&start, &seen);
		/* From this call on, nothing moves any more. */
		fake_libssh2.fail = fake_libssh2_calls[i];
		fake_libssh2.fail_code = LIBSSH2_ERROR_EAGAIN;
		step(&seen, 100, 1000);
		assert_int_equal(seen.closed, 1);
		assert_true(seen.outcome == OUTCOME_TIMEOUT);
		session_free(seen.session);
	}
}

static void total_deadline_ends_a_running_probe(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	start.timeout_ms = 50000;
	serve_well();
	fake_libssh2.ends = false;
	open_session(&start, &seen);
	step(&seen, 40, 1000);
	assert_int_equal(seen.closed, 0);
	assert_int_equal(session_state(seen.session), SESSION_RUNNING);
	step(&seen, 20, 1000);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.outcome, OUTCOME_KILLED);
	session_free(seen.session);
}

static void dripping_message_is_ended(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	serve_well();
	fake_libssh2.ends = false;
	fake_libssh2.output[2] =
		(struct fake_output){UPLOAD_SIZE, 0, BYTES_LITERAL("\0\0\1\0begun")};
	fake_libssh2.output_count = 3;
	open_session(&start, &seen);
	step(&seen, 200, 1000);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.outcome, OUTCOME_KILLED);
	assert_non_null(strstr(seen.reason, "does not go on"));
	session_free(seen.session);
}

static void paused_session_reads_nothing_and_does_not_expire(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	start.timeout_ms = 0;
	serve_well();
	fake_libssh2.output[2] =
		(struct fake_output){UPLOAD_SIZE + 1, 0, BYTES_LITERAL("\0\0\0\4late")};
	fake_libssh2.output_count = 3;
	open_session(&start, &seen);
	step(&seen, 20, 1);
	assert_int_equal(seen.frames, 1);
	session_pause(seen.session, true);
	fake_libssh2.input_len = UPLOAD_SIZE + 1; /* the late frame is due */
	for (unsigned i = 0; i < 100; i++) {
		bool more;

		assert_int_equal(session_step(seen.session, 10000 + i * 60000ULL, &more),
				 STEP_AGAIN);
	}
	assert_int_equal(seen.frames, 1);
	assert_int_equal(session_wants(seen.session), 0);
	session_pause(seen.session, false);
	step(&seen, 0, 0);
	{
		bool more;

		(void)session_step(seen.session, 10000 + 100 * 60000ULL, &more);
	}
	assert_int_equal(seen.frames, 2);
	session_free(seen.session);
}

static void abort_is_told_once(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	serve_well();
	fake_libssh2.ends = false;
	open_session(&start, &seen);
	step(&seen, 20, 1);
	session_abort(seen.session);
	step(&seen, 3, 1);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.outcome, OUTCOME_NOT_ASKED);
	session_free(seen.session);
}

static void refused_connection_tries_the_next_address(void **state)
{
	struct control_start start = start_plain();
	struct seen seen = {0};

	(void)state;
	start.address[1] = start.address[0];
	start.address[0].port = 1;
	start.address_count = 2;
	serve_well();
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_CLEAN);

	start.address_count = 1;
	memset(&seen, 0, sizeof(seen));
	serve_well();
	run(&start, &seen);
	assert_int_equal(seen.outcome, OUTCOME_REFUSED);
}

static int set_up(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 128) < 0 || getsockname(listener, (struct sockaddr *)&at, &len) < 0) {
		return -1;
	}
	port = ntohs(at.sin_port);
	for (size_t i = 0; i < sizeof(probe); i++) {
		probe[i] = (uint8_t)(i * 7);
	}
	shared.probe[0] = (struct session_probe){
		.arch = "x86_64", .data = probe, .size = PROBE_SIZE, .have = PROBE_SIZE};
	shared.probe_count = 1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_session_is_clean),
		cmocka_unit_test(a_host_that_unpacks_gets_the_probe_packed),
		cmocka_unit_test(any_number_of_eagain_changes_nothing),
		cmocka_unit_test(failure_of_each_call_is_named),
		cmocka_unit_test(other_host_key_ends_before_login),
		cmocka_unit_test(keys_are_tried_in_turn),
		cmocka_unit_test(signature_comes_from_outside),
		cmocka_unit_test(refused_signature_is_no_login),
		cmocka_unit_test(what_sudo_says_counts_before_the_marker_too),
		cmocka_unit_test(ends_before_the_probe_are_told_apart),
		cmocka_unit_test(cap_is_kept),
		cmocka_unit_test(silence_has_its_end_in_every_state),
		cmocka_unit_test(total_deadline_ends_a_running_probe),
		cmocka_unit_test(dripping_message_is_ended),
		cmocka_unit_test(paused_session_reads_nothing_and_does_not_expire),
		cmocka_unit_test(abort_is_told_once),
		cmocka_unit_test(refused_connection_tries_the_next_address),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
