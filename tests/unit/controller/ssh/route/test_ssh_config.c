// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/route/ssh_config.h"

static void output_of_ssh_is_read(void **state)
{
	char text[] = "user admin\nhostname 10.0.0.1\nport 2222\nidentitiesonly yes\n"
		      "identityfile ~/.ssh/a\nidentityfile ~/.ssh/b b\ncertificatefile ~/.ssh/c\n"
		      "userknownhostsfile /a /b\nglobalknownhostsfile /c\nhostkeyalias web\n"
		      "proxyjump none\nproxycommand none\nidentityagent SSH_AUTH_SOCK\nlonely\n";
	struct ssh_config_answer answer;

	(void)state;
	ssh_config_parse(text, &answer);
	assert_string_equal(answer.user, "admin");
	assert_string_equal(answer.hostname, "10.0.0.1");
	assert_int_equal(answer.port, 2222);
	assert_true(answer.identities_only);
	assert_int_equal(answer.identity_count, 2);
	assert_string_equal(answer.identity[1], "~/.ssh/b b");
	assert_int_equal(answer.certificate_count, 1);
	assert_string_equal(answer.user_known_hosts, "/a /b");
	assert_string_equal(answer.global_known_hosts, "/c");
	assert_string_equal(answer.hostkey_alias, "web");
	assert_string_equal(answer.identity_agent, "SSH_AUTH_SOCK");
	assert_null(answer.proxy_jump);
	assert_null(answer.proxy_command);
}

static void wrong_ports_and_endless_lists_are_bounded(void **state)
{
	char text[1024] = "port 99999\nproxyjump bastion\n";
	struct ssh_config_answer answer;

	(void)state;
	for (int i = 0; i < SSH_CONFIG_LIST_MAX + 5; i++) {
		(void)strcat(text, "identityfile x\n"); // NOLINT: fits
	}
	ssh_config_parse(text, &answer);
	assert_int_equal(answer.port, 0);
	assert_int_equal(answer.identity_count, SSH_CONFIG_LIST_MAX);
	assert_string_equal(answer.proxy_jump, "bastion");
}

static void files_that_speak_of_hosts_are_told(void **state)
{
	static const struct {
		const char *text;
		bool specific;
	} rows[] = {
		{"", false},
		{"Host *\n  SendEnv LANG\n", false},
		{"host=*\n", false},
		{"Host \"*\"\n", false},
		{"Include /etc/ssh/ssh_config.d/*.conf\nHost *\n", false},
		{"# Host web\n", false},
		{"HostKeyAlgorithms x\nHostbasedAuthentication no\n", false},
		{"Match all\n", false},
		{"Host web\n", true},
		{"\t host web*\r\n", true},
		{"Host * !web\n", true},
		{"Match exec true\n", true},
		{"Include other\n", true},
		{"Host *\nHostName %h.example.com\n", true},
		{"CanonicalizeHostname yes", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ssh_config_is_specific(bytes_from_string(rows[i].text)) != rows[i].specific) {
			fail_msg("row %zu: %s", i, rows[i].text);
		}
	}
}

static void tokens_are_replaced(void **state)
{
	static const struct {
		const char *path;
		const char *expanded;
	} rows[] = {
		{"/plain", "/plain"},    {"~/.ssh/id", "/home/me/.ssh/id"},
		{"%d/x", "/home/me/x"},  {"/k/%h-%n", "/k/web-web"},
		{"/k/%r%%", "/k/root%"}, {"~other/x", "~other/x"},
		{"/k/%C", NULL},         {"/k/%", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char to[64];
		bool ok =
			ssh_config_expand(rows[i].path, "/home/me", "web", "root", to, sizeof(to));

		assert_int_equal(ok, rows[i].expanded != NULL);
		if (ok) {
			assert_string_equal(to, rows[i].expanded);
		}
		for (size_t room = 1; ok && room <= strlen(to); room++) {
			char small[64];

			assert_false(ssh_config_expand(rows[i].path, "/home/me", "web", "root",
						       small, room));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_of_ssh_is_read),
		cmocka_unit_test(wrong_ports_and_endless_lists_are_bounded),
		cmocka_unit_test(files_that_speak_of_hosts_are_told),
		cmocka_unit_test(tokens_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
