// SPDX-License-Identifier: MIT
#include "schema/message.h"

const char *message_type_name(enum message_type type)
{
	static const char *const names[MESSAGE_TYPES] = {
		[MESSAGE_HELLO] = "hello",       [MESSAGE_PLAN] = "plan",
		[MESSAGE_ROOT] = "root",         [MESSAGE_ASK] = "ask",
		[MESSAGE_PROOF] = "proof",       [MESSAGE_LIST] = "list",
		[MESSAGE_HASH] = "hash",         [MESSAGE_DIGEST] = "digest",
		[MESSAGE_WANT] = "want",         [MESSAGE_OBJECT] = "object",
		[MESSAGE_FINISH] = "finish",     [MESSAGE_TIMELINE] = "timeline",
		[MESSAGE_COVERAGE] = "coverage", [MESSAGE_END] = "end",
	};

	return type > 0 && type < MESSAGE_TYPES ? names[type] : "unknown";
}

enum message_type message_type_of(struct bytes payload)
{
	struct cbor_reader r;
	uint64_t type;

	cbor_reader_init(&r, payload);
	(void)cbor_read_array(&r, UINT16_MAX);
	type = cbor_read_uint_max(&r, MESSAGE_TYPES - 1);
	return r.failed ? (enum message_type)0 : (enum message_type)type;
}

static void begin(struct cbor_writer *w, enum message_type type, uint64_t fields)
{
	cbor_write_array(w, fields + 1);
	cbor_write_uint(w, type);
}

static void open_message(struct cbor_reader *r, struct bytes payload, enum message_type type,
			 uint64_t fields)
{
	cbor_reader_init(r, payload);
	if (cbor_read_array(r, fields + 1) != fields + 1 || cbor_read_uint(r) != type) {
		cbor_reader_fail(r);
	}
}

static uint32_t read_u32(struct cbor_reader *r)
{
	return (uint32_t)cbor_read_uint_max(r, UINT32_MAX);
}

static void write_digest(struct cbor_writer *w, const struct digest *digest)
{
	cbor_write_bytes(w, bytes_make(digest->bytes, DIGEST_SIZE));
}

static void read_digest(struct cbor_reader *r, struct digest *digest)
{
	cbor_read_fixed(r, digest->bytes, DIGEST_SIZE);
}

/* hello */

void hello_encode(struct cbor_writer *w, const struct hello *m)
{
	begin(w, MESSAGE_HELLO, 14);
	cbor_write_uint(w, m->version);
	cbor_write_bytes(w, m->build);
	cbor_write_bytes(w, m->arch);
	cbor_write_bytes(w, m->machine);
	cbor_write_bytes(w, m->kernel);
	cbor_write_bytes(w, m->hostname);
	cbor_write_bytes(w, m->boot_id);
	cbor_write_bytes(w, m->machine_id);
	cbor_write_uint(w, m->uid);
	cbor_write_uint(w, m->capabilities);
	cbor_write_int(w, m->clock_ns);
	cbor_write_int(w, m->boot_s);
	cbor_write_uint(w, m->tracer);
	cbor_write_uint(w, m->missing);
}

bool hello_decode(struct bytes payload, struct hello *m)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_HELLO, 14);
	m->version = read_u32(&r);
	m->build = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->arch = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->machine = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->kernel = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->hostname = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->boot_id = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->machine_id = cbor_read_bytes_max(&r, HELLO_TEXT_MAX);
	m->uid = read_u32(&r);
	m->capabilities = cbor_read_uint(&r);
	m->clock_ns = cbor_read_int(&r);
	m->boot_s = cbor_read_int(&r);
	m->tracer = read_u32(&r);
	m->missing = read_u32(&r);
	return cbor_reader_is_done(&r);
}

/* plan */

static void write_plan_list(struct cbor_writer *w, const struct plan_list *list)
{
	cbor_write_array(w, list->count);
	for (size_t i = 0; i < list->count; i++) {
		cbor_write_bytes(w, list->item[i]);
	}
}

