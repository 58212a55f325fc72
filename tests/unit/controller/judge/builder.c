// SPDX-License-Identifier: MIT
#include "tests/unit/controller/judge/builder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "baselines/mtree.h"
#include "schema/escape.h"
#include "schema/record.h"

#define MTIME 1700000000
#define ENCODED_MAX ((size_t)4 << 20)

static struct bytes text(const char *s)
{
	return bytes_from_string(s);
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert(w);
	w->policy = *policy_default();
	return w;
}

static void forget_objects(struct world *w)
{
	for (size_t i = 0; i < w->object_count; i++) {
		free(w->object[i].data);
	}
	w->object_count = 0;
}

void world_free(struct world *w)
{
	forget_objects(w);
	findings_clear(&w->findings);
	findings_clear(&w->open);
	for (size_t i = 0; i < w->parsed_count; i++) {
		manifest_free(w->parsed[i]);
	}
	free(w);
}

/* Objects */

static void digest_of(const uint8_t *data, size_t len, struct digest *digest)
{
	assert(EVP_Digest(data, len, digest->bytes, NULL, EVP_sha256(), NULL) == 1);
}

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	struct world *w = context;

	if (w->lost && digest_equal(w->lost, digest)) {
		return error_set(err, ERROR_STORE, 0, "an object cannot be read");
	}
	for (size_t i = 0; i < w->object_count; i++) {
		if (digest_equal(&w->object[i].digest, digest)) {
			*content = bytes_make(w->object[i].data, w->object[i].len);
			return 0;
		}
	}
	return error_set(err, ERROR_STORE, 0, "no such object");
}

