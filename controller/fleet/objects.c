// SPDX-License-Identifier: MIT
#include "controller/fleet/objects.h"

#include <stdlib.h>

static int order(const void *a, const void *b)
{
	const struct conversation_object *const *x = a, *const *y = b;

	return memcmp((*x)->digest.bytes, (*y)->digest.bytes, DIGEST_SIZE);
}

void objects_init(struct objects *objects, struct store *store,
		  const struct conversation *conversation)
{
	size_t count = 0;
	const struct conversation_object *of_session = NULL;

	*objects = (struct objects){.store = store};
	if (!conversation) {
		return;
	}
	of_session = conversation_objects(conversation, &count);
	objects->session = calloc(count + 1, sizeof(*objects->session));
	if (!objects->session) {
		return; /* what is missing here is missing in `load`, which says so */
	}
	for (size_t i = 0; i < count; i++) {
		objects->session[i] = &of_session[i];
	}
	objects->session_count = count;
	qsort(objects->session, count, sizeof(*objects->session), order);
}

int objects_check(const struct objects *objects, struct error *err)
{
	if (objects->most > 0 && objects->read > objects->most) {
		return error_set(err, ERROR_LIMIT, 0,
				 "judging it takes more than %llu bytes of sections",
				 (unsigned long long)objects->most);
	}
	return 0;
}

static int hand_out(struct objects *objects, struct bytes found, struct bytes *content,
		    struct error *err)
{
	objects->read += found.len;
	*content = found;
	return objects_check(objects, err);
}

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	struct objects *objects = context;
	const struct conversation_object wanted = {.digest = *digest};
	const struct conversation_object *key = &wanted;
	const struct conversation_object *const *found = NULL;
	size_t len;

	if (objects_check(objects, err) != 0) {
		return -1;
	}
	if (objects->session_count > 0) {
		found = bsearch(&key, objects->session, objects->session_count,
				sizeof(*objects->session), order);
	}
	if (found) {
		return hand_out(objects, (*found)->content, content, err);
	}
	free(objects->loaded);
	objects->loaded = NULL;
	if (store_object_load(objects->store, digest, &objects->loaded, &len, err) != 0) {
		objects->missed = true;
		return -1;
	}
	return hand_out(objects, bytes_make(objects->loaded, len), content, err);
}

struct object_source objects_source(struct objects *objects)
{
	return (struct object_source){.load = load, .context = objects};
}

void objects_clear(struct objects *objects)
{
	free(objects->loaded);
	free(objects->session);
	*objects = (struct objects){0};
}
