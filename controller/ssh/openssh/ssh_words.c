// SPDX-License-Identifier: MIT
#include "controller/ssh/openssh/ssh_words.h"

#include <stdio.h>
#include <string.h>

#include "schema/escape.h"

#define RANK_NONE 100U

/*
 * In this order for one line. Of several lines the one with the lowest rank counts: what is told first
 * and exactly, not the general farewell behind it. `begin` NULL: anywhere in the line.
 */
static const struct rule {
	const char *begin;
	const char *within;
	enum outcome outcome;
	unsigned rank;
} rules[] = {
	/* These quote the other side. */
	{"Received disconnect from ", ": Too many authentication failures", OUTCOME_AUTH_FAILED, 3},
	{"Received disconnect from ", NULL, OUTCOME_LOST, 6},
	{"Disconnected from ", NULL, OUTCOME_LOST, 9},
	{"Unable to negotiate with ", NULL, OUTCOME_KEX_FAILED, 2},
	{"channel 0: open failed: ", NULL, OUTCOME_SHELL_REFUSED, 3},
	{"Bad remote protocol version identification: ", NULL, OUTCOME_LOST, 3},
	{"Invalid SSH identification string", NULL, OUTCOME_LOST, 3},
	/* The host's key. */
	{"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", NULL, OUTCOME_KEY_MISMATCH, 1},
	{"@       WARNING: REVOKED HOST KEY DETECTED!", NULL, OUTCOME_KEY_MISMATCH, 1},
	{"Host key ", " revoked by file ", OUTCOME_KEY_MISMATCH, 1},
	{"Error checking host key ", NULL, OUTCOME_KEY_MISMATCH, 1},
	{"Certificate invalid: expired", NULL, OUTCOME_KEY_UNKNOWN, 1},
	{"Certificate invalid: not yet valid", NULL, OUTCOME_KEY_UNKNOWN, 1},
	{"Certificate invalid: ", NULL, OUTCOME_KEY_MISMATCH, 1},
	{"No ", " host key is known for ", OUTCOME_KEY_UNKNOWN, 2},
	{"No ", " host certificate is known for ", OUTCOME_KEY_UNKNOWN, 2},
	{"Host key verification failed.", NULL, OUTCOME_KEY_UNKNOWN, 5},
	/* The way there. */
	{"ssh: Could not resolve hostname ", NULL, OUTCOME_NAME_UNKNOWN, 3},
	{"ssh: connect to host ", ": Connection refused", OUTCOME_REFUSED, 3},
	{"ssh: connect to host ", " timed out", OUTCOME_TIMEOUT, 3},
	{"ssh: connect to host ", NULL, OUTCOME_NO_ROUTE, 3},
	{"Connection timed out during banner exchange", NULL, OUTCOME_TIMEOUT, 3},
	{"Connection to ", " timed out", OUTCOME_TIMEOUT, 4},
	{"Timeout, server ", NULL, OUTCOME_LOST, 4},
	/* The login. */
	{NULL, ": Permission denied (", OUTCOME_AUTH_FAILED, 4},
	{"Too many authentication failures", NULL, OUTCOME_AUTH_FAILED, 4},
	/* Ours to mend. */
	{NULL, ": Bad configuration option: ", OUTCOME_INTERNAL, 1},
	{"Bad owner or permissions on ", NULL, OUTCOME_INTERNAL, 1},
	{"muster-run-ssh: ", NULL, OUTCOME_INTERNAL, 1},
	{"command-line: line 0: ", NULL, OUTCOME_INTERNAL, 2},
	{"command-line line 0: ", NULL, OUTCOME_INTERNAL, 2},
	/* Farewells. */
	{"kex_exchange_identification: ", NULL, OUTCOME_LOST, 7},
	{"ssh_exchange_identification: ", NULL, OUTCOME_LOST, 7},
	{"Connection closed by ", NULL, OUTCOME_LOST, 8},
	{"Connection reset by ", NULL, OUTCOME_LOST, 8},
	{"Connection to ", " closed by remote host.", OUTCOME_LOST, 8},
	{"Read from remote host ", NULL, OUTCOME_LOST, 8},
	{"client_loop: send disconnect: ", NULL, OUTCOME_LOST, 8},
	{"ssh_dispatch_run_fatal: ", NULL, OUTCOME_LOST, 8},
	{"exec request failed on channel 0", NULL, OUTCOME_SHELL_REFUSED, 3},
};

