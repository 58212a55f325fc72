// SPDX-License-Identifier: MIT
#include "controller/cmd/version.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "baselines/libraries.h"
#include "controller/cmd/call.h"
#include "controller/report/print.h"
#include "controller/ssh/helper.h"
#include "controller/store/libraries.h"

#define LINE_ROOM 256

const char version_text[] = MUSTER_VERSION;

/* What muster-ssh says of itself: libssh2 is linked there and nowhere else. */
static int ask_helper(const char *path, char *line, size_t room)
{
	char *const argv[] = {(char[]){"muster-ssh"}, (char[]){"--version"}, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int pipes[2], spawned = -1, ended = 0;
	size_t used = 0;
	ssize_t got = 0;
	pid_t child;

	line[0] = '\0';
	if (pipe(pipes) < 0) {
		return -1;
	}
	if (posix_spawn_file_actions_init(&actions) == 0) {
		if (posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO) == 0 &&
		    posix_spawn_file_actions_addclose(&actions, pipes[0]) == 0) {
			spawned = posix_spawn(&child, path, &actions, NULL, argv, environment);
		}
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(pipes[1]);
	while (spawned == 0 && used + 1 < room &&
	       (got = read(pipes[0], line + used, room - used - 1)) > 0) {
		used += (size_t)got;
	}
	line[used] = '\0';
	(void)close(pipes[0]);
	if (spawned == 0) {
		(void)waitpid(child, &ended, 0);
	}
	return spawned == 0 && used > 0 && ended == 0 ? 0 : -1;
}

static void print_helper(FILE *out)
{
	char path[4096], line[LINE_ROOM];
	struct error err = {0};

	if (helper_path("muster-ssh", path, sizeof(path), &err) < 0) {
		(void)fputs("  muster-ssh: missing, no host can be reached by SSH\n", out);
	} else if (ask_helper(path, line, sizeof(line)) < 0) {
		(void)fputs("  muster-ssh: does not run\n", out);
	} else {
		line[strcspn(line, "\n")] = '\0';
		(void)fputs("  ", out);
		(void)print_bytes(out, bytes_from_string(line));
		(void)fputc('\n', out);
	}
}

static void print_probe(FILE *out, const char *name)
{
	uint8_t *data = NULL, sha256[DIGEST_SIZE];
	struct error err = {0};
	char path[4096];
	size_t len = 0;

	if (helper_path(name, path, sizeof(path), &err) < 0 ||
	    helper_read(path, HELPER_PROBE_MAX, &data, &len, &err) < 0 ||
	    EVP_Digest(data, len, sha256, NULL, EVP_sha256(), NULL) != 1) {
		(void)fprintf(out, "  %-14s  not built\n", name);
		free(data);
		return;
	}
	(void)fprintf(out, "  %-14s  %zu bytes  sha256 ", name, len);
	for (size_t i = 0; i < sizeof(sha256); i++) {
		(void)fprintf(out, "%02x", sha256[i]);
	}
	(void)fputc('\n', out);
	free(data);
}

int verb_version(struct call *call, struct error *err)
{
	char line[LINE_ROOM];
	FILE *out = call->out;

	(void)err;
	(void)fprintf(out, "muster %s\n\nLibraries:\n", version_text);
	(void)fprintf(out, "  %s\n", libraries_of_baselines(line, sizeof(line)));
	(void)fprintf(out, "  %s\n", libraries_of_store(line, sizeof(line)));
	(void)fprintf(out, "  %s, libuv %s\n", OpenSSL_version(OPENSSL_VERSION),
		      uv_version_string());
	print_helper(out);
	(void)fputs("\nProbes, for hosts that allow programs by digest:\n", out);
	print_probe(out, "probe-x86_64");
	print_probe(out, "probe-aarch64");
	return EXIT_CLEAN;
}
