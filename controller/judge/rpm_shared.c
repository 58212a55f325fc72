// SPDX-License-Identifier: MIT
#include "controller/judge/rpm_shared.h"

#include <stdlib.h>

#include "controller/judge/cache.h"
#include "controller/judge/rpm_asked.h"
#include "controller/judge/unit.h"

/* Indexes are + 1; 0: none. */
struct shared_header {
	struct digest digest;
	uint32_t next;
	uint64_t host;                          /* the last one that was seen to have it */
	const struct observed_section *section; /* of that host */
};

struct shared_path {
	uint64_t hash;
	uint32_t header;
	uint32_t next;
};

struct rpm_shared {
	uint8_t seed[SIPHASH_KEY_SIZE];
	uint64_t host;
	struct shared_header *header;
	uint32_t header_count;
	uint32_t header_room; /* a power of two, as many slots */
	uint32_t *header_slot;
	struct shared_path *path;
	uint32_t path_count;
	uint32_t path_room;
	uint32_t *path_slot;
};

#define ROOM_MAX (1U << 30)
#define COLOR_MASK 0xfU
#define COLOR_ELF32 1U
#define COLOR_ELF64 2U

struct rpm_shared *rpm_shared_new(const uint8_t seed[SIPHASH_KEY_SIZE])
{
	struct rpm_shared *shared = calloc(1, sizeof(*shared));

	if (shared) {
		memcpy(shared->seed, seed, sizeof(shared->seed));
	}
	return shared;
}

void rpm_shared_free(struct rpm_shared *shared)
{
	if (shared) {
		free(shared->header);
		free(shared->header_slot);
		free(shared->path);
		free(shared->path_slot);
		free(shared);
	}
}

size_t rpm_shared_bytes(const struct rpm_shared *shared)
{
	return shared ? shared->header_room * (sizeof(*shared->header) + sizeof(uint32_t)) +
				shared->path_room * (sizeof(*shared->path) + sizeof(uint32_t))
		      : 0;
}

static uint64_t hash_digest(const struct rpm_shared *shared, const struct digest *digest)
{
	return siphash(shared->seed, bytes_make(digest->bytes, DIGEST_SIZE));
}

static bool grow_headers(struct rpm_shared *shared)
{
	uint32_t room = shared->header_room ? shared->header_room * 2 : 2048;
	uint32_t *slot;
	void *larger;

	if (shared->header_count < shared->header_room) {
		return true;
	}
	slot = room <= ROOM_MAX ? calloc(room, sizeof(*slot)) : NULL;
	larger = slot ? reallocarray(shared->header, room, sizeof(*shared->header)) : NULL;
	if (!larger) {
		free(slot);
		return false;
	}
	shared->header = larger;
	for (uint32_t i = 0; i < shared->header_count; i++) {
		uint64_t at = hash_digest(shared, &shared->header[i].digest) & (room - 1);

		shared->header[i].next = slot[at];
		slot[at] = i + 1;
	}
	free(shared->header_slot);
	shared->header_slot = slot;
	shared->header_room = room;
	return true;
}

static bool grow_paths(struct rpm_shared *shared, size_t more)
{
	uint32_t room = shared->path_room ? shared->path_room : 65536;
	uint32_t *slot;
	void *larger;

	while (room < ROOM_MAX && room - shared->path_count < more) {
		room *= 2;
	}
	if (room == shared->path_room) {
		return room - shared->path_count >= more;
	}
	slot = room - shared->path_count >= more ? calloc(room, sizeof(*slot)) : NULL;
	larger = slot ? reallocarray(shared->path, room, sizeof(*shared->path)) : NULL;
	if (!larger) {
		free(slot);
		return false;
	}
	shared->path = larger;
	for (uint32_t i = 0; i < shared->path_count; i++) {
		uint64_t at = shared->path[i].hash & (room - 1);

		shared->path[i].next = slot[at];
		slot[at] = i + 1;
	}
	free(shared->path_slot);
	shared->path_slot = slot;
	shared->path_room = room;
	return true;
}

static struct shared_header *find_header(const struct rpm_shared *shared,
					 const struct digest *digest)
{
	uint32_t at = shared->header_room > 0 ? shared->header_slot[hash_digest(shared, digest) &
								    (shared->header_room - 1)]
					      : 0;

	while (at != 0 && !digest_equal(&shared->header[at - 1].digest, digest)) {
		at = shared->header[at - 1].next;
	}
	return at != 0 ? &shared->header[at - 1] : NULL;
}

