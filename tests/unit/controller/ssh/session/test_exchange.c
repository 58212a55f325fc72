// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/session/exchange.h"
#include "controller/ssh/wire.h"

/* A packet in the clear, padded as a server would. */
static void packet(struct wire_writer *w, struct bytes payload)
{
	static const uint8_t padding[8] = {0};

	wire_write_u32(w, (uint32_t)(payload.len + 1 + sizeof(padding)));
	wire_write_byte(w, sizeof(padding));
	wire_write(w, payload);
	wire_write(w, bytes_make(padding, sizeof(padding)));
}

static void kexinit(struct wire_writer *w)
{
	static const char *const lists[] = {"curve25519-sha256,x",
					    "ssh-ed25519",
					    "c2s",
					    "aes256-ctr",
					    "mac-c2s",
					    "umac",
					    "none",
					    "none",
					    "",
					    ""};
	static const uint8_t cookie[16] = {0};
	uint8_t room[512];
	struct wire_writer p = {.data = room, .room = sizeof(room)};

	wire_write_byte(&p, 20);
	wire_write(&p, bytes_make(cookie, sizeof(cookie)));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		wire_write_string(&p, bytes_from_string(lists[i]));
	}
	wire_write(&p, BYTES_LITERAL("\0\0\0\0\0"));
	packet(w, bytes_make(room, p.len));
}

static void reply(struct wire_writer *w, uint8_t type)
{
	uint8_t room[512];
	struct wire_writer p = {.data = room, .room = sizeof(room)};

	wire_write_byte(&p, type);
	wire_write_string(&p, BYTES_LITERAL("hostkey"));
	wire_write_string(&p, BYTES_LITERAL("public"));
	wire_write_string(&p, BYTES_LITERAL("signature"));
	packet(w, bytes_make(room, p.len));
}

static void lists_and_signature_are_read(void **state)
{
	static const uint8_t types[] = {31, 33};

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		uint8_t room[2048];
		struct wire_writer w = {.data = room, .room = sizeof(room)};
		struct exchange exchange;

		wire_write(&w, BYTES_LITERAL("welcome\r\nSSH-2.0-OpenSSH_9.2\r\n"));
		kexinit(&w);
		if (types[i] == 33) {
			packet(&w, BYTES_LITERAL("\x1f\0\0\0\1p\0\0\0\1g")); /* the group */
		}
		reply(&w, types[i]);
		packet(&w, BYTES_LITERAL("\x15"));
		wire_write(&w, BYTES_LITERAL("encrypted from here"));
		exchange_read(bytes_make(room, w.len), &exchange);
		assert_true(bytes_equal_string(exchange.banner, "SSH-2.0-OpenSSH_9.2"));
		assert_true(exchange.has_lists);
		assert_true(bytes_equal_string(exchange.list[EXCHANGE_KEX], "curve25519-sha256,x"));
		assert_true(bytes_equal_string(exchange.list[EXCHANGE_HOSTKEY], "ssh-ed25519"));
		assert_true(bytes_equal_string(exchange.list[EXCHANGE_CIPHER], "aes256-ctr"));
		assert_true(bytes_equal_string(exchange.list[EXCHANGE_MAC], "umac"));
		assert_true(bytes_equal_string(exchange.hostkey, "hostkey"));
		assert_true(bytes_equal_string(exchange.signature, "signature"));
	}
}

static void truncation_at_each_byte_is_safe(void **state)
{
	uint8_t room[2048];
	struct wire_writer w = {.data = room, .room = sizeof(room)};

	(void)state;
	wire_write(&w, BYTES_LITERAL("SSH-2.0-x\r\n"));
	kexinit(&w);
	reply(&w, 31);
	for (size_t cut = 0; cut < w.len; cut++) {
		uint8_t *copy = malloc(cut + 1);
		struct exchange exchange;

		assert_non_null(copy);
		memcpy(copy, room, cut);
		exchange_read(bytes_make(copy, cut), &exchange);
		assert_int_equal(exchange.signature.len, 0);
		free(copy);
	}
}

static void nonsense_is_nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "HTTP/1.1 400\r\n\r\n", "SSH-2.0-x",
					    "SSH-2.0-x\n\xff\xff\xff\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct exchange exchange;

		exchange_read(bytes_from_string(texts[i]), &exchange);
		assert_false(exchange.has_lists);
		assert_int_equal(exchange.hostkey.len, 0);
	}
}

