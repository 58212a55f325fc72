// SPDX-License-Identifier: MIT
#include "controller/cmd/version.h"

#include <openssl/crypto.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "baselines/libraries.h"
#include "controller/cmd/call.h"
#include "controller/cmd/probes.h"
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
	struct probe_file probe;
	struct error err;

	if (probes_read(name, &probe, &err) < 0) {
		(void)fprintf(out, "  %-14s  not built\n", name);
	} else {
		(void)fprintf(out, "  %-14s  %zu bytes  sha256 %s\n", name, probe.size,
			      probe.sha256);
	}
}

/* What sha256sum prints, and so what reads it: fapolicyd-cli, EDR consoles, sha256sum -c. */
static int print_digests(FILE *out, struct error *err)
{
	struct probe_file probe;
	struct error absent;
	const char *name;
	size_t count = 0;

	for (size_t i = 0; (name = probes_name(i)); i++) {
		if (probes_read(name, &probe, &absent) == 0) {
			(void)fprintf(out, "%s  %s\n", probe.sha256, name);
			count++;
		}
	}
	return count > 0 ? EXIT_CLEAN
			 : error_set(err, ERROR_CONFIG, 0, "muster version: no probe was built");
}

int verb_version(struct call *call, struct error *err)
{
	char line[LINE_ROOM];
	FILE *out = call->out;

	if (call_has(call, OPTION_PROBES)) {
		return print_digests(out, err);
	}
	(void)fprintf(out, "muster %s\n\nLibraries:\n", version_text);
	(void)fprintf(out, "  %s\n", libraries_of_baselines(line, sizeof(line)));
	(void)fprintf(out, "  %s\n", libraries_of_store(line, sizeof(line)));
	(void)fprintf(out, "  %s, libuv %s\n", OpenSSL_version(OPENSSL_VERSION),
		      uv_version_string());
	print_helper(out);
	(void)fputs("\nProbes, for hosts that allow programs by digest:\n", out);
	for (size_t i = 0; probes_name(i); i++) {
		print_probe(out, probes_name(i));
	}
	return EXIT_CLEAN;
}
