// SPDX-License-Identifier: MIT
/* The incremental night: what an unchanged host will answer, from the last observation of it. */
#include "controller/fleet/conversation_private.h"

#include <assert.h>
#include <stdlib.h>

#include "schema/siphash.h"

/* By the bytes of their encoding: keys of five parts, the first of which is the kind. */
bool section_is_md5(struct bytes key)
{
	static const uint8_t head[] = {0x85, 0x43, 'm', 'd', '5'};

	return bytes_has_prefix(key, bytes_make(head, sizeof(head)));
}

static bool is_header(struct bytes key)
{
	static const uint8_t head[] = {0x85, 0x46, 'h', 'e', 'a', 'd', 'e', 'r'};

	return bytes_has_prefix(key, bytes_make(head, sizeof(head)));
}

static bool in_slice(const struct plan *plan, struct bytes key)
{
	return plan->slice_of > 0 &&
	       siphash(plan->slice_key, key) % plan->slice_of == plan->slice_part;
}

bool section_is_stale(const struct conversation_plan *plan, int64_t read_s)
{
	return plan->max_age_s > 0 && plan->now_s - read_s >= plan->max_age_s;
}

bool section_is_due(const struct plan *plan, struct bytes key, bool always)
{
	return plan->full || always || in_slice(plan, key);
}

static void put_be64(uint64_t value, uint8_t to[8])
{
	for (unsigned i = 0; i < 8; i++) {
		to[i] = (uint8_t)(value >> (56 - 8 * i));
	}
}

/* A digest fed by the piece: libcrypto's price is by the call where pieces are small. */
struct root_digest {
	EVP_MD_CTX *context;
	size_t len;
	bool failed;
	uint8_t data[4096];
};

static void root_init(struct root_digest *root)
{
	root->len = 0;
	root->context = EVP_MD_CTX_new();
	root->failed = !root->context || EVP_DigestInit_ex(root->context, EVP_sha256(), NULL) != 1;
}

static void root_flush(struct root_digest *root)
{
	root->failed = root->failed || EVP_DigestUpdate(root->context, root->data, root->len) != 1;
	root->len = 0;
}

static void root_add(struct root_digest *root, struct bytes key, const uint8_t *value, size_t len)
{
	assert(key.len <= SECTION_KEY_MAX && len <= DIGEST_SIZE);
	if (key.len + len > sizeof(root->data) - root->len) {
		root_flush(root);
	}
	memcpy(root->data + root->len, key.data, key.len);
	memcpy(root->data + root->len + key.len, value, len);
	root->len += key.len + len;
}

static bool root_end(struct root_digest *root, struct digest *digest)
{
	unsigned len = DIGEST_SIZE;

	root_flush(root);
	root->failed = root->failed || EVP_DigestFinal_ex(root->context, digest->bytes, &len) != 1;
	EVP_MD_CTX_free(root->context);
	return !root->failed;
}

int conversation_stat_root(const struct observation *o, struct digest *root, bool *whole,
			   struct error *err)
{
	struct root_digest stats;

	*whole = true;
	root_init(&stats);
	for (size_t i = 0; i < o->section_count; i++) {
		const struct observed_section *s = &o->sections[i];
		uint8_t stat[8];

		if (section_is_md5(s->key)) {
			continue;
		}
		*whole = *whole && s->stat != 0;
		put_be64(s->stat, stat);
		root_add(&stats, s->key, stat, sizeof(stat));
	}
	return root_end(&stats, root) ? 0 : no_memory(err);
}

void foreseen_clear(struct foreseen *foreseen)
{
	free(foreseen->due);
	foreseen->due = NULL;
}

/* What is not read this night keeps its time. */
static void foresee_age(const struct conversation_plan *plan, int64_t read_s, struct foreseen *f)
{
	f->oldest_s = read_s < f->oldest_s ? read_s : f->oldest_s;
	f->stale += section_is_stale(plan, read_s);
}

static void foresee_section(const struct conversation_plan *plan, const struct last_look *last,
			    size_t index, struct root_digest *contents, struct foreseen *f)
{
	struct look_section s = last->section(last->context, index);
	bool due;

	if (section_is_md5(s.key)) {
		foresee_age(plan, s.read_s, f);
		return;
	}
	due = section_is_due(&plan->plan, s.key, s.always);
	f->has_headers = f->has_headers || is_header(s.key);
	f->usable = f->usable && (due || !section_is_stale(plan, s.read_s));
	f->sections++;
	if (due) {
		f->proved++;
		f->due[index / 8] |= (uint8_t)(1U << index % 8);
		root_add(contents, s.key, last->content(last->context, index)->bytes, DIGEST_SIZE);
	} else {
		foresee_age(plan, s.read_s, f);
	}
}

int conversation_foresee(const struct conversation_plan *plan, const struct last_look *last,
			 struct foreseen *f, struct error *err)
{
	struct root_digest contents;

	*f = (struct foreseen){.oldest_s = INT64_MAX};
	if (!last) {
		return 0;
	}
	f->due = calloc(last->section_count / 8 + 1, 1);
	if (!f->due) {
		return no_memory(err);
	}
	f->known = true;
	f->usable = last->stat_root != NULL;
	f->stat_root = last->stat_root ? *last->stat_root : (struct digest){{0}};
	f->section_count = last->section_count;
	f->clock_ns = last->clock_ns;
	root_init(&contents);
	for (size_t i = 0; i < last->section_count; i++) {
		foresee_section(plan, last, i, &contents, f);
	}
	return root_end(&contents, &f->content_root) ? 0 : no_memory(err);
}

static struct look_section section_of_observation(const void *context, size_t index)
{
	const struct observed_section *s = &((const struct observation *)context)->sections[index];

	return (struct look_section){s->key, s->read_s, s->always};
}

static const struct digest *content_of_observation(const void *context, size_t index)
{
	return &((const struct observation *)context)->sections[index].content;
}

int conversation_foresee_loaded(const struct conversation_plan *plan, struct foreseen *f,
				struct error *err)
{
	const struct observation *o = plan->last;
	struct last_look last = {
		.section = section_of_observation, .content = content_of_observation, .context = o};
	struct digest root;
	bool whole;

	if (!o) {
		return conversation_foresee(plan, NULL, f, err);
	}
	*f = (struct foreseen){0};
	if (conversation_stat_root(o, &root, &whole, err) != 0) {
		return -1;
	}
	last.section_count = o->section_count;
	last.clock_ns = o->hello.clock_ns;
	last.stat_root = whole ? &root : NULL;
	return conversation_foresee(plan, &last, f, err);
}