static void names_in_common_are_whole_names(void **state)
{
	static const struct {
		const char *ours;
		const char *theirs;
		bool common;
	} rows[] = {
		{"a,b", "c,b", true}, {"a,b", "c,d", false}, {"a", "a", true},
		{"a", "ab", false},   {"ab", "a", false},    {"", "", false},
		{"a", "", false},     {"", "a", false},      {"x,aes256-ctr", "aes256-ctr", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(exchange_has_common(bytes_from_string(rows[i].ours),
						     bytes_from_string(rows[i].theirs)),
				 rows[i].common);
	}
}

static const char *const even[EXCHANGE_LISTS] = {
	"curve25519-sha256,ext-info-c", "ssh-ed25519", "aes256-ctr", "aes256-ctr", "hmac", "hmac"};

static void list_without_common_name_is_found(void **state)
{
	static const struct {
		const char *theirs[EXCHANGE_LISTS];
		enum exchange_list failed;
	} rows[] = {
		{{"x,curve25519-sha256", "ssh-ed25519", "aes256-ctr", "aes256-ctr", "hmac",
		  "a,hmac"},
		 EXCHANGE_LISTS},
		{{"sntrup", "ssh-rsa", "aes256-ctr", "aes256-ctr", "hmac", "hmac"}, EXCHANGE_KEX},
		/* A marker that both say is no key exchange. */
		{{"ext-info-c", "ssh-ed25519", "aes256-ctr", "aes256-ctr", "hmac", "hmac"},
		 EXCHANGE_KEX},
		{{"curve25519-sha256", "ssh-rsa", "x", "x", "x", "x"}, EXCHANGE_HOSTKEY},
		{{"curve25519-sha256", "ssh-ed25519", "x", "aes256-ctr", "hmac", "hmac"},
		 EXCHANGE_CIPHER_OUT},
		{{"curve25519-sha256", "ssh-ed25519", "aes256-ctr", "x", "hmac", "hmac"},
		 EXCHANGE_CIPHER},
		{{"curve25519-sha256", "ssh-ed25519", "aes256-ctr", "aes256-ctr", "umac", "hmac"},
		 EXCHANGE_MAC_OUT},
		{{"curve25519-sha256", "ssh-ed25519", "aes256-ctr", "aes256-ctr", "hmac", ""},
		 EXCHANGE_MAC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes ours[EXCHANGE_LISTS], theirs[EXCHANGE_LISTS];

		for (size_t j = 0; j < EXCHANGE_LISTS; j++) {
			ours[j] = bytes_from_string(even[j]);
			theirs[j] = bytes_from_string(rows[i].theirs[j]);
		}
		assert_int_equal(exchange_failed_list(ours, theirs), rows[i].failed);
		/* A cipher with a MAC of its own wants none of these. */
		ours[EXCHANGE_CIPHER_OUT] = ours[EXCHANGE_CIPHER] =
			BYTES_LITERAL("aes128-gcm@openssh.com,aes256-ctr");
		theirs[EXCHANGE_CIPHER_OUT] = theirs[EXCHANGE_CIPHER] =
			BYTES_LITERAL("aes256-ctr,aes128-gcm@openssh.com");
		assert_int_equal(exchange_failed_list(ours, theirs),
				 rows[i].failed < EXCHANGE_CIPHER_OUT ? rows[i].failed
								      : EXCHANGE_LISTS);
	}
}

static void lists_are_printed_within_their_room(void **state)
{
	static const struct {
		const char *list;
		const char *printed;
	} rows[] = {
		{"", "nothing"},
		{"ext-info-s,kex-strict-s-v00@openssh.com", "nothing"},
		{"a,b", "a, b"},
		{"a,ext-info-s,b", "a, b"},
		{"\033[31mred,b", "\\033[31mred, b"},
		{"0123456789,0123456789,0123456789", "0123456789, 0123456789, ..."},
	};
	char printed[32], all[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(
			exchange_print(bytes_from_string(rows[i].list), printed, sizeof(printed)),
			rows[i].printed);
	}
	/* One name as long as a packet. */
	memset(all, '\033', sizeof(all));
	assert_string_equal(exchange_print(bytes_make(all, sizeof(all)), printed, sizeof(printed)),
			    "...");
	memset(all, ',', sizeof(all));
	(void)exchange_print(bytes_make(all, sizeof(all)), printed, sizeof(printed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_signature_are_read),
		cmocka_unit_test(truncation_at_each_byte_is_safe),
		cmocka_unit_test(nonsense_is_nothing),
		cmocka_unit_test(names_in_common_are_whole_names),
		cmocka_unit_test(list_without_common_name_is_found),
		cmocka_unit_test(lists_are_printed_within_their_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