static int compare_entry_paths(const void *a, const void *b)
{
	return bytes_path_compare(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int compare_record_paths(const void *a, const void *b)
{
	return bytes_path_compare(((const struct record *)a)->field[0],
				  ((const struct record *)b)->field[0]);
}

static void encode(struct build_section *section, struct cbor_writer *w)
{
	if (section->raw) {
		cbor_write_raw(w, bytes_make(section->raw, section->raw_len));
		return;
	}
	if (section_kind_has_entries(section->key.kind)) {
		qsort(section->entry, section->count, sizeof(section->entry[0]),
		      compare_entry_paths);
	} else if (section->by_path) {
		qsort(section->record, section->count, sizeof(section->record[0]),
		      compare_record_paths);
	}
	for (size_t i = 0; i < section->count; i++) {
		if (section_kind_has_entries(section->key.kind)) {
			entry_encode(w, &section->entry[i]);
		} else {
			record_encode(w, &section->record[i]);
		}
	}
}

static int compare_observed(const void *a, const void *b)
{
	return bytes_compare(((const struct observed_section *)a)->key,
			     ((const struct observed_section *)b)->key);
}

static void finish_side(struct world *w, struct side *side)
{
	uint8_t *room = malloc(ENCODED_MAX);

	assert(room);
	for (size_t i = 0; i < side->count; i++) {
		struct build_object *object = &w->object[w->object_count++];
		struct cbor_writer writer;

		assert(w->object_count < 2048);
		cbor_writer_init(&writer, side->keys[i], SECTION_KEY_MAX);
		section_key_encode(&writer, &side->section[i].key);
		side->observed[i] = (struct observed_section){
			.key = bytes_make(side->keys[i], writer.len),
		};
		if (side->section[i].raw_key.len > 0) {
			side->observed[i].key = side->section[i].raw_key;
		}
		cbor_writer_init(&writer, room, ENCODED_MAX);
		encode(&side->section[i], &writer);
		assert(!writer.overflow);
		/* Exactly as long as it is, so that reading past it is seen. */
		object->data = malloc(writer.len ? writer.len : 1);
		assert(object->data);
		memcpy(object->data, room, writer.len);
		object->len = writer.len;
		digest_of(room, writer.len, &object->digest);
		side->observed[i].content = object->digest;
	}
	free(room);
	if (side->count > 0) {
		qsort(side->observed, side->count, sizeof(side->observed[0]), compare_observed);
	}
	side->observation.sections = side->observed;
	side->observation.section_count = side->count;
	side->observation.coverage = side->coverage;
	side->observation.coverage_count = side->coverage_count;
}

void world_encode(struct world *w)
{
	if (!w->keeps_objects) {
		forget_objects(w);
	}
	finish_side(w, &w->now);
}

/* Judging */

static int find_manifests(void *context, struct bytes manager, struct bytes name,
			  struct bytes version, struct bytes arch,
			  const struct manifest *const **list, size_t *count, struct error *err)
{
	struct world *w = context;

	(void)manager;
	(void)err;
	*count = 0;
	for (size_t i = 0; i < w->manifest_count; i++) {
		const struct build_package *p = &w->manifest[i].package;

		if (bytes_equal_string(name, p->name) && bytes_equal_string(version, p->version) &&
		    bytes_equal_string(arch, p->arch)) {
			w->found[(*count)++] = &w->manifest[i].manifest;
		}
	}
	*list = w->found;
	return 0;
}

static int find_builds(void *context, struct bytes manager, struct bytes name, struct bytes version,
		       struct bytes arch, const struct manifest *const **list, size_t *count,
		       struct error *err)
{
	struct world *w = context;

	(void)version;
	(void)manager;
	(void)err;
	*count = 0;
	for (size_t i = 0; i < w->manifest_count; i++) {
		const struct build_package *p = &w->manifest[i].package;

		if (bytes_equal_string(name, p->name) && bytes_equal_string(arch, p->arch)) {
			w->manifest[i].manifest.version = (char *)(uintptr_t)p->version;
			w->found[(*count)++] = &w->manifest[i].manifest;
		}
	}
	*list = w->found;
	return 0;
}

static int find_self_summed(void *context, struct bytes manager, struct bytes name,
			    struct bytes arch, bool *self_summed, struct error *err)
{
	struct world *w = context;

	(void)manager;
	(void)err;
	*self_summed = false;
	for (size_t i = 0; i < w->manifest_count; i++) {
		const struct build_package *p = &w->manifest[i].package;

		*self_summed = *self_summed || (bytes_equal_string(name, p->name) &&
						bytes_equal_string(arch, p->arch) &&
						w->manifest[i].manifest.no_md5sums);
	}
	return 0;
}

static bool knows_package(void *context, struct bytes manager, struct bytes name)
{
	(void)context;
	(void)manager;
	(void)name;
	return false;
}

static int compare_manifest_entries(const void *a, const void *b)
{
	return bytes_path_compare(((const struct manifest_entry *)a)->entry.path,
				  ((const struct manifest_entry *)b)->entry.path);
}

static void finish_manifest(struct manifest *manifest, struct manifest_entry *entries)
{
	manifest->entries = entries;
	qsort(entries, manifest->count, sizeof(*entries), compare_manifest_entries);
}

void world_judge(struct world *w)
{
	struct world *baseline = w->baseline ? w->baseline : w;
	struct known_good known = {baseline, find_manifests, knows_package, find_builds,
				   find_self_summed};
	struct object_source objects = {load, w};
	const struct manifest *trees[] = {&w->tree};
	struct record_list *records = NULL;
	struct bytes lines[64];
	struct judge_input input = {
		.policy = &w->policy,
		.known = &known,
		.objects = &objects,
		.proofs = w->proofs,
		.now = &w->now.observation,
		.cache = w->cache,
		.open = &w->open,
	};

	if (!w->keeps_objects) {
		forget_objects(w);
	}
	findings_clear(&w->findings);
	memset(w->packages, 0, sizeof(w->packages));
	input.packages = w->packages;
	finish_side(w, &w->now);
	if (w->has_first) {
		finish_side(w, &w->first);
		input.first = &w->first.observation;
	}
	if (w->has_last) {
		finish_side(w, &w->last);
		input.last = &w->last.observation;
	}
	for (size_t i = 0; i < baseline->manifest_count; i++) {
		finish_manifest(&baseline->manifest[i].manifest, baseline->manifest[i].entry);
	}
	if (w->has_accepted) {
		finish_manifest(&w->accepted, w->accepted_entry);
		input.accepted = &w->accepted;
	}
	if (w->tree.count > 0) {
		finish_manifest(&w->tree, w->tree_entry);
		input.trees = trees;
		input.tree_count = 1;
	}
	for (size_t i = 0; i < w->record_count; i++) {
		lines[i] = text(w->records[i]);
	}
	if (w->record_count > 0) {
		if (records_make(lines, w->record_count, &records, &w->err) < 0) {
			(void)fprintf(stderr, "%s\n", w->err.msg);
			abort();
		}
		if (w->records_are_overrides) {
			input.overrides = records;
		} else {
			input.accepted_records = records;
		}
	}
	if ((judge_host(&input, &w->findings, &w->counts, &w->err) < 0) != (w->lost != NULL)) {
		(void)fprintf(stderr, "%s\n", w->err.msg);
		abort();
	}
	records_free(records);
}

const struct finding *world_finding(const struct world *w, enum rule rule, const char *subject)
{
	for (size_t i = 0; i < w->findings.count; i++) {
		if (w->findings.item[i].rule == rule &&
		    bytes_equal_string(w->findings.item[i].subject, subject)) {
			return &w->findings.item[i];
		}
	}
	return NULL;
}

size_t world_count(const struct world *w, enum severity least)
{
	size_t count = 0;

	for (size_t i = 0; i < w->findings.count; i++) {
		count += w->findings.item[i].severity >= least;
	}
	return count;
}

void world_print(const struct world *w)
{
	for (size_t i = 0; i < w->findings.count; i++) {
		const struct finding *f = &w->findings.item[i];
		char subject[256], old_value[600], new_value[600];

		(void)fprintf(stderr, "%s %-8s %-18s %-9s %c %s [%s]\n\told %s\n\tnew %s\n\t%.*s\n",
			      f->id, severity_name(f->severity), rule_name(f->rule), f->letters,
			      f->marker, escape_text(f->subject, subject, sizeof(subject)),
			      witness_name(f->witness),
			      escape_text(f->old_value, old_value, sizeof(old_value)),
			      escape_text(f->new_value, new_value, sizeof(new_value)),
			      (int)f->detail.len,
			      f->detail.len ? (const char *)f->detail.data : "");
	}
}

/* Objects of a file system */

static void fill(uint8_t *to, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		to[i] = (uint8_t)(seed * 7 + i);
	}
}

struct entry build_file(const char *path, uint32_t mode, unsigned seed)
{
	struct entry entry = {
		.path = text(path),
		.type = ENTRY_FILE,
		.mode = mode,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
		.has_size = true,
		.size = 1000 + seed,
		.has_sha256 = true,
		.has_mtime = true,
		.mtime_s = MTIME,
	};

	fill(entry.sha256.bytes, DIGEST_SIZE, seed);
	return entry;
}

struct entry build_link(const char *path, const char *target)
{
	return (struct entry){
		.path = text(path),
		.type = ENTRY_LINK,
		.mode = 0777,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
		.link = text(target),
		.has_mtime = true,
		.mtime_s = MTIME,
	};
}

struct entry build_dir(const char *path, uint32_t mode)
{
	return (struct entry){
		.path = text(path),
		.type = ENTRY_DIR,
		.mode = mode,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
	};
}

struct entry build_elf(const char *path, uint32_t mode, unsigned seed)
{
	struct entry entry = build_file(path, mode, seed);

	entry.magic = ENTRY_MAGIC_ELF;
	return entry;
}

struct entry build_script(const char *path, uint32_t mode, unsigned seed)
{
	struct entry entry = build_file(path, mode, seed);

	entry.magic = ENTRY_MAGIC_SCRIPT;
	return entry;
}

struct bytes build_md5(int seed)
{
	static uint8_t md5[64][MD5_SIZE];

	assert(seed >= 0 && seed < 64);
	fill(md5[seed], MD5_SIZE, (unsigned)seed);
	return bytes_make(md5[seed], MD5_SIZE);
}

/* Sections */

struct section_key build_key(enum section_kind kind, struct build_package p)
{
	return section_key_make(kind, BYTES_LITERAL("dpkg"), text(p.name), text(p.version),
				text(p.arch));
}

struct section_key build_dir_key(enum section_kind kind, const char *dir)
{
	const struct bytes none = {NULL, 0};

	return section_key_make(kind, text(dir), none, none, none);
}

static bool same_key(const struct section_key *a, const struct section_key *b)
{
	bool same = a->kind == b->kind && a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++) {
		same = bytes_equal(a->part[i], b->part[i]);
	}
	return same;
}

