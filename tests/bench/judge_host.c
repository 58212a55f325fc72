// SPDX-License-Identifier: MIT
/*
 * Judges one host of 1,500 packages with 100 files each from memory: with a manifest for each
 * package, with an equal first sight, with neither; then as one of a fleet of equals, from verdicts
 * that another host left. The peer is bare decoding of the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>

#include "controller/judge/judge.h"
#include "schema/record.h"

enum { PACKAGES = 1500, FILES = 100, UNOWNED_SECTIONS = 100, UNOWNED = 50, ROUNDS = 10 };

struct stored {
	struct digest digest;
	uint8_t *data;
	size_t len;
};

struct fleet {
	struct stored object[3 * PACKAGES + UNOWNED_SECTIONS + 8];
	size_t objects;
	struct observed_section section[3 * PACKAGES + UNOWNED_SECTIONS + 8];
	size_t sections;
	struct manifest manifest[PACKAGES];
	const struct manifest *one[1];
	bool with_manifests;
};

static uint8_t room[1 << 20];

static int compare_objects(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	struct fleet *fleet = context;
	struct stored *found = bsearch(digest, fleet->object, fleet->objects,
				       sizeof(fleet->object[0]), compare_objects);

	if (!found) {
		return error_set(err, ERROR_STORE, 0, "absent");
	}
	*content = bytes_make(found->data, found->len);
	return 0;
}

static void put(struct fleet *fleet, const struct section_key *key, size_t len)
{
	struct stored *object = &fleet->object[fleet->objects++];
	struct observed_section *section = &fleet->section[fleet->sections++];
	uint8_t encoded[SECTION_KEY_MAX];
	struct cbor_writer w;

	object->data = malloc(len + 1);
	memcpy(object->data, room, len);
	object->len = len;
	EVP_Digest(room, len, object->digest.bytes, NULL, EVP_sha256(), NULL);
	cbor_writer_init(&w, encoded, sizeof(encoded));
	section_key_encode(&w, key);
	section->key = bytes_make(memcpy(malloc(w.len), encoded, w.len), w.len);
	section->content = object->digest;
}

static struct entry file(const char *path, unsigned seed)
{
	struct entry e = {.path = bytes_from_string(path),
			  .type = ENTRY_FILE,
			  .mode = 0755,
			  .owner = BYTES_LITERAL("root"),
			  .group = BYTES_LITERAL("root"),
			  .has_size = true,
			  .size = seed,
			  .has_sha256 = true,
			  .has_mtime = true,
			  .mtime_s = 1700000000 + seed};

	memcpy(e.sha256.bytes, &seed, sizeof(seed));
	return e;
}

/* Kept until the end. */
static const char *path_of(const char *before, unsigned a, const char *between, unsigned b)
{
	char *path = NULL;

	if (asprintf(&path, "%s%04u%s%03u", before, a, between, b) < 0) {
		abort();
	}
	return path;
}

static void make_package(struct fleet *fleet, unsigned p, struct cbor_writer *rows)
{
	struct bytes name = bytes_from_string(path_of("package-", p, "-", 0));
	struct bytes version = BYTES_LITERAL("1.2.3-4+deb12u1"), arch = BYTES_LITERAL("amd64");
	struct section_key key =
		section_key_make(SECTION_PACKAGE, BYTES_LITERAL("dpkg"), name, version, arch);
	struct manifest *m = &fleet->manifest[p];
	static char origin[] = "Debian";
	struct record row = {.count = 5,
			     .field = {name, version, arch, BYTES_LITERAL("install ok installed"),
				       BYTES_LITERAL("")}};
	struct cbor_writer w;

	m->entries = calloc(FILES, sizeof(*m->entries));
	m->count = FILES;
	m->origin = origin;
	cbor_writer_init(&w, room, sizeof(room));
	for (unsigned f = 0; f < FILES; f++) {
		m->entries[f].entry = file(
			path_of("/usr/share/package-", p, "/modules/some-file-", f), p * FILES + f);
		m->entries[f].has_md5 = true;
		entry_encode(&w, &m->entries[f].entry);
	}
	put(fleet, &key, w.len);
	cbor_writer_init(&w, room, sizeof(room));
	for (unsigned f = 0; f < FILES; f++) {
		uint8_t md5[16] = {0};
		struct record claim = {.count = 3,
				       .field = {m->entries[f].entry.path, bytes_make(md5, 16),
						 BYTES_LITERAL("lm")}};

		record_encode(&w, &claim);
	}
	key = section_key_make(SECTION_CLAIMS, BYTES_LITERAL("dpkg"), name, version, arch);
	put(fleet, &key, w.len);
	record_encode(rows, &row);
}

