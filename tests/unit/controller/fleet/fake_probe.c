// SPDX-License-Identifier: MIT
#include "tests/unit/controller/fleet/fake_probe.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "schema/siphash.h"

static void put(struct fake_probe *probe, const struct cbor_writer *w)
{
	assert(!w->overflow);
	if (probe->has_plan && message_type_of(bytes_make(w->data, w->len)) != MESSAGE_END) {
		EVP_DigestUpdate(probe->stream, w->data, w->len);
	}
	if (probe->queue_room - probe->queue_len < FRAME_HEAD + w->len) {
		probe->queue_room = 2 * probe->queue_room + FRAME_HEAD + w->len;
		probe->queue = realloc(probe->queue, probe->queue_room);
		assert(probe->queue);
	}
	frame_head((uint32_t)w->len, probe->queue + probe->queue_len);
	memcpy(probe->queue + probe->queue_len + FRAME_HEAD, w->data, w->len);
	probe->queue_len += FRAME_HEAD + w->len;
}

void fake_probe_init(struct fake_probe *probe)
{
	*probe = (struct fake_probe){.clock_ns = 1000, .stream = EVP_MD_CTX_new()};
}

void fake_probe_clear(struct fake_probe *probe)
{
	EVP_MD_CTX_free(probe->stream);
	free(probe->queue);
}

static void add(struct fake_probe *probe, const struct section_key *key, const char *content,
		uint64_t stat, bool always)
{
	struct fake_section *section = &probe->section[probe->count++];
	struct cbor_writer w;

	assert(probe->count <= FAKE_SECTIONS_MAX);
	cbor_writer_init(&w, section->key, sizeof(section->key));
	section_key_encode(&w, key);
	section->key_len = w.len;
	section->content = content;
	section->stat = stat;
	section->always = always;
}

void fake_probe_tree(struct fake_probe *probe, const char *dir, const char *content, uint64_t stat,
		     bool always)
{
	struct section_key key = section_key_make(SECTION_TREE, bytes_from_string(dir),
						  BYTES_LITERAL(""), BYTES_LITERAL(""),
						  BYTES_LITERAL(""));

	add(probe, &key, content, stat, always);
}

void fake_probe_package(struct fake_probe *probe, const char *name, const char *content,
			uint64_t stat)
{
	struct section_key key = section_key_make(SECTION_PACKAGE, BYTES_LITERAL("dpkg"),
						  bytes_from_string(name), BYTES_LITERAL("1"),
						  BYTES_LITERAL("all"));

	add(probe, &key, content, stat, false);
}

void fake_probe_rpm(struct fake_probe *probe, enum section_kind kind, const char *content,
		    uint64_t stat)
{
	struct section_key key = section_key_make(kind, BYTES_LITERAL("rpm"), BYTES_LITERAL("old"),
						  BYTES_LITERAL("0:1-1"), BYTES_LITERAL("i386"));

	add(probe, &key, content, stat, false);
}

void fake_probe_start(struct fake_probe *probe)
{
	struct cbor_writer w;

	cbor_writer_init(&w, probe->hello, sizeof(probe->hello));
	hello_encode(&w, &(struct hello){.version = probe->fault == FAKE_OTHER_VERSION
							    ? PROTOCOL_VERSION + 1
							    : PROTOCOL_VERSION,
					 .arch = BYTES_LITERAL("x86_64"),
					 .clock_ns = probe->clock_ns});
	probe->hello_len = w.len;
	put(probe, &w);
}

static void send_root(struct fake_probe *probe)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct root root = {.sections = (uint32_t)probe->count};
	struct cbor_writer w;
	uint8_t buffer[64], stat[8];
	unsigned len;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (size_t i = 0; i < probe->count; i++) {
		for (unsigned b = 0; b < 8; b++) {
			stat[b] = (uint8_t)(probe->section[i].stat >> (56 - 8 * b));
		}
		EVP_DigestUpdate(context, probe->section[i].key, probe->section[i].key_len);
		EVP_DigestUpdate(context, stat, sizeof(stat));
	}
	EVP_DigestFinal_ex(context, root.stat_root.bytes, &len);
	EVP_MD_CTX_free(context);
	cbor_writer_init(&w, buffer, sizeof(buffer));
	root_encode(&w, &root);
	put(probe, &w);
}

static void on_plan(struct fake_probe *probe, struct bytes payload)
{
	assert(plan_decode(payload, &probe->plan));
	if (probe->fault == FAKE_REPLAYED_STREAM) {
		probe->plan.nonce[0] ^= 1;
	}
	EVP_DigestInit_ex(probe->stream, EVP_sha256(), NULL);
	EVP_DigestUpdate(probe->stream, probe->plan.nonce, NONCE_SIZE);
	EVP_DigestUpdate(probe->stream, probe->hello, probe->hello_len);
	probe->has_plan = true;
	send_root(probe);
}

