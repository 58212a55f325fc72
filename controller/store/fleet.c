// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/fleet_private.h"

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, ENOMEM, "no memory");
}

/* Room for one more, or *item as it was and false. */
static bool grow(void **item, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *larger;

	if (count < *room) {
		return true;
	}
	larger = reallocarray(*item, more, size);
	if (!larger) {
		return false;
	}
	*item = larger;
	*room = more;
	return true;
}

int store_fleet_is_due(struct store *store, const struct store_run *run, bool *due,
		       struct error *err)
{
	int64_t compared = 0, before = 0, same = 0;

	/* A run that was killed may have changed something and not compared it. */
	if (db_number(&store->db, &compared, 0, err, "SELECT run FROM fleet WHERE id = 1", "") ||
	    db_number(&store->db, &before, 0, err, "SELECT max(id) FROM run WHERE id < ?", "i",
		      run->id) ||
	    db_number(&store->db, &same, 0, err, "SELECT 1 FROM run WHERE id = ? AND baseline = ?",
		      "it", before, run->commit ? run->commit : "")) {
		return -1;
	}
	/* Another baseline may have accepted what differs. */
	*due = store->fleet_moved || compared != before || same == 0;
	return 0;
}

static int add_host(struct store_fleet *fleet, sqlite3_stmt *stmt, struct error *err)
{
	const char *release = db_text(stmt, 3);
	int64_t snapshot = sqlite3_column_int64(stmt, 4), witness = sqlite3_column_int64(stmt, 5);
	void *hosts = fleet->host, *alike = fleet->alike;
	bool same_release = false, is_alike = false;
	const char *kept = NULL;
	struct alike_host *host;
	struct alike *last;

	if (!grow(&hosts, &fleet->host_room, fleet->host_count, sizeof(*fleet->host)) ||
	    !grow(&alike, &fleet->alike_room, fleet->alike_count, sizeof(*fleet->alike))) {
		fleet->host = hosts;
		return no_memory(err);
	}
	fleet->host = hosts;
	fleet->alike = alike;
	if (fleet->alike_count > 0) {
		const struct alike *before = &fleet->alike[fleet->alike_count - 1];

		same_release = strcmp(before->release, release) == 0;
		kept = before->release;
		is_alike = same_release && before->snapshot == snapshot &&
			   before->witness == witness;
	}
	if (!is_alike) {
		fleet->alike[fleet->alike_count++] = (struct alike){
			.release = same_release ? kept : arena_string(&fleet->arena, release),
			.snapshot = snapshot,
			.witness = witness,
			.first_host = fleet->host_count,
		};
	}
	last = &fleet->alike[fleet->alike_count - 1];
	last->hosts++;
	host = &fleet->host[fleet->host_count++];
	*host = (struct alike_host){
		.name = arena_string(&fleet->arena, db_text(stmt, 1)),
		.id = sqlite3_column_int64(stmt, 0),
		.complete = sqlite3_column_int64(stmt, 2),
		.vouched = arena_string(&fleet->arena, db_text(stmt, 6)),
		.has_findings = sqlite3_column_int(stmt, 7) != 0,
	};
	return host->name && host->vouched && last->release ? 0 : no_memory(err);
}

static int load_hosts(struct store *store, struct store_fleet *fleet, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	bool row = true;
	int result;

	result =
		db_start(&store->db, &stmt, err,
			 "WITH told (host) AS (SELECT DISTINCT i.host FROM interval i JOIN finding "
			 "f ON f.id = i.finding WHERE i.until_run IS NULL AND f.rule >= 'fleet.' "
			 "AND f.rule < 'fleet/') "
			 "SELECT h.id, h.name, h.complete, w.release, r.snapshot, w.witness, "
			 "w.fleet, h.id IN told FROM host_witness w JOIN host h ON h.id = w.host "
			 "JOIN host_run r ON r.id = h.complete WHERE w.release <> '' "
			 "ORDER BY w.release, r.snapshot, w.witness, h.name",
			 "");
	while (result == 0 && (result = db_next(&store->db, stmt, &row, err)) == 0 && row) {
		result = add_host(fleet, stmt, err);
	}
	db_end(stmt);
	return result;
}

