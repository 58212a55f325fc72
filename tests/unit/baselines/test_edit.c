// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "baselines/edit.h"
#include "tests/unit/baselines/fixture.h"

#define B(text) BYTES_LITERAL(text)
#define WHO "An Admin <admin@example.org>"
#define FILE_WORDS "type=file mode=0755 uname=root gname=root size=3 time=5.0"

static void must(int result, const struct error *err)
{
	if (result != 0) {
		fail_msg("%s", err->msg);
	}
}

static struct edit *open_edit(const struct fixture *f)
{
	struct edit *edit = NULL;
	struct error err = {0};

	must(edit_open(f->path, WHO, &edit, &err), &err);
	return edit;
}

static void commit(struct edit *edit, const char *message)
{
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};

	must(edit_commit(edit, message, id, &err), &err);
	assert_int_equal(strlen(id), 40);
}

static void init(struct fixture *f)
{
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};

	fixture_folder(f);
	must(edit_init(f->path, WHO, id, &err), &err);
}

/* git itself must find the clone sound and without a difference to HEAD. */
static void assert_clean(const struct fixture *f)
{
	char *status = fixture_output(f, "git status --porcelain");

	assert_string_equal(status, "");
	free(status);
	assert_int_equal(fixture_run(f, "git fsck --strict --no-dangling"), 0);
}

static void assert_output(const struct fixture *f, const char *command, const char *expected)
{
	char *output = fixture_output(f, command);

	assert_string_equal(output, expected);
	free(output);
}

static void init_makes_a_baseline_that_opens(void **state)
{
	struct baseline *b = NULL;
	struct error err = {0};
	struct fixture f;

	(void)state;
	init(&f);
	assert_clean(&f);
	assert_output(&f, "git log --format='%an <%ae> %s' && git branch --show-current",
		      WHO " Begin a muster baseline\nmain");
	assert_output(&f, "git ls-files", ".gitattributes\nREADME.md\nmuster.yaml");
	must(baseline_open(f.path, NULL, &b, &err), &err);
	assert_int_equal(baseline_policy(b)->known_count, policy_default()->known_count);
	baseline_close(b);
	fixture_remove(&f);
}

