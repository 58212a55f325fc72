// SPDX-License-Identifier: MIT
/*
 * What a fleet costs in the store: a first night, an unchanged one (times of reading move), one on
 * which 1 % of the hosts changed, a patch night for all; then loading, diffs, and comparing all hosts
 * with each other.
 *
 *	store_bench [HOSTS [PACKAGES [ROLES [NIGHTS]]]] > figures
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/store/fleet.h"
#include "controller/store/store.h"
#include "schema/record.h"

#define LOCAL 24 /* sections of a host's own */
#define PATCHED 20
#define FINDINGS 10
#define NIGHT 86400
#define HOST_SEED 0xffffffffU
#define T0 1760000000

struct section {
	uint8_t key[128];
	size_t key_len;
	struct digest digest;
	uint32_t seed; /* of the content */
	uint16_t size;
	int local; /* -1: the same on all hosts of the role */
	bool is_package;
};

struct role {
	struct section *section;
	size_t count;
};

static size_t hosts = 10000, packages = 1500, roles = 20, nights = 2;
static struct role *fleet;
static struct observed_section *sections;
static struct judged_package *judged;
static struct store_object *objects;
static uint8_t *contents;
static const char *path;

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static void die(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "%s: %s\n", what, err ? err->msg : "");
	abort();
}

/* A third of it does not compress, as with lists of names and digests. */
static size_t content(uint32_t seed, uint16_t size, uint8_t *to)
{
	if (seed == HOST_SEED) {
		const struct record facts = {
			.count = FACT_FIELDS,
			.field = {BYTES_LITERAL(FACT_OS_RELEASE),
				  BYTES_LITERAL("ID=debian\nVERSION_ID=\"12\"\n")}};
		struct cbor_writer w;

		cbor_writer_init(&w, to, size);
		record_encode(&w, &facts);
		return w.len;
	}
	for (size_t i = 0; i + 96 <= size; i += 96) {
		memset(to + i, 0, 64); /* the name does not fill it */
		(void)snprintf((char *)to + i, 65, "/usr/share/doc/package-%08x/file-%08zx-%s",
			       seed, i, "0644 root root");
		for (size_t j = 0; j < 4; j++) {
			uint64_t word = mix((uint64_t)seed << 32 | (i + j));

			memcpy(to + i + 64 + 8 * j, &word, 8);
		}
	}
	return size - size % 96U;
}

static void digest_of(struct section *s)
{
	static uint8_t room[65536];
	size_t len = content(s->seed, s->size, room);

	if (EVP_Digest(room, len, s->digest.bytes, NULL, EVP_sha256(), NULL) != 1) {
		die("digest", NULL);
	}
}

static void add(struct role *role, enum section_kind kind, const char *a, const char *b,
		const char *c, uint32_t seed, uint16_t size, int local)
{
	struct section *s = &role->section[role->count++];
	struct section_key key = section_key_make(kind, bytes_from_string(a), bytes_from_string(b),
						  bytes_from_string(c), BYTES_LITERAL("amd64"));
	struct cbor_writer w;

	cbor_writer_init(&w, s->key, sizeof(s->key));
	section_key_encode(&w, &key);
	s->key_len = w.len;
	s->seed = seed;
	s->size = size;
	s->local = local;
	s->is_package = kind == SECTION_PACKAGE;
	digest_of(s);
}

static int by_key(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	return bytes_compare(bytes_make(x->key, x->key_len), bytes_make(y->key, y->key_len));
}

