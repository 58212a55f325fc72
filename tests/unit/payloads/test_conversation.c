// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "schema/record.h"
#include "schema/siphash.h"
#include "tests/unit/payloads/host.h"

static struct plan plan;
static struct talk talk;
static struct talk other;

static int setup(void **state)
{
	(void)state;
	memset(&talk, 0, sizeof(talk));
	memset(&other, 0, sizeof(other));
	host_make();
	host_plan(&plan);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	talk_free(&talk);
	talk_free(&other);
	host_remove();
	return 0;
}

static void assert_sha(const struct entry *entry, const char *text)
{
	struct digest digest;
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, text, strlen(text));
	sha256_final(&sha, digest.bytes);
	assert_true(entry->has_sha256);
	assert_true(digest_equal(&digest, &entry->sha256));
}

static void package_section_holds_files_and_links(void **state)
{
	struct talk_section *section;
	struct entry entry;

	(void)state;
	host_run(&talk, &plan, false);
	section = talk_find(&talk, SECTION_PACKAGE, "alpha");
	assert_true(host_entry(section, "/usr/bin/alpha", &entry));
	assert_int_equal(entry.type, ENTRY_FILE);
	assert_int_equal(entry.size, 3);
	assert_true(entry.has_mtime);
	assert_sha(&entry, "abc");
	assert_true(host_entry(section, "/usr/bin/alpha-link", &entry));
	assert_true(bytes_equal_string(entry.link, "alpha"));
	assert_int_equal(host_item_count(section), 2);
}

static void directories_and_conffiles_have_sections_of_their_own(void **state)
{
	struct entry entry;

	(void)state;
	host_run(&talk, &plan, false);
	assert_true(host_entry(talk_find(&talk, SECTION_DIRS, NULL), "/usr/share/alpha", &entry));
	assert_int_equal(entry.type, ENTRY_DIR);
	assert_false(entry.has_size || entry.has_mtime);
	assert_true(
		host_entry(talk_find(&talk, SECTION_CONFIG, "alpha"), "/etc/alpha.conf", &entry));
	assert_sha(&entry, "key = value\n");
	assert_int_equal(host_item_count(talk_find(&talk, SECTION_CLAIMS, "alpha")), 10);
	assert_int_equal(host_item_count(talk_find(&talk, SECTION_PACKAGES, "dpkg")), 1);
	/* os-release, users, groups. */
	assert_int_equal(host_item_count(talk_find(&talk, SECTION_HOST, NULL)), 3);
	assert_int_equal(host_item_count(talk_find(&talk, SECTION_MOUNTS, NULL)), 1);
}

static void unowned_objects_are_in_the_tree(void **state)
{
	static const char odd[] = "/usr/bin/a\n\033[31m\377b";
	struct entry entry;
	struct talk_section *bin;

	(void)state;
	tree_write(&host_tree, "/usr/bin/evil", "\177ELF rest");
	tree_write(&host_tree, odd, "x");
	tree_write(&host_tree, "/usr/lib/x/deep/er/file", "#!/bin/sh\n");
	assert_int_equal(mkfifo(tree_path(&host_tree, "/usr/bin/fifo"), 0600), 0);
	host_run(&talk, &plan, false);
	bin = talk_find(&talk, SECTION_TREE, "/usr/bin");
	assert_true(host_entry(bin, "/usr/bin/evil", &entry));
	assert_int_equal(entry.magic, ENTRY_MAGIC_ELF);
	assert_true(host_entry(bin, odd, &entry));
	assert_true(host_entry(bin, "/usr/bin/fifo", &entry));
	assert_int_equal(entry.type, ENTRY_FIFO);
	assert_int_equal(host_item_count(bin), 3);
	assert_true(host_entry(talk_find(&talk, SECTION_TREE, "/usr/lib/x"),
			       "/usr/lib/x/deep/er/file", &entry));
	assert_int_equal(entry.magic, ENTRY_MAGIC_SCRIPT);
	assert_true(host_entry(talk_find(&talk, SECTION_TREE, "/usr/lib"), "/usr/lib/x", &entry));
	assert_true(host_entry(talk_find(&talk, SECTION_TREE, "/usr"), "/usr/lib", &entry));
}

