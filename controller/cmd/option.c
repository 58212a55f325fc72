// SPDX-License-Identifier: MIT
#include "controller/cmd/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/nearest.h"
#include "schema/bytes.h"
#include "schema/escape.h"

#define SHOWN 80

static const char *const become_words[] = {"sudo", "pinned", "none", NULL};
static const char *const transport_words[] = {"auto", "libssh2", "ssh", NULL};
static const char *const format_words[] = {"text", "ndjson", "rundeck", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const severity_words[] = {"info",     "low",   "medium", "high",
					     "critical", "never", NULL};

static const struct option_spec specs[OPTIONS] = {
	[OPTION_CONFIG] = {'c', OPTION_NO_SETTING, "config", "FILE",
			   "read this configuration over the usual ones", NULL},
	[OPTION_INVENTORY] = {'i', CONFIG_INVENTORY, "inventory", "FILE",
			      "hosts and groups; - reads them from stdin", NULL},
	[OPTION_BASELINE] = {0, CONFIG_BASELINE, "baseline", "DIR",
			     "git repository of what is known good", NULL},
	[OPTION_DB] = {0, CONFIG_DB, "db", "FILE", "database of runs and findings", NULL},
	[OPTION_USER] = {0, CONFIG_USER, "user", "NAME", "log in as this user", NULL},
	[OPTION_PORT] = {0, CONFIG_PORT, "port", "N", "SSH port", NULL},
	[OPTION_IDENTITY] = {0, CONFIG_IDENTITY, "identity", "FILE",
			     "private key; without it ssh-agent is asked", NULL},
	[OPTION_KNOWN_HOSTS] = {0, CONFIG_KNOWN_HOSTS, "known-hosts", "FILE",
				"host keys, instead of the user's and the system's", NULL},
	[OPTION_SSH_CONFIG] = {0, CONFIG_SSH_CONFIG, "ssh-config", "FILE",
			       "ssh_config to resolve hosts by, or none", NULL},
	[OPTION_TRANSPORT] = {0, CONFIG_TRANSPORT, "transport", "WHICH",
			      "who speaks SSH: libssh2, OpenSSH's ssh, or ssh where it must (auto)",
			      transport_words},
	[OPTION_BECOME] = {0, CONFIG_BECOME, "become", "HOW",
			   "become root on the host by sudo, by a pinned rule, or none",
			   become_words},
	[OPTION_PARALLEL] = {0, CONFIG_PARALLEL, "parallel", "N", "hosts at once", NULL},
	[OPTION_FULL_PARALLEL] = {0, OPTION_NO_SETTING, "full-parallel", "N",
				  "of them, those that read everything (default: 32)", NULL},
	[OPTION_TIMEOUT] = {0, CONFIG_TIMEOUT, "timeout", "TIME",
			    "most time for one host (90s, 15m)", NULL},
	[OPTION_CONNECT_TIMEOUT] = {0, CONFIG_CONNECT_TIMEOUT, "connect-timeout", "TIME",
				    "most time until a host answers", NULL},
	[OPTION_DEADLINE] = {0, OPTION_NO_SETTING, "deadline", "TIME",
			     "most time for the whole run (5h)", NULL},
	[OPTION_RETRIES] = {0, OPTION_NO_SETTING, "retries", "N",
			    "try unreachable hosts again so often", NULL},
	[OPTION_RESUME] = {0, OPTION_NO_SETTING, "resume", "RUN",
			   "go on with a run that was killed or interrupted", NULL},
	[OPTION_FULL] = {0, OPTION_NO_SETTING, "full", NULL,
			 "read everything again, not only what may have changed", NULL},
	[OPTION_REHASH] = {0, OPTION_NO_SETTING, "rehash", "1/N",
			   "read every Nth part again, another one each night", NULL},
	[OPTION_READ_RATE] = {0, OPTION_NO_SETTING, "read-rate", "RATE",
			      "most that a host reads a second (20M)", NULL},
	[OPTION_MAX_INCOMPLETE] = {0, OPTION_NO_SETTING, "max-incomplete", "N%",
				   "exit 3 only where more hosts were not looked at whole", NULL},
	[OPTION_HOSTS] = {0, OPTION_NO_SETTING, "hosts", "SET",
			  "only these hosts: web[001-040],@db", NULL},
	[OPTION_ALL] = {0, OPTION_NO_SETTING, "all", NULL,
			"also what is resolved, explained and acknowledged", NULL},
	[OPTION_EXPLAINED] = {0, OPTION_NO_SETTING, "explained", NULL,
			      "every change that a strong witness proves, not the first ones",
			      NULL},
	[OPTION_RPM] = {0, OPTION_NO_SETTING, "rpm", NULL,
			"of a host: what rpm -Va would print, from signed headers", NULL},
	[OPTION_INSTALLED] = {0, OPTION_NO_SETTING, "installed", NULL,
			      "of a host: its packages, the newest first (rpm -qa --last)", NULL},
	[OPTION_SINCE] = {0, OPTION_NO_SETTING, "since", "WHEN",
			  "from 2026-11-20, 2026-11-20T14:00Z, or 2d ago", NULL},
	[OPTION_UNTIL] = {0, OPTION_NO_SETTING, "until", "WHEN",
			  "up to then: a date as for --since, or 30d from now", NULL},
	[OPTION_REASON] = {0, OPTION_NO_SETTING, "reason", "TEXT",
			   "why it is set aside (a ticket, a name)", NULL},
	[OPTION_MESSAGE] = {'m', OPTION_NO_SETTING, "message", "TEXT", "message of the commit",
			    NULL},
	[OPTION_ORIGIN] = {0, OPTION_NO_SETTING, "origin", "NAME",
			   "archive that the packages come from", NULL},
	[OPTION_RELEASE] = {0, OPTION_NO_SETTING, "release", "FILE",
			    "the archive's InRelease, or Release with .gpg beside it", NULL},
	[OPTION_PACKAGES] = {0, OPTION_NO_SETTING, "packages", "FILE",
			     "the archive's Packages, or several: FILE,FILE", NULL},
	[OPTION_KEYRING] = {0, OPTION_NO_SETTING, "keyring", "FILE",
			    "OpenPGP keys that may sign, instead of the baseline's", NULL},
	[OPTION_FINGERPRINT] = {0, OPTION_NO_SETTING, "fingerprint", "HEX",
				"only these of the keys: HEX,HEX", NULL},
	[OPTION_MIRROR] = {0, OPTION_NO_SETTING, "mirror", "DIR",
			   "a mirror, or a folder of .deb files with apt's lists", NULL},
	[OPTION_LISTS] = {0, OPTION_NO_SETTING, "lists", "DIR",
			  "where apt's lists are, if not beside the folder", NULL},
	[OPTION_UNSIGNED] = {0, OPTION_NO_SETTING, "unsigned", NULL,
			     "import what no signature proves too, marked so", NULL},
	[OPTION_COMMIT] = {0, OPTION_NO_SETTING, "commit", NULL,
			   "write it to the baseline, instead of only showing it", NULL},
	[OPTION_IMPORT] = {0, OPTION_NO_SETTING, "import", "FILE",
			   "write the keys to this file for review", NULL},
	[OPTION_KEEP] = {0, OPTION_NO_SETTING, "keep", "N", "keep the newest N runs", NULL},
	[OPTION_PROBES] = {0, OPTION_NO_SETTING, "probes", NULL,
			   "only the digests of the probes, as sha256sum prints them", NULL},
	[OPTION_FAIL_ON] = {0, CONFIG_FAIL_ON, "fail-on", "SEVERITY",
			    "exit 1 for open findings from this severity on, or never",
			    severity_words},
	[OPTION_FORMAT] = {0, OPTION_NO_SETTING, "format", "FORMAT", "text, ndjson or rundeck",
			   format_words},
	[OPTION_OUTPUT] = {'o', OPTION_NO_SETTING, "output", "FORMAT:FILE",
			   "also write a report to FILE (a pipe or device is kept): text, ndjson, "
			   "rundeck, prom",
			   NULL},
	[OPTION_JOURNAL] = {0, OPTION_NO_SETTING, "journal", NULL,
			    "tell the journal, or syslog, what is new", NULL},
	[OPTION_FETCH] = {0, OPTION_NO_SETTING, "fetch", NULL,
			  "bring the baseline up to date first, whatever baseline_fetch says",
			  NULL},
	[OPTION_NO_FETCH] = {0, OPTION_NO_SETTING, "no-fetch", NULL,
			     "do not, whatever baseline_fetch says", NULL},
	[OPTION_COLOR] = {0, OPTION_NO_SETTING, "color", "WHEN", "auto, always or never",
			  color_words},
	[OPTION_QUIET] = {'q', OPTION_NO_SETTING, "quiet", NULL, "no progress and no advice", NULL},
	[OPTION_VERBOSE] = {'v', OPTION_NO_SETTING, "verbose", NULL, "say more; twice: every step",
			    NULL},
	[OPTION_HELP_SHORT] = {'h', OPTION_NO_SETTING, NULL, NULL, "short help", NULL},
	[OPTION_HELP] = {0, OPTION_NO_SETTING, "help", NULL, "help with everything", NULL},
	[OPTION_VERSION] = {0, OPTION_NO_SETTING, "version", NULL,
			    "version of muster and of what it is made of", NULL},
};

const struct option_spec *option_spec(enum option_id id)
{
	return &specs[id];
}

const char *option_shown(enum option_id id, char *to, size_t room)
{
	if (specs[id].name) {
		(void)snprintf(to, room, "--%s", specs[id].name);
	} else {
		(void)snprintf(to, room, "-%c", specs[id].letter);
	}
	return to;
}

static const char *spec_word(const void *words, size_t index)
{
	(void)words;
	return index < OPTIONS ? specs[index].name ? specs[index].name : "" : NULL;
}

static int unknown_option(const char *argument, struct bytes name, struct error *err)
{
	const char *near = nearest_find(name, spec_word, specs);
	char shown[SHOWN];

	(void)escape_text(bytes_from_string(argument), shown, sizeof(shown));
	if (near) {
		return error_set(err, ERROR_CONFIG, 0, "%s: unknown option: did you mean --%s?",
				 shown, near);
	}
	return error_set(err, ERROR_CONFIG, 0, "%s: unknown option", shown);
}

static int wrong_word(enum option_id id, const char *value, struct error *err)
{
	const char *const *words = specs[id].words;
	const char *near = nearest_find(bytes_from_string(value), nearest_in_array, words);
	char shown[SHOWN], list[SHOWN] = "", name[SHOWN];

	(void)option_shown(id, name, sizeof(name));
	(void)escape_text(bytes_from_string(value), shown, sizeof(shown));
	if (near) {
		return error_set(err, ERROR_CONFIG, 0, "%s: unknown value \"%s\": did you mean %s?",
				 name, shown, near);
	}
	for (size_t i = 0; words[i]; i++) {
		size_t used = strlen(list);

		(void)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
	}
	return error_set(err, ERROR_CONFIG, 0, "%s: unknown value \"%s\": known are %s", name,
			 shown, list);
}

static int take(struct options *options, enum option_id id, const char *value, struct error *err)
{
	const char *const *words = specs[id].words;

	for (size_t i = 0; words; i++) {
		if (!words[i]) {
			return wrong_word(id, value, err);
		}
		if (strcmp(words[i], value) == 0) {
			break;
		}
	}
	if (id == OPTION_OUTPUT) {
		options->output[options->output_count++] = value;
	}
	options->value[id] = value;
	options->count[id]++;
	return 0;
}

/* Takes argv[*at], and its argument behind it where it has one. */
static int parse_long(struct options *options, int argc, char *const *argv, int *at,
		      struct error *err)
{
	const char *name = argv[*at] + 2;
	const char *equals = strchr(name, '=');
	struct bytes word = bytes_make(name, equals ? (size_t)(equals - name) : strlen(name));

	for (int id = 0; id < OPTIONS; id++) {
		if (!specs[id].name || !bytes_equal_string(word, specs[id].name)) {
			continue;
		}
		if (!specs[id].argument) {
			if (equals) {
				return error_set(err, ERROR_CONFIG, 0, "--%s takes no value",
						 specs[id].name);
			}
			return take(options, (enum option_id)id, "", err);
		}
		if (equals) {
			return take(options, (enum option_id)id, equals + 1, err);
		}
		if (*at + 1 == argc) {
			return error_set(err, ERROR_CONFIG, 0, "--%s: %s is missing",
					 specs[id].name, specs[id].argument);
		}
		(*at)++;
		return take(options, (enum option_id)id, argv[*at], err);
	}
	return unknown_option(argv[*at], word, err);
}

/* -q, -qv, -cFILE, -c FILE */
static int parse_letters(struct options *options, int argc, char *const *argv, int *at,
			 struct error *err)
{
	const char *argument = argv[*at];

	for (const char *letter = argument + 1; *letter; letter++) {
		int id = 0;

		while (id < OPTIONS && specs[id].letter != *letter) {
			id++;
		}
		if (id == OPTIONS) {
			/* -format is a long option with a dash too few, as a rule. */
			return unknown_option(argument, bytes_from_string(argument + 1), err);
		}
		if (!specs[id].argument) {
			if (take(options, (enum option_id)id, "", err) < 0) {
				return -1;
			}
			continue;
		}
		if (letter[1]) {
			return take(options, (enum option_id)id, letter + 1, err);
		}
		if (*at + 1 == argc) {
			return error_set(err, ERROR_CONFIG, 0, "-%c: %s is missing", *letter,
					 specs[id].argument);
		}
		(*at)++;
		return take(options, (enum option_id)id, argv[*at], err);
	}
	return 0;
}

int options_parse(struct options *options, int argc, char *const *argv, struct error *err)
{
	bool ended = false;

	memset(options, 0, sizeof(*options));
	options->words = calloc((size_t)argc + 1, sizeof(*options->words));
	options->output = calloc((size_t)argc + 1, sizeof(*options->output));
	if (!options->words || !options->output) {
		options_clear(options);
		return error_set(err, ERROR_NOMEM, 0, "out of memory");
	}
	for (int at = 1; at < argc; at++) {
		const char *argument = argv[at];
		int failed = 0;

		if (ended || argument[0] != '-' || argument[1] == '\0') {
			options->words[options->word_count++] = argument;
		} else if (strcmp(argument, "--") == 0) {
			ended = true;
		} else if (argument[1] == '-') {
			failed = parse_long(options, argc, argv, &at, err);
		} else {
			failed = parse_letters(options, argc, argv, &at, err);
		}
		if (failed < 0) {
			options_clear(options);
			return -1;
		}
	}
	return 0;
}

void options_clear(struct options *options)
{
	free(options->words);
	free(options->output);
	options->words = NULL;
	options->output = NULL;
	options->output_count = 0;
	options->word_count = 0;
}