static struct bytes content_of(const struct fake_section *section)
{
	size_t len = section->content_len ? section->content_len : strlen(section->content);

	return bytes_make(section->content, len);
}

static void sha256_of(struct bytes data, struct digest *digest)
{
	int failed = conversation_sha256(data, digest, NULL);

	assert(!failed);
}

static void content_digest(const struct fake_section *section, struct digest *digest)
{
	sha256_of(content_of(section), digest);
}

static bool is_due(const struct fake_probe *probe, const struct fake_section *section)
{
	return section->always ||
	       (probe->plan.slice_of > 0 &&
		siphash(probe->plan.slice_key, bytes_make(section->key, section->key_len)) %
				probe->plan.slice_of ==
			probe->plan.slice_part);
}

static void send_proof(struct fake_probe *probe)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct proof proof = {0};
	struct cbor_writer w;
	uint8_t buffer[64];
	unsigned len;

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (size_t i = 0; i < probe->count; i++) {
		struct digest digest;

		if (!is_due(probe, &probe->section[i])) {
			continue;
		}
		content_digest(&probe->section[i], &digest);
		EVP_DigestUpdate(context, probe->section[i].key, probe->section[i].key_len);
		EVP_DigestUpdate(context, digest.bytes, DIGEST_SIZE);
		proof.sections++;
	}
	EVP_DigestFinal_ex(context, proof.content_root.bytes, &len);
	EVP_MD_CTX_free(context);
	probe->asked_same = true;
	cbor_writer_init(&w, buffer, sizeof(buffer));
	proof_encode(&w, &proof);
	put(probe, &w);
}

/* Two messages, so that a list that goes on is met. */
static void send_list(struct fake_probe *probe)
{
	size_t half = probe->count / 2;
	uint8_t buffer[16384];
	struct cbor_writer w;

	probe->lists++;
	for (int part = 0; part < 2; part++) {
		size_t first = part == 0 ? 0 : half, end = part == 0 ? half : probe->count;

		cbor_writer_init(&w, buffer, sizeof(buffer));
		list_begin(&w,
			   (uint32_t)(probe->fault == FAKE_WRONG_FIRST && part ? first + 1 : first),
			   (uint32_t)(end - first), part == 1);
		for (size_t i = first; i < end; i++) {
			size_t at = probe->fault == FAKE_UNORDERED_LIST ? probe->count - 1 - i : i;
			const struct fake_section *s = &probe->section[at];
			struct list_item item = {bytes_make(s->key, s->key_len), s->stat,
						 s->always};

			if (probe->fault == FAKE_UNKNOWN_SECTION && i == 0) {
				item.key = BYTES_LITERAL("\x81\x45other");
			}
			list_item_encode(&w, &item);
		}
		put(probe, &w);
	}
}

static void send_digest(struct fake_probe *probe, uint32_t index, bool md5)
{
	struct digest_message m = {.index = index, .settled = true, .has_md5 = md5};
	const struct fake_section *section = &probe->section[index];
	uint8_t buffer[256];
	struct cbor_writer w;

	content_digest(section, &m.content);
	m.stat = section->stat;
	m.size = probe->fault == FAKE_GIANT_SECTION ? CONVERSATION_SECTION_MAX + 1
						    : content_of(section).len;
	m.has_md5 = md5 || probe->fault == FAKE_MD5_NOT_ASKED;
	if (m.has_md5) {
		probe->md5_made++;
		sha256_of(BYTES_LITERAL("md5s"), &m.md5);
		m.md5_size = 4;
	}
	if (probe->fault == FAKE_DIGEST_NOT_ASKED) {
		m.index++;
	}
	probe->hashed++;
	cbor_writer_init(&w, buffer, sizeof(buffer));
	digest_encode(&w, &m);
	put(probe, &w);
	if (probe->fault == FAKE_DIGEST_TWICE) {
		put(probe, &w);
	}
}

static void on_hash(struct fake_probe *probe, struct bytes payload)
{
	struct hash_reader reader;
	struct hash_run run;

	assert(hash_decode(payload, &reader));
	while (hash_next(&reader, &run)) {
		for (uint32_t i = 0; i < run.count; i++) {
			send_digest(probe, run.first + i, run.md5);
		}
	}
	assert(!reader.r.failed);
}

