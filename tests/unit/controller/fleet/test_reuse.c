// SPDX-License-Identifier: MIT
/* A host of which nothing changed is not judged again, and is told the same as if it had been. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "baselines/signature/openpgp.h"
#include "tests/unit/baselines/fixture.h"
#include "tests/unit/controller/fleet/night.h"
#include "tests/unit/controller/judge/planted.h"

#define NIGHTS 40
#define DAY_S 86400

static uint64_t state_of_random = 1;

static uint32_t rnd(uint32_t below)
{
	state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(state_of_random >> 33) % below;
}

/* The standard host, which says what release it is of. */
static struct world *make_host(void)
{
	static const char *const facts[] = {FACT_OS_RELEASE, "ID=debian\nVERSION_ID=\"12\"\n",
					    NULL};
	const struct bytes none = {NULL, 0};
	struct world *w = world_new();

	world_standard(w);
	side_record(&w->now, section_key_make(SECTION_HOST, none, none, none, none), facts);
	return w;
}

static void change_entry(struct entry *entry)
{
	switch (rnd(4)) {
	case 0:
		entry->sha256.bytes[9] ^= (uint8_t)(1U + rnd(3));
		break;
	case 1:
		entry->mode ^= 1U << rnd(12);
		break;
	case 2:
		entry->owner = BYTES_LITERAL("daemon");
		break;
	default:
		entry->mtime_s += 1 + rnd(3);
		break;
	}
}

static void change_section(struct side *side)
{
	struct build_section *section = &side->section[rnd((uint32_t)side->count)];
	size_t at;

	if (section->count == 0 || section->raw || section->raw_key.data) {
		return;
	}
	at = rnd((uint32_t)section->count);
	if (section_kind_has_entries(section->key.kind) && rnd(4) != 0) {
		change_entry(&section->entry[at]);
		return;
	}
	section->entry[at] = section->entry[section->count - 1];
	section->record[at] = section->record[section->count - 1];
	section->count--;
}

/* Another version of the package "local": up, down, or back. */
static void change_version(struct side *side)
{
	static const char *const versions[] = {"0.9", "1.0", "1.1"};
	struct bytes version = bytes_from_string(versions[rnd(3)]);

	for (size_t s = 0; s < side->count; s++) {
		struct build_section *section = &side->section[s];

		if (section->key.count == 5 && bytes_equal_string(section->key.part[2], "local")) {
			section->key.part[3] = version;
		}
		for (size_t i = 0; section->key.kind == SECTION_PACKAGES && i < section->count;
		     i++) {
			if (bytes_equal_string(section->record[i].field[0], "local")) {
				section->record[i].field[1] = version;
			}
		}
	}
}

static void change_coverage(struct side *side)
{
	struct coverage_item *item = &side->coverage[rnd((uint32_t)side->coverage_count)];
	bool lost = rnd(2) == 0;

	item->state = lost ? COVERAGE_PARTIAL : COVERAGE_DONE;
	item->reason = lost ? BYTES_LITERAL("locked") : BYTES_LITERAL("");
	item->count = rnd(1000);
}

static void change(struct world **host)
{
	struct world *w = *host;

	switch (rnd(8)) {
	case 0:
		world_free(w);
		*host = make_host();
		break;
	case 1:
	case 2:
		change_section(&w->now);
		break;
	case 3:
		change_version(&w->now);
		break;
	case 4:
		change_coverage(&w->now);
		break;
	default:
		/* On a host that others have not changed: each plants its own. */
		world_free(w);
		*host = make_host();
		planted[rnd((uint32_t)planted_count)].plant(*host);
		break;
	}
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
	return strcmp(a->id, b->id) == 0 && a->rule == b->rule && a->severity == b->severity &&
	       a->witness == b->witness && a->state == b->state &&
	       strcmp(a->letters, b->letters) == 0 && a->marker == b->marker &&
	       bytes_equal(a->subject, b->subject) && bytes_equal(a->package, b->package) &&
	       bytes_equal(a->old_value, b->old_value) && bytes_equal(a->new_value, b->new_value) &&
	       bytes_equal(a->detail, b->detail);
}

