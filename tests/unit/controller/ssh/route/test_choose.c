// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/ssh/route/choose.h"

static void assert_why(const char *got, const char *wanted)
{
	if (wanted) {
		assert_non_null(got);
		assert_string_equal(got, wanted);
	} else {
		assert_null(got);
	}
}

static void libssh2_speaks_unless_it_cannot(void **state)
{
	static const struct {
		struct choose_facts facts;
		const char *why;
	} rows[] = {
		{{.keys = 1}, NULL},
		{{.keys = 0}, NULL},
		{{.keys = 1, .proxy_command = true}, "ProxyCommand"},
		{{.keys = 1, .alone_authority = true}, "host certificate only"},
		{{.keys = 0, .security_keys = true}, "FIDO key"},
		{{.keys = 1, .security_keys = true}, NULL},
		{{.speaker = SPEAKER_SSH, .keys = 1}, "as configured"},
		{{.speaker = SPEAKER_LIBSSH2, .proxy_command = true}, NULL},
		{{.speaker = SPEAKER_LIBSSH2, .alone_authority = true}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_why(choose_speaker(&rows[i].facts), rows[i].why);
	}
}

static void ssh_config_can_ask_for_what_only_ssh_has(void **state)
{
	static const struct {
		struct ssh_config_answer answer;
		const char *why;
	} rows[] = {
		{{.port = 22}, NULL},
		/* Debian's own ssh_config says so for every host. */
		{{.gssapi = true}, NULL},
		{{.gssapi = true, .preferred_authentications = "gssapi-with-mic,publickey"}, NULL},
		{{.gssapi = true, .preferred_authentications = "gssapi-with-mic"}, "GSSAPI"},
		{{.gssapi = true, .preferred_authentications = "publickeys"}, "GSSAPI"},
		{{.gssapi = true, .no_pubkey = true}, "GSSAPI"},
		{{.gssapi = false, .preferred_authentications = "password"}, NULL},
		{{.revoked_host_keys = "/etc/ssh/revoked"}, "RevokedHostKeys"},
		{{.revoked_host_keys = "none"}, NULL},
		{{.pkcs11_provider = "/usr/lib/p11.so"}, "PKCS11Provider"},
		{{.identity_agent = "/run/agent"}, "IdentityAgent"},
		{{.identity_agent = "SSH_AUTH_SOCK"}, NULL},
		{{.identity_agent = "none"}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct choose_facts facts = {.keys = 1, .answer = &rows[i].answer};

		assert_why(choose_speaker(&facts), rows[i].why);
	}
}

static void ssh_tries_again_only_where_it_can_do_more(void **state)
{
	static const struct {
		enum outcome outcome;
		const char *offers;
		bool authority, security_keys;
		const char *why;
	} rows[] = {
		{OUTCOME_KEX_FAILED, "sntrup761x25519-sha512@openssh.com", false, false,
		 "post-quantum key exchange only"},
		{OUTCOME_KEX_FAILED, "a,mlkem768x25519-sha256,b", false, false,
		 "post-quantum key exchange only"},
		{OUTCOME_KEX_FAILED, "umac-128@openssh.com", false, false, "UMAC only"},
		{OUTCOME_KEX_FAILED, "diffie-hellman-group1-sha1,hmac-md5", false, false, NULL},
		{OUTCOME_KEX_FAILED, "mlkem768x25519-sha256x", false, false, NULL},
		{OUTCOME_KEX_FAILED, "mlkem768x25519-sha25", false, false, NULL},
		{OUTCOME_KEX_FAILED, ",,", false, false, NULL},
		{OUTCOME_KEX_FAILED, "", true, true, NULL},
		{OUTCOME_KEY_MISMATCH, "", true, false, "host certificate"},
		{OUTCOME_KEY_MISMATCH, "", false, false, NULL},
		{OUTCOME_KEY_UNKNOWN, "", true, false, "host certificate"},
		{OUTCOME_AUTH_FAILED, "", true, false, NULL},
		{OUTCOME_AUTH_FAILED, "", false, true, "FIDO key"},
		{OUTCOME_REFUSED, "mlkem768x25519-sha256", true, true, NULL},
		{OUTCOME_CLEAN, "mlkem768x25519-sha256", true, true, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct choose_end end = {
			.outcome = rows[i].outcome,
			.offers = bytes_from_string(rows[i].offers),
			.authority = rows[i].authority,
			.security_keys = rows[i].security_keys,
		};

		assert_why(choose_again(&end), rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libssh2_speaks_unless_it_cannot),
		cmocka_unit_test(ssh_config_can_ask_for_what_only_ssh_has),
		cmocka_unit_test(ssh_tries_again_only_where_it_can_do_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
