// SPDX-License-Identifier: MIT
/* Hosts held against each other: who is accused, of what, and who never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/judge/fleet.h"
#include "schema/cbor.h"
#include "schema/record.h"
#include "tests/unit/controller/judge/builder.h"

#define CONTENTS 4

/* Contents by number: the first byte of a digest says which. */
struct room {
	uint8_t data[CONTENTS][4096];
	size_t len[CONTENTS];
	struct fleet_side side[CONTENTS];
	struct fleet_group group;
	struct findings findings;
};

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	struct room *room = context;

	if (digest->bytes[0] >= CONTENTS) {
		return error_set(err, ERROR_STORE, 0, "absent");
	}
	*content = bytes_make(room->data[digest->bytes[0]], room->len[digest->bytes[0]]);
	return 0;
}

static int load_too_much(void *context, const struct digest *digest, struct bytes *content,
			 struct error *err)
{
	(void)context;
	(void)digest;
	(void)content;
	return error_set(err, ERROR_LIMIT, 0, "too much of it");
}

static void put(struct room *room, size_t n, size_t hosts, const struct entry *entries,
		size_t count)
{
	struct cbor_writer w;

	cbor_writer_init(&w, room->data[n], sizeof(room->data[n]));
	for (size_t i = 0; i < count; i++) {
		entry_encode(&w, &entries[i]);
	}
	assert_false(w.overflow);
	room->len[n] = w.len;
	room->side[n] = (struct fleet_side){.hosts = hosts, .witness = WITNESS_FIRST_SIGHT};
	room->side[n].content.bytes[0] = (uint8_t)n;
	room->group.count = n + 1;
	room->group.hosts += hosts;
}

static struct room *room_new(void)
{
	struct room *room = calloc(1, sizeof(*room));
	struct build_package package = {"local", "1.0", "amd64"};

	assert_non_null(room);
	room->group.release = BYTES_LITERAL("debian 12");
	room->group.key = build_key(SECTION_PACKAGE, package);
	room->group.side = room->side;
	return room;
}

static void judge(struct room *room, size_t side)
{
	struct object_source objects = {load, room};
	struct fleet_input input = {.policy = policy_default(), .objects = &objects};
	struct error err;

	findings_clear(&room->findings);
	assert_int_equal(fleet_judge(&input, &room->group, side, &room->findings, &err), 0);
}

static const struct finding *find(const struct room *room, enum rule rule, const char *subject)
{
	for (size_t i = 0; i < room->findings.count; i++) {
		if (room->findings.item[i].rule == rule &&
		    bytes_equal_string(room->findings.item[i].subject, subject)) {
			return &room->findings.item[i];
		}
	}
	return NULL;
}

static bool says(const struct finding *finding, const char *words)
{
	return memmem(finding->detail.data, finding->detail.len, words, strlen(words)) != NULL;
}

static void room_free(struct room *room)
{
	findings_clear(&room->findings);
	free(room);
}

static void odd_one_is_named_by_path_and_letters(void **state)
{
	struct room *room = room_new();
	struct entry most[] = {build_file("/usr/bin/tool", 0755, 1),
			       build_file("/usr/share/doc/tool/readme", 0644, 2)};
	struct entry odd[] = {build_file("/usr/bin/tool", 0755, 9),
			      build_file("/usr/lib/extra.so", 0644, 3),
			      build_file("/usr/share/doc/tool/readme", 0644, 2)};
	const struct finding *found;

	(void)state;
	put(room, 0, 4311, most, 2);
	put(room, 1, 1, odd, 3);
	assert_int_equal(fleet_word(&room->group), FLEET_MAJORITY);
	judge(room, 0);
	assert_int_equal(room->findings.count, 0);
	judge(room, 1);
	assert_int_equal(room->findings.count, 2);
	found = find(room, RULE_FLEET_DIFFERS, "/usr/bin/tool");
	assert_non_null(found);
	assert_int_equal(found->witness, WITNESS_FLEET);
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_int_equal(found->letters[2], '5');
	assert_true(found->old_value.len > 0 && found->new_value.len > 0);
	assert_true(bytes_equal_string(found->package, "local:amd64 1.0"));
	assert_true(says(found, "1 of 4,312 hosts of debian 12"));
	found = find(room, RULE_FLEET_DIFFERS, "/usr/lib/extra.so");
	assert_non_null(found);
	assert_int_equal(found->old_value.len, 0);
	room_free(room);
}

