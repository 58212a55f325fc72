// SPDX-License-Identifier: MIT
/* Versions, origins, spellings: which reference a package is held against. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/record.h"
#include "tests/unit/controller/judge/builder.h"

static int setup(void **state)
{
	struct world *w = world_new();

	world_standard(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* The same files under another version; with a manifest if it had one. */
static void change_version(struct world *w, struct side *side, struct build_package *package,
			   const char *version)
{
	struct build_package other = *package;

	other.version = version;
	for (size_t s = 0; s < side->count; s++) {
		struct section_key *key = &side->section[s].key;

		if (section_kind_is_of_package(key->kind) &&
		    bytes_equal_string(key->part[2], package->name)) {
			*key = build_key(key->kind, other);
		}
	}
	side_remove_record(side, SECTION_PACKAGES, package->name);
	side_package(side, other, "install ok installed");
	for (size_t i = 0; i < w->manifest_count; i++) {
		if (strcmp(w->manifest[i].package.name, package->name) == 0 &&
		    strcmp(w->manifest[i].package.version, package->version) == 0) {
			w->manifest[w->manifest_count] = w->manifest[i];
			w->manifest[w->manifest_count++].package = other;
			break;
		}
	}
	*package = other;
}

static void proved_upgrade_is_information(void **state)
{
	struct world *w = *state;
	struct build_package p = build_coreutils;
	const struct finding *found;

	w->last = w->first;
	w->has_last = true;
	change_version(w, &w->now, &p, "9.1-2");
	world_judge(w);
	found = world_finding(w, RULE_PACKAGE_UPGRADED, "coreutils:amd64");
	assert_non_null(found);
	assert_int_equal(found->state, FINDING_EXPLAINED);
	assert_int_equal(found->severity, SEVERITY_INFO);
	assert_true(bytes_equal_string(found->old_value, "package dpkg coreutils 9.1-1 amd64"));
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	/* The next night it is no news. */
	w->last = w->now;
	world_judge(w);
	assert_null(world_finding(w, RULE_PACKAGE_UPGRADED, "coreutils:amd64"));
}

static void downgrade_is_never_explained(void **state)
{
	struct world *w = *state;
	struct build_package p = build_coreutils;
	const struct finding *found;

	change_version(w, &w->now, &p, "9.1-1~deb12u1");
	world_judge(w);
	found = world_finding(w, RULE_PACKAGE_DOWNGRADED, "coreutils:amd64");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_int_equal(found->witness, WITNESS_MANIFEST);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
}

/* 1 at first sight, then 3, then 2: below what it was last night, above what it was first. */
static void downgrade_stays_open_when_the_last_run_has_it_too(void **state)
{
	struct world *w = *state;
	struct build_package p = build_coreutils;
	struct error err;

	w->last = w->first;
	w->has_last = true;
	change_version(w, &w->last, &p, "9.3");
	p = build_coreutils;
	change_version(w, &w->now, &p, "9.2");
	world_judge(w);
	assert_non_null(world_finding(w, RULE_PACKAGE_DOWNGRADED, "coreutils:amd64"));
	for (size_t i = 0; i < w->findings.count; i++) {
		assert_int_equal(findings_add(&w->open, &w->findings.item[i], &err), 0);
	}
	w->last = w->now;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_PACKAGE_DOWNGRADED, "coreutils:amd64"));
	/* Up again: over. */
	change_version(w, &w->now, &p, "9.3");
	world_judge(w);
	assert_null(world_finding(w, RULE_PACKAGE_DOWNGRADED, "coreutils:amd64"));
}

static void accepted_downgrade_is_silent(void **state)
{
	struct world *w = *state;
	struct build_package p = build_coreutils;

	change_version(w, &w->now, &p, "9.0");
	world_judge(w);
	assert_true(world_accept_finding(
		w, world_finding(w, RULE_PACKAGE_DOWNGRADED, "coreutils:amd64")));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
}

static void upgrade_by_the_hosts_word_is_unproved(void **state)
{
	struct world *w = *state;
	struct build_package p = build_local;
	const struct finding *found;

	change_version(w, &w->now, &p, "1.1");
	world_judge(w);
	found = world_finding(w, RULE_PACKAGE_UNPROVED, "local:all");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_MEDIUM);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	assert_true(world_accept_finding(w, found));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	assert_int_equal(w->counts.packages_by_witness[WITNESS_BASELINE], 1);
}

