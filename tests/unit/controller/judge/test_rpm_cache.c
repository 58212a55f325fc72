// SPDX-License-Identifier: MIT
/* What one rpm host's verdicts say of another, and what they must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "baselines/rpm/manifest.h"
#include "controller/judge/cache.h"
#include "controller/judge/rpm_shared.h"
#include "tests/unit/controller/judge/both_ways.h"
#include "tests/unit/controller/judge/rpm_world.h"

#define HOSTS 600

static uint64_t state_of_random = 3;

static uint32_t rnd(uint32_t below)
{
	state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(state_of_random >> 33) % below;
}

static const char *const paths[] = {
	"/usr/bin/tool", "/usr/share/tool",         "/usr/share/tool.loose", "/usr/share/doc/tool",
	"/var/log/tool", "/usr/share/tool.foreign", "/usr/lib/tool"};

static void change(struct entry *entry)
{
	static const uint8_t caps[20] = {1, 0, 0, 2, 0, 0x20};

	switch (rnd(6)) {
	case 0:
		entry->sha256.bytes[9] ^= 1;
		break;
	case 1:
		entry->mode ^= 02022U;
		break;
	case 2:
		entry->mtime_s++;
		break;
	case 3:
		entry->owner = rnd(2) == 0 ? BYTES_LITERAL("daemon") : BYTES_LITERAL("#1");
		break;
	case 4:
		entry->caps = entry->type == ENTRY_FILE ? bytes_make(caps, sizeof(caps))
							: entry->caps;
		break;
	default:
		entry->flags ^= entry->type == ENTRY_FILE ? ENTRY_IMMUTABLE : 0U;
		break;
	}
}

static void set_users(uint32_t which)
{
	static const uint8_t users[4][40] = {"root\0\0\0\0\0daemon\0\0\0\0\1",
					     "root\0\0\0\0\0daemon\0\0\0\0\2",
					     "root\0\0\0\0\0nobody-here\0\0\0\0\1", "root\0\0"};
	static const size_t len[4] = {20, 20, 25, 6};

	side_section(&t.w->now, build_dir_key(SECTION_HOST, ""))->record[0].field[1] =
		bytes_make(users[which], len[which]);
}

/* Another package that has two of the paths, as tool has them or not. */
static void install_other(uint32_t which)
{
	static struct entry file[2]; /* digests are borrowed */

	file[0] = build_file("/usr/bin/tool", 04755, which == 0 ? 50 : 60);
	file[1] = build_file("/usr/share/tool", 0644, 51);
	manifest_free(t.other.manifest);
	make(&t.other, which == 2 ? multilib : other, "header of other", file, 2);
	install(&t.other, which == 2 ? multilib : other, NULL, 0);
}

static void vary(void)
{
	static const enum rpm_verdict verdicts[] = {
		RPM_PROOF_GOOD, RPM_PROOF_GOOD,        RPM_PROOF_GOOD,    RPM_PROOF_GOOD,
		RPM_PROOF_GOOD, RPM_PROOF_UNKNOWN_KEY, RPM_PROOF_OUTSIDE, RPM_PROOF_UNSIGNED};
	static const char *const prelink[] = {"prelink", "0:1-1", "x86_64", "installed", "", NULL};
	static const char *const newer[] = {"tool", "0:2.0-1", "x86_64", "installed", "", NULL};
	struct entry *entry;

	set_users(rnd(4));
	t.tool.proof.verdict = verdicts[rnd(8)];
	t.tool.proof.fingerprint = rnd(4) == 0 ? "0123456789ABCDEF" : KEY;
	if (rnd(3) == 0) {
		t.w->first = t.w->last = t.w->now;
		t.w->has_first = true;
		t.w->has_last = rnd(2) == 0;
		if (rnd(3) == 0) {
			side_record(&t.w->last, build_dir_key(SECTION_PACKAGES, "rpm"), newer);
		}
	}
	for (uint32_t changes = rnd(3); changes > 0; changes--) {
		entry = side_find(&t.w->now, paths[rnd(7)]);
		if (entry) {
			change(entry);
		}
	}
	if (rnd(5) == 0) {
		side_remove(&t.w->now, paths[rnd(7)]);
	}
	if (rnd(3) == 0) {
		install_other(rnd(3));
		t.other.proof.verdict = rnd(4) == 0 ? RPM_PROOF_UNSIGNED : RPM_PROOF_GOOD;
	}
	if (rnd(6) == 0) {
		side_record(&t.w->now, build_dir_key(SECTION_PACKAGES, "rpm"), prelink);
	}
	if (rnd(3) == 0) {
		const char states[FILES] = {(char)rnd(5), (char)rnd(5), 0, (char)rnd(3)};

		set_claims(states, rnd(4) == 0);
	}
	if (rnd(8) == 0) {
		world_accept(t.w, build_file("/usr/bin/tool", 04755, 60), 0);
	}
}

