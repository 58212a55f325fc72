// SPDX-License-Identifier: MIT
#include "schema/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct entry full_entry(void)
{
	struct entry e = {
		.path = BYTES_LITERAL("/usr/bin/ping"),
		.type = ENTRY_FILE,
		.mode = 04755,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("#999"),
		.has_size = true,
		.size = 90568,
		.has_sha256 = true,
		.link = BYTES_LITERAL("x"),
		.caps = BYTES_LITERAL("\1\0\0\2\0\40\0\0"),
		.acl = BYTES_LITERAL("acl"),
		.flags = ENTRY_IMMUTABLE | ENTRY_APPEND,
		.has_mtime = true,
		.mtime_s = -5,
		.has_device = true,
		.major = 8,
		.minor = 1,
		.magic = ENTRY_MAGIC_ELF,
		.default_acl = BYTES_LITERAL("default"),
		.head = BYTES_LITERAL("\247\15\r\n\0\0\0\0"),
	};

	memset(e.sha256.bytes, 0xab, DIGEST_SIZE);
	return e;
}

static size_t encode(const struct entry *e, uint8_t *to, size_t room)
{
	struct cbor_writer w;

	cbor_writer_init(&w, to, room);
	entry_encode(&w, e);
	assert_false(w.overflow);
	return w.len;
}

static bool decode(const uint8_t *data, size_t len, struct entry *e)
{
	struct cbor_reader r;

	cbor_reader_init(&r, bytes_make(data, len));
	return entry_decode(&r, e) && cbor_reader_is_done(&r);
}

static void every_field_round_trips(void **state)
{
	struct entry in = full_entry(), out;
	uint8_t buffer[512], again[512];
	size_t len = encode(&in, buffer, sizeof(buffer));

	(void)state;
	assert_true(decode(buffer, len, &out));
	assert_true(bytes_equal(in.path, out.path));
	assert_true(entry_equal(&in, &out));
	assert_int_equal(encode(&out, again, sizeof(again)), len);
	assert_memory_equal(buffer, again, len);
}

static void absent_fields_are_left_out(void **state)
{
	struct entry in = {.path = BYTES_LITERAL("/etc"),
			   .type = ENTRY_DIR,
			   .owner = BYTES_LITERAL("root"),
			   .group = BYTES_LITERAL("root")};
	struct entry out;
	uint8_t buffer[128];
	size_t len = encode(&in, buffer, sizeof(buffer));

	(void)state;
	assert_int_equal(len, 1 + (1 + 5) + 2 + 2 + (1 + 5) + (1 + 5));
	assert_true(decode(buffer, len, &out));
	assert_false(out.has_size || out.has_sha256 || out.has_mtime || out.has_device);
}

static void each_difference_is_seen(void **state)
{
	struct entry a = full_entry(), b;

	(void)state;
#define DIFFERS(change) \
	b = a;          \
	change;         \
	assert_false(entry_equal(&a, &b))
	DIFFERS(b.type = ENTRY_DIR);
	DIFFERS(b.mode = 0755);
	DIFFERS(b.owner = BYTES_LITERAL("daemon"));
	DIFFERS(b.group = BYTES_LITERAL("daemon"));
	DIFFERS(b.size++);
	DIFFERS(b.sha256.bytes[31] ^= 1);
	DIFFERS(b.has_sha256 = false);
	DIFFERS(b.link = BYTES_LITERAL("y"));
	DIFFERS(b.caps.len = 0);
	DIFFERS(b.acl.len = 0);
	DIFFERS(b.flags = 0);
	DIFFERS(b.mtime_s++);
	DIFFERS(b.minor++);
	DIFFERS(b.magic = ENTRY_MAGIC_SCRIPT);
	DIFFERS(b.default_acl.len = 0);
	DIFFERS(b.head.len--);
#undef DIFFERS
}

static void truncation_at_each_byte_is_refused(void **state)
{
	struct entry in = full_entry(), out;
	uint8_t buffer[512];
	size_t len = encode(&in, buffer, sizeof(buffer));

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut > 0 ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, buffer, cut);
		assert_false(decode(exact, cut, &out));
		free(exact);
	}
}

/* Whatever one changed byte still decodes to has exactly this one encoding. */
static void what_decodes_is_canonical(void **state)
{
	struct entry in = full_entry(), out;
	uint8_t buffer[512], again[512];
	size_t len = encode(&in, buffer, sizeof(buffer));

	(void)state;
	for (size_t i = 0; i < len; i++) {
		uint8_t kept = buffer[i];

		for (unsigned value = 0; value < 256; value++) {
			buffer[i] = (uint8_t)value;
			if (decode(buffer, len, &out)) {
				assert_int_equal(encode(&out, again, sizeof(again)), len);
				assert_memory_equal(buffer, again, len);
			}
		}
		buffer[i] = kept;
	}
}

static void oversized_names_are_refused(void **state)
{
	static uint8_t name[ENTRY_PATH_MAX + 1];
	static uint8_t buffer[ENTRY_SIZE_MAX];
	struct entry in = full_entry(), out;
	size_t len;

	(void)state;
	memset(name, 'a', sizeof(name));
	in.path = bytes_make(name, ENTRY_PATH_MAX);
	len = encode(&in, buffer, sizeof(buffer));
	assert_true(decode(buffer, len, &out));
	in.path.len++;
	len = encode(&in, buffer, sizeof(buffer));
	assert_false(decode(buffer, len, &out));
	in = full_entry();
	in.owner = bytes_make(name, ENTRY_NAME_MAX + 1);
	len = encode(&in, buffer, sizeof(buffer));
	assert_false(decode(buffer, len, &out));
	in = full_entry();
	in.head = bytes_make(name, ENTRY_HEAD_MAX + 1);
	len = encode(&in, buffer, sizeof(buffer));
	assert_false(decode(buffer, len, &out));
}

static void the_largest_entry_fits_its_room(void **state)
{
	static uint8_t big[ENTRY_ACL_MAX];
	static uint8_t buffer[ENTRY_SIZE_MAX];
	struct entry in = full_entry(), out;
	size_t len;

	(void)state;
	memset(big, 'a', sizeof(big));
	in.path = in.link = bytes_make(big, ENTRY_PATH_MAX);
	in.owner = in.group = bytes_make(big, ENTRY_NAME_MAX);
	in.caps = bytes_make(big, ENTRY_CAPS_MAX);
	in.acl = in.default_acl = bytes_make(big, ENTRY_ACL_MAX);
	in.head = bytes_make(big, ENTRY_HEAD_MAX);
	in.size = in.major = in.minor = UINT32_MAX;
	len = encode(&in, buffer, sizeof(buffer));
	assert_true(decode(buffer, len, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_round_trips),
		cmocka_unit_test(absent_fields_are_left_out),
		cmocka_unit_test(each_difference_is_seen),
		cmocka_unit_test(truncation_at_each_byte_is_refused),
		cmocka_unit_test(what_decodes_is_canonical),
		cmocka_unit_test(oversized_names_are_refused),
		cmocka_unit_test(the_largest_entry_fits_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