struct build_section *side_section(struct side *side, struct section_key key)
{
	for (size_t i = 0; i < side->count; i++) {
		if (same_key(&side->section[i].key, &key)) {
			return &side->section[i];
		}
	}
	assert(side->count < BUILD_SECTIONS);
	side->section[side->count].key = key;
	return &side->section[side->count++];
}

struct entry *side_add(struct side *side, struct section_key key, struct entry entry)
{
	struct build_section *section = side_section(side, key);

	assert(section->count < BUILD_ITEMS);
	section->entry[section->count] = entry;
	return &section->entry[section->count++];
}

struct entry *side_find(struct side *side, const char *path)
{
	for (size_t s = 0; s < side->count; s++) {
		struct build_section *section = &side->section[s];

		for (size_t i = 0;
		     section_kind_has_entries(section->key.kind) && i < section->count; i++) {
			if (bytes_equal_string(section->entry[i].path, path)) {
				return &section->entry[i];
			}
		}
	}
	return NULL;
}

void side_remove(struct side *side, const char *path)
{
	for (size_t s = 0; s < side->count; s++) {
		struct build_section *section = &side->section[s];

		for (size_t i = 0;
		     section_kind_has_entries(section->key.kind) && i < section->count; i++) {
			if (bytes_equal_string(section->entry[i].path, path)) {
				section->entry[i] = section->entry[--section->count];
				return;
			}
		}
	}
	abort(); /* no such path */
}