static struct shared_header *add_header(struct rpm_shared *shared, const struct digest *digest,
					const struct manifest *manifest)
{
	uint32_t *slot;

	if (!grow_headers(shared) || !grow_paths(shared, manifest->count)) {
		return NULL;
	}
	slot = &shared->header_slot[hash_digest(shared, digest) & (shared->header_room - 1)];
	shared->header[shared->header_count] =
		(struct shared_header){.digest = *digest, .next = *slot};
	*slot = ++shared->header_count;
	for (size_t i = 0; i < manifest->count; i++) {
		const struct entry *entry = &manifest->entries[i].entry;
		uint64_t hash = siphash(shared->seed, entry->path);

		if (entry->type == ENTRY_DIR) {
			continue;
		}
		slot = &shared->path_slot[hash & (shared->path_room - 1)];
		shared->path[shared->path_count] =
			(struct shared_path){hash, shared->header_count, *slot};
		*slot = ++shared->path_count;
	}
	return &shared->header[shared->header_count - 1];
}

static struct rpm_shared **holder(struct judge *j)
{
	return j->in->cache ? &j->in->cache->shared : &j->shared;
}

/* The package whose header the section is, if its signature proves it and the host's list names it. */
static int find_proved(struct judge *j, const struct packages *p,
		       const struct observed_section *section, const struct rpm_proof **proof,
		       struct section_key *key, struct error *err)
{
	struct one_package one = {.is_left = false};

	*proof = NULL;
	if (!section_key_decode(section->key, key)) {
		return 0;
	}
	one.key = *key;
	if (!installed_has(&p->now, &one)) {
		return 0;
	}
	if (j->in->proofs->find(j->in->proofs->context, &section->content, proof, err) < 0) {
		return -1;
	}
	*proof = rpm_proves(*proof, key) ? *proof : NULL;
	return 0;
}

static int mark(struct judge *j, const struct packages *p, struct rpm_shared *shared,
		const struct observed_section *section, struct error *err)
{
	struct shared_header *header = find_header(shared, &section->content);
	const struct rpm_proof *proof = NULL;
	struct section_key key;

	if (!header) {
		if (j->in->proofs->find(j->in->proofs->context, &section->content, &proof, err) <
		    0) {
			return -1;
		}
		/*
		 * Perhaps on another day. Of what nobody signed a host may make as many headers as it
		 * likes that have one path, and all of them would be looked through for each such file.
		 */
		if (!proof || !proof->manifest || proof->verdict != RPM_PROOF_GOOD) {
			return 0;
		}
		header = add_header(shared, &section->content, proof->manifest);
		if (!header) {
			return error_set(err, ERROR_NOMEM, 0, "no memory to judge");
		}
	} else if (header->host == shared->host) {
		/* The same bytes under two names: it is of one of them. */
		if (find_proved(j, p, section, &proof, &key, err) < 0) {
			return -1;
		}
		if (!proof) {
			return 0;
		}
	}
	header->host = shared->host;
	header->section = section;
	return 0;
}

/* Only a host on which a file differs pays for this, and once. */
static int mark_all(struct judge *j, const struct packages *p, struct rpm_shared **out,
		    struct error *err)
{
	static const uint8_t seed[SIPHASH_KEY_SIZE] = "rpm paths shared";
	const struct section_range range =
		observation_range(j->in->now, SECTION_HEADER, p->manager);
	struct rpm_shared **held = holder(j);

	if (!*held) {
		*held = rpm_shared_new(j->in->cache ? j->in->cache->seed : seed);
	}
	*out = *held;
	if (!*held) {
		return error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	}
	if (j->is_shared_marked) {
		return 0;
	}
	(*held)->host++;
	for (size_t i = range.from; i < range.to; i++) {
		if (mark(j, p, *held, &j->in->now->sections[i], err) < 0) {
			return -1;
		}
	}
	j->is_shared_marked = true;
	return 0;
}

/* A ghost's content is nobody's, and what is masked fits whatever is there. */
static bool is_compared(const struct manifest_entry *want)
{
	const uint32_t all = RPM_VERIFY_DIGEST | RPM_VERIFY_SIZE | RPM_VERIFY_LINK |
			     RPM_VERIFY_USER | RPM_VERIFY_GROUP | RPM_VERIFY_MODE |
			     RPM_VERIFY_RDEV | RPM_VERIFY_CAPS;

	return !(want->rpm->flags & RPM_FILE_GHOST) && (want->rpm->verify & all) == all;
}

/* Older files over newer ones are what `rpm -i --force` leaves: both builds are in the database. */
static bool is_older_build(const struct rpm_proof *other, const struct section_key *key)
{
	return bytes_equal(other->header->name, key->part[2]) &&
	       judge_rpm_version_compare(other->header->evr, key->part[3]) < 0;
}

