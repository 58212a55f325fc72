// SPDX-License-Identifier: MIT
/* Jump hosts of a pool against a scripted muster-ssh (tests/fake/fake_muster_ssh.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <uv.h>
#include <cmocka.h>

#include "tests/unit/controller/ssh/pool/pool_lab.h"

static struct channel *open_behind(struct pool_lab *lab, const char *jump, const char *user)
{
	return pool_lab_target(lab, &(struct target){.name = "behind", .user = user, .jump = jump});
}

static void run_out(struct pool_lab *lab, unsigned closed)
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
		struct pool_lab lab;

		pool_lab_open_of(&lab, rows[i].channels);
		/* None of them ends before all five are carried. */
		for (unsigned n = 0; n < 5; n++) {
			(void)open_behind(&lab, "127.0.0.1", "crowd");
		}
		run_out(&lab, 5);
		assert_int_equal(lab.clean, 5);
		assert_non_null(strstr(lab.last.reason, rows[i].said));
		pool_lab_close(&lab);
	}
}

static void refused_for_want_of_room_goes_by_another_session(void **state)
{
	struct pool_lab lab;
	struct channel *stays;

	(void)state;
	pool_lab_open(&lab);
	stays = open_behind(&lab, "127.0.0.1", "stay");
	(void)open_behind(&lab, "127.0.0.1", "full");
	while (lab.closed == 0) {
		(void)uv_run(&lab.loop, UV_RUN_ONCE);
	}
	assert_int_equal(lab.last.outcome, OUTCOME_CLEAN);
	assert_string_equal(lab.last.reason, "sessions=2 starts=3");
	lab.transport->abort(stays, OUTCOME_NOT_ASKED, "enough");
	run_out(&lab, 2);
	pool_lab_close(&lab);
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
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)open_behind(&lab, "127.0.0.1", rows[i].user);
		run_out(&lab, i + 1);
		assert_int_equal(lab.last.outcome, rows[i].outcome);
		assert_string_equal(lab.last.reason, rows[i].reason);
	}
	(void)open_behind(&lab, "127.0.0.1", "well");
	run_out(&lab, 6);
	assert_string_equal(lab.last.reason, "sessions=1 starts=7");
	pool_lab_close(&lab);
}

static void jump_host_that_refuses_the_login_is_not_asked_again(void **state)
{
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
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
	pool_lab_close(&lab);
}

static void host_that_waits_for_its_jump_host_can_be_aborted(void **state)
{
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	lab.transport->abort(open_behind(&lab, "never@127.0.0.1", "well"), OUTCOME_NOT_ASKED,
			     "enough");
	run_out(&lab, 1);
	assert_int_equal(lab.last.outcome, OUTCOME_NOT_ASKED);
	assert_string_equal(lab.last.reason, "enough");
	pool_lab_close(&lab);
}

static void child_that_dies_takes_its_jump_hosts_along(void **state)
{
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	(void)open_behind(&lab, "127.0.0.1", "stay");
	(void)open_behind(&lab, "never@127.0.0.1", "well");
	(void)pool_lab_host(&lab, "127.0.0.1", "die");
	run_out(&lab, 3);
	assert_int_equal(lab.clean, 0);
	(void)open_behind(&lab, "127.0.0.1", "well");
	run_out(&lab, 4);
	assert_int_equal(lab.last.outcome, OUTCOME_CLEAN);
	pool_lab_close(&lab);
}

static void route_that_is_none_ends_its_host_alone(void **state)
{
	static const char *const jumps[] = {"a b", "-x", "", "a,,b", "1,2,3,4,5,6,7,8,9"};
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		(void)open_behind(&lab, jumps[i], "well");
		run_out(&lab, i + 1);
		assert_int_equal(lab.last.outcome, OUTCOME_NO_ROUTE);
	}
	pool_lab_close(&lab);
}

static void hosts_behind_one_that_libssh2_cannot_log_in_to_go_by_ssh(void **state)
{
	static const struct {
		const char *jump, *by;
	} rows[] = {
		{"beyond@127.0.0.1", "ssh (jump host 127.0.0.1: post-quantum key exchange only)"},
		/* What is known of it holds for the rest of the run. */
		{"beyond@127.0.0.1", "ssh (jump host 127.0.0.1: post-quantum key exchange only)"},
		{"127.0.0.1,beyond@127.0.0.1",
		 "ssh (jump host 127.0.0.1: post-quantum key exchange only)"},
		{"beyond@127.0.0.1,127.0.0.1",
		 "ssh (jump host 127.0.0.1: post-quantum key exchange only)"},
		{"127.0.0.1", "libssh2"},
	};
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)open_behind(&lab, rows[i].jump, "beyond");
		run_out(&lab, i + 1);
		assert_string_equal(lab.by, rows[i].by);
	}
	pool_lab_close(&lab);
}

static void who_must_not_go_by_ssh_is_told_why_it_does_not_get_there(void **state)
{
	const struct target target = {.name = "behind",
				      .user = "well",
				      .jump = "beyond@127.0.0.1",
				      .speaker = SPEAKER_LIBSSH2};
	struct pool_lab lab;

	(void)state;
	pool_lab_open(&lab);
	for (unsigned i = 0; i < 2; i++) {
		(void)pool_lab_target(&lab, &target);
		run_out(&lab, i + 1);
		assert_int_equal(lab.last.outcome, OUTCOME_JUMP_FAILED);
		assert_string_equal(lab.by, "libssh2");
		assert_string_equal(lab.last.reason,
				    "jump host 127.0.0.1: kex-failed: sessions=1 starts=0");
	}
	pool_lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_session_of_a_jump_host_is_followed_by_another),
		cmocka_unit_test(refused_for_want_of_room_goes_by_another_session),
		cmocka_unit_test(what_the_jump_host_says_is_told_from_what_it_is),
		cmocka_unit_test(jump_host_that_refuses_the_login_is_not_asked_again),
		cmocka_unit_test(host_that_waits_for_its_jump_host_can_be_aborted),
		cmocka_unit_test(child_that_dies_takes_its_jump_hosts_along),
		cmocka_unit_test(route_that_is_none_ends_its_host_alone),
		cmocka_unit_test(hosts_behind_one_that_libssh2_cannot_log_in_to_go_by_ssh),
		cmocka_unit_test(who_must_not_go_by_ssh_is_told_why_it_does_not_get_there),
	};

	return cmocka_run_group_tests(tests, pool_lab_set_up, pool_lab_tear_down);
}
