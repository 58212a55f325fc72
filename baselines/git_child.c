// SPDX-License-Identifier: MIT
#include "baselines/git_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/bytes.h"
#include "schema/escape.h"

#define ARGUMENTS_MAX 64
#define ENVIRONMENT_MAX 48
#define RAW_MAX 1024
#define SLICE_MS 20
/* Stands over core.sshCommand of a repository. */
#define SSH_COMMAND                                                                  \
	"GIT_SSH_COMMAND=ssh -oBatchMode=yes -oControlMaster=no -oControlPath=none " \
	"-oPermitLocalCommand=no -oConnectTimeout=30"

/* Before the verb. A repository's own configuration stands below these. */
static const char *const always[] = {
	"git",
	"-c",
	"core.hooksPath=/dev/null",
	"-c",
	"core.fsmonitor=false",
	"-c",
	"protocol.ext.allow=never",
	"-c",
	"fetch.fsckObjects=true",
	"-c",
	"submodule.recurse=false",
	"-c",
	"gc.auto=0",
	"-c",
	"maintenance.auto=false",
};

/* What finds programs, keys and the way out; every GIT_ variable of the caller is left behind. */
static const char *const kept[] = {
	"PATH",         "HOME",          "USER",
	"LOGNAME",      "TMPDIR",        "XDG_CONFIG_HOME",
	"http_proxy",   "https_proxy",   "HTTPS_PROXY",
	"all_proxy",    "ALL_PROXY",     "no_proxy",
	"NO_PROXY",     "KRB5CCNAME",    "SSL_CERT_FILE",
	"SSL_CERT_DIR", "SSH_AUTH_SOCK",
};

static const char *const set[] = {
	"LC_ALL=C",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_ASKPASS=",
	/* Overrides whatever a configuration allows: no ext::, no helper of a repository's own. */
	"GIT_ALLOW_PROTOCOL=file:https:ssh",
	(SSH_COMMAND),
	"GIT_SSH_VARIANT=ssh",
	/* A replaced object would be verified in place of the one that is read. */
	"GIT_NO_REPLACE_OBJECTS=1",
	"GIT_NO_LAZY_FETCH=1",
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *variable(const char *name)
{
	size_t len = strlen(name);

	for (char *const *at = environ; at && *at; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=') {
			return *at;
		}
	}
	return NULL;
}

static void make_environment(const char *to[ENVIRONMENT_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *found = variable(kept[i]);

		if (found) {
			to[count++] = found;
		}
	}
	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		to[count++] = set[i];
	}
	to[count] = NULL;
}

/* A process group of its own, so that ssh and helpers can be killed with it. */
static int spawn(const char **vector, int words, pid_t *pid)
{
	const char *environment[ENVIRONMENT_MAX];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0) {
		return code;
	}
	code = posix_spawnattr_init(&attributes);
	if (code != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return code;
	}
	make_environment(environment);
	(void)sigemptyset(&none);
	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)sigaddset(&usual, SIGINT);
	(void)sigaddset(&usual, SIGTERM);
	(void)sigaddset(&usual, SIGCHLD);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
							    POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &usual);
	code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	code = code ? code
		    : posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	code = code ? code : posix_spawn_file_actions_adddup2(&actions, words, 2);
	if (code == 0) {
		/* posix_spawn promises to change neither vector; its type is older than const. */
		code = posix_spawnp(pid, vector[0], &actions, &attributes,
				    (char *const *)(void *)vector,
				    (char *const *)(void *)environment);
	}
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* All that is there; what does not fit is read and forgotten. False: at its end. */
static bool drain(int fd, char raw[RAW_MAX], size_t *len)
{
	char buffer[4096];

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));
		size_t fits;

		if (got <= 0) {
			return got < 0 && (errno == EAGAIN || errno == EINTR);
		}
		fits = (size_t)got < RAW_MAX - *len ? (size_t)got : RAW_MAX - *len;
		memcpy(raw + *len, buffer, fits);
		*len += fits;
	}
}

/*
 * Until git itself has ended, not until its stderr has: what it leaves behind may hold that open.
 * False: the time is over, and the group was killed.
 */
static bool await(pid_t pid, int fd, unsigned timeout_s, char raw[RAW_MAX], size_t *len,
		  int *status)
{
	int64_t deadline = now_ms() + (int64_t)timeout_s * 1000;
	bool is_open = true, in_time = true;

	for (;;) {
		struct pollfd ready = {.fd = is_open ? fd : -1, .events = POLLIN};
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended == pid || (ended < 0 && errno != EINTR)) {
			break;
		}
		if (now_ms() >= deadline) {
			in_time = false;
			(void)kill(-pid, SIGKILL);
			while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
			}
			break;
		}
		(void)poll(&ready, 1, SLICE_MS);
		if (ready.revents) {
			is_open = drain(fd, raw, len);
		}
	}
	if (is_open) {
		(void)drain(fd, raw, len);
	}
	return in_time;
}

static void tidy(char raw[RAW_MAX], size_t len, char said[GIT_CHILD_SAID])
{
	char line[2 * RAW_MAX];
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		bool is_break = raw[i] == '\n' || raw[i] == '\r';

		if (!is_break) {
			line[used++] = raw[i];
		} else if (used > 0 && line[used - 1] != ' ') {
			line[used++] = ';';
			line[used++] = ' ';
		}
	}
	while (used > 0 && (line[used - 1] == ' ' || line[used - 1] == ';')) {
		used--;
	}
	(void)escape_text(bytes_make(line, used), said, GIT_CHILD_SAID);
}

int git_child_run(const char *const *arguments, unsigned timeout_s, int *status,
		  char said[GIT_CHILD_SAID], struct error *err)
{
	const char *vector[ARGUMENTS_MAX];
	size_t count = sizeof(always) / sizeof(always[0]), len = 0;
	int ends[2], code, ended = 0;
	char raw[RAW_MAX];
	pid_t pid = -1;
	bool in_time;

	said[0] = '\0';
	memcpy(vector, always, sizeof(always));
	for (size_t i = 0; arguments[i]; i++) {
		if (count + 1 >= ARGUMENTS_MAX) {
			return error_set(err, ERROR_SYSTEM, E2BIG, "git: %s", strerror(E2BIG));
		}
		vector[count++] = arguments[i];
	}
	vector[count] = NULL;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return error_set(err, ERROR_SYSTEM, errno, "a pipe: %s", strerror(errno));
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	code = spawn(vector, ends[1], &pid);
	(void)close(ends[1]);
	if (code != 0) {
		(void)close(ends[0]);
		return code == ENOENT
			       ? error_set(err, ERROR_CONFIG, code, "git is not installed")
			       : error_set(err, ERROR_SYSTEM, code, "git: %s", strerror(code));
	}
	in_time = await(pid, ends[0], timeout_s, raw, &len, &ended);
	(void)close(ends[0]);
	tidy(raw, len, said);
	*status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
	return in_time ? 0
		       : error_set(err, ERROR_NET, ETIMEDOUT, "git did not end within %u s%s%s",
				   timeout_s, said[0] ? ": " : "", said);
}