/* The sections of hosts that are alike, and what judged them. */
static int load_alike(struct store *store, struct store_fleet *fleet, const struct alike *alike,
		      struct error *err)
{
	struct snapshot_store s = store_snapshots(store);

	if (snapshot_load(&s, alike->snapshot, &fleet->pairs, err)) {
		return -1;
	}
	fleet->has_installs = false;
	for (size_t i = 0; i < fleet->pairs.count && !fleet->has_installs; i++) {
		fleet->has_installs = store->names.key[fleet->pairs.item[i].key].kind ==
				      SECTION_INSTALLS;
	}
	if (fleet->pairs.count > fleet->judged_room || !fleet->judged) {
		size_t room = fleet->pairs.count + 1024;

		free(fleet->judged);
		fleet->judged = calloc(room, sizeof(*fleet->judged));
		fleet->judged_room = fleet->judged ? room : 0;
		if (!fleet->judged) {
			return no_memory(err);
		}
	}
	return witness_load(store, alike->witness, fleet->judged, fleet->pairs.count, err);
}

/*
 * What hosts are compared by. rpm's claims only where [installs] stands beside them: up to protocol
 * 3 they had what is each host's own.
 */
static bool is_compared(const struct store *store, const struct store_fleet *fleet, uint32_t key)
{
	const struct names *names = &store->names;
	struct section_key decoded;

	if (names->key[key].kind != SECTION_CLAIMS) {
		return names->key[key].kind == SECTION_PACKAGE;
	}
	return fleet->has_installs || (section_key_decode(names->key[key].encoded, &decoded) &&
				       !bytes_equal_string(decoded.part[1], "rpm"));
}

static struct slot *find_slot(const struct counting *c, struct pair pair)
{
	uint32_t at = c->head[pair.key];

	while (at != 0 && c->slot[at - 1].object != pair.object) {
		at = c->slot[at - 1].next;
	}
	return at != 0 ? &c->slot[at - 1] : NULL;
}

static struct slot *add_slot(struct counting *c, struct pair pair)
{
	void *slots = c->slot;
	struct slot *slot;

	if (!grow(&slots, &c->room, c->count, sizeof(*c->slot))) {
		return NULL;
	}
	c->slot = slots;
	slot = &c->slot[c->count++];
	*slot = (struct slot){
		.object = pair.object, .next = c->head[pair.key], .witness = WITNESS_RULE};
	if (c->head[pair.key] == 0) {
		c->key[c->key_count++] = pair.key;
	}
	c->head[pair.key] = (uint32_t)c->count;
	return slot;
}

static int count_alike(struct store *store, struct store_fleet *fleet, const struct alike *alike,
		       struct error *err)
{
	struct counting *c = &fleet->counting;

	if (load_alike(store, fleet, alike, err)) {
		return -1;
	}
	for (size_t i = 0; i < fleet->pairs.count; i++) {
		const struct judged_package *judged = &fleet->judged[i];
		struct pair pair = fleet->pairs.item[i];
		struct slot *slot;

		if (!is_compared(store, fleet, pair.key)) {
			continue;
		}
		slot = find_slot(c, pair);
		slot = slot ? slot : add_slot(c, pair);
		if (!slot) {
			return no_memory(err);
		}
		slot->hosts += alike->hosts;
		if (!judged->is_judged || judged->witness > slot->witness) {
			continue;
		}
		slot->differs = judged->differs ||
				(slot->differs && judged->witness == slot->witness);
		slot->witness = judged->witness;
	}
	return 0;
}

