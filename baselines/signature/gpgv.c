// SPDX-License-Identifier: MIT
#include "baselines/signature/gpgv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "baselines/signature/gpgv_private.h"
#include "schema/escape.h"

#define STATUS_MAX ((size_t)1 << 20)

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

bool gpgv_take_word(const char **rest, char *to, size_t room)
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

bool gpgv_is_fingerprint(const char *text)
{
	size_t len = strlen(text);

	return (len == 40 || len == 64) && strspn(text, "0123456789ABCDEF") == len;
}

/* Fingerprint, date, time, expiry, version, -, algorithm, digest, class, primary's fingerprint. */
bool gpgv_read_valid(const char *rest, struct gpgv_valid *valid)
{
	char word[10][128];

	for (size_t field = 0; field < 10; field++) {
		if (!gpgv_take_word(&rest, word[field], sizeof(word[field]))) {
			return false;
		}
	}
	(void)snprintf(valid->signer, sizeof(valid->signer), "%.64s", word[0]);
	(void)snprintf(valid->signed_at, sizeof(valid->signed_at), "%.32s", word[2]);
	(void)snprintf(valid->primary, sizeof(valid->primary), "%.64s", word[9]);
	return gpgv_is_fingerprint(word[0]) && gpgv_is_fingerprint(word[9]);
}

static int take_valid(const char *rest, struct gpgv_result *result, struct error *err)
{
	struct gpgv_valid valid;

	if (!gpgv_read_valid(rest, &valid)) {
		return error_set(err, ERROR_CONFIG, 0, "gpgv says VALIDSIG of no key");
	}
	if (result->count == GPGV_SIGNERS_MAX) {
		return error_set(err, ERROR_CONFIG, 0, "more than %d signatures", GPGV_SIGNERS_MAX);
	}
	memcpy(result->signer[result->count], valid.signer, sizeof(valid.signer));
	memcpy(result->primary[result->count++], valid.primary, sizeof(valid.primary));
	return 0;
}

/* Why a signature does not count. */
struct refusal {
	char why[32];  /* the status word */
	char key[128]; /* as gpgv names it */
	bool known;    /* some signature was by a key of the keyring */
};

static void refuse(struct refusal *r, const char *word, const char *rest)
{
	/* What was wrong with a key that we have says more than that others are not ours. */
	if (strcmp(word, "NO_PUBKEY") != 0) {
		r->known = true;
	} else if (r->known || r->why[0] != '\0') {
		return;
	}
	(void)snprintf(r->why, sizeof(r->why), "%.31s", word);
	if (!gpgv_take_word(&rest, r->key, sizeof(r->key)) ||
	    strspn(r->key, "0123456789ABCDEFabcdef") != strlen(r->key)) {
		r->key[0] = '\0';
	}
}

static int refused(const struct refusal *r, struct gpgv_result *result, struct error *err)
{
	static const struct {
		const char *why, *text;
	} texts[] = {
		{"EXPKEYSIG", "that key has expired: fetch the archive's current key"},
		{"EXPSIG", "the signature has expired: fetch a newer one"},
		{"REVKEYSIG", "that key was revoked: nothing signed by it counts"},
		{"NO_PUBKEY", "that key is not in the keyring: add it, once you have compared it"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].why, r->why) == 0) {
			result->only_unknown = !r->known;
			return error_set(err, ERROR_CONFIG, 0,
					 "no good signature: signed by key %s, and %s", r->key,
					 texts[i].text);
		}
	}
	return error_set(err, ERROR_CONFIG, 0,
			 "no good signature by a key of the keyring that is still valid");
}

static bool is_refusal(const char *word)
{
	return strcmp(word, "EXPSIG") == 0 || strcmp(word, "EXPKEYSIG") == 0 ||
	       strcmp(word, "REVKEYSIG") == 0 || strcmp(word, "NO_PUBKEY") == 0;
}

