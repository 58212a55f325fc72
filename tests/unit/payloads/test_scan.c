// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/payloads/host.h"

static struct plan plan;
static struct talk talk;

static int setup(void **state)
{
	(void)state;
	memset(&talk, 0, sizeof(talk));
	host_make();
	host_plan(&plan);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	talk_free(&talk);
	host_remove();
	return 0;
}

/* What the kernel says of /usr/bin/alpha and its like instead of what is so. */
static enum kernel_says {
	KERNEL_TRUTH,
	KERNEL_ACL_TOO_LARGE,
	KERNEL_CAPS_DENIED,
	KERNEL_LIST_DENIED,
	KERNEL_FLAGS_DIFFER,
	KERNEL_OPEN_DENIED,
	KERNEL_LABELS_DENIED,
} kernel_says;

ssize_t __real_sys_xattr_list(int dir_fd, const char *name, int fd, char *to, size_t room);
ssize_t __wrap_sys_xattr_list(int dir_fd, const char *name, int fd, char *to, size_t room);
ssize_t __real_sys_xattr_get(int dir_fd, const char *name, int fd, const char *attribute, void *to,
			     size_t room);
ssize_t __wrap_sys_xattr_get(int dir_fd, const char *name, int fd, const char *attribute, void *to,
			     size_t room);
int __real_sys_open_name(const struct sys *sys, int dir_fd, const char *name, int flags);
int __wrap_sys_open_name(const struct sys *sys, int dir_fd, const char *name, int flags);
int __real_sys_stat_at(const struct sys *sys, int dir_fd, const char *name, struct sys_stat *st);
int __wrap_sys_stat_at(const struct sys *sys, int dir_fd, const char *name, struct sys_stat *st);
int __real_sys_stat_fd(const struct sys *sys, int fd, struct sys_stat *st);
int __wrap_sys_stat_fd(const struct sys *sys, int fd, struct sys_stat *st);
int __real_sys_inode_flags(int fd, uint32_t *flags);
int __wrap_sys_inode_flags(int fd, uint32_t *flags);

ssize_t __wrap_sys_xattr_list(int dir_fd, const char *name, int fd, char *to, size_t room)
{
	static const char acl[] = "system.posix_acl_access";
	static const char caps[] = "security.capability";

	if (strcmp(name, "alpha") == 0 && kernel_says == KERNEL_LIST_DENIED) {
		return -EACCES;
	}
	if (strcmp(name, "alpha") == 0 && kernel_says == KERNEL_ACL_TOO_LARGE) {
		memcpy(to, acl, sizeof(acl));
		return (ssize_t)sizeof(acl);
	}
	if (strcmp(name, "alpha") == 0 && kernel_says == KERNEL_CAPS_DENIED) {
		memcpy(to, caps, sizeof(caps));
		return (ssize_t)sizeof(caps);
	}
	return __real_sys_xattr_list(dir_fd, name, fd, to, room);
}

ssize_t __wrap_sys_xattr_get(int dir_fd, const char *name, int fd, const char *attribute, void *to,
			     size_t room)
{
	if (kernel_says == KERNEL_LABELS_DENIED && strcmp(attribute, "security.selinux") == 0) {
		if (strcmp(name, "etc") != 0) {
			return -EACCES;
		}
		memcpy(to, "x", 2);
		return 2;
	}
	if (kernel_says == KERNEL_ACL_TOO_LARGE &&
	    strcmp(attribute, "system.posix_acl_access") == 0) {
		return -ERANGE;
	}
	if (kernel_says == KERNEL_CAPS_DENIED && strcmp(attribute, "security.capability") == 0) {
		return -EPERM;
	}
	return __real_sys_xattr_get(dir_fd, name, fd, attribute, to, room);
}

int __wrap_sys_open_name(const struct sys *sys, int dir_fd, const char *name, int flags)
{
	if (kernel_says == KERNEL_OPEN_DENIED && strcmp(name, "stray") == 0) {
		return -EACCES;
	}
	return __real_sys_open_name(sys, dir_fd, name, flags);
}

/* Both ways to the flags answer here, whatever the file system has. */
int __wrap_sys_stat_at(const struct sys *sys, int dir_fd, const char *name, struct sys_stat *st)
{
	int result = __real_sys_stat_at(sys, dir_fd, name, st);

	if (result == 0) {
		st->attributes_mask |= SYS_IMMUTABLE | SYS_APPEND;
	}
	return result;
}

