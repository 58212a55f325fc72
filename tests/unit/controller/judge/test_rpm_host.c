// SPDX-License-Identifier: MIT
/* Which rpm packages a host has, in rpm's order, and when they were installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/judge/rpm_host.h"
#include "schema/record.h"
#include "schema/section.h"
#include "tests/rpm/sections.h"

#define NAMES 3
static const char *const names[NAMES] = {"aa", "b", "c"}; /* the order of keys is b, c, aa */

/* Contents are found by the first byte of their digest. */
static struct bytes content[16];
static struct observed_section sections[16];
static uint8_t keys[16][64];
static size_t count;
static char told[1024];

static int load(void *context, const struct digest *digest, struct bytes *to, struct error *err)
{
	(void)context;
	(void)err;
	*to = content[digest->bytes[0]];
	return 0;
}

static void put32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

static void add(const struct section_key *key, struct bytes bytes)
{
	struct cbor_writer w;

	cbor_writer_init(&w, keys[count], sizeof(keys[count]));
	section_key_encode(&w, key);
	assert_false(w.overflow);
	sections[count] = (struct observed_section){.key = bytes_make(w.data, w.len)};
	sections[count].content.bytes[0] = (uint8_t)count;
	content[count++] = bytes;
}

/* A region of three strings: name, version 1, release 2. */
static struct bytes region(const char *name)
{
	const char *const value[] = {name, "1", "2"};
	static uint8_t room[200];
	size_t len = 0;

	memset(room, 0, sizeof(room));
	memcpy(room, "\x8e\xad\xe8\x01", 4);
	put32(room + 8, 4);
	for (uint32_t i = 0; i < 3; i++) {
		uint8_t *entry = room + 32 + (size_t)16 * i;

		put32(entry, 1000 + i);
		put32(entry + 4, 6);
		put32(entry + 8, (uint32_t)len);
		put32(entry + 12, 1);
		memcpy(room + 80 + len, value[i], strlen(value[i]) + 1);
		len += strlen(value[i]) + 1;
	}
	put32(room + 16, 63);
	put32(room + 20, 7);
	put32(room + 24, (uint32_t)len);
	put32(room + 28, 16);
	put32(room + 80 + len, 63);
	put32(room + 84 + len, 7);
	put32(room + 88 + len, (uint32_t)-64);
	put32(room + 92 + len, 16);
	put32(room + 12, (uint32_t)len + 16);
	return bytes_make(room, 96 + len);
}

static struct section_key key_of(enum section_kind kind, const char *name)
{
	return section_key_make(kind, BYTES_LITERAL("rpm"), bytes_from_string(name),
				BYTES_LITERAL("0:1-2"), BYTES_LITERAL(""));
}

static void add_headers(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		const struct section_key key = key_of(SECTION_HEADER, names[i]);
		const struct rpm_part_of part = {HEADER_REGION, 63, 7, region(names[i])};

		add(&key, rpm_section_write(&part, 1));
	}
}

static int compare(const void *a, const void *b)
{
	return bytes_compare(((const struct observed_section *)a)->key,
			     ((const struct observed_section *)b)->key);
}

static int on_package(void *context, const struct rpm_host_package *package)
{
	size_t len = strlen(told);

	(void)context;
	(void)snprintf(told + len, sizeof(told) - len, "%.*s %lld\n", (int)package->name.len,
		       (const char *)package->name.data, (long long)package->install_s);
	return 0;
}

static const char *packages(void)
{
	const struct object_source objects = {.load = load};
	const struct observation seen = {.sections = sections, .section_count = count};
	struct rpm_host *host = NULL;
	struct error err;

	qsort(sections, count, sizeof(sections[0]), compare);
	told[0] = '\0';
	assert_int_equal(rpm_host_new(&seen, &objects, &host, &err), 0);
	assert_int_equal(rpm_host_unread(host), 0);
	assert_int_equal(rpm_host_packages(host, on_package, NULL, &err), 0);
	rpm_host_free(host);
	return told;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)content[i].data);
	}
	count = 0;
	return 0;
}

static struct bytes installs(size_t rows)
{
	struct section_key key = section_key_make(SECTION_INSTALLS, BYTES_LITERAL("rpm"),
						  (struct bytes){NULL, 0}, (struct bytes){NULL, 0},
						  (struct bytes){NULL, 0});
	static const size_t order[] = {1, 2, 0};
	uint8_t *data = malloc(500);
	struct cbor_writer w;

	cbor_writer_init(&w, data, 500);
	for (size_t i = 0; i < rows; i++) {
		uint8_t number[3][4];
		const struct section_key of = key_of(SECTION_HEADER, names[order[i]]);
		const struct record record = {
			.count = INSTALLS_FIELDS,
			.field = {of.part[2], of.part[3], of.part[4], bytes_make(number[0], 4),
				  bytes_make(number[1], 4), bytes_make(number[2], 4)}};

		put32(number[0], 1000 + (uint32_t)order[i]);
		put32(number[1], 7);
		put32(number[2], 90 - (uint32_t)order[i]);
		record_encode(&w, &record);
	}
	add(&key, bytes_make(w.data, w.len));
	return bytes_make(w.data, w.len);
}

static void packages_stand_in_the_order_of_their_headers(void **state)
{
	(void)state;
	add_headers();
	(void)installs(NAMES);
	assert_string_equal(packages(), "c 1002\nb 1001\naa 1000\n");
}

static void what_the_host_does_not_tell_is_not_told(void **state)
{
	(void)state;
	add_headers();
	(void)installs(1);
	assert_string_equal(packages(), "c 0\naa 0\nb 1001\n");
}

static void malformed_rows_are_none(void **state)
{
	struct bytes all;

	(void)state;
	add_headers();
	all = installs(NAMES);
	for (size_t cut = 0; cut < all.len; cut++) {
		const char *text;

		for (size_t i = 0; i < count; i++) {
			if (content[i].data == all.data) {
				content[i].len = cut;
			}
		}
		/* Half a row spoils them all; "b" and "c" are as long, "aa" is longer by one. */
		text = packages();
		assert_int_equal(strstr(text, "c 1002\n") != NULL, cut == 2 * (all.len - 1) / 3);
	}
}

/* Stores written up to protocol 3: what is the host's own stands in [claims]. */
static void older_looks_are_read_from_their_claims(void **state)
{
	(void)state;
	add_headers();
	for (uint32_t i = 0; i < NAMES; i++) {
		const struct section_key key = key_of(SECTION_CLAIMS, names[i]);
		uint8_t time[4], number[4];
		const struct rpm_part_of parts[] = {
			{HEADER_REST, 1008, 4, bytes_make(time, 4)},
			{HEADER_NUMBER, 0, 4, bytes_make(number, 4)},
		};

		put32(time, 2000 + i);
		put32(number, i == 0 ? 9 : i);
		add(&key, rpm_section_write(parts, 2));
	}
	assert_string_equal(packages(), "b 2001\nc 2002\naa 2000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(packages_stand_in_the_order_of_their_headers, teardown),
		cmocka_unit_test_teardown(what_the_host_does_not_tell_is_not_told, teardown),
		cmocka_unit_test_teardown(malformed_rows_are_none, teardown),
		cmocka_unit_test_teardown(older_looks_are_read_from_their_claims, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
