// SPDX-License-Identifier: MIT
/* rpm packages with a proof: what the signed header says, and what the host's database adds to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "baselines/rpm/manifest.h"
#include "tests/unit/controller/judge/rpm_world.h"

static void signed_package_is_proved_by_its_header(void **state)
{
	const struct finding *found;

	(void)state;
	assert_quiet();
	assert_int_equal(t.w->counts.packages_by_witness[WITNESS_SIGNATURE], 1);
	/* Beside coreutils, which has a manifest, and local, which has none. */
	found = world_finding(t.w, RULE_FIRST_SIGHT, "host");
	assert_non_null(found);
	assert_true(bytes_has_prefix(found->detail, BYTES_LITERAL("3 packages, 2 of them proved")));
}

static void changed_file_is_named_by_signature(void **state)
{
	const struct finding *found;

	(void)state;
	trojan("/usr/bin/tool");
	found = judged(RULE_FILE_CHANGED, "/usr/bin/tool");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_SIGNATURE);
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_string_equal(found->letters, "S.5......");
	assert_int_equal(world_count(t.w, SEVERITY_LOW), 1);
}

static void prelink_is_named_and_excuses_nothing(void **state)
{
	const char *row[] = {"prelink", "0:0.4.0-1", "x86_64", "installed", "", NULL};
	const struct finding *found;

	(void)state;
	trojan("/usr/bin/tool");
	found = judged(RULE_FILE_CHANGED, "/usr/bin/tool");
	assert_null(memmem(found->detail.data, found->detail.len, "prelink", 7));
	side_record(&t.w->now, build_dir_key(SECTION_PACKAGES, "rpm"), row);
	found = judged(RULE_FILE_CHANGED, "/usr/bin/tool");
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_non_null(memmem(found->detail.data, found->detail.len, "prelink", 7));
}

/* The header of tool with digests of another kind: `seed` of build_md5 for all its files. */
static void use_digests(uint32_t algorithm, int seed)
{
	struct error err;

	t.tool.header.digest_algorithm = algorithm;
	for (size_t i = 0; i < FILES; i++) {
		t.tool.file[i].digest = build_md5(seed);
	}
	manifest_free(t.tool.manifest);
	assert_int_equal(
		rpm_manifest_make(&t.tool.header, "test", "Vendor", &t.tool.manifest, &err), 0);
	t.tool.proof.manifest = t.tool.manifest;
}

/* Of the content that a file has now. */
static void measure(const char *path, int seed)
{
	struct build_section *section = side_section(&t.w->now, rpm_key(SECTION_MD5, tool));
	static uint8_t sha256[64][DIGEST_SIZE];

	memcpy(sha256[seed], side_find(&t.w->now, path)->sha256.bytes, DIGEST_SIZE);
	section->by_path = true;
	section->record[section->count++] = (struct record){
		.count = MD5_FIELDS,
		.field = {bytes_from_string(path), bytes_make(sha256[seed], DIGEST_SIZE),
			  build_md5(seed)},
	};
}

static void old_digests_are_compared_where_measured(void **state)
{
	const struct finding *found;
	size_t skipped;

	(void)state;
	use_digests(RPM_DIGEST_MD5, 7);
	found = judged(RULE_HEADER_WEAK, "md5");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_INFO);
	assert_int_equal(world_count(t.w, SEVERITY_LOW), 0);
	skipped = t.w->counts.files_skipped;
	measure("/usr/bin/tool", 7);
	measure("/usr/share/tool", 8);
	found = judged(RULE_FILE_CHANGED, "/usr/share/tool");
	assert_non_null(found);
	assert_string_equal(found->letters, "..5......");
	assert_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	assert_int_equal(t.w->counts.files_skipped, skipped - 2);
	/* An MD5 of what was there before says nothing of what is there now. */
	side_find(&t.w->now, "/usr/share/tool")->sha256 = build_file("/x", 0, 98).sha256;
	assert_null(judged(RULE_FILE_CHANGED, "/usr/share/tool"));
	assert_int_equal(t.w->counts.files_skipped, skipped - 1);
}

