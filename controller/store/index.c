// SPDX-License-Identifier: MIT
#include "controller/store/index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int index_init(struct index *index, struct error *err)
{
	*index = (struct index){0};
	if (getrandom(index->seed, sizeof(index->seed), 0) != (ssize_t)sizeof(index->seed)) {
		return error_set(err, ERROR_SYSTEM, errno, "no random numbers");
	}
	return 0;
}

void index_clear(struct index *index)
{
	free(index->slot);
	*index = (struct index){0};
}

__extension__ typedef unsigned __int128 wide;

/* Both halves of the 128-bit product, folded: every bit of both factors reaches every bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t index_hash(const struct index *index, struct bytes key)
{
	uint64_t h = index->seed[0] ^ key.len;
	const uint8_t *p = key.data;
	size_t left = key.len;

	while (left > 0) {
		uint64_t word[2] = {0, 0};
		size_t n = left < sizeof(word) ? left : sizeof(word);

		memcpy(word, p, n);
		h = fold(h ^ word[0] ^ index->seed[1], h ^ word[1] ^ 0x9e3779b97f4a7c15U);
		p += n;
		left -= n;
	}
	return fold(h ^ index->seed[1], 0xd6e8feb86659fd93U ^ index->seed[0]);
}

/* The tag alone says where a slot starts to look, so that growing needs no key. */
uint32_t index_candidate(const struct index *index, uint64_t hash, size_t *at)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	while (*at < index->slots) {
		const struct index_slot *slot = &index->slot[(tag + *at) & (index->slots - 1)];

		(*at)++;
		if (slot->id == 0) {
			break;
		}
		if (slot->tag == tag) {
			return slot->id;
		}
	}
	return 0;
}

static void insert(struct index_slot *slot, size_t slots, struct index_slot value)
{
	size_t at = value.tag & (slots - 1);

	while (slot[at].id != 0) {
		at = (at + 1) & (slots - 1);
	}
	slot[at] = value;
}

static int grow(struct index *index, struct error *err)
{
	size_t slots = index->slots ? index->slots * 2 : 1024;
	struct index_slot *slot = calloc(slots, sizeof(*slot));

	if (!slot) {
		return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
	}
	for (size_t i = 0; i < index->slots; i++) {
		if (index->slot[i].id != 0) {
			insert(slot, slots, index->slot[i]);
		}
	}
	free(index->slot);
	index->slot = slot;
	index->slots = slots;
	return 0;
}

int index_add(struct index *index, uint64_t hash, uint32_t id, struct error *err)
{
	assert(id != 0);
	if ((index->used + 1) * 5 > index->slots * 3 && grow(index, err)) {
		return -1;
	}
	insert(index->slot, index->slots,
	       (struct index_slot){.id = id, .tag = (uint32_t)(hash >> 32)});
	index->used++;
	return 0;
}
