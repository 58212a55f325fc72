// SPDX-License-Identifier: MIT
/* Whole nights of small fleets: what comparing hosts finds, keeps, closes and leaves alone. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/fleet/compare.h"
#include "controller/fleet/kept.h"
#include "schema/record.h"
#include "tests/unit/controller/store/host_maker.h"

#define T0 1760000000
#define HOSTS 6

static const char *const names[HOSTS] = {"a1", "a2", "a3", "a4", "a5", "a6"};

/* What each host has; 0: it is not in the fleet. */
struct host_state {
	unsigned content; /* of /usr/bin/tool */
	const char *release;
	enum witness witness;
	bool differs;
	const char *states; /* rpm's, of the files; NULL: there are no claims */
	bool is_old;        /* its claims are of protocol 3 */
};

struct fleet {
	struct place place;
	struct store *store;
	struct host_state host[HOSTS];
	struct sweep_host hosts[HOSTS];
	struct sweep_config config;
	struct compare compare;
	int night;
};

static struct host_maker maker;

static int setup(void **state)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));

	assert_non_null(fleet);
	place_make(&fleet->place);
	fleet->store = open_store(fleet->place.path, STORE_WRITE);
	for (size_t i = 0; i < HOSTS; i++) {
		fleet->hosts[i].target.name = names[i];
		fleet->host[i] = (struct host_state){
			.content = 1, .release = "12", .witness = WITNESS_FIRST_SIGHT};
	}
	fleet->config = (struct sweep_config){
		.hosts = fleet->hosts, .host_count = HOSTS, .store = fleet->store};
	*state = fleet;
	return 0;
}

static int teardown(void **state)
{
	struct fleet *fleet = *state;

	compare_clear(&fleet->compare);
	store_close(fleet->store);
	place_remove(&fleet->place);
	host_maker_clear(&maker);
	free(fleet);
	return 0;
}

static struct bytes tool(unsigned content, uint8_t *room, size_t len)
{
	struct entry entry = {
		.path = BYTES_LITERAL("/usr/bin/tool"),
		.type = ENTRY_FILE,
		.mode = 0755,
		.owner = BYTES_LITERAL("root"),
		.group = BYTES_LITERAL("root"),
		.has_size = true,
		.size = 100,
		.has_sha256 = true,
	};
	struct cbor_writer w;

	memset(entry.sha256.bytes, (int)content, DIGEST_SIZE);
	cbor_writer_init(&w, room, len);
	entry_encode(&w, &entry);
	assert_false(w.overflow);
	return bytes_make(room, w.len);
}

static struct bytes facts(const char *release, uint8_t *room, size_t len)
{
	char text[128];
	struct record record = {.count = FACT_FIELDS, .field = {BYTES_LITERAL(FACT_OS_RELEASE)}};
	struct cbor_writer w;

	(void)snprintf(text, sizeof(text), "PRETTY_NAME=\"D\"\nID=debian\nVERSION_ID=\"%s\"\n",
		       release);
	record.field[FACT_VALUE] = bytes_from_string(text);
	cbor_writer_init(&w, room, len);
	record_encode(&w, &record);
	return bytes_make(room, w.len);
}

static struct bytes claims(const char *states, uint8_t *room, size_t len)
{
	const struct record record = {.count = HEADER_FIELDS,
				      .field = {BYTES_LITERAL(HEADER_REST),
						BYTES_LITERAL("\0\0\4\5"), BYTES_LITERAL("\1"),
						BYTES_LITERAL("\0\0\0\0"),
						bytes_from_string(states)}};
	struct cbor_writer w;

	cbor_writer_init(&w, room, len);
	record_encode(&w, &record);
	return bytes_make(room, w.len);
}

/* What was found by comparing and still holds, as a run puts it. */
static void carry(struct fleet *fleet, const char *name, struct findings *findings)
{
	struct observation *last = NULL;
	struct judge_input input = {.now = &maker.observation};
	struct kept kept = {0};
	struct error err = {0};

	assert_int_equal(
		store_observation_load(fleet->store, name, STORE_LAST_COMPLETE, &last, &err), 0);
	input.last = last;
	assert_int_equal(kept_load(&kept, fleet->store, name, &err), 0);
	assert_int_equal(kept_carry(&kept, &input, findings, &err), 0);
	kept_clear(&kept);
	store_observation_free(last);
}

