// SPDX-License-Identifier: MIT
#include "baselines/gpgv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/escape.h"

#define STATUS_MAX ((size_t)1 << 20)
#define DEADLINE_MS 60000
#define STATUS_FD 3

/* What a pipe brings, up to a limit. */
struct stream {
	int fd;
	char *data;
	size_t len;
	size_t most;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a signature check");
}

/* Status lines */

static bool take_word(const char **rest, char *to, size_t room)
{
	size_t len = strcspn(*rest, " \n");

	if (len == 0 || len >= room) {
		return false;
	}
	memcpy(to, *rest, len);
	to[len] = '\0';
	*rest += len;
	*rest += strspn(*rest, " ");
	return true;
}

static bool is_fingerprint(const char *text)
{
	size_t len = strlen(text);

	return (len == 40 || len == 64) && strspn(text, "0123456789ABCDEF") == len;
}

/* VALIDSIG: fingerprint, date, time, expiry, version, -, algorithm, digest, class, primary's. */
static int take_valid(const char *rest, struct gpgv_result *result, struct error *err)
{
	char word[128], signer[128] = "";

	for (int field = 0; field < 10; field++) {
		if (!take_word(&rest, word, sizeof(word))) {
			return error_set(err, ERROR_CONFIG, 0, "gpgv says VALIDSIG of no key");
		}
		if (field == 0) {
			memcpy(signer, word, sizeof(signer));
		}
	}
	if (!is_fingerprint(signer) || !is_fingerprint(word)) {
		return error_set(err, ERROR_CONFIG, 0, "gpgv says VALIDSIG of no key");
	}
	if (result->count == GPGV_SIGNERS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %d signatures", GPGV_SIGNERS_MAX);
	}
	(void)snprintf(result->signer[result->count], GPGV_FINGERPRINT_SIZE, "%.64s", signer);
	(void)snprintf(result->primary[result->count++], GPGV_FINGERPRINT_SIZE, "%.64s", word);
	return 0;
}

int gpgv_status_parse(const char *status, struct gpgv_result *result, struct error *err)
{
	static const char prefix[] = "[GNUPG:] ";
	bool good = false;
	const char *line = status;

	result->count = 0;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		const char *rest = line + sizeof(prefix) - 1;
		char word[64];

		if (strncmp(line, prefix, sizeof(prefix) - 1) == 0 &&
		    take_word(&rest, word, sizeof(word))) {
			if (strcmp(word, "BADSIG") == 0) {
				return error_set(err, ERROR_CONFIG, 0, "the signature is bad");
			}
			/*
			 * Each signature is told by NEWSIG, its verdict, and VALIDSIG also where the
			 * key has expired or was revoked: only GOODSIG makes it count.
			 */
			if (strcmp(word, "NEWSIG") == 0 || strcmp(word, "EXPSIG") == 0 ||
			    strcmp(word, "EXPKEYSIG") == 0 || strcmp(word, "REVKEYSIG") == 0) {
				good = false;
			} else if (strcmp(word, "GOODSIG") == 0) {
				good = true;
			} else if (strcmp(word, "VALIDSIG") == 0 && good) {
				good = false;
				if (take_valid(rest, result, err) < 0) {
					return -1;
				}
			}
		}
		line += len + (line[len] == '\n');
	}
	if (result->count == 0) {
		return error_set(err, ERROR_CONFIG, 0,
				 "no good signature by a key of the keyring that is still valid");
	}
	return 0;
}

/* The child */

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads once; closes at the end. */
static int drain(struct stream *stream, struct error *err)
{
	char buffer[65536], *grown;
	ssize_t got = read(stream->fd, buffer, sizeof(buffer));

	if (got < 0) {
		return errno == EINTR || errno == EAGAIN
			       ? 0
			       : error_set(err, ERROR_SYSTEM, errno, "gpgv: %s", strerror(errno));
	}
	if (got == 0) {
		(void)close(stream->fd);
		stream->fd = -1;
		return 0;
	}
	if ((size_t)got > stream->most - stream->len) {
		return error_set(err, ERROR_CONFIG, 0, "what is signed is larger than %zu MiB",
				 stream->most >> 20);
	}
	grown = realloc(stream->data, stream->len + (size_t)got + 1);
	if (!grown) {
		return no_memory(err);
	}
	memcpy(grown + stream->len, buffer, (size_t)got);
	stream->data = grown;
	stream->len += (size_t)got;
	stream->data[stream->len] = '\0';
	return 0;
}

