// SPDX-License-Identifier: MIT
/* What no package owns: what explains it, what compiled Python says of itself, and what is one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/judge/bytecode.h"
#include "controller/judge/pile_value.h"
#include "tests/unit/controller/judge/builder.h"

#define CACHE "/usr/lib/python3/__pycache__/"
#define SOURCE "/usr/lib/python3/mod.py"

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

static void put_little(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		to[i] = (uint8_t)(value >> (8 * i));
	}
}

/* Of the room's own: heads are borrowed. */
static struct bytes make_head(uint8_t to[ENTRY_HEAD_MAX], unsigned magic, uint32_t flags,
			      const struct entry *source)
{
	put_little(to, magic | (uint32_t)'\r' << 16 | (uint32_t)'\n' << 24);
	put_little(to + 4, flags);
	put_little(to + 8, (uint32_t)source->mtime_s);
	put_little(to + 12, (uint32_t)source->size);
	return bytes_make(to, ENTRY_HEAD_MAX);
}

static void source_of_compiled_python_follows_from_its_name(void **state)
{
	static const struct {
		const char *path, *source;
	} cases[] = {
		{"/a/__pycache__/b.cpython-311.pyc", "/a/b.py"},
		{"/a/__pycache__/b.cpython-311.opt-2.pyc", "/a/b.py"},
		{"/a/__pycache__/b.c.cpython-36.pyc", "/a/b.c.py"},
		{"/a/__pycache__/b.pypy39.pyc", "/a/b.py"},
		{"/__pycache__/b.cpython-311.pyc", "/b.py"},
		{"/a/__pycache__/b.pyc", "/a/b.py"},
		{"/a/b.pyc", "/a/b.py"},
		{"/a/__pycache__/..pyc", "/a/..py"},
	};
	uint8_t room[ENTRY_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes source = bytecode_source(bytes_from_string(cases[i].path), room);

		assert_true(bytes_equal_string(source, cases[i].source));
	}
}

static void heads_are_held_against_the_source(void **state)
{
	static const struct {
		const char *path;
		unsigned magic;
		uint32_t flags;
		int mtime, size; /* off by so much */
		size_t len;
		bool alone;
		enum bytecode state;
	} cases[] = {
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 0, 0, 16, false, BYTECODE_FITS},
		{"/__pycache__/m.cpython-39.pyc", 3425, 0, 0, 0, 16, false, BYTECODE_FITS},
		{"/__pycache__/m.cpython-314.opt-1.pyc", 3627, 0, 0, 0, 16, false, BYTECODE_FITS},
		{"/m.pyc", 3495, 0, 0, 0, 16, false, BYTECODE_FITS},
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 1, 0, 16, false, BYTECODE_STALE},
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 0, 1, 16, false, BYTECODE_STALE},
		{"/__pycache__/m.cpython-311.pyc", 3531, 0, 0, 0, 16, false, BYTECODE_MAGIC},
		{"/__pycache__/m.cpython-311.pyc", 1, 0, 0, 0, 16, false, BYTECODE_MAGIC},
		{"/__pycache__/m.cpython-311.pyc", 3495, 4, 0, 0, 16, false, BYTECODE_MAGIC},
		{"/__pycache__/m.pyc", 3495, 0, 0, 0, 16, false, BYTECODE_MAGIC},
		{"/__pycache__/m.cpython-3x.pyc", 3495, 0, 0, 0, 16, false, BYTECODE_MAGIC},
		{"/m.pyc", 3800, 0, 0, 0, 16, false, BYTECODE_MAGIC},
		{"/__pycache__/m.cpython-311.pyc", 3495, 3, 0, 0, 16, false, BYTECODE_HASHED},
		{"/__pycache__/m.cpython-311.pyc", 3495, 1, 0, 0, 16, false, BYTECODE_UNCHECKED},
		{"/__pycache__/m.cpython-311.pyc", 3495, 1, 0, 0, 16, true, BYTECODE_UNCHECKED},
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 0, 0, 16, true, BYTECODE_NO_SOURCE},
		{"/m.pyc", 3495, 0, 0, 0, 16, true, BYTECODE_NO_SOURCE},
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 0, 0, 15, false, BYTECODE_SHORT},
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 0, 0, 3, false, BYTECODE_SHORT},
		{"/__pycache__/m.cpython-311.pyc", 3495, 0, 0, 0, 0, false, BYTECODE_SHORT},
		{"/__pycache__/m.pypy39.pyc", 336, 0, 0, 0, 16, false, BYTECODE_UNKNOWN},
	};
	struct entry source = build_file("/m.py", 0644, 5), file;
	uint8_t room[ENTRY_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct entry other = source;

		other.mtime_s += cases[i].mtime;
		other.size += (uint64_t)cases[i].size;
		file = build_file(cases[i].path, 0644, 6);
		file.head = make_head(room, cases[i].magic, cases[i].flags, &source);
		file.head.len = cases[i].len;
		if (bytecode_judge(&file, cases[i].alone ? NULL : &other) != cases[i].state) {
			fail_msg("case %zu: %s", i, cases[i].path);
		}
	}
}