/* Roles share two thirds of their packages; `patch` of each role's are a version further. */
static void make_role(size_t r, size_t patch)
{
	struct role *role = &fleet[r];
	char name[64], version[32];

	free(role->section);
	role->section = calloc(packages * 3 + LOCAL + 8, sizeof(*role->section));
	role->count = 0;
	for (size_t p = 0; p < packages; p++) {
		size_t id = p % 3 != 0 ? p : p + (r + 1) * packages;
		uint32_t seed = (uint32_t)mix(id * 2 + (p < patch));
		uint16_t size = (uint16_t)(1000 + seed % 8000);

		(void)snprintf(name, sizeof(name), "lib%08x-%zu", (uint32_t)mix(id), id);
		(void)snprintf(version, sizeof(version), "1:%u.%u-%d", seed % 9, seed % 31,
			       p < patch ? 2 : 1);
		add(role, SECTION_PACKAGE, "dpkg", name, version, seed, size, -1);
		add(role, SECTION_CLAIMS, "dpkg", name, version, seed ^ 1, size / 2, -1);
		if (p % 4 == 0) {
			add(role, SECTION_CONFIG, "dpkg", name, version, seed ^ 2, 400, -1);
		}
	}
	for (int i = 0; i < LOCAL; i++) {
		(void)snprintf(name, sizeof(name), "/srv/place%d", i);
		add(role, SECTION_TREE, name, "", "", (uint32_t)i, 2000, i < LOCAL / 2 ? i : -1);
	}
	add(role, SECTION_HOST, "", "", "", HOST_SEED, 4096, -1);
	qsort(role->section, role->count, sizeof(*role->section), by_key);
}

struct cost {
	double cpu_s;
	double wall_s;
};