static int drain_both(struct stream *text, struct stream *status, struct error *err)
{
	int64_t deadline = now_ms() + DEADLINE_MS;

	while (text->fd >= 0 || status->fd >= 0) {
		struct pollfd fds[2] = {{.fd = text->fd, .events = POLLIN},
					{.fd = status->fd, .events = POLLIN}};
		int64_t left = deadline - now_ms();
		int ready = left > 0 ? poll(fds, 2, (int)left) : 0;

		if (ready == 0) {
			return error_set(err, ERROR_SYSTEM, ETIMEDOUT, "gpgv took too long");
		}
		if (ready < 0 && errno != EINTR) {
			return error_set(err, ERROR_SYSTEM, errno, "gpgv: %s", strerror(errno));
		}
		if (ready > 0 && ((fds[0].revents && drain(text, err) < 0) ||
				  (fds[1].revents && drain(status, err) < 0))) {
			return -1;
		}
	}
	return 0;
}

static int spawn_gpgv(char *const *arguments, int text, int status, pid_t *pid, struct error *err)
{
	static char *const environment[] = {"PATH=/usr/bin:/bin:/usr/local/bin", "LC_ALL=C",
					    "HOME=/nonexistent", "GNUPGHOME=/nonexistent", NULL};
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0) {
		return no_memory(err);
	}
	/* STATUS_FD last: the pipe's own number may be 3. Both were made above it. */
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, text, 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, status, STATUS_FD);
	code = posix_spawnp(pid, "gpgv", &actions, NULL, arguments, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (code == ENOENT) {
		return error_set(err, ERROR_CONFIG, code, "gpgv is not installed");
	}
	return code == 0 ? 0 : error_set(err, ERROR_SYSTEM, code, "gpgv: %s", strerror(code));
}

/* Ends of a pipe above the numbers that the child gives a meaning, closed in every other child. */
static int make_pipe(int ends[2], struct error *err)
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) < 0) {
		return error_set(err, ERROR_SYSTEM, errno, "a pipe: %s", strerror(errno));
	}
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STATUS_FD + 7);
		(void)close(low[i]);
	}
	if (ends[0] >= 0 && ends[1] >= 0) {
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		if (ends[i] >= 0) {
			(void)close(ends[i]);
		}
	}
	ends[0] = ends[1] = -1;
	return error_set(err, ERROR_SYSTEM, errno, "a pipe: %s", strerror(errno));
}

static void close_end(int *fd)
{
	if (*fd >= 0) {
		(void)close(*fd);
		*fd = -1;
	}
}

static int run(const char *keyring, const char *file, struct stream *text, struct stream *status,
	       struct error *err)
{
	char *const arguments[] = {
		"gpgv",     "--quiet", "--keyring", (char *)(uintptr_t)keyring, "--status-fd", "3",
		"--output", "-",       "--",        (char *)(uintptr_t)file,    NULL};
	int out[2] = {-1, -1}, told[2] = {-1, -1}, result = -1;
	pid_t pid = -1;

	if (make_pipe(out, err) < 0 || make_pipe(told, err) < 0 ||
	    spawn_gpgv(arguments, out[1], told[1], &pid, err) < 0) {
		goto out;
	}
	close_end(&out[1]);
	close_end(&told[1]);
	text->fd = out[0];
	status->fd = told[0];
	out[0] = told[0] = -1;
	result = drain_both(text, status, err);
out:
	close_end(&text->fd);
	close_end(&status->fd);
	for (int i = 0; i < 2; i++) {
		close_end(&out[i]);
		close_end(&told[i]);
	}
	if (pid > 0) {
		if (result < 0) {
			(void)kill(pid, SIGKILL);
		}
		/* Its exit code says less than its status lines: 2 also where one of three keys is absent. */
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	return result;
}

int gpgv_inline(const char *keyring, const char *file, struct gpgv_result *result,
		struct error *err)
{
	struct stream text = {.fd = -1, .most = GPGV_TEXT_MAX};
	struct stream status = {.fd = -1, .most = STATUS_MAX};
	char *whole = NULL;
	char shown[200];
	int code = -1;

	memset(result, 0, sizeof(*result));
	/* A name without a slash would be looked for in GnuPG's home. */
	whole = realpath(keyring, NULL);
	if (!whole || access(whole, R_OK) < 0 || access(file, R_OK) < 0) {
		const char *which = whole && access(whole, R_OK) == 0 ? file : keyring;

		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", which, strerror(errno));
		goto out;
	}
	if (run(whole, file, &text, &status, err) < 0 ||
	    gpgv_status_parse(status.data ? status.data : "", result, err) < 0) {
		(void)error_prefix(err, "%s",
				   escape_text(bytes_from_string(file), shown, sizeof(shown)));
		goto out;
	}
	result->text = text.data ? text.data : calloc(1, 1);
	result->len = text.len;
	text.data = NULL;
	code = result->text ? 0 : no_memory(err);
out:
	free(whole);
	free(text.data);
	free(status.data);
	return code;
}

void gpgv_result_clear(struct gpgv_result *result)
{
	free(result->text);
	memset(result, 0, sizeof(*result));
}