static void put_host(struct fleet *fleet, const struct store_run *run, size_t i)
{
	static struct judged_package packages[MAKER_SECTIONS];
	const struct host_state *state = &fleet->host[i];
	struct findings findings = {0};
	struct error err = {0};
	uint8_t room[1024];
	size_t package = 1; /* the last in order of keys: its kind's name is the longest */

	host_maker_start(&maker, names[i], run->started_s);
	host_maker_section(&maker, SECTION_HOST, "", "", "", "",
			   facts(state->release, room, sizeof(room)));
	host_maker_section(&maker, SECTION_PACKAGE, "dpkg", "tool", "1.0", "amd64",
			   tool(state->content, room, sizeof(room)));
	if (state->states) {
		host_maker_section(&maker, SECTION_CLAIMS, "rpm", "tool", "1.0", "amd64",
				   claims(state->states, room, sizeof(room)));
		package++;
	}
	if (state->states && !state->is_old) {
		/* No two hosts have the same. */
		host_maker_section(&maker, SECTION_INSTALLS, "rpm", "", "", "",
				   claims(names[i], room, sizeof(room)));
		package++;
	}
	memset(packages, 0, sizeof(packages));
	packages[package] = (struct judged_package){
		.files = 1,
		.witness = (uint8_t)state->witness,
		.differs = state->differs,
		.is_judged = true,
	};
	maker.counts = (struct judge_counts){.packages = 1, .files_unproved = 1};
	maker.counts.packages_by_witness[state->witness] = 1;
	maker.counts.files_by_witness[state->witness] = 1;
	maker.host.packages = packages;
	carry(fleet, names[i], &findings);
	maker.host.findings = &findings;
	maker.host.acks = NULL;
	for (size_t f = 0; f < findings.count; f++) {
		if (findings.item[f].severity > SEVERITY_INFO) {
			maker.host.outcome = OUTCOME_FINDINGS;
		}
	}
	assert_int_equal(host_maker_put(&maker, fleet->store, run, &err), 0);
	findings_clear(&findings);
}

/* All hosts, then the comparison. */
static struct store_run night(struct fleet *fleet)
{
	struct store_run run = begin_run(fleet->store, T0 + fleet->night++ * 86400);
	struct error err = {0};

	for (size_t i = 0; i < HOSTS; i++) {
		if (fleet->host[i].content != 0) {
			put_host(fleet, &run, i);
		}
	}
	compare_clear(&fleet->compare);
	if (compare_hosts(&fleet->config, &run, &fleet->compare, &err) != 0) {
		fail_msg("%s", err.msg);
	}
	end_run(fleet->store, &run, run.started_s + 60);
	return run;
}

static int64_t count_of(const struct fleet *fleet, const char *where)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM v_findings WHERE %s", where);
	return ask_number(fleet->place.path, sql);
}

static void odd_one_out_is_found_kept_and_closed(void **state)
{
	struct fleet *fleet = *state;
	const struct sweep_compared *told;

	fleet->host[3].content = 2;
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 1);
	assert_int_equal(count_of(fleet, "host = 'a4' AND rule = 'fleet.differs' AND state = 'new' "
					 "AND subject = '/usr/bin/tool' AND witness = 'fleet' AND "
					 "detail LIKE '1 of 6 hosts of debian 12 %'"),
			 1);
	assert_int_equal(ask_number(fleet->place.path,
				    "SELECT count(*) FROM v_hosts WHERE outcome = 'findings'"),
			 1);
	assert_int_equal(fleet->compare.count, 1);
	told = &fleet->compare.host[0];
	assert_string_equal(told->host, "a4");
	assert_int_equal(told->before, OUTCOME_CLEAN);
	assert_int_equal(told->outcome, OUTCOME_FINDINGS);
	/* Nothing changed: nothing is compared, and nothing told twice. */
	(void)night(fleet);
	assert_int_equal(fleet->compare.count, 0);
	assert_int_equal(count_of(fleet, "state = 'open' AND first_run <> last_run"), 1);
	assert_int_equal(ask_number(fleet->place.path,
				    "SELECT count(*) FROM v_hosts WHERE outcome = 'findings'"),
			 1);
	/* Mended. */
	fleet->host[3].content = 1;
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 0);
	assert_int_equal(ask_number(fleet->place.path,
				    "SELECT count(*) FROM v_hosts WHERE outcome = 'clean'"),
			 HOSTS);
	assert_sound(fleet->place.path);
}

