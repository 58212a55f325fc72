// SPDX-License-Identifier: MIT
#include "controller/judge/context.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "controller/judge/path_class.h"
#include "controller/judge/rpm_asked.h"
#include "controller/judge/unit.h"
#include "controller/judge/walk.h"

/*
 * Directories are shipped by many packages and lie in one section. Each manifest says what it
 * expects; one that agrees is enough, since dpkg leaves a directory as the first package made it.
 */

static struct section_key dirs_key(void)
{
	const struct bytes none = {NULL, 0};

	return section_key_make(SECTION_DIRS, none, none, none, none);
}

/* Of packages' folders, some ten times what the largest installation has. */
#define DIRS_MAX 262144U

/*
 * Read when somebody asks: most hosts of a fleet of equals need not. What is not well-formed counts
 * as absent here and is told in judge_dirs_end; a fault waits until then as well.
 */
static void load_dirs(struct judge *j)
{
	struct section_key key = dirs_key();
	struct entry_list list = {0};
	enum decoded decoded;
	bool found = false;

	if (j->has_dirs) {
		return;
	}
	j->has_dirs = true;
	if (judge_load(j, j->in->now, &key, &j->buffer[BUFFER_DIRS], &found, &j->dirs_error) < 0) {
		j->dirs_failed = true;
		return;
	}
	decoded = entries_decode(buffer_bytes(&j->buffer[BUFFER_DIRS]), &list);
	j->dirs_malformed = decoded == MALFORMED;
	j->lost_memory = j->lost_memory || decoded == NO_MEMORY || decoded == TOO_MANY ||
			 list.count > DIRS_MAX;
	list.count = decoded == DECODED ? list.count : 0;
	j->dirs = judge_alloc(j, list.count + 1, sizeof(*j->dirs));
	for (size_t i = 0; j->dirs && i < list.count; i++) {
		/* Borrowed from the buffer, which nobody else uses. */
		j->dirs[i].entry = list.item[i];
	}
	j->dir_count = j->dirs ? list.count : 0;
	entries_clear(&list);
}