static void read_plan_list(struct cbor_reader *r, struct plan_list *list)
{
	list->count = (size_t)cbor_read_array(r, PLAN_ITEMS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		list->item[i] = cbor_read_bytes_max(r, 4096);
	}
}

void plan_encode(struct cbor_writer *w, const struct plan *m)
{
	begin(w, MESSAGE_PLAN, 18);
	cbor_write_bytes(w, bytes_make(m->nonce, NONCE_SIZE));
	cbor_write_bytes(w, bytes_make(m->seed, SEED_SIZE));
	cbor_write_uint(w, m->checks);
	cbor_write_uint(w, m->budget_s);
	cbor_write_uint(w, m->budget_read_bytes);
	cbor_write_uint(w, m->budget_entries);
	cbor_write_uint(w, m->budget_depth);
	cbor_write_uint(w, m->rate_bytes_s);
	cbor_write_int(w, m->since_ns);
	cbor_write_bool(w, m->full);
	cbor_write_bytes(w, bytes_make(m->slice_key, SEED_SIZE));
	cbor_write_uint(w, m->slice_part);
	cbor_write_uint(w, m->slice_of);
	write_plan_list(w, &m->roots);
	write_plan_list(w, &m->volatiles);
	write_plan_list(w, &m->web_roots);
	write_plan_list(w, &m->excludes);
	write_plan_list(w, &m->always);
}

bool plan_decode(struct bytes payload, struct plan *m)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_PLAN, 18);
	cbor_read_fixed(&r, m->nonce, NONCE_SIZE);
	cbor_read_fixed(&r, m->seed, SEED_SIZE);
	m->checks = read_u32(&r);
	m->budget_s = read_u32(&r);
	m->budget_read_bytes = cbor_read_uint(&r);
	m->budget_entries = cbor_read_uint(&r);
	m->budget_depth = read_u32(&r);
	m->rate_bytes_s = cbor_read_uint(&r);
	m->since_ns = cbor_read_int(&r);
	m->full = cbor_read_bool(&r);
	cbor_read_fixed(&r, m->slice_key, SEED_SIZE);
	m->slice_part = read_u32(&r);
	m->slice_of = read_u32(&r);
	read_plan_list(&r, &m->roots);
	read_plan_list(&r, &m->volatiles);
	read_plan_list(&r, &m->web_roots);
	read_plan_list(&r, &m->excludes);
	read_plan_list(&r, &m->always);
	return cbor_reader_is_done(&r);
}

/* root, ask, proof */

void root_encode(struct cbor_writer *w, const struct root *m)
{
	begin(w, MESSAGE_ROOT, 2);
	write_digest(w, &m->stat_root);
	cbor_write_uint(w, m->sections);
}

bool root_decode(struct bytes payload, struct root *m)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_ROOT, 2);
	read_digest(&r, &m->stat_root);
	m->sections = read_u32(&r);
	return cbor_reader_is_done(&r);
}

void ask_encode(struct cbor_writer *w, enum ask_mode mode)
{
	begin(w, MESSAGE_ASK, 1);
	cbor_write_uint(w, mode);
}

bool ask_decode(struct bytes payload, enum ask_mode *mode)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_ASK, 1);
	*mode = (enum ask_mode)cbor_read_uint_max(&r, ASK_LIST);
	return cbor_reader_is_done(&r);
}

void proof_encode(struct cbor_writer *w, const struct proof *m)
{
	begin(w, MESSAGE_PROOF, 3);
	write_digest(w, &m->content_root);
	cbor_write_uint(w, m->sections);
	cbor_write_uint(w, m->unread);
}

bool proof_decode(struct bytes payload, struct proof *m)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_PROOF, 3);
	read_digest(&r, &m->content_root);
	m->sections = read_u32(&r);
	m->unread = read_u32(&r);
	return cbor_reader_is_done(&r);
}

