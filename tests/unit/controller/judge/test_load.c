// SPDX-License-Identifier: MIT
/* What a section decodes to is bounded, whatever it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/judge/context.h"

#define ENTRIES (DECODED_MAX / sizeof(struct entry))
#define RECORDS (DECODED_MAX / sizeof(struct record))
#define ITEM_MAX 64

/* `below`/aaaaa, `below`/aaaab ...: as small as entries can be. */
static struct bytes make_entries(const char *below, size_t count)
{
	uint8_t *data = malloc(count * ITEM_MAX);
	char path[ITEM_MAX];
	size_t len = strlen(below);
	struct cbor_writer w;

	assert_non_null(data);
	cbor_writer_init(&w, data, count * ITEM_MAX);
	memcpy(path, below, len);
	path[len] = '/';
	for (size_t i = 0; i < count; i++) {
		size_t number = i;
		struct entry entry = {.type = ENTRY_SOCKET};

		for (size_t d = 5; d > 0; d--) {
			path[len + d] = (char)('a' + number % 26);
			number /= 26;
		}
		entry.path = bytes_make(path, len + 6);
		entry_encode(&w, &entry);
	}
	assert_false(w.overflow);
	return bytes_make(data, w.len);
}

static struct bytes make_records(size_t fields, size_t count)
{
	const struct record record = {.count = fields};
	uint8_t *data = malloc(count * ITEM_MAX);
	struct cbor_writer w;

	assert_non_null(data);
	cbor_writer_init(&w, data, count * ITEM_MAX);
	for (size_t i = 0; i < count; i++) {
		record_encode(&w, &record);
	}
	assert_false(w.overflow);
	return bytes_make(data, w.len);
}

static void drop(struct bytes content)
{
	free((void *)(uintptr_t)content.data);
}

static void decoded_objects_are_bounded(void **state)
{
	struct entry_list list = {0};

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct bytes content = make_entries("/srv", ENTRIES + more);

		assert_int_equal(entries_decode(content, &list), more ? TOO_MANY : DECODED);
		assert_true(list.room * sizeof(*list.item) <= DECODED_MAX);
		drop(content);
	}
	entries_clear(&list);
}

static void decoded_records_are_bounded(void **state)
{
	struct row_list list = {0};

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct bytes content = make_records(1, RECORDS + more);

		assert_int_equal(records_decode(content, 0, ROWS_ANY, &list),
				 more ? TOO_MANY : DECODED);
		assert_true(list.room * sizeof(*list.item) <= DECODED_MAX);
		drop(content);
	}
	rows_clear(&list);
}

/* One section and its content. */
static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	(void)digest;
	(void)err;
	*content = *(const struct bytes *)context;
	return 0;
}

static int no_manifests(void *context, struct bytes manager, struct bytes name,
			struct bytes version, struct bytes arch,
			const struct manifest *const **list, size_t *count, struct error *err)
{
	(void)context;
	(void)manager;
	(void)name;
	(void)version;
	(void)arch;
	(void)err;
	*list = NULL;
	*count = 0;
	return 0;
}

static bool knows_no_package(void *context, struct bytes manager, struct bytes name)
{
	(void)context;
	(void)manager;
	(void)name;
	return false;
}

static void section_without_end_is_over_the_limit(void **state)
{
	static const struct {
		enum section_kind kind;
		const char *part;
		size_t fields; /* of records; 0: entries */
	} rows[] = {
		{SECTION_TREE, "/srv", 0},
		{SECTION_DIRS, "", 0},
		{SECTION_MOUNTS, "", MOUNT_FIELDS},
		{SECTION_PACKAGES, "dpkg", PACKAGES_FIELDS},
	};
	const struct bytes none = {NULL, 0};
	const struct known_good known = {.manifests = no_manifests,
					 .knows_package = knows_no_package};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct section_key key = section_key_make(
			rows[i].kind, bytes_from_string(rows[i].part), none, none, none);
		struct bytes content = rows[i].fields ? make_records(rows[i].fields, RECORDS + 1)
						      : make_entries("/srv", ENTRIES + 1);
		const struct object_source objects = {.load = load, .context = &content};
		uint8_t room[SECTION_KEY_MAX];
		struct observed_section section = {.key = judge_key(&key, room)};
		const struct observation now = {.sections = &section, .section_count = 1};
		const struct judge_input input = {.policy = policy_default(),
						  .known = &known,
						  .now = &now,
						  .objects = &objects};
		struct findings findings = {0};
		struct judge_counts counts;
		struct error err = {0};

		if (judge_host(&input, &findings, &counts, &err) == 0 || err.kind != ERROR_LIMIT) {
			fail_msg("%s: %s", section_kind_name(rows[i].kind), err.msg);
		}
		findings_clear(&findings);
		drop(content);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoded_objects_are_bounded),
		cmocka_unit_test(decoded_records_are_bounded),
		cmocka_unit_test(section_without_end_is_over_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
