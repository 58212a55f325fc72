// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/openssh/openssh.h"
#include "controller/ssh/openssh/openssh_jump.h"

#define ARGS_MAX 96

/* The words that sh makes of a hop's command, of which the program is left out. */
struct words {
	char text[OPENSSH_JUMP_ROOM];
	char *word[ARGS_MAX];
	size_t count;
};

static void read_words(const char *variable, struct words *words)
{
	static const char head[] = "exec " OPENSSH_PROGRAM " ";
	const char *command = strchr(variable, '=');
	char *script = NULL, *save = NULL;
	size_t len;
	FILE *pipe;

	assert_non_null(command);
	command++;
	assert_memory_equal(command, head, strlen(head));
	assert_true(asprintf(&script, "set -- fe80::1 22; printf '%%s\\n' %s",
			     command + strlen(head)) > 0);
	pipe = popen(script, "r"); // NOLINT(cert-env33-c): what is tested is for sh
	assert_non_null(pipe);
	len = fread(words->text, 1, sizeof(words->text) - 1, pipe);
	assert_int_equal(pclose(pipe), 0);
	words->text[len] = '\0';
	words->count = 0;
	for (char *word = strtok_r(words->text, "\n", &save); word;
	     word = strtok_r(NULL, "\n", &save)) {
		assert_true(words->count < ARGS_MAX);
		words->word[words->count++] = word;
	}
	free(script);
}

static size_t find(const struct words *words, const char *word)
{
	size_t i = 0;

	while (i < words->count && strcmp(words->word[i], word) != 0) {
		i++;
	}
	return i;
}

static void assert_has(const struct words *words, const char *word)
{
	if (find(words, word) == words->count) {
		fail_msg("%s is missing", word);
	}
}

static void assert_has_not(const struct words *words, const char *word)
{
	assert_int_equal(find(words, word), words->count);
}

static void each_hop_is_an_ssh_of_its_own(void **state)
{
	struct route route = {.jump_count = 0};
	struct openssh_jumps jumps = {.route = &route, .connect_timeout_ms = 1500};
	char variable[OPENSSH_JUMP_ROOM];
	struct words words;
	struct error err;
	size_t end;

	(void)state;
	assert_int_equal(route_read_jumps("bastion,ops@inner:2222", &route, &err), 0);
	assert_true(openssh_jump_variable(&jumps, 0, variable, sizeof(variable)));
	assert_memory_equal(variable, "MUSTER_HOP_0=", 13);
	read_words(variable, &words);
	end = find(&words, "--");
	assert_int_equal(end + 2, words.count);
	assert_string_equal(words.word[end + 1], "bastion");
	assert_string_equal(words.word[find(&words, "-W") + 1], "[fe80::1]:22");
	assert_has(&words, "BatchMode=yes");
	assert_has(&words, "StrictHostKeyChecking=yes");
	assert_has(&words, "PermitLocalCommand=no");
	assert_has(&words, "ForwardAgent=no");
	assert_has(&words, "ConnectTimeout=2");
	assert_has_not(&words, "-l");
	assert_has_not(&words, "-p");
	assert_has_not(&words, "-F");
	assert_null(strstr(variable, "ProxyCommand"));

	assert_true(openssh_jump_variable(&jumps, 1, variable, sizeof(variable)));
	read_words(variable, &words);
	assert_string_equal(words.word[words.count - 1], "inner");
	assert_string_equal(words.word[find(&words, "-l") + 1], "ops");
	assert_string_equal(words.word[find(&words, "-p") + 1], "2222");
	assert_has(&words, "ProxyCommand=/bin/sh -c \"$MUSTER_HOP_0\" sh '%h' '%p'");
	assert_true(openssh_jump_option(1, variable, sizeof(variable)));
	assert_string_equal(variable, "ProxyCommand=/bin/sh -c \"$MUSTER_HOP_1\" sh '%h' '%p'");
	route_clear(&route);
}

static void what_was_given_to_muster_holds_on_the_way(void **state)
{
	static const char *const known[] = {"/etc/it's known", "/b%h"};
	static const char *const identity[] = {"/keys/a b;id>x$(id)`id`"};
	struct route route = {.jump_count = 0};
	struct openssh_jumps jumps = {.route = &route,
				      .config = "/etc/it's; here",
				      .known_hosts = known,
				      .known_hosts_count = 2,
				      .identities = identity,
				      .identity_count = 1};
	char variable[OPENSSH_JUMP_ROOM];
	struct words words;
	struct error err;

	(void)state;
	assert_int_equal(route_read_jumps("bastion", &route, &err), 0);
	assert_true(openssh_jump_variable(&jumps, 0, variable, sizeof(variable)));
	read_words(variable, &words);
	assert_string_equal(words.word[find(&words, "-F") + 1], "/etc/it's; here");
	/* A % would be a token of ssh's. */
	assert_has(&words, "UserKnownHostsFile=\"/etc/it's known\" \"/b%%h\"");
	assert_has(&words, "GlobalKnownHostsFile=none");
	assert_has(&words, "IdentityFile=\"/keys/a b;id>x$(id)`id`\"");
	/* ssh's usual ones still count. */
	assert_has(&words, "IdentityFile=~/.ssh/id_ed25519");
	jumps = (struct openssh_jumps){.route = &route, .no_config = true};
	assert_true(openssh_jump_variable(&jumps, 0, variable, sizeof(variable)));
	read_words(variable, &words);
	assert_string_equal(words.word[find(&words, "-F") + 1], "none");
	route_clear(&route);
}

static void too_long_a_way_is_refused_not_cut(void **state)
{
	struct route route = {.jump_count = 0};
	const struct openssh_jumps jumps = {.route = &route};
	char variable[OPENSSH_JUMP_ROOM];
	struct error err;
	size_t len;

	(void)state;
	assert_int_equal(route_read_jumps("a,b", &route, &err), 0);
	assert_true(openssh_jump_variable(&jumps, 1, variable, sizeof(variable)));
	len = strlen(variable);
	for (size_t room = 1; room <= len; room++) {
		assert_false(openssh_jump_variable(&jumps, 1, variable, room));
		assert_true(strlen(variable) < room);
	}
	assert_true(openssh_jump_variable(&jumps, 1, variable, len + 1));
	route_clear(&route);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hop_is_an_ssh_of_its_own),
		cmocka_unit_test(what_was_given_to_muster_holds_on_the_way),
		cmocka_unit_test(too_long_a_way_is_refused_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
