// SPDX-License-Identifier: MIT
/* sudoers: a rule that lets one user run exactly these probes as root (sudoers(5), Digest_Spec). */
#include <stdio.h>
#include <string.h>

#include "controller/cmd/call.h"
#include "controller/cmd/probes.h"
#include "controller/cmd/version.h"
#include "controller/ssh/pinned.h"

#define COMMAND_ROOM 512

/* What stands in a rule and in a path without quoting. */
static bool is_plain_user(const char *user)
{
	size_t len = strlen(user);

	return len > 0 && len <= 32 && user[0] != '-' && user[0] != '.' &&
	       strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

/* sudoers(5) takes such a word for a User_Alias, and ALL for everybody. */
static bool is_alias(const char *user)
{
	return user[0] >= 'A' && user[0] <= 'Z' &&
	       user[strspn(user, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

static int print_commands(FILE *out, const char *user, size_t *count, struct error *err)
{
	char path[COMMAND_ROOM], arguments[COMMAND_ROOM];
	const char *name;

	for (size_t i = 0; (name = probes_name(i)); i++) {
		struct probe_file probe;
		struct error absent;

		if (probes_read(name, &probe, &absent) < 0) {
			continue;
		}
		for (size_t p = 0; pinned_path(p, user, path, sizeof(path)); p++) {
			if (!pinned_arguments(path, probe.size, probe.sha256, arguments,
					      sizeof(arguments))) {
				return error_set(err, ERROR_CONFIG, 0,
						 "the user's name is too long");
			}
			(void)fprintf(out, "%s \\\n    sha256:%s %s %s", *count ? "," : "",
				      probe.sha256, path, arguments);
			(*count)++;
		}
	}
	return 0;
}

int verb_sudoers(struct call *call, struct error *err)
{
	const char *user = config_text(call->config, CONFIG_USER);
	FILE *out = call->out;
	size_t count = 0;

	if (!user) {
		call_advise(call, "muster sudoers --user inspect >muster.sudoers");
		return error_set(
			err, ERROR_CONFIG, 0,
			"muster sudoers: --user NAME is missing: who logs in on the hosts?");
	}
	if (!is_plain_user(user)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "muster sudoers: a rule needs a user of letters, digits, . _ -");
	}
	if (is_alias(user)) {
		return error_set(err, ERROR_CONFIG, 0,
				 "muster sudoers: %s: sudo takes a name in capitals for an alias%s",
				 user, strcmp(user, "ALL") == 0 ? ": this one is everybody" : "");
	}
	(void)fprintf(
		out,
		"# Lets %s run the probes of muster %s as root, told by their digests, and nothing "
		"else.\n"
		"# Place it as /etc/sudoers.d/muster (0440) after visudo -cf; then scan with "
		"--become pinned.\n"
		"# A new version of muster has other probes: print it again.\n"
		"Cmnd_Alias MUSTER_PROBE =",
		user, version_text);
	if (print_commands(out, user, &count, err) < 0) {
		return -1;
	}
	if (count == 0) {
		return error_set(err, ERROR_CONFIG, 0, "muster sudoers: no probe was built");
	}
	(void)fprintf(out, "\n%s ALL=(root) NOPASSWD: MUSTER_PROBE\n", user);
	return EXIT_CLEAN;
}