static void compiled_python_in_the_tree_shows_its_head(void **state)
{
	static const char head[] = "\247\15\r\n\0\0\0\0\1\2\3\4\5\6\7\10code";
	struct talk_section *lib;
	struct entry entry;

	(void)state;
	tree_write_bytes(&host_tree, "/usr/lib/x/whole.pyc", head, sizeof(head) - 1);
	tree_write_bytes(&host_tree, "/usr/lib/x/short.pyc", head, 5);
	tree_write_bytes(&host_tree, "/usr/lib/x/empty.pyc", head, 0);
	tree_write_bytes(&host_tree, "/usr/lib/x/other.py", head, sizeof(head) - 1);
	tree_link(&host_tree, "/usr/lib/x/link.pyc", "whole.pyc");
	host_run(&talk, &plan, false);
	lib = talk_find(&talk, SECTION_TREE, "/usr/lib/x");
	assert_true(host_entry(lib, "/usr/lib/x/whole.pyc", &entry));
	assert_true(bytes_equal(entry.head, bytes_make(head, ENTRY_HEAD_MAX)));
	assert_true(host_entry(lib, "/usr/lib/x/short.pyc", &entry));
	assert_true(bytes_equal(entry.head, bytes_make(head, 5)));
	assert_true(host_entry(lib, "/usr/lib/x/empty.pyc", &entry));
	assert_int_equal(entry.head.len, 0);
	assert_true(host_entry(lib, "/usr/lib/x/other.py", &entry));
	assert_int_equal(entry.head.len, 0);
	assert_true(host_entry(lib, "/usr/lib/x/link.pyc", &entry));
	assert_int_equal(entry.head.len, 0);
}

static void an_unchanged_host_has_the_same_root(void **state)
{
	(void)state;
	tree_write(&host_tree, "/usr/bin/unowned", "x");
	host_run(&talk, &plan, false);
	memset(plan.seed, 77, sizeof(plan.seed));
	host_run(&other, &plan, false);
	assert_true(digest_equal(&talk.root.stat_root, &other.root.stat_root));
	for (size_t i = 0; i < talk.count; i++) {
		assert_true(talk.section[i].stat == talk.section[i].digest.stat);
		assert_true(digest_equal(&talk.section[i].digest.content,
					 &other.section[i].digest.content));
	}
}

static void a_changed_file_changes_its_section_alone(void **state)
{
	size_t changed = 0;

	(void)state;
	host_run(&talk, &plan, false);
	tree_write(&host_tree, "/usr/bin/alpha", "abd");
	host_run(&other, &plan, false);
	assert_int_equal(talk.count, other.count);
	for (size_t i = 0; i < talk.count; i++) {
		struct section_key key;

		assert_true(section_key_decode(
			bytes_make(talk.section[i].key, talk.section[i].key_len), &key));
		if (!digest_equal(&talk.section[i].digest.content,
				  &other.section[i].digest.content)) {
			assert_int_equal(key.kind, SECTION_PACKAGE);
			assert_false(other.section[i].digest.settled);
			changed++;
		}
		if (key.kind == SECTION_PACKAGE || key.kind == SECTION_FLAGS) {
			assert_true(talk.section[i].stat != other.section[i].stat);
		} else {
			assert_true(talk.section[i].stat == other.section[i].stat);
		}
	}
	assert_int_equal(changed, 1);
}

static void a_new_name_of_an_id_changes_the_stat_digest(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(chown(tree_path(&host_tree, "/usr/bin/alpha"), 1234, 1234), 0);
	host_run(&talk, &plan, false);
	tree_write(&host_tree, "/etc/passwd", "root:x:0:0::/:\njoe:x:1234:1234::/:\n");
	host_run(&other, &plan, false);
	assert_true(talk_find(&talk, SECTION_PACKAGE, "alpha")->stat !=
		    talk_find(&other, SECTION_PACKAGE, "alpha")->stat);
}