static void unproved_upgrade_keeps_its_configurations_reference(void **state)
{
	struct world *w = *state;
	struct build_package p = build_local;

	change_version(w, &w->now, &p, "1.1");
	side_find(&w->now, "/etc/local.conf")->size = 5;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_CONFIG_CHANGED, "/etc/local.conf"));
}

static void new_package_after_a_capture_is_unproved(void **state)
{
	static const struct build_package other = {"other", "1", "all"};
	struct world *w = *state;

	world_capture(w);
	side_package(&w->now, other, "install ok installed");
	side_package(&w->first, other, "install ok installed");
	side_add(&w->now, build_key(SECTION_PACKAGE, other), build_file("/usr/share/o", 0644, 50));
	side_add(&w->first, build_key(SECTION_PACKAGE, other),
		 build_file("/usr/share/o", 0644, 50));
	world_judge(w);
	/* First sight has no say after a capture. */
	assert_non_null(world_finding(w, RULE_PACKAGE_UNPROVED, "other:all"));
}

static void changed_package_is_held_against_the_accepted_content(void **state)
{
	struct world *w = *state;
	const struct finding *found;

	world_capture(w);
	w->keeps_objects = true;
	side_find(&w->now, "/usr/bin/localtool")->mode = 0777;
	side_find(&w->first, "/usr/share/local/data")->size = 1;
	world_judge(w);
	found = world_finding(w, RULE_FILE_CHANGED, "/usr/bin/localtool");
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_BASELINE);
	assert_string_equal(found->letters, ".M.......");
}

static void accepted_content_that_is_not_at_hand_is_no_silence(void **state)
{
	struct world *w = *state;
	const struct finding *found;

	world_capture(w);
	side_find(&w->now, "/usr/bin/localtool")->mode = 0777;
	side_find(&w->first, "/usr/share/local/data")->size = 1;
	world_judge(w);
	found = world_finding(w, RULE_PACKAGE_UNPROVED, "local:all");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_true(found->old_value.len > 0);
}

static void package_must_equal_one_manifest_wholly(void **state)
{
	struct world *w = *state;
	struct build_manifest *other = &w->manifest[w->manifest_count++];
	const struct finding *found;

	/* Rebuilt elsewhere with other bytes: login and ls differ. */
	*other = w->manifest[0];
	other->manifest.origin = w->manifest[0].manifest.origin;
	for (size_t i = 0; i < other->manifest.count; i++) {
		if (bytes_equal_string(other->entry[i].entry.path, "/usr/bin/login")) {
			other->entry[i].entry = build_file("/usr/bin/login", 0755, 51);
		}
		if (bytes_equal_string(other->entry[i].entry.path, "/usr/bin/ls")) {
			other->entry[i].entry = build_file("/usr/bin/ls", 0755, 52);
		}
	}
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	/* All of the other build is as good. */
	*side_find(&w->now, "/usr/bin/login") = build_file("/usr/bin/login", 0755, 51);
	*side_find(&w->now, "/usr/bin/ls") = build_file("/usr/bin/ls", 0755, 52);
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	/* Half of it is not. */
	*side_find(&w->now, "/usr/bin/ls") = build_file("/usr/bin/ls", 0755, 1);
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 2);
	found = world_finding(w, RULE_PACKAGE_MIXED, "coreutils:amd64");
	assert_non_null(found);
	assert_non_null(
		strstr((const char *)found->detail.data, "1 of its files are those of 9.1-1 ("));
	found = world_finding(w, RULE_FILE_CHANGED, "/usr/bin/login");
	assert_true(found || world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ls"));
}

