// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/baseline.h"
#include "tests/unit/baselines/fixture.h"

#define B(text) BYTES_LITERAL(text)
#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static struct baseline *open_at(const struct fixture *f, const char *ref)
{
	struct baseline *b = NULL;
	struct error err = {0};

	if (baseline_open(f->path, ref, &b, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return b;
}

static void refuse(const char *path, const char *ref, const char *message)
{
	struct baseline *b = NULL;
	struct error err = {0};

	assert_int_equal(baseline_open(path, ref, &b, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_null(b);
	if (!strstr(err.msg, message)) {
		fail_msg("%s, not %s", err.msg, message);
	}
}

static void what_is_no_baseline_is_refused_by_name(void **state)
{
	struct fixture f;

	(void)state;
	refuse("/nonexistent", NULL, "/nonexistent: no git repository (muster init makes one)");
	fixture_folder(&f);
	refuse(f.path, NULL, "no git repository");
	fixture_remove(&f);

	fixture_repository(&f);
	refuse(f.path, NULL, "HEAD has no commit yet");
	fixture_write(&f, "README", "x");
	fixture_commit(&f);
	refuse(f.path, NULL, "no muster.yaml in commit");
	refuse(f.path, "nightly", "no commit, branch or tag nightly");
	fixture_write(&f, "muster.yaml", "roots: [/etc]\nmax_agee: 1d\n");
	fixture_commit(&f);
	refuse(f.path, NULL, "muster.yaml:2:1: ");
	assert_int_equal(
		fixture_run(&f, "rm muster.yaml && mkdir muster.yaml && echo > muster.yaml/x"), 0);
	fixture_commit(&f);
	refuse(f.path, NULL, "muster.yaml: a directory where a file should be");
	assert_int_equal(fixture_run(&f, "git tag blob $(git hash-object -w README)"), 0);
	refuse(f.path, "blob", "blob is no commit");
	fixture_remove(&f);
}

static void commit_stays_pinned_while_the_branch_moves(void **state)
{
	struct fixture f, bare;
	struct baseline *b, *old;
	char *commit;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "roots: [/etc]\n");
	fixture_commit(&f);
	commit = fixture_output(&f, "git rev-parse HEAD");
	b = open_at(&f, NULL);
	assert_string_equal(baseline_commit(b), commit);
	assert_string_equal(baseline_path(b), f.path);
	assert_int_equal(baseline_policy(b)->roots.count, 1);

	/* Neither the work tree nor later commits are seen; both refs can be read side by side. */
	fixture_write(&f, "groups/all.records", "absent /etc/x\n");
	fixture_write(&f, "muster.yaml", "roots: [/etc, /usr]\n");
	fixture_commit(&f);
	old = open_at(&f, commit);
	assert_int_equal(baseline_policy(old)->roots.count, 1);
	baseline_close(old);
	{
		const char *const groups[] = {"all"};
		const struct manifest *manifest;
		const struct record_list *records;
		struct error err = {0};

		assert_int_equal(baseline_accepted(b, "h", groups, 1, &manifest, &records, &err),
				 0);
		assert_null(manifest);
		assert_null(records);
	}
	baseline_close(b);

	/* A bare clone reads the same. */
	assert_int_equal(fixture_run(&f, "git clone -q --bare . bare.git"), 0);
	bare = f;
	(void)snprintf(bare.path, sizeof(bare.path), "%.100s/bare.git", f.path);
	b = open_at(&bare, "main");
	assert_int_equal(baseline_policy(b)->roots.count, 2);
	baseline_close(b);
	fixture_remove(&f);
	free(commit);
}

static size_t find(struct baseline *b, struct bytes name, struct bytes version,
		   const struct manifest *const **list)
{
	struct error err = {0};
	size_t count = 99;

	if (baseline_manifests(b, B("dpkg"), name, version, B("amd64"), list, &count, &err) < 0) {
		fail_msg("%s", err.msg);
	}
	return count;
}

static void manifests_of_a_build_are_found_in_every_origin(void **state)
{
	const struct manifest *const *list, *const *again;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};
	size_t count;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_write(
		&f, "packages/dpkg/Debian/zlib1g/1%3a1.2.13.dfsg-1_amd64.mtree",
		"#mtree\n# trust signed\n./usr/lib/x type=dir mode=0755 uname=root gname=root\n");
	fixture_write(&f, "packages/dpkg/my%20site/zlib1g/1%3a1.2.13.dfsg-1_amd64.mtree",
		      "#mtree\n./usr/lib/y type=dir mode=0755 uname=root gname=root\n");
	fixture_write(&f, "packages/dpkg/Debian/odd/1%5f0~rc1+b2_amd64.mtree", "#mtree\n");
	fixture_write(&f, "packages/dpkg/Debian/broken/1_amd64.mtree", "#mtree\n\n./a tpye=dir\n");
	fixture_write(&f, "packages/rpm/Fedora/zlib/1_amd64.mtree", "#mtree\n");
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(find(b, B("zlib1g"), B("1:1.2.13.dfsg-1"), &list), 2);
	assert_string_equal(list[0]->origin, "Debian");
	assert_int_equal(list[0]->trust, MANIFEST_SIGNED);
	assert_string_equal(list[0]->source,
			    "packages/dpkg/Debian/zlib1g/1%3a1.2.13.dfsg-1_amd64.mtree");
	assert_non_null(manifest_find(list[0], B("/usr/lib/x")));
	assert_string_equal(list[1]->origin, "my site");
	assert_int_equal(list[1]->trust, MANIFEST_UNSIGNED);
	assert_int_equal(find(b, B("zlib1g"), B("1:1.2.13.dfsg-1"), &again), 2);
	assert_ptr_equal(list, again);
	assert_int_equal(find(b, B("odd"), B("1_0~rc1+b2"), &list), 1);
	assert_int_equal(find(b, B("zlib1g"), B("2"), &list), 0);
	assert_int_equal(find(b, B("zlib"), B("1"), &list), 0);

	/* What a host may send as a name finds nothing and harms nothing. */
	assert_int_equal(find(b, B("../Debian/zlib1g"), B("1:1.2.13.dfsg-1"), &list), 0);
	assert_int_equal(find(b, B(""), B(""), &list), 0);
	assert_int_equal(find(b, B("a\0b"), B("%"), &list), 0);

	assert_true(baseline_knows_package(b, B("dpkg"), B("zlib1g")));
	assert_true(baseline_knows_package(b, B("rpm"), B("zlib")));
	assert_false(baseline_knows_package(b, B("dpkg"), B("zlib")));
	assert_false(baseline_knows_package(b, B("dpkg"), B("..")));

	assert_int_equal(baseline_manifests(b, B("dpkg"), B("broken"), B("1"), B("amd64"), &list,
					    &count, &err),
			 -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_string_equal(err.msg, "packages/dpkg/Debian/broken/1_amd64.mtree:3: unknown keyword "
				     "tpye (did you mean type?)");
	baseline_close(b);
	fixture_remove(&f);
}

static void every_build_of_a_package_is_listed_once(void **state)
{
	static const char *const files[] = {"Debian/a/1_amd64", "Debian/a/2%3a1%5f0_amd64",
					    "Debian/a/3_i386",  "local/a/1_amd64",
					    "local/a/4_amd64",  "local/ab/1_amd64"};
	const struct manifest *const *list;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};
	size_t count = 0;
	bool none = true;
	char path[128];

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "packages/dpkg/%s.mtree", files[i]);
		fixture_write(&f, path, "#mtree\n");
	}
	fixture_write(&f, "packages/dpkg/local/ab/1_amd64.mtree", "#mtree\n# md5sums none\n");
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(path, sizeof(path), "packages/dpkg/local/many/%02u_amd64.mtree", i);
		fixture_write(&f, path, "#mtree\n");
	}
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(
		baseline_builds(b, B("dpkg"), B("many"), B("20"), B("amd64"), &list, &count, &err),
		0);
	assert_int_equal(count, 16);
	assert_string_equal(list[0]->version, "12");
	assert_string_equal(list[15]->version, "27");
	assert_int_equal(
		baseline_builds(b, B("dpkg"), B("a"), B("1"), B("amd64"), &list, &count, &err), 0);
	assert_int_equal(count, 4);
	assert_string_equal(list[0]->version, "1");
	assert_string_equal(list[0]->origin, "Debian");
	assert_string_equal(list[1]->version, "1");
	assert_string_equal(list[1]->origin, "local");
	assert_string_equal(list[2]->version, "2:1_0");
	assert_string_equal(list[3]->version, "4");
	assert_int_equal(
		baseline_builds(b, B("rpm"), B("a"), B("1"), B("amd64"), &list, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(baseline_self_summed(b, B("dpkg"), B("a"), B("amd64"), &none, &err), 0);
	assert_false(none);
	for (unsigned again = 0; again < 2; again++) {
		assert_int_equal(
			baseline_self_summed(b, B("dpkg"), B("ab"), B("amd64"), &none, &err), 0);
		assert_true(none);
	}
	assert_int_equal(baseline_self_summed(b, B("dpkg"), B("zz"), B("amd64"), &none, &err), 0);
	assert_false(none);
	assert_int_equal(
		baseline_builds(b, B("dpkg"), B("../a"), B("1"), B(""), &list, &count, &err), 0);
	assert_int_equal(count, 0);
	baseline_close(b);
	fixture_remove(&f);
}

static const struct manifest_entry *at(const struct manifest *manifest, const char *path)
{
	return manifest_find(manifest, bytes_from_string(path));
}

static void host_stands_over_groups_and_later_groups_over_earlier(void **state)
{
	static const char *const groups[] = {"all", "web", "none"};
	const struct manifest *m;
	const struct record_list *r;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_write(&f, "groups/all.mtree",
		      "./a type=file mode=0600 uname=r gname=r size=1\n"
		      "./b type=file mode=0600 uname=r gname=r size=1\n"
		      "./c type=file mode=0600 uname=r gname=r size=1\n");
	fixture_write(&f, "groups/all.records", "absent /gone\nabsent /back\n");
	fixture_write(&f, "groups/web.mtree", "./b type=file mode=0600 uname=r gname=r size=2\n");
	fixture_write(&f, "groups/web.records", "absent /c\n");
	fixture_write(&f, "hosts/h1%3a%3a.mtree",
		      "#mtree\n# captured\n./back type=dir\n"
		      "./b type=file mode=0600 uname=r gname=r size=3\n");
	fixture_write(&f, "hosts/only.records", "absent /x\n");
	fixture_commit(&f);
	b = open_at(&f, NULL);

	assert_int_equal(baseline_accepted(b, "h1::", groups, 3, &m, &r, &err), 0);
	assert_int_equal(m->count, 3);
	assert_true(m->captured);
	assert_int_equal(m->trust, MANIFEST_ACCEPTED);
	assert_int_equal(at(m, "/a")->entry.size, 1);
	assert_int_equal(at(m, "/a")->tags & MANIFEST_CAPS, MANIFEST_CAPS);
	assert_int_equal(at(m, "/b")->entry.size, 3);
	assert_null(at(m, "/c"));
	assert_non_null(at(m, "/back"));
	assert_int_equal(r->count, 2);
	assert_true(records_has(r, B("absent /gone")));
	assert_true(records_has(r, B("absent /c")));

	assert_int_equal(baseline_accepted(b, "other", groups, 2, &m, &r, &err), 0);
	assert_int_equal(at(m, "/b")->entry.size, 2);
	assert_false(m->captured);
	assert_int_equal(baseline_accepted(b, "other", groups, 1, &m, &r, &err), 0);
	assert_int_equal(at(m, "/b")->entry.size, 1);
	assert_int_equal(baseline_accepted(b, "only", NULL, 0, &m, &r, &err), 0);
	assert_int_equal(m->count, 0);
	assert_int_equal(r->count, 1);
	assert_int_equal(baseline_accepted(b, "other", NULL, 0, &m, &r, &err), 0);
	assert_null(m);
	assert_null(r);
	assert_int_equal(baseline_accepted(b, "../hosts/only", NULL, 0, &m, &r, &err), 0);
	assert_null(m);
	baseline_close(b);
	fixture_remove(&f);
}

static void broken_accepted_state_names_file_and_line(void **state)
{
	const struct manifest *m;
	const struct record_list *r;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_write(&f, "hosts/a.mtree", "./a type=dir\n./a type=dir\n");
	fixture_write(&f, "hosts/b.records", "absnet /x\n");
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(baseline_accepted(b, "a", NULL, 0, &m, &r, &err), -1);
	assert_string_equal(err.msg, "hosts/a.mtree:2: /a stands twice, first in line 1");
	assert_int_equal(baseline_accepted(b, "b", NULL, 0, &m, &r, &err), -1);
	assert_string_equal(err.msg,
			    "hosts/b.records:1: unknown kind absnet (did you mean absent?)");
	baseline_close(b);
	fixture_remove(&f);
}

static void trees_are_computed_from_blobs(void **state)
{
	static const char *const groups[] = {"all", "none", "web"};
	const struct manifest *const *trees;
	const struct manifest_entry *entry;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};
	char words[MANIFEST_WORDS_MAX];
	size_t count;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_write(&f, "trees/all/etc/motd", "hello");
	fixture_write(&f, "trees/all/etc/empty/.gitkeep", "");
	fixture_write(&f, "trees/web/bin/tool", "#!/bin/sh\r\n");
	fixture_link(&f, "trees/web/etc/link", "../usr/x");
	assert_int_equal(fixture_run(&f, "chmod 755 trees/web/bin/tool"), 0);
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(baseline_trees(b, groups, 3, &trees, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(trees[0]->source, "trees/web");
	assert_int_equal(trees[1]->count, 1);
	entry = at(trees[1], "/etc/motd");
	assert_non_null(entry);
	assert_int_equal(entry->entry.size, 5);
	assert_int_equal(entry->entry.mode, 0644);
	assert_int_equal(entry->tags, MANIFEST_NOMODE | MANIFEST_NOTIME);
	(void)manifest_words(entry, words, sizeof(words));
	assert_non_null(strstr(words, " sha256=" HELLO_SHA256 " "));
	entry = at(trees[0], "/usr/bin/tool");
	assert_non_null(entry);
	assert_int_equal(entry->entry.mode, 0755);
	assert_int_equal(entry->entry.size, 11);
	entry = at(trees[0], "/etc/link");
	assert_non_null(entry);
	assert_int_equal(entry->entry.type, ENTRY_LINK);
	assert_true(bytes_equal_string(entry->entry.link, "../usr/x"));
	assert_int_equal(baseline_trees(b, NULL, 0, &trees, &count, &err), 0);
	assert_int_equal(count, 0);
	baseline_close(b);
	fixture_remove(&f);
}

static void submodule_in_a_tree_is_refused(void **state)
{
	static const char *const groups[] = {"all"};
	const struct manifest *const *trees;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};
	size_t count;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_commit(&f);
	assert_int_equal(fixture_run(&f,
				     "git update-index --add --cacheinfo 160000,$(git rev-parse "
				     "HEAD),trees/all/etc/sub && git commit -qm sub"),
			 0);
	b = open_at(&f, NULL);
	assert_int_equal(baseline_trees(b, groups, 1, &trees, &count, &err), -1);
	assert_string_equal(err.msg, "trees/all/etc/sub: a submodule where a file should be");
	baseline_close(b);
	fixture_remove(&f);
}

static void acks_of_all_files_are_read_once(void **state)
{
	const struct ack *acks;
	struct fixture f;
	struct baseline *b;
	struct error err = {0};
	size_t count;

	(void)state;
	fixture_repository(&f);
	fixture_write(&f, "muster.yaml", "");
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(baseline_acks(b, &acks, &count, &err), 0);
	assert_int_equal(count, 0);
	baseline_close(b);
	fixture_write(&f, "acks/README", "not read");
	fixture_write(&f, "acks/a.yaml",
		      "- {id: A-0001, rule: file.changed, path: /x, finding: 0123456789abcdef,\n"
		      "   hosts: 'web[01-02]', reason: CHG1, until: 2026-12-15}\n");
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(baseline_acks(b, &acks, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(acks[0].source, "acks/a.yaml:1");
	assert_string_equal(acks[0].by, "");
	assert_int_equal(acks[0].until_s, 1797379200);
	baseline_close(b);
	fixture_write(&f, "acks/b.yaml",
		      "- {id: A-0001, rule: '*', path: /x, finding: 0123456789abcdef,\n"
		      "   hosts: a, reason: b, until: 2026-12-15}\n");
	fixture_commit(&f);
	b = open_at(&f, NULL);
	assert_int_equal(baseline_acks(b, &acks, &count, &err), -1);
	assert_non_null(strstr(err.msg, "acks/b.yaml:"));
	assert_non_null(strstr(err.msg, "A-0001 stands already in acks/a.yaml:1"));
	baseline_close(b);
	fixture_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_baseline_is_refused_by_name),
		cmocka_unit_test(commit_stays_pinned_while_the_branch_moves),
		cmocka_unit_test(manifests_of_a_build_are_found_in_every_origin),
		cmocka_unit_test(every_build_of_a_package_is_listed_once),
		cmocka_unit_test(host_stands_over_groups_and_later_groups_over_earlier),
		cmocka_unit_test(broken_accepted_state_names_file_and_line),
		cmocka_unit_test(trees_are_computed_from_blobs),
		cmocka_unit_test(submodule_in_a_tree_is_refused),
		cmocka_unit_test(acks_of_all_files_are_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