/* Messages that hold a run of items: the items stand in one array, which is the last field. */

static bool items_end(struct cbor_reader *r, uint32_t *count)
{
	if (*count == 0) {
		/* Trailing bytes are no item of ours. */
		if (!r->failed && !cbor_reader_is_done(r)) {
			cbor_reader_fail(r);
		}
		return true;
	}
	--*count;
	return r->failed;
}

/* list */

void list_begin(struct cbor_writer *w, uint32_t first, uint32_t count, bool last)
{
	begin(w, MESSAGE_LIST, 3);
	cbor_write_uint(w, first);
	cbor_write_bool(w, last);
	cbor_write_array(w, count);
}

void list_item_encode(struct cbor_writer *w, const struct list_item *item)
{
	cbor_write_array(w, 3);
	cbor_write_bytes(w, item->key);
	cbor_write_uint(w, item->stat);
	cbor_write_bool(w, item->always);
}

bool list_decode(struct bytes payload, struct list_reader *reader)
{
	open_message(&reader->r, payload, MESSAGE_LIST, 3);
	reader->first = read_u32(&reader->r);
	reader->last = cbor_read_bool(&reader->r);
	reader->count = (uint32_t)cbor_read_array(&reader->r, FRAME_MAX);
	return !reader->r.failed;
}

bool list_next(struct list_reader *reader, struct list_item *item)
{
	if (items_end(&reader->r, &reader->count)) {
		return false;
	}
	if (cbor_read_array(&reader->r, 3) != 3) {
		cbor_reader_fail(&reader->r);
	}
	item->key = cbor_read_bytes_max(&reader->r, SECTION_KEY_MAX);
	item->stat = cbor_read_uint(&reader->r);
	item->always = cbor_read_bool(&reader->r);
	return !reader->r.failed;
}

/* hash */

void hash_begin(struct cbor_writer *w, uint32_t count, bool last)
{
	begin(w, MESSAGE_HASH, 2);
	cbor_write_bool(w, last);
	cbor_write_array(w, count);
}

void hash_run_encode(struct cbor_writer *w, const struct hash_run *run)
{
	cbor_write_array(w, 3);
	cbor_write_uint(w, run->first);
	cbor_write_uint(w, run->count);
	cbor_write_bool(w, run->md5);
}

bool hash_decode(struct bytes payload, struct hash_reader *reader)
{
	open_message(&reader->r, payload, MESSAGE_HASH, 2);
	reader->last = cbor_read_bool(&reader->r);
	reader->count = (uint32_t)cbor_read_array(&reader->r, HASH_RUNS_MAX);
	return !reader->r.failed;
}

bool hash_next(struct hash_reader *reader, struct hash_run *run)
{
	if (items_end(&reader->r, &reader->count)) {
		return false;
	}
	if (cbor_read_array(&reader->r, 3) != 3) {
		cbor_reader_fail(&reader->r);
	}
	run->first = read_u32(&reader->r);
	run->count = read_u32(&reader->r);
	run->md5 = cbor_read_bool(&reader->r);
	if (run->count == 0 || run->count > UINT32_MAX - run->first) {
		cbor_reader_fail(&reader->r);
	}
	return !reader->r.failed;
}

/* digest */

void digest_encode(struct cbor_writer *w, const struct digest_message *m)
{
	begin(w, MESSAGE_DIGEST, m->has_md5 ? 8 : 6);
	cbor_write_uint(w, m->index);
	write_digest(w, &m->content);
	cbor_write_uint(w, m->stat);
	cbor_write_bool(w, m->settled);
	cbor_write_uint(w, m->unread);
	cbor_write_uint(w, m->size);
	if (m->has_md5) {
		write_digest(w, &m->md5);
		cbor_write_uint(w, m->md5_size);
	}
}

