// SPDX-License-Identifier: MIT
#include "controller/fleet/keeper.h"

#include <assert.h>
#include <stdlib.h>

struct batch {
	struct keeper *keeper;
	struct worker_job job;
	struct store_object *object;
	size_t count, room;
	size_t bytes;
	struct error error;
};

struct keeper {
	struct worker *worker;
	struct store *store;
	keeper_failed failed;
	void *context;
	struct batch *next; /* being filled; NULL: nothing waits */
	size_t bytes;
	unsigned jobs;
	bool broken;
};

static void batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		free((void *)(uintptr_t)batch->object[i].content.data);
	}
	free(batch->object);
	free(batch);
}

int keeper_new(struct worker *worker, struct store *store, keeper_failed failed, void *context,
	       struct keeper **keeper, struct error *err)
{
	*keeper = calloc(1, sizeof(**keeper));
	if (!*keeper) {
		return error_set(err, ERROR_NOMEM, 0, "no memory to keep objects");
	}
	(*keeper)->worker = worker;
	(*keeper)->store = store;
	(*keeper)->failed = failed;
	(*keeper)->context = context;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	if (keeper) {
		assert(keeper->jobs == 0);
		if (keeper->next) {
			batch_free(keeper->next);
		}
		free(keeper);
	}
}

static int make_room(struct keeper *keeper, size_t count)
{
	struct batch *batch = keeper->next;
	struct store_object *grown;
	size_t room;

	if (!batch) {
		batch = calloc(1, sizeof(*batch));
		if (!batch) {
			return -1;
		}
		batch->keeper = keeper;
		keeper->next = batch;
	}
	if (batch->room - batch->count >= count) {
		return 0;
	}
	room = 2 * batch->room + count;
	grown = reallocarray(batch->object, room, sizeof(*grown));
	if (!grown) {
		return -1;
	}
	batch->object = grown;
	batch->room = room;
	return 0;
}

int keeper_add(struct keeper *keeper, struct conversation_object *objects, size_t count,
	       struct error *err)
{
	int result = count > 0 ? make_room(keeper, count) : 0;

	for (size_t i = 0; i < count; i++) {
		struct batch *batch = keeper->next;

		if (result != 0) {
			free((void *)(uintptr_t)objects[i].content.data);
			continue;
		}
		batch->object[batch->count++] =
			(struct store_object){objects[i].digest, objects[i].content};
		batch->bytes += objects[i].content.len;
		keeper->bytes += objects[i].content.len;
	}
	free(objects);
	return result == 0 ? 0 : error_set(err, ERROR_NOMEM, 0, "no memory to keep objects");
}

static struct batch *batch_of(struct worker_job *job)
{
	return (struct batch *)(void *)((char *)job - offsetof(struct batch, job));
}

static void work_store(struct worker_job *job)
{
	struct batch *batch = batch_of(job);

	/* A failure stands in batch->error, where done_store looks. */
	(void)!store_objects_put(batch->keeper->store, batch->object, batch->count, &batch->error);
}

static void done_store(struct worker_job *job)
{
	struct batch *batch = batch_of(job);
	struct keeper *keeper = batch->keeper;
	struct error error = batch->error;

	keeper->bytes -= batch->bytes;
	keeper->jobs--;
	batch_free(batch);
	if (error.kind != ERROR_NONE && !keeper->broken) {
		keeper->broken = true;
		keeper->failed(keeper->context, &error);
	}
}

void keeper_submit(struct keeper *keeper, bool now)
{
	struct batch *batch = keeper->next;

	if (!batch || (keeper->jobs > 0 && !now)) {
		return;
	}
	keeper->next = NULL;
	keeper->jobs++;
	batch->job = (struct worker_job){.work = work_store, .done = done_store};
	worker_submit(keeper->worker, &batch->job);
}

size_t keeper_bytes(const struct keeper *keeper)
{
	return keeper->bytes;
}

bool keeper_is_idle(const struct keeper *keeper)
{
	return keeper->jobs == 0 && !keeper->next;
}
