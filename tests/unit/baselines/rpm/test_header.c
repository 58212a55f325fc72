// SPDX-License-Identifier: MIT
/* The signed region, made here byte by byte: what rpm would never write, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/rpm/manifest.h"
#include "baselines/rpm/section.h"
#include "schema/record.h"
#include "tests/rpm/sections.h"

struct build {
	uint8_t index[16 * 64];
	uint8_t data[65536];
	uint32_t entries;
	uint32_t len;
};

static void put_be32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

static void add_entry(struct build *b, uint32_t tag, uint32_t type, uint32_t count)
{
	uint8_t *entry = b->index + 16 * (size_t)b->entries++;

	assert_true(b->entries <= 64);
	put_be32(entry, tag);
	put_be32(entry + 4, type);
	put_be32(entry + 8, b->len);
	put_be32(entry + 12, count);
}

static void add_bytes(struct build *b, const void *data, size_t len)
{
	assert_true(b->len + len < sizeof(b->data));
	memcpy(b->data + b->len, data, len);
	b->len += (uint32_t)len;
}

static void begin(struct build *b)
{
	memset(b, 0, sizeof(*b));
	add_entry(b, 63, RPM_TYPE_BIN, 16);
}

/* `text` has a NUL between strings. */
static void add_strings(struct build *b, uint32_t tag, uint32_t type, uint32_t count,
			const char *text, size_t len)
{
	add_entry(b, tag, type, count);
	add_bytes(b, text, len);
}
#define STRING(b, tag, text) add_strings(b, tag, RPM_TYPE_STRING, 1, text, sizeof(text))
#define ARRAY(b, tag, count, text) \
	add_strings(b, tag, RPM_TYPE_STRING_ARRAY, count, text, sizeof(text))

static void add_numbers(struct build *b, uint32_t tag, uint32_t type, uint32_t count,
			const uint32_t *numbers)
{
	static const size_t sizes[] = {
		[RPM_TYPE_INT16] = 2, [RPM_TYPE_INT32] = 4, [RPM_TYPE_INT64] = 8};

	add_entry(b, tag, type, count);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t bytes[8] = {0};

		put_be32(bytes + 4, numbers[i]);
		add_bytes(b, bytes + 8 - sizes[type], sizes[type]);
	}
}

static void add_name(struct build *b)
{
	STRING(b, 1000, "name");
	STRING(b, 1001, "1.0");
	STRING(b, 1002, "2");
	STRING(b, 1022, "x86_64");
}

/* Three files: /usr/bin/a (2755), its hard link /bin/b, a symbolic link /usr/bin/l. */
static void add_files(struct build *b)
{
	add_numbers(b, 1116, RPM_TYPE_INT32, 3, (const uint32_t[]){0, 1, 0});
	ARRAY(b, 1117, 3, "a\0b\0l");
	ARRAY(b, 1118, 2, "/usr/bin/\0/bin/");
	add_numbers(b, 1030, RPM_TYPE_INT16, 3, (const uint32_t[]){0102755, 0102755, 0120777});
	add_numbers(b, 1028, RPM_TYPE_INT32, 3, (const uint32_t[]){5, 5, 1});
	add_numbers(b, 1034, RPM_TYPE_INT32, 3, (const uint32_t[]){7, 7, 8});
	add_numbers(b, 1095, RPM_TYPE_INT32, 3, (const uint32_t[]){1, 1, 1});
	add_numbers(b, 1096, RPM_TYPE_INT32, 3, (const uint32_t[]){9, 9, 10});
	ARRAY(b, 1039, 3, "root\0root\0root");
	ARRAY(b, 1040, 3, "root\0root\0mail");
	ARRAY(b, 1036, 3, "\0\0a");
	ARRAY(b, 1035, 3,
	      "000102030405060708090a0b0c0d0e0f\0"
	      "000102030405060708090A0B0C0D0E0F\0");
}

/* The message that would be signed; free(). */
static struct bytes finish(struct build *b)
{
	size_t index_len = 16 * (size_t)b->entries;
	uint8_t *message, trailer[16];

	put_be32(b->index + 8, b->len);
	put_be32(trailer, 63);
	put_be32(trailer + 4, RPM_TYPE_BIN);
	put_be32(trailer + 8, 0U - (uint32_t)index_len);
	put_be32(trailer + 12, 16);
	add_bytes(b, trailer, sizeof(trailer));
	message = malloc(16 + index_len + b->len);
	assert_non_null(message);
	memcpy(message, "\x8e\xad\xe8\x01\0\0\0\0", 8);
	put_be32(message + 8, b->entries);
	put_be32(message + 12, b->len);
	memcpy(message + 16, b->index, index_len);
	memcpy(message + 16 + index_len, b->data, b->len);
	return bytes_make(message, 16 + index_len + b->len);
}

