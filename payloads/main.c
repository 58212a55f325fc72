// SPDX-License-Identifier: MIT
/*
 * probe --stdio [--self FILE --size N --sha256 HEX]
 *
 * With --self (the bootstrap's copy): FILE is unlinked at once and so is its folder, if that is one
 * of the bootstrap's and empty; what runs must have this length and digest, or nothing is said.
 *
 * Speaks frames on standard input and output (docs/protocol.md) and nothing on standard error.
 */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "payloads/conversation.h"
#include "payloads/digest/sha256.h"
#include "payloads/memory.h"

#define DESCRIPTORS_MAX 4096

struct arguments {
	bool stdio;
	char *self;
	const char *size;
	const char *digest;
};

static bool parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--stdio") == 0) {
			arguments->stdio = true;
		} else if (strcmp(argv[i], "--self") == 0 && argc - i > 1) {
			arguments->self = argv[++i];
		} else if (strcmp(argv[i], "--size") == 0 && argc - i > 1) {
			arguments->size = argv[++i];
		} else if (strcmp(argv[i], "--sha256") == 0 && argc - i > 1) {
			arguments->digest = argv[++i];
		} else {
			return false;
		}
	}
	return arguments->stdio && (!arguments->self || (arguments->size && arguments->digest));
}

static bool is_expected(const struct arguments *arguments, const uint8_t digest[DIGEST_SIZE],
			uint64_t size)
{
	static const char hex[] = "0123456789abcdef";
	const char *end;

	if (sys_number(arguments->size, 10, &end) != size || *end != '\0' ||
	    strlen(arguments->digest) != (size_t)2 * DIGEST_SIZE) {
		return false;
	}
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		if (arguments->digest[2 * i] != hex[digest[i] >> 4] ||
		    arguments->digest[2 * i + 1] != hex[digest[i] & 15]) {
			return false;
		}
	}
	return true;
}

/* A probe cut short on its way, or written over, does not run. */
static bool check_self(const struct arguments *arguments)
{
	static uint8_t buffer[65536];
	uint8_t digest[DIGEST_SIZE];
	struct sha256 sha;
	uint64_t size = 0;
	ssize_t got;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fd = open(arguments->self, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0) {
		return false;
	}
	sha256_init(&sha);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		sha256_update(&sha, buffer, (size_t)got);
		size += (uint64_t)got;
	}
	close(fd);
	sha256_final(&sha, digest);
	return got == 0 && is_expected(arguments, digest, size);
}

/* The bootstrap's folder is ours alone: nothing else is ever removed. */
static void remove_self(char *self)
{
	static const char folder[] = "/.muster-";
	char *slash = strrchr(self, '/'), *start;
	int fd;

	if (!slash) {
		(void)unlink(self);
		return;
	}
	*slash = '\0';
	/* By a pinned rule the folder is the login user's, and root must not be led elsewhere. */
	fd = open(self, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		(void)unlinkat(fd, slash + 1, 0);
		close(fd);
	}
	start = strrchr(self, '/');
	if (start && strncmp(start, folder, sizeof(folder) - 1) == 0) {
		(void)rmdir(self);
	}
}

/* Walks need one descriptor a directory on the way down. */
static void set_descriptors(void)
{
	struct rlimit limit;

	for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
		close(fd);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max
								  : DESCRIPTORS_MAX;
		(void)syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
	}
}

/* musl's own prints, and stdio would be a tenth of the probe; nobody reads it anyway. */
void __assert_fail(const char *expression, const char *file, int line, const char *function)
{
	(void)expression;
	(void)file;
	(void)line;
	(void)function;
	_exit(STATUS_BROKEN);
}

static void on_alarm(int number)
{
	(void)number;
	_exit(STATUS_WATCHDOG);
}

int main(int argc, char **argv)
{
	static const struct probe_host host = {.root = "/", .mountinfo = "/proc/self/mountinfo"};
	struct probe *probe;
	struct arguments arguments = {.stdio = false};
	bool is_sound;
	enum status status;

	if (!parse_arguments(argc, argv, &arguments)) {
		return STATUS_USAGE;
	}
	is_sound = !arguments.self || check_self(&arguments);
	if (arguments.self) {
		remove_self(arguments.self);
	}
	if (!is_sound) {
		return STATUS_SELF;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGALRM, on_alarm);
	set_descriptors();
	if (chdir("/") != 0) {
		return STATUS_ROOT;
	}
	probe = memory_take(sizeof(*probe));
	if (!probe) {
		return STATUS_MEMORY;
	}
	status = probe_init(probe, &host, STDIN_FILENO, STDOUT_FILENO);
	if (status == STATUS_DONE) {
		sys_be_polite(&probe->sys);
		status = conversation_run(probe);
	}
	return (int)status;
}
