// SPDX-License-Identifier: MIT
#include "controller/report/changes.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct key {
	char id[FINGERPRINT_SIZE];
	char state;
	char ack[22]; /* as much of it as tells acks apart */
};

struct entry {
	struct key key;
	struct finding finding;
	struct change shown;
	const char **host;
	size_t host_room;
	char *ack; /* id and reason */
	UT_hash_handle hh;
	uint8_t bytes[]; /* what the finding points to */
};

/* A host's name is kept once, however many findings it has. */
struct host_name {
	UT_hash_handle hh;
	char name[];
};

struct changes {
	struct entry **item;
	size_t count, room;
	struct entry *by_key;
	struct host_name *hosts;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "out of memory");
}

int changes_new(struct changes **changes, struct error *err)
{
	*changes = calloc(1, sizeof(**changes));
	return *changes ? 0 : out_of_memory(err);
}

void changes_free(struct changes *changes)
{
	struct host_name *host, *next;

	if (!changes) {
		return;
	}
	HASH_CLEAR(hh, changes->by_key);
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->item[i]->host);
		free(changes->item[i]->ack);
		free(changes->item[i]);
	}
	host = changes->hosts;
	HASH_CLEAR(hh, changes->hosts);
	for (; host; host = next) {
		next = host->hh.next;
		free(host);
	}
	free(changes->item);
	free(changes);
}

static const char *keep_host(struct changes *changes, const char *name)
{
	size_t len = strlen(name);
	struct host_name *host;

	HASH_FIND(hh, changes->hosts, name, len, host);
	if (host) {
		return host->name;
	}
	host = calloc(1, sizeof(*host) + len + 1);
	if (!host) {
		return NULL;
	}
	memcpy(host->name, name, len);
	HASH_ADD_KEYPTR(hh, changes->hosts, host->name, len, host);
	if (!host->hh.tbl) {
		free(host);
		return NULL;
	}
	return host->name;
}

/* Copies `from` behind `*used` bytes of the entry. */
static struct bytes keep_bytes(struct entry *entry, size_t *used, struct bytes from)
{
	struct bytes kept = bytes_make(entry->bytes + *used, from.len);

	if (from.len > 0) {
		memcpy(entry->bytes + *used, from.data, from.len);
	}
	*used += from.len;
	return kept;
}

static struct entry *make_entry(const struct finding *finding, const struct change_ack *ack)
{
	struct entry *entry = calloc(1, sizeof(*entry) + finding->subject.len +
						finding->package.len + finding->old_value.len +
						finding->new_value.len + finding->detail.len);
	size_t id_size = strlen(ack->id) + 1, reason_size = strlen(ack->reason) + 1, used = 0;

	if (!entry) {
		return NULL;
	}
	entry->ack = malloc(id_size + reason_size);
	if (!entry->ack) {
		free(entry);
		return NULL;
	}
	memcpy(entry->ack, ack->id, id_size);
	memcpy(entry->ack + id_size, ack->reason, reason_size);
	entry->shown.ack = (struct change_ack){
		.id = entry->ack, .reason = entry->ack + id_size, .until_s = ack->until_s};
	entry->finding = *finding;
	entry->finding.subject = keep_bytes(entry, &used, finding->subject);
	entry->finding.package = keep_bytes(entry, &used, finding->package);
	entry->finding.old_value = keep_bytes(entry, &used, finding->old_value);
	entry->finding.new_value = keep_bytes(entry, &used, finding->new_value);
	entry->finding.detail = keep_bytes(entry, &used, finding->detail);
	return entry;
}

static int find_or_make(struct changes *changes, const struct finding *finding,
			const struct change_ack *ack, struct entry **entry, struct error *err)
{
	struct key key;

	memset(&key, 0, sizeof(key));
	(void)strncpy(key.id, finding->id, sizeof(key.id) - 1);
	key.state = (char)finding->state;
	(void)strncpy(key.ack, ack->id, sizeof(key.ack) - 1);
	HASH_FIND(hh, changes->by_key, &key, sizeof(key), *entry);
	if (*entry) {
		return 0;
	}
	if (changes->count == changes->room) {
		size_t room = changes->room ? changes->room * 2 : 64;
		struct entry **grown = realloc(changes->item, room * sizeof(struct entry *));

		if (!grown) {
			return out_of_memory(err);
		}
		changes->item = grown;
		changes->room = room;
	}
	*entry = make_entry(finding, ack);
	if (!*entry) {
		return out_of_memory(err);
	}
	(*entry)->key = key;
	changes->item[changes->count++] = *entry;
	HASH_ADD(hh, changes->by_key, key, sizeof(key), *entry);
	return (*entry)->hh.tbl ? 0 : out_of_memory(err);
}

int changes_add(struct changes *changes, const char *host, const struct finding *finding,
		int64_t first_seen_s, const struct change_ack *ack, struct error *err)
{
	static const struct change_ack none = {.id = "", .reason = ""};
	const char *name = keep_host(changes, host);
	struct entry *entry;

	if (!name) {
		return out_of_memory(err);
	}
	if (find_or_make(changes, finding, ack ? ack : &none, &entry, err) < 0) {
		return -1;
	}
	if (entry->shown.host_count == entry->host_room) {
		size_t room = entry->host_room ? entry->host_room * 2 : 4;
		const char **grown = realloc(entry->host, room * sizeof(*grown));

		if (!grown) {
			return out_of_memory(err);
		}
		entry->host = grown;
		entry->host_room = room;
	}
	entry->host[entry->shown.host_count++] = name;
	if (first_seen_s != 0 &&
	    (entry->shown.first_seen_s == 0 || first_seen_s < entry->shown.first_seen_s)) {
		entry->shown.first_seen_s = first_seen_s;
	}
	return 0;
}

static int compare(const void *x, const void *y)
{
	const struct entry *a = *(struct entry *const *)x, *b = *(struct entry *const *)y;
	int order;

	if (a->finding.severity != b->finding.severity) {
		return a->finding.severity > b->finding.severity ? -1 : 1;
	}
	if (a->shown.host_count != b->shown.host_count) {
		return a->shown.host_count > b->shown.host_count ? -1 : 1;
	}
	order = bytes_path_compare(a->finding.subject, b->finding.subject);
	return order != 0 ? order : memcmp(&a->key, &b->key, sizeof(a->key));
}

void changes_sort(struct changes *changes)
{
	if (changes->count > 0) {
		qsort(changes->item, changes->count, sizeof(struct entry *), compare);
	}
}

size_t changes_count(const struct changes *changes)
{
	return changes->count;
}

const struct change *changes_at(struct changes *changes, size_t index)
{
	struct entry *entry = index < changes->count ? changes->item[index] : NULL;

	if (!entry) {
		return NULL;
	}
	entry->shown.finding = &entry->finding;
	entry->shown.hosts = entry->host;
	return &entry->shown;
}