int __wrap_sys_stat_fd(const struct sys *sys, int fd, struct sys_stat *st)
{
	int result = __real_sys_stat_fd(sys, fd, st);

	if (result == 0) {
		st->attributes_mask |= SYS_IMMUTABLE | SYS_APPEND;
	}
	return result;
}

int __wrap_sys_inode_flags(int fd, uint32_t *flags)
{
	(void)fd;
	*flags = kernel_says == KERNEL_FLAGS_DIFFER ? SYS_IMMUTABLE : 0;
	return 0;
}

static void write_mode(const char *path, const char *text, mode_t mode)
{
	tree_write(&host_tree, path, text);
	assert_int_equal(chmod(tree_path(&host_tree, path), mode), 0);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s",
			     tree_path(&host_tree, path)) < (int)sizeof(address.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(fd), 0);
}

static void only_telling_objects_of_volatile_roots_are_sent(void **state)
{
	static const char *const telling[] = {
		"/tmp/run-me", "/tmp/.hidden", "/tmp/sub/elf", "/tmp/script",  "/tmp/socket",
		"/tmp/fifo",   "/tmp/...",     "/tmp/blank ",  "/tmp/esc\033", "/tmp/.ICE-unix/run",
	};
	struct talk_section *section;
	struct entry entry;

	(void)state;
	write_mode("/tmp/run-me", "x", 0755);
	tree_write(&host_tree, "/tmp/.hidden", "");
	tree_write(&host_tree, "/tmp/sub/elf", "\177ELF...");
	tree_write(&host_tree, "/tmp/script", "#!/bin/sh\n");
	tree_write(&host_tree, "/tmp/...", "");
	tree_write(&host_tree, "/tmp/blank ", "");
	tree_write(&host_tree, "/tmp/esc\033", "");
	write_mode("/tmp/.ICE-unix/run", "x", 0700);
	make_socket("/tmp/socket");
	assert_int_equal(mkfifo(tree_path(&host_tree, "/tmp/fifo"), 0600), 0);
	/* and what is at home there */
	tree_write(&host_tree, "/tmp/plain", "text");
	tree_dir(&host_tree, "/tmp/.X11-unix");
	make_socket("/tmp/.X11-unix/X0");
	tree_dir(&host_tree, "/tmp/tmux-0");
	make_socket("/tmp/tmux-0/default");
	tree_write(&host_tree, "/tmp/.X0-lock", "1\n");
	tree_link(&host_tree, "/tmp/link", "/etc/passwd");
	host_run(&talk, &plan, false);
	section = talk_find(&talk, SECTION_VOLATILE, "/tmp");
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
		assert_true(host_entry(section, telling[i], &entry));
	}
	assert_int_equal(host_item_count(section), sizeof(telling) / sizeof(telling[0]));
	assert_true(section->stat == section->digest.stat);
}

static void world_writable_web_directories_and_scripts_tell(void **state)
{
	struct talk_section *section;
	struct entry entry;

	(void)state;
	talk_plan_add(&plan.web_roots, "/var/www");
	tree_write(&host_tree, "/var/www/upload/x.php", "<?php ?>");
	tree_write(&host_tree, "/var/www/index.html", "<html>");
	tree_dir(&host_tree, "/var/www/sticky");
	assert_int_equal(chmod(tree_path(&host_tree, "/var/www/upload"), 0777), 0);
	assert_int_equal(chmod(tree_path(&host_tree, "/var/www/sticky"), 01777), 0);
	host_run(&talk, &plan, false);
	section = talk_find(&talk, SECTION_VOLATILE, "/var/www");
	assert_true(host_entry(section, "/var/www/upload", &entry));
	assert_int_equal(entry.mode, 0777);
	assert_true(host_entry(section, "/var/www/upload/x.php", &entry));
	assert_int_equal(host_item_count(section), 2);
}

static void set_id_files_are_found_outside_of_all_roots(void **state)
{
	struct talk_section *section;
	struct entry entry;

	(void)state;
	write_mode("/srv/deep/er/suid", "x", 04755);
	write_mode("/srv/sgid", "x", 02755);
	write_mode("/srv/plain", "x", 0755);
	write_mode("/usr/bin/inside", "x", 04755);
	host_run(&talk, &plan, false);
	section = talk_find(&talk, SECTION_SETID, NULL);
	assert_true(host_entry(section, "/srv/deep/er/suid", &entry));
	assert_int_equal(entry.mode, 04755);
	assert_true(host_entry(section, "/srv/sgid", &entry));
	assert_int_equal(host_item_count(section), 2);
	assert_true(
		host_entry(talk_find(&talk, SECTION_TREE, "/usr/bin"), "/usr/bin/inside", &entry));
	assert_true(section->stat == section->digest.stat);
}

