// SPDX-License-Identifier: MIT
/*
 * Judges one host of 1,500 packages with 100 files each from memory: with a manifest for each
 * package, with an equal first sight, with neither; from verdicts that another host left. The peer is
 * bare decoding of the same bytes. Then fleets, one of dpkg and one of rpm, whose hosts all have what
 * is their own (rpm: when each package was installed): equal ones, which all are judged anew, ones of which each has 1 % of its
 * packages changed, and what it takes to see that nothing changed at all.
 *
 *	judge_host [HOSTS [fleets]]	"fleets": only those, as for callgrind
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <sys/stat.h>

#include "baselines/rpm/manifest.h"
#include "controller/judge/basis.h"
#include "controller/judge/judge.h"
#include "schema/record.h"

enum { PACKAGES = 1500, FILES = 100, UNOWNED_SECTIONS = 100, UNOWNED = 50, ROUNDS = 10 };

struct stored {
	struct digest digest;
	uint8_t *data;
	size_t len;
};

#define PROOF_SLOTS 4096U

struct fleet {
	const char *manager;
	struct rpm_header header[PACKAGES];
	struct rpm_proof proof[PACKAGES];
	struct digest proved[PROOF_SLOTS]; /* a table of what each header proves, */
	const struct rpm_proof *proof_of[PROOF_SLOTS];
	struct digest variant[PACKAGES]; /* of a package, with one file changed */
	struct stored object[4 * PACKAGES + UNOWNED_SECTIONS + 8];
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

static struct digest put_object(struct fleet *fleet, size_t len)
{
	struct stored *object = &fleet->object[fleet->objects++];

	object->data = malloc(len + 1);
	memcpy(object->data, room, len);
	object->len = len;
	EVP_Digest(room, len, object->digest.bytes, NULL, EVP_sha256(), NULL);
	return object->digest;
}

