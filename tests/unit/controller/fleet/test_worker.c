// SPDX-License-Identifier: MIT
#include "controller/fleet/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define JOBS 100

struct numbered {
	struct worker_job job;
	int number;
};

static int worked[JOBS], done[JOBS], worked_count, done_count;
static uv_thread_t worker_thread, loop_thread;

static void work(struct worker_job *job)
{
	worked[worked_count++] = ((struct numbered *)(void *)job)->number;
	worker_thread = uv_thread_self();
}

static void finished(struct worker_job *job)
{
	uv_thread_t self = uv_thread_self();

	done[done_count++] = ((struct numbered *)(void *)job)->number;
	assert_true(uv_thread_equal(&self, &loop_thread));
}

static void jobs_run_in_order_on_a_thread_of_their_own(void **state)
{
	struct numbered jobs[JOBS];
	struct worker *worker;
	struct error err;
	uv_loop_t loop;

	(void)state;
	loop_thread = uv_thread_self();
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(worker_new(&loop, &worker, &err), 0);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct numbered){{.work = work, .done = finished}, i};
		worker_submit(worker, &jobs[i].job);
	}
	while (done_count < JOBS) {
		(void)uv_run(&loop, UV_RUN_ONCE);
	}
	worker_free(worker);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_false(uv_thread_equal(&worker_thread, &loop_thread));
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(worked[i], i);
		assert_int_equal(done[i], i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_run_in_order_on_a_thread_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