static void mounts_that_are_not_local_are_never_entered(void **state)
{
	static const char *const reasons[] = {"network", "fuse", "autofs", "pseudo", "unknown"};
	struct entry entry;

	(void)state;
	host_mounts("2 1 0:1 / /usr/net rw - nfs4 server:/x rw\n"
		    "3 1 0:2 / /usr/fuse rw - fuse.sshfs x rw\n"
		    "4 1 0:3 / /usr/auto rw - autofs systemd-1 rw\n"
		    "5 1 0:4 / /usr/proc rw - proc proc rw\n"
		    "6 1 0:5 / /usr/odd rw - whatfs x rw\n"
		    "7 1 8:2 / /usr/local rw - xfs /dev/y rw\n");
	tree_write(&host_tree, "/usr/net/a", "x");
	tree_write(&host_tree, "/usr/fuse/a", "x");
	tree_write(&host_tree, "/usr/auto/a", "x");
	tree_write(&host_tree, "/usr/proc/a", "x");
	tree_write(&host_tree, "/usr/odd/a", "x");
	tree_write(&host_tree, "/usr/local/a", "x");
	host_run(&talk, &plan, false);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const struct talk_row *row = talk_find_row(&talk, "tree", reasons[i]);

		assert_non_null(row);
		assert_int_equal(row->state, COVERAGE_SKIPPED);
	}
	assert_false(host_entry(talk_find(&talk, SECTION_TREE, "/usr"), "/usr/net", &entry));
	assert_null(talk_find(&talk, SECTION_TREE, "/usr/net"));
	assert_true(
		host_entry(talk_find(&talk, SECTION_TREE, "/usr/local"), "/usr/local/a", &entry));
	assert_int_equal(host_item_count(talk_find(&talk, SECTION_MOUNTS, NULL)), 7);
}

static void package_paths_below_such_mounts_are_not_touched(void **state)
{
	(void)state;
	host_mounts("2 1 0:1 / /usr/bin rw - nfs server:/x rw\n");
	host_run(&talk, &plan, false);
	assert_int_equal(host_item_count(talk_find(&talk, SECTION_PACKAGE, "alpha")), 0);
	assert_non_null(talk_find_row(&talk, "packages", "network"));
}

static void the_timeline_is_ascending_and_later_than_asked(void **state)
{
	(void)state;
	plan.since_ns = 0;
	tree_write(&host_tree, "/usr/bin/later", "x");
	tree_write(&host_tree, "/srv/outside", "x");
	host_run(&talk, &plan, false);
	assert_true(talk.item_count >= 8);
	for (size_t i = 0; i < talk.item_count; i++) {
		assert_true(i == 0 || talk.item[i - 1].ctime_ns <= talk.item[i].ctime_ns);
		assert_false(bytes_equal_string(talk.item[i].path, "/srv/outside"));
	}
	assert_non_null(talk_find_row(&talk, "timeline", ""));
}

static void a_file_beyond_the_read_budget_is_unread_and_told(void **state)
{
	struct talk_section *section;
	struct entry entry;

	(void)state;
	tree_write(&host_tree, "/usr/bin/sparse", "x");
	assert_int_equal(truncate(tree_path(&host_tree, "/usr/bin/sparse"), (off_t)1 << 40), 0);
	tree_write(&host_tree, "/usr/bin/tiny", "x");
	plan.budget_read_bytes = 1 << 20;
	host_run(&talk, &plan, false);
	section = talk_find(&talk, SECTION_TREE, "/usr/bin");
	assert_true(host_entry(section, "/usr/bin/sparse", &entry));
	assert_false(entry.has_sha256);
	assert_true(host_entry(section, "/usr/bin/tiny", &entry));
	assert_true(entry.has_sha256);
	assert_int_equal(section->digest.unread, 1);
	assert_false(section->digest.settled);
	assert_non_null(talk_find_row(&talk, "tree", "budget-bytes"));
	assert_int_equal(talk.end.unread, 1);
}

static void the_time_budget_ends_a_scan_with_a_row(void **state)
{
	(void)state;
	tree_write(&host_tree, "/usr/bin/sparse", "x");
	assert_int_equal(truncate(tree_path(&host_tree, "/usr/bin/sparse"), (off_t)1 << 42), 0);
	plan.budget_s = 1;
	host_run(&talk, &plan, false);
	assert_non_null(talk_find_row(&talk, "tree", "budget-time"));
	assert_true(talk.end.wall_us < 20000000);
}