static void init_leaves_what_is_there_alone(void **state)
{
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};
	struct fixture f;

	(void)state;
	fixture_folder(&f);
	assert_int_equal(edit_init(f.path, "nobody", id, &err), -1);
	assert_non_null(strstr(err.msg, "nobody: an author is"));
	assert_output(&f, "ls -A", "");
	fixture_write(&f, "x", "y");
	assert_int_equal(edit_init(f.path, WHO, id, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_non_null(strstr(err.msg, "is not empty"));
	assert_output(&f, "ls -A", "x");
	fixture_remove(&f);
}

static void unfit_authors_are_refused(void **state)
{
	static const char *const wrong[] = {"", "a", "<a@b>", "a <>", "a <b", "a <b> c", "a\n <b>"};
	struct error err = {0};
	struct fixture f;

	(void)state;
	init(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct edit *edit = NULL;

		assert_int_equal(edit_open(f.path, wrong[i], &edit, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
	}
	fixture_remove(&f);
}

static void accepted_changes_are_one_commit(void **state)
{
	const struct edit_change changes[] = {
		{"web01", EDIT_ENTRY, B("/usr/local/bin/b c"), B(FILE_WORDS " tags=,caps:0100,")},
		{"web02", EDIT_ENTRY, B("/usr/local/bin/b c"), B(FILE_WORDS)},
		{"web01", EDIT_ENTRY, B("/etc/a"), B(FILE_WORDS)},
		{"web01", EDIT_ABSENT, B("/etc/gone"), B("")},
		{"web01", EDIT_RECORD, B("/x"), B("diversion /a /b :")},
	};
	const struct edit_change later[] = {
		{"web01", EDIT_ENTRY, B("/etc/gone"),
		 B("type=dir mode=0700 uname=root gname=root")},
		{"web01", EDIT_ABSENT, B("/etc/a"), B("")},
		{"web01", EDIT_NO_RECORD, B("/x"), B("diversion /a /b :")},
		{"web02", EDIT_FORGET, B("/usr/local/bin/b c"), B("")},
	};
	struct error err = {0};
	struct edit *edit;
	struct fixture f;

	(void)state;
	init(&f);
	edit = open_edit(&f);
	must(edit_accept(edit, changes, 5, &err), &err);
	assert_int_equal(edit_count(edit), 3);
	commit(edit, "Accept 5 findings\n\n- 0123456789abcdef /etc/a\n");
	edit_free(edit);
	assert_clean(&f);
	assert_output(&f, "cat hosts/web01.mtree",
		      "#mtree\n"
		      "./etc/a type=file mode=0755 uname=root gname=root size=3 time=5.0\n"
		      "./usr/local/bin/b\\040c " FILE_WORDS " tags=,caps:0100,");
	assert_output(&f, "grep -v '^#' hosts/web01.records",
		      "absent /etc/gone\ndiversion /a /b :");
	assert_output(&f, "git log --format=%s -1", "Accept 5 findings");

	edit = open_edit(&f);
	must(edit_accept(edit, later, 4, &err), &err);
	commit(edit, "later");
	edit_free(edit);
	assert_clean(&f);
	assert_output(&f, "grep -v '^#' hosts/web01.records", "absent /etc/a");
	assert_output(&f, "grep -c etc/gone hosts/web01.mtree", "1");
	/* Of web02 nothing is accepted any more. */
	assert_output(&f, "ls hosts", "web01.mtree\nweb01.records");
	fixture_remove(&f);
}

static void one_bad_value_stages_nothing(void **state)
{
	static const struct edit_change bad[] = {
		{"b",
		 EDIT_ENTRY,
		 {(const uint8_t *)"/x", 2},
		 {(const uint8_t *)"type=dir ...", 12}},
		{"b", EDIT_ENTRY, {(const uint8_t *)"x", 1}, {(const uint8_t *)"type=dir", 8}},
		{"b", EDIT_ABSENT, {(const uint8_t *)"x", 1}, {NULL, 0}},
		{"b", EDIT_RECORD, {(const uint8_t *)"/x", 2}, {(const uint8_t *)"absnet /x", 9}},
		{"b",
		 EDIT_RECORD,
		 {(const uint8_t *)"/x", 2},
		 {(const uint8_t *)"absent /x\n", 10}},
		{"", EDIT_ABSENT, {(const uint8_t *)"/x", 2}, {NULL, 0}},
	};
	struct fixture f;

	(void)state;
	init(&f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct edit_change changes[] = {{"a", EDIT_ABSENT, B("/fine"), B("")},
						      bad[i]};
		struct edit *edit = open_edit(&f);
		char id[EDIT_COMMIT_SIZE];
		struct error err = {0};

		assert_int_equal(edit_accept(edit, changes, 2, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_int_equal(edit_count(edit), 0);
		must(edit_commit(edit, "nothing", id, &err), &err);
		assert_string_equal(id, "");
		edit_free(edit);
	}
	assert_output(&f, "git rev-list --count HEAD", "1");
	fixture_remove(&f);
}

static void capture_replaces_what_was_accepted(void **state)
{
	const struct edit_change before = {"h::1", EDIT_ENTRY, B("/old"), B(FILE_WORDS)};
	const struct edit_change after = {"h::1", EDIT_ENTRY, B("/c"), B(FILE_WORDS)};
	const struct bytes lines[] = {B("mount /x ext4 /dev/sda1 / ro"), B("absent /y")};
	const struct bytes bad = B("absnet /y");
	struct manifest_entry entries[] = {
		{.entry = {.path = B("/b"),
			   .type = ENTRY_DIR,
			   .mode = 0755,
			   .owner = B("root"),
			   .group = B("root")}},
		{.entry = {.path = B("/a"),
			   .type = ENTRY_LINK,
			   .mode = 0777,
			   .owner = B("root"),
			   .group = B("root"),
			   .link = B("b")}},
	};
	const struct manifest *m;
	const struct record_list *r;
	struct baseline *b = NULL;
	struct error err = {0};
	struct edit *edit;
	struct fixture f;

	(void)state;
	init(&f);
	edit = open_edit(&f);
	must(edit_accept(edit, &before, 1, &err), &err);
	assert_int_equal(edit_capture(edit, "h::1", entries, 2, &bad, 1, &err), -1);
	assert_non_null(strstr(err.msg, "record 1: unknown kind absnet"));
	must(edit_capture(edit, "h::1", entries, 2, lines, 2, &err), &err);
	commit(edit, "capture");
	edit_free(edit);
	/* A later accept keeps the mark. */
	edit = open_edit(&f);
	must(edit_accept(edit, &after, 1, &err), &err);
	commit(edit, "accept");
	edit_free(edit);
	assert_clean(&f);
	must(baseline_open(f.path, NULL, &b, &err), &err);
	must(baseline_accepted(b, "h::1", NULL, 0, &m, &r, &err), &err);
	assert_true(m->captured);
	assert_int_equal(m->count, 3);
	assert_true(bytes_equal_string(m->entries[0].entry.path, "/a"));
	assert_int_equal(r->count, 2);
	baseline_close(b);
	/* An empty capture is one too: nothing on the host needs it. */
	edit = open_edit(&f);
	must(edit_capture(edit, "h::1", NULL, 0, NULL, 0, &err), &err);
	commit(edit, "empty");
	edit_free(edit);
	b = NULL;
	must(baseline_open(f.path, NULL, &b, &err), &err);
	must(baseline_accepted(b, "h::1", NULL, 0, &m, &r, &err), &err);
	assert_true(m && m->captured && m->count == 0 && r && r->count == 0);
	baseline_close(b);
	fixture_remove(&f);
}

static void acks_get_the_next_number(void **state)
{
	struct ack ack = {
		.rule = (char[]){"file.changed"},
		.path = (char[]){"/x"},
		.finding = (char[]){"0123456789abcdef"},
		.hosts = (char[]){"a,b"},
		.reason = (char[]){"CHG1"},
	};
	const struct ack *acks;
	struct baseline *b = NULL;
	struct error err = {0};
	struct edit *edit;
	struct fixture f;
	char id[EDIT_ID_SIZE];
	size_t count;

	(void)state;
	init(&f);
	edit = open_edit(&f);
	must(edit_ack(edit, &ack, "2026-12-15", id, &err), &err);
	assert_string_equal(id, "A-0001");
	ack.id = (char[]){"CHG-9"};
	must(edit_ack(edit, &ack, "2026-12-15", id, &err), &err);
	assert_string_equal(id, "CHG-9");
	ack.id = NULL;
	must(edit_ack(edit, &ack, "2026-12-15", id, &err), &err);
	assert_string_equal(id, "A-0002");
	commit(edit, "ack");
	edit_free(edit);

	edit = open_edit(&f);
	must(edit_ack(edit, &ack, "2026-12-15", id, &err), &err);
	assert_string_equal(id, "A-0003");
	assert_int_equal(edit_ack(edit, &ack, "2026-13-15", id, &err), -1);
	assert_non_null(strstr(err.msg, "not a day"));
	ack.id = (char[]){"../x"};
	assert_int_equal(edit_ack(edit, &ack, "2026-12-15", id, &err), -1);
	ack.id = NULL;
	ack.reason = (char[]){""};
	assert_int_equal(edit_ack(edit, &ack, "2026-12-15", id, &err), -1);
	assert_non_null(strstr(err.msg, "reason is empty"));
	edit_free(edit);

	must(baseline_open(f.path, NULL, &b, &err), &err);
	must(baseline_acks(b, &acks, &count, &err), &err);
	assert_int_equal(count, 3);
	baseline_close(b);
	assert_clean(&f);
	fixture_remove(&f);
}

static void refuse_commit(const struct fixture *f)
{
	const struct edit_change change = {"h", EDIT_ABSENT, B("/x"), B("")};
	struct edit *edit = open_edit(f);
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};
	char *before = fixture_output(f, "git rev-parse HEAD; git status --porcelain; cat hosts/*");

	must(edit_accept(edit, &change, 1, &err), &err);
	assert_int_equal(edit_commit(edit, "m", id, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_string_equal(id, "");
	assert_non_null(strstr(err.msg, "hosts/h.records has changes that are not committed"));
	edit_free(edit);
	assert_output(f, "git rev-parse HEAD; git status --porcelain; cat hosts/*", before);
	free(before);
}

static void uncommitted_work_is_not_run_over(void **state)
{
	const struct edit_change change = {"h", EDIT_ABSENT, B("/x"), B("")};
	struct error err = {0};
	struct fixture f;
	struct edit *edit;

	(void)state;
	init(&f);
	fixture_write(&f, "hosts/h.records", "absent /mine\n");
	refuse_commit(&f); /* not tracked */
	assert_int_equal(fixture_run(&f, "git add hosts/h.records"), 0);
	refuse_commit(&f); /* staged */
	assert_int_equal(fixture_run(&f, "git commit -qm x && echo 'absent /m' > hosts/h.records"),
			 0);
	refuse_commit(&f); /* changed */
	assert_int_equal(fixture_run(&f, "git checkout -q . && rm hosts/h.records && mkdir "
					 "hosts/h.records && touch hosts/z"),
			 0);
	{
		char id[EDIT_COMMIT_SIZE];

		edit = open_edit(&f);
		must(edit_accept(edit, &change, 1, &err), &err);
		assert_int_equal(edit_commit(edit, "m", id, &err), -1);
		edit_free(edit);
	}
	assert_int_equal(fixture_run(&f, "rmdir hosts/h.records && git checkout -q ."), 0);
	/* A change elsewhere is nobody's business, and stays. */
	fixture_write(&f, "README.md", "mine");
	edit = open_edit(&f);
	must(edit_accept(edit, &change, 1, &err), &err);
	commit(edit, "m");
	edit_free(edit);
	assert_output(&f, "git status --porcelain --untracked-files=no; cat README.md",
		      " M README.md\nmine");
	fixture_remove(&f);
}

static void links_in_the_work_tree_lead_nowhere(void **state)
{
	const struct edit_change change = {"h", EDIT_ABSENT, B("/x"), B("")};
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};
	struct fixture f, elsewhere;
	struct edit *edit;

	(void)state;
	init(&f);
	fixture_folder(&elsewhere);
	fixture_link(&f, "hosts", elsewhere.path);
	edit = open_edit(&f);
	must(edit_accept(edit, &change, 1, &err), &err);
	assert_int_equal(edit_commit(edit, "m", id, &err), -1);
	edit_free(edit);
	assert_output(&elsewhere, "ls -A", "");
	assert_output(&f, "git rev-list --count HEAD", "1");
	fixture_remove(&elsewhere);
	fixture_remove(&f);
}

static void moved_head_is_noticed(void **state)
{
	const struct edit_change change = {"h", EDIT_ABSENT, B("/x"), B("")};
	char id[EDIT_COMMIT_SIZE];
	struct error err = {0};
	struct fixture f;
	struct edit *edit;

	(void)state;
	init(&f);
	edit = open_edit(&f);
	must(edit_accept(edit, &change, 1, &err), &err);
	assert_int_equal(fixture_run(&f, "git commit -q --allow-empty -m other"), 0);
	assert_int_equal(edit_commit(edit, "m", id, &err), -1);
	assert_non_null(strstr(err.msg, "HEAD moved meanwhile"));
	edit_free(edit);
	assert_output(&f, "git rev-list --count HEAD; ls", "2\nREADME.md\nmuster.yaml");
	fixture_remove(&f);
}

static void bare_repository_has_no_files_to_follow(void **state)
{
	const struct edit_change change = {"h", EDIT_ABSENT, B("/x"), B("")};
	struct error err = {0};
	struct fixture f, bare;
	struct edit *edit;

	(void)state;
	init(&f);
	assert_int_equal(fixture_run(&f, "git clone -q --bare . b.git"), 0);
	(void)snprintf(bare.path, sizeof(bare.path), "%.100s/b.git", f.path);
	edit = open_edit(&bare);
	must(edit_accept(edit, &change, 1, &err), &err);
	commit(edit, "m");
	edit_free(edit);
	assert_output(&bare,
		      "git show HEAD:hosts/h.records | tail -1; ls -d hosts 2>/dev/null; true",
		      "absent /x");
	fixture_remove(&f);
}

static void unfit_paths_are_refused(void **state)
{
	static const char *const wrong[] = {"",       "/a",  "a/",     "a//b",     "../a",
					    "a/../b", "./a", ".git/x", "a/.GIT/x", "packages/."};
	struct error err = {0};
	struct fixture f;
	struct edit *edit;

	(void)state;
	init(&f);
	edit = open_edit(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(edit_put(edit, wrong[i], B("x"), &err), -1);
		assert_int_equal(edit_remove(edit, wrong[i], &err), -1);
	}
	assert_int_equal(edit_count(edit), 0);
	edit_free(edit);
	fixture_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_makes_a_baseline_that_opens),
		cmocka_unit_test(init_leaves_what_is_there_alone),
		cmocka_unit_test(unfit_authors_are_refused),
		cmocka_unit_test(accepted_changes_are_one_commit),
		cmocka_unit_test(one_bad_value_stages_nothing),
		cmocka_unit_test(capture_replaces_what_was_accepted),
		cmocka_unit_test(acks_get_the_next_number),
		cmocka_unit_test(uncommitted_work_is_not_run_over),
		cmocka_unit_test(links_in_the_work_tree_lead_nowhere),
		cmocka_unit_test(moved_head_is_noticed),
		cmocka_unit_test(bare_repository_has_no_files_to_follow),
		cmocka_unit_test(unfit_paths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
