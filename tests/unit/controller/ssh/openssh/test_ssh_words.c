// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/openssh/ssh_words.h"

#define WARNING                                                                       \
	"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"             \
	"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"             \
	"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"             \
	"IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\n"                   \
	"The fingerprint for the ED25519 key sent by the remote host is\n"            \
	"SHA256:hvVkvtFiUKM6xWQldJIs4mEYYAAQbF+whwnl+/WlOLg.\r\n"                     \
	"Please contact your system administrator.\r\n"                               \
	"Offending ED25519 key in /etc/ssh/ssh_known_hosts:41\r\n"                    \
	"Host key for web017 has changed and you have requested strict checking.\r\n" \
	"Host key verification failed.\r\n"

/* As OpenSSH 9.2 and 10 write them, with -E and LogLevel VERBOSE. */
static const struct {
	const char *log;
	enum outcome outcome;
	const char *reason; /* is in it */
} rows[] = {
	{"ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", OUTCOME_REFUSED,
	 "refused"},
	{"ssh: connect to host h port 22: Connection timed out\r\n", OUTCOME_TIMEOUT, "timed out"},
	{"ssh: connect to host h port 22: No route to host\r\n", OUTCOME_NO_ROUTE, "No route"},
	{"ssh: Could not resolve hostname nosuch: Name or service not known\r\n",
	 OUTCOME_NAME_UNKNOWN, "nosuch"},
	{"Connection timed out during banner exchange\r\nConnection to h port 22 timed out\r\n",
	 OUTCOME_TIMEOUT, "banner"},
	{"kex_exchange_identification: Connection closed by remote host\r\n"
	 "Connection closed by UNKNOWN port 65535\r\n",
	 OUTCOME_LOST, "kex_exchange_identification"},
	{"Unable to negotiate with 127.0.0.1 port 22: no matching key exchange method found. Their "
	 "offer: diffie-hellman-group1-sha1\r\n",
	 OUTCOME_KEX_FAILED, "group1"},
	{"No ED25519 host key is known for [h]:2200 and you have requested strict checking.\r\n"
	 "Host key verification failed.\r\n",
	 OUTCOME_KEY_UNKNOWN, "[h]:2200"},
	{"Certificate invalid: name is not a listed principal\r\nHost key verification failed.\r\n",
	 OUTCOME_KEY_MISMATCH, "principal"},
	{"Certificate invalid: expired\r\nHost key verification failed.\r\n", OUTCOME_KEY_UNKNOWN,
	 "expired"},
	{WARNING, OUTCOME_KEY_MISMATCH,
	 "host key changed: got SHA256:hvVkvtFiUKM6xWQldJIs4mEYYAAQbF+whwnl+/WlOLg, not the one of "
	 "/etc/ssh/ssh_known_hosts:41"},
	{"plain@127.0.0.1: Permission denied (publickey).\r\n", OUTCOME_AUTH_FAILED, "publickey"},
	{"Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures\r\n"
	 "Disconnected from 1.2.3.4 port 22\r\n",
	 OUTCOME_AUTH_FAILED, "Too many"},
	{"command-line line 0: Bad configuration option: nonsense\r\n", OUTCOME_INTERNAL,
	 "nonsense"},
	{"muster-run-ssh: /usr/bin/ssh: No such file or directory\n", OUTCOME_INTERNAL, "No such"},
	{"channel 0: open failed: administratively prohibited: no\r\n", OUTCOME_SHELL_REFUSED,
	 "prohibited"},
	{"Something that no version says yet\r\n", OUTCOME_NOT_ASKED, "no version"},
	{"", OUTCOME_NOT_ASKED, ""},
	/* Lines that quote the host, which says what it likes. */
	{"Received disconnect from 1.2.3.4 port 22:11: REMOTE HOST IDENTIFICATION HAS CHANGED!\r\n",
	 OUTCOME_LOST, "Received"},
	{"Unable to negotiate with 1.2.3.4 port 22: Their offer: : Permission denied (\r\n",
	 OUTCOME_KEX_FAILED, "offer"},
	{"Disconnected from 1.2.3.4: Host key verification failed.\r\n", OUTCOME_LOST, ""},
};

static void known_texts_are_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* In whatever pieces they come. */
		for (size_t piece = 1; piece < 80; piece += 13) {
			struct bytes left = bytes_from_string(rows[i].log);
			struct ssh_words words;
			char reason[400];

			ssh_words_init(&words);
			while (left.len > 0) {
				size_t count = left.len < piece ? left.len : piece;

				assert_false(ssh_words_feed(&words, bytes_make(left.data, count)));
				left.data += count;
				left.len -= count;
			}
			assert_int_equal(ssh_words_reason(&words, reason, sizeof(reason)),
					 rows[i].outcome);
			assert_non_null(strstr(reason, rows[i].reason));
		}
	}
}

static void login_is_told_once(void **state)
{
	static const char line[] = "Authenticated to h ([127.0.0.1]:22) using \"publickey\".\r\n";
	struct ssh_words words;
	char reason[100];

	(void)state;
	ssh_words_init(&words);
	assert_false(ssh_words_feed(&words, bytes_make(line, sizeof(line) - 2)));
	assert_true(ssh_words_feed(&words, bytes_from_string("\n")));
	assert_false(ssh_words_feed(&words, bytes_from_string(line)));
	assert_int_equal(ssh_words_reason(&words, reason, sizeof(reason)), OUTCOME_NOT_ASKED);
	assert_string_equal(reason, "");
}

static void log_without_end_is_bounded_and_escaped(void **state)
{
	struct ssh_words words;
	char reason[400];

	(void)state;
	ssh_words_init(&words);
	for (unsigned i = 0; i < 20000; i++) {
		(void)ssh_words_feed(&words, bytes_make("\033[31m\0x", 7));
	}
	assert_false(ssh_words_feed(&words, bytes_from_string("\n")));
	assert_int_equal(ssh_words_reason(&words, reason, sizeof(reason)), OUTCOME_NOT_ASKED);
	assert_true(strlen(reason) > 10);
	assert_null(strchr(reason, '\033'));
	/* The next line is one of its own again. */
	(void)ssh_words_feed(
		&words, bytes_from_string("ssh: connect to host h port 1: Connection refused\n"));
	assert_int_equal(ssh_words_reason(&words, reason, sizeof(reason)), OUTCOME_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_are_states),
		cmocka_unit_test(login_is_told_once),
		cmocka_unit_test(log_without_end_is_bounded_and_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