static int compare_sections(const void *a, const void *b)
{
	return bytes_compare(((const struct observed_section *)a)->key,
			     ((const struct observed_section *)b)->key);
}

static int find(void *context, struct bytes manager, struct bytes name, struct bytes version,
		struct bytes arch, const struct manifest *const **list, size_t *count,
		struct error *err)
{
	struct fleet *fleet = context;

	(void)manager;
	(void)version;
	(void)arch;
	(void)err;
	fleet->one[0] = &fleet->manifest[strtoul((const char *)name.data + 8, NULL, 10)];
	*list = fleet->one;
	*count = fleet->with_manifests;
	return 0;
}

/* What any judge has to do: read every entry and record once. */
static void decode_all(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->objects; i++) {
		struct bytes data = bytes_make(fleet->object[i].data, fleet->object[i].len);
		struct cbor_reader r;
		struct entry entry;
		struct record record;

		cbor_reader_init(&r, data);
		while (cbor_reader_has_more(&r)) {
			/* Entries are maps, records arrays: RFC 8949, section 3.1. */
			if (data.data[r.at] >> 5 == 5) {
				(void)entry_decode(&r, &entry);
			} else {
				(void)record_decode(&r, &record);
			}
		}
	}
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double decoding_ms;

static void run(const char *what, const struct judge_input *input)
{
	double best = 1e9;
	struct judge_counts counts;
	size_t found = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct findings findings = {0};
		struct error err;
		double start = now_ms(), took;

		if (judge_host(input, &findings, &counts, &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			exit(1);
		}
		took = now_ms() - start;
		best = took < best ? took : best;
		found = findings.count;
		findings_clear(&findings);
	}
	printf("%-24s %6.1f ms  %4.2fx  %zu packages, %zu proved, %zu unproved, %zu findings\n",
	       what, best, best / decoding_ms, counts.packages, counts.files_proved,
	       counts.files_unproved, found);
}

/*
 * A fleet: the packages of every host are those of all but for some of its own build, a different
 * few on each, held against manifests and its own past; what no package owns is left out.
 */