/* Before 3.7 there were no flags, and before 3.3 no size. */
static void older_heads_are_shorter(void **state)
{
	struct entry source = build_file("/m.py", 0644, 5), file;
	uint8_t room[ENTRY_HEAD_MAX] = {0}, whole[ENTRY_HEAD_MAX];

	(void)state;
	(void)make_head(whole, 3379, 0, &source);
	memcpy(room, whole, 4);
	memcpy(room + 4, whole + 8, 8);
	file = build_file("/__pycache__/m.cpython-36.pyc", 0644, 6);
	file.head = bytes_make(room, 16);
	assert_int_equal(bytecode_judge(&file, &source), BYTECODE_FITS);
	room[8]++;
	assert_int_equal(bytecode_judge(&file, &source), BYTECODE_STALE);
	/* 2.7: the same place is code already. */
	(void)make_head(whole, 62211, 0, &source);
	memcpy(room, whole, 4);
	file.path = BYTES_LITERAL("/m.pyc");
	assert_int_equal(bytecode_judge(&file, &source), BYTECODE_FITS);
	room[4]++;
	assert_int_equal(bytecode_judge(&file, &source), BYTECODE_STALE);
}

/* A module of coreutils, and what was compiled of it. */
static struct entry *add_module(struct world *w, uint8_t room[ENTRY_HEAD_MAX])
{
	struct entry source = build_file(SOURCE, 0644, 30);
	struct entry file = build_file(CACHE "mod.cpython-311.pyc", 0644, 31);
	struct side *sides[] = {&w->now, &w->first};

	file.head = make_head(room, 3495, 0, &source);
	manifest_put(&w->manifest[0], source, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct section_key key = build_dir_key(SECTION_TREE, "/usr/lib/python3");

		side_add(sides[i], build_key(SECTION_PACKAGE, build_coreutils), source);
		side_claim(sides[i], build_coreutils, SOURCE, 30, "lm");
		side_add(sides[i], key, build_dir("/usr/lib/python3/__pycache__", 0755));
		side_add(sides[i], key, file);
	}
	return side_find(&w->now, CACHE "mod.cpython-311.pyc");
}

static void compiled_python_that_fits_its_source_is_silent(void **state)
{
	struct world *w = *state;
	uint8_t room[ENTRY_HEAD_MAX];

	(void)add_module(w, room);
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	w->has_first = false;
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
}

static void head_that_does_not_fit_is_told_even_at_first_sight(void **state)
{
	struct world *w = *state;
	uint8_t room[ENTRY_HEAD_MAX];
	const struct finding *found;

	(void)add_module(w, room);
	room[12]++; /* the size: of both sides, which borrow it */
	world_judge(w);
	found = world_finding(w, RULE_UNOWNED_BYTECODE, CACHE "mod.cpython-311.pyc");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_MEDIUM);
	assert_true(world_accept_finding(w, found));
	world_judge(w);
	assert_null(world_finding(w, RULE_UNOWNED_BYTECODE, CACHE "mod.cpython-311.pyc"));
}

static void order_not_to_look_at_the_source_is_grave(void **state)
{
	struct world *w = *state;
	uint8_t room[ENTRY_HEAD_MAX];
	const struct finding *found;

	(void)add_module(w, room);
	room[4] = 1;
	world_judge(w);
	found = world_finding(w, RULE_UNOWNED_BYTECODE, CACHE "mod.cpython-311.pyc");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_HIGH);
}

