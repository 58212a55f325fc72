// SPDX-License-Identifier: MIT
#include "baselines/signature/gpgv_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baselines/signature/gpgv_private.h"

#define CHILDREN_MAX 16U
#define STATUS_ROOM 8192

/* Status lines */

struct verdict {
	enum gpgv_state state;
	int64_t key_end_s; /* of the key that is expired now; 0: not told */
	int64_t signed_s;
	unsigned signatures;
	bool has_no_data;
	bool is_valid;
	struct gpgv_check *check;
};

/* "1609372800", or an ISO date that no gpgv prints unasked: then the end is not known. */
static int64_t read_seconds(const char *word)
{
	int64_t value = 0;

	for (size_t i = 0; word[i] != '\0'; i++) {
		if (word[i] < '0' || word[i] > '9' || i > 11) {
			return 0;
		}
		value = 10 * value + word[i] - '0';
	}
	return value;
}

static void take_valid(struct verdict *v, const char *rest)
{
	struct gpgv_valid valid;

	if (gpgv_read_valid(rest, &valid)) {
		(void)snprintf(v->check->signer, OPENPGP_FINGERPRINT_SIZE, "%s", valid.signer);
		(void)snprintf(v->check->fingerprint, OPENPGP_FINGERPRINT_SIZE, "%s",
			       valid.primary);
		v->signed_s = read_seconds(valid.signed_at);
		v->is_valid = true;
	}
}

/* Of a bad signature nothing else names the key. */
static void take_considered(struct verdict *v, const char *rest)
{
	char word[128];

	if (!v->is_valid && gpgv_take_word(&rest, word, sizeof(word)) &&
	    gpgv_is_fingerprint(word)) {
		(void)snprintf(v->check->fingerprint, OPENPGP_FINGERPRINT_SIZE, "%.64s", word);
	}
}

/* ERRSIG: key id, algorithm, digest, class, time, reason (9: no key), fingerprint. */
static void take_error(struct verdict *v, const char *rest)
{
	char word[128] = "";

	for (int field = 0; field < 6; field++) {
		if (!gpgv_take_word(&rest, word, sizeof(word))) {
			return;
		}
	}
	v->state = strcmp(word, "9") == 0 ? GPGV_NO_KEY : GPGV_UNSUPPORTED;
}

static void take_line(struct verdict *v, const char *rest)
{
	static const struct {
		const char *word;
		enum gpgv_state state;
	} states[] = {
		{"GOODSIG", GPGV_GOOD},      {"BADSIG", GPGV_BAD},        {"EXPSIG", GPGV_EXPIRED},
		{"EXPKEYSIG", GPGV_EXPIRED}, {"REVKEYSIG", GPGV_REVOKED},
	};
	char word[64], value[64];

	if (!gpgv_take_word(&rest, word, sizeof(word))) {
		return;
	}
	if (strcmp(word, "NEWSIG") == 0) {
		v->signatures++;
	} else if (strcmp(word, "NODATA") == 0) {
		v->has_no_data = true;
	} else if (strcmp(word, "KEY_CONSIDERED") == 0) {
		take_considered(v, rest);
	} else if (strcmp(word, "ERRSIG") == 0) {
		take_error(v, rest);
	} else if (strcmp(word, "VALIDSIG") == 0) {
		take_valid(v, rest);
	} else if (strcmp(word, "KEYEXPIRED") == 0) {
		v->key_end_s = gpgv_take_word(&rest, value, sizeof(value)) ? read_seconds(value)
									   : 0;
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(word, states[i].word) == 0) {
			/* EXPSIG is about the signature: no end of a key excuses it. */
			if (strcmp(word, "EXPSIG") == 0) {
				v->key_end_s = -1;
			}
			v->state = states[i].state;
		}
	}
}