int gpgv_status_parse(const char *status, struct gpgv_result *result, struct error *err)
{
	static const char prefix[] = "[GNUPG:] ";
	struct refusal refusal = {0};
	bool good = false;
	const char *line = status;

	result->count = 0;
	result->only_unknown = false;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		const char *rest = line + sizeof(prefix) - 1;
		char word[64];

		if (strncmp(line, prefix, sizeof(prefix) - 1) == 0 &&
		    gpgv_take_word(&rest, word, sizeof(word))) {
			if (strcmp(word, "BADSIG") == 0) {
				return error_set(err, ERROR_CONFIG, 0,
						 "the signature is bad: the text was changed after "
						 "it was signed");
			}
			/*
			 * Each signature is told by NEWSIG, its verdict, and VALIDSIG also where the
			 * key has expired or was revoked: only GOODSIG makes it count.
			 */
			if (strcmp(word, "NEWSIG") == 0) {
				good = false;
			} else if (is_refusal(word)) {
				good = false;
				refuse(&refusal, word, rest);
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
	return result->count > 0 ? 0 : refused(&refusal, result, err);
}

/* The child */

int64_t gpgv_now_ms(void)
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
	int64_t deadline = gpgv_now_ms() + GPGV_DEADLINE_MS;

	while (text->fd >= 0 || status->fd >= 0) {
		struct pollfd fds[2] = {{.fd = text->fd, .events = POLLIN},
					{.fd = status->fd, .events = POLLIN}};
		int64_t left = deadline - gpgv_now_ms();
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

/* What the child has open beside its standard streams, and where. */
struct child_files {
	int text;                   /* 1 */
	int status;                 /* GPGV_STATUS_FD */
	int signature, signed_text; /* GPGV_SIGNATURE_FD, GPGV_TEXT_FD; -1: none */
};

char *const gpgv_environment[] = {"PATH=/usr/bin:/bin:/usr/local/bin", "LC_ALL=C",
				  "HOME=/nonexistent", "GNUPGHOME=/nonexistent", NULL};

int gpgv_spawned(int code, struct error *err)
{
	if (code == ENOENT) {
		return error_set(err, ERROR_CONFIG, code,
				 "gpgv is not installed (package gpgv): without it no "
				 "signature can be checked");
	}
	return code == 0 ? 0 : error_set(err, ERROR_SYSTEM, code, "gpgv: %s", strerror(code));
}

static int spawn_gpgv(char *const *arguments, const struct child_files *files, pid_t *pid,
		      struct error *err)
{
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0) {
		return no_memory(err);
	}
	/* All were made above these numbers (raise_fd), so that none overwrites another. */
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, files->text, 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, files->status, GPGV_STATUS_FD);
	if (files->signature >= 0) {
		(void)posix_spawn_file_actions_adddup2(&actions, files->signature,
						       GPGV_SIGNATURE_FD);
		(void)posix_spawn_file_actions_adddup2(&actions, files->signed_text, GPGV_TEXT_FD);
	}
	code = posix_spawnp(pid, "gpgv", &actions, NULL, arguments, gpgv_environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return gpgv_spawned(code, err);
}

/* Ends of a pipe above the numbers that the child gives a meaning, closed in every other child. */
int gpgv_pipe(int ends[2], struct error *err)
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) < 0) {
		return error_set(err, ERROR_SYSTEM, errno, "a pipe: %s", strerror(errno));
	}
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, GPGV_FIRST_FD);
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

/* A file in memory with this content, read from its start. */
int gpgv_memory_file(struct bytes content, int *fd, struct error *err)
{
	int low = memfd_create("muster", MFD_CLOEXEC);
	size_t done = 0;

	*fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, GPGV_FIRST_FD);
	if (low >= 0) {
		(void)close(low);
	}
	while (*fd >= 0 && done < content.len) {
		ssize_t wrote = write(*fd, content.data + done, content.len - done);

		if (wrote < 0 && errno != EINTR) {
			break;
		}
		done += wrote > 0 ? (size_t)wrote : 0;
	}
	return *fd >= 0 && done == content.len && lseek(*fd, 0, SEEK_SET) == 0
		       ? 0
		       : error_set(err, ERROR_SYSTEM, errno, "a file in memory: %s",
				   strerror(errno));
}

/* `files` has the descriptors of a detached signature, or -1; they stay the caller's. */
static int run(char *const *arguments, struct child_files files, struct stream *text,
	       struct stream *status, struct error *err)
{
	int out[2] = {-1, -1}, told[2] = {-1, -1}, result = -1;
	pid_t pid = -1;

	if (gpgv_pipe(out, err) < 0 || gpgv_pipe(told, err) < 0) {
		goto out;
	}
	files.text = out[1];
	files.status = told[1];
	if (spawn_gpgv(arguments, &files, &pid, err) < 0) {
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

/* A name without a slash would be looked for in GnuPG's home. Allocates. */
static char *whole_name(const char *keyring, struct error *err)
{
	char *whole;

	if (access(keyring, R_OK) < 0) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", keyring, strerror(errno));
		return NULL;
	}
	if (asprintf(&whole, "%s%s", keyring[0] == '/' ? "" : "./", keyring) < 0) {
		(void)no_memory(err);
		return NULL;
	}
	return whole;
}

int gpgv_detached(const char *keyring, struct bytes signature, struct bytes text,
		  struct gpgv_result *result, struct error *err)
{
	struct stream out = {.fd = -1, .most = GPGV_TEXT_MAX};
	struct stream status = {.fd = -1, .most = STATUS_MAX};
	struct child_files files = {-1, -1, -1, -1};
	char *whole = whole_name(keyring, err);
	char *const arguments[] = {"gpgv", "--quiet", "--keyring", whole,       "--status-fd",
				   "3",    "--",      "/dev/fd/4", "/dev/fd/5", NULL};
	int code = -1;

	memset(result, 0, sizeof(*result));
	if (whole && gpgv_memory_file(signature, &files.signature, err) == 0 &&
	    gpgv_memory_file(text, &files.signed_text, err) == 0 &&
	    run(arguments, files, &out, &status, err) == 0) {
		code = gpgv_status_parse(status.data ? status.data : "", result, err);
	}
	close_end(&files.signature);
	close_end(&files.signed_text);
	free(whole);
	free(out.data);
	free(status.data);
	return code;
}

int gpgv_inline(const char *keyring, const char *file, struct gpgv_result *result,
		struct error *err)
{
	struct stream text = {.fd = -1, .most = GPGV_TEXT_MAX};
	struct stream status = {.fd = -1, .most = STATUS_MAX};
	const struct child_files files = {-1, -1, -1, -1};
	char *whole = whole_name(keyring, err);
	char *const arguments[] = {"gpgv", "--quiet",  "--keyring", whole, "--status-fd",
				   "3",    "--output", "-",         "--",  (char *)(uintptr_t)file,
				   NULL};
	char shown[200];
	int code = -1;

	memset(result, 0, sizeof(*result));
	if (!whole) {
		goto out;
	}
	if (access(file, R_OK) < 0) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", file, strerror(errno));
		goto out;
	}
	if (run(arguments, files, &text, &status, err) < 0 ||
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