/* One build of two architectures, side by side: what is said of one holds while that one is the same. */
static void what_was_found_is_of_one_architecture(void **state)
{
	static const char *const of[] = {"tool:amd64 1.0", "tool:i386 1.0", "tool 1.0",
					 "tool:amd64 1.1", "tool:all 1.0"};
	static const bool holds[] = {false, true, true, false, false};
	uint8_t keys[2][SECTION_KEY_MAX];
	struct observed_section now[2] = {0}, last[2] = {0};
	struct observation seen = {.sections = now, .section_count = 2};
	const struct observation before = {.sections = last, .section_count = 2};
	const struct judge_input input = {.now = &seen, .last = &before};
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct section_key key = section_key_make(
			SECTION_PACKAGE, BYTES_LITERAL("dpkg"), BYTES_LITERAL("tool"),
			BYTES_LITERAL("1.0"), bytes_from_string(i == 0 ? "i386" : "amd64"));
		struct cbor_writer w;

		cbor_writer_init(&w, keys[i], sizeof(keys[i]));
		section_key_encode(&w, &key);
		now[i].key = last[i].key = bytes_make(w.data, w.len);
	}
	now[1].content.bytes[0] = 1; /* amd64 changed */
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		const struct finding finding = {
			.rule = RULE_FLEET_DIFFERS,
			.subject = BYTES_LITERAL("/usr/bin/tool"),
			.package = bytes_from_string(of[i]),
		};
		struct findings findings = {0};
		struct kept kept = {0};

		assert_int_equal(findings_add(&kept.of_fleet, &finding, &err), 0);
		assert_int_equal(kept_carry(&kept, &input, &findings, &err), 0);
		assert_int_equal(findings.count, holds[i]);
		findings_clear(&findings);
		kept_clear(&kept);
	}
}

#define MANY 20000

/* A host's findings of the fleet are not each looked for among all of its sections. */
static void many_findings_are_carried_by_one_look_at_the_sections(void **state)
{
	struct observed_section *now = calloc(MANY, sizeof(*now));
	struct observed_section *last = calloc(MANY, sizeof(*last));
	uint8_t(*keys)[64] = calloc(MANY, sizeof(*keys));
	struct observation seen = {.sections = now, .section_count = MANY};
	const struct observation before = {.sections = last, .section_count = MANY};
	const struct judge_input input = {.now = &seen, .last = &before};
	struct findings findings = {0};
	struct kept kept = {0};
	struct error err = {0};

	(void)state;
	assert_true(now && last && keys);
	for (size_t i = 0; i < MANY; i++) {
		char name[16], text[32];
		int len = snprintf(name, sizeof(name), "p%05zu", i);
		struct section_key key = section_key_make(
			SECTION_PACKAGE, BYTES_LITERAL("dpkg"), bytes_make(name, (size_t)len),
			BYTES_LITERAL("1.0"), BYTES_LITERAL("all"));
		const struct finding finding = {
			.rule = RULE_FLEET_DIFFERS,
			.subject = BYTES_LITERAL("/usr/bin/tool"),
			.package = bytes_make(
				text, (size_t)snprintf(text, sizeof(text), "%s:all 1.0", name)),
		};
		struct cbor_writer w;

		cbor_writer_init(&w, keys[i], sizeof(keys[i]));
		section_key_encode(&w, &key);
		assert_false(w.overflow);
		now[i].key = last[i].key = bytes_make(w.data, w.len);
		now[i].content.bytes[0] = i % 4 == 0;
		assert_int_equal(findings_add(&kept.of_fleet, &finding, &err), 0);
	}
	assert_int_equal(kept_carry(&kept, &input, &findings, &err), 0);
	assert_int_equal(findings.count, MANY / 4 * 3);
	for (size_t i = 0; i < findings.count; i++) {
		assert_false(bytes_equal_string(findings.item[i].package, "p00004:all 1.0"));
	}
	findings_clear(&findings);
	kept_clear(&kept);
	free(keys);
	free(last);
	free(now);
}

/* Contents beyond the budget are told as a build; the run goes on. */
static void what_may_not_be_read_is_told_as_a_build(void **state)
{
	struct fleet *fleet = *state;

	fleet->host[3].content = 2;
	fleet->config.most_judged = 10;
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 1);
	assert_int_equal(count_of(fleet, "host = 'a4' AND rule = 'fleet.differs' AND subject = "
					 "'tool:amd64' AND detail LIKE '1 of 6 hosts%'"),
			 1);
	assert_sound(fleet->place.path);
}