static void ties_and_few_hosts_accuse_nobody(void **state)
{
	static const struct {
		size_t hosts[3];
		enum fleet_word word;
		const char *says;
	} rows[] = {
		{{2, 2, 0}, FLEET_DIVIDED, "no majority"},
		{{2, 1, 1}, FLEET_DIVIDED, "no majority"},
		{{1, 1, 0}, FLEET_FEW, "too few"},
		{{2, 1, 0}, FLEET_MAJORITY, NULL},
	};
	struct entry a = build_file("/usr/bin/tool", 0755, 1);
	struct entry b = build_file("/usr/bin/tool", 0755, 2);
	struct entry c = build_file("/usr/bin/tool", 0755, 3);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct room *room = room_new();
		const struct finding *found;

		put(room, 0, rows[i].hosts[0], &a, 1);
		put(room, 1, rows[i].hosts[1], &b, 1);
		if (rows[i].hosts[2] > 0) {
			put(room, 2, rows[i].hosts[2], &c, 1);
		}
		assert_int_equal(fleet_word(&room->group), rows[i].word);
		for (size_t side = 0; rows[i].says && side < room->group.count; side++) {
			judge(room, side);
			assert_int_equal(room->findings.count, 1);
			found = find(room, RULE_FLEET_DIVIDED, "local:amd64");
			assert_non_null(found);
			assert_int_equal(found->severity, SEVERITY_INFO);
			assert_true(says(found, rows[i].says));
		}
		room_free(room);
	}
}

static void stronger_witness_decides_and_is_named(void **state)
{
	struct room *room = room_new();
	struct entry a = build_file("/usr/bin/tool", 0755, 1);
	struct entry b = build_file("/usr/bin/tool", 0755, 2);
	const struct finding *found;

	(void)state;
	put(room, 0, 9, &a, 1);
	put(room, 1, 1, &b, 1);
	room->side[0].witness = room->side[1].witness = WITNESS_MANIFEST;
	room->side[1].differs = true;
	/* The manifest names the odd one itself, and the fleet agrees with it. */
	judge(room, 0);
	assert_int_equal(room->findings.count, 0);
	judge(room, 1);
	assert_int_equal(room->findings.count, 0);
	/* The manifest says that the many are wrong. */
	room->side[0].differs = true;
	room->side[1].differs = false;
	judge(room, 0);
	assert_int_equal(room->findings.count, 1);
	found = find(room, RULE_FLEET_DISAGREES, "local:amd64");
	assert_non_null(found);
	assert_true(says(found, "9 of 10 hosts of debian 12"));
	assert_true(says(found, "manifest says otherwise"));
	judge(room, 1);
	assert_int_equal(room->findings.count, 0);
	room_free(room);
}

/* Also where all agree, against the manifest. */
static void unanimous_fleet_against_the_manifest_is_told(void **state)
{
	struct room *room = room_new();
	struct entry a = build_file("/usr/bin/tool", 0755, 1);

	(void)state;
	put(room, 0, 3, &a, 1);
	room->side[0].witness = WITNESS_MANIFEST;
	judge(room, 0);
	assert_int_equal(room->findings.count, 0);
	room->side[0].differs = true;
	judge(room, 0);
	assert_non_null(find(room, RULE_FLEET_DISAGREES, "local:amd64"));
	room_free(room);
}