static void verdicts_of_other_rpm_hosts_are_ones_own(void **state)
{
	for (int i = 0; i < HOSTS; i++) {
		(void)setup(state);
		vary();
		judge_rpm();
		(void)teardown(state);
	}
}

/* Two hosts one after another with one cache. */
struct pair {
	struct judge_cache *cache;
	size_t hits;
	size_t misses;
};

static void begin(struct pair *pair)
{
	static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {9};
	struct error err;

	*pair = (struct pair){.cache = NULL};
	assert_int_equal(judge_cache_new(&pair->cache, (size_t)64 << 20, seed, &err), 0);
	t.w->cache = pair->cache;
	t.w->keeps_objects = true;
	world_judge(t.w);
	judge_cache_count(pair->cache, &pair->hits, &pair->misses);
}

/* Units that were judged anew on this host. */
static size_t next(struct pair *pair)
{
	size_t misses = pair->misses;

	world_judge(t.w);
	judge_cache_count(pair->cache, &pair->hits, &pair->misses);
	return pair->misses - misses;
}

static void end(struct pair *pair)
{
	t.w->cache = NULL;
	judge_cache_free(pair->cache);
}

static void equal_rpm_host_is_not_judged_again(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	assert_int_equal(next(&pair), 0);
	assert_int_equal(t.w->counts.packages_by_witness[WITNESS_SIGNATURE], 1);
	/* Nor one with a finding that no other package has a part in. */
	trojan("/usr/bin/tool");
	assert_int_not_equal(next(&pair), 0);
	assert_int_equal(next(&pair), 0);
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	end(&pair);
}

/* A user that the package does not name changes nothing; one that it names does. */
static void names_are_asked_for_again(void **state)
{
	static const uint8_t more[] = "root\0\0\0\0\0daemon\0\0\0\0\1somebody\0\0\0\3\xe8";
	struct pair pair;

	(void)state;
	begin(&pair);
	side_section(&t.w->now, build_dir_key(SECTION_HOST, ""))->record[0].field[1] =
		bytes_make(more, sizeof(more) - 1);
	assert_int_equal(next(&pair), 0);
	set_users(2);
	assert_int_not_equal(next(&pair), 0);
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/share/tool.foreign"));
	end(&pair);
}

static void proofs_are_asked_for_again(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	t.tool.proof.verdict = RPM_PROOF_REVOKED;
	assert_int_not_equal(next(&pair), 0);
	assert_non_null(world_finding(t.w, RULE_HEADER_OUTSIDE, "tool:x86_64"));
	t.tool.proof.verdict = RPM_PROOF_GOOD;
	assert_int_equal(next(&pair), 0);
	assert_null(world_finding(t.w, RULE_HEADER_OUTSIDE, "tool:x86_64"));
	end(&pair);
}

static void unknown_keys_are_told_of_each_host(void **state)
{
	struct pair pair;

	(void)state;
	t.tool.proof.verdict = RPM_PROOF_UNKNOWN_KEY;
	begin(&pair);
	assert_non_null(world_finding(t.w, RULE_HEADER_UNKNOWN_KEY, KEY));
	assert_int_equal(next(&pair), 0);
	assert_non_null(world_finding(t.w, RULE_HEADER_UNKNOWN_KEY, KEY));
	end(&pair);
}

/* The header that says so is asked for anew: that of the first host may be gone. */
static void directories_are_expected_on_each_host(void **state)
{
	struct pair pair;

	(void)state;
	begin(&pair);
	manifest_free(t.tool.manifest);
	t.tool.manifest = NULL;
	{
		struct error err;

		assert_int_equal(
			rpm_manifest_make(&t.tool.header, "test", "Vendor", &t.tool.manifest, &err),
			0);
	}
	t.tool.proof.manifest = t.tool.manifest;
	side_find(&t.w->now, "/usr/lib/tool")->mode = 0777;
	/* Of the directories alone. */
	assert_int_equal(next(&pair), 1);
	assert_non_null(world_finding(t.w, RULE_OWNER_CHANGED, "/usr/lib/tool"));
	end(&pair);
}

/* In both directions: the other package comes, and goes. */
static void path_of_another_package_is_no_hosts_but_its_own(void **state)
{
	struct pair pair;

	(void)state;
	*side_find(&t.w->now, "/usr/bin/tool") = build_file("/usr/bin/tool", 04755, 60);
	begin(&pair);
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	install_other(2);
	assert_int_not_equal(next(&pair), 0);
	assert_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	for (size_t i = 0; i < t.w->now.count; i++) {
		if (bytes_equal_string(t.w->now.section[i].key.part[4], "i686")) {
			t.w->now.section[i] = t.w->now.section[--t.w->now.count];
			i--;
		}
	}
	(void)next(&pair);
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	end(&pair);
}

