// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/verify.h"
#include "tests/unit/baselines/fixture.h"

struct told {
	char text[4096];
	int stop_after;
};

static int tell(void *context, const char *fault)
{
	struct told *told = context;
	size_t len = strlen(told->text);

	(void)snprintf(told->text + len, sizeof(told->text) - len, "%s\n", fault);
	return told->stop_after-- == 1 ? -1 : 0;
}

static int list(void *context, const struct verify_item *item)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%d %s|%s|%s|%s|%s %s%s%s%s", item->kind, item->manager,
		       item->origin, item->name, item->version, item->arch, item->path,
		       item->is_signed ? " signed " : "", item->signer,
		       item->no_md5sums ? " no md5sums" : "");
	return tell(context, line);
}

static void fill(struct fixture *f)
{
	fixture_repository(f);
	fixture_write(f, "muster.yaml", "");
	fixture_write(f, "README.md", "x");
	fixture_write(f, "docs/x.mtree", "not read");
	fixture_write(f, "packages/dpkg/Debian/a/1%3a1%5f2_amd64.mtree", "./a type=dir\n");
	fixture_write(
		f, "packages/rpm/My%20Site/b/2_x86_64.mtree",
		"# signed by AB\n# trust signed\n# md5sums none\n./b type=dir\n./c type=dir\n");
	fixture_write(f, "packages/dpkg/overrides.records", "capability /a cap_chown\\075p\n");
	fixture_write(f, "trees/web/etc/motd", "x");
	fixture_write(f, "hosts/h%3a1.mtree", "./x type=dir\n");
	fixture_write(f, "hosts/h%3a1.records", "absent /x\nabsent /y\n");
	fixture_write(f, "groups/g.mtree", "");
	fixture_write(f, "acks/one.yaml",
		      "- {id: A-1, rule: '*', path: /x, finding: 0123456789abcdef,\n"
		      "   hosts: a, reason: b, until: 2026-12-15}\n");
}

static void sound_repository_is_counted(void **state)
{
	struct verify_counts counts;
	struct told told = {{0}, 0};
	struct error err = {0};
	struct fixture f;

	(void)state;
	fill(&f);
	fixture_commit(&f);
	assert_int_equal(verify_repository(f.path, NULL, tell, &told, &counts, &err), 0);
	assert_string_equal(told.text, "");
	assert_int_equal(counts.broken + counts.unknown, 0);
	assert_int_equal(counts.manifests, 2);
	assert_int_equal(counts.is_signed, 1);
	assert_int_equal(counts.no_md5sums, 1);
	assert_int_equal(counts.hosts, 1);
	assert_int_equal(counts.groups, 1);
	assert_int_equal(counts.trees, 1);
	assert_int_equal(counts.acks, 1);
	assert_int_equal(counts.entries, 5);
	assert_int_equal(counts.records, 3);
	fixture_remove(&f);
}

static void every_broken_file_is_named_with_its_line(void **state)
{
	static const char *const expected[] = {
		"acks/two.yaml:1: A-1 stands already in acks/one.yaml:1",
		"groups/g.mtree:1: type= is missing",
		"hosts/h%3a1.records:2: unknown kind absnet (did you mean absent?)",
		"hosts/h:2.mtree: nothing reads a file of this name here",
		"keys/keys.yaml:1: keys/none.gpg is not in the baseline",
		"muster.yaml:1:1: ",
		"packages/dpkg/Debian/a/2.mtree: nothing reads a file of this name here",
		"packages/dpkg/Debian/a/3_amd64.mtree:2: unknown keyword tpye",
		"packages/dpkg/overrides.records:1: no override: ",
		"packages/stray: nothing reads a file of this name here",
	};
	struct verify_counts counts;
	struct told told = {{0}, 0};
	struct error err = {0};
	struct fixture f;

	(void)state;
	fill(&f);
	fixture_write(&f, "muster.yaml", "rotos: []\n");
	fixture_write(&f, "groups/g.mtree", "./a\n");
	fixture_write(&f, "hosts/h%3a1.records", "absent /x\nabsnet /y\n");
	fixture_write(&f, "hosts/h:2.mtree", "");
	fixture_write(&f, "packages/stray", "");
	fixture_write(&f, "packages/dpkg/overrides.records", "absent /x\n");
	fixture_write(&f, "packages/dpkg/Debian/a/2.mtree", "");
	fixture_write(&f, "packages/dpkg/Debian/a/3_amd64.mtree", "#mtree\n./a tpye=dir\n");
	fixture_write(&f, "keys/keys.yaml",
		      "- {fingerprint: 4D64FEC119C2029067D6E791F8D2585B8783D481, file: none.gpg,\n"
		      "   origins: [Debian]}\n");
	assert_int_equal(fixture_run(&f, "cp acks/one.yaml acks/two.yaml"), 0);
	fixture_commit(&f);
	assert_int_equal(verify_repository(f.path, NULL, tell, &told, &counts, &err), 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (!strstr(told.text, expected[i])) {
			fail_msg("%s is not in\n%s", expected[i], told.text);
		}
	}
	assert_int_equal(counts.broken, 7);
	assert_int_equal(counts.unknown, 3);
	told = (struct told){{0}, 2};
	assert_int_equal(verify_repository(f.path, NULL, tell, &told, &counts, &err), -1);
	assert_string_equal(err.msg, "stopped");
	fixture_remove(&f);
}