static void print(const char *title, const struct night_result *result)
{
	print_message("%s: %s, %s, %zu packages, %zu proved\n", title,
		      outcome_name(result->outcome), result->reason, result->counts.packages,
		      result->counts.files_proved);
	for (size_t i = 0; i < result->findings.count; i++) {
		const struct finding *f = &result->findings.item[i];

		print_message("  %s %-20s %-12s %.*s\n", f->id, rule_name(f->rule),
			      finding_state_name(f->state), (int)f->subject.len,
			      (const char *)f->subject.data);
	}
}

static void assert_same_result(const struct night_result *a, const struct night_result *b)
{
	bool same = a->outcome == b->outcome && strcmp(a->reason, b->reason) == 0 &&
		    memcmp(&a->counts, &b->counts, sizeof(a->counts)) == 0 &&
		    a->findings.count == b->findings.count;

	for (size_t i = 0; same && i < a->findings.count; i++) {
		same = same_finding(&a->findings.item[i], &b->findings.item[i]);
	}
	if (!same) {
		print("judged once", a);
		print("judged always", b);
	}
	assert_true(same);
}

/* What both databases came to say, in numbers. */
static void assert_same_store(const struct nights *a, const struct nights *b)
{
	static const char *const sums[] = {
		"SELECT total(host * 1000 + witness + length(fleet) * 7 + length(release)) "
		"FROM host_witness",
		"SELECT total(host * 1000 + finding * 100 + first_run * 10 + from_run + "
		"coalesce(until_run, 0) * 3 + resolved + length(state)) FROM interval",
		"SELECT total(t.packages + t.proved * 3 + t.unproved * 5 + t.skipped * 7 + "
		"t.critical * 11 + t.high * 13 + t.medium * 17 + t.low * 19 + t.info * 23 + "
		"t.explained * 29 + length(t.by_witness) * h.host) FROM host_run h "
		"JOIN tally t ON t.id = h.tally",
		"SELECT total(outcome * 100 + coalesce(snapshot, 0)) FROM host_run",
	};

	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		assert_int_equal(ask_number(a->place.path, sums[i]),
				 ask_number(b->place.path, sums[i]));
	}
}

/* Six hosts change at random; one database is told who judges, the other one is not. */
static void hosts_are_told_the_same_as_if_judged_every_night(void **state)
{
	struct world *host[NIGHT_HOSTS];
	static struct nights once, always;
	size_t reused = 0, visits = 0;
	bool compared;

	(void)state;
	nights_open(&once, "this program");
	nights_open(&always, "");
	for (size_t i = 0; i < NIGHT_HOSTS; i++) {
		host[i] = make_host();
	}
	for (int night = 0; night < NIGHTS; night++) {
		once.full = always.full = rnd(10) == 0;
		night_begin(&once);
		night_begin(&always);
		for (size_t i = 0; i < NIGHT_HOSTS; i++) {
			static const enum outcome gone[] = {OUTCOME_TIMEOUT, OUTCOME_KEY_MISMATCH};
			int64_t age_s = rnd(12) == 0 ? (int64_t)40 * DAY_S : 0;
			uint32_t chance = rnd(12);

			if (chance == 0) {
				enum outcome outcome = gone[rnd(2)];

				night_unseen(&once, i, outcome);
				night_unseen(&always, i, outcome);
				continue;
			}
			if (chance < 4) {
				change(&host[i]);
			}
			night_host(&once, i, host[i], age_s);
			night_host(&always, i, host[i], age_s);
			assert_same_result(&once.result[i], &always.result[i]);
			assert_false(always.result[i].is_reused);
			reused += once.result[i].is_reused;
			visits++;
		}
		compared = rnd(4) != 0;
		night_end(&once, compared);
		night_end(&always, compared);
		assert_same_store(&once, &always);
	}
	print_message("%zu visits, %zu of them not judged\n", visits, reused);
	assert_true(reused > visits / 4);
	assert_true(reused < visits * 3 / 4);
	assert_true(night_same > reused / 8);
	assert_sound(once.place.path);
	for (size_t i = 0; i < NIGHT_HOSTS; i++) {
		world_free(host[i]);
	}
	nights_close(&once);
	nights_close(&always);
}

/* Nights until nothing about the host is new any more. */
static void settle(struct nights *nights, struct world *host)
{
	for (int i = 0; i < 3; i++) {
		(void)night_of(nights, host);
	}
	assert_true(night_of(nights, host)->is_reused);
}

