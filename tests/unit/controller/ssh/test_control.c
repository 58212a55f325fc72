// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/control.h"

static struct control_message message_of(enum control_type type)
{
	struct control_message m = {.type = type};

	switch (type) {
	case CONTROL_PROBE:
		m.probe = (struct control_probe){.arch = BYTES_LITERAL("x86_64"),
						 .size = 100000,
						 .offset = 65536,
						 .chunk = BYTES_LITERAL("chunk")};
		memset(m.probe.sha256.bytes, 7, DIGEST_SIZE);
		break;
	case CONTROL_START:
		m.start = (struct control_start){
			.id = 1ULL << 40,
			.jump = true,
			.via = 77,
			.host = BYTES_LITERAL("web001"),
			.port = 2022,
			.address_count = 2,
			.user = BYTES_LITERAL("root"),
			.hostkey_types = BYTES_LITERAL("ssh-ed25519"),
			.pin_count = 1,
			.key_count = 2,
			.sudo = true,
			.pinned = true,
			.connect_timeout_ms = 15000,
			.timeout_ms = 0,
			.cap_bytes = 1ULL << 33,
		};
		m.start.address[0] = (struct control_address){BYTES_LITERAL("\x7f\0\0\1"), 22, 0};
		m.start.address[1] =
			(struct control_address){BYTES_LITERAL("0123456789abcdef"), 2222, 3};
		m.start.pin[0] = BYTES_LITERAL("pin");
		m.start.key[0] = BYTES_LITERAL("key");
		m.start.key[1] = BYTES_LITERAL("certificate");
		break;
	case CONTROL_SIGN:
		m.sign = (struct control_sign){9, 1, BYTES_LITERAL("data"), BYTES_LITERAL("K_S"),
					       BYTES_LITERAL("sig")};
		break;
	case CONTROL_CLOSED:
		m.closed = (struct control_closed){.id = 9,
						   .outcome = OUTCOME_KILLED,
						   .reason = BYTES_LITERAL("why"),
						   .excerpt = BYTES_LITERAL("\033"),
						   .hostkey = BYTES_LITERAL("k"),
						   .via = VIA_SLOW,
						   .sent_bytes = 1,
						   .received_bytes = 2,
						   .probe_bytes = 3};
		break;
	case CONTROL_SEND:
	case CONTROL_FRAME:
	case CONTROL_SIGNED:
		m.data.id = 5;
		m.data.payload = BYTES_LITERAL("payload");
		break;
	case CONTROL_PAUSE:
		m.pause.id = 6;
		m.pause.on = true;
		break;
	case CONTROL_STAGE:
		m.stage.id = 7;
		m.stage.stage = STAGE_UPLOAD;
		break;
	case CONTROL_ABORT:
		m.abort_id = 8;
		break;
	case CONTROL_READY:
		m.ready = BYTES_LITERAL("1.11.1");
		break;
	}
	return m;
}

static const enum control_type types[] = {
	CONTROL_PROBE, CONTROL_START, CONTROL_SEND,  CONTROL_PAUSE, CONTROL_ABORT, CONTROL_SIGNED,
	CONTROL_READY, CONTROL_STAGE, CONTROL_FRAME, CONTROL_SIGN,  CONTROL_CLOSED};
#define TYPES (sizeof(types) / sizeof(types[0]))

static void every_message_comes_back_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		struct control_message m = message_of(types[i]), back;
		uint8_t first[4096], second[4096];
		size_t len = control_encode(&m, first, sizeof(first));

		assert_true(len > 0);
		assert_true(control_decode(bytes_make(first, len), &back));
		assert_int_equal(back.type, types[i]);
		assert_int_equal(control_encode(&back, second, sizeof(second)), len);
		assert_memory_equal(first, second, len);
	}
}

static void truncation_at_each_byte_and_trailing_bytes_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPES; i++) {
		struct control_message m = message_of(types[i]), back;
		uint8_t room[4096];
		size_t len = control_encode(&m, room, sizeof(room));

		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *copy = malloc(cut + 1);

			assert_non_null(copy);
			memcpy(copy, room, cut);
			assert_false(control_decode(bytes_make(copy, cut), &back));
			free(copy);
		}
		room[len] = 0;
		assert_false(control_decode(bytes_make(room, len + 1), &back));
		for (size_t small = 0; small < len; small++) {
			uint8_t less[4096];

			assert_int_equal(control_encode(&m, less, small), 0);
		}
	}
}

static void counts_and_lengths_above_the_limit_are_refused(void **state)
{
	struct control_message m = message_of(CONTROL_START), back;
	static uint8_t big[CONTROL_BLOB_MAX + 1];
	static uint8_t room[CONTROL_MAX];
	size_t len;

	(void)state;
	m.start.pin[0] = bytes_make(big, sizeof(big));
	len = control_encode(&m, room, sizeof(room));
	assert_true(len > 0);
	assert_false(control_decode(bytes_make(room, len), &back));
	m = message_of(CONTROL_START);
	m.start.address[0].ip = BYTES_LITERAL("12345");
	len = control_encode(&m, room, sizeof(room));
	assert_false(control_decode(bytes_make(room, len), &back));
	m = message_of(CONTROL_SIGN);
	m.sign.key = CONTROL_KEYS_MAX;
	len = control_encode(&m, room, sizeof(room));
	assert_false(control_decode(bytes_make(room, len), &back));
	m = message_of(CONTROL_SIGNED);
	m.data.payload = bytes_make(big, CONTROL_SIGNATURE_MAX + 1);
	len = control_encode(&m, room, sizeof(room));
	assert_false(control_decode(bytes_make(room, len), &back));
}

static void head_and_payload_are_the_whole_message(void **state)
{
	static const size_t lens[] = {0, 1, 23, 24, 255, 256, 65535, 65536};
	static uint8_t payload[FRAME_MAX], whole[FRAME_HEAD + CONTROL_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t head[CONTROL_HEAD_MAX];
		size_t len = control_data_head(CONTROL_FRAME, UINT64_MAX, lens[i], head);
		struct control_message back;

		assert_true(len <= CONTROL_HEAD_MAX);
		memcpy(whole, head, len);
		memcpy(whole + len, payload, lens[i]);
		assert_int_equal((size_t)head[0] << 24 | (size_t)head[1] << 16 |
					 (size_t)head[2] << 8 | head[3],
				 len - FRAME_HEAD + lens[i]);
		assert_true(control_decode(
			bytes_make(whole + FRAME_HEAD, len - FRAME_HEAD + lens[i]), &back));
		assert_int_equal(back.data.payload.len, lens[i]);
		assert_true(back.data.id == UINT64_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_comes_back_the_same),
		cmocka_unit_test(truncation_at_each_byte_and_trailing_bytes_are_refused),
		cmocka_unit_test(counts_and_lengths_above_the_limit_are_refused),
		cmocka_unit_test(head_and_payload_are_the_whole_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