static void digests_that_nobody_measures_are_told(void **state)
{
	(void)state;
	use_digests(RPM_DIGEST_SHA512, 7);
	assert_non_null(judged(RULE_HEADER_WEAK, "not-compared"));
	assert_null(world_finding(t.w, RULE_HEADER_WEAK, "md5"));
	assert_int_equal(world_count(t.w, SEVERITY_LOW), 0);
	side_find(&t.w->now, "/usr/share/tool")->size++;
	assert_string_equal(judged(RULE_FILE_CHANGED, "/usr/share/tool")->letters, "S.?......");
}

static void masked_columns_are_not_compared(void **state)
{
	(void)state;
	trojan("/usr/share/tool.loose");
	side_find(&t.w->now, "/usr/share/tool.loose")->mtime_s++;
	assert_quiet();
	side_find(&t.w->now, "/usr/share/tool.loose")->mode = 0600;
	assert_string_equal(judged(RULE_FILE_CHANGED, "/usr/share/tool.loose")->letters,
			    ".M.......");
}

/* A signature says nothing of content that the header leaves open. */
static void masked_content_is_not_proved(void **state)
{
	struct judge_counts before;

	(void)state;
	assert_quiet();
	before = t.w->counts;
	trojan("/usr/share/tool.loose");
	assert_quiet();
	assert_int_equal(t.w->counts.files_proved + 1, before.files_proved);
	assert_int_equal(t.w->counts.files_unproved, before.files_unproved + 1);
	/* Neither is it where something else is told of the file. */
	side_find(&t.w->now, "/usr/share/tool.loose")->mode = 0600;
	assert_non_null(judged(RULE_FILE_CHANGED, "/usr/share/tool.loose"));
	assert_int_equal(t.w->counts.files_proved + 1, before.files_proved);
}

static void masked_content_is_held_against_first_sight(void **state)
{
	const struct finding *found;

	(void)state;
	t.w->first = t.w->now;
	t.w->has_first = true;
	assert_quiet();
	trojan("/usr/share/tool.loose");
	found = judged(RULE_FILE_CHANGED, "/usr/share/tool.loose");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_FIRST_SIGHT);
	assert_string_equal(found->letters, "S.5......");
	assert_int_equal(world_count(t.w, SEVERITY_LOW), 1);
	/* It was so at first sight already. */
	t.w->first = t.w->now;
	assert_quiet();
}

static void masked_content_is_held_against_what_was_accepted(void **state)
{
	const struct finding *found;

	(void)state;
	*side_find(&t.w->now, "/usr/share/tool.loose") =
		build_file("/usr/share/tool.loose", 0644, 56);
	world_accept(t.w, *side_find(&t.w->now, "/usr/share/tool.loose"), 0);
	assert_quiet();
	*side_find(&t.w->now, "/usr/share/tool.loose") =
		build_file("/usr/share/tool.loose", 0644, 57);
	found = judged(RULE_FILE_CHANGED, "/usr/share/tool.loose");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_BASELINE);
}

/* What triggers write is each host's own; a program in its place is not. */
static void masked_cache_may_change_but_not_into_a_program(void **state)
{
	const struct bytes cache = BYTES_LITERAL("/etc/ld.so.cache");
	struct error err;

	(void)state;
	t.tool.file[FILE_LOOSE].path = cache;
	manifest_free(t.tool.manifest);
	assert_int_equal(
		rpm_manifest_make(&t.tool.header, "test", "Vendor", &t.tool.manifest, &err), 0);
	t.tool.proof.manifest = t.tool.manifest;
	side_find(&t.w->now, "/usr/share/tool.loose")->path = cache;
	t.w->first = t.w->now;
	t.w->has_first = true;
	trojan("/etc/ld.so.cache");
	assert_quiet();
	side_find(&t.w->now, "/etc/ld.so.cache")->magic = ENTRY_MAGIC_ELF;
	assert_non_null(judged(RULE_FILE_CHANGED, "/etc/ld.so.cache"));
}

static void ghost_may_be_absent_and_has_a_mode(void **state)
{
	(void)state;
	side_find(&t.w->now, "/var/log/tool")->mode = 0666;
	assert_non_null(judged(RULE_FILE_CHANGED, "/var/log/tool"));
	side_remove(&t.w->now, "/var/log/tool");
	assert_quiet();
}

static void unknown_owner_means_root(void **state)
{
	(void)state;
	assert_quiet();
	side_find(&t.w->now, "/usr/share/tool.foreign")->owner = BYTES_LITERAL("daemon");
	assert_string_equal(judged(RULE_FILE_CHANGED, "/usr/share/tool.foreign")->letters,
			    ".....U...");
}