static double now(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t file_bytes(void)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void fill_host(struct store *store, size_t h, int night, bool changed, struct observation *o,
		      size_t *object_count)
{
	const struct role *role = &fleet[h % roles];
	size_t used = 0;

	*object_count = 0;
	o->sections = sections;
	o->section_count = role->count;
	for (size_t i = 0; i < role->count; i++) {
		struct section own = role->section[i];
		const struct section *s = &role->section[i];
		bool read = night == 0 || mix(i * 31 + h) % 30 == (unsigned)night || own.local >= 0;

		if (own.local >= 0) {
			own.seed = (uint32_t)mix(h << 8 | (size_t)own.local << 1 |
						 (changed && own.local < 2));
			digest_of(&own);
		}
		sections[i] = (struct observed_section){
			.key = bytes_make(s->key, s->key_len),
			.content = own.digest,
			.stat = mix(h << 32 | i << 1 | (changed && own.local == 0)),
			.read_s = read ? T0 + night * NIGHT : T0 + (night - 1) * NIGHT,
			.always = own.local >= 0,
		};
		judged[i] = (struct judged_package){
			.files = own.seed % 200,
			.witness = own.seed % 4 == 0 ? WITNESS_FIRST_SIGHT : WITNESS_MANIFEST,
			.is_judged = own.is_package,
		};
		if (!store_has_object(store, &own.digest)) {
			size_t len = content(own.seed, own.size, contents + used);

			objects[*object_count] =
				(struct store_object){own.digest, bytes_make(contents + used, len)};
			(*object_count)++;
			used += len;
		}
	}
}

static void fill_findings(struct findings *findings, struct finding *items, size_t h, bool patched)
{
	static char subjects[FINDINGS + PATCHED][48];

	findings->item = items;
	findings->count = FINDINGS + (patched ? PATCHED : 0);
	for (size_t i = 0; i < findings->count; i++) {
		(void)snprintf(subjects[i], sizeof(subjects[i]), "/usr/bin/thing-%zu-%zu", i,
			       h % 7);
		items[i] = (struct finding){
			.rule = i < FINDINGS ? RULE_FILE_CHANGED : RULE_PACKAGE_UPGRADED,
			.severity = SEVERITY_MEDIUM,
			.witness = WITNESS_MANIFEST,
			.state = i < FINDINGS ? FINDING_NEW : FINDING_EXPLAINED,
			.letters = "..5....T.",
			.marker = ' ',
			.subject = bytes_from_string(subjects[i]),
			.old_value = BYTES_LITERAL("type=file mode=0755 uname=root gname=root"),
			.new_value = BYTES_LITERAL("type=file mode=0777 uname=root gname=root"),
		};
		(void)snprintf(items[i].id, sizeof(items[i].id), "%016llx",
			       (unsigned long long)mix(i * 7 + h % 7));
	}
}

static struct store_run night(struct store *store, int n, const char *what, size_t changed_of,
			      bool patched)
{
	struct store_run run = {.kind = "sweep",
				.sweep = "nightly",
				.started_s = T0 + n * NIGHT,
				.hosts_asked = hosts};
	struct coverage_item coverage[3] = {
		{.check = BYTES_LITERAL("packages"), .count = packages},
		{.check = BYTES_LITERAL("tree"), .count = 300},
		{.check = BYTES_LITERAL("mounts"),
		 .subject = BYTES_LITERAL("/proc"),
		 .state = COVERAGE_SKIPPED,
		 .reason = BYTES_LITERAL("pseudo"),
		 .count = 1},
	};
	struct finding items[FINDINGS + PATCHED];
	struct findings findings = {0};
	struct judge_counts counts = {.packages = packages, .files_proved = 90000};
	struct cost put = {0};
	struct error err = {0};
	uint64_t before = file_bytes();

	if (store_run_begin(store, &run, &err)) {
		die("run", &err);
	}
	for (size_t h = 0; h < hosts; h++) {
		struct observation o = {.coverage = coverage, .coverage_count = 3};
		struct store_host host = {
			.outcome = OUTCOME_FINDINGS,
			.reason = "",
			.observation = &o,
			.objects = objects,
			.counts = &counts,
			.packages = judged,
			.findings = &findings,
			.sent_bytes = 100000 + h % 50,
			.received_bytes = 1700 + h % 90,
			.probe_bytes = 98000,
			.started_s = run.started_s + (int64_t)(h / 50),
			.finished_s = run.started_s + (int64_t)(h / 50) + 3,
		};
		double cpu, wall;
		char name[48];

		(void)snprintf(name, sizeof(name), "web%05zu.example.net", h);
		host.name = name;
		o.hello.arch = BYTES_LITERAL("x86_64");
		o.hello.kernel = BYTES_LITERAL("6.1.0-18-amd64");
		o.hello.clock_ns = (run.started_s + (int64_t)(h / 50)) * 1000000000 +
				   (int64_t)mix(h) % 1000000;
		o.hello.boot_s = T0 - (int64_t)h;
		o.clock_offset_ns = (int64_t)(mix(h + (size_t)n) % 3000000);
		o.end = (struct end){.sections = 120,
				     .entries = 90000,
				     .files = 3000 + (uint32_t)h % 9,
				     .bytes = 50000000 + h,
				     .cpu_us = 400000 + mix(h * 3 + (size_t)n) % 99999,
				     .wall_us = 900000 + mix(h + (size_t)n) % 99999,
				     .peak_kib = 9000};
		fill_host(store, h, n, changed_of != 0 && h % changed_of == 0, &o,
			  &host.object_count);
		fill_findings(&findings, items, h, patched);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		wall = now(CLOCK_MONOTONIC);
		if (store_host_put(store, &run, &host, &err)) {
			die("put", &err);
		}
		put.cpu_s += now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		put.wall_s += now(CLOCK_MONOTONIC) - wall;
	}
	run.finished_s = run.started_s + 3600;
	if (store_run_end(store, &run, &err)) {
		die("end", &err);
	}
	printf("%-28s cpu %7.2f s  wall %7.2f s  %8.1f us a host  file +%.2f MB\n", what, put.cpu_s,
	       put.wall_s, put.cpu_s * 1e6 / (double)hosts,
	       ((double)file_bytes() - (double)before) / 1e6);
	(void)fflush(stdout);
	return run;
}

static int count(void *context, const struct store_diff_row *row)
{
	(void)row;
	++*(size_t *)context;
	return 0;
}

static void diff(struct store *store, const struct store_run *a, const struct store_run *b,
		 const char *what)
{
	double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	struct error err = {0};
	size_t rows = 0;

	if (store_diff(store, a->id, b->id, NULL, count, &rows, &err)) {
		die("diff", &err);
	}
	printf("%-28s cpu %7.2f s  wall %7.2f s  %zu rows\n", what,
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu, now(CLOCK_MONOTONIC) - wall, rows);
}

static struct store *reopen(struct store *store, enum store_mode mode)
{
	double wall = now(CLOCK_MONOTONIC);
	struct error err = {0};

	store_close(store);
	if (store_open(path, mode, &store, &err)) {
		die("open", &err);
	}
	printf("%-28s wall %7.3f s\n",
	       mode == STORE_WRITE ? "open for writing" : "open for reading",
	       now(CLOCK_MONOTONIC) - wall);
	return store;
}

static void load_all(struct store *store)
{
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	struct observation *o = NULL;
	struct error err = {0};
	char name[48];

	for (size_t h = 0; h < hosts; h++) {
		(void)snprintf(name, sizeof(name), "web%05zu.example.net", h);
		if (store_observation_load(store, name, STORE_LAST_COMPLETE, &o, &err) || !o) {
			die("load", &err);
		}
		store_observation_free(o);
	}
	printf("%-28s %.1f us a host\n", "load an observation",
	       (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)hosts);
}

static void compare(struct store *store, const struct store_run *run)
{
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	struct store_fleet *compared = NULL;
	struct judge_counts counts;
	struct error err = {0};

	if (store_fleet_load(store, &compared, &err)) {
		die("compare", &err);
	}
	printf("%-28s cpu %7.2f s  %zu builds differ\n", "compare all hosts",
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu, store_fleet_count(compared));
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	if (store_fleet_end(store, compared, run, &counts, &err)) {
		die("compare", &err);
	}
	printf("%-28s cpu %7.2f s\n", "keep what the fleet vouches",
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	store_fleet_free(compared);
}

static size_t number(const char *text)
{
	return (size_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/store-bench-XXXXXX", file[64];
	struct store *store = NULL;
	struct store_run run[4];
	struct rusage usage;
	struct error err = {0};

	hosts = argc > 1 ? number(argv[1]) : hosts;
	packages = argc > 2 ? number(argv[2]) : packages;
	roles = argc > 3 ? number(argv[3]) : roles;
	nights = argc > 4 ? number(argv[4]) : nights;
	if (hosts == 0 || packages == 0 || roles == 0 || nights == 0 || !mkdtemp(folder)) {
		die("usage: store_bench [HOSTS [PACKAGES [ROLES [NIGHTS]]]]", NULL);
	}
	(void)snprintf(file, sizeof(file), "%s/m.db", folder);
	path = file;
	fleet = calloc(roles, sizeof(*fleet));
	sections = calloc(packages * 3 + LOCAL + 8, sizeof(*sections));
	judged = calloc(packages * 3 + LOCAL + 8, sizeof(*judged));
	objects = calloc(packages * 3 + LOCAL + 8, sizeof(*objects));
	contents = malloc((packages * 3 + LOCAL + 8) * 9000);
	for (size_t r = 0; r < roles; r++) {
		make_role(r, 0);
	}
	printf("%zu hosts of %zu roles, %zu packages, %zu sections each, %s\n", hosts, roles,
	       packages, fleet[0].count, file);
	if (store_open(path, STORE_WRITE, &store, &err)) {
		die("open", &err);
	}
	run[0] = night(store, 0, "first night", 0, false);
	for (size_t i = 1; i <= nights; i++) {
		run[1] = night(store, (int)i, "unchanged night", 0, false);
	}
	run[2] = night(store, (int)nights + 1, "1 % of hosts changed", 100, false);
	for (size_t r = 0; r < roles; r++) {
		make_role(r, PATCHED);
	}
	run[3] = night(store, (int)nights + 2, "patch night", 100, true);
	store = reopen(store, STORE_WRITE);
	load_all(store);
	compare(store, &run[3]);
	diff(store, &run[0], &run[1], "diff: unchanged");
	diff(store, &run[1], &run[2], "diff: 1 % changed");
	diff(store, &run[2], &run[3], "diff: all patched");
	store = reopen(store, STORE_READ);
	diff(store, &run[1], &run[2], "diff after open: 1 % changed");
	store_close(store);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("file %.1f MB, peak memory %.1f MB\n", (double)file_bytes() / 1e6,
	       (double)usage.ru_maxrss / 1e3);
	(void)unlink(path);
	(void)snprintf(file, sizeof(file), "%s/m.db-lock", folder);
	(void)unlink(file);
	(void)rmdir(folder);
	return 0;
}
