// SPDX-License-Identifier: MIT
/*
 * probe_in ROOT PROBE [--refuse WHAT] [--uid UID]: becomes the shipped probe with ROOT for its "/", on
 * standard input and output. --refuse: newer calls fail as on an old kernel (ENOSYS) or under a
 * container's filter (EPERM); FLAGS refuses the flags of preadv2 alone, as a file system may, and
 * DONTCACHE the newest of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define IS(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(number), 0, 1)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)(error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int install(struct sock_filter *filter, size_t len)
{
	struct sock_fprog program = {.len = (unsigned short)len, .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0
		       ? -1
		       : 0;
}

static int refuse_calls(unsigned error)
{
	struct sock_filter filter[] = {
		LOAD(nr),      IS(SYS_statx),   REFUSE(error), IS(SYS_openat2),
		REFUSE(error), IS(SYS_preadv2), REFUSE(error), ALLOW,
	};

	return install(filter, sizeof(filter) / sizeof(filter[0]));
}

static int refuse_flags(unsigned most)
{
	struct sock_filter filter[] = {
		LOAD(nr),           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv2, 0, 3),
		LOAD(args[5]),      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, most, 0, 1),
		REFUSE(EOPNOTSUPP), ALLOW,
	};

	return install(filter, sizeof(filter) / sizeof(filter[0]));
}

static int refuse(const char *what)
{
	if (strcmp(what, "ENOSYS") == 0) {
		return refuse_calls(ENOSYS);
	}
	if (strcmp(what, "EPERM") == 0) {
		return refuse_calls(EPERM);
	}
	return refuse_flags(strcmp(what, "DONTCACHE") == 0 ? 0x08 /* RWF_NOWAIT */ : 0);
}

int main(int argc, char **argv)
{
	static char name[] = "probe";
	static char stdio[] = "--stdio";
	char *const child[] = {name, stdio, NULL};
	int fd;

	if (argc < 3 || argc % 2 == 0) {
		fprintf(stderr, "usage: probe_in ROOT PROBE [--refuse WHAT] [--uid UID]\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || chroot(argv[1]) != 0 || chdir("/") != 0) {
		perror(argv[1]);
		return 2;
	}
	for (int i = 3; i < argc; i += 2) {
		uid_t uid = (uid_t)strtoul(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--uid") == 0 &&
		    (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0)) {
			perror("uid");
			return 2;
		}
		if (strcmp(argv[i], "--refuse") == 0 && refuse(argv[i + 1]) != 0) {
			perror("seccomp");
			return 2;
		}
	}
	(void)syscall(SYS_execveat, fd, "", child, NULL, 0x1000 /* AT_EMPTY_PATH */);
	perror("probe");
	return 2;
}