/* /bin/ls on a host without merged /usr is what the manifest calls /usr/bin/ls. */
static void unmerged_host_equals_a_canonical_manifest(void **state)
{
	struct world *w = *state;

	side_find(&w->now, "/usr/bin/ls")->path = BYTES_LITERAL("/bin/ls");
	side_find(&w->now, "/usr/bin/su")->path = BYTES_LITERAL("/bin/su");
	side_find_claim(&w->now, "/usr/bin/ls")->field[CLAIM_PATH] = BYTES_LITERAL("/bin/ls");
	side_find_claim(&w->now, "/usr/bin/su")->field[CLAIM_PATH] = BYTES_LITERAL("/bin/su");
	side_add(&w->now, build_dir_key(SECTION_DIRS, ""), build_dir("/bin", 0755));
	side_add(&w->first, build_dir_key(SECTION_DIRS, ""), build_dir("/bin", 0755));
	side_section(&w->now, build_dir_key(SECTION_EXCEPTIONS, "dpkg"))
		->record[0]
		.field[ALTERNATIVE_TARGET] = BYTES_LITERAL("/bin/ls");
	side_find(&w->now, "/etc/alternatives/editor")->link = BYTES_LITERAL("/bin/ls");
	world_judge(w);
	if (world_count(w, SEVERITY_LOW) != 0) {
		world_print(w);
	}
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	side_find(&w->now, "/bin/ls")->size = 1;
	side_find_claim(&w->now, "/bin/su")->field[CLAIM_MD5] = build_md5(60);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_FILE_CHANGED, "/bin/ls"));
	assert_non_null(world_finding(w, RULE_DATABASE_DISAGREES, "/bin/su"));
	assert_int_equal(world_count(w, SEVERITY_LOW), 2);
}

static void package_with_an_emptied_list_misses_its_files(void **state)
{
	struct world *w = *state;
	struct section_key key = build_key(SECTION_PACKAGE, build_coreutils);

	/* No section at all: the host says the package has no files. */
	for (size_t s = 0; s < w->now.count; s++) {
		if (w->now.section[s].key.kind == SECTION_PACKAGE &&
		    bytes_equal(w->now.section[s].key.part[2], key.part[2])) {
			w->now.section[s] = w->now.section[--w->now.count];
			break;
		}
	}
	world_judge(w);
	assert_non_null(world_finding(w, RULE_FILE_MISSING, "/usr/bin/ls"));
	/* Unless it was told that the database could not be read. */
	w->now.coverage[0].state = COVERAGE_PARTIAL;
	world_judge(w);
	assert_null(world_finding(w, RULE_FILE_MISSING, "/usr/bin/ls"));
}

/* Else a host would hold the lock, or name a package twice, and nothing would ever be missing. */
static void lock_held_hides_no_absence(void **state)
{
	struct world *w = *state;

	side_remove(&w->now, "/usr/bin/ps");
	side_coverage(&w->now, "packages", "", COVERAGE_PARTIAL, "locked");
	side_coverage(&w->now, "packages", "", COVERAGE_PARTIAL, "duplicate");
	world_judge(w);
	assert_non_null(world_finding(w, RULE_FILE_MISSING, "/usr/bin/ps"));
}

static void absent_root_is_told_by_what_vanished(void **state)
{
	struct world *w = *state;

	side_coverage(&w->first, "tree", "/usr/local", COVERAGE_DONE, "");
	side_coverage(&w->now, "tree", "/usr/local", COVERAGE_SKIPPED, "absent");
	side_remove(&w->now, "/usr/local/bin/notes");
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	assert_non_null(world_finding(w, RULE_UNOWNED_VANISHED, "/usr/local/bin/notes"));
}

static void remark_of_coverage_is_no_check(void **state)
{
	struct world *w = *state;

	side_coverage(&w->first, "packages", "/usr/share/x", COVERAGE_DONE, "through-link");
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
}

/* A manifest ships /bin as a directory; merged, the host has the link there. */
static void link_that_merges_usr_is_the_directory(void **state)
{
	struct world *w = *state;

	manifest_put(&w->manifest[0], build_dir("/bin", 0755), 0);
	side_add(&w->now, build_dir_key(SECTION_DIRS, ""), build_link("/bin", "usr/bin"));
	side_add(&w->first, build_dir_key(SECTION_DIRS, ""), build_link("/bin", "usr/bin"));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	side_find(&w->now, "/bin")->link = BYTES_LITERAL("tmp/bin");
	world_judge(w);
	assert_non_null(world_finding(w, RULE_FILE_TYPE, "/bin"));
}

static void denied_directory_proves_no_absence(void **state)
{
	struct world *w = *state;

	side_remove(&w->now, "/usr/bin/ps");
	side_coverage(&w->now, "packages", "/usr/bin", COVERAGE_PARTIAL, "denied");
	world_judge(w);
	assert_null(world_finding(w, RULE_FILE_MISSING, "/usr/bin/ps"));
}

