// SPDX-License-Identifier: MIT
/*
 * The rules of rpm -V that a root made by this system's rpm cannot show: old rpm, MD5, files of more
 * than 4 GiB, what could not be read. The others are held against rpm itself (test_rpm.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "controller/judge/rpm_claims.h"
#include "controller/judge/rpm_verify.h"
#include "schema/record.h"

#define ALL 0xffffffffU

static const uint8_t users[] = "root\0\0\0\0\0a\0\0\0\0\7b\0\0\0\0\7c\0\0\0\0\10";
static const uint8_t sha256[DIGEST_SIZE] = {1};
static const uint8_t md5[MD5_SIZE] = {2};

static struct {
	struct rpm_header header;
	struct rpm_file file;
	struct entry now;
	struct rpm_names names;
	struct rpm_verify_input input;
} t;

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.header.digest_algorithm = RPM_DIGEST_SHA256;
	t.file = (struct rpm_file){
		.path = BYTES_LITERAL("/usr/bin/x"),
		.mode = S_IFREG | 0755,
		.mtime_s = 1000,
		.size = 10,
		.user = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
		.digest = bytes_make(sha256, DIGEST_SIZE),
		.verify = ALL,
	};
	t.now = (struct entry){
		.path = t.file.path,
		.type = ENTRY_FILE,
		.mode = 0755,
		.owner = t.file.user,
		.group = t.file.group,
		.has_size = true,
		.size = 10,
		.has_sha256 = true,
		.has_mtime = true,
		.mtime_s = 1000,
	};
	memcpy(t.now.sha256.bytes, sha256, DIGEST_SIZE);
	t.names.users = t.names.groups = bytes_make(users, sizeof(users) - 1);
	t.input = (struct rpm_verify_input){
		.header = &t.header, .file = &t.file, .now = &t.now, .names = &t.names};
	return 0;
}

static const char *line(void)
{
	static char text[200];
	struct rpm_verify_result result;

	rpm_verify(&t.input, &result);
	(void)rpm_verify_line(&t.input, &result, text, sizeof(text));
	return text;
}

static void equal_file_has_no_line(void **state)
{
	(void)state;
	assert_string_equal(line(), "");
}

static void size_has_64_bits(void **state)
{
	(void)state;
	t.file.size = (UINT64_C(1) << 32) + 10;
	assert_string_equal(line(), "S........    /usr/bin/x");
	t.now.size = t.file.size;
	assert_string_equal(line(), "");
}

static void unread_content_is_a_question(void **state)
{
	(void)state;
	t.now.has_sha256 = false;
	assert_string_equal(line(), "..?......    /usr/bin/x");
}

static void md5_is_compared_where_it_was_measured(void **state)
{
	(void)state;
	t.header.digest_algorithm = RPM_DIGEST_MD5;
	t.file.digest = bytes_make(md5, MD5_SIZE);
	assert_string_equal(line(), "..?......    /usr/bin/x");
	t.input.md5 = md5;
	assert_string_equal(line(), "");
	t.input.md5 = sha256;
	assert_string_equal(line(), "..5......    /usr/bin/x");
}

static void digest_of_an_unknown_kind_is_a_question(void **state)
{
	(void)state;
	t.header.digest_algorithm = RPM_DIGEST_SHA512;
	assert_string_equal(line(), "..?......    /usr/bin/x");
}

static void link_that_could_not_be_read_is_a_question(void **state)
{
	(void)state;
	t.file.mode = S_IFLNK | 0777;
	t.file.link = BYTES_LITERAL("y");
	t.now.type = ENTRY_LINK;
	assert_string_equal(line(), "....?....    /usr/bin/x");
}

static void columns_that_the_header_lacks_are_not_compared(void **state)
{
	(void)state;
	t.file.verify = 0;
	t.now.size = 11;
	t.now.mode = 04777;
	t.now.owner = BYTES_LITERAL("c");
	assert_string_equal(line(), "");
	t.input.now = NULL;
	assert_string_equal(line(), "missing     /usr/bin/x");
}

static void id_of_two_names_is_right_by_either(void **state)
{
	(void)state;
	t.file.user = BYTES_LITERAL("b");
	t.now.owner = BYTES_LITERAL("#7");
	assert_string_equal(line(), "");
	t.now.owner = BYTES_LITERAL("#8");
	assert_string_equal(line(), ".....U...    /usr/bin/x");
	t.now.owner = BYTES_LITERAL("#99999999999");
	assert_string_equal(line(), ".....U...    /usr/bin/x");
}

static void unknown_owner_is_root_without_set_uid(void **state)
{
	(void)state;
	t.file.user = BYTES_LITERAL("nobody-here");
	t.file.mode = S_IFREG | 04755;
	assert_string_equal(line(), "");
	t.now.mode = 04755;
	assert_string_equal(line(), ".M.......    /usr/bin/x");
	/* Where the host's names are not told nothing is known of it. */
	t.names.users = (struct bytes){NULL, 0};
	assert_string_equal(line(), ".....U...    /usr/bin/x");
}

