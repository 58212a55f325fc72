// SPDX-License-Identifier: MIT
/* The pool against a muster-ssh that has been taken over (tests/fake/fake_muster_ssh.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <uv.h>
#include <cmocka.h>

#include "controller/ssh/pool.h"
#include "controller/ssh/privkey.h"
#include "controller/ssh/pubkey.h"
#include "controller/ssh/wire.h"

static char folder[] = "/tmp/muster-pool.XXXXXX";

static const char *file(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *to = path[next++ % 4];

	(void)snprintf(to, sizeof(path[0]), "%s/%s", folder, name);
	return to;
}

static bool write_file(const char *name, const void *data, size_t len)
{
	FILE *out = fopen(file(name), "w");
	bool ok = out && fwrite(data, 1, len, out) == len;

	return out && fclose(out) == 0 && ok;
}

/* A host key, and its signature over the session id that the fake sends. */
static bool make_hostkey(const char *key_name, const char *signature_name, char *known, size_t room)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t session[32], *blob = NULL, *value = NULL, signature[256], text[256];
	struct wire_writer w = {.data = signature, .room = sizeof(signature)};
	struct error err;
	size_t len = 0, value_len = 0;
	bool ok;

	memset(session, 's', sizeof(session));
	ok = key && pubkey_blob(key, &blob, &len, &err) == 0 &&
	     privkey_sign(key, BYTES_LITERAL("ssh-ed25519"), bytes_make(session, sizeof(session)),
			  &value, &value_len, &err) == 0;
	if (ok) {
		wire_write_string(&w, BYTES_LITERAL("ssh-ed25519"));
		wire_write_string(&w, bytes_make(value, value_len));
		(void)EVP_EncodeBlock(text, blob, (int)len);
		(void)snprintf(known, room, "127.0.0.1 ssh-ed25519 %s\n", (const char *)text);
		ok = write_file(key_name, blob, len) &&
		     write_file(signature_name, signature, w.len);
	}
	free(blob);
	free(value);
	EVP_PKEY_free(key);
	return ok;
}

static int set_up(void **state)
{
	char known[512], ignored[512], command[1024];
	EVP_PKEY *key = NULL;
	FILE *out = NULL;
	bool ok;

	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	(void)snprintf(command, sizeof(command), "cp %s %s", FAKE_MUSTER_SSH, file("muster-ssh"));
	ok = system(command) == 0 && // NOLINT(cert-env33-c): fixed paths
	     make_hostkey("hostkey", "signature", known, sizeof(known)) &&
	     make_hostkey("otherkey", "othersignature", ignored, sizeof(ignored)) &&
	     write_file("known_hosts", known, strlen(known)) && write_file("probe-x", "x", 1);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	out = fopen(file("id"), "w");
	ok = ok && key && out && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (out) {
		ok = fclose(out) == 0 && ok;
	}
	EVP_PKEY_free(key);
	return ok && chmod(file("id"), 0600) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
		"muster-ssh",     "hostkey",     "signature", "otherkey",
		"othersignature", "known_hosts", "probe-x",   "id"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)unlink(file(names[i]));
	}
	return rmdir(folder);
}

struct lab {
	uv_loop_t loop;
	struct transport *transport;
	unsigned closed;
	unsigned clean;
	struct channel_close last;
};

static void on_frame(void *context, struct bytes payload)
{
	(void)context;
	(void)payload;
	fail_msg("no frame was due");
}

static void on_closed(void *context, const struct channel_close *close)
{
	struct lab *lab = context;

	lab->closed++;
	lab->clean += close->outcome == OUTCOME_CLEAN;
	lab->last = *close;
}

static void open_lab_of(struct lab *lab, size_t jump_channels)
{
	const char *identity = file("id"), *known = file("known_hosts"), *probe = file("probe-x");
	struct pool_options options = {
		.children = 1,
		.identities = &identity,
		.identity_count = 1,
		.no_agent = true,
		.known_hosts = &known,
		.known_hosts_count = 1,
		.no_ssh_config = true,
		.helper = file("muster-ssh"),
		.probes = &probe,
		.probe_count = 1,
		.jump_channels = jump_channels,
	};
	struct error err = {0};

	*lab = (struct lab){.closed = 0};
	assert_int_equal(uv_loop_init(&lab->loop), 0);
	if (pool_new(&lab->loop, &options, &lab->transport, &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

static void open_lab(struct lab *lab)
{
	open_lab_of(lab, 0);
}

static void close_lab(struct lab *lab)
{
	lab->transport->free(lab->transport);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&lab->loop), 0);
}

static struct channel *open_host(struct lab *lab, const char *name, const char *user)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	struct target target = {.name = name, .user = user};
	struct channel *channel = NULL;
	struct error err = {0};

	assert_int_equal(
		lab->transport->open(lab->transport, &target, &handler, lab, &channel, &err), 0);
	return channel;
}

