// SPDX-License-Identifier: MIT
#include "controller/fleet/conversation_private.h"

#include <stdlib.h>

static int want(struct conversation *c, uint32_t index, bool md5, struct error *err)
{
	if (reserve((void **)&c->wanted, c->wanted_count, &c->wanted_room, sizeof(*c->wanted),
		    err) != 0) {
		return -1;
	}
	c->wanted[c->wanted_count++] = (struct pending){index, md5};
	return 0;
}

/* Decides on one object; true in *deferred where another host is being asked. */
static int decide(struct conversation *c, uint32_t index, bool md5, bool last, bool *deferred,
		  struct error *err)
{
	const struct listed *l = &c->listed[index];
	const struct digest *digest = md5 ? &l->md5->digest : &l->content;

	*deferred = false;
	switch (c->io.place(c->io.context, digest, last)) {
	case OBJECT_KEPT:
		return 0;
	case OBJECT_ELSEWHERE:
		*deferred = !last;
		return last ? want(c, index, md5, err) : 0;
	case OBJECT_WANTED:
		break;
	}
	return want(c, index, md5, err);
}

static bool has_md5(const struct listed *l)
{
	return l->md5 && l->md5->has;
}

/* Both objects of a section that are not decided yet, or (`again`) that were left to other hosts. */
static int decide_section(struct conversation *c, size_t due, bool again, bool last,
			  struct error *err)
{
	uint32_t index = (uint32_t)c->due[due];
	struct listed *l = &c->listed[index];
	bool deferred = false;

	if (!again || l->deferred) {
		if (decide(c, index, false, last, &deferred, err) != 0) {
			return -1;
		}
		l->deferred = deferred;
		c->deferred += deferred;
	}
	if (has_md5(l) && (!again || l->md5->deferred)) {
		if (decide(c, index, true, last, &l->md5->deferred, err) != 0) {
			return -1;
		}
		c->deferred += l->md5->deferred;
	}
	return 0;
}

static int send_want(struct conversation *c, uint32_t upto, size_t from, struct error *err)
{
	uint8_t buffer[16 + UNDECIDED_MAX * 2 * 8];
	struct cbor_writer w;

	do {
		size_t count = c->wanted_count - from;

		count = count > (size_t)UNDECIDED_MAX * 2 ? (size_t)UNDECIDED_MAX * 2 : count;
		cbor_writer_init(&w, buffer, sizeof(buffer));
		want_begin(&w, upto, (uint32_t)count);
		for (size_t i = 0; i < count; i++) {
			want_item_encode(&w, &(struct want_item){c->wanted[from + i].index,
								 c->wanted[from + i].md5});
		}
		if (send_writer(c, &w, err) != 0) {
			return -1;
		}
		from += count;
	} while (from < c->wanted_count);
	return 0;
}

/* Decides on every section hashed so far and tells the probe. */
static int decide_all(struct conversation *c, struct error *err)
{
	size_t from = c->wanted_count;

	if (c->decided == c->due_at) {
		return 0;
	}
	for (; c->decided < c->due_at; c->decided++) {
		if (decide_section(c, c->decided, false, false, err) != 0) {
			return -1;
		}
	}
	c->undecided_bytes = 0;
	return send_want(c, (uint32_t)c->due[c->decided - 1], from, err);
}

enum conversation_event conversation_flush(struct conversation *c, struct error *err)
{
	if (c->stage == STAGE_HASH && decide_all(c, err) != 0) {
		stage_set(c, STAGE_BROKEN);
		return CONVERSATION_BROKEN;
	}
	return CONVERSATION_MORE;
}

/* What another host was asked for is there by now, or is asked of this one after all. */
static int ask_deferred(struct conversation *c, bool last, struct error *err)
{
	size_t from = c->wanted_count;

	if (c->deferred == 0) {
		return 0;
	}
	c->deferred = 0;
	for (size_t i = 0; i < c->due_count; i++) {
		if (decide_section(c, i, true, last, err) != 0) {
			return -1;
		}
	}
	return c->wanted_count == from
		       ? 0
		       : send_want(c, (uint32_t)c->due[c->due_count - 1], from, err);
}