static void odd_claims_are_found_kept_and_closed(void **state)
{
	struct fleet *fleet = *state;

	for (size_t i = 0; i < HOSTS; i++) {
		fleet->host[i].states = i == 3 ? "aba" : "aaa";
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 1);
	assert_int_equal(count_of(fleet, "host = 'a4' AND rule = 'fleet.claims' AND state = 'new' "
					 "AND subject = 'tool:amd64' AND severity = 'low' AND "
					 "detail LIKE '%1 of 6 hosts%file states. 5 agree.'"),
			 1);
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "rule = 'fleet.claims' AND first_run <> last_run"), 1);
	fleet->host[3].states = "aaa";
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 0);
	assert_sound(fleet->place.path);
}

/* Claims of protocol 3 have what is each host's own. */
static void claims_of_older_looks_are_left_out(void **state)
{
	struct fleet *fleet = *state;

	for (size_t i = 0; i < HOSTS; i++) {
		fleet->host[i].states = i == 3 ? "aba" : i < 3 ? "aaa" : names[i];
		fleet->host[i].is_old = i > 3;
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 1);
	assert_int_equal(count_of(fleet, "host = 'a4' AND detail LIKE '%1 of 4 hosts%3 agree.'"),
			 1);
	/* They are looked at again. */
	for (size_t i = 4; i < HOSTS; i++) {
		fleet->host[i].is_old = false;
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "host = 'a5' AND rule = 'fleet.claims'"), 0);
	fleet->host[3].states = "aaa";
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "detail LIKE '%1 of 6 hosts%4 agree.'"), 2);
	assert_sound(fleet->place.path);
}

/* The host stayed as it is, the others followed: it is no odd one any more. */
static void finding_ends_when_the_fleet_changes(void **state)
{
	struct fleet *fleet = *state;

	fleet->host[3].content = 2;
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "host = 'a4'"), 1);
	for (size_t i = 0; i < HOSTS; i++) {
		fleet->host[i].content = 2;
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 0);
	assert_int_equal(ask_number(fleet->place.path,
				    "SELECT count(*) FROM v_hosts WHERE outcome = 'clean'"),
			 HOSTS);
	assert_sound(fleet->place.path);
}

static void only_one_release_is_compared(void **state)
{
	struct fleet *fleet = *state;

	for (size_t i = 3; i < HOSTS; i++) {
		fleet->host[i].content = 2;
		fleet->host[i].release = "13";
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 0);
	/* Each of the two is agreed on. */
	assert_int_equal(fleet->compare.vouched.packages_by_witness[WITNESS_FIRST_SIGHT], HOSTS);
}

static void nobody_is_accused_without_a_majority(void **state)
{
	struct fleet *fleet = *state;

	for (size_t i = 3; i < HOSTS; i++) {
		fleet->host[i].content = 2;
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "rule = 'fleet.divided' AND severity = 'info'"), HOSTS);
	assert_int_equal(count_of(fleet, "rule <> 'fleet.divided'"), 0);
	assert_int_equal(ask_number(fleet->place.path,
				    "SELECT count(*) FROM v_hosts WHERE outcome = 'clean'"),
			 HOSTS);
	assert_int_equal(fleet->compare.vouched.packages_by_witness[WITNESS_FIRST_SIGHT], 0);
}

static void two_hosts_are_no_witness(void **state)
{
	struct fleet *fleet = *state;

	for (size_t i = 2; i < HOSTS; i++) {
		fleet->host[i].content = 0;
	}
	(void)night(fleet);
	assert_int_equal(fleet->compare.vouched.packages_by_witness[WITNESS_FIRST_SIGHT], 0);
	fleet->host[1].content = 2;
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "rule = 'fleet.divided' AND detail LIKE '%too few%'"), 2);
	assert_int_equal(count_of(fleet, "1"), 2);
}

/* What somebody accepted is wanted there, and a manifest is a witness of its own. */
static void stronger_witnesses_are_left_alone(void **state)
{
	struct fleet *fleet = *state;

	fleet->host[3].content = 2;
	fleet->host[3].witness = WITNESS_BASELINE;
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "1"), 0);
	for (size_t i = 0; i < HOSTS; i++) {
		fleet->host[i].witness = WITNESS_MANIFEST;
		fleet->host[i].differs = i != 3;
	}
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "rule = 'fleet.disagrees' AND host <> 'a4' AND "
					 "detail LIKE '5 of 6 hosts%manifest says otherwise.'"),
			 HOSTS - 1);
	assert_int_equal(count_of(fleet, "1"), HOSTS - 1);
}

