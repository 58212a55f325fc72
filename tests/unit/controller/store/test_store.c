// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "schema/record.h"
#include "tests/unit/controller/store/host_maker.h"

#define NIGHT 86400
#define T0 1760000000

static struct host_maker maker;

struct seen {
	size_t count;
	struct {
		char host[32];
		char id[FINGERPRINT_SIZE];
		enum finding_state state;
		int64_t first_run;
		int64_t last_run;
		char ack[16];
		char subject[64];
	} row[32];
};

static int note(void *context, const struct store_finding_row *row)
{
	struct seen *seen = context;
	size_t i = seen->count++;

	assert_true(i < 32);
	(void)snprintf(seen->row[i].host, sizeof(seen->row[i].host), "%s", row->host);
	(void)snprintf(seen->row[i].id, sizeof(seen->row[i].id), "%s", row->finding->id);
	(void)snprintf(seen->row[i].ack, sizeof(seen->row[i].ack), "%s", row->ack);
	(void)snprintf(seen->row[i].subject, sizeof(seen->row[i].subject), "%.*s",
		       (int)row->finding->subject.len, (const char *)row->finding->subject.data);
	seen->row[i].state = row->finding->state;
	seen->row[i].first_run = row->first_run;
	seen->row[i].last_run = row->last_run;
	return 0;
}

static struct seen findings_of(struct store *store, struct store_finding_query query)
{
	struct seen seen = {0};
	struct error err = {0};

	if (store_findings(store, &query, note, &seen, &err)) {
		fail_msg("%s", err.msg);
	}
	return seen;
}