bool conversation_is_waiting(const struct conversation *c)
{
	return c->stage == STAGE_HASH && c->due_at == c->due_count && c->decided == c->due_count &&
	       c->wanted_at == c->wanted_count && c->deferred > 0;
}

enum conversation_event conversation_ask_again(struct conversation *c, bool last, struct error *err)
{
	if (conversation_is_waiting(c) &&
	    (ask_deferred(c, last, err) != 0 || maybe_finish(c, err) != 0)) {
		stage_set(c, STAGE_BROKEN);
		return CONVERSATION_BROKEN;
	}
	return CONVERSATION_MORE;
}

/* What was measured before stands as long as the content does. */
static bool keeps_md5(const struct listed *l)
{
	return l->md5 && (l->md5->has || (l->md5->was && l->was && !l->changed));
}

static int put_md5(struct conversation *c, const struct listed *l, struct error *err)
{
	uint8_t buffer[SECTION_KEY_MAX + 16];
	struct observed_section section = {.read_s = c->plan.now_s};
	struct section_key key;
	struct cbor_writer w;
	bool ok = true;

	if (!keeps_md5(l)) {
		return 0;
	}
	section.content = l->md5->digest;
	if (!l->md5->has) {
		section.read_s = l->md5->read_s;
	}
	(void)section_key_decode(l->key, &key);
	key = section_key_make(SECTION_MD5, key.part[1], key.part[2], key.part[3], key.part[4]);
	cbor_writer_init(&w, buffer, sizeof(buffer));
	section_key_encode(&w, &key);
	section.key = keep(c, bytes_make(w.data, w.len), &ok);
	c->seen.sections[c->seen.section_count++] = section;
	return ok ? 0 : no_memory(err);
}

static int section_order(const void *a, const void *b)
{
	const struct observed_section *x = a, *y = b;

	return bytes_compare(x->key, y->key);
}

/* The list is in the observation now. */
static void drop_listed(struct conversation *c)
{
	free(c->listed);
	free(c->due);
	free(c->wanted);
	c->listed = NULL;
	c->due = NULL;
	c->wanted = NULL;
	c->listed_room = c->wanted_room = 0;
}

/* What was listed becomes the observation. */
static int settle_sections(struct conversation *c, struct error *err)
{
	size_t count = c->listed_count;

	c->is_as_last = true;
	for (size_t i = 0; i < c->listed_count; i++) {
		const struct listed *l = &c->listed[i];

		count += keeps_md5(l);
		c->is_as_last = c->is_as_last && l->was && !l->changed &&
				!(has_md5(l) && l->md5->changed);
	}
	c->is_as_last = c->is_as_last && count == c->last_count;
	c->seen.sections = calloc(count + 1, sizeof(*c->seen.sections));
	if (!c->seen.sections) {
		return no_memory(err);
	}
	for (size_t i = 0; i < c->listed_count; i++) {
		const struct listed *l = &c->listed[i];
		struct observed_section section = {
			.key = l->key,
			.content = l->content,
			.stat = l->last_stat,
			.read_s = l->read_s,
			.unread = l->unread,
			.always = l->always,
		};

		if (l->hashed) {
			/* What was not read whole is not left out tomorrow, whatever its stat. */
			section.stat = l->settled && l->unread == 0 ? l->stat : 0;
			section.read_s = c->plan.now_s;
		}
		c->seen.sections[c->seen.section_count++] = section;
		if (put_md5(c, l, err) != 0) {
			return -1;
		}
	}
	if (c->seen.section_count > 0) {
		qsort(c->seen.sections, c->seen.section_count, sizeof(*c->seen.sections),
		      section_order);
	}
	drop_listed(c);
	return 0;
}

