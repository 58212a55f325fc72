// SPDX-License-Identifier: MIT
#include "controller/ssh/session/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows no system call numbers for this architecture"
#endif

#define NOBODY 65534U
#define X32_BIT 0x40000000U

/* Calls that may be made with any arguments. */
static const int allowed[] = {
	/* sockets and the pipe to the parent */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_close,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_sendto,
	SYS_sendmsg,
	SYS_connect,
	SYS_getpeername,
	SYS_getsockname,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_shutdown,
	/* the loop */
	SYS_epoll_pwait,
	SYS_epoll_ctl,
	SYS_ppoll,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	/* memory; mmap and mprotect are below */
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	/* time, randomness, locks, signals */
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_getrandom,
	SYS_futex,
	SYS_sched_yield,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigaction,
	SYS_sigaltstack,
	SYS_restart_syscall,
	/* itself */
	SYS_getpid,
	SYS_gettid,
	SYS_exit,
	SYS_exit_group,
};

/* Calls that may be made with one argument as here (an argument may have several values). */
static const struct {
	int call;
	unsigned argument;
	uint32_t value;
} allowed_with[] = {
	{SYS_ioctl, 1, FIONBIO}, {SYS_ioctl, 1, FIONREAD}, {SYS_fcntl, 1, F_GETFL},
	{SYS_fcntl, 1, F_SETFL}, {SYS_fcntl, 1, F_GETFD},  {SYS_fcntl, 1, F_SETFD},
};

/* Calls whose third argument must not have PROT_EXEC. */
static const int no_exec[] = {SYS_mmap, SYS_mprotect};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SOCKET_RULE 12
#define PROGRAM_MAX \
	(8 + SOCKET_RULE + 2 * COUNT(allowed) + 5 * COUNT(allowed_with) + 5 * COUNT(no_exec))

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void emit(struct program *program, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	program->code[program->len++] =
		(struct sock_filter){.code = code, .jt = jt, .jf = jf, .k = k};
}

static void load_call(struct program *program)
{
	emit(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
}

/* The low half; the high half of an int argument is the kernel's to ignore. */
static void load_argument(struct program *program, unsigned argument)
{
	size_t at = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);

	emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

/* TCP over either IP: no datagram leaves by a name server's or any other port. */
static void allow_tcp(struct program *program)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, SOCKET_RULE - 1);
	load_argument(program, 0);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 7);
	load_argument(program, 1);
	emit(program, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* the kernel's SOCK_TYPE_MASK */
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 0, 4);
	load_argument(program, 2);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

static void build(struct program *program)
{
	*program = (struct program){.len = 0};
	emit(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	load_call(program);
#if defined(__x86_64__)
	emit(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
	for (size_t i = 0; i < COUNT(allowed); i++) {
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], 0, 1);
		emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	}
	allow_tcp(program);
	for (size_t i = 0; i < COUNT(allowed_with); i++) {
		/* Another call goes on to the next rule; another value too, with the call reloaded. */
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed_with[i].call, 0, 4);
		load_argument(program, allowed_with[i].argument);
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, allowed_with[i].value, 0, 1);
		emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
		load_call(program);
	}
	for (size_t i = 0; i < COUNT(no_exec); i++) {
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)no_exec[i], 0, 4);
		load_argument(program, 2);
		emit(program, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
		emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
		load_call(program);
	}
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

static int failed(struct error *err, const char *what)
{
	return error_set(err, ERROR_SYSTEM, errno, "sandbox: %s: %s", what, strerror(errno));
}

int sandbox_prepare(int keep, struct error *err)
{
	struct rlimit files;
	int most;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
		return failed(err, "RLIMIT_NOFILE");
	}
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		return failed(err, "RLIMIT_NOFILE");
	}
	/* close_range is newer than the oldest kernel we run on, and a limit may be in millions. */
	most = files.rlim_cur > 65536 ? 65536 : (int)files.rlim_cur;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)keep + 1, ~0U, 0U) == 0) {
		most = keep;
	}
#endif
	for (int fd = 3; fd < most; fd++) {
		if (fd != keep) {
			(void)close(fd);
		}
	}
	return 0;
}

static int drop_root(struct error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}}, left[2] = {{0}, {0}};

	if (geteuid() == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) < 0) {
			return failed(err, "giving up root");
		}
	}
	/* A service that may call nothing privileged may not call this either, and has nothing to give. */
	if (syscall(SYS_capset, &head, none) < 0 &&
	    (errno != EPERM || syscall(SYS_capget, &head, left) < 0 ||
	     memcmp(left, none, sizeof(none)) != 0)) {
		errno = EPERM;
		return failed(err, "capset");
	}
	return 0;
}

int sandbox_enter(struct error *err)
{
	static const struct rlimit zero = {0, 0};
	struct program program;
	struct sock_fprog filter;

	if (drop_root(err) < 0) {
		return -1;
	}
	/* A write that would make a file grow fails; it need not kill. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &zero) < 0 || setrlimit(RLIMIT_CORE, &zero) < 0) {
		return failed(err, "setrlimit");
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return failed(err, "prctl");
	}
	build(&program);
	filter = (struct sock_fprog){.len = program.len, .filter = program.code};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0) {
		return failed(err, "seccomp");
	}
	return 0;
}

static bool refused(long result)
{
	return result < 0 && errno == EPERM;
}

const char *sandbox_probe(void)
{
	static char *const nothing[] = {NULL};

#ifdef SYS_open
	if (!refused(syscall(SYS_open, "/dev/null", O_RDONLY))) {
		return "open";
	}
#endif
	if (!refused(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0))) {
		return "openat";
	}
	if (!refused(syscall(SYS_execve, "/bin/true", nothing, nothing))) {
		return "execve";
	}
#ifdef SYS_fork
	if (!refused(syscall(SYS_fork))) {
		return "fork";
	}
#endif
	if (!refused(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0))) {
		return "clone";
	}
	if (!refused(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0))) {
		return "socket(AF_UNIX)";
	}
	if (!refused(syscall(SYS_ptrace, 0, 0, 0, 0))) {
		return "ptrace";
	}
	if (!refused(syscall(SYS_kill, getpid(), 0))) {
		return "kill";
	}
	if (!refused(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
		return "mmap(PROT_EXEC)";
	}
	if (!refused(syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0))) {
		return "prctl";
	}
	return NULL;
}