static void accepted_mount_that_is_gone_is_told(void **state)
{
	static const char *const fields[] = {"/srv", "xfs", "/dev/sdb", "/", "rw", "entered", NULL};
	struct world *w = *state;
	struct section_key key = build_dir_key(SECTION_MOUNTS, "");
	const struct finding *found;

	side_record(&w->now, key, fields);
	world_capture(w);
	world_judge(w);
	assert_int_equal(w->findings.count, 0);
	side_remove_record(&w->now, SECTION_MOUNTS, "/srv");
	world_judge(w);
	assert_int_equal(w->findings.count, 1);
	found = world_finding(w, RULE_MOUNT_CHANGED, "/srv");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_BASELINE);
	assert_true(world_accept_finding(w, found));
	world_judge(w);
	assert_int_equal(w->findings.count, 0);
}

/* A loop mount over /var looks like the partition that installations have. */
static void policy_excuses_no_mount_that_is_new(void **state)
{
	static const char *const points[] = {"/var", "/home", "/boot"};
	const struct section_key key = build_dir_key(SECTION_MOUNTS, "");

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		const char *const fields[] = {points[i], "ext4",    "/dev/loop0", "/",
					      "rw",      "entered", NULL};
		const char *const other[] = {points[i], "ext4",    "/dev/sda3", "/",
					     "rw",      "entered", NULL};
		struct world *w = world_new();
		const struct finding *found;

		world_standard(w);
		side_add(&w->now, build_dir_key(SECTION_DIRS, ""), build_dir(points[i], 0755));
		side_add(&w->first, build_dir_key(SECTION_DIRS, ""), build_dir(points[i], 0755));
		side_record(&w->now, key, fields);
		world_judge(w);
		found = world_finding(w, RULE_MOUNT_OVER, points[i]);
		assert_non_null(found);
		assert_true(found->severity >= SEVERITY_MEDIUM);
		assert_true(world_accept_finding(w, found));
		world_judge(w);
		assert_int_equal(world_count(w, SEVERITY_LOW), 0);

		/* At its first sight it is one of those that installations have; then it stays. */
		w->record_count = 0;
		w->has_first = false;
		world_judge(w);
		assert_null(world_finding(w, RULE_MOUNT_OVER, points[i]));
		assert_null(world_finding(w, RULE_MOUNT_CHANGED, points[i]));
		w->has_first = true;
		side_record(&w->first, key, fields);
		world_judge(w);
		assert_int_equal(world_count(w, SEVERITY_LOW), 0);

		/* One more over the partition that was there, and another device in its place. */
		side_record(&w->now, key, other);
		world_judge(w);
		assert_non_null(world_finding(w, RULE_MOUNT_CHANGED, points[i]));
		side_remove_record(&w->now, SECTION_MOUNTS, points[i]);
		world_judge(w);
		assert_non_null(world_finding(w, RULE_MOUNT_CHANGED, points[i]));
		world_free(w);
	}
}

static void accepted_state_without_a_mount_outweighs_the_policy(void **state)
{
	static const char *const fields[] = {"/var", "ext4",    "/dev/loop0", "/",
					     "rw",   "entered", NULL};
	struct world *w = *state;

	world_capture(w);
	side_record(&w->now, build_dir_key(SECTION_MOUNTS, ""), fields);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_MOUNT_CHANGED, "/var"));
}

static void policy_sets_severities_and_weights(void **state)
{
	static char low[] = "file.changed=low";
	static char *severities[] = {low};
	static char pattern[] = "/usr/bin/l*";
	static struct policy_weight weights[] = {{pattern, SEVERITY_CRITICAL}};
	struct world *w = *state;

	w->policy.severities = (struct string_list){severities, 1};
	w->policy.weights = weights;
	w->policy.weight_count = 1;
	side_find(&w->now, "/usr/bin/ps")->size = 1;
	side_find(&w->now, "/usr/bin/ls")->size = 1;
	world_judge(w);
	assert_int_equal(world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ps")->severity,
			 SEVERITY_LOW);
	assert_int_equal(world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ls")->severity,
			 SEVERITY_CRITICAL);
}

static void single_accept_leaves_first_sight_in_force(void **state)
{
	struct world *w = *state;

	side_find(&w->now, "/etc/motd")->size = 5;
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/bin"),
		 build_elf("/usr/bin/new", 0755, 53));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 2);
	assert_true(world_accept_finding(w, world_finding(w, RULE_UNOWNED_CHANGED, "/etc/motd")));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	assert_non_null(world_finding(w, RULE_UNOWNED_APPEARED, "/usr/bin/new"));
	/* Accepted is that content, not the path. */
	side_find(&w->now, "/etc/motd")->size = 6;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_CHANGED, "/etc/motd"));
}