int maybe_finish(struct conversation *c, struct error *err)
{
	if (c->due_at < c->due_count) {
		return 0;
	}
	if (decide_all(c, err) != 0) {
		return -1;
	}
	/* Some of what others were asked for may have come meanwhile. */
	if (c->wanted_at == c->wanted_count && ask_deferred(c, false, err) != 0) {
		return -1;
	}
	if (c->wanted_at < c->wanted_count || c->deferred > 0) {
		return 0;
	}
	return settle_sections(c, err) == 0 ? send_finish(c, err) : -1;
}

static int note_md5(struct conversation *c, struct listed *l, const struct digest_message *m,
		    struct error *err)
{
	struct listed_md5 *md5 = listed_md5(c, l, err);

	if (!md5) {
		return -1;
	}
	md5->has = true;
	md5->changed = !md5->was || !digest_equal(&md5->digest, &m->md5);
	md5->digest = m->md5;
	md5->size = (uint32_t)m->md5_size;
	return 0;
}

int on_digest(struct conversation *c, struct bytes payload, struct error *err)
{
	struct digest_message m;
	struct listed *l;

	if (!digest_decode(payload, &m) || c->due_at >= c->due_count ||
	    m.index != c->due[c->due_at]) {
		return error_set(err, ERROR_PEER, 0,
				 "a digest that is malformed or was not asked for");
	}
	l = &c->listed[m.index];
	if ((m.has_md5 && !l->ask_md5) || m.size > CONVERSATION_SECTION_MAX ||
	    (m.has_md5 && m.md5_size > CONVERSATION_SECTION_MAX)) {
		return error_set(err, ERROR_PEER, 0, "a section is larger than one may be");
	}
	if (m.has_md5 && note_md5(c, l, &m, err) != 0) {
		return -1;
	}
	l->hashed = true;
	l->changed = l->was && !digest_equal(&l->content, &m.content);
	l->content = m.content;
	l->settled = m.settled;
	l->stat = m.stat;
	l->unread = m.unread;
	l->size = (uint32_t)m.size;
	c->due_at++;
	c->undecided_bytes += m.size + m.md5_size;
	if (c->undecided_bytes >= UNDECIDED_BYTES_MAX || c->due_at - c->decided >= UNDECIDED_MAX) {
		if (decide_all(c, err) != 0) {
			return -1;
		}
	}
	return maybe_finish(c, err);
}

static int begin_object(struct conversation *c, uint64_t size, struct error *err)
{
	if (size > CONVERSATION_OBJECTS_MAX - c->objects_bytes) {
		return error_set(err, ERROR_PEER, 0, "more objects than a host may send");
	}
	c->object = malloc(size > 0 ? (size_t)size : 1);
	if (!c->object) {
		return no_memory(err);
	}
	c->object_room = (size_t)size;
	c->object_len = 0;
	c->objects_bytes += size;
	return 0;
}

static int note_changed(struct conversation *c, struct bytes key, struct error *err)
{
	struct coverage_item item = {
		.check = BYTES_LITERAL("objects"),
		.state = COVERAGE_PARTIAL,
		.reason = BYTES_LITERAL("changed"),
		.count = 1,
	};
	uint8_t text[SECTION_KEY_MAX];
	struct section_key parts;
	size_t len = 0;

	(void)section_key_decode(key, &parts);
	for (size_t i = 0; i < parts.count && parts.part[i].len < sizeof(text) - len; i++) {
		if (i > 0) {
			text[len++] = ' ';
		}
		memcpy(text + len, parts.part[i].data, parts.part[i].len);
		len += parts.part[i].len;
	}
	if (c->seen.coverage_count >= CONVERSATION_COVERAGE_MAX) {
		return error_set(err, ERROR_PEER, 0, "more coverage than a host may send");
	}
	if (reserve((void **)&c->seen.coverage, c->seen.coverage_count, &c->coverage_room,
		    sizeof(item), err) != 0) {
		return -1;
	}
	item.subject = bytes_make(text, len);
	if (keep_text(c, &item.subject, err) != 0) {
		return -1;
	}
	c->seen.coverage[c->seen.coverage_count++] = item;
	return 0;
}

/*
 * What never came may have been taken for the content of another section too: one of those has to
 * show it.
 */