static enum gpgv_state state_of(const struct verdict *v)
{
	/* One packet went in: whoever makes gpgv see more gets no verdict. */
	if (v->signatures != 1) {
		return v->signatures == 0 && v->has_no_data ? GPGV_UNSUPPORTED : GPGV_FAILED;
	}
	if ((v->state == GPGV_GOOD || v->state == GPGV_EXPIRED || v->state == GPGV_REVOKED) &&
	    !v->is_valid) {
		return GPGV_FAILED;
	}
	/* A package signed in time stays signed when its key ends. */
	if (v->state == GPGV_EXPIRED && v->key_end_s > 0 && v->signed_s <= v->key_end_s) {
		return GPGV_GOOD;
	}
	return v->state;
}

void gpgv_batch_parse(const char *status, struct gpgv_check *check)
{
	static const char prefix[] = "[GNUPG:] ";
	struct verdict v = {.state = GPGV_FAILED, .check = check};

	check->fingerprint[0] = check->signer[0] = '\0';
	for (const char *line = status; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, prefix, sizeof(prefix) - 1) == 0) {
			take_line(&v, line + sizeof(prefix) - 1);
		}
		line += len + (line[len] == '\n');
	}
	check->state = state_of(&v);
	if (check->state == GPGV_FAILED || check->state == GPGV_UNSUPPORTED) {
		check->fingerprint[0] = check->signer[0] = '\0';
	}
}

/* Children */

struct child {
	pid_t pid; /* 0: none */
	int status_fd;
	size_t index; /* of the check */
	int64_t until_ms;
	size_t len;
	char status[STATUS_ROOM];
};

static int system_fault(struct error *err, const char *what)
{
	return error_set(err, ERROR_SYSTEM, errno, "%s: %s", what, strerror(errno));
}

int gpgv_keyring(struct bytes keys, int *fd, struct error *err)
{
	if (gpgv_memory_file(keys, fd, err) < 0) {
		if (*fd >= 0) {
			(void)close(*fd);
		}
		*fd = -1;
		return -1;
	}
	return 0;
}

unsigned gpgv_parallel(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 1                    ? 1
	       : processors > (long)CHILDREN_MAX ? CHILDREN_MAX
						 : (unsigned)processors;
}