static void the_rate_limit_holds(void **state)
{
	static char text[200001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	tree_write(&host_tree, "/usr/bin/large", text);
	plan.rate_bytes_s = 400000;
	host_run(&talk, &plan, false);
	assert_true(talk.end.wall_us > 300000);
}

static void too_deep_directories_are_told(void **state)
{
	char path[1024] = "/usr/deep";

	(void)state;
	for (int i = 0; i < 40; i++) {
		strcat(path, "/d");
	}
	tree_dir(&host_tree, path);
	plan.budget_depth = 10;
	host_run(&talk, &plan, false);
	assert_non_null(talk_find_row(&talk, "tree", "budget-depth"));
}

static void a_depth_bomb_ends_at_the_probes_own_limit(void **state)
{
	char top[128];
	int fd;
	int next;

	(void)state;
	(void)snprintf(top, sizeof(top), "%s", tree_path(&host_tree, "/usr"));
	fd = open(top, O_PATH | O_DIRECTORY);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_PATH | O_DIRECTORY);
		assert_int_equal(close(fd), 0);
		fd = next;
	}
	assert_int_equal(close(fd), 0);
	host_run(&talk, &plan, false);
	assert_non_null(talk_find_row(&talk, "tree", "budget-depth"));
}

static void entries_beyond_the_budget_are_told(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/usr/many/%d", i);
		tree_write(&host_tree, path, "");
	}
	plan.budget_entries = 20;
	host_run(&talk, &plan, false);
	assert_non_null(talk_find_row(&talk, "tree", "budget-entries"));
}

static void excluded_objects_are_left_out_and_counted(void **state)
{
	struct entry entry;

	(void)state;
	tree_write(&host_tree, "/usr/cache/a", "x");
	tree_write(&host_tree, "/usr/keep", "x");
	talk_plan_add(&plan.excludes, "/usr/cach*");
	host_run(&talk, &plan, false);
	assert_null(talk_find(&talk, SECTION_TREE, "/usr/cache"));
	assert_true(host_entry(talk_find(&talk, SECTION_TREE, "/usr"), "/usr/keep", &entry));
	assert_int_equal(talk_find_row(&talk, "tree", "excluded")->count, 1);
}

static void a_linked_parent_of_roots_is_followed_and_told(void **state)
{
	struct entry entry;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(unlink(tree_path(&host_tree, "/usr/bin/alpha")), 0);
	tree_write(&host_tree, "/usr/other/alpha", "abc");
	assert_int_equal(unlink(tree_path(&host_tree, "/usr/bin/alpha-link")), 0);
	assert_int_equal(rmdir(tree_path(&host_tree, "/usr/bin")), 0);
	tree_link(&host_tree, "/usr/bin", "other");
	host_run(&talk, &plan, false);
	assert_true(
		host_entry(talk_find(&talk, SECTION_PACKAGE, "alpha"), "/usr/bin/alpha", &entry));
	assert_true(entry.has_sha256);
	assert_true(host_entry(talk_find(&talk, SECTION_PACKAGE, "alpha"), "/usr/bin", &entry));
	assert_int_equal(entry.type, ENTRY_LINK);
	assert_non_null(talk_find_row(&talk, "packages", "through-link"));
	/* owned under its real name as well */
	assert_null(talk_find(&talk, SECTION_TREE, "/usr/other"));
}

static void a_fifo_in_the_place_of_a_packaged_file_does_not_block(void **state)
{
	struct entry entry;

	(void)state;
	assert_int_equal(unlink(tree_path(&host_tree, "/usr/bin/alpha")), 0);
	assert_int_equal(mkfifo(tree_path(&host_tree, "/usr/bin/alpha"), 0755), 0);
	host_run(&talk, &plan, false);
	assert_true(
		host_entry(talk_find(&talk, SECTION_PACKAGE, "alpha"), "/usr/bin/alpha", &entry));
	assert_int_equal(entry.type, ENTRY_FIFO);
	assert_false(entry.has_sha256);
}