static void key_that_is_not_in_its_file_is_named(void **state)
{
	struct verify_counts counts;
	struct told told = {{0}, 0};
	struct error err = {0};
	struct fixture f;

	(void)state;
	fill(&f);
	/* A public key packet of version 4, of another key. */
	assert_int_equal(fixture_run(&f, "mkdir -p keys && "
					 "printf '\\306\\024\\004AAAABBBBCCCCDDDDEEE' >keys/k.gpg"),
			 0);
	fixture_write(&f, "keys/keys.yaml",
		      "- {fingerprint: 4D64FEC119C2029067D6E791F8D2585B8783D481, file: k.gpg,\n"
		      "   origins: [Debian]}\n");
	fixture_commit(&f);
	assert_int_equal(verify_repository(f.path, NULL, tell, &told, &counts, &err), 0);
	assert_int_equal(counts.broken, 1);
	assert_non_null(strstr(told.text, "keys/keys.yaml:1: k.gpg holds no key 4D64FEC1"));
	fixture_remove(&f);
}

static void what_there_is_is_listed_by_its_own_names(void **state)
{
	struct told told = {{0}, 0};
	struct error err = {0};
	struct fixture f;

	(void)state;
	fill(&f);
	fixture_commit(&f);
	assert_int_equal(verify_list(f.path, NULL, list, &told, &err), 0);
	assert_string_equal(
		told.text,
		"4 ||A-1|2026-12-15| acks/one.yaml\n"
		"2 ||g|| groups/g.mtree\n"
		"1 ||h:1|| hosts/h%3a1.mtree\n"
		"0 dpkg|Debian|a|1:1_2|amd64 packages/dpkg/Debian/a/1%3a1%5f2_amd64.mtree\n"
		"5 dpkg||overrides.records|| packages/dpkg/overrides.records\n"
		"0 rpm|My Site|b|2|x86_64 packages/rpm/My%20Site/b/2_x86_64.mtree signed AB no "
		"md5sums\n"
		"3 ||web|| trees/web\n");
	fixture_remove(&f);
}

static void no_baseline_is_said_so(void **state)
{
	struct verify_counts counts;
	struct told told = {{0}, 0};
	struct error err = {0};
	struct fixture f;

	(void)state;
	fixture_repository(&f);
	assert_int_equal(verify_repository(f.path, NULL, tell, &told, &counts, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	fixture_write(&f, "README", "");
	fixture_commit(&f);
	assert_int_equal(verify_repository(f.path, NULL, tell, &told, &counts, &err), 0);
	assert_string_equal(told.text, "muster.yaml: missing: not a baseline\n");
	assert_int_equal(counts.broken, 1);
	fixture_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_repository_is_counted),
		cmocka_unit_test(every_broken_file_is_named_with_its_line),
		cmocka_unit_test(key_that_is_not_in_its_file_is_named),
		cmocka_unit_test(what_there_is_is_listed_by_its_own_names),
		cmocka_unit_test(no_baseline_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