static void put(struct store *store, const struct store_run *run)
{
	struct error err = {0};

	if (host_maker_put(&maker, store, run, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void usual(const char *name, int64_t now_s)
{
	host_maker_start(&maker, name, now_s);
	host_maker_text(&maker, SECTION_PACKAGE, "login", "login's files");
	host_maker_text(&maker, SECTION_PACKAGE, "bash", "bash's files");
	host_maker_text(&maker, SECTION_TREE, "/etc", "what nobody owns");
	host_maker_text(&maker, SECTION_FLAGS, "", "");
}

static void file_is_private_and_versioned(void **state)
{
	struct place place;
	struct stat st;

	(void)state;
	place_make(&place);
	store_close(open_store(place.path, STORE_WRITE));
	assert_int_equal(stat(place.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(ask_number(place.path, "PRAGMA user_version"), 8);
	assert_int_equal(ask_number(place.path, "PRAGMA application_id"), 0x6d757372);
	assert_int_equal(ask_number(place.path, "PRAGMA auto_vacuum"), 2);
	place_remove(&place);
}

static void observation_comes_back_as_it_was(void **state)
{
	const enum store_which each[] = {STORE_FIRST, STORE_LAST_COMPLETE, STORE_LATEST};
	struct observation *kept = NULL;
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	maker.sections[1].unread = 7;
	maker.sections[2].read_s = T0 - 5 * NIGHT;
	maker.sections[3].stat = 0;
	maker.sections[0].always = true;
	maker.coverage[0].state = COVERAGE_PARTIAL;
	maker.coverage[0].reason = BYTES_LITERAL("denied");
	put(store, &run);
	end_run(store, &run, T0 + 60);
	store_close(store);

	store = open_store(place.path, STORE_READ);
	for (size_t w = 0; w < 3; w++) {
		assert_int_equal(store_observation_load(store, "web001", each[w], &kept, &err), 0);
		assert_non_null(kept);
		assert_int_equal(kept->section_count, 4);
		for (size_t i = 0; i < 4; i++) {
			const struct observed_section *a = &maker.sections[i],
						      *b = &kept->sections[i];

			assert_true(bytes_equal(a->key, b->key));
			assert_true(digest_equal(&a->content, &b->content));
			assert_int_equal(a->stat, b->stat);
			assert_int_equal(a->read_s, b->read_s);
			assert_int_equal(a->unread, b->unread);
			assert_int_equal(a->always, b->always);
		}
		assert_int_equal(kept->coverage_count, 2);
		assert_int_equal(kept->coverage[0].state, COVERAGE_PARTIAL);
		assert_true(bytes_equal_string(kept->coverage[0].reason, "denied"));
		assert_int_equal(kept->coverage[1].count, maker.coverage[1].count);
		assert_true(bytes_equal_string(kept->hello.kernel, "6.1.0-18"));
		assert_int_equal(kept->hello.clock_ns, maker.observation.hello.clock_ns);
		assert_int_equal(kept->clock_offset_ns, -1234567);
		assert_int_equal(kept->end.bytes, 12345);
		store_observation_free(kept);
	}
	assert_int_equal(store_observation_load(store, "other", STORE_LATEST, &kept, &err), 0);
	assert_null(kept);
	store_close(store);
	assert_sound(place.path);
	place_remove(&place);
}

static void objects_are_stored_once_and_checked(void **state)
{
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;
	struct digest digest;
	uint8_t *data = NULL;
	size_t len = 0;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	digest = maker.objects[0].digest;
	assert_false(store_has_object(store, &digest));
	put(store, &run);
	assert_true(store_has_object(store, &digest));
	usual("web002", T0);
	maker.host.object_count = 0; /* nothing new to send */
	put(store, &run);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM object"), 4);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM snapshot"), 1);
	assert_int_equal(store_object_load(store, &digest, &data, &len, &err), 0);
	assert_int_equal(len, strlen("login's files"));
	assert_memory_equal(data, "login's files", len);
	free(data);
	digest.bytes[0] ^= 1;
	assert_int_equal(store_object_load(store, &digest, &data, &len, &err), -1);
	assert_int_equal(err.kind, ERROR_STORE);
	digest.bytes[0] ^= 1;
	(void)ask_number(place.path, "UPDATE content SET data = x'00' || 'login''s fileS' "
				     "WHERE object = 1");
	assert_int_equal(store_object_load(store, &digest, &data, &len, &err), -1);
	assert_int_equal(err.kind, ERROR_STORE);
	assert_non_null(strstr(err.msg, "object 1"));
	store_close(store);
	place_remove(&place);
}

static void section_without_content_is_refused_whole(void **state)
{
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	maker.host.object_count = 3;
	assert_int_equal(host_maker_put(&maker, store, &run, &err), -1);
	assert_int_equal(err.kind, ERROR_STORE);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host"), 0);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM object"), 0);
	/* What was in memory of it is gone too. */
	assert_false(store_has_object(store, &maker.objects[0].digest));
	usual("web001", T0);
	put(store, &run);
	store_close(store);
	assert_sound(place.path);
	place_remove(&place);
}

static void unchanged_host_costs_one_row(void **state)
{
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 3; night++) {
		run = begin_run(store, T0 + night * NIGHT);
		usual("web001", T0 + night * NIGHT);
		host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
		put(store, &run);
		end_run(store, &run, T0 + night * NIGHT + 60);
	}
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_run"), 3);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM snapshot"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM coverage"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM facts"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM tally"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM interval"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_stat"), 1);
	assert_sound(place.path);
	place_remove(&place);
}

static void finding_is_new_then_open_then_resolved_then_new(void **state)
{
	struct store_run run[4];
	struct store *store;
	struct place place;
	struct seen seen;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 4; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		usual("web001", T0 + night * NIGHT);
		if (night != 2) {
			const struct finding *f =
				host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");

			put(store, &run[night]);
			assert_int_equal(f->state, night == 1 ? FINDING_OPEN : FINDING_NEW);
		} else {
			put(store, &run[night]);
		}
		end_run(store, &run[night], T0 + night * NIGHT + 60);
	}
	seen = findings_of(store, (struct store_finding_query){.run = run[0].id});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.row[0].state, FINDING_NEW);
	seen = findings_of(store, (struct store_finding_query){.run = run[1].id});
	assert_int_equal(seen.row[0].state, FINDING_OPEN);
	assert_int_equal(seen.row[0].last_run, run[1].id);
	seen = findings_of(store, (struct store_finding_query){.run = run[2].id});
	assert_int_equal(seen.count, 0);
	seen = findings_of(store,
			   (struct store_finding_query){.run = run[2].id, .with_resolved = true});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.row[0].state, FINDING_RESOLVED);
	assert_int_equal(seen.row[0].last_run, run[1].id);
	seen = findings_of(store, (struct store_finding_query){.host = "web001"});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.row[0].state, FINDING_NEW);
	assert_int_equal(seen.row[0].first_run, run[3].id);
	seen = findings_of(store, (struct store_finding_query){.id = "00000000000000a",
							       .with_resolved = true});
	assert_int_equal(seen.count, 2);
	seen = findings_of(store, (struct store_finding_query){.at_least = SEVERITY_CRITICAL});
	assert_int_equal(seen.count, 0);
	seen = findings_of(store, (struct store_finding_query){.host = "nobody"});
	assert_int_equal(seen.count, 0);
	store_close(store);
	assert_sound(place.path);
	place_remove(&place);
}

