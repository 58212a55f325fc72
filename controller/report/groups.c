// SPDX-License-Identifier: MIT
#include "controller/report/groups.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct member {
	struct group shown;
	char **host;
	size_t host_room;
	UT_hash_handle hh;
	char key[];
};

struct groups {
	struct member **item;
	size_t count, room;
	struct member *by_key;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

int groups_new(struct groups **groups, struct error *err)
{
	*groups = calloc(1, sizeof(**groups));
	return *groups ? 0 : out_of_memory(err);
}

void groups_free(struct groups *groups)
{
	if (!groups) {
		return;
	}
	HASH_CLEAR(hh, groups->by_key);
	for (size_t i = 0; i < groups->count; i++) {
		for (size_t h = 0; h < groups->item[i]->shown.host_count; h++) {
			free(groups->item[i]->host[h]);
		}
		free(groups->item[i]->host);
		free(groups->item[i]);
	}
	free(groups->item);
	free(groups);
}

static int find_or_make(struct groups *groups, const char *key, int rank, struct member **member,
			struct error *err)
{
	size_t len = strlen(key);

	HASH_FIND(hh, groups->by_key, key, len, *member);
	if (*member) {
		return 0;
	}
	if (groups->count == groups->room) {
		size_t room = groups->room ? groups->room * 2 : 16;
		struct member **grown = realloc(groups->item, room * sizeof(struct member *));

		if (!grown) {
			return out_of_memory(err);
		}
		groups->item = grown;
		groups->room = room;
	}
	*member = calloc(1, sizeof(**member) + len + 1);
	if (!*member) {
		return out_of_memory(err);
	}
	memcpy((*member)->key, key, len);
	(*member)->shown.rank = rank;
	groups->item[groups->count++] = *member;
	HASH_ADD_KEYPTR(hh, groups->by_key, (*member)->key, len, *member);
	return (*member)->hh.tbl ? 0 : out_of_memory(err);
}

int groups_add(struct groups *groups, const char *key, int rank, const char *host, uint64_t amount,
	       struct error *err)
{
	struct member *member;
	size_t count;
	char *copy;

	if (find_or_make(groups, key, rank, &member, err) < 0) {
		return -1;
	}
	member->shown.amount += amount;
	count = member->shown.host_count;
	if (count > 0 && strcmp(member->host[count - 1], host) == 0) {
		return 0;
	}
	if (count == member->host_room) {
		size_t room = count ? count * 2 : 4;
		char **grown = realloc(member->host, room * sizeof(char *));

		if (!grown) {
			return out_of_memory(err);
		}
		member->host = grown;
		member->host_room = room;
	}
	copy = strdup(host);
	if (!copy) {
		return out_of_memory(err);
	}
	member->host[member->shown.host_count++] = copy;
	return 0;
}

int groups_count(struct groups *groups, const char *key, int rank, uint64_t *amount,
		 struct error *err)
{
	struct member *member;

	if (find_or_make(groups, key, rank, &member, err) < 0) {
		return -1;
	}
	*amount = ++member->shown.amount;
	return 0;
}

static int compare(const void *x, const void *y)
{
	const struct member *a = *(struct member *const *)x, *b = *(struct member *const *)y;

	if (a->shown.rank != b->shown.rank) {
		return a->shown.rank < b->shown.rank ? -1 : 1;
	}
	if (a->shown.host_count != b->shown.host_count) {
		return a->shown.host_count > b->shown.host_count ? -1 : 1;
	}
	return strcmp(a->key, b->key);
}

void groups_sort(struct groups *groups)
{
	if (groups->count > 0) {
		qsort(groups->item, groups->count, sizeof(struct member *), compare);
	}
}

const struct group *groups_at(const struct groups *groups, size_t index)
{
	struct member *member = index < groups->count ? groups->item[index] : NULL;

	if (!member) {
		return NULL;
	}
	member->shown.key = member->key;
	member->shown.hosts = (const char *const *)member->host;
	return &member->shown;
}