static const struct dir *find_dir(const struct judge *j, struct bytes path)
{
	size_t low = 0, high = j->dir_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(j->dirs[middle].entry.path, path);

		if (order == 0) {
			return &j->dirs[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const struct dir *dirs_find(struct judge *j, struct bytes path)
{
	const struct dir *dir;

	load_dirs(j);
	dir = find_dir(j, path);
	if (j->is_traced) {
		struct manifest_entry entry = {0};
		struct asked asked = {.kind = ASKED_DIR, .found = dir != NULL, .what = path};

		if (dir) {
			entry.entry = dir->entry;
			asked.entry = &entry;
		}
		trace_add(j, &asked);
	}
	return dir;
}

bool dirs_has(struct judge *j, struct bytes path)
{
	bool found;

	load_dirs(j);
	found = find_dir(j, path) != NULL;
	if (j->is_traced) {
		trace_add(j, &(struct asked){.kind = ASKED_HAS_DIR, .found = found, .what = path});
	}
	return found;
}

const struct digest *dirs_section(const struct judge *j)
{
	const struct section_key key = dirs_key();
	uint8_t room[SECTION_KEY_MAX];
	const struct observed_section *section =
		observation_find(j->in->now, judge_key(&key, room));

	return section ? &section->content : NULL;
}

struct bytes dirs_canonical(struct judge *j, struct bytes path)
{
	const struct dir *top;
	const uint8_t *slash;
	uint8_t *longer;

	if (!path_is_alias(path)) {
		return path;
	}
	slash = memchr(path.data + 1, '/', path.len - 1);
	/* Packages own /bin: as a directory of its own, or as the link that merges it. */
	top = slash ? dirs_find(j, bytes_make(path.data, (size_t)(slash - path.data))) : NULL;
	if (top && top->entry.type == ENTRY_DIR) {
		return path;
	}
	longer = judge_alloc(j, path.len + 4, 1);
	if (!longer) {
		return path;
	}
	memcpy(longer, "/usr", 4);
	memcpy(longer + 4, path.data, path.len);
	return bytes_make(longer, path.len + 4);
}

/* From *at on, where the last one was found: a manifest's directories ascend as well. */
static struct dir *gallop(struct judge *j, size_t *at, struct bytes path)
{
	size_t low = *at, high = j->dir_count;

	for (size_t step = 1; low + step < high; step *= 2) {
		if (bytes_path_compare(j->dirs[low + step].entry.path, path) > 0) {
			high = low + step;
			break;
		}
		low += step;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_path_compare(j->dirs[middle].entry.path, path);

		if (order == 0) {
			*at = middle;
			return &j->dirs[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

/* The link that merges /bin with /usr/bin stands for the directory that a manifest still ships. */
static bool merges(const struct dir *dir)
{
	struct bytes path = dir->entry.path, link = dir->entry.link;

	return dir->entry.type == ENTRY_LINK && path_is_alias(path) && link.len == path.len + 3 &&
	       memcmp(link.data, "usr", 3) == 0 && memcmp(link.data + 3, path.data, path.len) == 0;
}

void dirs_expect(struct judge *j, const struct expectation *expected)
{
	if (j->expected_count == j->expected_room) {
		size_t room = j->expected_room ? j->expected_room * 2 : 256;
		struct expectation *larger = reallocarray(j->expected, room, sizeof(*larger));

		if (!larger) {
			j->lost_memory = true;
			return;
		}
		j->expected = larger;
		j->expected_room = room;
	}
	j->expected[j->expected_count++] = *expected;
}

static void expect(struct judge *j, const struct expectation *expected)
{
	const struct manifest *manifest = expected->manifest;
	const struct rpm_facts facts = {expected->rpm, j->names};
	size_t at = 0;

	for (size_t i = 0; i < manifest->count; i++) {
		const struct manifest_entry *want = &manifest->entries[i];
		struct dir *dir;
		uint32_t differences;

		if (want->entry.type != ENTRY_DIR) {
			continue;
		}
		dir = gallop(j, &at, want->entry.path);
		if (!dir || dir->state == DIR_PROVED) {
			continue;
		}
		if (expected->rpm) {
			const struct rpm_file *file = &expected->rpm->files[want->rpm->file];

			rpm_ask_owner(j, file->user, file->group);
			rpm_ask_owner(j, dir->entry.owner, dir->entry.group);
		}
		differences = (expected->rpm ? rpm_differences(&facts, &dir->entry, want, NULL)
					     : compare_to_manifest(&dir->entry, want)) &
			      DIFFERS_MORE_THAN_TIME;
		if (differences == 0 || merges(dir)) {
			dir->state = DIR_PROVED;
		} else if (dir->state == DIR_UNSAID) {
			dir->state = DIR_DIFFERS;
			dir->want = *want;
			dir->want.entry = judge_keep_entry(j, &want->entry);
			dir->package = expected->package;
			dir->differences = differences;
			dir->is_signed = expected->rpm != NULL;
		}
	}
}

static int tell_dir(struct judge *j, struct dir *dir, const struct entry *was, struct error *err)
{
	struct change change = {
		.rule = RULE_OWNER_CHANGED,
		.witness = WITNESS_MANIFEST,
		.path = dir->entry.path,
		.now = &dir->entry,
	};
	const struct manifest_entry *accepted = known_accepted(j, dir->entry.path);

	if (accepted) {
		change.was = accepted;
		change.witness = WITNESS_BASELINE;
		change.differences = compare_to_manifest(&dir->entry, accepted);
	} else if (dir->state == DIR_DIFFERS) {
		change.was = &dir->want;
		change.package = dir->package;
		change.witness = dir->is_signed ? WITNESS_SIGNATURE : WITNESS_MANIFEST;
		change.differences = dir->differences;
	} else if (dir->state == DIR_UNSAID && was) {
		change.was_entry = was;
		change.witness = WITNESS_FIRST_SIGHT;
		change.differences = compare_entries(&dir->entry, was);
	}
	if (!accepted && dir->entry.flags != 0) {
		change.differences |= DIFFERS_FLAGS;
	}
	change.differences = known_explains(j, &dir->entry, change.differences) &
			     (DIFFERS_MORE_THAN_TIME | DIFFERS_FLAGS);
	if (change.differences & DIFFERS_FLAGS && dir->entry.flags != 0) {
		struct change flag = change;

		flag.rule = RULE_FLAG_IMMUTABLE;
		flag.differences = DIFFERS_FLAGS;
		if (judge_emit(j, &flag, err) < 0) {
			return -1;
		}
	}
	change.differences &= ~(uint32_t)DIFFERS_FLAGS;
	if (change.differences & DIFFERS_TYPE) {
		change.rule = RULE_FILE_TYPE;
	}
	return change.differences == 0 ? 0 : judge_emit(j, &change, err);
}

static int judge_dirs(struct judge *j, void *context, struct error *err)
{
	struct section_key key = dirs_key();
	struct entry_list first = {0};
	bool found = false;
	size_t w = 0;
	int result;

	(void)context;
	load_dirs(j);
	if (j->dirs_failed) {
		*err = j->dirs_error;
		return -1;
	}
	if (j->dirs_malformed && judge_broken(j, &key, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < j->expected_count; i++) {
		expect(j, &j->expected[i]);
	}
	result = judge_entries(j, judge_first(j), &key, &j->buffer[0], &first, &found, err);
	for (size_t i = 0; result == 0 && i < j->dir_count; i++) {
		const struct entry *was = NULL;
		struct bytes path = j->dirs[i].entry.path;

		while (w < first.count && bytes_path_compare(first.item[w].path, path) < 0) {
			w++;
		}
		if (w < first.count && bytes_equal(first.item[w].path, path)) {
			was = &first.item[w];
		}
		/* What a manifest proves needs no other reference. */
		if (j->dirs[i].state != DIR_PROVED || j->dirs[i].entry.flags != 0) {
			result = tell_dir(j, &j->dirs[i], was, err);
		}
	}
	entries_clear(&first);
	return result;
}

static struct bytes content_of(const struct observation *o, struct bytes key)
{
	const struct observed_section *section = o ? observation_find(o, key) : NULL;

	return section ? bytes_make(section->content.bytes, DIGEST_SIZE) : (struct bytes){NULL, 0};
}

/*
 * Both sections, and what every package expects of them, as one digest: of 1,500 packages it would be
 * 100 KB. A manifest of the baseline is as long-lived as the cache; a header's is not, but its bytes
 * say what it is.
 */
static int dirs_inputs(struct judge *j, struct digest *digest, struct error *err)
{
	const uint8_t flags[] = {j->captured, j->in->accepted != NULL,
				 j->in->accepted_records != NULL};
	struct section_key key = dirs_key();
	uint8_t key_room[SECTION_KEY_MAX];
	struct bytes encoded = judge_key(&key, key_room);
	struct cbor_writer w;
	size_t room = 256;
	uint8_t *data;

	for (size_t i = 0; i < j->expected_count; i++) {
		room += DIGEST_SIZE + j->expected[i].package.len + 16;
	}
	data = malloc(room);
	if (!data) {
		return error_set(err, ERROR_NOMEM, 0, "no memory to judge");
	}
	cbor_writer_init(&w, data, room);
	cbor_write_bytes(&w, bytes_make(flags, sizeof(flags)));
	cbor_write_bytes(&w, encoded);
	cbor_write_bytes(&w, content_of(j->in->now, encoded));
	cbor_write_bytes(&w, content_of(judge_first(j), encoded));
	for (size_t i = 0; i < j->expected_count; i++) {
		const struct expectation *expected = &j->expected[i];
		const struct manifest *manifest = expected->manifest;

		cbor_write_bytes(&w, expected->rpm ? bytes_make(expected->header.bytes, DIGEST_SIZE)
						   : bytes_make(&manifest, sizeof(manifest)));
		cbor_write_bytes(&w, expected->package);
	}
	if (w.overflow || !EVP_Digest(data, w.len, digest->bytes, NULL, EVP_sha256(), NULL)) {
		free(data);
		return error_set(err, ERROR_NOMEM, 0, "no memory for a digest");
	}
	free(data);
	return 0;
}

int judge_dirs_end(struct judge *j, struct error *err)
{
	static const char kind[] = "dirs";
	struct unit unit = {0};
	struct digest digest;
	struct cbor_writer w;

	if (j->in->cache && unit_room(j)) {
		if (dirs_inputs(j, &digest, err) < 0) {
			return -1;
		}
		cbor_writer_init(&w, j->inputs, INPUTS_ROOM);
		cbor_write_bytes(&w, bytes_make(kind, sizeof(kind)));
		cbor_write_bytes(&w, bytes_make(digest.bytes, DIGEST_SIZE));
		unit_inputs(j, &w, &unit);
	}
	return unit_run(j, &unit, judge_dirs, NULL, err);
}
