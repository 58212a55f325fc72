// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/ssh/session/sandbox.h"

/* Runs `inside` in a child; its result, or 200 for a child that died. */
static int in_child(int (*inside)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		_exit(inside());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

static int try_doors(void)
{
	struct error err;
	const char *door;

	if (sandbox_prepare(2, &err) < 0 || sandbox_enter(&err) < 0) {
		return 100;
	}
	door = sandbox_probe();
	if (door) {
		(void)dprintf(2, "open: %s\n", door);
		return 1;
	}
	return 0;
}

static void nothing_but_tcp_is_left(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_doors), 0);
}

/* All that the loop needs; some of them with certain arguments only. Of the rest not one may pass. */
static const int needed[] = {
	SYS_read,          SYS_write,
	SYS_readv,         SYS_writev,
	SYS_close,         SYS_recvfrom,
	SYS_recvmsg,       SYS_sendto,
	SYS_sendmsg,       SYS_connect,
	SYS_getpeername,   SYS_getsockname,
	SYS_getsockopt,    SYS_setsockopt,
	SYS_shutdown,      SYS_epoll_pwait,
	SYS_epoll_ctl,     SYS_ppoll,
	SYS_munmap,        SYS_mremap,
	SYS_madvise,       SYS_brk,
	SYS_clock_gettime, SYS_nanosleep,
	SYS_gettimeofday,  SYS_clock_nanosleep,
	SYS_getrandom,     SYS_futex,
	SYS_sched_yield,   SYS_rt_sigprocmask,
	SYS_rt_sigreturn,  SYS_rt_sigaction,
	SYS_sigaltstack,   SYS_restart_syscall,
	SYS_getpid,        SYS_gettid,
	SYS_exit,          SYS_exit_group,
	SYS_socket,        SYS_ioctl,
	SYS_fcntl,         SYS_mmap,
	SYS_mprotect,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
};

static bool is_refused(long number, long a, long b, long c)
{
	return syscall(number, a, b, c, 0, 0, 0) == -1 && errno == EPERM;
}

static bool is_trampoline(long number)
{
#if defined(__x86_64__)
	return number == 335 || number == 336; /* uretprobe, uprobe: no filter is asked */
#else
	(void)number;
	return false;
#endif
}

static int try_every_call(void)
{
	static const int commands[] = {F_DUPFD, F_SETLK, F_SETOWN, F_SETSIG, F_NOTIFY, F_ADD_SEALS};
	struct error err;
	int open_doors = 0;

	if (sandbox_prepare(2, &err) < 0 || sandbox_enter(&err) < 0) {
		return 100;
	}
	for (long number = 0; number < 512; number++) {
		/* Instructions of the kernel's own trampolines; anywhere else it answers by SIGILL. */
		bool is_needed = is_trampoline(number);

		for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
			is_needed = is_needed || needed[i] == number;
		}
		if (!is_needed && !is_refused(number, 0, 0, 0)) {
			(void)dprintf(2, "call %ld passes\n", number);
			open_doors++;
		}
	}
	for (int family = 0; family < 64; family++) {
		bool ip = family == AF_INET || family == AF_INET6;

		for (int type = 0; type < 16; type++) {
			if (!(ip && type == SOCK_STREAM) &&
			    !is_refused(SYS_socket, family, type, 0)) {
				(void)dprintf(2, "socket %d %d passes\n", family, type);
				open_doors++;
			}
		}
		/* Multipath and other streams that are not TCP. */
		open_doors += !is_refused(SYS_socket, family, SOCK_STREAM, 262);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		open_doors += !is_refused(SYS_fcntl, 2, commands[i], 0);
	}
	open_doors += !is_refused(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, 0);
	open_doors += !is_refused(SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC);
	open_doors += !is_refused(SYS_mmap, 0, 4096, PROT_WRITE | PROT_EXEC);
	return open_doors > 99 ? 99 : open_doors;
}

static void every_other_call_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_every_call), 0);
}

static int try_work(void)
{
	char byte = 'x';
	struct error err;
	int pair[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || sandbox_enter(&err) < 0) {
		return 100;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || fcntl(fd, F_GETFL) < 0 || close(fd) < 0) {
		return 1;
	}
	if (write(pair[0], &byte, 1) != 1 || read(pair[1], &byte, 1) != 1) {
		return 2;
	}
	return 0;
}

static void what_the_loop_needs_works(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_work), 0);
}

static int try_descriptors(void)
{
	struct rlimit files;
	struct error err;
	int keep = open("/dev/null", O_RDONLY);
	int drop = fcntl(keep, F_DUPFD, 10);
	int below = fcntl(keep, F_DUPFD, 3);

	if (keep < 0 || drop < 10 || below < 3 || sandbox_prepare(drop, &err) < 0) {
		return 100;
	}
	if (fcntl(drop, F_GETFD) < 0 || fcntl(keep, F_GETFD) >= 0 || fcntl(below, F_GETFD) >= 0) {
		return 1;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur != files.rlim_max) {
		return 2;
	}
	return 0;
}

static void only_one_descriptor_is_kept(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_descriptors), 0);
}

static int try_identity(void)
{
	struct error err;

	if (sandbox_enter(&err) < 0) {
		return 100;
	}
	/* Not allowed to ask for the uid; the capability to become another one is gone. */
	return setuid(0) == 0 ? 1 : 0;
}

static void root_is_given_up(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_identity), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_tcp_is_left),
		cmocka_unit_test(every_other_call_is_refused),
		cmocka_unit_test(what_the_loop_needs_works),
		cmocka_unit_test(only_one_descriptor_is_kept),
		cmocka_unit_test(root_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
