// SPDX-License-Identifier: MIT
#include "tests/unit/payloads/host.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "payloads/conversation.h"
#include "schema/record.h"

#define INFO "/var/lib/dpkg/info/"

struct tree host_tree;
enum host_refusal host_refusal;

void host_mounts(const char *lines)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "1 0 8:1 / / rw,relatime - ext4 /dev/root rw\n%s",
		       lines);
	tree_write(&host_tree, "/mountinfo", text);
}

void host_make(void)
{
	host_refusal = HOST_REFUSES_NOTHING;
	tree_make(&host_tree);
	(void)chmod(host_tree.root, 0755);
	tree_write(&host_tree, "/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
	tree_write(&host_tree, "/etc/group", "root:x:0:\n");
	tree_write(&host_tree, "/etc/os-release", "ID=test\n");
	tree_write(&host_tree, INFO "format", "1\n");
	tree_write(&host_tree, "/var/lib/dpkg/status",
		   "Package: alpha\nStatus: install ok installed\nVersion: 1.0\n"
		   "Architecture: all\nConffiles:\n /etc/alpha.conf "
		   "0123456789abcdef0123456789abcdef\n\n");
	tree_write(
		&host_tree, INFO "alpha.list",
		"/.\n/etc\n/etc/alpha.conf\n/usr\n/usr/bin\n/usr/bin/alpha\n/usr/bin/alpha-link\n"
		"/usr/bin/missing\n/usr/share\n/usr/share/alpha\n");
	tree_write(&host_tree, INFO "alpha.md5sums",
		   "0123456789abcdef0123456789abcdef  usr/bin/alpha\n");
	tree_write(&host_tree, "/etc/alpha.conf", "key = value\n");
	tree_write(&host_tree, "/usr/bin/alpha", "abc");
	tree_link(&host_tree, "/usr/bin/alpha-link", "alpha");
	tree_dir(&host_tree, "/usr/share/alpha");
	host_mounts("");
}

void host_remove(void)
{
	tree_remove(&host_tree);
}

void host_plan(struct plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	memset(plan->nonce, 1, sizeof(plan->nonce));
	memset(plan->seed, 2, sizeof(plan->seed));
	plan->checks = CHECK_ALL;
	plan->budget_s = 50;
	talk_plan_add(&plan->roots, "/usr");
	talk_plan_add(&plan->roots, "/etc");
	talk_plan_add(&plan->volatiles, "/tmp");
	plan->since_ns = INT64_MAX;
}

#define REFUSE(number)                                       \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO)

static void refuse_calls(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(SYS_statx),
		REFUSE(SYS_openat2),
		REFUSE(SYS_preadv2),
		REFUSE(SYS_ioprio_set),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	for (size_t i = 0; i < program.len; i++) {
		if (filter[i].k == SECCOMP_RET_ERRNO) {
			filter[i].k |= (unsigned)error;
		}
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		_exit(98);
	}
}

static int child(int in_fd, int out_fd)
{
	static struct probe probe;
	char mountinfo[128];
	struct probe_host host = {.root = host_tree.root, .mountinfo = mountinfo};
	enum status status;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", host_tree.root);
	if (host_refusal != HOST_REFUSES_NOTHING) {
		refuse_calls(host_refusal == HOST_REFUSES_EPERM ? EPERM : ENOSYS);
	}
	status = probe_init(&probe, &host, in_fd, out_fd);
	if (status == STATUS_DONE) {
		sys_be_polite(&probe.sys);
		status = conversation_run(&probe);
	}
	probe_clear(&probe);
	return (int)status;
}

void host_start(struct talk *talk)
{
	talk_start(talk, NULL, child);
}

void host_run(struct talk *talk, const struct plan *plan, bool md5)
{
	host_start(talk);
	talk_whole(talk, plan, md5, TALK_WANT_ALL);
	assert_true(WIFEXITED(talk->status));
	assert_int_equal(WEXITSTATUS(talk->status), 0);
}

bool host_entry(const struct talk_section *section, const char *path, struct entry *entry)
{
	struct cbor_reader r;

	assert_non_null(section);
	cbor_reader_init(&r, bytes_make(section->data, section->len));
	while (cbor_reader_has_more(&r)) {
		assert_true(entry_decode(&r, entry));
		if (bytes_equal_string(entry->path, path)) {
			return true;
		}
	}
	return false;
}

size_t host_item_count(const struct talk_section *section)
{
	size_t count = 0;
	size_t at = 0;

	assert_non_null(section);
	while (at < section->len) {
		size_t size = cbor_item_size(bytes_make(section->data + at, section->len - at), 3);

		assert_true(size > 0);
		at += size;
		count++;
	}
	return count;
}