static void content_that_cannot_be_read_is_still_told(void **state)
{
	struct room *room = room_new();
	struct entry a = build_file("/usr/bin/tool", 0755, 1);

	(void)state;
	put(room, 0, 5, &a, 1);
	put(room, 1, 1, &a, 1);
	room->len[1]--;
	judge(room, 1);
	assert_int_equal(room->findings.count, 1);
	assert_non_null(find(room, RULE_FLEET_DIFFERS, "local:amd64"));
	room->side[1].content.bytes[0] = CONTENTS;
	judge(room, 1);
	assert_non_null(find(room, RULE_FLEET_DIFFERS, "local:amd64"));
	room_free(room);
}

/* What the judge says of each package is what hosts are compared by. */
static void judge_tells_each_packages_witness(void **state)
{
	struct world *w = world_new();
	size_t manifests = 0, others = 0, doubted = 0;

	(void)state;
	world_standard(w);
	side_find(&w->now, "/usr/bin/ls")->sha256.bytes[0] ^= 1;
	world_judge(w);
	for (size_t i = 0; i < BUILD_SECTIONS; i++) {
		const struct judged_package *one = &w->packages[i];
		struct section_key key;

		if (!one->is_judged) {
			continue;
		}
		assert_true(section_key_decode(w->now.observation.sections[i].key, &key));
		assert_int_equal(key.kind, SECTION_PACKAGE);
		assert_true(one->files > 0);
		manifests += one->witness == WITNESS_MANIFEST;
		others += one->witness == WITNESS_FIRST_SIGHT;
		doubted += one->differs;
	}
	assert_int_equal(manifests, 1);
	assert_int_equal(others, 1);
	assert_int_equal(doubted, 1);
	assert_true(w->counts.files_by_witness[WITNESS_MANIFEST] > 0);
	world_free(w);
}

/* As many paths as there is room for, none of which the others have. */
static void more_paths_than_anybody_reads_are_one_finding(void **state)
{
	struct entry entry[1] = {build_file("/usr/bin/tool", 0755, 1)};
	struct room *room = room_new();
	struct cbor_writer w;

	(void)state;
	put(room, 0, 5, entry, 1);
	put(room, 1, 1, entry, 1);
	for (unsigned most = FLEET_PATHS_MAX; most <= FLEET_PATHS_MAX + 1; most++) {
		cbor_writer_init(&w, room->data[1], sizeof(room->data[1]));
		entry_encode(&w, &entry[0]);
		for (unsigned i = 0; i < most; i++) {
			char path[32];
			struct entry more = {.type = ENTRY_SOCKET};

			(void)snprintf(path, sizeof(path), "/usr/lib/x%03u", i);
			more.path = bytes_from_string(path);
			entry_encode(&w, &more);
		}
		assert_false(w.overflow);
		room->len[1] = w.len;
		judge(room, 1);
		assert_int_equal(room->findings.count, most > FLEET_PATHS_MAX ? 1 : most);
		assert_true((find(room, RULE_FLEET_DIFFERS, "local:amd64") != NULL) ==
			    (most > FLEET_PATHS_MAX));
	}
	findings_clear(&room->findings);
	free(room);
}

/* A content that may not be read, and a host of which enough was told. */
static void what_is_not_read_differs_all_the_same(void **state)
{
	struct entry entry[2] = {build_file("/usr/bin/tool", 0755, 1),
				 build_file("/usr/bin/tool", 0755, 2)};
	struct room *room = room_new();
	struct object_source objects = {load_too_much, room};
	struct fleet_input input = {.policy = policy_default(), .objects = &objects};
	struct error err = {0};

	(void)state;
	put(room, 0, 5, &entry[0], 1);
	put(room, 1, 1, &entry[1], 1);
	assert_int_equal(fleet_judge(&input, &room->group, 1, &room->findings, &err), 0);
	assert_non_null(find(room, RULE_FLEET_DIFFERS, "local:amd64"));
	findings_clear(&room->findings);
	input.brief = true;
	objects.load = load;
	assert_int_equal(fleet_judge(&input, &room->group, 1, &room->findings, &err), 0);
	assert_int_equal(room->findings.count, 1);
	assert_non_null(find(room, RULE_FLEET_DIFFERS, "local:amd64"));
	findings_clear(&room->findings);
	free(room);
}