static void a_claim_of_the_database_changes_the_claims(void **state)
{
	(void)state;
	host_run(&talk, &plan, false);
	tree_write(&host_tree, "/usr/bin/new", "x");
	tree_write(&host_tree, "/var/lib/dpkg/info/alpha.list",
		   "/.\n/usr/bin\n/usr/bin/alpha\n/usr/bin/new\n");
	host_run(&other, &plan, false);
	assert_true(talk_find(&talk, SECTION_CLAIMS, "alpha")->stat !=
		    talk_find(&other, SECTION_CLAIMS, "alpha")->stat);
	assert_false(digest_equal(&talk_find(&talk, SECTION_CLAIMS, "alpha")->digest.content,
				  &talk_find(&other, SECTION_CLAIMS, "alpha")->digest.content));
}

static void md5_is_made_on_request_only(void **state)
{
	struct talk_section *section;
	struct cbor_reader r;
	struct record record;

	(void)state;
	host_run(&talk, &plan, true);
	section = talk_find(&talk, SECTION_PACKAGE, "alpha");
	assert_true(section->digest.has_md5);
	cbor_reader_init(&r, bytes_make(section->md5, section->md5_len));
	assert_true(record_decode(&r, &record));
	assert_true(bytes_equal_string(record.field[MD5_PATH], "/usr/bin/alpha"));
	/* RFC 1321: MD5 ("abc") */
	assert_memory_equal(record.field[MD5_VALUE].data,
			    "\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72", 16);
	assert_true(cbor_reader_is_done(&r));
	assert_false(talk_find(&talk, SECTION_CLAIMS, "alpha")->digest.has_md5);
}

static void the_proof_is_over_always_and_slice(void **state)
{
	struct sha256 sha;
	struct digest digest;
	uint32_t due = 0;

	(void)state;
	talk_plan_add(&plan.always, "/etc/alpha.*");
	plan.slice_of = 3;
	plan.slice_part = 1;
	host_run(&talk, &plan, false);
	assert_true(talk_find(&talk, SECTION_CONFIG, "alpha")->always);
	assert_true(talk_find(&talk, SECTION_DIRS, NULL)->always);
	sha256_init(&sha);
	for (size_t i = 0; i < talk.count; i++) {
		struct bytes key = bytes_make(talk.section[i].key, talk.section[i].key_len);

		if (talk.section[i].always || siphash(plan.slice_key, key) % 3 == 1) {
			sha256_update(&sha, key.data, key.len);
			sha256_update(&sha, talk.section[i].digest.content.bytes, DIGEST_SIZE);
			due++;
		}
	}
	sha256_final(&sha, digest.bytes);
	host_start(&other);
	talk_hello(&other);
	talk_plan(&other, &plan);
	talk_root(&other);
	talk_ask(&other, ASK_SAME);
	assert_int_equal(other.proof.sections, due);
	assert_true(digest_equal(&other.proof.content_root, &digest));
	talk_finish(&other);
	talk_stop(&other);
	assert_int_equal(other.status, 0);
}

static void after_a_proof_the_list_may_be_asked_for(void **state)
{
	(void)state;
	plan.full = true;
	host_start(&talk);
	talk_hello(&talk);
	talk_plan(&talk, &plan);
	talk_root(&talk);
	talk_ask(&talk, ASK_SAME);
	assert_int_equal(talk.proof.sections, talk.root.sections);
	talk_ask(&talk, ASK_LIST);
	talk_list(&talk);
	talk_hash(&talk, NULL, false, TALK_WANT_ALL);
	talk_finish(&talk);
	talk_stop(&talk);
	assert_int_equal(talk.status, 0);
	assert_int_equal(talk.end.sections, talk.root.sections);
}

static void send_want_of(struct talk *to, uint32_t upto, uint32_t index)
{
	uint8_t buffer[64];
	struct cbor_writer w;

	cbor_writer_init(&w, buffer, sizeof(buffer));
	want_begin(&w, upto, 1);
	want_item_encode(&w, &(struct want_item){index, false});
	talk_send(to, w.data, w.len);
}