int gpgv_version(char *to, size_t room, size_t *len, struct error *err)
{
	static char *const arguments[] = {"gpgv", "--version", NULL};
	posix_spawn_file_actions_t actions;
	int ends[2] = {-1, -1};
	pid_t pid = 0;
	ssize_t got = 1;
	int code;

	*len = 0;
	if (gpgv_pipe(ends, err) < 0) {
		return -1;
	}
	code = posix_spawn_file_actions_init(&actions);
	if (code == 0) {
		(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
		(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
		(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
		code = posix_spawnp(&pid, "gpgv", &actions, NULL, arguments, gpgv_environment);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(ends[1]);
	while (code == 0 && *len < room && (got > 0 || (got < 0 && errno == EINTR))) {
		got = read(ends[0], to + *len, room - *len);
		*len += got > 0 ? (size_t)got : 0;
	}
	(void)close(ends[0]);
	while (code == 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return gpgv_spawned(code, err);
}

static int spawn(const int files[3], int status, pid_t *pid, struct error *err)
{
	static char *const arguments[] = {
		"gpgv", "--quiet", "--keyring",       "/proc/self/fd/6", "--status-fd",
		"3",    "--",      "/proc/self/fd/4", "/proc/self/fd/5", NULL};
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for a signature check");
	}
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, status, GPGV_STATUS_FD);
	for (int i = 0; i < 3; i++) {
		(void)posix_spawn_file_actions_adddup2(&actions, files[i], GPGV_SIGNATURE_FD + i);
	}
	code = posix_spawnp(pid, "gpgv", &actions, NULL, arguments, gpgv_environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return gpgv_spawned(code, err);
}

static int start(struct child *child, int keyring_fd, const struct gpgv_check *check, size_t index,
		 struct error *err)
{
	int files[3] = {-1, -1, keyring_fd}, ends[2] = {-1, -1}, result = -1;

	*child = (struct child){.status_fd = -1, .index = index};
	if (gpgv_memory_file(check->signature, &files[0], err) < 0 ||
	    gpgv_memory_file(check->message, &files[1], err) < 0 || gpgv_pipe(ends, err) < 0 ||
	    spawn(files, ends[1], &child->pid, err) < 0) {
		goto out;
	}
	child->status_fd = ends[0];
	child->until_ms = gpgv_now_ms() + GPGV_DEADLINE_MS;
	ends[0] = -1;
	result = 0;
out:
	for (int i = 0; i < 2; i++) {
		if (files[i] >= 0) {
			(void)close(files[i]);
		}
		if (ends[i] >= 0) {
			(void)close(ends[i]);
		}
	}
	if (result < 0) {
		child->pid = 0;
	}
	return result;
}

/* Forgets the child; what it said so far stays in `status`. */
static void stop(struct child *child, bool by_force)
{
	if (child->pid == 0) {
		return;
	}
	if (by_force) {
		(void)kill(child->pid, SIGKILL);
	}
	(void)close(child->status_fd);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
	}
	child->pid = 0;
}

/* Whether it is at its end: all was said, or too much, or it took too long. */
static bool listen_to(struct child *child, bool is_readable, struct gpgv_check *checks)
{
	struct gpgv_check *check = &checks[child->index];
	ssize_t got;

	if (!is_readable) {
		if (gpgv_now_ms() < child->until_ms) {
			return false;
		}
		stop(child, true);
		return true;
	}
	got = read(child->status_fd, child->status + child->len, STATUS_ROOM - 1 - child->len);
	if (got < 0 && errno == EINTR) {
		return false;
	}
	if (got > 0) {
		child->len += (size_t)got;
		if (child->len < STATUS_ROOM - 1) {
			return false;
		}
	}
	stop(child, got != 0);
	child->status[child->len] = '\0';
	if (got == 0) {
		gpgv_batch_parse(child->status, check);
	}
	return true;
}

static int wait_for_any(struct child *children, unsigned count, struct gpgv_check *checks,
			struct error *err)
{
	struct pollfd fds[CHILDREN_MAX];
	int ready;

	for (unsigned i = 0; i < count; i++) {
		fds[i] = (struct pollfd){.fd = children[i].pid ? children[i].status_fd : -1,
					 .events = POLLIN};
	}
	ready = poll(fds, count, 1000);
	if (ready < 0 && errno != EINTR) {
		return system_fault(err, "gpgv");
	}
	for (unsigned i = 0; i < count; i++) {
		if (children[i].pid) {
			(void)listen_to(&children[i], ready > 0 && fds[i].revents != 0, checks);
		}
	}
	return 0;
}

int gpgv_batch(int keyring_fd, struct gpgv_check *checks, size_t count, unsigned parallel,
	       struct error *err)
{
	unsigned room = parallel < 1 ? 1 : parallel > CHILDREN_MAX ? CHILDREN_MAX : parallel;
	struct child *children = calloc(room, sizeof(*children));
	size_t next = 0;
	bool is_busy = true;
	int result = children ? 0
			      : error_set(err, ERROR_NOMEM, 0, "no memory for a signature check");

	for (size_t i = 0; i < count; i++) {
		checks[i].state = GPGV_FAILED;
		checks[i].fingerprint[0] = checks[i].signer[0] = '\0';
	}
	while (result == 0 && is_busy) {
		is_busy = false;
		for (unsigned i = 0; result == 0 && i < room; i++) {
			if (!children[i].pid && next < count) {
				result = start(&children[i], keyring_fd, &checks[next], next, err);
				next++;
			}
			is_busy = is_busy || children[i].pid;
		}
		if (result == 0 && is_busy) {
			result = wait_for_any(children, room, checks, err);
		}
	}
	for (unsigned i = 0; children && i < room; i++) {
		stop(&children[i], true);
	}
	free(children);
	return result;
}