static void run_fleet(struct fleet *fleet, const struct judge_input *like, size_t hosts)
{
	static struct observed_section sections[3 * PACKAGES + UNOWNED_SECTIONS + 8];
	static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {1};
	struct observation now = {.sections = sections};
	struct judge_input input = *like;
	size_t hits, misses, found = 0;
	struct error err;
	double start;

	for (size_t i = 0; i < fleet->sections; i++) {
		struct section_key key;

		if (section_key_decode(fleet->section[i].key, &key) && key.kind != SECTION_TREE) {
			sections[now.section_count++] = fleet->section[i];
		}
	}
	input.now = input.first = input.last = &now;
	if (judge_cache_new(&input.cache, (size_t)96 << 20, seed, &err) < 0) {
		exit(1);
	}
	start = now_ms();
	for (size_t h = 0; h < hosts; h++) {
		struct observed_section *own = &sections[h * 7 % now.section_count];
		struct observed_section was = *own;
		struct findings findings = {0};
		struct judge_counts counts;

		/* One of three hosts has a section that is another package's: all of it differs. */
		if (h % 3 == 0) {
			own->content = sections[(h * 7 + 1) % now.section_count].content;
		}
		if (judge_host(&input, &findings, &counts, &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			exit(1);
		}
		found += findings.count;
		findings_clear(&findings);
		*own = was;
	}
	judge_cache_count(input.cache, &hits, &misses);
	printf("%zu hosts            %8.1f ms  %.3f ms a host  %zu units from verdicts, %zu anew, "
	       "%zu findings\n",
	       hosts, now_ms() - start, (now_ms() - start) / (double)hosts, hits, misses, found);
	judge_cache_free(input.cache);
}

int main(int argc, char **argv)
{
	static struct fleet fleet;
	static uint8_t rows_room[1 << 20];
	struct cbor_writer rows, w;
	const struct bytes none = {NULL, 0};
	struct section_key key;
	struct known_good known = {.context = &fleet, .manifests = find};
	struct object_source objects = {load, &fleet};
	struct observation o = {0};
	struct judge_input input = {
		.policy = policy_default(), .known = &known, .now = &o, .objects = &objects};

	cbor_writer_init(&rows, rows_room, sizeof(rows_room));
	for (unsigned p = 0; p < PACKAGES; p++) {
		make_package(&fleet, p, &rows);
	}
	memcpy(room, rows_room, rows.len);
	key = section_key_make(SECTION_PACKAGES, BYTES_LITERAL("dpkg"), none, none, none);
	put(&fleet, &key, rows.len);
	for (unsigned s = 0; s < UNOWNED_SECTIONS; s++) {
		cbor_writer_init(&w, room, sizeof(room));
		for (unsigned f = 0; f < UNOWNED; f++) {
			struct entry e = file(path_of("/usr/lib/unowned-", s, "/file-", f), f);
			entry_encode(&w, &e);
		}
		key = section_key_make(SECTION_TREE,
				       bytes_from_string(path_of("/usr/lib/unowned-", s, "-", 0)),
				       none, none, none);
		put(&fleet, &key, w.len);
	}
	cbor_writer_init(&w, room, sizeof(room));
	for (unsigned p = 0; p < PACKAGES; p++) {
		for (unsigned d = 0; d < 8; d++) {
			struct entry e = file(path_of("/usr/share/package-", p, "/dir-", d), 0);
			e.type = ENTRY_DIR;
			e.has_size = e.has_sha256 = e.has_mtime = false;
			entry_encode(&w, &e);
		}
	}
	key = section_key_make(SECTION_DIRS, none, none, none, none);
	put(&fleet, &key, w.len);
	qsort(fleet.section, fleet.sections, sizeof(fleet.section[0]), compare_sections);
	qsort(fleet.object, fleet.objects, sizeof(fleet.object[0]), compare_objects);
	o.sections = fleet.section;
	o.section_count = fleet.sections;
	decoding_ms = 1e9;
	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now_ms(), took;

		decode_all(&fleet);
		took = now_ms() - start;
		decoding_ms = took < decoding_ms ? took : decoding_ms;
	}
	printf("%-24s %6.1f ms  1.00x\n", "decoding alone", decoding_ms);
	for (int cached = 0; cached < 2; cached++) {
		static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {1};
		struct error err;

		/* A cache is for one baseline. */
		if (cached && judge_cache_new(&input.cache, (size_t)1 << 30, seed, &err) < 0) {
			return 1;
		}
		puts(cached ? "from verdicts:" : "anew:");
		fleet.with_manifests = true;
		input.first = NULL;
		run("manifests, no past", &input);
		input.first = input.last = &o;
		run("manifests, and a past", &input);
		judge_cache_free(input.cache);
		input.cache = NULL;
		if (cached && judge_cache_new(&input.cache, (size_t)1 << 30, seed, &err) < 0) {
			return 1;
		}
		fleet.with_manifests = false;
		run("first sight alone", &input);
		input.first = input.last = NULL;
		run("nothing", &input);
		judge_cache_free(input.cache);
		input.cache = NULL;
	}
	fleet.with_manifests = true;
	run_fleet(&fleet, &input, argc > 1 ? strtoul(argv[1], NULL, 10) : 1000);
	return 0;
}