static void unchanged_host_is_judged_no_more(void **state)
{
	static struct nights nights;
	struct world *host = make_host();
	size_t judged;

	(void)state;
	plant_setid_called_conffile(host);
	nights_open(&nights, "this program");
	settle(&nights, host);
	judged = night_judged;
	for (int i = 0; i < 3; i++) {
		const struct night_result *result = night_of(&nights, host);

		assert_true(result->is_reused);
		assert_int_equal(result->outcome, OUTCOME_FINDINGS);
		assert_true(result->findings.count > 0);
	}
	assert_int_equal(night_judged, judged);
	world_free(host);
	nights_close(&nights);
}

/* One input each that a host shares with nobody, changed alone. */
static void change_content(struct nights *nights, struct world *host)
{
	(void)nights;
	side_find(&host->now, "/usr/bin/localtool")->sha256.bytes[3] ^= 1;
}

static void change_place(struct nights *nights, struct world *host)
{
	(void)nights;
	side_add(&host->now, build_dir_key(SECTION_TREE, "/opt"), build_elf("/opt/tool", 0755, 77));
}

static void change_reason(struct nights *nights, struct world *host)
{
	(void)nights;
	host->now.coverage[2].state = COVERAGE_SKIPPED;
	host->now.coverage[2].reason = BYTES_LITERAL("denied");
}

static void change_fact(struct nights *nights, struct world *host)
{
	static const char *const facts[] = {FACT_OS_RELEASE, "ID=debian\nVERSION_ID=\"13\"\n",
					    NULL};
	const struct bytes none = {NULL, 0};
	struct section_key key = section_key_make(SECTION_HOST, none, none, none, none);

	(void)nights;
	side_section(&host->now, key)->count = 0;
	side_record(&host->now, key, facts);
}

static void change_program(struct nights *nights, struct world *host)
{
	(void)host;
	nights->program = "another program";
}

static void change_group(struct nights *nights, struct world *host)
{
	static const char *const groups[] = {"web"};

	(void)host;
	nights->host[0].groups = groups;
	nights->host[0].group_count = 1;
}

static void change_full(struct nights *nights, struct world *host)
{
	(void)host;
	nights->full = true;
}

static void each_input_that_changes_is_judged(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct nights *nights, struct world *host);
	} inputs[] = {
		{"content", change_content}, {"place", change_place},
		{"coverage", change_reason}, {"fact", change_fact},
		{"program", change_program}, {"group", change_group},
		{"full pass", change_full},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		static struct nights nights;
		struct world *host = make_host();
		size_t judged;

		nights_open(&nights, "this program");
		settle(&nights, host);
		judged = night_judged;
		inputs[i].change(&nights, host);
		if (night_of(&nights, host)->is_reused || night_judged != judged + 1) {
			fail_msg("%s: not judged", inputs[i].name);
		}
		nights.full = false;
		settle(&nights, host);
		world_free(host);
		nights_close(&nights);
	}
}

/* Time is no input: what follows from it is decided every night. */
static void old_content_is_stale_although_nothing_changed(void **state)
{
	static struct nights nights;
	struct world *host = make_host();

	(void)state;
	nights_open(&nights, "this program");
	settle(&nights, host);
	night_begin(&nights);
	night_host(&nights, 0, host, (int64_t)36 * DAY_S);
	night_end(&nights, false);
	assert_true(nights.result[0].is_reused);
	assert_int_equal(nights.result[0].outcome, OUTCOME_PARTIAL);
	assert_non_null(strstr(nights.result[0].reason, "stale"));
	world_free(host);
	nights_close(&nights);
}

static void unread_files_are_told_although_nothing_changed(void **state)
{
	static struct nights nights;
	struct world *host = make_host();

	(void)state;
	nights_open(&nights, "this program");
	settle(&nights, host);
	host->now.coverage[1].state = COVERAGE_PARTIAL;
	host->now.coverage[1].reason = BYTES_LITERAL("budget-time");
	assert_int_equal(night_of(&nights, host)->outcome, OUTCOME_PARTIAL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(night_of(&nights, host)->outcome, OUTCOME_PARTIAL);
	}
	world_free(host);
	nights_close(&nights);
}