static void code_replaced_under_its_head_is_told(void **state)
{
	struct world *w = *state;
	uint8_t room[ENTRY_HEAD_MAX], old[ENTRY_HEAD_MAX];
	struct entry *file = add_module(w, room);
	const struct finding *found;

	file->sha256.bytes[0] ^= 1;
	world_judge(w);
	found = world_finding(w, RULE_UNOWNED_CHANGED, CACHE "mod.cpython-311.pyc");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_true(found->detail.len > 0);
	/* Where the head was not kept, nothing shows that the source had been another. */
	side_find(&w->first, CACHE "mod.cpython-311.pyc")->head = bytes_make(NULL, 0);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_CHANGED, CACHE "mod.cpython-311.pyc"));
	/* Made anew, because the source had been another: explained. */
	memcpy(old, room, sizeof(old));
	old[8]++;
	side_find(&w->first, CACHE "mod.cpython-311.pyc")->head = bytes_make(old, sizeof(old));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
}

static void accepted_words_keep_the_head(void **state)
{
	struct world *w = *state;
	uint8_t room[ENTRY_HEAD_MAX];
	struct entry *file = add_module(w, room);

	world_capture(w);
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	file->sha256.bytes[0] ^= 1;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_CHANGED, CACHE "mod.cpython-311.pyc"));
	/* Of a module that came later nothing was accepted: its head is what there is. */
	side_remove(&w->now, CACHE "mod.cpython-311.pyc");
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
}

static void source_behind_a_link_is_found(void **state)
{
	struct world *w = *state;
	uint8_t room[ENTRY_HEAD_MAX];
	struct entry target, link = build_link(SOURCE, "../../share/mod.py");
	struct side *sides[] = {&w->now, &w->first};

	(void)add_module(w, room);
	target = *side_find(&w->now, SOURCE);
	target.path = BYTES_LITERAL("/usr/share/mod.py");
	manifest_put(&w->manifest[0], target, 0);
	for (unsigned i = 0; i < 2; i++) {
		side_remove(sides[i], SOURCE);
		side_add(sides[i], build_key(SECTION_PACKAGE, build_coreutils), link);
		side_add(sides[i], build_key(SECTION_PACKAGE, build_coreutils), target);
		side_claim(sides[i], build_coreutils, "/usr/share/mod.py", 30, "lm");
	}
	world_judge(w);
	assert_null(world_finding(w, RULE_UNOWNED_BYTECODE, CACHE "mod.cpython-311.pyc"));
	side_find(&w->now, "/usr/share/mod.py")->mtime_s++;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_BYTECODE, CACHE "mod.cpython-311.pyc"));
}

static void compiled_python_without_source_is_told(void **state)
{
	struct world *w = *state;
	struct entry source = build_file("/usr/lib/python3/gone.py", 0644, 40), file;
	uint8_t room[ENTRY_HEAD_MAX];

	file = build_file("/usr/lib/python3/gone.pyc", 0644, 41);
	file.head = make_head(room, 3495, 0, &source);
	w->has_first = false;
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/lib/python3"), file);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_BYTECODE, "/usr/lib/python3/gone.pyc"));
	/* With an unowned source beside it, which is told in its stead. */
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/lib/python3"), source);
	world_judge(w);
	assert_null(world_finding(w, RULE_UNOWNED_BYTECODE, "/usr/lib/python3/gone.pyc"));
	assert_non_null(world_finding(w, RULE_UNOWNED_PRESENT, "/usr/lib/python3/gone.py"));
}

#define MODULES "/usr/local/lib/node_modules"

/* Files f00 ... of one npm package, no first sight. */
static void add_tree(struct world *w, struct side *side, unsigned count)
{
	static char paths[26][64];
	struct section_key key = build_dir_key(SECTION_TREE, "/usr/local/lib");

	(void)w;
	side_add(side, key, build_dir(MODULES, 0755));
	side_add(side, key, build_dir(MODULES "/x", 0755));
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), MODULES "/x/f%02u.js", i);
		side_add(side, key, build_file(paths[i], 0644, 60 + i));
	}
}