static void directory_is_missed_and_has_a_mode(void **state)
{
	const struct finding *found;

	(void)state;
	side_find(&t.w->now, "/usr/lib/tool")->mode = 0777;
	found = judged(RULE_OWNER_CHANGED, "/usr/lib/tool");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_SIGNATURE);
	side_remove(&t.w->now, "/usr/lib/tool");
	found = judged(RULE_FILE_MISSING, "/usr/lib/tool");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_LOW);
	/* A host without merged /usr says it otherwise. */
	side_add(&t.w->now, build_dir_key(SECTION_DIRS, ""), build_dir("/lib/tool", 0755));
	assert_quiet();
}

static void left_out_documentation_is_not_missing(void **state)
{
	(void)state;
	side_remove(&t.w->now, "/usr/share/doc/tool");
	assert_non_null(judged(RULE_FILE_MISSING, "/usr/share/doc/tool"));
	set_claims("\0\0\0\2\0\0", false);
	assert_quiet();
	/* A command is never left out. */
	side_remove(&t.w->now, "/usr/bin/tool");
	set_claims("\2\0\0\2\0\0", false);
	assert_non_null(judged(RULE_FILE_MISSING, "/usr/bin/tool"));
	/* Other files are not left out, but may lie on another machine; a command may not. */
	side_remove(&t.w->now, "/usr/share/tool");
	set_claims("\3\2\0\2\0\0", false);
	assert_non_null(judged(RULE_FILE_MISSING, "/usr/share/tool"));
	set_claims("\3\3\0\2\0\0", false);
	assert_non_null(judged(RULE_FILE_MISSING, "/usr/bin/tool"));
	assert_null(world_finding(t.w, RULE_FILE_MISSING, "/usr/share/tool"));
}

static void states_that_hide_a_change_are_told(void **state)
{
	(void)state;
	set_claims("\2\2\2\2\2\2\2", false);
	assert_quiet(); /* wrong, and harmless */
	trojan("/usr/bin/tool");
	assert_non_null(judged(RULE_HEADER_STATES, "tool:x86_64"));
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	for (char hiding = 1; hiding <= 4; hiding++) {
		const char states[FILES] = {hiding};

		set_claims(states, false);
		assert_non_null(judged(RULE_HEADER_STATES, "tool:x86_64"));
	}
}

static void overriding_entries_are_told(void **state)
{
	const struct finding *found;

	(void)state;
	set_claims("\0\0\0\0\0\0", true);
	found = judged(RULE_HEADER_OVERRIDDEN, "tool:x86_64");
	assert_non_null(found);
	assert_non_null(memmem(found->detail.data, found->detail.len, "digests (1035)", 14));
	assert_false(world_accept_finding(t.w, found));
}

static void each_verdict_has_its_rule(void **state)
{
	static const struct {
		enum rpm_verdict verdict;
		enum rule rule;
		const char *subject;
		enum severity severity;
		bool acceptable;
	} rows[] = {
		{RPM_PROOF_UNSIGNED, RULE_HEADER_UNSIGNED, "tool:x86_64", SEVERITY_MEDIUM, true},
		{RPM_PROOF_UNSUPPORTED, RULE_HEADER_UNSIGNED, "tool:x86_64", SEVERITY_MEDIUM, true},
		{RPM_PROOF_UNKNOWN_KEY, RULE_HEADER_UNKNOWN_KEY, KEY, SEVERITY_MEDIUM, false},
		{RPM_PROOF_OUTSIDE, RULE_HEADER_OUTSIDE, "tool:x86_64", SEVERITY_HIGH, true},
		{RPM_PROOF_REVOKED, RULE_HEADER_OUTSIDE, "tool:x86_64", SEVERITY_HIGH, true},
		{RPM_PROOF_EXPIRED, RULE_HEADER_OUTSIDE, "tool:x86_64", SEVERITY_HIGH, true},
		{RPM_PROOF_BAD_SIGNATURE, RULE_HEADER_BAD, "tool:x86_64", SEVERITY_CRITICAL, false},
		{RPM_PROOF_MALFORMED, RULE_HEADER_BAD, "tool:x86_64", SEVERITY_CRITICAL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *found;

		t.tool.proof.verdict = rows[i].verdict;
		found = judged(rows[i].rule, rows[i].subject);
		assert_non_null(found);
		assert_int_equal(found->severity, rows[i].severity);
		assert_int_equal(t.w->counts.packages_by_witness[WITNESS_SIGNATURE], 0);
		if (rows[i].acceptable) {
			size_t records = t.w->record_count;

			assert_true(world_accept_finding(t.w, found));
			assert_null(judged(rows[i].rule, rows[i].subject));
			t.w->record_count = records;
		} else {
			assert_false(world_accept_finding(t.w, found));
		}
	}
}

static void unproved_package_is_held_against_its_own_header(void **state)
{
	const struct finding *found;

	(void)state;
	t.tool.proof.verdict = RPM_PROOF_UNSIGNED;
	trojan("/usr/bin/tool");
	found = judged(RULE_FILE_CHANGED, "/usr/bin/tool");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_HOST);
}