/* Of a host that was never looked at whole the first sight is made as its sections are first read. */
static void first_sight_in_part_is_judged_by(void **state)
{
	static struct nights once, always;
	struct world *host = make_host();
	static const bool is_reused[] = {false, false, true, false, false, true, false, true};

	(void)state;
	nights_open(&once, "this program");
	nights_open(&always, "");
	side_coverage(&host->now, "tree", "/opt", COVERAGE_PARTIAL, "denied");
	for (int night = 0; night < 8; night++) {
		if (night == 3) {
			/* What was left out is read, and becomes part of the first sight. */
			host->now.coverage_count--;
			side_add(&host->now, build_dir_key(SECTION_TREE, "/opt"),
				 build_elf("/opt/tool", 0755, 77));
			side_coverage(&host->now, "tree", "/srv", COVERAGE_PARTIAL, "denied");
		}
		if (night == 6) {
			side_find(&host->now, "/opt/tool")->sha256.bytes[3] ^= 1;
		}
		night_of(&once, host);
		night_of(&always, host);
		assert_same_result(&once.result[0], &always.result[0]);
		assert_int_equal(once.result[0].is_reused, is_reused[night]);
		assert_int_equal(once.result[0].outcome, OUTCOME_PARTIAL);
	}
	world_free(host);
	nights_close(&once);
	nights_close(&always);
}

static void what_stays_open_unseen_is_judged_until_it_is_seen(void **state)
{
	static struct nights nights;
	struct world *host = make_host();

	(void)state;
	nights_open(&nights, "this program");
	settle(&nights, host);
	night_begin(&nights);
	night_unseen(&nights, 0, OUTCOME_KEY_MISMATCH);
	night_end(&nights, false);
	assert_int_equal(ask_number(nights.place.path, "SELECT count(*) FROM v_findings "
						       "WHERE rule = 'hostkey.changed' "
						       "AND severity = 'critical'"),
			 1);
	/* It is back, with all it had: the alarm ends, which takes a look. */
	assert_false(night_of(&nights, host)->is_reused);
	assert_int_equal(ask_number(nights.place.path, "SELECT count(*) FROM v_findings "
						       "WHERE rule = 'hostkey.changed'"),
			 0);
	assert_true(night_of(&nights, host)->is_reused);
	world_free(host);
	nights_close(&nights);
}

static void database_that_says_something_else_is_not_believed(void **state)
{
	static const char *const changes[] = {
		("DELETE FROM interval WHERE id = (SELECT max(id) FROM interval "
		 "WHERE until_run IS NULL)"),
		"UPDATE finding SET severity = 4 - severity",
		"UPDATE finding SET detail = 'nothing'",
		"UPDATE host_verdict SET basis = zeroblob(32)",
		"DELETE FROM host_verdict",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		static struct nights nights;
		struct world *host = make_host();
		struct findings before;
		struct night_result *result = &nights.result[0];

		plant_setid_called_conffile(host);
		nights_open(&nights, "this program");
		settle(&nights, host);
		before = result->findings;
		result->findings = (struct findings){0};
		(void)ask_number(nights.place.path, changes[i]);
		assert_false(night_of(&nights, host)->is_reused);
		assert_int_equal(result->findings.count, before.count);
		for (size_t f = 0; f < before.count; f++) {
			assert_string_equal(result->findings.item[f].id, before.item[f].id);
			assert_int_equal(result->findings.item[f].severity,
					 before.item[f].severity);
		}
		findings_clear(&before);
		world_free(host);
		nights_close(&nights);
	}
}

/* A baseline of one policy and, once something is found, one acknowledgement of it. */
static void open_baseline(struct nights *nights, const struct fixture *fixture)
{
	struct error err = {0};

	acks_free(nights->acks);
	baseline_close(nights->baseline);
	nights->acks = NULL;
	nights->baseline = NULL;
	if (baseline_open(fixture->path, NULL, &nights->baseline, &err) != 0 ||
	    acks_new(&nights->acks, nights->baseline, NULL, &err) != 0) {
		fail_msg("%s", err.msg);
	}
}

static size_t count_of(const struct night_result *result, enum finding_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < result->findings.count; i++) {
		count += result->findings.item[i].state == state;
	}
	return count;
}