static void tree_of_a_language_is_one_line(void **state)
{
	struct world *w = *state;
	const struct finding *found;
	char id[FINGERPRINT_SIZE];

	w->has_first = false;
	add_tree(w, &w->now, 20);
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 1);
	found = world_finding(w, RULE_UNOWNED_PRESENT, MODULES);
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_LOW);
	assert_true(bytes_has_prefix(found->new_value, BYTES_LITERAL("tree npm files=20 bytes=")));
	assert_non_null(memmem(found->detail.data, found->detail.len, "x/f00.js", 8));
	/* The same on a host where it was installed at another time; not with other content. */
	memcpy(id, found->id, sizeof(id));
	side_find(&w->now, MODULES "/x/f03.js")->mtime_s += 77;
	world_judge(w);
	assert_string_equal(world_finding(w, RULE_UNOWNED_PRESENT, MODULES)->id, id);
	side_find(&w->now, MODULES "/x/f03.js")->sha256.bytes[0] ^= 1;
	world_judge(w);
	assert_string_not_equal(world_finding(w, RULE_UNOWNED_PRESENT, MODULES)->id, id);
}

static void few_files_are_told_one_by_one(void **state)
{
	struct world *w = *state;

	w->has_first = false;
	add_tree(w, &w->now, 2);
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 2);
	assert_non_null(world_finding(w, RULE_UNOWNED_PRESENT, MODULES "/x/f00.js"));
}

static void what_tells_is_named_inside_of_a_tree(void **state)
{
	static const char *const paths[] = {MODULES "/x/addon.node", MODULES "/x/.hidden",
					    MODULES "/x/root", MODULES "/x/site-packages/a.pth"};
	struct section_key key = build_dir_key(SECTION_TREE, "/usr/local/lib");
	struct world *w = *state;

	w->has_first = false;
	add_tree(w, &w->now, 20);
	side_add(&w->now, key, build_elf(paths[0], 0644, 90));
	side_add(&w->now, key, build_script(paths[1], 0755, 91));
	side_add(&w->now, key, build_file(paths[2], 04755, 92));
	side_add(&w->now, key, build_file(paths[3], 0644, 93));
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_EXECUTABLE, paths[0]));
	assert_int_equal(world_finding(w, RULE_UNOWNED_EXECUTABLE, paths[1])->severity,
			 SEVERITY_MEDIUM);
	assert_int_equal(world_finding(w, RULE_SETID_GAINED, paths[2])->severity, SEVERITY_HIGH);
	assert_non_null(world_finding(w, RULE_UNOWNED_EXECUTABLE, paths[3]));
	assert_int_equal(world_count(w, SEVERITY_LOW), 5);
}

static void change_inside_of_a_tree_is_named(void **state)
{
	struct world *w = *state;
	struct side *sides[] = {&w->now, &w->first};
	const struct finding *found;

	for (unsigned i = 0; i < 2; i++) {
		add_tree(w, sides[i], 24);
	}
	side_find(&w->now, MODULES "/x/f07.js")->sha256.bytes[0] ^= 1;
	side_remove(&w->now, MODULES "/x/f08.js");
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_CHANGED, MODULES "/x/f07.js"));
	assert_non_null(world_finding(w, RULE_UNOWNED_VANISHED, MODULES "/x/f08.js"));
	/* An upgrade: one line, and a program in it all the same. */
	for (unsigned i = 0; i < 24; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), MODULES "/x/f%02u.js", i);
		if (side_find(&w->now, path)) {
			side_find(&w->now, path)->sha256.bytes[0] ^= 2;
		}
	}
	side_add(&w->now, build_dir_key(SECTION_TREE, "/usr/local/lib"),
		 build_elf(MODULES "/x/miner", 0755, 99));
	world_judge(w);
	assert_null(world_finding(w, RULE_UNOWNED_CHANGED, MODULES "/x/f07.js"));
	found = world_finding(w, RULE_UNOWNED_CHANGED, MODULES);
	assert_non_null(found);
	assert_true(found->severity >= SEVERITY_MEDIUM);
	assert_non_null(memmem(found->detail.data, found->detail.len,
			       "0 appeared, 23 changed, 1 vanished", 34));
	assert_int_equal(world_finding(w, RULE_UNOWNED_APPEARED, MODULES "/x/miner")->severity,
			 SEVERITY_HIGH);
}