static void header_of_another_package_proves_nothing(void **state)
{
	(void)state;
	t.tool.header.name = BYTES_LITERAL("another");
	assert_non_null(judged(RULE_HEADER_BAD, "tool:x86_64"));
	assert_int_equal(t.w->counts.packages_by_witness[WITNESS_SIGNATURE], 0);
}

static void manifest_in_git_that_disagrees_is_told(void **state)
{
	struct build_manifest *git = world_manifest(t.w, tool, "Mirror");

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		manifest_put(git, t.tool.manifest->entries[i].entry, 0);
	}
	assert_quiet();
	git->entry[0].entry.mode ^= 1;
	assert_non_null(judged(RULE_HEADER_MANIFEST, "tool:x86_64"));
}

static void path_of_two_packages_may_be_either_ones(void **state)
{
	struct entry file[2];

	(void)state;
	/* Another build of the same paths, which is the one on disk. */
	file[0] = build_file("/usr/bin/tool", 04755, 60);
	file[1] = build_file("/usr/share/tool", 0644, 61);
	manifest_free(t.other.manifest);
	make(&t.other, multilib, "header of multilib", file, 2);
	install(&t.other, multilib, file, 2);
	*side_find(&t.w->now, "/usr/bin/tool") = file[0];
	*side_find(&t.w->now, "/usr/share/tool") = file[1];
	assert_quiet();
	/* What neither has is told, and the time of a shared path is nobody's. */
	for (size_t i = 0; i < t.w->now.count; i++) {
		struct build_section *section = &t.w->now.section[i];

		for (size_t e = 0; e < section->count && section->key.kind == SECTION_PACKAGE;
		     e++) {
			if (bytes_equal_string(section->entry[e].path, "/usr/bin/tool")) {
				section->entry[e].mtime_s++;
			}
		}
	}
	assert_quiet();
	trojan("/usr/bin/tool");
	assert_non_null(judged(RULE_FILE_CHANGED, "/usr/bin/tool"));
}

/* Who may sign any package signs one that brings an old tool under a name of its own. */
static void signed_package_of_another_name_explains_no_change(void **state)
{
	const struct finding *found;
	struct entry file[2];

	(void)state;
	file[0] = build_file("/usr/bin/tool", 04755, 60);
	file[1] = build_file("/usr/share/tool", 0644, 51);
	manifest_free(t.other.manifest);
	make(&t.other, other, "header of other", file, 2);
	install(&t.other, other, file, 2);
	*side_find(&t.w->now, "/usr/bin/tool") = file[0];
	found = judged(RULE_FILE_CHANGED, "/usr/bin/tool");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_int_equal(found->witness, WITNESS_SIGNATURE);
	assert_non_null(memmem(found->detail.data, found->detail.len, "other 0:1.0-1", 13));
	/* What both have alike is shared as ever: even its time. */
	assert_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/share/tool"));
	side_find(&t.w->now, "/usr/share/tool")->mtime_s++;
	assert_null(judged(RULE_FILE_CHANGED, "/usr/share/tool"));
	/* A replaced file is told of the file, and is no deception. */
	set_claims("\1\0\0\0\0\0", false);
	assert_non_null(judged(RULE_FILE_CHANGED, "/usr/bin/tool"));
	assert_null(world_finding(t.w, RULE_HEADER_STATES, "tool:x86_64"));
	/* rpm itself lets a 64-bit program stand over a 32-bit one. */
	t.tool.file[FILE_TOOL].color = 1;
	t.other.file[FILE_TOOL].color = 2;
	assert_null(judged(RULE_FILE_CHANGED, "/usr/bin/tool"));
	t.tool.file[FILE_TOOL].color = 2;
	t.other.file[FILE_TOOL].color = 1;
	assert_non_null(judged(RULE_FILE_CHANGED, "/usr/bin/tool"));
}