static void old_rpm_knows_no_such_rule(void **state)
{
	(void)state;
	t.input.is_old = true;
	t.file.user = BYTES_LITERAL("nobody-here");
	assert_string_equal(line(), ".....U...    /usr/bin/x");
	t.file.user = BYTES_LITERAL("b");
	t.now.owner = BYTES_LITERAL("#7");
	assert_string_equal(line(), "");
}

static void old_rpm_follows_no_link(void **state)
{
	struct entry target = {.type = ENTRY_DIR,
			       .mode = 0755,
			       .owner = BYTES_LITERAL("root"),
			       .group = BYTES_LITERAL("root")};

	(void)state;
	t.file.mode = S_IFDIR | 0755;
	t.now.type = ENTRY_LINK;
	t.now.link = BYTES_LITERAL("elsewhere");
	t.input.target = &target;
	assert_string_equal(line(), "");
	t.input.is_old = true;
	assert_string_equal(line(), "....L....    /usr/bin/x");
}

static void malformed_names_are_not_believed(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < sizeof(users) - 1; cut++) {
		/* Never read beyond; what is cut off is not known. */
		t.names.users = bytes_make(users, cut);
		t.file.user = BYTES_LITERAL("c");
		t.now.owner = BYTES_LITERAL("c");
		assert_string_equal(line(), "");
	}
}

static void put(struct cbor_writer *w, const char *part, uint32_t tag, struct bytes value)
{
	const uint8_t number[4] = {0, 0, (uint8_t)(tag >> 8), (uint8_t)tag};
	const struct record record = {
		.count = HEADER_FIELDS,
		.field = {bytes_from_string(part), bytes_make(number, 4), BYTES_LITERAL("\4"),
			  BYTES_LITERAL("\0\0\0\0"), value},
	};

	record_encode(w, &record);
}

static void claims_are_read_or_refused(void **state)
{
	uint8_t data[1024];
	struct cbor_writer w;
	struct rpm_claims claims;
	struct error err;

	(void)state;
	cbor_writer_init(&w, data, sizeof(data));
	put(&w, HEADER_OVERRIDE, 1035, BYTES_LITERAL("x"));
	put(&w, HEADER_REST, 1008, BYTES_LITERAL("\0\0\1\0"));
	put(&w, HEADER_REST, 1029, BYTES_LITERAL("\0\2\7"));
	put(&w, HEADER_NUMBER, 0, BYTES_LITERAL("\0\0\0\11"));
	assert_int_equal(rpm_claims_read(bytes_make(data, w.len), &claims, &err), 0);
	assert_int_equal(claims.number, 9);
	assert_int_equal(claims.install_s, 256);
	assert_int_equal(claims.override_count, 1);
	assert_int_equal(claims.overrides[0], 1035);
	assert_int_equal(rpm_claims_state(&claims, 1), RPM_STATE_NOT_INSTALLED);
	/* What is no state hides nothing; neither does one that is not there. */
	assert_int_equal(rpm_claims_state(&claims, 2), RPM_STATE_NORMAL);
	assert_int_equal(rpm_claims_state(&claims, 3), RPM_STATE_NORMAL);
	rpm_claims_clear(&claims);
	assert_int_equal(rpm_claims_state(&claims, 0), RPM_STATE_NONE);
	for (size_t cut = 0; cut < w.len; cut++) {
		if (rpm_claims_read(bytes_make(data, cut), &claims, &err) == 0) {
			rpm_claims_clear(&claims);
		} else {
			assert_int_equal(err.kind, ERROR_PEER);
		}
	}
	data[w.len] = 0;
	assert_int_equal(rpm_claims_read(bytes_make(data, w.len + 1), &claims, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_file_has_no_line, setup),
		cmocka_unit_test_setup(size_has_64_bits, setup),
		cmocka_unit_test_setup(unread_content_is_a_question, setup),
		cmocka_unit_test_setup(md5_is_compared_where_it_was_measured, setup),
		cmocka_unit_test_setup(digest_of_an_unknown_kind_is_a_question, setup),
		cmocka_unit_test_setup(link_that_could_not_be_read_is_a_question, setup),
		cmocka_unit_test_setup(columns_that_the_header_lacks_are_not_compared, setup),
		cmocka_unit_test_setup(id_of_two_names_is_right_by_either, setup),
		cmocka_unit_test_setup(unknown_owner_is_root_without_set_uid, setup),
		cmocka_unit_test_setup(old_rpm_knows_no_such_rule, setup),
		cmocka_unit_test_setup(old_rpm_follows_no_link, setup),
		cmocka_unit_test_setup(malformed_names_are_not_believed, setup),
		cmocka_unit_test(claims_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