bool digest_decode(struct bytes payload, struct digest_message *m)
{
	struct cbor_reader r;
	uint64_t fields;

	memset(m, 0, sizeof(*m));
	cbor_reader_init(&r, payload);
	fields = cbor_read_array(&r, 9);
	if ((fields != 7 && fields != 9) || cbor_read_uint(&r) != MESSAGE_DIGEST) {
		cbor_reader_fail(&r);
	}
	m->index = read_u32(&r);
	read_digest(&r, &m->content);
	m->stat = cbor_read_uint(&r);
	m->settled = cbor_read_bool(&r);
	m->unread = read_u32(&r);
	m->size = cbor_read_uint(&r);
	m->has_md5 = fields == 9;
	if (m->has_md5) {
		read_digest(&r, &m->md5);
		m->md5_size = cbor_read_uint(&r);
	}
	return cbor_reader_is_done(&r);
}

/* want */

void want_begin(struct cbor_writer *w, uint32_t upto, uint32_t count)
{
	begin(w, MESSAGE_WANT, 2);
	cbor_write_uint(w, upto);
	cbor_write_array(w, count);
}

void want_item_encode(struct cbor_writer *w, const struct want_item *item)
{
	cbor_write_array(w, 2);
	cbor_write_uint(w, item->index);
	cbor_write_bool(w, item->md5);
}

bool want_decode(struct bytes payload, struct want_reader *reader)
{
	open_message(&reader->r, payload, MESSAGE_WANT, 2);
	reader->upto = read_u32(&reader->r);
	reader->count = (uint32_t)cbor_read_array(&reader->r, WANT_ITEMS_MAX);
	return !reader->r.failed;
}

bool want_next(struct want_reader *reader, struct want_item *item)
{
	if (items_end(&reader->r, &reader->count)) {
		return false;
	}
	if (cbor_read_array(&reader->r, 2) != 2) {
		cbor_reader_fail(&reader->r);
	}
	item->index = read_u32(&reader->r);
	item->md5 = cbor_read_bool(&reader->r);
	return !reader->r.failed;
}

/* object, finish */

void object_encode(struct cbor_writer *w, const struct object *m)
{
	begin(w, MESSAGE_OBJECT, 5);
	cbor_write_uint(w, m->index);
	cbor_write_bool(w, m->md5);
	cbor_write_bool(w, m->again);
	cbor_write_bool(w, m->last);
	cbor_write_bytes(w, m->chunk);
}

bool object_decode(struct bytes payload, struct object *m)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_OBJECT, 5);
	m->index = read_u32(&r);
	m->md5 = cbor_read_bool(&r);
	m->again = cbor_read_bool(&r);
	m->last = cbor_read_bool(&r);
	m->chunk = cbor_read_bytes_max(&r, OBJECT_CHUNK_MAX);
	return cbor_reader_is_done(&r);
}

void finish_encode(struct cbor_writer *w)
{
	begin(w, MESSAGE_FINISH, 0);
}

bool finish_decode(struct bytes payload)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_FINISH, 0);
	return cbor_reader_is_done(&r);
}

/* timeline */

void timeline_begin(struct cbor_writer *w, uint32_t count)
{
	begin(w, MESSAGE_TIMELINE, 1);
	cbor_write_array(w, count);
}

void timeline_item_encode(struct cbor_writer *w, const struct timeline_item *item)
{
	cbor_write_array(w, 9);
	cbor_write_uint(w, item->kind);
	cbor_write_bytes(w, item->path);
	cbor_write_uint(w, item->mode);
	cbor_write_uint(w, item->uid);
	cbor_write_uint(w, item->gid);
	cbor_write_uint(w, item->size);
	cbor_write_int(w, item->ctime_ns);
	cbor_write_int(w, item->mtime_ns);
	cbor_write_int(w, item->btime_ns);
}

bool timeline_decode(struct bytes payload, struct timeline_reader *reader)
{
	open_message(&reader->r, payload, MESSAGE_TIMELINE, 1);
	reader->count = (uint32_t)cbor_read_array(&reader->r, FRAME_MAX);
	return !reader->r.failed;
}