void ssh_words_init(struct ssh_words *words)
{
	*words = (struct ssh_words){.rank = RANK_NONE, .outcome = OUTCOME_NOT_ASKED};
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

static const struct rule *rule_of(const char *line)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if ((!rules[i].begin || begins(line, rules[i].begin)) &&
		    (!rules[i].within || strstr(line, rules[i].within))) {
			return &rules[i];
		}
	}
	return NULL;
}

/* "SHA256:43 characters." */
static void take_fingerprint(struct ssh_words *words)
{
	size_t len = strcspn(words->line, ". \r");

	if (len < sizeof(words->fingerprint) && !words->fingerprint[0]) {
		memcpy(words->fingerprint, words->line, len);
		words->fingerprint[len] = '\0';
	}
}

static void take_place(struct ssh_words *words)
{
	const char *in = strstr(words->line, " key in ");

	if (in && !words->place[0]) {
		(void)snprintf(words->place, sizeof(words->place), "%.299s", in + 8);
	}
}

/* What is no failure at all, in the words of ssh at LogLevel VERBOSE. */
static bool is_chatter(const char *line)
{
	static const char *const texts[] = {"Authenticated to ",
					    "Transferred: ",
					    "Bytes per second: ",
					    "Warning: Permanently added ",
					    "Add correct host key in ",
					    "@@@@",
					    "IT IS POSSIBLE THAT ",
					    "Someone could be ",
					    "It is also possible ",
					    "The fingerprint for ",
					    "Please contact your ",
					    "Offending ",
					    "SHA256:",
					    "Connection to ",
					    "remove with:",
					    "  ssh-keygen ",
					    "Host certificate"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (begins(line, texts[i])) {
			return true;
		}
	}
	return line[0] == '\0';
}

static bool end_line(struct ssh_words *words)
{
	bool was = words->authenticated;
	const struct rule *rule;

	while (words->line_len > 0 && words->line[words->line_len - 1] == '\r') {
		words->line_len--;
	}
	words->line[words->line_len] = '\0';
	words->line_len = 0;
	words->cut = false;
	rule = rule_of(words->line);
	if (begins(words->line, "Authenticated to ")) {
		words->authenticated = true;
	} else if (begins(words->line, "SHA256:")) {
		take_fingerprint(words);
	} else if (begins(words->line, "Offending ")) {
		take_place(words);
	}
	if (rule ? rule->rank < words->rank
		 : words->rank == RANK_NONE && !is_chatter(words->line)) {
		words->rank = rule ? rule->rank : RANK_NONE;
		words->outcome = rule ? rule->outcome : OUTCOME_NOT_ASKED;
		memcpy(words->said, words->line, sizeof(words->said));
	}
	return words->authenticated && !was;
}

bool ssh_words_feed(struct ssh_words *words, struct bytes data)
{
	bool logged_in = false;

	for (size_t i = 0; i < data.len; i++) {
		if (data.data[i] == '\n') {
			logged_in |= end_line(words);
		} else if (words->line_len < sizeof(words->line) - 1) {
			words->line[words->line_len++] = (char)(data.data[i] ? data.data[i] : '?');
		} else {
			words->cut = true;
		}
	}
	return logged_in;
}

enum outcome ssh_words_reason(const struct ssh_words *words, char *to, size_t room)
{
	char said[400];

	escape_text(bytes_from_string(words->said), said, sizeof(said));
	if (words->outcome == OUTCOME_KEY_MISMATCH && strstr(words->said, "REVOKED")) {
		(void)snprintf(to, room, "its host key is revoked");
	} else if (words->outcome == OUTCOME_KEY_MISMATCH && words->said[0] == '@') {
		char place[200], got[120];

		escape_text(bytes_from_string(words->place), place, sizeof(place));
		escape_text(bytes_from_string(words->fingerprint), got, sizeof(got));
		(void)snprintf(to, room, "host key changed: got %s%s%s",
			       got[0] ? got : "another one", place[0] ? ", not the one of " : "",
			       place);
	} else {
		(void)snprintf(to, room, "%s", said);
	}
	return words->outcome;
}
