// SPDX-License-Identifier: MIT
/*
 * muster-run-ssh PARENT PROGRAM ARGUMENT...: runs ssh for muster, and sees to it that nothing of it is
 * left behind. ssh gets a process group of its own, with whatever it starts (a ProxyCommand); the group
 * is killed when ssh ends, when muster asks for it (SIGTERM), and when muster dies, by SIGKILL too. What
 * ssh itself has to say (-E) goes to descriptor 3, apart from the host's standard error, so that no host
 * can put words into its mouth. Ends as ssh ended. Of no use by itself.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_FD 3
#define CANNOT 127

#if defined(__SANITIZE_ADDRESS__)
/* The leak check would take longer than ssh, and there is nothing to leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static void complain(const char *what)
{
	/* ssh's log is where muster looks for the reason. */
	(void)dprintf(LOG_FD, "muster-run-ssh: %s: %s\n", what, strerror(errno));
}

/* `args` begin with the program; the two before it make room for -E and its file. */
static _Noreturn void become_ssh(char **args, pid_t guard, const sigset_t *before)
{
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != guard) {
		_exit(CANNOT);
	}
	(void)sigprocmask(SIG_SETMASK, before, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execv(args[0], args);
	complain(args[0]);
	_exit(CANNOT);
}

/* Waits until ssh has ended or somebody wants it to; the group is gone when this returns. */
static int watch(pid_t child, const sigset_t *signals)
{
	siginfo_t info = {.si_pid = 0};
	int number, status = 0;

	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0) {
		number = sigwaitinfo(signals, NULL);
		if (number == SIGTERM) {
			(void)kill(-child, SIGKILL);
		}
	}
	/* Not reaped yet, so that the number is still its own. */
	(void)kill(-child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	return status;
}

int main(int argc, char **argv)
{
	sigset_t signals, before;
	char file[64], log[] = "-E";
	char **args;
	pid_t child, guard = getpid();
	int status;

	if (argc < 4 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 ||
	    getppid() != (pid_t)strtol(argv[1], NULL, 10)) {
		return CANNOT;
	}
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	args = calloc((size_t)argc + 2, sizeof(*args));
	if (!args) {
		complain("memory");
		return CANNOT;
	}
	/* ssh closes what it inherits above 2 and then opens this one. */
	(void)snprintf(file, sizeof(file), "/proc/%ld/fd/%d", (long)guard, LOG_FD);
	args[0] = argv[2];
	args[1] = log;
	args[2] = file;
	memcpy(args + 3, argv + 3, ((size_t)argc - 2) * sizeof(*args));
	child = fork();
	if (child == 0) {
		become_ssh(args, guard, &before);
	}
	free(args);
	if (child < 0) {
		complain("fork");
		return CANNOT;
	}
	(void)setpgid(child, child);
	for (int fd = 0; fd < LOG_FD; fd++) {
		(void)close(fd);
	}
	status = watch(child, &signals);
	if (WIFSIGNALED(status)) {
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		(void)raise(WTERMSIG(status));
	}
	return WEXITSTATUS(status);
}