static void reader_sees_one_state_while_a_sweep_writes(void **state)
{
	struct observation *kept = NULL;
	struct store *store, *reader;
	struct error err = {0};
	struct store_run run, found;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	put(store, &run);
	reader = open_store(place.path, STORE_READ);
	assert_int_equal(store_run_find(reader, "latest", &found, &err), 0);
	run = begin_run(store, T0 + NIGHT);
	usual("web001", T0 + NIGHT);
	host_maker_text(&maker, SECTION_PACKAGE, "more", "a new key and object");
	put(store, &run);
	end_run(store, &run, T0 + NIGHT + 60);
	assert_int_equal(store_observation_load(reader, "web001", STORE_LATEST, &kept, &err), 0);
	assert_int_equal(kept->section_count, 4);
	store_observation_free(kept);
	store_close(reader);
	reader = open_store(place.path, STORE_READ);
	assert_int_equal(store_observation_load(reader, "web001", STORE_LATEST, &kept, &err), 0);
	assert_int_equal(kept->section_count, 5);
	store_observation_free(kept);
	store_close(reader);
	store_close(store);
	place_remove(&place);
}

static void host_not_looked_at_keeps_what_was_open(void **state)
{
	struct store_run run;
	struct observation *kept = NULL;
	struct error err = {0};
	struct store *store;
	struct place place;
	struct seen seen;
	uint8_t *data = NULL;
	size_t len = 0;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
	put(store, &run);
	run = begin_run(store, T0 + NIGHT);
	host_maker_start(&maker, "web001", T0 + NIGHT);
	maker.host.observation = NULL;
	maker.host.outcome = OUTCOME_TIMEOUT;
	maker.host.reason = "no answer in 10 s";
	maker.host.excerpt = BYTES_LITERAL("\xff\0raw");
	put(store, &run);
	seen = findings_of(store, (struct store_finding_query){.run = run.id});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.row[0].state, FINDING_OPEN);
	assert_int_equal(store_observation_load(store, "web001", STORE_LATEST, &kept, &err), 0);
	assert_int_equal(kept->section_count, 4);
	store_observation_free(kept);
	assert_int_equal(store_observation_of_run(store, "web001", run.id, &kept, &err), 0);
	assert_null(kept);
	for (int which = 0; which < 2; which++) {
		assert_int_equal(
			store_excerpt(store, "web001", which ? run.id : 0, &data, &len, &err), 0);
		assert_int_equal(len, 5);
		assert_memory_equal(data, "\xff\0raw", 5);
		free(data);
	}
	assert_int_equal(store_excerpt(store, "web001", run.id - 1, &data, &len, &err), 0);
	assert_null(data);
	store_close(store);
	assert_int_equal(ask_number(place.path,
				    "SELECT high FROM v_hosts WHERE outcome = 'timeout' "
				    "AND reason = 'no answer in 10 s'"),
			 1);
	place_remove(&place);
}