/* As rpm -i --force leaves it: both are in the database, the old files lie there. */
static void older_build_beside_explains_nothing(void **state)
{
	struct entry file[2];

	(void)state;
	file[0] = build_file("/usr/bin/tool", 04755, 60);
	file[1] = build_file("/usr/share/tool", 0644, 61);
	manifest_free(t.other.manifest);
	make(&t.other, older, "header of older", file, 2);
	install(&t.other, older, file, 2);
	*side_find(&t.w->now, "/usr/bin/tool") = file[0];
	*side_find(&t.w->now, "/usr/share/tool") = file[1];
	assert_non_null(judged(RULE_FILE_CHANGED, "/usr/bin/tool"));
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/share/tool"));
}

/* A ghost's content is nobody's, and what is not compared fits anything. */
static void other_package_explains_only_what_it_compares(void **state)
{
	struct error err;

	(void)state;
	t.other.file[0].flags = RPM_FILE_GHOST;
	t.other.file[1].verify = ALL & ~0x23U;
	manifest_free(t.other.manifest);
	assert_int_equal(
		rpm_manifest_make(&t.other.header, "test", "Vendor", &t.other.manifest, &err), 0);
	t.other.proof.manifest = t.other.manifest;
	install(&t.other, other, NULL, 0);
	trojan("/usr/bin/tool");
	trojan("/usr/share/tool");
	assert_non_null(judged(RULE_FILE_CHANGED, "/usr/bin/tool"));
	assert_string_equal(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool")->letters,
			    "S.5......");
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/share/tool"));
}

static void build_put_beside_a_newer_one_is_a_downgrade(void **state)
{
	const char *row[] = {"tool", "0:2.0-1", "x86_64", "installed", "", NULL};

	(void)state;
	t.w->last = t.w->now;
	side_forget(&t.w->last, tool);
	side_record(&t.w->last, build_dir_key(SECTION_PACKAGES, "rpm"), row);
	t.w->first = t.w->last;
	t.w->has_last = t.w->has_first = true;
	side_record(&t.w->now, build_dir_key(SECTION_PACKAGES, "rpm"), row);
	assert_non_null(judged(RULE_PACKAGE_DOWNGRADED, "tool:x86_64"));
	assert_null(world_finding(t.w, RULE_PACKAGE_UPGRADED, "tool:x86_64"));
}

static void package_without_a_header_is_told(void **state)
{
	struct section_key header = rpm_key(SECTION_HEADER, tool);

	(void)state;
	for (size_t i = 0; i < t.w->now.count; i++) {
		struct build_section *section = &t.w->now.section[i];

		if (section->key.kind == SECTION_HEADER &&
		    bytes_equal(section->key.part[2], header.part[2])) {
			*section = t.w->now.section[--t.w->now.count];
		}
	}
	assert_non_null(judged(RULE_HEADER_UNSIGNED, "tool:x86_64"));
}

/* What rpm keeps its keys as has no files. */
static void key_with_files_is_no_key(void **state)
{
	static const struct build_package key = {"gpg-pubkey", "0:1-1", "(none)"};
	const char *row[] = {"gpg-pubkey", "0:1-1", "(none)", "installed", "", NULL};

	(void)state;
	side_record(&t.w->now, build_dir_key(SECTION_PACKAGES, "rpm"), row);
	assert_quiet();
	side_add(&t.w->now, rpm_key(SECTION_PACKAGE, key), build_elf("/usr/bin/planted", 0755, 70));
	assert_non_null(judged(RULE_HEADER_UNSIGNED, "gpg-pubkey:(none)"));
}

