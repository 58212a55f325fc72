// SPDX-License-Identifier: MIT
#include "controller/judge/inputs.h"

#include <stdlib.h>

#include "schema/siphash.h"

/*
 * In this order; a name's sections of one kind stand in order of their keys. Labels are not judged.
 */
static const enum section_kind kinds[] = {SECTION_PACKAGE, SECTION_CONFIG, SECTION_CLAIMS,
					  SECTION_MD5, SECTION_HEADER};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct input_name *name_of(struct inputs *in, struct bytes name)
{
	uint64_t hash = siphash(in->seed, name);
	size_t at = hash & (in->slots - 1);

	while (in->slot[at] != 0) {
		struct input_name *one = &in->name[in->slot[at] - 1];

		if (bytes_equal(one->name, name)) {
			return one;
		}
		at = (at + 1) & (in->slots - 1);
	}
	in->name[in->name_count] = (struct input_name){.name = name, .hash = hash};
	in->slot[at] = (uint32_t)++in->name_count;
	return &in->name[in->name_count - 1];
}

/*
 * Of earlier observations only that they are there is asked (packages.c, was_seen): what rpm's claims
 * were differs from host to host in stores of protocol 3.
 */
static bool is_presence(const struct inputs *in, enum section_kind kind)
{
	return in->is_rpm && (kind == SECTION_CLAIMS || kind == SECTION_HEADER);
}

static void add(struct inputs *in, struct input_name *name, struct input_section section)
{
	uint32_t index = (uint32_t)++in->section_count;

	in->section[index - 1] = section;
	if (name->last != 0) {
		in->section[name->last - 1].next = index;
	} else {
		name->first = index;
	}
	name->last = index;
}

static bool split(struct bytes key, size_t prefix, struct bytes *name, struct bytes *tail)
{
	struct cbor_reader r;

	cbor_reader_init(&r, bytes_make(key.data + prefix, key.len - prefix));
	*name = cbor_read_bytes(&r);
	*tail = bytes_make(key.data + prefix + r.at, key.len - prefix - r.at);
	return !r.failed;
}

static void gather_now(struct inputs *in, const struct section_range *range, enum section_kind kind)
{
	const struct observation *now = in->j->in->now;

	for (size_t i = range->from; i < range->to; i++) {
		struct input_section section = {.section = &now->sections[i],
						.kind = (uint8_t)kind};
		struct bytes name;

		if (split(now->sections[i].key, range->prefix, &name, &section.tail)) {
			struct input_name *one = name_of(in, name);

			add(in, one, section);
			in->of_now[i] =
				(struct input_of_now){(uint32_t)(one - in->name) + 1, section.tail};
		}
	}
}

/* An earlier observation, mostly the same: section by section beside now. */
static void gather_earlier(struct inputs *in, const struct observation *o, unsigned which,
			   const struct section_range *now_range, enum section_kind kind)
{
	const struct observation *now = in->j->in->now;
	const struct section_range range = observation_range(o, kind, in->manager);
	size_t n = now_range->from;

	for (size_t i = range.from; i < range.to; i++) {
		const struct observed_section *was = &o->sections[i];
		struct input_section section = {
			.section = was, .which = (uint8_t)which, .kind = (uint8_t)kind};
		struct bytes name;
		int order = -1;

		section.same = is_presence(in, kind);
		while (n < now_range->to) {
			struct bytes key = now->sections[n].key;

			order = key.data == was->key.data ? 0 : bytes_compare(key, was->key);
			if (order >= 0) {
				break;
			}
			n++;
		}
		if (n < now_range->to && order == 0 && in->of_now[n].name != 0) {
			section.same = section.same ||
				       digest_equal(&now->sections[n].content, &was->content);
			section.tail = in->of_now[n].tail;
			add(in, &in->name[in->of_now[n].name - 1], section);
		} else if (split(was->key, range.prefix, &name, &section.tail)) {
			add(in, name_of(in, name), section);
		}
	}
}