/* Most hosts first; a total order, so that the same fleet gives the same sides. */
static int by_hosts(const void *left, const void *right, void *context)
{
	const struct names *names = context;
	const struct slot *a = *(struct slot *const *)left, *b = *(struct slot *const *)right;

	if (a->hosts != b->hosts) {
		return a->hosts > b->hosts ? -1 : 1;
	}
	return memcmp(&names->object[a->object], &names->object[b->object], DIGEST_SIZE);
}

static int add_group(struct store *store, struct store_fleet *fleet, uint32_t key,
		     const char *release, struct slot **sorted, size_t count, size_t hosts,
		     struct error *err)
{
	struct fleet_side *side = arena_alloc(&fleet->arena, count * sizeof(*side));
	void *groups = fleet->group;
	struct fleet_group *group;

	if (!side || !grow(&groups, &fleet->group_room, fleet->group_count, sizeof(*group))) {
		return no_memory(err);
	}
	fleet->group = groups;
	group = &fleet->group[fleet->group_count];
	*group = (struct fleet_group){
		.release = bytes_from_string(release),
		.side = side,
		.count = count,
		.hosts = hosts,
	};
	for (size_t i = 0; i < count; i++) {
		side[i] = (struct fleet_side){
			.content = store->names.object[sorted[i]->object],
			.hosts = sorted[i]->hosts,
			.witness = sorted[i]->witness,
			.differs = sorted[i]->differs,
		};
		sorted[i]->side = i;
	}
	if (!section_key_decode(store->names.key[key].encoded, &group->key)) {
		return store_damaged(store, "key", key, err);
	}
	fleet->counting.group[key] = (uint32_t)++fleet->group_count;
	return 0;
}

/* One key of one release: is it a group, and what do most have? */
static int decide(struct store *store, struct store_fleet *fleet, uint32_t key, const char *release,
		  struct error *err)
{
	struct counting *c = &fleet->counting;
	struct slot *few[8] = {NULL}, **sorted = few;
	size_t count = 0, hosts = 0;
	int result = 0;

	for (uint32_t at = c->head[key]; at != 0; at = c->slot[at - 1].next) {
		hosts += c->slot[at - 1].hosts;
		count++;
	}
	if (count > sizeof(few) / sizeof(few[0])) {
		sorted = calloc(count, sizeof(struct slot *));
		if (!sorted) {
			return no_memory(err);
		}
	}
	count = 0;
	for (uint32_t at = c->head[key]; at != 0; at = c->slot[at - 1].next) {
		sorted[count++] = &c->slot[at - 1];
	}
	if (count > 1) {
		qsort_r(sorted, count, sizeof(struct slot *), by_hosts, &store->names);
	}
	assert(sorted[0]); /* a listed key has a head */
	sorted[0]->agreed = hosts >= FLEET_HOSTS_MIN && sorted[0]->hosts > hosts / 2;
	if (count > 1 || (sorted[0]->differs && sorted[0]->witness <= WITNESS_MANIFEST)) {
		result = add_group(store, fleet, key, release, sorted, count, hosts, err);
	}
	if (sorted != few) {
		free(sorted);
	}
	return result;
}

/* Where hosts that are alike stand, and what the fleet vouches for on each of them. */
static int place_alike(struct store *store, struct store_fleet *fleet, struct alike *alike,
		       struct error *err)
{
	struct counting *c = &fleet->counting;
	const struct slot *slot;
	size_t count = 0;