static void file_that_found_an_owner_has_not_vanished(void **state)
{
	struct world *w = *state;
	struct entry motd = *side_find(&w->now, "/etc/motd");

	side_remove(&w->now, "/etc/motd");
	side_add(&w->now, build_key(SECTION_CONFIG, build_local), motd);
	side_claim(&w->now, build_local, "/etc/motd", 20, "lc");
	world_judge(w);
	assert_null(world_finding(w, RULE_UNOWNED_VANISHED, "/etc/motd"));
}

static void new_policy_root_is_at_its_own_first_sight(void **state)
{
	static char root[] = "/srv/tools";
	static char etc[] = "/etc", usr[] = "/usr";
	static char *roots[] = {etc, usr, root};
	struct world *w = *state;

	w->policy.roots = (struct string_list){roots, 3};
	side_add(&w->now, build_dir_key(SECTION_TREE, "/srv/tools"),
		 build_elf("/srv/tools/x", 0755, 54));
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_EXECUTABLE, "/srv/tools/x"));
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
}

/* What packages' scripts set: known on every host, to the letter, without making a host captured. */
static void override_explains_exactly_what_it_says(void **state)
{
	static const uint8_t net_raw[20] = {1, 0, 0, 2, 0, 0x20};
	struct world *w = *state;

	w->records_are_overrides = true;
	w->records[w->record_count++] = "capability /usr/bin/ls cap_net_raw\\075ep";
	w->records[w->record_count++] = "statoverride /usr/bin/ps root shadow 2755";
	side_find(&w->now, "/usr/bin/ls")->caps = bytes_make(net_raw, sizeof(net_raw));
	side_find(&w->now, "/usr/bin/ps")->mode = 02755;
	side_find(&w->now, "/usr/bin/ps")->group = BYTES_LITERAL("shadow");
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	assert_int_equal(w->findings.count, 1); /* the first sight */
	side_find(&w->now, "/usr/bin/ps")->mode = 06755;
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	side_find(&w->now, "/usr/bin/ps")->mode = 02755;
	w->record_count = 1;
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
}

/* The file is just what its manifest says: no .deb has a capability. */
static void capability_that_an_override_grants_is_missed(void **state)
{
	static const uint8_t net_raw[20] = {1, 0, 0, 2, 0, 0x20};
	const struct finding *found;
	struct world *w = *state;

	w->records_are_overrides = true;
	w->records[w->record_count++] = "capability /usr/bin/absent cap_net_raw\\075ep";
	w->records[w->record_count++] = "capability /usr/bin/ls cap_net_raw\\075ep";
	w->records[w->record_count++] = "capability /usr/bin/ls cap_net_raw\\075p";
	world_judge(w);
	found = world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ls");
	assert_non_null(found);
	assert_string_equal(found->letters, "........P");
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	/* With what else differs it is one finding. */
	side_find(&w->now, "/usr/bin/ls")->size++;
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	side_find(&w->now, "/usr/bin/ls")->size--;
	side_find(&w->now, "/usr/bin/ls")->caps = bytes_make(net_raw, sizeof(net_raw));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	assert_null(world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ls"));
}

/* The file is what its manifest says, and not what the packages' scripts make of it. */
static void mode_that_an_override_sets_is_missed(void **state)
{
	const struct finding *found;
	struct world *w = *state;

	w->records_are_overrides = true;
	w->records[w->record_count++] = "statoverride /usr/bin/absent root adm 750";
	w->records[w->record_count++] = "statoverride /usr/bin/ps root shadow 2755";
	world_judge(w);
	found = world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ps");
	assert_non_null(found);
	assert_string_equal(found->letters, ".M....G..");
	assert_int_equal(found->witness, WITNESS_MANIFEST);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	/* What differs besides is one finding, by what the package has. */
	side_find(&w->now, "/usr/bin/ps")->size++;
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
}

/* dpkg will not set it again at the next upgrade. */
static void override_is_lost_before_its_mode_is(void **state)
{
	struct world *w = *state;
	const struct finding *found;

	w->records[w->record_count++] = "statoverride /usr/bin/ps root adm 750";
	side_find(&w->now, "/usr/bin/ps")->group = BYTES_LITERAL("adm");
	side_find(&w->now, "/usr/bin/ps")->mode = 0750;
	world_judge(w);
	found = world_finding(w, RULE_OVERRIDE_LOST, "/usr/bin/ps");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_LOW);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	side_find(&w->now, "/usr/bin/ps")->group = BYTES_LITERAL("root");
	side_find(&w->now, "/usr/bin/ps")->mode = 0755;
	world_judge(w);
	assert_int_equal(world_finding(w, RULE_OVERRIDE_LOST, "/usr/bin/ps")->severity,
			 SEVERITY_HIGH);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	/* A host whose exceptions were not read has lost none that we know of. */
	*side_section(&w->now, build_dir_key(SECTION_EXCEPTIONS, "dpkg")) =
		w->now.section[--w->now.count];
	world_judge(w);
	assert_null(world_finding(w, RULE_OVERRIDE_LOST, "/usr/bin/ps"));
}