static void put(struct cbor_writer *w, const void *data, size_t len)
{
	if (w->overflow || w->room - w->len < len) {
		w->overflow = true;
		return;
	}
	memcpy(w->data + w->len, data, len);
	w->len += len;
}

static void put_list(struct cbor_writer *w, const struct bytes *item, size_t count)
{
	cbor_write_uint(w, count);
	for (size_t i = 0; i < count; i++) {
		cbor_write_bytes(w, item[i]);
	}
}

/* What every unit of this host looks at beside its own sections. */
static uint32_t context_of(struct judge *j, const struct packages *p, struct error *err)
{
	const struct exceptions *known = &j->exceptions;
	const struct redirect_list *redirects = &known->redirects;
	const struct gap_list *gaps = &j->package_gaps;
	const uint8_t flags[] = {
		j->captured,
		j->in->first != NULL,
		j->in->last != NULL,
		j->in->accepted != NULL,
		j->in->accepted_records != NULL,
		j->in->tree_count > 0,
		j->in->packages != NULL,
		gaps->everywhere,
		p->now.known,
		p->first.known,
		p->last.known,
		j->in->proofs != NULL,
		package_has_prelink(p),
	};
	size_t room = 1024, count = redirects->count;
	uint32_t number = UINT32_MAX;
	struct cbor_writer w;
	uint8_t *data;

	for (size_t i = 0; i < count; i++) {
		room += redirects->item[i].from.len + redirects->item[i].to.len +
			redirects->item[i].by.len + 64;
	}
	for (size_t i = 0; i < gaps->count; i++) {
		room += gaps->path[i].len + 16;
	}
	for (size_t i = 0; i < known->exclude_count; i++) {
		room += known->excludes[i].len + 16;
	}
	for (size_t i = 0; i < known->include_count; i++) {
		room += known->includes[i].len + 16;
	}
	data = malloc(room);
	if (!data) {
		(void)error_set(err, ERROR_NOMEM, 0, "no memory to judge");
		return UINT32_MAX;
	}
	cbor_writer_init(&w, data, room);
	put(&w, flags, sizeof(flags));
	cbor_write_bytes(&w, p->manager);
	cbor_write_uint(&w, count);
	for (size_t i = 0; i < count; i++) {
		const struct redirect *one = &redirects->item[i];

		cbor_write_bytes(&w, one->from);
		cbor_write_bytes(&w, one->to);
		cbor_write_bytes(&w, one->by);
		cbor_write_uint(&w, one->known);
	}
	put_list(&w, gaps->path, gaps->count);
	put_list(&w, known->excludes, known->exclude_count);
	put_list(&w, known->includes, known->include_count);
	if (!w.overflow) {
		number = cache_context(j->in->cache, bytes_make(data, w.len));
	}
	free(data);
	return number;
}

int inputs_begin(struct inputs *in, struct judge *j, const struct packages *p, struct error *err)
{
	const struct bytes manager = p->manager;
	const struct observation *earlier[] = {j->in->first, j->in->last};
	size_t most = j->in->now->section_count;

	*in = (struct inputs){.j = j,
			      .manager = manager,
			      .is_rpm = bytes_equal_string(manager, "rpm"),
			      .context = UINT32_MAX};
	if (!j->in->cache) {
		return 0;
	}
	for (size_t i = 0; i < 2; i++) {
		most += earlier[i] ? earlier[i]->section_count : 0;
	}
	for (in->slots = 64; in->slots < most; in->slots *= 2) {
	}
	memcpy(in->seed, j->in->cache->seed, sizeof(in->seed));
	in->context = context_of(j, p, err);
	in->name = judge_alloc(j, most + 1, sizeof(*in->name));
	in->section = judge_alloc(j, most + 1, sizeof(*in->section));
	in->slot = judge_alloc(j, in->slots, sizeof(*in->slot));
	in->of_now = judge_alloc(j, j->in->now->section_count + 1, sizeof(*in->of_now));
	if (!in->name || !in->section || !in->slot || !in->of_now || !unit_room(j)) {
		return error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	}
	for (size_t k = 0; k < KINDS; k++) {
		struct section_range range = observation_range(j->in->now, kinds[k], manager);

		gather_now(in, &range, kinds[k]);
		in->packages += kinds[k] == SECTION_PACKAGE ? range.to - range.from : 0;
		for (unsigned i = 0; i < 2; i++) {
			if (earlier[i]) {
				gather_earlier(in, earlier[i], i + 1, &range, kinds[k]);
			}
		}
	}
	return 0;
}

