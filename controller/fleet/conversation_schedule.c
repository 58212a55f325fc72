// SPDX-License-Identifier: MIT
#include "controller/fleet/conversation_private.h"

#include <stdlib.h>

/* The incremental night: what is read of a host in this session. */

/* A clock that went back makes every ctime worthless. */
static bool clock_went_back(const struct conversation *c)
{
	return c->foreseen.known && c->seen.hello.clock_ns < c->foreseen.clock_ns;
}

/* Something changed: what it was is needed to see what. */
static int ask_list(struct conversation *c, struct error *err)
{
	if (c->recalls) {
		stage_set(c, STAGE_RECALL);
		return 0;
	}
	stage_set(c, STAGE_LIST);
	return send_ask(c, ASK_LIST, err);
}

int on_root(struct conversation *c, struct bytes payload, struct error *err)
{
	const struct foreseen *f = &c->foreseen;
	struct root root;

	if (!root_decode(payload, &root) || root.sections > CONVERSATION_SECTIONS_MAX) {
		return error_set(err, ERROR_PEER, 0, "malformed root");
	}
	if (f->usable && !c->plan.plan.full && !clock_went_back(c) &&
	    f->sections == root.sections && digest_equal(&f->stat_root, &root.stat_root)) {
		stage_set(c, STAGE_PROOF);
		return send_ask(c, ASK_SAME, err);
	}
	return ask_list(c, err);
}

/* Nothing changed: the last observation, which lives on, is this one's too, with younger times. */
int keep_last(struct conversation *c, struct error *err)
{
	const struct observation *last = c->plan.last;

	c->seen.sections = calloc(last->section_count + 1, sizeof(*c->seen.sections));
	if (!c->seen.sections) {
		return no_memory(err);
	}
	for (size_t i = 0; i < last->section_count; i++) {
		struct observed_section *s = &c->seen.sections[i];

		*s = last->sections[i];
		if (!section_is_md5(s->key) && section_is_due(&c->plan.plan, s->key, s->always)) {
			s->read_s = c->plan.now_s;
		}
	}
	c->seen.section_count = last->section_count;
	return 0;
}

int on_proof(struct conversation *c, struct bytes payload, struct error *err)
{
	const struct foreseen *f = &c->foreseen;
	struct proof proof;

	if (!proof_decode(payload, &proof)) {
		return error_set(err, ERROR_PEER, 0, "malformed proof");
	}
	if (f->proved != proof.sections || !digest_equal(&f->content_root, &proof.content_root)) {
		return ask_list(c, err);
	}
	c->same = !c->plan.last;
	if (!c->same && keep_last(c, err) != 0) {
		return -1;
	}
	return send_finish(c, err);
}

/* list */

static int add_listed(struct conversation *c, const struct list_item *item, struct error *err)
{
	struct listed *l;
	struct section_key key;
	bool ok = true;

	if (c->listed_count >= CONVERSATION_SECTIONS_MAX ||
	    item->key.len > CONVERSATION_KEYS_MAX - c->key_bytes) {
		return error_set(err, ERROR_PEER, 0, "more sections than a host may have");
	}
	if (!section_key_decode(item->key, &key) || key.kind == SECTION_MD5) {
		return error_set(err, ERROR_PEER, 0, "a list names no section");
	}
	if (c->listed_count > 0 &&
	    bytes_compare(c->listed[c->listed_count - 1].key, item->key) >= 0) {
		return error_set(err, ERROR_PEER, 0, "sections are not listed in order");
	}
	if (reserve((void **)&c->listed, c->listed_count, &c->listed_room, sizeof(*l), err) != 0) {
		return -1;
	}
	l = &c->listed[c->listed_count++];
	*l = (struct listed){.key = keep(c, item->key, &ok), .stat = item->stat};
	l->always = item->always;
	c->key_bytes += item->key.len;
	return ok ? 0 : no_memory(err);
}

static const struct observed_section *find_last_md5(const struct conversation *c,
						    struct bytes encoded)
{
	uint8_t buffer[SECTION_KEY_MAX + 16];
	struct cbor_writer w;
	struct section_key key;

	if (!section_key_decode(encoded, &key) || key.kind != SECTION_PACKAGE) {
		return NULL;
	}
	key = section_key_make(SECTION_MD5, key.part[1], key.part[2], key.part[3], key.part[4]);
	cbor_writer_init(&w, buffer, sizeof(buffer));
	section_key_encode(&w, &key);
	return observation_find(c->plan.last, bytes_make(w.data, w.len));
}

struct listed_md5 *listed_md5(struct conversation *c, struct listed *l, struct error *err)
{
	if (!l->md5) {
		l->md5 = arena_alloc(&c->arena, sizeof(*l->md5));
		if (!l->md5) {
			(void)no_memory(err);
		}
	}
	return l->md5;
}

/* All that is wanted of the last observation, which may go then. */
static int copy_last(struct conversation *c, struct listed *l, struct error *err)
{
	const struct observed_section *last = observation_find(c->plan.last, l->key);
	const struct observed_section *md5 = find_last_md5(c, l->key);

	if (last) {
		l->was = true;
		l->last_stat = last->stat;
		l->content = last->content;
		l->read_s = last->read_s;
		l->unread = last->unread;
	}
	if (md5) {
		if (!listed_md5(c, l, err)) {
			return -1;
		}
		l->md5->was = true;
		l->md5->digest = md5->content;
		l->md5->read_s = md5->read_s;
	}
	return 0;
}