static void stripped_capability_is_explained_where_policy_knows_it(void **state)
{
	static const uint8_t net_raw[20] = {1, 0, 0, 2, 0, 0x20};
	struct world *w = *state;

	side_find(&w->now, "/usr/bin/ls")->caps = bytes_make(net_raw, sizeof(net_raw));
	w->records[w->record_count++] = "capability /usr/bin/ls cap_net_raw\\075ep";
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	/* Where the manifest knows the capabilities, losing one tells as well. */
	for (size_t i = 0; i < w->manifest[0].manifest.count; i++) {
		struct manifest_entry *want = &w->manifest[0].entry[i];

		if (bytes_equal_string(want->entry.path, "/usr/bin/ls")) {
			want->tags |= MANIFEST_CAPS;
			want->entry.caps = bytes_make(net_raw, sizeof(net_raw));
		}
	}
	side_find(&w->now, "/usr/bin/ls")->caps = (struct bytes){NULL, 0};
	world_judge(w);
	assert_string_equal(world_finding(w, RULE_FILE_CHANGED, "/usr/bin/ls")->letters,
			    "........P");
}

/* Who takes away the first files of a hidden package leaves the one that runs. */
static void hidden_package_is_known_by_any_file_that_runs(void **state)
{
	enum { FILES = 3000, LEAST = 400 };
	static uint8_t room[FILES * 256];
	static char names[FILES][64];
	struct world *w = *state;
	struct build_section *was =
		side_section(&w->first, build_key(SECTION_PACKAGE, build_local));
	struct entry last = {0}, data = {0};
	struct cbor_writer writer;
	size_t some = 0;

	cbor_writer_init(&writer, room, sizeof(room));
	for (unsigned i = 0; i < FILES; i++) {
		struct entry entry;

		(void)snprintf(names[i], sizeof(names[i]),
			       i < FILES - 1 ? "/usr/share/local/%05u" : "/usr/share/local/run", i);
		entry = build_file(names[i], i < FILES - 1 ? 0644 : 0755, 100);
		entry_encode(&writer, &entry);
		data = i == FILES - LEAST ? entry : data;
		last = entry;
	}
	assert_false(writer.overflow);
	was->raw = (const char *)writer.data;
	was->raw_len = writer.len;
	side_forget(&w->now, build_local);
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/share/local"), last);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_PACKAGE_HIDDEN, "local:all"));
	/* Of data some are asked for, to the very end. */
	side_remove(&w->now, "/usr/share/local/run");
	for (unsigned i = FILES - LEAST; i < FILES - LEAST + BUILD_ITEMS - 4; i++) {
		data.path = bytes_from_string(names[i]);
		side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/share/local"), data);
		some++;
	}
	assert_true(some > 10);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_PACKAGE_HIDDEN, "local:all"));
}

#define MANY 60000

