// SPDX-License-Identifier: MIT
#include "controller/fleet/worker.h"

#include <stdbool.h>
#include <stdlib.h>

struct queue {
	struct worker_job *first;
	struct worker_job **end;
};

struct worker {
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t more;
	uv_async_t finished;
	struct queue todo; /* under lock */
	struct queue done; /* under lock */
	bool stop;         /* under lock */
};

static void queue_put(struct queue *queue, struct worker_job *job)
{
	job->next = NULL;
	*queue->end = job;
	queue->end = &job->next;
}

static struct worker_job *queue_take(struct queue *queue)
{
	struct worker_job *job = queue->first;

	if (job) {
		queue->first = job->next;
		if (!queue->first) {
			queue->end = &queue->first;
		}
	}
	return job;
}

static void run(void *context)
{
	struct worker *worker = context;

	uv_mutex_lock(&worker->lock);
	for (;;) {
		struct worker_job *job = queue_take(&worker->todo);

		if (!job) {
			if (worker->stop) {
				break;
			}
			uv_cond_wait(&worker->more, &worker->lock);
			continue;
		}
		uv_mutex_unlock(&worker->lock);
		job->work(job);
		uv_mutex_lock(&worker->lock);
		queue_put(&worker->done, job);
		(void)uv_async_send(&worker->finished);
	}
	uv_mutex_unlock(&worker->lock);
}

static void on_finished(uv_async_t *handle)
{
	struct worker *worker = handle->data;
	struct worker_job *job;

	do {
		uv_mutex_lock(&worker->lock);
		job = queue_take(&worker->done);
		uv_mutex_unlock(&worker->lock);
		if (job) {
			job->done(job);
		}
	} while (job);
}

static void on_closed(uv_handle_t *handle)
{
	struct worker *worker = handle->data;

	uv_mutex_destroy(&worker->lock);
	uv_cond_destroy(&worker->more);
	free(worker);
}

int worker_new(uv_loop_t *loop, struct worker **result, struct error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int status;

	if (!worker) {
		return error_set(err, ERROR_NOMEM, 0, "no memory for the worker thread");
	}
	worker->todo.end = &worker->todo.first;
	worker->done.end = &worker->done.first;
	worker->finished.data = worker;
	status = uv_async_init(loop, &worker->finished, on_finished);
	if (status != 0) {
		free(worker);
		return error_set(err, ERROR_SYSTEM, -status, "worker thread: %s",
				 uv_strerror(status));
	}
	(void)uv_mutex_init(&worker->lock);
	(void)uv_cond_init(&worker->more);
	status = uv_thread_create(&worker->thread, run, worker);
	if (status != 0) {
		uv_close((uv_handle_t *)&worker->finished, on_closed);
		return error_set(err, status == UV_ENOMEM ? ERROR_NOMEM : ERROR_SYSTEM, -status,
				 "worker thread: %s", uv_strerror(status));
	}
	*result = worker;
	return 0;
}

void worker_submit(struct worker *worker, struct worker_job *job)
{
	uv_mutex_lock(&worker->lock);
	queue_put(&worker->todo, job);
	uv_cond_signal(&worker->more);
	uv_mutex_unlock(&worker->lock);
}

void worker_free(struct worker *worker)
{
	if (!worker) {
		return;
	}
	uv_mutex_lock(&worker->lock);
	worker->stop = true;
	uv_cond_signal(&worker->more);
	uv_mutex_unlock(&worker->lock);
	(void)uv_thread_join(&worker->thread);
	uv_close((uv_handle_t *)&worker->finished, on_closed);
}