static void partial_look_resolves_only_what_was_looked_at(void **state)
{
	struct store_run run;
	struct store *store;
	struct place place;
	struct seen seen;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
	host_maker_finding(&maker, "00000000000000a2", "/etc/x");
	host_maker_finding(&maker, "00000000000000a3", "/opt/x");
	for (int i = 1; i < 3; i++) {
		maker.items[i].rule = RULE_UNOWNED_APPEARED;
		maker.items[i].package = (struct bytes){0};
	}
	put(store, &run);

	run = begin_run(store, T0 + NIGHT);
	usual("web001", T0 + NIGHT);
	maker.host.outcome = OUTCOME_PARTIAL;
	/* Packages were looked at but for login's files; the tree with a gap in /opt. */
	maker.sections[0].unread = 1;
	maker.coverage[1] = (struct coverage_item){.check = BYTES_LITERAL("tree"), .count = 5};
	maker.coverage[2] = (struct coverage_item){.check = BYTES_LITERAL("tree"),
						   .subject = BYTES_LITERAL("/opt"),
						   .state = COVERAGE_PARTIAL,
						   .reason = BYTES_LITERAL("denied"),
						   .count = 1};
	maker.observation.coverage_count = 3;
	put(store, &run);
	seen = findings_of(store, (struct store_finding_query){.host = "web001"});
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.row[0].subject, "/opt/x");
	assert_string_equal(seen.row[1].subject, "/usr/bin/login");
	store_close(store);
	assert_sound(place.path);
	place_remove(&place);
}

static void acknowledged_and_explained_states_are_kept(void **state)
{
	struct store_run run[3];
	int64_t first_seen[MAKER_FINDINGS];
	struct store *store;
	struct place place;
	struct seen seen;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int night = 0; night < 3; night++) {
		run[night] = begin_run(store, T0 + night * NIGHT);
		usual("web001", T0 + night * NIGHT);
		host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
		if (night == 1) {
			maker.items[0].state = FINDING_ACKNOWLEDGED;
			maker.acks[0] = "A-0042";
		}
		maker.host.first_seen_s = first_seen;
		host_maker_finding(&maker, "00000000000000b1", "bash")->state = FINDING_EXPLAINED;
		put(store, &run[night]);
		assert_int_equal(first_seen[0], T0);
		assert_int_equal(first_seen[1], T0);
	}
	seen = findings_of(store, (struct store_finding_query){.run = run[1].id});
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.row[0].state, FINDING_ACKNOWLEDGED);
	assert_string_equal(seen.row[0].ack, "A-0042");
	assert_int_equal(seen.row[0].first_run, run[0].id);
	seen = findings_of(store, (struct store_finding_query){.with_explained = true});
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.row[0].state, FINDING_OPEN); /* the acknowledgement ran out */
	assert_int_equal(seen.row[0].first_run, run[0].id);
	assert_int_equal(seen.row[1].state, FINDING_EXPLAINED);
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT explained FROM v_hosts"), 1);
	place_remove(&place);
}

static void same_fingerprint_twice_is_one_finding(void **state)
{
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
	host_maker_finding(&maker, "00000000000000a1", "/usr/bin/login");
	put(store, &run);
	/* And the same host once more in the same run. */
	put(store, &run);
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM interval"), 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM host_run"), 1);
	assert_int_equal(ask_number(place.path, "SELECT high FROM tally ORDER BY id DESC"), 1);
	place_remove(&place);
}

static void hostile_names_are_escaped_in_views_and_come_back_raw(void **state)
{
	static const char subject[] = "/tmp/\033[31mred\nline";
	struct store_run run;
	struct store *store;
	struct place place;
	struct seen seen;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	host_maker_finding(&maker, "00000000000000a1", subject);
	host_maker_section(&maker, SECTION_PACKAGE, "dpkg", "b\x1b]0;x\a", "1", "amd64",
			   BYTES_LITERAL("x"));
	put(store, &run);
	seen = findings_of(store, (struct store_finding_query){0});
	assert_string_equal(seen.row[0].subject, subject);
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM v_findings WHERE subject = "
						"'/tmp/\\033[31mred\\012line'"),
			 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM v_packages WHERE name = "
						"'b\\033]0;x\\007'"),
			 1);
	place_remove(&place);
}