/* In two chunks, as a large section comes. */
static void send_object(struct fake_probe *probe, uint32_t index, bool md5)
{
	const char *later = probe->section[index].later;
	bool again = !md5 && later;
	struct bytes whole = md5     ? BYTES_LITERAL("md5s")
			     : again ? bytes_from_string(later)
				     : content_of(&probe->section[index]);
	const uint8_t *content = whole.data;
	size_t len = whole.len, half = len / 2;
	uint8_t buffer[4096];
	struct cbor_writer w;

	probe->objects_sent++;
	cbor_writer_init(&w, buffer, sizeof(buffer));
	object_encode(&w, &(struct object){index, md5, again, false, bytes_make(content, half)});
	put(probe, &w);
	if (probe->fault == FAKE_OBJECT_SHORTER && len > 0) {
		len--;
	}
	cbor_writer_init(&w, buffer, sizeof(buffer));
	object_encode(&w, &(struct object){index, md5, again, probe->fault != FAKE_OBJECT_LONGER,
					   bytes_make(content + half, len - half)});
	if (probe->fault == FAKE_OBJECT_ALTERED) {
		w.data[w.len - 1] ^= 1;
	}
	put(probe, &w);
	if (probe->fault == FAKE_OBJECT_LONGER) {
		cbor_writer_init(&w, buffer, sizeof(buffer));
		object_encode(&w, &(struct object){index, md5, again, true, BYTES_LITERAL("more")});
		put(probe, &w);
	}
}

static void send_end(struct fake_probe *probe);

static void on_want(struct fake_probe *probe, struct bytes payload)
{
	struct want_reader reader;
	struct want_item item;

	assert(want_decode(payload, &reader));
	if (probe->fault == FAKE_EARLY_END) {
		send_end(probe);
		return;
	}
	while (want_next(&reader, &item)) {
		uint32_t other = (item.index + 1) % (uint32_t)probe->count;

		send_object(probe, probe->fault == FAKE_OBJECT_NOT_WANTED ? other : item.index,
			    item.md5);
	}
	assert(!reader.r.failed);
}

static void send_end(struct fake_probe *probe)
{
	struct end end = {.sections = probe->hashed};
	uint8_t buffer[256];
	struct cbor_writer w;
	unsigned len;

	EVP_DigestFinal_ex(probe->stream, end.stream.bytes, &len);
	if (probe->fault == FAKE_WRONG_STREAM) {
		end.stream.bytes[5] ^= 1;
	}
	cbor_writer_init(&w, buffer, sizeof(buffer));
	end_encode(&w, &end);
	put(probe, &w);
}

static void send_flood(struct fake_probe *probe)
{
	uint8_t buffer[8192], path[4000];
	struct cbor_writer w;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	for (unsigned i = 0; i < probe->flood; i++) {
		cbor_writer_init(&w, buffer, sizeof(buffer));
		timeline_begin(&w, 1);
		timeline_item_encode(&w, &(struct timeline_item){.path = {path, sizeof(path)}});
		put(probe, &w);
	}
}

static void on_finish(struct fake_probe *probe)
{
	static const char *const checks[] = {"packages", "tree", "setid", "mounts"};
	enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };
	uint8_t buffer[256];
	struct cbor_writer w;

	send_flood(probe);
	cbor_writer_init(&w, buffer, sizeof(buffer));
	timeline_begin(&w, 1);
	timeline_item_encode(&w, &(struct timeline_item){.path = BYTES_LITERAL("/etc/motd")});
	put(probe, &w);
	cbor_writer_init(&w, buffer, sizeof(buffer));
	coverage_begin(&w, CHECKS);
	for (size_t i = 0; i < CHECKS; i++) {
		coverage_item_encode(&w,
				     &(struct coverage_item){.check = bytes_from_string(checks[i]),
							     .reason = BYTES_LITERAL("done")});
	}
	if (!probe->tells_nothing) {
		put(probe, &w);
	}
	send_end(probe);
}

void fake_probe_receive(struct fake_probe *probe, struct bytes payload)
{
	enum ask_mode mode;

	switch (message_type_of(payload)) {
	case MESSAGE_PLAN:
		on_plan(probe, payload);
		break;
	case MESSAGE_ASK:
		assert(ask_decode(payload, &mode));
		if (mode == ASK_SAME) {
			send_proof(probe);
		} else {
			send_list(probe);
		}
		break;
	case MESSAGE_HASH:
		on_hash(probe, payload);
		break;
	case MESSAGE_WANT:
		on_want(probe, payload);
		break;
	case MESSAGE_FINISH:
		on_finish(probe);
		break;
	default:
		assert(!"not a message of the controller's");
	}
	if (probe->fault == FAKE_NOISE) {
		uint8_t noise[] = {0x83, 0x18, 0x63, 0, 0};
		struct cbor_writer w = {noise, sizeof(noise), sizeof(noise), false};

		put(probe, &w);
	}
}

bool fake_probe_next(struct fake_probe *probe, struct bytes *payload)
{
	struct bytes rest =
		bytes_make(probe->queue + probe->queue_at, probe->queue_len - probe->queue_at);
	size_t taken;

	if (rest.len == 0) {
		return false;
	}
	assert(frame_split(rest, payload, &taken) == FRAME_WHOLE);
	probe->queue_at += taken;
	return true;
}
