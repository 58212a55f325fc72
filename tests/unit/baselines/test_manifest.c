// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "baselines/manifest.h"

static const struct entry sample = {
	.path = {(const uint8_t *)"/usr/bin/ping", 13},
	.type = ENTRY_FILE,
	.mode = 0755,
	.owner = {(const uint8_t *)"root", 4},
	.group = {(const uint8_t *)"a b", 3},
	.has_size = true,
	.size = 12,
	.has_mtime = true,
	.mtime_s = 1700000000,
	.caps = {(const uint8_t *)"\x01\x00", 2},
	.flags = ENTRY_IMMUTABLE,
	.magic = ENTRY_MAGIC_ELF,
};

static void words_of_an_entry_parse_back(void **state)
{
	char words[MANIFEST_WORDS_MAX];
	struct manifest_entry entry;
	struct error err = {0};
	size_t len = manifest_words_of_entry(&sample, words, sizeof(words));
	uint8_t *scratch = malloc(len);

	(void)state;
	assert_string_equal(words, "type=file mode=0755 uname=root gname=a\\040b size=12 "
				   "time=1700000000.0 tags=,caps:0100,flags:i,magic:elf,");
	assert_int_equal(strlen(words), len);
	assert_int_equal(
		manifest_entry_parse(sample.path, bytes_make(words, len), scratch, &entry, &err),
		0);
	assert_true(entry_equal(&entry.entry, &sample));
	assert_true(bytes_equal(entry.entry.path, sample.path));
	assert_int_equal(entry.tags, MANIFEST_CAPS | MANIFEST_NOCONTENT);
	free(scratch);
}

/* Every field at its largest still fits, so that no valid entry is ever cut. */
static void largest_entry_fits(void **state)
{
	uint8_t *big = malloc(ENTRY_ACL_MAX);
	char words[MANIFEST_WORDS_MAX];
	uint8_t scratch[MANIFEST_WORDS_MAX];
	struct manifest_entry entry = {.entry = sample, .has_md5 = true, .tags = 255 & ~16U};
	struct manifest_entry parsed;
	struct error err = {0};
	size_t len;

	(void)state;
	memset(big, 0xff, ENTRY_ACL_MAX);
	entry.entry.type = ENTRY_LINK;
	entry.entry.has_size = false;
	entry.entry.size = 0;
	entry.has_md5 = false;
	entry.entry.owner = entry.entry.group = bytes_make(big, ENTRY_NAME_MAX);
	entry.entry.link = bytes_make(big, ENTRY_PATH_MAX);
	entry.entry.caps = bytes_make(big, ENTRY_CAPS_MAX);
	entry.entry.acl = entry.entry.default_acl = bytes_make(big, ENTRY_ACL_MAX);
	entry.entry.head = bytes_make(big, ENTRY_HEAD_MAX);
	entry.entry.mtime_s = INT64_MIN + 1;
	len = manifest_words(&entry, words, sizeof(words));
	assert_null(strstr(words, "..."));
	assert_int_equal(
		manifest_entry_parse(sample.path, bytes_make(words, len), scratch, &parsed, &err),
		0);
	assert_true(entry_equal(&parsed.entry, &entry.entry));
	free(big);
}

static void cut_words_say_so_and_are_refused(void **state)
{
	char whole[MANIFEST_WORDS_MAX], words[MANIFEST_WORDS_MAX];
	uint8_t scratch[MANIFEST_WORDS_MAX];
	size_t all = manifest_words_of_entry(&sample, whole, sizeof(whole));
	struct manifest_entry entry;
	struct error err = {0};

	(void)state;
	for (size_t room = 0; room < all + 5; room++) {
		size_t len;

		memset(words, 'x', sizeof(words));
		len = manifest_words_of_entry(&sample, words, room);
		assert_int_equal(words[room], 'x');
		assert_true(room == 0 || len < room);
		assert_int_equal(manifest_entry_parse(sample.path, bytes_make(words, len), scratch,
						      &entry, &err),
				 -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
	}
}

static void words_without_place_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *path, *words, *message;
	} faults[] = {
		{"a", "type=dir", "not an absolute path"},
		{"", "type=dir", "not an absolute path"},
		{"/a", "", "type= is missing"},
		{"/a", "type=dir moed=1", "unknown keyword moed"},
		{"/a", "type=dir ...", "cut short"},
	};
	uint8_t scratch[64];
	struct manifest_entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct error err = {0};

		assert_int_equal(manifest_entry_parse(bytes_from_string(faults[i].path),
						      bytes_from_string(faults[i].words), scratch,
						      &entry, &err),
				 -1);
		assert_non_null(strstr(err.msg, faults[i].message));
	}
}

static void made_manifest_owns_and_sorts(void **state)
{
	char path_b[] = "/b", path_a[] = "/a";
	struct manifest_entry entries[2] = {
		{.entry = {.path = bytes_from_string(path_b), .type = ENTRY_DIR}},
		{.entry = {.path = bytes_from_string(path_a), .type = ENTRY_DIR}},
	};
	struct manifest *manifest = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(manifest_make(entries, 2, "src", NULL, &manifest, &err), 0);
	path_a[1] = path_b[1] = 'z';
	assert_memory_equal(manifest->entries[0].entry.path.data, "/a", 2);
	assert_non_null(manifest_find(manifest, BYTES_LITERAL("/b")));
	assert_string_equal(manifest->source, "src");
	assert_string_equal(manifest->origin, "");
	manifest_free(manifest);

	assert_int_equal(manifest_make(entries, 2, "src", NULL, &manifest, &err), -1);
	assert_string_equal(err.msg, "src: /z stands twice");
	assert_int_equal(manifest_make(NULL, 0, NULL, NULL, &manifest, &err), 0);
	assert_null(manifest_find(manifest, BYTES_LITERAL("/b")));
	manifest_free(manifest);
	manifest_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_an_entry_parse_back),
		cmocka_unit_test(largest_entry_fits),
		cmocka_unit_test(cut_words_say_so_and_are_refused),
		cmocka_unit_test(words_without_place_are_refused_with_a_reason),
		cmocka_unit_test(made_manifest_owns_and_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