static void look_without_packages_keeps_their_list(void **state)
{
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0);
	put(store, &run);
	run = begin_run(store, T0 + NIGHT);
	host_maker_start(&maker, "web001", T0 + NIGHT);
	maker.host.outcome = OUTCOME_PARTIAL;
	host_maker_text(&maker, SECTION_TREE, "/etc", "what nobody owns");
	put(store, &run);
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM v_packages"), 2);
	place_remove(&place);
}

static void packages_are_listed_by_host(void **state)
{
	struct store_run run;
	struct store *store;
	struct place place;
	char name[16];

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	for (int host = 0; host < 3; host++) {
		(void)snprintf(name, sizeof(name), "web%03d", host);
		host_maker_start(&maker, name, T0);
		for (int i = 0; i < 200; i++) {
			char package[16];

			(void)snprintf(package, sizeof(package), "p%d", i);
			if (!(host == 1 && i == 7)) {
				host_maker_text(&maker, SECTION_PACKAGE, package, package);
				host_maker_text(&maker, SECTION_CLAIMS, package, package);
			}
		}
		if (host == 2) {
			host_maker_text(&maker, SECTION_PACKAGE, "more", "more");
		}
		put(store, &run);
	}
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM package_list "
						"WHERE base IS NULL"),
			 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM snapshot WHERE base IS NULL"),
			 1);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM package_in"), 202);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM v_packages"), 600);
	assert_int_equal(
		ask_number(place.path, "SELECT count(*) FROM v_packages WHERE name = 'p7'"), 2);
	assert_int_equal(ask_number(place.path,
				    "SELECT count(*) FROM v_packages WHERE name = 'more' "
				    "AND host = 'web002' AND version = '1.0'"),
			 1);
	assert_sound(place.path);
	place_remove(&place);
}

static int note_host(void *context, const struct store_host_row *row)
{
	struct store_host_row *kept = context;

	*kept = *row;
	kept->name = kept->reason = kept->os = NULL;
	assert_true(bytes_equal_string(row->hello.arch, "x86_64"));
	assert_string_equal(row->os, "Debian GNU/Linux 12 (bookworm)");
	return 0;
}

static void hosts_are_told_with_their_last_state(void **state)
{
	static const char os[] = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";
	struct record record = {.count = 2,
				.field = {BYTES_LITERAL("os-release"), bytes_from_string(os)}};
	struct store_host_row row = {0};
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;
	struct cbor_writer w;
	uint8_t encoded[256];

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, T0);
	usual("web001", T0 + 10);
	maker.sections[0].read_s = T0 - NIGHT;
	cbor_writer_init(&w, encoded, sizeof(encoded));
	record_encode(&w, &record);
	host_maker_section(&maker, SECTION_HOST, "", "", "", "", bytes_make(encoded, w.len));
	put(store, &run);
	for (int which = 0; which < 2; which++) {
		assert_int_equal(store_hosts(store, which ? run.id : 0, note_host, &row, &err), 0);
		assert_int_equal(row.outcome, OUTCOME_CLEAN);
		assert_int_equal(row.finished_s, T0 + 12);
		assert_int_equal(row.last_complete_s, T0 + 12);
		assert_int_equal(row.oldest_content_s, T0 - NIGHT);
		assert_int_equal(row.counts.files_proved, 10);
		assert_int_equal(row.counts.packages_by_witness[WITNESS_MANIFEST], 2);
		assert_int_equal(row.end.entries, 17);
		assert_int_equal(row.received_bytes, 1800);
		assert_int_equal(row.probe_bytes, 98000);
	}
	store_close(store);
	place_remove(&place);
}