static void look(struct lab *lab, const char *user)
{
	unsigned before = lab->closed;

	(void)open_host(lab, "127.0.0.1", user);
	assert_int_equal(lab->closed, before);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(lab->closed, before + 1);
}

static void only_the_login_of_this_session_is_signed(void **state)
{
	static const struct {
		const char *user;
		const char *reason; /* NULL: signed */
	} rows[] = {
		{"good", NULL},
		{"session", "has not signed the session"},
		{"hostkey", "not with a known host key"},
		{"nologin", "no login"},
		{"user", "another user or key"},
		{"key", "another user or key"},
		{"twice", "the session is another one"},
	};
	struct lab lab;

	(void)state;
	open_lab(&lab);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		look(&lab, rows[i].user);
		if (rows[i].reason) {
			assert_int_equal(lab.last.outcome, OUTCOME_INTERNAL);
			assert_non_null(strstr(lab.last.reason, rows[i].reason));
		} else {
			assert_int_equal(lab.last.outcome, OUTCOME_AUTH_FAILED);
			assert_string_equal(lab.last.reason, "signed");
		}
	}
	close_lab(&lab);
}

static void dead_child_costs_its_hosts_and_no_other(void **state)
{
	static const char *const deaths[] = {"die", "garbage"};
	struct lab lab;

	(void)state;
	open_lab(&lab);
	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		look(&lab, "good");
		assert_string_equal(lab.last.reason, "signed");
		look(&lab, deaths[i]);
		assert_int_equal(lab.last.outcome, OUTCOME_INTERNAL);
		assert_non_null(strstr(lab.last.reason, "muster-ssh"));
	}
	look(&lab, "good");
	assert_string_equal(lab.last.reason, "signed");
	close_lab(&lab);
}

static void child_speaks_for_its_own_hosts_only(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	look(&lab, "foreign");
	assert_string_equal(lab.last.reason, "mine");
	close_lab(&lab);
}

static void reason_of_a_child_is_escaped(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	look(&lab, "escape");
	assert_string_equal(lab.last.reason, "\\033[31mred \\033 \\342\\200\\256");
	close_lab(&lab);
}

static void abort_ends_with_its_own_reason(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	lab.transport->abort(open_host(&lab, "127.0.0.1", "good"), OUTCOME_NOT_ASKED, "enough");
	assert_int_equal(lab.closed, 0);
	assert_int_equal(uv_run(&lab.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(lab.closed, 1);
	assert_int_equal(lab.last.outcome, OUTCOME_NOT_ASKED);
	assert_string_equal(lab.last.reason, "enough");
	close_lab(&lab);
}

static void names_that_are_none_go_nowhere(void **state)
{
	static const char *const names[] = {"-oProxyCommand=x", "a b", "a;b", "$(id)", "", "a/b"};
	struct lab lab;

	(void)state;
	open_lab(&lab);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)open_host(&lab, names[i], "good");
		assert_int_equal(uv_run(&lab.loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(lab.last.outcome, OUTCOME_NAME_UNKNOWN);
	}
	assert_int_equal(lab.closed, sizeof(names) / sizeof(names[0]));
	close_lab(&lab);
}

static struct channel *open_behind(struct lab *lab, const char *jump, const char *user)
{
	static const struct channel_handler handler = {.frame = on_frame, .closed = on_closed};
	struct target target = {.name = "behind", .user = user, .jump = jump};
	struct channel *channel = NULL;
	struct error err = {0};

	assert_int_equal(
		lab->transport->open(lab->transport, &target, &handler, lab, &channel, &err), 0);
	return channel;
}

static void run_out(struct lab *lab, unsigned closed)
{
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(lab->closed, closed);
}

static void full_session_of_a_jump_host_is_followed_by_another(void **state)
{
	static const struct {
		size_t channels;
		const char *said;
	} rows[] = {{5, "sessions=1 "}, {2, "sessions=3 "}, {1, "sessions=5 "}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lab lab;

		open_lab_of(&lab, rows[i].channels);
		/* None of them ends before all five are carried. */
		for (unsigned n = 0; n < 5; n++) {
			(void)open_behind(&lab, "127.0.0.1", "crowd");
		}
		run_out(&lab, 5);
		assert_int_equal(lab.clean, 5);
		assert_non_null(strstr(lab.last.reason, rows[i].said));
		close_lab(&lab);
	}
}

static void refused_for_want_of_room_goes_by_another_session(void **state)
{
	struct lab lab;
	struct channel *stays;

	(void)state;
	open_lab(&lab);
	stays = open_behind(&lab, "127.0.0.1", "stay");
	(void)open_behind(&lab, "127.0.0.1", "full");
	while (lab.closed == 0) {
		(void)uv_run(&lab.loop, UV_RUN_ONCE);
	}
	assert_int_equal(lab.last.outcome, OUTCOME_CLEAN);
	assert_string_equal(lab.last.reason, "sessions=2 starts=3");
	lab.transport->abort(stays, OUTCOME_NOT_ASKED, "enough");
	run_out(&lab, 2);
	close_lab(&lab);
}

static void what_the_jump_host_says_is_told_from_what_it_is(void **state)
{
	static const struct {
		const char *user;
		enum outcome outcome;
		const char *reason;
	} rows[] = {
		{"well", OUTCOME_CLEAN, "sessions=1 starts=1"},
		/* By another session once, then it is the jump host's fault. */
		{"lost", OUTCOME_JUMP_FAILED, "jump host 127.0.0.1: its connection broke"},
		{"forbidden", OUTCOME_JUMP_FAILED,
		 "jump host 127.0.0.1 does not forward to behind port 22: see AllowTcpForwarding "
		 "and PermitOpen there"},
		{"refused", OUTCOME_NO_ROUTE,
		 "jump host 127.0.0.1 cannot connect to behind port 22"},
		{"slow", OUTCOME_TIMEOUT,
		 "jump host 127.0.0.1 did not connect to behind port 22 in time"},
	};
	struct lab lab;

	(void)state;
	open_lab(&lab);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)open_behind(&lab, "127.0.0.1", rows[i].user);
		run_out(&lab, i + 1);
		assert_int_equal(lab.last.outcome, rows[i].outcome);
		assert_string_equal(lab.last.reason, rows[i].reason);
	}
	(void)open_behind(&lab, "127.0.0.1", "well");
	run_out(&lab, 6);
	assert_string_equal(lab.last.reason, "sessions=1 starts=7");
	close_lab(&lab);
}