/* Many names and many downgrades that are open: one look-up for each name. */
static void open_downgrades_are_looked_up_by_name(void **state)
{
	struct world *w = *state;
	struct build_section *list = side_section(&w->now, build_dir_key(SECTION_PACKAGES, "dpkg"));
	uint8_t *rows = malloc((size_t)MANY * 48);
	struct cbor_writer writer;
	struct error err;

	assert_non_null(rows);
	cbor_writer_init(&writer, rows, (size_t)MANY * 48);
	for (size_t i = 0; i < MANY; i++) {
		char name[16], subject[32], package[32];
		const struct record row = {
			.count = PACKAGES_FIELDS,
			.field = {bytes_make(name,
					     (size_t)snprintf(name, sizeof(name), "p%05zu", i)),
				  BYTES_LITERAL("1"), BYTES_LITERAL("all"),
				  BYTES_LITERAL("install ok installed"), BYTES_LITERAL("")},
		};
		struct finding finding = {.rule = RULE_PACKAGE_DOWNGRADED};

		record_encode(&writer, &row);
		/* The first is still down; of the others the host has none. */
		finding.subject =
			bytes_make(subject, (size_t)snprintf(subject, sizeof(subject), "%s%s:all",
							     name, i == 0 ? "" : "-dev"));
		finding.package = bytes_make(
			package, (size_t)snprintf(package, sizeof(package), "%s 1", name));
		assert_int_equal(findings_add(&w->open, &finding, &err), 0);
	}
	assert_false(writer.overflow);
	list->raw = (const char *)rows;
	list->raw_len = writer.len;
	w->first = w->now;
	w->has_first = true;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_PACKAGE_DOWNGRADED, "p00000:all"));
	assert_null(world_finding(w, RULE_PACKAGE_DOWNGRADED, "p00001:all"));
	free(rows);
}

/* A host that names a diverter's builds by the dozen is not believed, and has none of them looked up. */
static void diverter_of_too_many_builds_proves_nothing(void **state)
{
	static const char from[] = "/usr/bin/diverted";
	const char *diversion[] = {"diversion", from, "/usr/bin/diverted.distrib", "diverter",
				   NULL};
	static char version[17][16];
	struct build_package package = {"diverter", version[16], "amd64"};
	struct world *w = *state;

	for (int i = 0; i < 17; i++) {
		(void)snprintf(version[i], sizeof(version[i]), "1%02d", i);
	}
	manifest_put(world_manifest(w, package, "Debian"), build_file(from, 0755, 40), 0);
	side_package(&w->now, package, "install ok installed");
	side_record(&w->now, build_dir_key(SECTION_EXCEPTIONS, "dpkg"), diversion);
	world_judge(w);
	assert_null(world_finding(w, RULE_EXCEPTION_UNKNOWN, from));
	for (int i = 0; i < 16; i++) {
		package.version = version[i];
		side_package(&w->now, package, "install ok installed");
	}
	world_judge(w);
	assert_non_null(world_finding(w, RULE_EXCEPTION_UNKNOWN, from));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(proved_upgrade_is_information),
		TEST(downgrade_is_never_explained),
		TEST(downgrade_stays_open_when_the_last_run_has_it_too),
		TEST(accepted_downgrade_is_silent),
		TEST(open_downgrades_are_looked_up_by_name),
		TEST(diverter_of_too_many_builds_proves_nothing),
		TEST(upgrade_by_the_hosts_word_is_unproved),
		TEST(unproved_upgrade_keeps_its_configurations_reference),
		TEST(new_package_after_a_capture_is_unproved),
		TEST(changed_package_is_held_against_the_accepted_content),
		TEST(accepted_content_that_is_not_at_hand_is_no_silence),
		TEST(package_must_equal_one_manifest_wholly),
		TEST(unmerged_host_equals_a_canonical_manifest),
		TEST(package_with_an_emptied_list_misses_its_files),
		TEST(lock_held_hides_no_absence),
		TEST(absent_root_is_told_by_what_vanished),
		TEST(remark_of_coverage_is_no_check),
		TEST(link_that_merges_usr_is_the_directory),
		TEST(denied_directory_proves_no_absence),
		TEST(accepted_mount_that_is_gone_is_told),
		cmocka_unit_test(policy_excuses_no_mount_that_is_new),
		TEST(accepted_state_without_a_mount_outweighs_the_policy),
		TEST(policy_sets_severities_and_weights),
		TEST(single_accept_leaves_first_sight_in_force),
		TEST(file_that_found_an_owner_has_not_vanished),
		TEST(new_policy_root_is_at_its_own_first_sight),
		TEST(override_explains_exactly_what_it_says),
		TEST(capability_that_an_override_grants_is_missed),
		TEST(mode_that_an_override_sets_is_missed),
		TEST(override_is_lost_before_its_mode_is),
		TEST(hidden_package_is_known_by_any_file_that_runs),
		TEST(stripped_capability_is_explained_where_policy_knows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