static bool same_rows(const struct input_rows *a, const struct input_rows *b)
{
	if (a->count != b->count) {
		return false;
	}
	for (size_t i = 0; a->row != b->row && i < a->count; i++) {
		if (!bytes_equal(a->row[i].version, b->row[i].version) ||
		    !bytes_equal(a->row[i].arch, b->row[i].arch)) {
			return false;
		}
	}
	return true;
}

static void put_rows(struct cbor_writer *w, const struct input_rows rows[4])
{
	for (size_t l = 0; l < 4; l++) {
		uint8_t count = (uint8_t)(rows[l].count < 64 ? rows[l].count : 64);

		if (rows[l].count > 64) {
			w->overflow = true;
		}
		if (l > 0 && l < 3 && same_rows(&rows[l], &rows[0])) {
			count = 0xff;
			put(w, &count, 1);
			continue;
		}
		put(w, &count, 1);
		for (size_t i = 0; i < rows[l].count; i++) {
			cbor_write_bytes(w, rows[l].row[i].arch);
			cbor_write_bytes(w, rows[l].row[i].version);
		}
	}
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15U;
	return a ^ a >> 29;
}

static const struct input_name *find_name(const struct inputs *in, struct bytes name)
{
	size_t at = siphash(in->seed, name) & (in->slots - 1);

	while (in->slot[at] != 0) {
		const struct input_name *one = &in->name[in->slot[at] - 1];

		if (bytes_equal(one->name, name)) {
			return one;
		}
		at = (at + 1) & (in->slots - 1);
	}
	return NULL;
}

struct unit inputs_of(struct inputs *in, struct bytes name, const struct input_rows rows[4],
		      const struct observed_section **sections)
{
	struct unit unit = {.section = sections};
	const struct input_name *one;
	struct cbor_writer w;
	size_t count = 0;
	uint64_t hash, word;

	if (in->context == UINT32_MAX) {
		return unit;
	}
	cbor_writer_init(&w, in->j->inputs, INPUTS_ROOM);
	put(&w, &in->context, sizeof(in->context));
	cbor_write_bytes(&w, name);
	put_rows(&w, rows);
	one = find_name(in, name);
	/* A host may have any number of packages of one content. */
	hash = one ? one->hash : 0;
	for (uint32_t at = one ? one->first : 0; at != 0; at = in->section[at - 1].next) {
		const struct input_section *s = &in->section[at - 1];
		const uint8_t tag[3] = {s->which, s->kind, s->same};

		put(&w, tag, sizeof(tag));
		cbor_write_bytes(&w, s->tail);
		if (!s->same) {
			put(&w, s->section->content.bytes, DIGEST_SIZE);
			memcpy(&word, s->section->content.bytes, sizeof(word));
			hash = mix(hash, word);
		}
		if (s->which == 0 && s->kind == SECTION_PACKAGE) {
			if (unit.section_count == INPUTS_SECTIONS_MAX) {
				return (struct unit){0};
			}
			sections[unit.section_count++] = s->section;
		}
		count++;
	}
	if (w.overflow || count > INPUTS_SECTIONS_MAX) {
		return (struct unit){0};
	}
	/* What has no section is told apart by its name. */
	unit.hash = count > 0 ? mix(hash, in->context + count * 64)
			      : siphash(in->seed, bytes_make(w.data, w.len));
	unit.inputs = bytes_make(w.data, w.len);
	return unit;
}