void side_record(struct side *side, struct section_key key, const char *const *fields)
{
	struct build_section *section = side_section(side, key);
	struct record *record = &section->record[section->count++];

	assert(section->count <= BUILD_ITEMS);
	*record = (struct record){0};
	for (; fields[record->count]; record->count++) {
		record->field[record->count] = text(fields[record->count]);
	}
}

void side_claim(struct side *side, struct build_package package, const char *path, int seed,
		const char *flags)
{
	struct build_section *section = side_section(side, build_key(SECTION_CLAIMS, package));

	assert(section->count < BUILD_ITEMS);
	section->by_path = true;
	section->record[section->count++] = (struct record){
		.count = CLAIM_FIELDS,
		.field = {text(path), seed < 0 ? text("") : build_md5(seed), text(flags)},
	};
}

static struct record *find_record(struct side *side, enum section_kind kind, const char *first,
				  struct build_section **where)
{
	for (size_t s = 0; s < side->count; s++) {
		struct build_section *section = &side->section[s];

		for (size_t i = 0; section->key.kind == kind && i < section->count; i++) {
			if (bytes_equal_string(section->record[i].field[0], first)) {
				*where = section;
				return &section->record[i];
			}
		}
	}
	return NULL;
}

struct record *side_find_claim(struct side *side, const char *path)
{
	struct build_section *section;

	return find_record(side, SECTION_CLAIMS, path, &section);
}

void side_remove_record(struct side *side, enum section_kind kind, const char *first_field)
{
	struct build_section *section = NULL;
	struct record *record = find_record(side, kind, first_field, &section);

	assert(record && section);
	*record = section->record[--section->count];
}

void side_package(struct side *side, struct build_package p, const char *state)
{
	const char *const fields[] = {p.name, p.version, p.arch, state, "", NULL};
	const struct bytes none = {NULL, 0};

	side_record(side,
		    section_key_make(SECTION_PACKAGES, BYTES_LITERAL("dpkg"), none, none, none),
		    fields);
}

void side_coverage(struct side *side, const char *check, const char *subject,
		   enum coverage_state state, const char *reason)
{
	assert(side->coverage_count < 16);
	side->coverage[side->coverage_count++] = (struct coverage_item){
		.check = text(check),
		.subject = text(subject),
		.state = state,
		.reason = text(reason),
	};
}

void side_forget(struct side *side, struct build_package p)
{
	size_t kept = 0;

	side_remove_record(side, SECTION_PACKAGES, p.name);
	for (size_t s = 0; s < side->count; s++) {
		const struct section_key *key = &side->section[s].key;

		if (section_kind_is_of_package(key->kind) &&
		    bytes_equal_string(key->part[2], p.name) &&
		    bytes_equal_string(key->part[3], p.version)) {
			continue;
		}
		if (kept != s) {
			side->section[kept] = side->section[s];
		}
		kept++;
	}
	memset(&side->section[kept], 0, (side->count - kept) * sizeof(side->section[0]));
	side->count = kept;
}

