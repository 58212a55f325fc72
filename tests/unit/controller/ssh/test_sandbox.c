// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/ssh/sandbox.h"

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
		cmocka_unit_test(what_the_loop_needs_works),
		cmocka_unit_test(only_one_descriptor_is_kept),
		cmocka_unit_test(root_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