static int ask_twin(struct conversation *c, const struct digest *missing, struct error *err)
{
	size_t from = c->wanted_count;

	for (size_t i = 0; i < c->decided && c->wanted_count == from; i++) {
		uint32_t index = (uint32_t)c->due[i];
		const struct listed *l = &c->listed[index];

		if ((digest_equal(&l->content, missing) && want(c, index, false, err) != 0) ||
		    (has_md5(l) && digest_equal(&l->md5->digest, missing) &&
		     want(c, index, true, err) != 0)) {
			return -1;
		}
	}
	return c->wanted_count == from ? 0
				       : send_want(c, (uint32_t)c->due[c->decided - 1], from, err);
}

/*
 * The whole of it is here. What was collected again is the later look and takes the place of the
 * first; anything else has to be what was said.
 */
static int check_object(struct conversation *c, struct listed *l, bool md5, bool again,
			struct digest *digest, struct error *err)
{
	struct digest *said = md5 ? &l->md5->digest : &l->content;
	struct digest first = *said;

	if (conversation_sha256(bytes_make(c->object, c->object_len), digest, err) < 0) {
		return -1;
	}
	if (digest_equal(digest, said)) {
		return 0;
	}
	if (!again) {
		return error_set(err, ERROR_PEER, 0, "a section is not what its digest says");
	}
	*said = *digest;
	l->settled = false;
	l->changed = true;
	return note_changed(c, l->key, err) == 0 ? ask_twin(c, &first, err) : -1;
}

static int end_object(struct conversation *c, struct listed *l, bool md5, bool again,
		      struct error *err)
{
	struct digest digest;

	if (check_object(c, l, md5, again, &digest, err) != 0 ||
	    reserve((void **)&c->objects, c->object_count, &c->objects_room, sizeof(*c->objects),
		    err) != 0) {
		return -1;
	}
	c->objects[c->object_count++] =
		(struct conversation_object){digest, {c->object, c->object_len}};
	c->object_bytes += c->object_len;
	c->object = NULL;
	c->object_room = 0;
	c->wanted_at++;
	return maybe_finish(c, err);
}

/* What was collected again may have grown meanwhile. */
static int make_longer(struct conversation *c, size_t len, struct error *err)
{
	size_t more = len - (c->object_room - c->object_len);
	uint8_t *object;

	if (more > CONVERSATION_SECTION_MAX - c->object_room ||
	    more > CONVERSATION_OBJECTS_MAX - c->objects_bytes) {
		return error_set(err, ERROR_PEER, 0, "a section is larger than one may be");
	}
	object = realloc(c->object, c->object_room + more);
	if (!object) {
		return no_memory(err);
	}
	c->object = object;
	c->object_room += more;
	c->objects_bytes += more;
	return 0;
}

int on_object(struct conversation *c, struct bytes payload, struct error *err)
{
	const struct pending *next;
	struct listed *l;
	struct object m;

	if (!object_decode(payload, &m) || c->wanted_at >= c->wanted_count) {
		return error_set(err, ERROR_PEER, 0,
				 "an object that is malformed or was not wanted");
	}
	next = &c->wanted[c->wanted_at];
	l = &c->listed[next->index];
	if (m.index != next->index || m.md5 != next->md5) {
		return error_set(err, ERROR_PEER, 0, "objects are out of order");
	}
	if (!c->object && begin_object(c, m.md5 ? l->md5->size : l->size, err) != 0) {
		return -1;
	}
	if (m.chunk.len > c->object_room - c->object_len) {
		if (!m.again) {
			return error_set(err, ERROR_PEER, 0, "an object is longer than was said");
		}
		if (make_longer(c, m.chunk.len, err) != 0) {
			return -1;
		}
	}
	if (m.chunk.len > 0) {
		memcpy(c->object + c->object_len, m.chunk.data, m.chunk.len);
		c->object_len += m.chunk.len;
	}
	return m.last ? end_object(c, l, m.md5, m.again, err) : 0;
}