static void alias_of_merged_usr_is_explained_and_no_other_link(void **state)
{
	static const struct {
		const char *path, *link;
		bool told;
	} cases[] = {
		{"/bin", "usr/bin", false},     {"/lib64", "/usr/lib64", false},
		{"/sbin", "usr/bin", true},     {"/lib", "usr/lib/x", true},
		{"/lib32", "/tmp/lib32", true}, {"/other", "usr/other", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_new();

		world_standard(w);
		w->has_first = false;
		side_add(&w->now, build_dir_key(SECTION_TREE, "/"),
			 build_link(cases[i].path, cases[i].link));
		world_judge(w);
		if (!world_finding(w, RULE_UNOWNED_PRESENT, cases[i].path) == cases[i].told) {
			fail_msg("%s -> %s", cases[i].path, cases[i].link);
		}
		world_free(w);
	}
	(void)state;
}

/* An authority that somebody adds is told: by its file, by its link, by its hash. */
static void certificate_is_explained_by_its_links_alone(void **state)
{
	static const struct {
		const char *path, *link;
		bool told;
	} cases[] = {
		{"/etc/ssl/certs/0179095f.0", "Root.pem", false},
		{"/etc/ssl/certs/0179095f.0", "../../../tmp/Root.pem", true},
		{"/etc/ssl/certs/0179095f.0", "/tmp/Root.pem", true},
		{"/etc/ssl/certs/0179095f.0", "Root.crt", true},
		{"/etc/ssl/certs/0179095f.0", NULL, true},
		{"/etc/ssl/certs/Root.pem", "/usr/bin/ls", true},
		{"/etc/ssl/certs/Root.pem", "/usr/share/ca-certificates/mine.crt", true},
		{"/etc/ssl/certs/Root.pem", NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_new();

		world_standard(w);
		w->has_first = false;
		side_add(&w->now, build_dir_key(SECTION_TREE, "/etc/ssl/certs"),
			 cases[i].link ? build_link(cases[i].path, cases[i].link)
				       : build_file(cases[i].path, 0644, 45));
		world_judge(w);
		if (!world_finding(w, RULE_UNOWNED_PRESENT, cases[i].path) == cases[i].told) {
			fail_msg("%s -> %s", cases[i].path,
				 cases[i].link ? cases[i].link : "no link");
		}
		world_free(w);
	}
}

static void generated_cache_is_explained_but_not_as_a_program(void **state)
{
	struct world *w = *state;

	w->has_first = false;
	side_add(&w->now, build_dir_key(SECTION_TREE, "/etc"),
		 build_file("/etc/ld.so.cache", 0644, 45));
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
	side_find(&w->now, "/etc/ld.so.cache")->mode = 04755;
	world_judge(w);
	assert_non_null(world_finding(w, RULE_SETID_GAINED, "/etc/ld.so.cache"));
}

/* Where triggers write, as elsewhere: at first sight, when it appears, and when it changes. */
static void program_is_never_a_generated_cache(void **state)
{
	const char *const path = "/usr/share/mime/x/evil";
	const struct section_key key = build_dir_key(SECTION_TREE, "/usr/share/mime/x");
	const struct entry programs[] = {
		build_elf(path, 0644, 70),
		build_script(path, 0644, 71),
		build_file(path, 0755, 72),
		build_file(path, 0611, 73),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct world *w = world_new();

		world_standard(w);
		side_add(&w->now, key, build_file(path, 0644, 74));
		world_judge(w);
		assert_int_equal(world_count(w, SEVERITY_LOW), 0);
		*side_find(&w->now, path) = programs[i];
		world_judge(w);
		assert_non_null(world_finding(w, RULE_UNOWNED_APPEARED, path));
		side_add(&w->first, key, build_file(path, 0644, 74));
		world_judge(w);
		assert_non_null(world_finding(w, RULE_UNOWNED_CHANGED, path));
		w->has_first = false;
		world_judge(w);
		assert_true(world_finding(w, RULE_UNOWNED_PRESENT, path) ||
			    world_finding(w, RULE_UNOWNED_EXECUTABLE, path));
		world_free(w);
	}
}

static void link_is_explained_while_a_package_owns_its_target(void **state)
{
	struct section_key key = build_dir_key(SECTION_TREE, "/etc/systemd/system");
	struct entry link = build_link("/etc/systemd/system/multi.wants/a.service",
				       "/lib/systemd/system/a.service");
	struct world *w = *state;

	w->has_first = false;
	side_add(&w->now, key, link);
	world_judge(w);
	assert_non_null(world_finding(w, RULE_UNOWNED_PRESENT,
				      "/etc/systemd/system/multi.wants/a.service"));
	manifest_put(&w->manifest[0], build_file("/usr/lib/systemd/system/a.service", 0644, 50), 0);
	side_add(&w->now, build_key(SECTION_PACKAGE, build_coreutils),
		 build_file("/usr/lib/systemd/system/a.service", 0644, 50));
	side_claim(&w->now, build_coreutils, "/usr/lib/systemd/system/a.service", 50, "lm");
	world_judge(w);
	assert_int_equal(world_count(w, SEVERITY_LOW), 0);
}

static void what_policy_names_is_explained_and_its_change_told(void **state)
{
	struct world *w = *state;
	struct side *sides[] = {&w->now, &w->first};

	for (unsigned i = 0; i < 2; i++) {
		side_add(sides[i], build_dir_key(SECTION_TREE, "/etc/ssh"),
			 build_file("/etc/ssh/ssh_host_rsa_key", 0600, 50));
		side_add(sides[i], build_dir_key(SECTION_TREE, "/etc/ssh"),
			 build_file("/etc/ssh/ssh_host_rsa_key.bak", 0600, 51));
	}
	world_judge(w);
	assert_null(world_finding(w, RULE_UNOWNED_PRESENT, "/etc/ssh/ssh_host_rsa_key"));
	assert_int_equal(
		world_finding(w, RULE_UNOWNED_PRESENT, "/etc/ssh/ssh_host_rsa_key.bak")->severity,
		SEVERITY_LOW);
	side_find(&w->now, "/etc/ssh/ssh_host_rsa_key")->sha256.bytes[0] ^= 1;
	world_judge(w);
	assert_int_equal(
		world_finding(w, RULE_UNOWNED_CHANGED, "/etc/ssh/ssh_host_rsa_key")->severity,
		SEVERITY_HIGH);
}

static void value_of_a_pile_covers_what_it_was_made_of(void **state)
{
	const struct bytes root = BYTES_LITERAL("/opt/app"), etc = BYTES_LITERAL("/etc");
	const struct bytes tree = BYTES_LITERAL("tree npm files=9 bytes=1 sha256=00");
	const struct bytes programs = BYTES_LITERAL("programs folder files=9 bytes=1 sha256=00");
	const struct bytes files = BYTES_LITERAL("tree files files=9 bytes=1 sha256=00");
	struct entry plain = build_file("/opt/app/x/y", 0644, 1);
	struct entry elf = build_elf("/opt/app/x/z", 0644, 1);
	struct entry suid = build_file("/opt/app/x/s", 04755, 1);
	struct entry single = build_file("/etc/one", 0644, 1);
	struct entry deep = build_file("/etc/two/one", 0644, 1);

	(void)state;
	assert_true(pile_value_covers(root, tree, &plain));
	assert_false(pile_value_covers(root, tree, &elf));
	assert_true(pile_value_covers(root, programs, &elf));
	assert_false(pile_value_covers(root, programs, &plain));
	assert_false(pile_value_covers(root, tree, &suid));
	assert_false(pile_value_covers(root, programs, &suid));
	assert_false(pile_value_covers(etc, tree, &plain));
	assert_true(pile_value_covers(etc, files, &single));
	assert_false(pile_value_covers(etc, files, &deep));
	assert_false(pile_value_is(BYTES_LITERAL("type=file mode=0644")));
	assert_false(pile_value_is(BYTES_LITERAL("tree")));
	assert_true(pile_value_is(tree));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_of_compiled_python_follows_from_its_name),
		cmocka_unit_test(heads_are_held_against_the_source),
		cmocka_unit_test(older_heads_are_shorter),
		TEST(compiled_python_that_fits_its_source_is_silent),
		TEST(head_that_does_not_fit_is_told_even_at_first_sight),
		TEST(order_not_to_look_at_the_source_is_grave),
		TEST(code_replaced_under_its_head_is_told),
		TEST(accepted_words_keep_the_head),
		TEST(source_behind_a_link_is_found),
		TEST(compiled_python_without_source_is_told),
		TEST(tree_of_a_language_is_one_line),
		TEST(few_files_are_told_one_by_one),
		TEST(what_tells_is_named_inside_of_a_tree),
		TEST(change_inside_of_a_tree_is_named),
		cmocka_unit_test(alias_of_merged_usr_is_explained_and_no_other_link),
		cmocka_unit_test(certificate_is_explained_by_its_links_alone),
		TEST(generated_cache_is_explained_but_not_as_a_program),
		cmocka_unit_test(program_is_never_a_generated_cache),
		TEST(link_is_explained_while_a_package_owns_its_target),
		TEST(what_policy_names_is_explained_and_its_change_told),
		cmocka_unit_test(value_of_a_pile_covers_what_it_was_made_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