static void put(struct fleet *fleet, const struct section_key *key, size_t len)
{
	struct observed_section *section = &fleet->section[fleet->sections++];
	uint8_t encoded[SECTION_KEY_MAX];
	struct cbor_writer w;

	cbor_writer_init(&w, encoded, sizeof(encoded));
	section_key_encode(&w, key);
	section->key = bytes_make(memcpy(malloc(w.len), encoded, w.len), w.len);
	section->content = put_object(fleet, len);
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

static void put_item(struct cbor_writer *w, const char *part, uint32_t tag, uint8_t type,
		     struct bytes value)
{
	const uint8_t number[4] = {0, 0, (uint8_t)(tag >> 8), (uint8_t)tag};
	const struct record record = {
		.count = HEADER_FIELDS,
		.field = {bytes_from_string(part), bytes_make(number, 4), bytes_make(&type, 1),
			  bytes_make("\0\0\0\0", 4), value},
	};

	record_encode(w, &record);
}

/* What rpm noted of each package: [claims] as all hosts have them, [installs] as this one does. */
static void put_claims(struct fleet *fleet, const struct section_key *package)
{
	static const uint8_t states[FILES];
	const struct section_key key = section_key_make(SECTION_CLAIMS, package->part[1],
							package->part[2], package->part[3],
							package->part[4]);
	struct cbor_writer w;

	cbor_writer_init(&w, room, sizeof(room));
	put_item(&w, HEADER_REST, 1029, 1, bytes_make(states, FILES));
	put(fleet, &key, w.len);
}

static unsigned proof_slot(const struct fleet *fleet, const struct digest *section)
{
	unsigned at = (section->bytes[0] * 256U + section->bytes[1]) % PROOF_SLOTS;

	while (fleet->proof_of[at] && !digest_equal(&fleet->proved[at], section)) {
		at = (at + 1) % PROOF_SLOTS;
	}
	return at;
}

/* Signed by somebody who is trusted, with the files of the manifest. */
static void make_header(struct fleet *fleet, unsigned p, const struct section_key *package)
{
	struct rpm_file *files = calloc(FILES, sizeof(*files));
	struct rpm_header *header = &fleet->header[p];
	struct manifest *manifest = NULL;
	struct section_key key = section_key_make(SECTION_HEADER, package->part[1],
						  package->part[2], package->part[3],
						  package->part[4]);
	struct error err;
	unsigned slot;

	for (unsigned f = 0; f < FILES; f++) {
		const struct entry *entry = &fleet->manifest[p].entries[f].entry;

		files[f] = (struct rpm_file){
			.path = entry->path,
			.mode = (uint16_t)(S_IFREG | entry->mode),
			.mtime_s = (uint32_t)entry->mtime_s,
			.size = entry->size,
			.user = entry->owner,
			.group = entry->group,
			.digest = bytes_make(entry->sha256.bytes, DIGEST_SIZE),
			.verify = 0xffffffffU,
		};
	}
	*header = (struct rpm_header){
		.name = package->part[2],
		.evr = package->part[3],
		.arch = package->part[4],
		.digest_algorithm = RPM_DIGEST_SHA256,
		.columns = 0x7fff,
		.files = files,
		.file_count = FILES,
	};
	if (rpm_manifest_make(header, "bench", "Vendor", &manifest, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	fleet->proof[p] = (struct rpm_proof){
		.verdict = RPM_PROOF_GOOD,
		.fingerprint = "F00DF00DF00DF00DF00DF00DF00DF00DF00DF00D",
		.origin = "Vendor",
		.reason = "",
		.header = header,
		.manifest = manifest,
	};
	put(fleet, &key, (size_t)snprintf((char *)room, sizeof(room), "%u", p));
	slot = proof_slot(fleet, &fleet->section[fleet->sections - 1].content);
	fleet->proved[slot] = fleet->section[fleet->sections - 1].content;
	fleet->proof_of[slot] = &fleet->proof[p];
	put_claims(fleet, package);
}

static int find_proof(void *context, const struct digest *section, const struct rpm_proof **proof,
		      struct error *err)
{
	const struct fleet *fleet = context;

	(void)err;
	*proof = fleet->proof_of[proof_slot(fleet, section)];
	return 0;
}

static void make_installs(struct observation *now, size_t host)
{
	const struct section_range range =
		observation_range(now, SECTION_INSTALLS, BYTES_LITERAL("rpm"));

	for (size_t i = range.from; i < range.to; i++) {
		now->sections[i].content.bytes[0] = (uint8_t)(host >> 8);
		now->sections[i].content.bytes[1] = (uint8_t)host;
	}
}

static void make_package(struct fleet *fleet, unsigned p, struct cbor_writer *rows)
{
	struct bytes name = bytes_from_string(path_of("package-", p, "-", 0));
	struct bytes version = BYTES_LITERAL("1.2.3-4+deb12u1"), arch = BYTES_LITERAL("amd64");
	struct section_key key = section_key_make(
		SECTION_PACKAGE, bytes_from_string(fleet->manager), name, version, arch);
	struct manifest *m = &fleet->manifest[p];
	static char origin[] = "Debian";
	struct record row = {.count = 5,
			     .field = {name, version, arch, BYTES_LITERAL("install ok installed"),
				       BYTES_LITERAL("")}};
	bool is_rpm = strcmp(fleet->manager, "rpm") == 0;
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
	fleet->section[fleet->sections - 1].stat = p;
	cbor_writer_init(&w, room, sizeof(room));
	for (unsigned f = 0; f < FILES; f++) {
		struct entry e = m->entries[f].entry;

		e.sha256.bytes[31] ^= f == 0;
		entry_encode(&w, &e);
	}
	fleet->variant[p] = put_object(fleet, w.len);
	if (is_rpm) {
		row.field[3] = BYTES_LITERAL("installed");
		record_encode(rows, &row);
		make_header(fleet, p, &key);
		return;
	}
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

static void judge_once(const struct judge_input *input, struct findings *findings)
{
	struct judge_counts counts;
	struct error err;

	if (judge_host(input, findings, &counts, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
}

/* What a host whose last look was judged is asked first. */
static bool is_unchanged(const struct judge_input *input, const struct findings *findings)
{
	const struct judge_basis basis = {
		.program = "", .commit = "", .host = "host", .now = input->now};
	struct digest all, told;
	struct error err;

	return judge_basis_digest(&basis, &all, &err) == 0 &&
	       judge_findings_digest(findings, &told, &err) == 0;
}

static void tell(const char *manager, const char *what, double spent_ms, size_t hosts,
		 const struct judge_cache *cache)
{
	size_t hits = 0, misses = 0;

	judge_cache_count(cache, &hits, &misses);
	printf("%-5s %-22s %8.3f ms a host  %zu hosts; so far %zu units from verdicts, %zu anew\n",
	       manager, what, spent_ms / (double)hosts, hosts, hits, misses);
}

/*
 * Hosts of the same packages, held against what proves them and their own past; what no package owns
 * is left out.
 * `percent` of each host's packages have one file that is another's.
 */
static double run_hosts(struct fleet *fleet, struct judge_input *input, struct observation *now,
			size_t hosts, unsigned percent)
{
	const struct section_range range =
		observation_range(now, SECTION_PACKAGE, bytes_from_string(fleet->manager));
	size_t count = range.to - range.from;
	double spent = 0;

	for (size_t h = 0; h < hosts; h++) {
		struct digest was[PACKAGES];
		struct findings findings = {0};
		double start;

		make_installs(now, h + 1000 * percent);
		for (size_t i = 0; i < count * percent / 100; i++) {
			struct observed_section *at =
				&now->sections[range.from + (h * 7 + i * 97) % count];

			was[i] = at->content;
			at->content = fleet->variant[at->stat];
		}
		start = now_ms();
		judge_once(input, &findings);
		spent += now_ms() - start;
		findings_clear(&findings);
		for (size_t i = count * percent / 100; i-- > 0;) {
			now->sections[range.from + (h * 7 + i * 97) % count].content = was[i];
		}
	}
	return spent;
}

static void run_fleet(struct fleet *fleet, const struct judge_input *like, size_t hosts)
{
	static struct observed_section sections[3 * PACKAGES + UNOWNED_SECTIONS + 8];
	static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {1};
	static struct observed_section earlier[3 * PACKAGES + UNOWNED_SECTIONS + 8];
	struct observation now = {.sections = sections}, past = {.sections = earlier};
	struct judge_input input = *like;
	struct findings findings = {0};
	struct error err;
	double start;

	for (size_t i = 0; i < fleet->sections; i++) {
		struct section_key key;

		if (section_key_decode(fleet->section[i].key, &key) && key.kind != SECTION_TREE) {
			sections[now.section_count++] = fleet->section[i];
		}
	}
	memcpy(earlier, sections, sizeof(earlier));
	past.section_count = now.section_count;
	input.now = &now;
	input.first = input.last = &past;
	if (judge_cache_new(&input.cache, (size_t)96 << 20, seed, &err) < 0) {
		exit(1);
	}
	tell(fleet->manager, "first host", run_hosts(fleet, &input, &now, 1, 0), 1, input.cache);
	tell(fleet->manager, "equal hosts", run_hosts(fleet, &input, &now, hosts, 0), hosts,
	     input.cache);
	tell(fleet->manager, "1 % of each changed", run_hosts(fleet, &input, &now, hosts, 1), hosts,
	     input.cache);
	judge_once(&input, &findings);
	start = now_ms();
	for (size_t h = 0; h < hosts; h++) {
		if (!is_unchanged(&input, &findings)) {
			exit(1);
		}
	}
	tell(fleet->manager, "nothing changed", now_ms() - start, hosts, input.cache);
	findings_clear(&findings);
	judge_cache_free(input.cache);
}

static void make_fleet(struct fleet *fleet)
{
	static uint8_t rows_room[1 << 20];
	const struct bytes none = {NULL, 0};
	struct cbor_writer rows, w;
	struct section_key key;

	cbor_writer_init(&rows, rows_room, sizeof(rows_room));
	for (unsigned p = 0; p < PACKAGES; p++) {
		make_package(fleet, p, &rows);
	}
	memcpy(room, rows_room, rows.len);
	key = section_key_make(SECTION_PACKAGES, bytes_from_string(fleet->manager), none, none,
			       none);
	put(fleet, &key, rows.len);
	if (strcmp(fleet->manager, "rpm") == 0) {
		key = section_key_make(SECTION_INSTALLS, bytes_from_string(fleet->manager), none,
				       none, none);
		put(fleet, &key, 0);
	}
	for (unsigned s = 0; s < UNOWNED_SECTIONS; s++) {
		cbor_writer_init(&w, room, sizeof(room));
		for (unsigned f = 0; f < UNOWNED; f++) {
			struct entry e = file(path_of("/usr/lib/unowned-", s, "/file-", f), f);
			entry_encode(&w, &e);
		}
		key = section_key_make(SECTION_TREE,
				       bytes_from_string(path_of("/usr/lib/unowned-", s, "-", 0)),
				       none, none, none);
		put(fleet, &key, w.len);
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
	put(fleet, &key, w.len);
	qsort(fleet->section, fleet->sections, sizeof(fleet->section[0]), compare_sections);
	qsort(fleet->object, fleet->objects, sizeof(fleet->object[0]), compare_objects);
}

static void run_one(struct fleet *fleet, const struct observation *o, struct judge_input input)
{
	decoding_ms = 1e9;
	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now_ms(), took;

		decode_all(fleet);
		took = now_ms() - start;
		decoding_ms = took < decoding_ms ? took : decoding_ms;
	}
	printf("%-24s %6.1f ms  1.00x\n", "decoding alone", decoding_ms);
	for (int cached = 0; cached < 2; cached++) {
		static const uint8_t seed[JUDGE_CACHE_SEED_SIZE] = {1};
		struct error err;

		/* A cache is for one baseline. */
		if (cached && judge_cache_new(&input.cache, (size_t)1 << 30, seed, &err) < 0) {
			exit(1);
		}
		puts(cached ? "from verdicts:" : "anew:");
		fleet->with_manifests = true;
		input.first = NULL;
		run("manifests, no past", &input);
		input.first = input.last = o;
		run("manifests, and a past", &input);
		judge_cache_free(input.cache);
		input.cache = NULL;
		if (cached && judge_cache_new(&input.cache, (size_t)1 << 30, seed, &err) < 0) {
			exit(1);
		}
		fleet->with_manifests = false;
		run("first sight alone", &input);
		input.first = input.last = NULL;
		run("nothing", &input);
		judge_cache_free(input.cache);
		input.cache = NULL;
	}
}

int main(int argc, char **argv)
{
	static struct fleet fleet = {.manager = "dpkg"}, rpm = {.manager = "rpm"};
	const struct rpm_proof_source proofs = {&rpm, find_proof};
	size_t hosts = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	struct known_good known = {.context = &fleet, .manifests = find};
	struct object_source objects = {load, &fleet};
	struct observation o = {0};
	struct judge_input input = {
		.policy = policy_default(), .known = &known, .now = &o, .objects = &objects};

	make_fleet(&fleet);
	o.sections = fleet.section;
	o.section_count = fleet.sections;
	if (argc <= 2) {
		run_one(&fleet, &o, input);
	}
	fleet.with_manifests = true;
	run_fleet(&fleet, &input, hosts);
	make_fleet(&rpm);
	objects.context = known.context = &rpm;
	input.proofs = &proofs;
	run_fleet(&rpm, &input, hosts);
	return 0;
}