static void discard(struct bytes message)
{
	free((void *)(uintptr_t)message.data);
}

/* NULL, or why it was refused. */
static const char *refused(struct build *b)
{
	static struct error err;
	struct rpm_header *header = NULL;
	struct bytes message = finish(b);
	int result = rpm_header_parse(message, &header, &err);

	discard(message);
	rpm_header_free(header);
	assert_true(result == 0 || err.kind == ERROR_PEER);
	return result == 0 ? NULL : err.msg;
}

static void package_and_files_are_read(void **state)
{
	struct rpm_header *header = NULL;
	struct error err = {0};
	struct bytes message;
	struct build b;

	(void)state;
	begin(&b);
	add_name(&b);
	add_numbers(&b, 1003, RPM_TYPE_INT32, 1, (const uint32_t[]){0});
	add_files(&b);
	message = finish(&b);
	assert_int_equal(rpm_header_parse(message, &header, &err), 0);
	discard(message);
	assert_true(header->has_epoch && header->epoch == 0);
	assert_true(bytes_equal_string(header->evr, "0:1.0-2"));
	assert_int_equal(header->digest_algorithm, RPM_DIGEST_MD5);
	assert_int_equal(header->file_count, 3);
	assert_true(bytes_equal_string(header->files[1].path, "/bin/b"));
	assert_int_equal(header->files[1].mode, 0102755);
	assert_int_equal(header->files[0].hardlinks, 1);
	assert_int_equal(header->files[1].hardlinks, 1);
	assert_int_equal(header->files[2].hardlinks, 0);
	assert_int_equal(header->files[0].digest.len, 16);
	assert_true(bytes_equal(header->files[0].digest, header->files[1].digest));
	assert_int_equal(header->files[2].digest.len, 0);
	assert_true(bytes_equal_string(header->files[2].link, "a"));
	assert_int_equal(header->columns & RPM_HAS_VERIFY, 0);
	assert_int_equal(header->files[0].verify, 0);
	rpm_header_free(header);
}

static void old_names_are_read(void **state)
{
	struct rpm_header *header = NULL;
	struct error err = {0};
	struct bytes message;
	struct build b;

	(void)state;
	begin(&b);
	add_name(&b);
	ARRAY(&b, 1027, 2, "/etc/one\0/etc/two");
	message = finish(&b);
	assert_int_equal(rpm_header_parse(message, &header, &err), 0);
	assert_int_equal(header->file_count, 2);
	assert_true(bytes_equal_string(header->files[1].path, "/etc/two"));
	rpm_header_free(header);
	discard(message);
}