	if (load_alike(store, fleet, alike, err)) {
		return -1;
	}
	for (size_t i = 0; i < fleet->pairs.count; i++) {
		const struct judged_package *judged = &fleet->judged[i];
		struct pair pair = fleet->pairs.item[i];

		if (!is_compared(store, fleet, pair.key)) {
			continue;
		}
		count += c->group[pair.key] != 0;
		slot = find_slot(c, pair);
		assert(slot); /* it was counted */
		if (judged->is_judged && judged->witness > WITNESS_FLEET && slot->agreed) {
			alike->vouched.packages_by_witness[judged->witness]++;
			alike->vouched.files_by_witness[judged->witness] += judged->files;
		}
	}
	alike->place = arena_alloc(&fleet->arena, (count + 1) * sizeof(*alike->place));
	if (!alike->place) {
		return no_memory(err);
	}
	for (size_t i = 0; count > 0 && i < fleet->pairs.count; i++) {
		struct pair pair = fleet->pairs.item[i];

		if (c->group[pair.key] != 0 && is_compared(store, fleet, pair.key)) {
			slot = find_slot(c, pair);
			assert(slot);
			alike->place[alike->place_count++] = (struct store_fleet_place){
				.group = c->group[pair.key] - 1U,
				.side = (uint32_t)slot->side,
				.witness = fleet->judged[i].is_judged ? fleet->judged[i].witness
								      : (uint8_t)WITNESS_RULE,
				.differs = fleet->judged[i].differs,
			};
		}
	}
	return 0;
}

/* Hosts from..to are of one release. */
static int compare_release(struct store *store, struct store_fleet *fleet, size_t from, size_t to,
			   struct error *err)
{
	struct counting *c = &fleet->counting;

	for (size_t i = from; i < to; i++) {
		if (count_alike(store, fleet, &fleet->alike[i], err)) {
			return -1;
		}
	}
	for (size_t i = 0; i < c->key_count; i++) {
		if (decide(store, fleet, c->key[i], fleet->alike[from].release, err)) {
			return -1;
		}
	}
	for (size_t i = from; i < to; i++) {
		if (place_alike(store, fleet, &fleet->alike[i], err)) {
			return -1;
		}
	}
	for (size_t i = 0; i < c->key_count; i++) {
		c->head[c->key[i]] = c->group[c->key[i]] = 0;
	}
	c->key_count = c->count = 0;
	return 0;
}

static int compare_all(struct store *store, struct store_fleet *fleet, struct error *err)
{
	struct counting *c = &fleet->counting;
	size_t keys = (size_t)store->names.key_last + 1, to;

	c->head = calloc(keys, sizeof(*c->head));
	c->group = calloc(keys, sizeof(*c->group));
	c->key = calloc(keys, sizeof(*c->key));
	if (!c->head || !c->group || !c->key) {
		return no_memory(err);
	}
	for (size_t from = 0; from < fleet->alike_count; from = to) {
		to = from + 1;
		while (to < fleet->alike_count &&
		       fleet->alike[to].release == fleet->alike[from].release) {
			to++;
		}
		if (compare_release(store, fleet, from, to, err)) {
			return -1;
		}
	}
	return 0;
}

int store_fleet_load(struct store *store, struct store_fleet **out, struct error *err)
{
	struct store_fleet *fleet = calloc(1, sizeof(*fleet));
	int result = -1;

	*out = NULL;
	if (!fleet) {
		return no_memory(err);
	}
	if (store_ready(store, err) == 0 && load_hosts(store, fleet, err) == 0 &&
	    compare_all(store, fleet, err) == 0) {
		result = 0;
	}
	free(fleet->counting.head);
	free(fleet->counting.group);
	free(fleet->counting.key);
	free(fleet->counting.slot);
	pairs_clear(&fleet->pairs);
	free(fleet->judged);
	fleet->judged = NULL;
	if (result) {
		store_fleet_free(fleet);
		return -1;
	}
	*out = fleet;
	return 0;
}

void store_fleet_free(struct store_fleet *fleet)
{
	if (!fleet) {
		return;
	}
	arena_clear(&fleet->arena);
	free(fleet->alike);
	free(fleet->host);
	free(fleet->group);
	free(fleet);
}

size_t store_fleet_count(const struct store_fleet *fleet)
{
	return fleet->group_count;
}

const struct fleet_group *store_fleet_group(const struct store_fleet *fleet, size_t index)
{
	return &fleet->group[index];
}