struct claim_row {
	const char *path;
	const char *md5;
	const char *flags;
};

static void put_claims(struct room *room, size_t n, size_t hosts, const struct claim_row *rows,
		       size_t count)
{
	struct cbor_writer w;

	put(room, n, hosts, NULL, 0);
	cbor_writer_init(&w, room->data[n], sizeof(room->data[n]));
	for (size_t i = 0; i < count; i++) {
		const struct record record = {.count = CLAIM_FIELDS,
					      .field = {bytes_from_string(rows[i].path),
							bytes_from_string(rows[i].md5),
							bytes_from_string(rows[i].flags)}};

		record_encode(&w, &record);
	}
	room->len[n] = w.len;
}

static struct room *claims_room(const char *manager)
{
	struct room *room = room_new();

	room->group.key.kind = SECTION_CLAIMS;
	room->group.key.part[0] = BYTES_LITERAL("claims");
	room->group.key.part[1] = bytes_from_string(manager);
	return room;
}

static const struct claim_row ordinary[] = {
	{"/etc/x.conf", "0123456789abcdef", "lc"},
	{"/usr/bin/x", "0123456789abcdef", "lm"},
	{"/usr/share/x", "", "l"},
};

static void odd_claims_are_named_with_what_differs(void **state)
{
	static const struct claim_row odd[] = {
		{"/usr/bin/x", "0123456789abcdeX", "lm"},
		{"/usr/lib/y\n", "", "l"},
	};
	struct room *room = claims_room("dpkg");
	const struct finding *found;

	(void)state;
	put_claims(room, 0, 4311, ordinary, 3);
	put_claims(room, 1, 1, odd, 2);
	judge(room, 0);
	assert_int_equal(room->findings.count, 0);
	judge(room, 1);
	assert_int_equal(room->findings.count, 1);
	found = find(room, RULE_FLEET_CLAIMS, "local:amd64");
	assert_non_null(found);
	assert_int_equal(found->severity, SEVERITY_LOW);
	assert_int_equal(found->witness, WITNESS_FLEET);
	assert_true(says(found, "1 of 4,312 hosts"));
	assert_true(says(found, "another MD5 of /usr/bin/x, claims also /usr/lib/y"));
	assert_true(says(found, "does not claim /usr/share/x. 4,311 agree"));
	assert_null(memchr(found->detail.data, '\n', found->detail.len));
	room_free(room);
}

/* What an earlier version left, and what an administrator kept. */
static void configuration_is_each_hosts_own_history(void **state)
{
	static const struct claim_row odd[] = {
		{"/etc/old.conf", "0123456789abcdeX", "co"},
		{"/etc/x.conf", "0123456789abcdeX", "lcn"},
		{"/usr/bin/x", "0123456789abcdef", "lm"},
		{"/usr/share/x", "", "l"},
	};
	struct room *room = claims_room("dpkg");

	(void)state;
	put_claims(room, 0, 9, ordinary, 3);
	put_claims(room, 1, 1, odd, 4);
	judge(room, 1);
	assert_int_equal(room->findings.count, 0);
	room_free(room);
}

static void claims_without_a_majority_accuse_nobody(void **state)
{
	struct room *room = claims_room("dpkg");

	(void)state;
	put_claims(room, 0, 2, ordinary, 3);
	put_claims(room, 1, 2, ordinary, 2);
	judge(room, 0);
	assert_int_equal(room->findings.count, 0);
	judge(room, 1);
	assert_int_equal(room->findings.count, 0);
	room_free(room);
}