/*
 * Of rpm the MD5 section has configuration too, of which the package's own stat says nothing: where that
 * changed the package is due as well.
 */
static void choose_with_config(struct conversation *c, const struct listed *config)
{
	uint8_t buffer[SECTION_KEY_MAX + 16];
	struct cbor_writer w;
	struct section_key key;
	size_t low = 0, high = c->listed_count;

	if (!section_key_decode(config->key, &key) || key.kind != SECTION_CONFIG || key.count < 5 ||
	    !bytes_equal_string(key.part[1], "rpm")) {
		return;
	}
	key = section_key_make(SECTION_PACKAGE, key.part[1], key.part[2], key.part[3], key.part[4]);
	cbor_writer_init(&w, buffer, sizeof(buffer));
	section_key_encode(&w, &key);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(c->listed[middle].key, bytes_make(w.data, w.len));

		if (order == 0) {
			c->listed[middle].md5_is_old = c->listed[middle].md5 != NULL;
			return;
		}
		low = order < 0 ? middle + 1 : low;
		high = order < 0 ? high : middle;
	}
}

/* Which sections are read in this session: new, changed, stale, always, slice. */
static int choose_due(struct conversation *c, struct error *err)
{
	bool trusted = c->plan.last && !clock_went_back(c);

	c->due = calloc(c->listed_count + 1, sizeof(*c->due));
	if (!c->due) {
		return no_memory(err);
	}
	for (size_t i = 0; i < c->listed_count; i++) {
		struct listed *l = &c->listed[i];

		if (c->plan.last && copy_last(c, l, err) != 0) {
			return -1;
		}
		l->due = !trusted || !l->was || l->last_stat == 0 || l->last_stat != l->stat ||
			 section_is_stale(&c->plan, l->read_s) ||
			 section_is_due(&c->plan.plan, l->key, l->always);
	}
	c->last_count = c->plan.last ? c->plan.last->section_count : 0;
	c->plan.last = NULL;
	for (size_t i = 0; i < c->listed_count; i++) {
		if (c->listed[i].due) {
			choose_with_config(c, &c->listed[i]);
		}
	}
	for (size_t i = 0; i < c->listed_count; i++) {
		c->listed[i].due = c->listed[i].due || c->listed[i].md5_is_old;
		if (c->listed[i].due) {
			c->due[c->due_count++] = i;
		}
	}
	stage_set(c, STAGE_DUE);
	return 0;
}

int on_list(struct conversation *c, struct bytes payload, struct error *err)
{
	struct list_reader reader;
	struct list_item item;

	if (!list_decode(payload, &reader) || reader.first != c->listed_count) {
		return error_set(err, ERROR_PEER, 0, "malformed list");
	}
	while (list_next(&reader, &item)) {
		if (add_listed(c, &item, err) != 0) {
			return -1;
		}
	}
	if (reader.r.failed) {
		return error_set(err, ERROR_PEER, 0, "malformed list");
	}
	return reader.last ? choose_due(c, err) : 0;
}

/* hash */

size_t conversation_due_count(const struct conversation *c)
{
	return c->stage == STAGE_DUE ? c->due_count : 0;
}

struct bytes conversation_due_key(const struct conversation *c, size_t index)
{
	return c->listed[c->due[index]].key;
}

/* Sends the due sections as runs of neighbours that agree on the MD5. */
static int send_hash(struct conversation *c, struct error *err)
{
	uint8_t *buffer = malloc(FRAME_MAX);
	struct hash_run *runs = calloc(HASH_RUNS_MAX, sizeof(*runs));
	struct cbor_writer w;
	size_t i = 0;
	int result = -1;

	if (!buffer || !runs) {
		(void)no_memory(err);
		goto out;
	}
	do {
		uint32_t count = 0;

		while (i < c->due_count) {
			uint32_t index = (uint32_t)c->due[i];
			bool md5 = c->listed[index].ask_md5;
			struct hash_run *run = count > 0 ? &runs[count - 1] : NULL;

			if (run && run->first + run->count == index && run->md5 == md5) {
				run->count++;
			} else if (count < HASH_RUNS_MAX) {
				runs[count++] = (struct hash_run){index, 1, md5};
			} else {
				break;
			}
			i++;
		}
		cbor_writer_init(&w, buffer, FRAME_MAX);
		hash_begin(&w, count, i == c->due_count);
		for (uint32_t r = 0; r < count; r++) {
			hash_run_encode(&w, &runs[r]);
		}
		if (send_writer(c, &w, err) != 0) {
			goto out;
		}
	} while (i < c->due_count);
	result = 0;
out:
	free(runs);
	free(buffer);
	return result;
}

enum conversation_event conversation_hash(struct conversation *c, const bool *md5,
					  struct error *err)
{
	if (c->stage != STAGE_DUE) {
		return CONVERSATION_BROKEN;
	}
	for (size_t i = 0; i < c->due_count; i++) {
		struct listed *l = &c->listed[c->due[i]];

		/* Unchanged by its stat and measured before: the MD5 stands as long as the content. */
		l->ask_md5 = md5 && md5[i] &&
			     !(!l->md5_is_old && l->was && l->md5 && l->last_stat != 0 &&
			       l->last_stat == l->stat);
	}
	stage_set(c, STAGE_HASH);
	if (send_hash(c, err) != 0 || maybe_finish(c, err) != 0) {
		stage_set(c, STAGE_BROKEN);
		return CONVERSATION_BROKEN;
	}
	return CONVERSATION_MORE;
}
