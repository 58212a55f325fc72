// SPDX-License-Identifier: MIT
#include "tests/unit/controller/store/host_maker.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

void host_maker_start(struct host_maker *m, const char *name, int64_t now_s)
{
	arena_clear(&m->arena);
	memset(m, 0, sizeof(*m));
	m->observation.sections = m->sections;
	m->observation.hello = (struct hello){
		.version = PROTOCOL_VERSION,
		.build = BYTES_LITERAL("0.1.0"),
		.arch = BYTES_LITERAL("x86_64"),
		.machine = BYTES_LITERAL("x86_64"),
		.kernel = BYTES_LITERAL("6.1.0-18"),
		.hostname = BYTES_LITERAL("web"),
		.boot_id = BYTES_LITERAL("b"),
		.machine_id = BYTES_LITERAL("m"),
		.clock_ns = now_s * 1000000000 + 5,
		.boot_s = 1700000000,
	};
	m->observation.end =
		(struct end){.sections = 3, .entries = 17, .bytes = 12345, .cpu_us = 9};
	m->observation.clock_offset_ns = -1234567;
	m->coverage[0] = (struct coverage_item){.check = BYTES_LITERAL("packages"), .count = 100};
	m->coverage[1] = (struct coverage_item){.check = BYTES_LITERAL("timeline"),
						.count = (uint64_t)now_s % 1000};
	m->observation.coverage = m->coverage;
	m->observation.coverage_count = 2;
	m->findings.item = m->items;
	m->counts = (struct judge_counts){.packages = 2, .files_proved = 10, .files_unproved = 1};
	m->counts.packages_by_witness[WITNESS_MANIFEST] = 2;
	m->host = (struct store_host){
		.name = name,
		.outcome = OUTCOME_CLEAN,
		.reason = "",
		.observation = &m->observation,
		.objects = m->objects,
		.counts = &m->counts,
		.findings = &m->findings,
		.acks = m->acks,
		.sent_bytes = 100000,
		.received_bytes = 1800,
		.probe_bytes = 98000,
		.started_s = now_s,
		.finished_s = now_s + 2,
	};
}

void host_maker_clear(struct host_maker *m)
{
	arena_clear(&m->arena);
}

void host_maker_section(struct host_maker *m, enum section_kind kind, const char *a, const char *b,
			const char *c, const char *d, struct bytes content)
{
	struct section_key key = section_key_make(kind, bytes_from_string(a), bytes_from_string(b),
						  bytes_from_string(c), bytes_from_string(d));
	uint8_t encoded[SECTION_KEY_MAX];
	struct observed_section *s = &m->sections[m->observation.section_count];
	struct store_object *o = &m->objects[m->host.object_count++];
	struct cbor_writer w;
	bool ok = true;

	assert_true(m->observation.section_count < MAKER_SECTIONS);
	m->observation.section_count++;
	cbor_writer_init(&w, encoded, sizeof(encoded));
	section_key_encode(&w, &key);
	assert_false(w.overflow);
	o->content = arena_copy(&m->arena, content, &ok);
	assert_int_equal(EVP_Digest(content.len ? content.data : (const uint8_t *)"", content.len,
				    o->digest.bytes, NULL, EVP_sha256(), NULL),
			 1);
	*s = (struct observed_section){
		.key = arena_copy(&m->arena, bytes_make(encoded, w.len), &ok),
		.content = o->digest,
		.stat = 0x1122334455667788U ^ (m->observation.section_count * 0x9e3779b97f4a7c15U),
		.read_s = m->host.started_s,
	};
	assert_true(ok);
}

void host_maker_text(struct host_maker *m, enum section_kind kind, const char *name,
		     const char *content)
{
	if (section_kind_is_of_package(kind)) {
		host_maker_section(m, kind, "dpkg", name, "1.0", "amd64",
				   bytes_from_string(content));
	} else {
		host_maker_section(m, kind, name, "", "", "", bytes_from_string(content));
	}
}

struct finding *host_maker_finding(struct host_maker *m, const char *id, const char *subject)
{
	struct finding *f = &m->items[m->findings.count++];

	*f = (struct finding){
		.rule = RULE_FILE_CHANGED,
		.severity = SEVERITY_HIGH,
		.witness = WITNESS_MANIFEST,
		.letters = "..5....T.",
		.marker = ' ',
		.subject = bytes_from_string(subject),
		.package = BYTES_LITERAL("login 1.0"),
		.old_value = BYTES_LITERAL("type=file mode=0755"),
		.new_value = BYTES_LITERAL("type=file mode=0777"),
		.detail = BYTES_LITERAL("content differs"),
	};
	(void)snprintf(f->id, sizeof(f->id), "%s", id);
	m->host.outcome = m->host.outcome == OUTCOME_CLEAN ? OUTCOME_FINDINGS : m->host.outcome;
	return f;
}

static int by_key(const void *a, const void *b)
{
	const struct observed_section *x = a, *y = b;

	return bytes_compare(x->key, y->key);
}

int host_maker_put(struct host_maker *m, struct store *store, const struct store_run *run,
		   struct error *err)
{
	qsort(m->sections, m->observation.section_count, sizeof(m->sections[0]), by_key);
	return store_host_put(store, run, &m->host, err);
}

void place_make(struct place *place)
{
	/* In memory where there is such a place: some tests make a thousand files. */
	(void)snprintf(place->folder, sizeof(place->folder), "%s/muster-store-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(place->folder));
	(void)snprintf(place->path, sizeof(place->path), "%s/m.db", place->folder);
}

void place_remove(struct place *place)
{
	DIR *dir = opendir(place->folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.') {
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	if (dir) {
		(void)closedir(dir);
	}
	assert_int_equal(rmdir(place->folder), 0);
}

struct store *open_store(const char *path, enum store_mode mode)
{
	struct store *store = NULL;
	struct error err = {0};

	if (store_open(path, mode, &store, &err)) {
		fail_msg("%s", err.msg);
	}
	return store;
}

struct store_run begin_run(struct store *store, int64_t started_s)
{
	struct store_run run = {.kind = "sweep",
				.sweep = "nightly",
				.commit = "abc123",
				.version = "0.1.0",
				.started_s = started_s,
				.hosts_asked = 1};
	struct error err = {0};

	if (store_run_begin(store, &run, &err)) {
		fail_msg("%s", err.msg);
	}
	return run;
}

void end_run(struct store *store, struct store_run *run, int64_t finished_s)
{
	struct error err = {0};

	run->finished_s = finished_s;
	if (store_run_end(store, run, &err)) {
		fail_msg("%s", err.msg);
	}
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		fail_msg("%s", sqlite3_errmsg(db));
	}
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		number = sqlite3_column_int64(stmt, 0);
	}
	(void)sqlite3_finalize(stmt);
	return number;
}

int64_t ask_number(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	int64_t number;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	number = ask(db, sql);
	(void)sqlite3_close(db);
	return number;
}

void assert_sound(const char *path)
{
	static const char *const none[] = {
		"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
		"SELECT count(*) FROM pragma_foreign_key_check",
		"SELECT count(*) - count(DISTINCT digest) FROM object",
		"SELECT count(*) - count(DISTINCT encoded) FROM key",
		"SELECT count(*) FROM object WHERE id NOT IN (SELECT object FROM content)",
	};
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(ask(db, none[i]), 0);
	}
	(void)sqlite3_close(db);
}