struct sum {
	size_t hosts;
	size_t vouched;
};

static int on_row(void *context, const struct store_host_row *row)
{
	struct sum *sum = context;

	sum->hosts++;
	sum->vouched += row->counts.packages_by_witness[WITNESS_FLEET];
	assert_int_equal(row->counts.packages_by_witness[WITNESS_FLEET] +
				 row->counts.packages_by_witness[WITNESS_FIRST_SIGHT],
			 1);
	assert_int_equal(row->counts.files_by_witness[WITNESS_FLEET],
			 row->counts.packages_by_witness[WITNESS_FLEET]);
	return 0;
}

static void packages_are_counted_by_their_strongest_witness(void **state)
{
	struct fleet *fleet = *state;
	struct error err = {0};
	struct sum sum = {0};

	fleet->host[3].content = 2;
	for (int i = 0; i < 2; i++) {
		sum = (struct sum){0};
		(void)night(fleet);
		assert_int_equal(fleet->compare.vouched.packages_by_witness[WITNESS_FIRST_SIGHT],
				 HOSTS - 1);
		assert_int_equal(store_hosts(fleet->store, 0, on_row, &sum, &err), 0);
		assert_int_equal(sum.hosts, HOSTS);
		assert_int_equal(sum.vouched, HOSTS - 1);
	}
}

/* A run that was killed before it compared anything. */
static void missed_comparison_is_made_up_for(void **state)
{
	struct fleet *fleet = *state;
	struct store_run run = begin_run(fleet->store, T0 + fleet->night++ * 86400);

	fleet->host[3].content = 2;
	for (size_t i = 0; i < HOSTS; i++) {
		put_host(fleet, &run, i);
	}
	store_close(fleet->store);
	fleet->store = fleet->config.store = open_store(fleet->place.path, STORE_WRITE);
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "host = 'a4' AND rule = 'fleet.differs'"), 1);
}

static void older_layout_is_brought_up_to_date(void **state)
{
	struct fleet *fleet = *state;
	struct store *reader = NULL;
	struct error err = {0};

	fleet->host[3].content = 2;
	(void)night(fleet);
	store_close(fleet->store);
	/* As the layout before the fleet was compared had it. */
	(void)ask_number(fleet->place.path, "DROP VIEW v_hosts");
	(void)ask_number(fleet->place.path, "DROP TABLE host_witness");
	(void)ask_number(fleet->place.path, "DROP TABLE witness_list");
	(void)ask_number(fleet->place.path, "DROP TABLE fleet");
	(void)ask_number(fleet->place.path, "PRAGMA user_version = 1");
	fleet->store = NULL;
	assert_int_equal(store_open(fleet->place.path, STORE_READ, &reader, &err), -1);
	assert_non_null(strstr(err.msg, "older muster"));
	fleet->store = fleet->config.store = open_store(fleet->place.path, STORE_WRITE);
	(void)night(fleet);
	assert_int_equal(count_of(fleet, "host = 'a4' AND rule = 'fleet.differs'"), 1);
	assert_int_equal(ask_number(fleet->place.path,
				    "SELECT count(*) FROM v_hosts WHERE release = 'debian 12'"),
			 HOSTS);
	assert_sound(fleet->place.path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(odd_one_out_is_found_kept_and_closed),
		cmocka_unit_test(what_was_found_is_of_one_architecture),
		cmocka_unit_test(many_findings_are_carried_by_one_look_at_the_sections),
		TEST(odd_claims_are_found_kept_and_closed),
		TEST(claims_of_older_looks_are_left_out),
		TEST(what_may_not_be_read_is_told_as_a_build),
		TEST(finding_ends_when_the_fleet_changes),
		TEST(only_one_release_is_compared),
		TEST(nobody_is_accused_without_a_majority),
		TEST(two_hosts_are_no_witness),
		TEST(stronger_witnesses_are_left_alone),
		TEST(packages_are_counted_by_their_strongest_witness),
		TEST(missed_comparison_is_made_up_for),
		TEST(older_layout_is_brought_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