static void jump_host_that_refuses_the_login_is_not_asked_again(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	(void)open_behind(&lab, "denied@127.0.0.1", "well");
	(void)open_behind(&lab, "denied@127.0.0.1", "well");
	run_out(&lab, 2);
	(void)open_behind(&lab, "denied@127.0.0.1", "well");
	run_out(&lab, 3);
	assert_int_equal(lab.last.outcome, OUTCOME_JUMP_FAILED);
	assert_string_equal(lab.last.reason,
			    "jump host 127.0.0.1: auth-failed: sessions=1 starts=0");
	/* Behind another one it is nobody's fault but that one's. */
	(void)open_behind(&lab, "127.0.0.1,denied@127.0.0.1", "well");
	run_out(&lab, 4);
	assert_int_equal(lab.last.outcome, OUTCOME_JUMP_FAILED);
	(void)open_behind(&lab, "127.0.0.1", "well");
	run_out(&lab, 5);
	assert_int_equal(lab.last.outcome, OUTCOME_CLEAN);
	close_lab(&lab);
}

static void host_that_waits_for_its_jump_host_can_be_aborted(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	lab.transport->abort(open_behind(&lab, "never@127.0.0.1", "well"), OUTCOME_NOT_ASKED,
			     "enough");
	run_out(&lab, 1);
	assert_int_equal(lab.last.outcome, OUTCOME_NOT_ASKED);
	assert_string_equal(lab.last.reason, "enough");
	close_lab(&lab);
}

static void child_that_dies_takes_its_jump_hosts_along(void **state)
{
	struct lab lab;

	(void)state;
	open_lab(&lab);
	(void)open_behind(&lab, "127.0.0.1", "stay");
	(void)open_behind(&lab, "never@127.0.0.1", "well");
	(void)open_host(&lab, "127.0.0.1", "die");
	run_out(&lab, 3);
	assert_int_equal(lab.clean, 0);
	(void)open_behind(&lab, "127.0.0.1", "well");
	run_out(&lab, 4);
	assert_int_equal(lab.last.outcome, OUTCOME_CLEAN);
	close_lab(&lab);
}

static void route_that_is_none_ends_its_host_alone(void **state)
{
	static const char *const jumps[] = {"a b", "-x", "", "a,,b", "1,2,3,4,5,6,7,8,9"};
	struct lab lab;

	(void)state;
	open_lab(&lab);
	for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		(void)open_behind(&lab, jumps[i], "well");
		run_out(&lab, i + 1);
		assert_int_equal(lab.last.outcome, OUTCOME_NO_ROUTE);
	}
	close_lab(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_login_of_this_session_is_signed),
		cmocka_unit_test(dead_child_costs_its_hosts_and_no_other),
		cmocka_unit_test(child_speaks_for_its_own_hosts_only),
		cmocka_unit_test(reason_of_a_child_is_escaped),
		cmocka_unit_test(abort_ends_with_its_own_reason),
		cmocka_unit_test(names_that_are_none_go_nowhere),
		cmocka_unit_test(full_session_of_a_jump_host_is_followed_by_another),
		cmocka_unit_test(refused_for_want_of_room_goes_by_another_session),
		cmocka_unit_test(what_the_jump_host_says_is_told_from_what_it_is),
		cmocka_unit_test(jump_host_that_refuses_the_login_is_not_asked_again),
		cmocka_unit_test(host_that_waits_for_its_jump_host_can_be_aborted),
		cmocka_unit_test(child_that_dies_takes_its_jump_hosts_along),
		cmocka_unit_test(route_that_is_none_ends_its_host_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