/* Claims of a first sight by protocol 3 are no other's, and not asked for. */
static void what_rpm_claimed_before_does_not_matter(void **state)
{
	struct build_section *claims;
	struct pair pair;

	(void)state;
	t.w->first = t.w->now;
	t.w->has_first = true;
	begin(&pair);
	claims = side_section(&t.w->first, rpm_key(SECTION_CLAIMS, tool));
	claims->raw = "\x81";
	claims->raw_len = 1;
	assert_int_equal(next(&pair), 0);
	end(&pair);
}

/* A first sight without a list of packages knows none; one with a list knows what is new. */
static void list_that_is_missing_is_no_empty_list(void **state)
{
	struct section_key list = build_dir_key(SECTION_PACKAGES, "rpm");
	const struct build_package plain = {"plain", "0:1-1", "x86_64"};
	const char *row[] = {"plain", "0:1-1", "x86_64", "installed", "", NULL};
	struct pair pair;

	(void)state;
	t.w->proofs = NULL;
	t.w->first = t.w->now;
	t.w->has_first = true;
	side_record(&t.w->now, list, row);
	side_add(&t.w->now, rpm_key(SECTION_PACKAGE, plain),
		 build_file("/usr/bin/plain", 0755, 20));
	for (size_t i = 0; i < t.w->first.count; i++) {
		struct build_section *section = &t.w->first.section[i];

		if (section->key.kind == SECTION_PACKAGES &&
		    bytes_equal_string(section->key.part[1], "rpm")) {
			*section = t.w->first.section[--t.w->first.count];
			break;
		}
	}
	begin(&pair);
	assert_null(world_finding(t.w, RULE_PACKAGE_UNPROVED, "plain:x86_64"));
	row[0] = "tool";
	row[1] = "0:1.0-1";
	side_record(&t.w->first, list, row);
	(void)next(&pair);
	assert_non_null(world_finding(t.w, RULE_PACKAGE_UNPROVED, "plain:x86_64"));
	end(&pair);
}

/* Of a host that failed nothing is left that would be told of the next one. */
static void directories_that_were_not_read_are_missing_on_no_host(void **state)
{
	struct digest dirs = {{0}};
	struct pair pair;

	(void)state;
	world_encode(t.w);
	for (size_t i = 0; i < t.w->now.count; i++) {
		struct section_key key;

		assert_true(section_key_decode(t.w->now.observation.sections[i].key, &key));
		if (key.kind == SECTION_DIRS) {
			dirs = t.w->now.observation.sections[i].content;
		}
	}
	t.w->lost = &dirs;
	begin(&pair);
	t.w->lost = NULL;
	(void)next(&pair);
	assert_null(world_finding(t.w, RULE_FILE_MISSING, "/usr/lib/tool"));
	side_remove(&t.w->now, "/usr/lib/tool");
	(void)next(&pair);
	assert_non_null(world_finding(t.w, RULE_FILE_MISSING, "/usr/lib/tool"));
	end(&pair);
}

/* A host may make any number of headers that have one path, but not sign them. */
static void headers_that_nobody_signed_share_no_paths(void **state)
{
	struct pair pair;

	(void)state;
	trojan("/usr/bin/tool");
	t.tool.proof.verdict = RPM_PROOF_UNKNOWN_KEY;
	begin(&pair);
	assert_non_null(world_finding(t.w, RULE_FILE_CHANGED, "/usr/bin/tool"));
	assert_int_equal(rpm_shared_bytes(pair.cache->shared), 0);
	t.tool.proof.verdict = RPM_PROOF_GOOD;
	(void)next(&pair);
	assert_int_not_equal(rpm_shared_bytes(pair.cache->shared), 0);
	end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_of_other_rpm_hosts_are_ones_own),
		cmocka_unit_test_setup_teardown(equal_rpm_host_is_not_judged_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(names_are_asked_for_again, setup, teardown),
		cmocka_unit_test_setup_teardown(proofs_are_asked_for_again, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_keys_are_told_of_each_host, setup,
						teardown),
		cmocka_unit_test_setup_teardown(directories_are_expected_on_each_host, setup,
						teardown),
		cmocka_unit_test_setup_teardown(path_of_another_package_is_no_hosts_but_its_own,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_rpm_claimed_before_does_not_matter, setup,
						teardown),
		cmocka_unit_test_setup_teardown(list_that_is_missing_is_no_empty_list, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			directories_that_were_not_read_are_missing_on_no_host, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_that_nobody_signed_share_no_paths, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