static void a_section_wanted_late_is_made_again(void **state)
{
	struct talk_section *section;
	struct object m;
	uint32_t index;

	(void)state;
	host_start(&talk);
	talk_hello(&talk);
	talk_plan(&talk, &plan);
	talk_root(&talk);
	talk_ask(&talk, ASK_LIST);
	talk_list(&talk);
	talk_hash(&talk, NULL, false, TALK_WANT_NONE);
	section = talk_find(&talk, SECTION_PACKAGE, "alpha");
	index = (uint32_t)(section - talk.section);
	send_want_of(&talk, (uint32_t)talk.count - 1, index);
	assert_true(talk_receive(&talk));
	assert_true(object_decode(bytes_make(talk.payload, talk.len), &m));
	assert_true(m.last);
	assert_true(m.again);
	assert_int_equal(m.index, index);
	assert_int_equal(m.chunk.len, section->digest.size);
	talk_finish(&talk);
	talk_stop(&talk);
	assert_int_equal(talk.status, 0);
}

static void a_section_that_is_held_is_not_made_again(void **state)
{
	const struct talk_section *section;

	(void)state;
	host_run(&talk, &plan, false);
	section = talk_find(&talk, SECTION_PACKAGE, "alpha");
	assert_true(section->len > 0);
	assert_int_equal(section->len, section->digest.size);
	assert_int_equal(section->again, 0);
}

static void what_changed_since_its_digest_is_sent_as_it_is_by_then(void **state)
{
	struct talk_section *section;
	struct cbor_reader r;
	struct entry entry;
	struct object m;
	uint32_t index;

	(void)state;
	host_start(&talk);
	talk_hello(&talk);
	talk_plan(&talk, &plan);
	talk_root(&talk);
	talk_ask(&talk, ASK_LIST);
	talk_list(&talk);
	talk_hash(&talk, NULL, false, TALK_WANT_NONE);
	section = talk_find(&talk, SECTION_PACKAGE, "alpha");
	index = (uint32_t)(section - talk.section);
	tree_write(&host_tree, "/usr/bin/alpha", "replaced meanwhile");
	send_want_of(&talk, (uint32_t)talk.count - 1, index);
	assert_true(talk_receive(&talk));
	assert_true(object_decode(bytes_make(talk.payload, talk.len), &m));
	assert_true(m.again);
	assert_true(m.last);
	cbor_reader_init(&r, m.chunk);
	do {
		assert_true(entry_decode(&r, &entry));
	} while (!bytes_equal_string(entry.path, "/usr/bin/alpha"));
	assert_sha(&entry, "replaced meanwhile");
	talk_finish(&talk);
	talk_stop(&talk);
	assert_int_equal(talk.status, 0);
}

static void nothing_asked_for_is_a_conversation_too(void **state)
{
	(void)state;
	plan.checks = 0;
	host_run(&talk, &plan, false);
	assert_int_equal(talk.count, 1); /* [host] */
}

/* How the child ended after the connection was closed. */
static void assert_ends(struct talk *ending, int status)
{
	talk_stop(ending);
	assert_true(WIFEXITED(ending->status));
	assert_int_equal(WEXITSTATUS(ending->status), status);
}

static void a_lost_connection_ends_the_probe_at_every_stage(void **state)
{
	(void)state;
	for (int stage = 0; stage < 5; stage++) {
		struct talk lost;

		host_start(&lost);
		talk_hello(&lost);
		if (stage > 0) {
			talk_plan(&lost, &plan);
		}
		if (stage > 1) {
			talk_root(&lost);
		}
		if (stage > 2) {
			talk_ask(&lost, ASK_LIST);
		}
		if (stage > 3) {
			talk_list(&lost);
			talk_hash(&lost, NULL, false, TALK_WANT_ALL);
		}
		assert_ends(&lost, STATUS_CONNECTION);
		talk_free(&lost);
	}
}

static void truncated_frames_end_the_probe(void **state)
{
	uint8_t frame[FRAME_HEAD + 512];
	struct cbor_writer w;

	(void)state;
	cbor_writer_init(&w, frame + FRAME_HEAD, sizeof(frame) - FRAME_HEAD);
	plan_encode(&w, &plan);
	assert_false(w.overflow);
	frame_head((uint32_t)w.len, frame);
	for (size_t cut = 0; cut < FRAME_HEAD + w.len; cut += 7) {
		struct talk lost;

		host_start(&lost);
		talk_hello(&lost);
		assert_int_equal(write(lost.to, frame, cut), cut);
		assert_ends(&lost, STATUS_CONNECTION);
	}
}