static void put_rpm(struct room *room, size_t n, size_t hosts, const char *states, bool is_old,
		    bool overrides)
{
	const struct item {
		const char *part;
		uint16_t tag;
		struct bytes value;
		bool is_there;
	} items[] = {
		{HEADER_OVERRIDE, 1035, BYTES_LITERAL("x"), overrides},
		{HEADER_REST, 1008, BYTES_LITERAL("\1\2\3\4"), is_old},
		{HEADER_REST, 1029, bytes_from_string(states), true},
		{HEADER_REST, 1128, BYTES_LITERAL("\1\2\3\4"), is_old},
		{HEADER_NUMBER, 0, BYTES_LITERAL("\0\0\0\7"), is_old},
	};
	struct cbor_writer w;

	put(room, n, hosts, NULL, 0);
	cbor_writer_init(&w, room->data[n], sizeof(room->data[n]));
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		const uint8_t tag[4] = {0, 0, (uint8_t)(items[i].tag >> 8), (uint8_t)items[i].tag};
		const struct record record = {.count = HEADER_FIELDS,
					      .field = {bytes_from_string(items[i].part),
							bytes_make(tag, 4), BYTES_LITERAL("\4"),
							BYTES_LITERAL("\0\0\0\0"), items[i].value}};

		if (items[i].is_there) {
			record_encode(&w, &record);
		}
	}
	room->len[n] = w.len;
}

static void rpm_states_and_overrides_are_compared(void **state)
{
	struct room *room = claims_room("rpm");

	(void)state;
	put_rpm(room, 0, 5, "aaa", false, false);
	put_rpm(room, 1, 2, "aba", false, true);
	put_rpm(room, 2, 1, "aaa", true, false);
	judge(room, 1);
	assert_int_equal(room->findings.count, 1);
	assert_true(says(&room->findings.item[0],
			 "2 of 8 hosts of debian 12 with this build say otherwise: overrides "
			 "signed tag 1035, other file states. 5 agree"));
	/* Protocol 3 had each host's own among them. */
	judge(room, 2);
	assert_int_equal(room->findings.count, 0);
	room_free(room);
}

static void claims_that_make_no_sense_are_told_of_whom_they_are(void **state)
{
	struct room *room = claims_room("rpm");
	size_t whole;

	(void)state;
	put_rpm(room, 0, 5, "aaa", false, false);
	put_rpm(room, 1, 1, "aaa", false, false);
	whole = room->len[1];
	for (size_t cut = 1; cut < whole; cut++) {
		room->len[1] = cut;
		judge(room, 1);
		assert_int_equal(room->findings.count, 1);
		assert_true(says(&room->findings.item[0], "malformed"));
	}
	room->len[1] = whole;
	room->len[0]--;
	judge(room, 1);
	assert_int_equal(room->findings.count, 0);
	room_free(room);
	for (size_t cut = 0;; cut++) {
		room = claims_room("dpkg");
		put_claims(room, 0, 5, ordinary, 3);
		put_claims(room, 1, 1, ordinary, 3);
		if (cut == room->len[1]) {
			judge(room, 1);
			assert_int_equal(room->findings.count, 0);
			break;
		}
		room->len[1] = cut;
		judge(room, 1);
		/* Whole rows may be left: then others are missing, but for configuration. */
		assert_int_equal(room->findings.count, 1);
		room_free(room);
	}
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_claims_are_named_with_what_differs),
		cmocka_unit_test(configuration_is_each_hosts_own_history),
		cmocka_unit_test(claims_without_a_majority_accuse_nobody),
		cmocka_unit_test(rpm_states_and_overrides_are_compared),
		cmocka_unit_test(claims_that_make_no_sense_are_told_of_whom_they_are),
		cmocka_unit_test(more_paths_than_anybody_reads_are_one_finding),
		cmocka_unit_test(what_is_not_read_differs_all_the_same),
		cmocka_unit_test(odd_one_is_named_by_path_and_letters),
		cmocka_unit_test(ties_and_few_hosts_accuse_nobody),
		cmocka_unit_test(stronger_witness_decides_and_is_named),
		cmocka_unit_test(unanimous_fleet_against_the_manifest_is_told),
		cmocka_unit_test(content_that_cannot_be_read_is_still_told),
		cmocka_unit_test(judge_tells_each_packages_witness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