/* A path that another package of the host has too. */
struct other {
	const struct rpm_proof *proof;
	const struct manifest_entry *want; /* of its manifest */
};

/* The object is just what the other package has. */
static bool is_others(const struct judge *j, const struct other *other, const struct entry *now,
		      const uint8_t *md5)
{
	const struct rpm_facts facts = {other->proof->header, j->names};

	return is_compared(other->want) && (rpm_differences(&facts, now, other->want, md5) &
					    (DIFFERS_MORE_THAN_TIME | DIFFERS_UNREAD)) == 0;
}

/*
 * Packages of two names have a path together only where they agree on it: rpm installs no other
 * (--replacefiles and --force do). The one exception is a 64-bit program over a 32-bit one.
 */
static bool may_differ(const struct one_package *one, const struct manifest_entry *mine,
		       const struct other *other)
{
	const struct rpm_header *header = other->proof->header;

	return !mine || !one->is_signed || bytes_equal(header->name, one->key.part[2]) ||
	       ((one->rpm.header->files[mine->rpm->file].color & COLOR_MASK) == COLOR_ELF32 &&
		(header->files[other->want->rpm->file].color & COLOR_MASK) == COLOR_ELF64);
}

/* Other proved packages of this host that have the path, one after another; *at is 0 at first. */
static int next_other(struct judge *j, const struct packages *p, struct rpm_shared *shared,
		      struct bytes path, const struct digest *own, uint32_t *at,
		      struct other *other, struct error *err)
{
	uint64_t hash = siphash(shared->seed, path);
	struct section_key key;

	*other = (struct other){NULL, NULL};
	if (shared->path_room == 0) {
		return 0;
	}
	*at = *at == 0 ? shared->path_slot[hash & (shared->path_room - 1)]
		       : shared->path[*at - 1].next;
	for (; *at != 0; *at = shared->path[*at - 1].next) {
		const struct shared_path *one = &shared->path[*at - 1];
		const struct shared_header *header = &shared->header[one->header - 1];

		if (one->hash != hash || header->host != shared->host ||
		    (own && digest_equal(&header->digest, own))) {
			continue;
		}
		if (find_proved(j, p, header->section, &other->proof, &key, err) < 0) {
			return -1;
		}
		other->want = other->proof ? manifest_find(other->proof->manifest, path) : NULL;
		if (other->want && other->want->entry.type != ENTRY_DIR) {
			return 0;
		}
		other->proof = NULL;
	}
	return 0;
}

int rpm_shared_explains(struct judge *j, struct packages *p, const struct one_package *one,
			const struct entry *now, const struct manifest_entry *mine,
			uint32_t *differences, const struct rpm_proof **like, struct error *err)
{
	struct asked asked = {.kind = ASKED_ALONE, .what = now->path, .found = one->header != NULL};
	const uint8_t *md5 = package_measured(&p->measured, now);
	struct rpm_shared *shared;
	struct other other;
	uint32_t at = 0;

	if (mark_all(j, p, &shared, err) < 0 ||
	    next_other(j, p, shared, now->path, one->header, &at, &other, err) < 0) {
		return -1;
	}
	if (j->is_traced && other.proof) {
		trace_spoil(j); /* what others have is not among the inputs */
	} else if (j->is_traced) {
		if (one->header) {
			asked.digest = *one->header;
		}
		trace_add(j, &asked);
	}
	while (other.proof) {
		if (!is_older_build(other.proof, &one->key)) {
			/* rpm drops the time of a path that several packages have. */
			*differences &= ~(uint32_t)DIFFERS_TIME;
			if (!is_others(j, &other, now, md5)) {
				/* It explains nothing. */
			} else if (may_differ(one, mine, &other)) {
				*differences &= DIFFERS_FLAGS;
			} else if (like) {
				*like = other.proof;
			}
		}
		if (next_other(j, p, shared, now->path, one->header, &at, &other, err) < 0) {
			return -1;
		}
	}
	return 0;
}

bool rpm_shared_is_alone(struct judge *j, const struct asked *asked)
{
	const struct digest *own = asked->found ? &asked->digest : NULL;
	struct rpm_shared *shared;
	struct other other;
	struct error ignored;
	uint32_t at = 0;

	/* Judged anew where this fails, it fails there. */
	return j->packages && mark_all(j, j->packages, &shared, &ignored) == 0 &&
	       next_other(j, j->packages, shared, asked->what, own, &at, &other, &ignored) == 0 &&
	       !other.proof;
}