/* A partial look that settled would be left out the next night, and its row with it. */
static void what_was_looked_at_in_part_is_not_settled(void **state)
{
	static const struct {
		enum kernel_says says;
		const char *check, *reason;
		enum section_kind kind;
		const char *of;
		unsigned unread;
	} cases[] = {
		{KERNEL_ACL_TOO_LARGE, "acl", "too-large", SECTION_PACKAGE, "alpha", 1},
		{KERNEL_CAPS_DENIED, "caps", "denied", SECTION_PACKAGE, "alpha", 1},
		{KERNEL_LIST_DENIED, "acl", "denied", SECTION_PACKAGE, "alpha", 1},
		{KERNEL_FLAGS_DIFFER, "flags", "inconsistent", SECTION_PACKAGE, "alpha", 0},
		{KERNEL_FLAGS_DIFFER, "flags", "inconsistent", SECTION_FLAGS, NULL, 0},
		{KERNEL_OPEN_DENIED, "flags", "denied", SECTION_FLAGS, NULL, 0},
		{KERNEL_LABELS_DENIED, "labels", "denied", SECTION_LABEL, "alpha", 0},
	};
	struct talk_section *section;

	(void)state;
	tree_write(&host_tree, "/usr/bin/stray", "x");
	assert_int_equal(usleep(2200000), 0); /* younger changes are never settled */
	host_run(&talk, &plan, false);
	assert_true(talk_find(&talk, SECTION_PACKAGE, "alpha")->digest.settled);
	assert_true(talk_find(&talk, SECTION_FLAGS, NULL)->digest.settled);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		talk_free(&talk);
		memset(&talk, 0, sizeof(talk));
		kernel_says = cases[i].says;
		host_run(&talk, &plan, false);
		kernel_says = KERNEL_TRUTH;
		section = talk_find(&talk, cases[i].kind, cases[i].of);
		assert_non_null(section);
		assert_non_null(talk_find_row(&talk, cases[i].check, cases[i].reason));
		assert_false(section->digest.settled);
		assert_int_equal(section->digest.unread, cases[i].unread);
	}
}

#define STANZA(name, state, conffiles)      \
	"Package: " name "\nStatus: " state \
	"\nVersion: 1\nArchitecture: all\nConffiles:" conffiles "\n\n"
#define SUM " 0123456789abcdef0123456789abcdef\n"

/* Packages in every state that has files, with lists that claim whatever an intruder likes. */
static void make_claimed_host(void)
{
	static const char info[] = "/var/lib/dpkg/info/";
	static const struct {
		const char *name;
		const char *list;
	} lists[] = {
		{"whole", "/.\n/usr\n/usr/bin\n/usr/bin/whole\n/usr/bin/link\n/etc/whole.conf\n"
			  "/srv/whole\n"},
		{"half", "/usr/bin/half\n/etc/half.conf\n"},
		{"gone", "/.\n/etc\n/etc/gone\n/etc/gone/conf\n/usr/bin/evil\n/usr/bin/evil-link\n"
			 "/usr/lib/evil.so\n/srv/evil\n/usr/bin/moved\n/usr/share/gone\n"},
	};

	tree_write(&host_tree, "/var/lib/dpkg/status",
		   STANZA("whole", "install ok installed",
			  "\n /etc/whole.conf" SUM
			  " /etc/old.conf 0123456789abcdef0123456789abcdef "
			  "obsolete")
			   STANZA("half", "install ok unpacked", "\n /etc/half.conf newconffile")
				   STANZA("gone", "deinstall ok config-files",
					  "\n /etc/gone/conf" SUM " /usr/bin/conf" SUM
					  " /srv/conf 0123456789abcdef0123456789abcdef"));
	tree_write(&host_tree, "/var/lib/dpkg/diversions",
		   "/usr/bin/moved\n/usr/bin/moved.real\n:\n");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s%s.list", info, lists[i].name);
		tree_write(&host_tree, path, lists[i].list);
	}
	tree_dir(&host_tree, "/usr/share/gone");
	tree_link(&host_tree, "/usr/bin/link", "whole");
	tree_link(&host_tree, "/usr/bin/evil-link", "evil");
}

/* Sections that hold the path. */
static unsigned holders(const char *path, enum section_kind *kind)
{
	unsigned count = 0;
	struct entry entry;

	for (size_t i = 0; i < talk.count; i++) {
		struct talk_section *section = &talk.section[i];
		struct section_key key;

		assert_true(section_key_decode(bytes_make(section->key, section->key_len), &key));
		if (section_kind_has_entries(key.kind) && section->data &&
		    host_entry(section, path, &entry)) {
			*kind = key.kind;
			count++;
		}
	}
	return count;
}