/* Baselines */

struct build_manifest *world_manifest(struct world *w, struct build_package package,
				      const char *origin)
{
	struct build_manifest *manifest = &w->manifest[w->manifest_count++];

	assert(w->manifest_count <= 12);
	manifest->package = package;
	/* Only read. */
	manifest->manifest.origin = (char *)(uintptr_t)origin;
	manifest->manifest.trust = MANIFEST_SIGNED;
	return manifest;
}

static void put(struct manifest *manifest, struct manifest_entry *entries, struct entry entry,
		uint32_t tags)
{
	struct manifest_entry *to = &entries[manifest->count++];

	assert(manifest->count <= BUILD_ITEMS);
	*to = (struct manifest_entry){.entry = entry, .tags = tags};
	/* What the file begins with is no part of an expectation. */
	to->entry.magic = ENTRY_MAGIC_NONE;
	if (entry.type == ENTRY_FILE && entry.has_sha256) {
		to->has_md5 = true;
		memcpy(to->md5, build_md5((int)(entry.size - 1000)).data, MD5_SIZE);
	}
}

void manifest_put(struct build_manifest *manifest, struct entry entry, uint32_t tags)
{
	put(&manifest->manifest, manifest->entry, entry, tags);
}

void world_accept(struct world *w, struct entry entry, uint32_t tags)
{
	w->has_accepted = true;
	w->accepted.trust = MANIFEST_ACCEPTED;
	put(&w->accepted, w->accepted_entry, entry, tags);
}

void world_tree(struct world *w, struct entry entry)
{
	put(&w->tree, w->tree_entry, entry, MANIFEST_NOMODE | MANIFEST_NOTIME);
}

static bool accept_record(struct world *w, const char *kind, const struct record *record)
{
	char *line = w->record_text[w->record_count];
	size_t len = records_line(kind, record, 0, line, sizeof(w->record_text[0]) - 1);

	line[len] = '\0';
	w->records[w->record_count++] = line;
	return true;
}

static bool accept_line(struct world *w, struct bytes line)
{
	uint8_t scratch[512];
	const char *kind;
	struct record record;

	/* What the baseline would refuse to read back is no acceptance. */
	if (line.len >= sizeof(scratch) ||
	    records_read_line(line, scratch, &kind, &record, &w->err) < 0) {
		return false;
	}
	return accept_record(w, kind, &record);
}

static bool accept_words(struct world *w, const struct finding *finding)
{
	char content[4096], path[1024];
	int len;

	(void)escape_bytes(ESCAPE_MTREE, finding->subject, path, sizeof(path));
	len = snprintf(content, sizeof(content), "#mtree\n.%s %.*s\n", path,
		       (int)finding->new_value.len, (const char *)finding->new_value.data);
	if (mtree_parse("test", bytes_make(content, (size_t)len), &w->parsed[w->parsed_count],
			&w->err) < 0) {
		(void)fprintf(stderr, "%s\n", w->err.msg);
		return false;
	}
	w->has_accepted = true;
	for (size_t i = 0; i < w->accepted.count; i++) {
		if (bytes_equal(w->accepted_entry[i].entry.path, finding->subject)) {
			w->accepted_entry[i] = w->parsed[w->parsed_count++]->entries[0];
			return true;
		}
	}
	w->accepted_entry[w->accepted.count++] = w->parsed[w->parsed_count++]->entries[0];
	return true;
}

static bool accept_absence(struct world *w, const struct finding *finding)
{
	struct record record = {.count = 1, .field = {finding->subject}};

	for (size_t i = 0; i < w->record_count; i++) {
		if (bytes_equal_string(finding->old_value, w->records[i])) {
			w->records[i] = w->records[--w->record_count];
			return true;
		}
	}
	/* Something else than a path is gone, and was never accepted: only first sight had it. */
	return finding->rule != RULE_MOUNT_CHANGED && accept_record(w, "absent", &record);
}

bool world_accept_finding(struct world *w, const struct finding *finding)
{
	if (finding->new_value.len == 0) {
		return finding->rule != RULE_PROTOCOL && accept_absence(w, finding);
	}
	if (bytes_has_prefix(finding->new_value, BYTES_LITERAL("type="))) {
		return accept_words(w, finding);
	}
	return accept_line(w, finding->new_value);
}
