// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/openssh/openssh.h"

static size_t find(char **args, const char *word)
{
	size_t i = 0;

	while (args[i] && strcmp(args[i], word) != 0) {
		i++;
	}
	return i;
}

static struct openssh_start start_of(void)
{
	return (struct openssh_start){
		.host = "web001",
		.address = "fe80::1%eth0",
		.user = "inspect",
		.port = 2222,
		.connect_timeout_ms = 1500,
	};
}

static void names_stand_behind_the_last_option(void **state)
{
	static const char *const carried[] = {"identityfile=~/.ssh/x", "ProxyCommand=nc %h %p"};
	struct openssh_start start = start_of();
	char **args;
	size_t end;

	(void)state;
	start.options = carried;
	start.option_count = 2;
	args = openssh_arguments(&start, "exec /bin/sh -c 'x'");
	assert_non_null(args);
	end = find(args, "--");
	assert_non_null(args[end]);
	assert_string_equal(args[end + 1], "web001");
	assert_string_equal(args[end + 2], "exec /bin/sh -c 'x'");
	assert_null(args[end + 3]);
	assert_true(find(args, "HostName=fe80::1%%eth0") < end);
	assert_true(find(args, "User=inspect") < end);
	assert_true(find(args, "Port=2222") < end);
	assert_true(find(args, "ConnectTimeout=2") < end);
	/* ssh takes the first value: ours before what ssh_config says. */
	assert_true(find(args, "PermitLocalCommand=no") < find(args, carried[0]));
	assert_true(find(args, "StrictHostKeyChecking=yes") < find(args, carried[0]));
	assert_true(find(args, "User=inspect") < find(args, carried[1]));
	assert_true(find(args, carried[1]) < end);
	free(args);
}

static void too_much_is_refused_not_cut(void **state)
{
	struct openssh_start start = start_of();
	const char *options[OPENSSH_OPTIONS_MAX];
	char *large = malloc(5001);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 5000);
	large[5000] = '\0';
	options[0] = large;
	start.options = options;
	start.option_count = 1;
	assert_null(openssh_arguments(&start, "true"));
	for (size_t i = 0; i < OPENSSH_OPTIONS_MAX; i++) {
		options[i] = large + 3000;
	}
	start.option_count = OPENSSH_OPTIONS_MAX;
	assert_null(openssh_arguments(&start, "true"));
	free(large);
}

static void users_are_names(void **state)
{
	static const char *const good[] = {"root", "a.b-c_d", "svc+x", "user@realm", "0"};
	static const char *const bad[] = {"",      "-oProxyCommand=x",
					  "a b",   "a;b",
					  "$(id)", "a'b",
					  "a\nb",  "a%h",
					  "a\\b",  "a\"b",
					  "a`b",   "\xc3\xa4"};
	char long_name[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(openssh_is_user(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(openssh_is_user(bad[i]));
	}
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_false(openssh_is_user(long_name));
}

static void what_runs_or_forwards_is_not_handed_on(void **state)
{
	static const char *const yes[] = {"identityfile",  "proxycommand", "userknownhostsfile x",
					  "kexalgorithms", "hostkeyalias", "revokedhostkeys /x"};
	static const char *const no[] = {"localcommand",
					 "remotecommand",
					 "permitlocalcommand",
					 "remoteforward",
					 "localforward",
					 "dynamicforward",
					 "forwardagent",
					 "sendenv",
					 "setenv",
					 "knownhostscommand",
					 "controlpath",
					 "tunnel",
					 "stricthostkeychecking",
					 "batchmode",
					 "identityfilex",
					 ""};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_true(openssh_is_carried(yes[i]));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_false(openssh_is_carried(no[i]));
	}
}

static void environment_is_a_list_of_its_own(void **state)
{
	static char home[] = "HOME=/root", preload[] = "LD_PRELOAD=/x.so",
		    agent[] = "SSH_AUTH_SOCK=/a", askpass[] = "SSH_ASKPASS=/x",
		    locale[] = "LC_ALL=de_DE", almost[] = "HOMER=x";
	char *ours[] = {home, preload, agent, askpass, locale, almost, NULL};
	static const char *const hop[] = {"MUSTER_HOP_0=exec true"};
	const struct openssh_start plain = {.environment = hop, .environment_count = 1};
	const struct openssh_start no_agent = {.no_agent = true};
	char **all = openssh_environment(ours, &plain);
	char **without = openssh_environment(ours, &no_agent);

	(void)state;
	assert_non_null(all);
	assert_non_null(without);
	assert_non_null(all[find(all, home)]);
	assert_non_null(all[find(all, agent)]);
	assert_non_null(all[find(all, "LC_ALL=C")]);
	assert_null(all[find(all, preload)]);
	assert_null(all[find(all, askpass)]);
	assert_null(all[find(all, locale)]);
	assert_null(all[find(all, almost)]);
	assert_non_null(all[find(all, hop[0])]);
	assert_null(without[find(without, agent)]);
	assert_null(without[find(without, hop[0])]);
	free(all);
	free(without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stand_behind_the_last_option),
		cmocka_unit_test(too_much_is_refused_not_cut),
		cmocka_unit_test(users_are_names),
		cmocka_unit_test(what_runs_or_forwards_is_not_handed_on),
		cmocka_unit_test(environment_is_a_list_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