/* What is owned is left out elsewhere: so it must be in a section of its package, or not be owned. */
static void every_claimed_file_is_in_exactly_one_section(void **state)
{
	static const struct {
		const char *path;
		mode_t mode; /* 0: made before */
		enum section_kind kind;
	} files[] = {
		{"/usr/bin/whole", 0755, SECTION_PACKAGE},
		{"/usr/bin/link", 0, SECTION_PACKAGE},
		{"/srv/whole", 04755, SECTION_PACKAGE},
		{"/etc/whole.conf", 0644, SECTION_CONFIG},
		{"/etc/old.conf", 0644, SECTION_CONFIG},
		{"/usr/bin/half", 0755, SECTION_PACKAGE},
		{"/etc/half.conf", 0644, SECTION_CONFIG},
		{"/etc/gone/conf", 0644, SECTION_CONFIG},
		{"/usr/bin/conf", 04755, SECTION_CONFIG},
		{"/srv/conf", 04755, SECTION_CONFIG},
		/* A package that is removed has nothing but configuration. */
		{"/usr/bin/evil", 04755, SECTION_TREE},
		{"/usr/bin/evil-link", 0, SECTION_TREE},
		{"/usr/lib/evil.so", 0644, SECTION_TREE},
		{"/usr/bin/moved.real", 0755, SECTION_TREE},
		{"/srv/evil", 04755, SECTION_SETID},
		{"/usr/share/gone", 0, SECTION_DIRS},
	};

	(void)state;
	make_claimed_host();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].mode != 0) {
			write_mode(files[i].path, "x", files[i].mode);
		}
	}
	host_run(&talk, &plan, false);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		enum section_kind kind = SECTION_HOST;
		unsigned count = holders(files[i].path, &kind);

		if (count != 1 || kind != files[i].kind) {
			fail_msg("%s is in %u sections, the last of kind %s", files[i].path, count,
				 section_kind_name(kind));
		}
	}
	for (size_t i = 0; i < talk.count; i++) {
		assert_true(talk.section[i].stat == talk.section[i].digest.stat);
	}
}

static void roots_that_make_no_sense_are_told(void **state)
{
	(void)state;
	talk_plan_add(&plan.roots, "relative");
	talk_plan_add(&plan.roots, "/usr/../etc");
	talk_plan_add(&plan.roots, "/usr/bin"); /* below another */
	talk_plan_add(&plan.roots, "/absent");
	host_run(&talk, &plan, false);
	assert_non_null(talk_find_row(&talk, "plan", "root"));
	assert_non_null(talk_find_row(&talk, "tree", "absent"));
}

static void a_host_without_mountinfo_is_not_looked_at(void **state)
{
	(void)state;
	assert_int_equal(unlink(tree_path(&host_tree, "/mountinfo")), 0);
	host_run(&talk, &plan, false);
	assert_int_equal(talk.count, 0);
	assert_non_null(talk_find_row(&talk, "mounts", "error"));
}

static void a_host_without_packages_is_still_searched(void **state)
{
	(void)state;
	assert_int_equal(unlink(tree_path(&host_tree, "/var/lib/dpkg/status")), 0);
	host_run(&talk, &plan, false);
	assert_non_null(talk_find(&talk, SECTION_TREE, "/usr/bin"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_telling_objects_of_volatile_roots_are_sent),
		TEST(world_writable_web_directories_and_scripts_tell),
		TEST(set_id_files_are_found_outside_of_all_roots),
		TEST(mounts_that_are_not_local_are_never_entered),
		TEST(package_paths_below_such_mounts_are_not_touched),
		TEST(the_timeline_is_ascending_and_later_than_asked),
		TEST(a_file_beyond_the_read_budget_is_unread_and_told),
		TEST(the_time_budget_ends_a_scan_with_a_row),
		TEST(the_rate_limit_holds),
		TEST(too_deep_directories_are_told),
		TEST(a_depth_bomb_ends_at_the_probes_own_limit),
		TEST(entries_beyond_the_budget_are_told),
		TEST(excluded_objects_are_left_out_and_counted),
		TEST(a_linked_parent_of_roots_is_followed_and_told),
		TEST(a_fifo_in_the_place_of_a_packaged_file_does_not_block),
		TEST(what_was_looked_at_in_part_is_not_settled),
		TEST(every_claimed_file_is_in_exactly_one_section),
		TEST(roots_that_make_no_sense_are_told),
		TEST(a_host_without_mountinfo_is_not_looked_at),
		TEST(a_host_without_packages_is_still_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