static void gained_setid_and_capabilities_are_never_masked(void **state)
{
	static const uint8_t caps[20] = {1, 0, 0, 2, 0, 0x20};
	struct error err;

	(void)state;
	t.tool.file[FILE_LOOSE].verify = 0;
	manifest_free(t.tool.manifest);
	assert_int_equal(
		rpm_manifest_make(&t.tool.header, "test", "Vendor", &t.tool.manifest, &err), 0);
	t.tool.proof.manifest = t.tool.manifest;
	side_find(&t.w->now, "/usr/share/tool.loose")->mode = 0755;
	assert_quiet();
	side_find(&t.w->now, "/usr/share/tool.loose")->mode = 04755;
	assert_non_null(judged(RULE_SETID_GAINED, "/usr/share/tool.loose"));
	side_find(&t.w->now, "/usr/share/tool.loose")->mode = 0755;
	side_find(&t.w->now, "/usr/share/tool.loose")->caps = bytes_make(caps, sizeof(caps));
	assert_non_null(judged(RULE_CAPABILITY_GAINED, "/usr/share/tool.loose"));
}

/* A manifest of git that leaves the mode open, as those of packages with a mask do. */
static void manifest_without_modes_lets_none_gain_setid(void **state)
{
	static const struct build_package plain = {"plain", "1", "amd64"};
	struct build_manifest *git = world_manifest(t.w, plain, "Mirror");

	(void)state;
	manifest_put(git, build_file("/usr/bin/plain", 0755, 20), MANIFEST_NOMODE);
	side_package(&t.w->now, plain, "install ok installed");
	side_add(&t.w->now, build_key(SECTION_PACKAGE, plain),
		 build_file("/usr/bin/plain", 0711, 20));
	assert_quiet();
	side_find(&t.w->now, "/usr/bin/plain")->mode = 04711;
	assert_non_null(judged(RULE_SETID_GAINED, "/usr/bin/plain"));
}

static void kernels_side_by_side_are_no_downgrade(void **state)
{
	const char *row[] = {"tool", "0:2.0-1", "x86_64", "installed", "", NULL};

	(void)state;
	side_record(&t.w->now, build_dir_key(SECTION_PACKAGES, "rpm"), row);
	t.w->last = t.w->now;
	t.w->has_last = true;
	assert_null(judged(RULE_PACKAGE_DOWNGRADED, "tool:x86_64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signed_package_is_proved_by_its_header, setup,
						teardown),
		cmocka_unit_test_setup_teardown(changed_file_is_named_by_signature, setup,
						teardown),
		cmocka_unit_test_setup_teardown(prelink_is_named_and_excuses_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(old_digests_are_compared_where_measured, setup,
						teardown),
		cmocka_unit_test_setup_teardown(digests_that_nobody_measures_are_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(masked_columns_are_not_compared, setup, teardown),
		cmocka_unit_test_setup_teardown(masked_content_is_not_proved, setup, teardown),
		cmocka_unit_test_setup_teardown(masked_content_is_held_against_first_sight, setup,
						teardown),
		cmocka_unit_test_setup_teardown(masked_content_is_held_against_what_was_accepted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(masked_cache_may_change_but_not_into_a_program,
						setup, teardown),
		cmocka_unit_test_setup_teardown(ghost_may_be_absent_and_has_a_mode, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unknown_owner_means_root, setup, teardown),
		cmocka_unit_test_setup_teardown(directory_is_missed_and_has_a_mode, setup,
						teardown),
		cmocka_unit_test_setup_teardown(left_out_documentation_is_not_missing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(states_that_hide_a_change_are_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(overriding_entries_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(each_verdict_has_its_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(unproved_package_is_held_against_its_own_header,
						setup, teardown),
		cmocka_unit_test_setup_teardown(header_of_another_package_proves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(manifest_in_git_that_disagrees_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(path_of_two_packages_may_be_either_ones, setup,
						teardown),
		cmocka_unit_test_setup_teardown(signed_package_of_another_name_explains_no_change,
						setup, teardown),
		cmocka_unit_test_setup_teardown(older_build_beside_explains_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_package_explains_only_what_it_compares, setup,
						teardown),
		cmocka_unit_test_setup_teardown(build_put_beside_a_newer_one_is_a_downgrade, setup,
						teardown),
		cmocka_unit_test_setup_teardown(package_without_a_header_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(key_with_files_is_no_key, setup, teardown),
		cmocka_unit_test_setup_teardown(gained_setid_and_capabilities_are_never_masked,
						setup, teardown),
		cmocka_unit_test_setup_teardown(manifest_without_modes_lets_none_gain_setid, setup,
						teardown),
		cmocka_unit_test_setup_teardown(kernels_side_by_side_are_no_downgrade, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