static void acknowledgement_ends_although_nothing_changed(void **state)
{
	static struct nights nights;
	struct world *host = make_host();
	const struct night_result *result = &nights.result[0];
	struct fixture fixture;
	char text[512];
	size_t open;

	(void)state;
	plant_setid_called_conffile(host);
	fixture_repository(&fixture);
	fixture_write(&fixture, "muster.yaml", "roots: [/usr, /etc, /opt]\n");
	fixture_commit(&fixture);
	nights_open(&nights, "this program");
	open_baseline(&nights, &fixture);
	settle(&nights, host);
	open = count_of(result, FINDING_OPEN);
	assert_true(open > 0);
	(void)snprintf(text, sizeof(text),
		       "- id: A-1\n  rule: \"*\"\n  path: /x\n  finding: %s\n  hosts: a1\n"
		       "  reason: CHG\n  until: 2025-10-25\n",
		       result->findings.item[0].id);
	fixture_write(&fixture, "acks/one.yaml", text);
	fixture_commit(&fixture);
	open_baseline(&nights, &fixture);
	/* Another commit may be another policy. */
	assert_false(night_of(&nights, host)->is_reused);
	assert_int_equal(count_of(result, FINDING_ACKNOWLEDGED), 1);
	assert_true(night_of(&nights, host)->is_reused);
	assert_int_equal(count_of(result, FINDING_ACKNOWLEDGED), 1);
	assert_int_equal(count_of(result, FINDING_OPEN), open - 1);
	nights.now_s += (int64_t)30 * DAY_S;
	assert_true(night_of(&nights, host)->is_reused);
	assert_int_equal(count_of(result, FINDING_ACKNOWLEDGED), 0);
	assert_int_equal(count_of(result, FINDING_OPEN), open);
	acks_free(nights.acks);
	baseline_close(nights.baseline);
	fixture_remove(&fixture);
	world_free(host);
	nights_close(&nights);
}

static void another_policy_is_judged_by(void **state)
{
	static struct nights nights;
	struct world *host = make_host();
	const struct night_result *result = &nights.result[0];
	struct fixture fixture;
	enum severity severity;

	(void)state;
	side_add(&host->now, build_dir_key(SECTION_TREE, "/opt"), build_elf("/opt/tool", 0755, 77));
	fixture_repository(&fixture);
	fixture_write(&fixture, "muster.yaml", "roots: [/usr, /etc, /opt]\n");
	fixture_commit(&fixture);
	nights_open(&nights, "this program");
	open_baseline(&nights, &fixture);
	settle(&nights, host);
	severity = result->findings.item[0].severity;
	assert_true(severity < SEVERITY_CRITICAL);
	(void)snprintf(nights.result[0].reason, sizeof(nights.result[0].reason),
		       "roots: [/usr, /etc, /opt]\nseverities:\n  %s: critical\n",
		       rule_name(result->findings.item[0].rule));
	fixture_write(&fixture, "muster.yaml", nights.result[0].reason);
	fixture_commit(&fixture);
	open_baseline(&nights, &fixture);
	assert_false(night_of(&nights, host)->is_reused);
	assert_int_equal(result->findings.item[0].severity, SEVERITY_CRITICAL);
	acks_free(nights.acks);
	baseline_close(nights.baseline);
	fixture_remove(&fixture);
	world_free(host);
	nights_close(&nights);
}

/* A key of version 6, of which nothing but that it is listed matters here. */
static void write_keys(const struct fixture *fixture, const char *name, const char *packages)
{
	uint8_t file[2 + 42] = {0xc6, 42, 6, 0x65, 0, 0, 0, 27, 0, 0, 0, 32};
	char fingerprint[OPENPGP_FINGERPRINT_SIZE], text[512], path[256];
	struct bytes rest = bytes_make(file, sizeof(file));
	struct openpgp_packet packet;
	uint8_t id[OPENPGP_ID_SIZE];
	FILE *to;

	assert_int_equal(openpgp_next(&rest, &packet), 1);
	assert_true(openpgp_key_read(&packet, fingerprint, id));
	(void)snprintf(path, sizeof(path), "%s/keys.yaml", name);
	(void)snprintf(text, sizeof(text),
		       "- fingerprint: %s\n  file: six.gpg\n  origins: [six]\n%s", fingerprint,
		       packages);
	fixture_write(fixture, path, text);
	(void)snprintf(path, sizeof(path), "%s/%s/six.gpg", fixture->path, name);
	to = fopen(path, "wb");
	assert_non_null(to);
	assert_int_equal(fwrite(file, 1, sizeof(file), to), sizeof(file));
	assert_int_equal(fclose(to), 0);
}