static void assert_refused(const uint8_t *frame, size_t len)
{
	struct talk lost;
	uint8_t byte;

	host_start(&lost);
	talk_hello(&lost);
	assert_int_equal(write(lost.to, frame, len), len);
	assert_int_equal(read(lost.from, &byte, 1), 0);
	assert_ends(&lost, STATUS_PROTOCOL);
}

static void malformed_frames_end_the_probe(void **state)
{
	static const uint8_t empty[] = {0, 0, 0, 0};
	static const uint8_t giant[] = {0, 1, 0, 1};
	static const uint8_t junk[] = {0, 0, 0, 2, 0xff, 0xff};
	static const uint8_t early[] = {0, 0, 0, 2, 0x81, 0x0b}; /* finish before the plan */

	(void)state;
	assert_refused(empty, sizeof(empty));
	assert_refused(giant, sizeof(giant));
	assert_refused(junk, sizeof(junk));
	assert_refused(early, sizeof(early));
}

static void messages_out_of_turn_end_the_probe(void **state)
{
	uint8_t byte;

	(void)state;
	for (int stage = 0; stage < 4; stage++) {
		struct talk lost;

		host_start(&lost);
		talk_hello(&lost);
		talk_plan(&lost, &plan);
		talk_root(&lost);
		if (stage == 0) {
			send_want_of(&lost, 0, 0); /* before ask */
		} else {
			talk_ask(&lost, ASK_LIST);
			talk_list(&lost);
			if (stage == 1) {
				send_want_of(&lost, 0, 0); /* before hash */
			} else if (stage == 2) {
				uint8_t buffer[32];
				struct cbor_writer w;

				cbor_writer_init(&w, buffer, sizeof(buffer));
				hash_begin(&w, 1, true);
				hash_run_encode(&w, &(struct hash_run){0, 1000000, false});
				talk_send(&lost, w.data, w.len);
			} else {
				talk_hash(&lost, NULL, false, TALK_WANT_NONE);
				send_want_of(&lost, 1000000, 0);
			}
		}
		assert_int_equal(read(lost.from, &byte, 1), 0);
		assert_ends(&lost, STATUS_PROTOCOL);
		talk_free(&lost);
	}
}

static void refused_calls_change_no_digest(void **state)
{
	static const enum host_refusal kinds[] = {HOST_REFUSES_ENOSYS, HOST_REFUSES_EPERM};

	(void)state;
	tree_write(&host_tree, "/usr/lib/x/y/z/file", "unowned");
	host_run(&talk, &plan, true);
	for (size_t k = 0; k < 2; k++) {
		host_refusal = kinds[k];
		host_run(&other, &plan, true);
		assert_int_equal(other.hello.missing & (MISSING_STATX | MISSING_OPENAT2 |
							MISSING_PREADV2 | MISSING_IOPRIO),
				 15);
		assert_int_equal(other.count, talk.count);
		for (size_t i = 0; i < talk.count; i++) {
			assert_true(talk.section[i].stat == other.section[i].stat);
			assert_true(digest_equal(&talk.section[i].digest.content,
						 &other.section[i].digest.content));
		}
		talk_free(&other);
		memset(&other, 0, sizeof(other));
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(package_section_holds_files_and_links),
		TEST(directories_and_conffiles_have_sections_of_their_own),
		TEST(unowned_objects_are_in_the_tree),
		TEST(compiled_python_in_the_tree_shows_its_head),
		TEST(an_unchanged_host_has_the_same_root),
		TEST(a_changed_file_changes_its_section_alone),
		TEST(a_new_name_of_an_id_changes_the_stat_digest),
		TEST(a_claim_of_the_database_changes_the_claims),
		TEST(md5_is_made_on_request_only),
		TEST(the_proof_is_over_always_and_slice),
		TEST(after_a_proof_the_list_may_be_asked_for),
		TEST(a_section_wanted_late_is_made_again),
		TEST(a_section_that_is_held_is_not_made_again),
		TEST(what_changed_since_its_digest_is_sent_as_it_is_by_then),
		TEST(nothing_asked_for_is_a_conversation_too),
		TEST(a_lost_connection_ends_the_probe_at_every_stage),
		TEST(truncated_frames_end_the_probe),
		TEST(malformed_frames_end_the_probe),
		TEST(messages_out_of_turn_end_the_probe),
		TEST(refused_calls_change_no_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