static void runs_are_found_by_name_prefix_and_place(void **state)
{
	struct store_run run[3], found;
	struct error err = {0};
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(store_run_find(store, "latest", &found, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	for (int i = 0; i < 3; i++) {
		run[i] = begin_run(store, T0 + i * NIGHT);
		end_run(store, &run[i], T0 + i * NIGHT + 9);
	}
	assert_int_equal(store_run_find(store, "latest", &found, &err), 0);
	assert_int_equal(found.id, run[2].id);
	assert_string_equal(found.kind, "sweep");
	assert_string_equal(found.commit, "abc123");
	assert_int_equal(found.finished_s, T0 + 2 * NIGHT + 9);
	assert_int_equal(store_run_find(store, "previous", &found, &err), 0);
	assert_int_equal(found.id, run[1].id);
	assert_int_equal(store_run_find(store, "-3", &found, &err), 0);
	assert_int_equal(found.id, run[0].id);
	assert_int_equal(store_run_find(store, "-4", &found, &err), -1);
	assert_int_equal(store_run_find(store, run[0].name, &found, &err), 0);
	assert_int_equal(found.id, run[0].id);
	run[1].name[15] = '\0';
	assert_int_equal(store_run_find(store, run[1].name, &found, &err), 0);
	assert_int_equal(found.id, run[1].id);
	assert_int_equal(store_run_find(store, "2025", &found, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_int_equal(store_run_find(store, "", &found, &err), -1);
	assert_int_equal(store_run_find(store, "%", &found, &err), -1);
	store_close(store);
	place_remove(&place);
}

static int count_run(void *context, const struct store_run *run)
{
	int *count = context;

	(void)run;
	return ++*count == 2 ? -1 : 0;
}

static void callback_that_fails_stops_the_query(void **state)
{
	struct error err = {0};
	struct store *store;
	struct place place;
	int count = 0;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	for (int i = 0; i < 3; i++) {
		(void)begin_run(store, T0 + i);
	}
	assert_int_equal(store_runs(store, 0, count_run, &count, &err), -1);
	assert_int_equal(count, 2);
	count = 0;
	assert_int_equal(store_runs(store, 1, count_run, &count, &err), 0);
	assert_int_equal(count, 1);
	store_close(store);
	place_remove(&place);
}

static void secret_is_made_once(void **state)
{
	uint8_t a[32], b[32];
	struct error err = {0};
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(store_secret(store, a, &err), 0);
	store_close(store);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(store_secret(store, b, &err), 0);
	assert_memory_equal(a, b, sizeof(a));
	store_close(store);
	place_remove(&place);
}

/* A partial look shows nothing of where it did not look: the timeline goes on from before it. */
static void complete_clock_is_not_that_of_a_partial_look(void **state)
{
	int64_t clock_ns = 0, offset_ns = 0, whole_ns = 0;
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;
	bool known = true;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(store_complete_clock(store, "web001", &clock_ns, &offset_ns, &known, &err),
			 0);
	assert_false(known);
	for (int night = 0; night < 3; night++) {
		run = begin_run(store, T0 + night * NIGHT);
		usual("web001", T0 + night * NIGHT);
		if (night != 1) {
			maker.host.outcome = OUTCOME_PARTIAL;
		} else {
			whole_ns = maker.observation.hello.clock_ns;
		}
		maker.observation.hello.clock_ns += night;
		put(store, &run);
		end_run(store, &run, T0 + night * NIGHT + 60);
		assert_int_equal(
			store_complete_clock(store, "web001", &clock_ns, &offset_ns, &known, &err),
			0);
		assert_true(known == (night > 0));
	}
	assert_int_equal(clock_ns, whole_ns + 1);
	assert_int_equal(offset_ns, -1234567);
	store_close(store);
	place_remove(&place);
}

/* What an unchanged night needs of it, without loading it. */
static void the_latest_complete_look_is_had_as_it_is_kept(void **state)
{
	struct digest root = {{1, 2, 3}};
	struct store_latest latest;
	struct error err = {0};
	struct store_run run;
	struct store *store;
	struct place place;

	(void)state;
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	assert_int_equal(store_latest_load(store, "web001", &latest, &err), 0);
	assert_false(latest.found);
	for (int night = 0; night < 4; night++) {
		run = begin_run(store, T0 + night * NIGHT);
		usual("web001", T0 + night * NIGHT);
		maker.sections[2].read_s = T0 - 5 * NIGHT;
		maker.sections[night].always = true;
		root.bytes[0] = (uint8_t)night;
		maker.host.stat_root = night == 1 ? NULL : &root;
		maker.host.outcome = night == 2 ? OUTCOME_PARTIAL : OUTCOME_CLEAN;
		put(store, &run);
		end_run(store, &run, T0 + night * NIGHT + 60);
		assert_int_equal(store_latest_load(store, "web001", &latest, &err), 0);
		assert_true(latest.found == (night != 2));
		if (!latest.found) {
			continue;
		}
		assert_true(latest.has_stat_root == (night != 1));
		assert_true(night == 1 || digest_equal(&latest.stat_root, &root));
		assert_int_equal(latest.clock_ns, maker.observation.hello.clock_ns);
		assert_int_equal(latest.clock_offset_ns, maker.observation.clock_offset_ns);
		assert_int_equal(latest.section_count, 4);
		for (size_t i = 0; i < 4; i++) {
			const struct observed_section *put_in = &maker.sections[i];

			assert_true(bytes_equal(store_latest_key(&latest, i), put_in->key));
			assert_true(
				digest_equal(store_latest_content(&latest, i), &put_in->content));
			assert_int_equal(latest.read_s[i], put_in->read_s);
			assert_int_equal(latest.always[0] >> i & 1, put_in->always);
		}
	}
	store_close(store);
	place_remove(&place);
}

/* Three roles with a third of their sections in common; each host has one of its own. */
static void hosts_of_one_role_share_a_base(void **state)
{
	struct host_maker *m = calloc(1, sizeof(*m));
	struct error err = {0};
	struct place place;
	struct store *store;
	struct store_run run;

	(void)state;
	assert_non_null(m);
	place_make(&place);
	store = open_store(place.path, STORE_WRITE);
	run = begin_run(store, 1000);
	for (unsigned host = 0; host < 12; host++) {
		char own[32], name[32];

		(void)snprintf(own, sizeof(own), "h%u", host);
		host_maker_start(m, own, 1000);
		for (unsigned i = 0; i < 60; i++) {
			(void)snprintf(name, sizeof(name), "p%u-%u", i, i % 3 ? host % 3 : 9);
			host_maker_text(m, SECTION_TREE, name, name);
		}
		host_maker_text(m, SECTION_TREE, "own", own);
		assert_int_equal(host_maker_put(m, store, &run, &err), 0);
		host_maker_clear(m);
	}
	end_run(store, &run, 1001);
	store_close(store);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM snapshot"), 12);
	assert_int_equal(ask_number(place.path, "SELECT count(*) FROM snapshot WHERE base IS NULL"),
			 3);
	/* The others are their base and one pair each. */
	assert_true(ask_number(place.path, "SELECT max(length(data)) FROM snapshot "
					   "WHERE base IS NOT NULL") < 24);
	assert_sound(place.path);
	place_remove(&place);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_is_private_and_versioned),
		cmocka_unit_test(observation_comes_back_as_it_was),
		cmocka_unit_test(complete_clock_is_not_that_of_a_partial_look),
		cmocka_unit_test(the_latest_complete_look_is_had_as_it_is_kept),
		cmocka_unit_test(objects_are_stored_once_and_checked),
		cmocka_unit_test(section_without_content_is_refused_whole),
		cmocka_unit_test(unchanged_host_costs_one_row),
		cmocka_unit_test(finding_is_new_then_open_then_resolved_then_new),
		cmocka_unit_test(reader_sees_one_state_while_a_sweep_writes),
		cmocka_unit_test(host_not_looked_at_keeps_what_was_open),
		cmocka_unit_test(partial_look_resolves_only_what_was_looked_at),
		cmocka_unit_test(acknowledged_and_explained_states_are_kept),
		cmocka_unit_test(same_fingerprint_twice_is_one_finding),
		cmocka_unit_test(hostile_names_are_escaped_in_views_and_come_back_raw),
		cmocka_unit_test(hosts_of_one_role_share_a_base),
		cmocka_unit_test(look_without_packages_keeps_their_list),
		cmocka_unit_test(packages_are_listed_by_host),
		cmocka_unit_test(hosts_are_told_with_their_last_state),
		cmocka_unit_test(runs_are_found_by_name_prefix_and_place),
		cmocka_unit_test(callback_that_fails_stops_the_query),
		cmocka_unit_test(secret_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