bool timeline_next(struct timeline_reader *reader, struct timeline_item *item)
{
	if (items_end(&reader->r, &reader->count)) {
		return false;
	}
	if (cbor_read_array(&reader->r, 9) != 9) {
		cbor_reader_fail(&reader->r);
	}
	item->kind = (enum timeline_kind)cbor_read_uint_max(&reader->r, TIMELINE_INSTALL);
	item->path = cbor_read_bytes_max(&reader->r, 4096);
	item->mode = read_u32(&reader->r);
	item->uid = read_u32(&reader->r);
	item->gid = read_u32(&reader->r);
	item->size = cbor_read_uint(&reader->r);
	item->ctime_ns = cbor_read_int(&reader->r);
	item->mtime_ns = cbor_read_int(&reader->r);
	item->btime_ns = cbor_read_int(&reader->r);
	return !reader->r.failed;
}

/* coverage */

void coverage_begin(struct cbor_writer *w, uint32_t count)
{
	begin(w, MESSAGE_COVERAGE, 1);
	cbor_write_array(w, count);
}

void coverage_item_encode(struct cbor_writer *w, const struct coverage_item *item)
{
	cbor_write_array(w, 5);
	cbor_write_bytes(w, item->check);
	cbor_write_bytes(w, item->subject);
	cbor_write_uint(w, item->state);
	cbor_write_bytes(w, item->reason);
	cbor_write_uint(w, item->count);
}

bool coverage_decode(struct bytes payload, struct coverage_reader *reader)
{
	open_message(&reader->r, payload, MESSAGE_COVERAGE, 1);
	reader->count = (uint32_t)cbor_read_array(&reader->r, FRAME_MAX);
	return !reader->r.failed;
}

/* A word that may go anywhere unescaped. */
static bool is_word(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++) {
		if ((word.data[i] < 'a' || word.data[i] > 'z') && word.data[i] != '-') {
			return false;
		}
	}
	return word.len <= 32;
}

bool coverage_next(struct coverage_reader *reader, struct coverage_item *item)
{
	if (items_end(&reader->r, &reader->count)) {
		return false;
	}
	if (cbor_read_array(&reader->r, 5) != 5) {
		cbor_reader_fail(&reader->r);
	}
	item->check = cbor_read_bytes_max(&reader->r, 32);
	item->subject = cbor_read_bytes_max(&reader->r, 4096);
	item->state = (enum coverage_state)cbor_read_uint_max(&reader->r, COVERAGE_UNSUPPORTED);
	item->reason = cbor_read_bytes_max(&reader->r, 32);
	item->count = cbor_read_uint(&reader->r);
	if (!is_word(item->check) || !is_word(item->reason)) {
		cbor_reader_fail(&reader->r);
	}
	return !reader->r.failed;
}

/* end */

void end_encode(struct cbor_writer *w, const struct end *m)
{
	begin(w, MESSAGE_END, 9);
	cbor_write_uint(w, m->sections);
	cbor_write_uint(w, m->entries);
	cbor_write_uint(w, m->files);
	cbor_write_uint(w, m->bytes);
	cbor_write_uint(w, m->unread);
	cbor_write_uint(w, m->cpu_us);
	cbor_write_uint(w, m->wall_us);
	cbor_write_uint(w, m->peak_kib);
	write_digest(w, &m->stream);
}

bool end_decode(struct bytes payload, struct end *m)
{
	struct cbor_reader r;

	open_message(&r, payload, MESSAGE_END, 9);
	m->sections = read_u32(&r);
	m->entries = cbor_read_uint(&r);
	m->files = cbor_read_uint(&r);
	m->bytes = cbor_read_uint(&r);
	m->unread = cbor_read_uint(&r);
	m->cpu_us = cbor_read_uint(&r);
	m->wall_us = cbor_read_uint(&r);
	m->peak_kib = cbor_read_uint(&r);
	read_digest(&r, &m->stream);
	return cbor_reader_is_done(&r);
}