static void keys_that_prove_other_packages_are_judged_by(void **state)
{
	static struct nights nights;
	struct world *host = make_host();
	struct section_key key = section_key_make(SECTION_HEADER, BYTES_LITERAL("rpm"),
						  BYTES_LITERAL("bash"), BYTES_LITERAL("5.1-9"),
						  BYTES_LITERAL("x86_64"));
	struct build_section *section = side_section(&host->now, key);
	char all[200], some[200];
	struct fixture fixture;

	(void)state;
	section->raw = "no header";
	section->raw_len = 9;
	fixture_folder(&fixture);
	write_keys(&fixture, "all", "");
	write_keys(&fixture, "some", "  packages: [bash]\n");
	(void)snprintf(all, sizeof(all), "%s/all", fixture.path);
	(void)snprintf(some, sizeof(some), "%s/some", fixture.path);
	nights_open(&nights, "this program");
	nights.keys = all;
	settle(&nights, host);
	nights.keys = some;
	assert_false(night_of(&nights, host)->is_reused);
	settle(&nights, host);
	fixture_remove(&fixture);
	world_free(host);
	nights_close(&nights);
}

/* The fleet's word comes from other hosts, and goes when they do. */
static void finding_of_the_fleet_is_not_this_hosts_alone(void **state)
{
	static struct nights nights;
	struct world *odd = make_host(), *like = make_host();
	static const char sql[] = "SELECT count(*) FROM v_findings WHERE rule = 'fleet.differs'";

	(void)state;
	side_find(&odd->now, "/usr/bin/localtool")->sha256.bytes[3] ^= 1;
	nights_open(&nights, "this program");
	for (int night = 0; night < 5; night++) {
		night_begin(&nights);
		for (size_t i = 0; i < NIGHT_HOSTS; i++) {
			night_host(&nights, i, i == 0 ? odd : like, 0);
			assert_int_equal(nights.result[i].is_reused, night > 1);
		}
		night_end(&nights, true);
		assert_int_equal(ask_number(nights.place.path, sql), 1);
	}
	/* Carried by the host's own result. */
	assert_int_equal(nights.result[0].findings.count,
			 nights.result[1].findings.count + (size_t)1);
	/* Most others become what it is: now they are the odd ones. */
	night_begin(&nights);
	for (size_t i = 0; i < NIGHT_HOSTS; i++) {
		night_host(&nights, i, i == 5 ? like : odd, 0);
		assert_int_equal(nights.result[i].is_reused, i == 0 || i == 5);
	}
	night_end(&nights, true);
	assert_int_equal(ask_number(nights.place.path, sql), 1);
	assert_int_equal(ask_number(nights.place.path,
				    "SELECT count(*) FROM v_findings WHERE rule = 'fleet.differs' "
				    "AND host = 'a6'"),
			 1);
	world_free(odd);
	world_free(like);
	nights_close(&nights);
}

static void verdict_outlives_pruning(void **state)
{
	static struct nights nights;
	struct world *host = make_host();
	struct store_pruned pruned;
	struct error err = {0};

	(void)state;
	nights_open(&nights, "this program");
	settle(&nights, host);
	settle(&nights, host);
	assert_int_equal(store_prune(nights.store, 1, &pruned, &err), 0);
	assert_true(pruned.runs > 0);
	assert_true(night_of(&nights, host)->is_reused);
	assert_sound(nights.place.path);
	world_free(host);
	nights_close(&nights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_told_the_same_as_if_judged_every_night),
		cmocka_unit_test(unchanged_host_is_judged_no_more),
		cmocka_unit_test(each_input_that_changes_is_judged),
		cmocka_unit_test(old_content_is_stale_although_nothing_changed),
		cmocka_unit_test(unread_files_are_told_although_nothing_changed),
		cmocka_unit_test(first_sight_in_part_is_judged_by),
		cmocka_unit_test(what_stays_open_unseen_is_judged_until_it_is_seen),
		cmocka_unit_test(database_that_says_something_else_is_not_believed),
		cmocka_unit_test(acknowledgement_ends_although_nothing_changed),
		cmocka_unit_test(another_policy_is_judged_by),
		cmocka_unit_test(keys_that_prove_other_packages_are_judged_by),
		cmocka_unit_test(finding_of_the_fleet_is_not_this_hosts_alone),
		cmocka_unit_test(verdict_outlives_pruning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