static void message_must_be_whole_and_no_more(void **state)
{
	struct rpm_header *header = NULL;
	struct error err = {0};
	struct bytes message;
	uint8_t *longer;
	struct build b;

	(void)state;
	begin(&b);
	add_name(&b);
	add_files(&b);
	message = finish(&b);
	for (size_t len = 0; len < message.len; len++) {
		assert_int_equal(rpm_header_parse(bytes_make(message.data, len), &header, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_PEER);
		assert_null(header);
	}
	longer = calloc(1, message.len + 1);
	assert_non_null(longer);
	memcpy(longer, message.data, message.len);
	assert_int_equal(rpm_header_parse(bytes_make(longer, message.len + 1), &header, &err), -1);
	free(longer);
	discard(message);
}

/* No single byte of the index may make the reader leave its data (under ASan). */
static void any_byte_may_be_wrong(void **state)
{
	struct rpm_header *header = NULL;
	struct error err = {0};
	struct bytes message;
	struct build b;

	(void)state;
	begin(&b);
	add_name(&b);
	add_files(&b);
	message = finish(&b);
	for (size_t at = 0; at < message.len; at++) {
		for (unsigned value = 0; value < 256; value += at < 400 ? 15 : 51) {
			uint8_t *byte = (uint8_t *)(uintptr_t)message.data + at, was = *byte;

			*byte = (uint8_t)value;
			if (rpm_header_parse(message, &header, &err) == 0) {
				rpm_header_free(header);
			} else {
				assert_int_equal(err.kind, ERROR_PEER);
			}
			*byte = was;
		}
	}
	discard(message);
}

static void nonsense_is_refused_by_name(void **state)
{
	static const uint32_t zeros[3] = {0};
	struct build b;

	(void)state;
	begin(&b);
	STRING(&b, 1000, "name");
	STRING(&b, 1001, "1.0");
	assert_non_null(strstr(refused(&b), "release is missing"));
	begin(&b);
	add_name(&b);
	STRING(&b, 1000, "again");
	assert_non_null(strstr(refused(&b), "stands twice"));
	begin(&b);
	add_name(&b);
	ARRAY(&b, 1011, 1, "vendor");
	assert_non_null(strstr(refused(&b), "not the type"));
	begin(&b);
	add_name(&b);
	add_files(&b);
	add_numbers(&b, 1037, RPM_TYPE_INT32, 2, zeros);
	assert_non_null(strstr(refused(&b), "one value for each file"));
	begin(&b);
	add_name(&b);
	add_files(&b);
	add_numbers(&b, 5008, RPM_TYPE_INT64, 3, zeros);
	assert_non_null(strstr(refused(&b), "sizes stand twice"));
	begin(&b);
	add_name(&b);
	add_files(&b);
	add_numbers(&b, 5011, RPM_TYPE_INT32, 1, (const uint32_t[]){RPM_DIGEST_SHA256});
	assert_non_null(strstr(refused(&b), "algorithm's length"));
	begin(&b);
	add_name(&b);
	add_numbers(&b, 1116, RPM_TYPE_INT32, 1, (const uint32_t[]){1});
	ARRAY(&b, 1117, 1, "a");
	ARRAY(&b, 1118, 1, "/");
	assert_non_null(strstr(refused(&b), "in no directory"));
	begin(&b);
	add_name(&b);
	add_numbers(&b, 1116, RPM_TYPE_INT32, 1, zeros);
	ARRAY(&b, 1117, 1, "a");
	ARRAY(&b, 1118, 1, "usr/");
	assert_non_null(strstr(refused(&b), "not absolute"));
	begin(&b);
	add_name(&b);
	ARRAY(&b, 1117, 1, "a");
	assert_non_null(strstr(refused(&b), "do not fit"));
}

/* One long directory, named once, and a quarter of a million files in it. */
static void small_header_makes_no_large_one(void **state)
{
	enum { FILES = 60000, LONG = 3000 };
	struct rpm_header *header = NULL;
	struct error err = {0};
	uint8_t *message, *data;
	size_t data_len = 17 + 4 * (size_t)FILES + FILES + LONG + 2 + 16, len;

	(void)state;
	len = 16 + 16 * 7 + data_len;
	message = calloc(1, len);
	assert_non_null(message);
	data = message + 16 + 16 * 7;
	memcpy(message, "\x8e\xad\xe8\x01\0\0\0\0", 8);
	put_be32(message + 8, 7);
	put_be32(message + 12, (uint32_t)data_len);
	{
		const uint32_t entries[7][4] = {
			{63, 7, (uint32_t)data_len - 16, 16},
			{1000, 6, 0, 1},
			{1001, 6, 0, 1},
			{1002, 6, 0, 1},
			{1116, 4, 17, FILES},
			{1117, 8, 17 + 4 * FILES, FILES},
			{1118, 8, 17 + 4 * FILES + FILES, 1},
		};

		for (int i = 0; i < 7; i++) {
			for (int j = 0; j < 4; j++) {
				put_be32(message + 16 + 16 * i + 4 * j, entries[i][j]);
			}
		}
	}
	memcpy(data, "name", 5);
	memset(data + 17 + 4 * FILES + FILES, 'd', LONG);
	data[17 + 4 * FILES + FILES] = '/';
	put_be32(data + data_len - 16, 63);
	put_be32(data + data_len - 12, 7);
	put_be32(data + data_len - 8, 0U - 16 * 7);
	put_be32(data + data_len - 4, 16);
	assert_int_equal(rpm_header_parse(bytes_make(message, len), &header, &err), -1);
	assert_non_null(strstr(err.msg, "too many long paths"));
	free(message);
}

static void manifest_has_canonical_paths(void **state)
{
	struct rpm_header *header = NULL;
	struct manifest *manifest = NULL;
	const struct manifest_entry *entry;
	struct error err = {0};
	struct bytes message;
	struct build b;

	(void)state;
	begin(&b);
	add_name(&b);
	add_files(&b);
	message = finish(&b);
	assert_int_equal(rpm_header_parse(message, &header, &err), 0);
	discard(message);
	assert_int_equal(rpm_manifest_make(header, "test", "origin", &manifest, &err), 0);
	assert_int_equal(manifest->count, 3);
	assert_string_equal(manifest->origin, "origin");
	entry = manifest_find(manifest, BYTES_LITERAL("/usr/bin/b"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.mode, 02755);
	assert_true(entry->has_md5 && !entry->entry.has_sha256);
	assert_int_equal(entry->rpm->hardlinks, 1);
	assert_int_equal(entry->rpm->algorithm, RPM_DIGEST_MD5);
	entry = manifest_find(manifest, BYTES_LITERAL("/usr/bin/l"));
	assert_int_equal(entry->entry.type, ENTRY_LINK);
	assert_true(bytes_equal_string(entry->entry.group, "mail"));
	manifest_free(manifest);
	rpm_header_free(header);
}

/* /bin/cut and /usr/bin/cut of one package, from before /usr was merged. */
static void two_files_that_became_one_keep_their_names(void **state)
{
	struct rpm_header *header = NULL;
	struct manifest *manifest = NULL;
	struct error err = {0};
	struct bytes message;
	struct build b;

	(void)state;
	begin(&b);
	add_name(&b);
	ARRAY(&b, 1027, 3, "/usr/bin/cut\0/bin/cut\0/bin/.hidden");
	message = finish(&b);
	assert_int_equal(rpm_header_parse(message, &header, &err), 0);
	discard(message);
	assert_int_equal(rpm_manifest_make(header, "test", "", &manifest, &err), 0);
	assert_non_null(manifest_find(manifest, BYTES_LITERAL("/bin/cut")));
	assert_non_null(manifest_find(manifest, BYTES_LITERAL("/usr/bin/cut")));
	assert_non_null(manifest_find(manifest, BYTES_LITERAL("/bin/.hidden")));
	manifest_free(manifest);
	rpm_header_free(header);
}

static void paths_are_cleaned_or_refused(void **state)
{
	static const struct {
		const char *header, *manifest;
	} cases[] = {
		{"/", "/"},
		{"/etc//x/", "/etc/x"},
		{"/etc/./x", "/etc/x"},
		{"/etc/.x", "/etc/.x"},
		{"/lib64/x", "/usr/lib64/x"},
		{"//sbin//x", "/usr/sbin/x"},
		{"/etc/../x", NULL},
		{"/..", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rpm_header *header = NULL;
		struct manifest *manifest = NULL;
		struct error err = {0};
		struct bytes message;
		struct build b;

		begin(&b);
		add_name(&b);
		add_strings(&b, 1027, RPM_TYPE_STRING_ARRAY, 1, cases[i].header,
			    strlen(cases[i].header) + 1);
		message = finish(&b);
		assert_int_equal(rpm_header_parse(message, &header, &err), 0);
		discard(message);
		if (cases[i].manifest) {
			assert_int_equal(rpm_manifest_make(header, "", "", &manifest, &err), 0);
			assert_true(bytes_equal_string(manifest->entries[0].entry.path,
						       cases[i].manifest));
			manifest_free(manifest);
		} else {
			assert_int_equal(rpm_manifest_make(header, "", "", &manifest, &err), -1);
			assert_int_equal(err.kind, ERROR_PEER);
		}
		rpm_header_free(header);
	}
}

static void capabilities_become_attributes(void **state)
{
	static const struct {
		const char *text, *hex; /* NULL: no sense */
	} cases[] = {
		{"", ""},
		{"=", "0000000200000000000000000000000000000000"},
		{"cap_net_raw=ep", "0100000200200000000000000000000000000000"},
		{"cap_net_raw+ep", "0100000200200000000000000000000000000000"},
		{"cap_net_raw=p", "0000000200200000000000000000000000000000"},
		{"cap_net_admin,cap_net_raw=eip", "0100000200300000003000000000000000000000"},
		{"= cap_net_raw=i", "0000000200000000002000000000000000000000"},
		{"cap_bpf=p", "0000000200000000000000008000000000000000"},
		{"cap_net_raw=ep cap_net_raw-e", "0000000200200000000000000000000000000000"},
		{"13=ep", "0100000200200000000000000000000000000000"},
		{"cap_nothing=ep", NULL},
		{"cap_net_raw", NULL},
		{"cap_net_raw=x", NULL},
		{"cap_net_raw=ep,", NULL},
		{",=ep", NULL},
		{"64=p", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t to[ENTRY_CAPS_MAX];
		char hex[2 * ENTRY_CAPS_MAX + 1] = "";
		long len = rpm_caps_from_text(bytes_from_string(cases[i].text), to);

		if (!cases[i].hex) {
			assert_int_equal(len, -1);
			continue;
		}
		for (long j = 0; j < len; j++) {
			(void)snprintf(hex + 2 * j, 3, "%02x", to[j]);
		}
		assert_string_equal(hex, cases[i].hex);
	}
}

static void letters_are_those_of_rpm(void **state)
{
	(void)state;
	assert_int_equal(rpm_file_letter(0), ' ');
	assert_int_equal(rpm_file_letter(0x59), 'c');
	assert_int_equal(rpm_file_letter(RPM_FILE_DOC | RPM_FILE_CONFIG), 'd');
	assert_int_equal(rpm_file_letter(RPM_FILE_GHOST | RPM_FILE_MISSINGOK), 'm');
	assert_int_equal(rpm_file_letter(RPM_FILE_ARTIFACT), 'a');
	assert_int_equal(rpm_file_letter(RPM_FILE_PUBKEY), ' ');
}

/* Sections */

static int read_section(struct bytes content, struct rpm_section *section)
{
	struct error err = {0};
	int result = rpm_section_read(content, section, &err);

	assert_true(result == 0 || err.kind == ERROR_PEER);
	return result;
}

static void chunks_are_joined(void **state)
{
	size_t len = 2 * (size_t)HEADER_CHUNK_SIZE + 100;
	uint8_t *large = malloc(len);
	struct rpm_section section;
	struct rpm_part_of parts[] = {
		{HEADER_REGION, 63, RPM_TYPE_BIN, {large, len}},
		{HEADER_SIGNATURE, 267, RPM_TYPE_BIN, {large, 20}},
		{HEADER_SIGNATURE, 267, RPM_TYPE_BIN, {large, 0}},
		{HEADER_SIGNATURE, 268, RPM_TYPE_BIN, {large, HEADER_CHUNK_SIZE}},
	};
	struct bytes content;

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < len; i++) {
		large[i] = (uint8_t)(i * 7);
	}
	content = rpm_section_write(parts, 4);
	assert_int_equal(read_section(content, &section), 0);
	assert_int_equal(section.count, 4);
	assert_int_equal(section.items[0].value.len, len);
	assert_memory_equal(section.items[0].value.data, large, len);
	assert_int_equal(section.items[2].value.len, 0);
	assert_int_equal(section.items[3].value.len, HEADER_CHUNK_SIZE);
	assert_ptr_equal(rpm_section_find(&section, RPM_ITEM_SIGNATURE, 267), &section.items[1]);
	assert_null(rpm_section_find(&section, RPM_ITEM_REST, 267));
	rpm_section_clear(&section);
	/* Cut anywhere but between records it is refused. */
	for (size_t cut = 1; cut < content.len; cut += cut < 64 ? 1 : 997) {
		if (read_section(bytes_make(content.data, cut), &section) == 0) {
			assert_true(section.count < 4 || section.items[3].value.len == 0);
			rpm_section_clear(&section);
		}
	}
	discard(content);
	free(large);
}

static void parts_out_of_order_are_refused(void **state)
{
	const struct bytes value = BYTES_LITERAL("x");
	struct rpm_part_of parts[] = {{HEADER_SIGNATURE, 268, RPM_TYPE_BIN, value},
				      {HEADER_REGION, 63, RPM_TYPE_BIN, value},
				      {HEADER_REST, 1029, RPM_TYPE_CHAR, value},
				      {HEADER_REST, 1008, RPM_TYPE_INT32, value},
				      {"other", 1, RPM_TYPE_CHAR, value}};
	struct rpm_section section;

	(void)state;
	for (size_t i = 0; i < 4; i += 2) {
		struct bytes content = rpm_section_write(parts + i, 2);

		assert_int_equal(read_section(content, &section), -1);
		discard(content);
	}
	{
		struct bytes content = rpm_section_write(parts + 4, 1);

		assert_int_equal(read_section(content, &section), -1);
		discard(content);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(package_and_files_are_read),
		cmocka_unit_test(old_names_are_read),
		cmocka_unit_test(message_must_be_whole_and_no_more),
		cmocka_unit_test(any_byte_may_be_wrong),
		cmocka_unit_test(nonsense_is_refused_by_name),
		cmocka_unit_test(small_header_makes_no_large_one),
		cmocka_unit_test(manifest_has_canonical_paths),
		cmocka_unit_test(two_files_that_became_one_keep_their_names),
		cmocka_unit_test(paths_are_cleaned_or_refused),
		cmocka_unit_test(capabilities_become_attributes),
		cmocka_unit_test(letters_are_those_of_rpm),
		cmocka_unit_test(chunks_are_joined),
		cmocka_unit_test(parts_out_of_order_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
