// SPDX-License-Identifier: MIT
/* Proofs of rpm headers for the judge: packages made and signed by this system's own rpm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/fleet/proofs.h"

#include "baselines/rpm/signature.h"
#include "tests/rpm/sections.h"
#include "tests/unit/baselines/fixture.h"
#include "tests/unit/controller/store/host_maker.h"

#define PACKAGES 11U

static struct fixture made; /* of tests/rpm/make, and in it a baseline with its keys */
static bool is_made;
static struct rpm_sections sections;
static size_t loads;

static int make(void **state)
{
	char command[600], path[200], *top;
	int code;

	(void)state;
	fixture_folder(&made);
	top = getcwd(NULL, 0);
	if (!top) {
		return -1;
	}
	(void)snprintf(command, sizeof(command), "%s/tests/rpm/make made >/dev/null 2>&1", top);
	free(top);
	code = fixture_run(&made, command);
	if (code == 77) {
		return 0;
	}
	(void)snprintf(path, sizeof(path), "%s/made/root", made.path);
	if (code != 0 || rpm_sections_read(path, &sections) < 0) {
		return -1;
	}
	is_made = true;
	return fixture_run(&made, "git init -q -b main base && cd base && : >muster.yaml && "
				  "cp -r ../made/keys . && git add -A && "
				  "git -c user.name=A -c user.email=a@example.org commit -qm x");
}

static int clean_up(void **state)
{
	(void)state;
	rpm_sections_free(&sections);
	fixture_remove(&made);
	return 0;
}

static void need_rpm(void)
{
	if (!is_made) {
		print_message("skipped: no rpm, rpmbuild, rpmsign or gpg\n");
		skip();
	}
}

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	const struct host_maker *m = context;

	loads++;
	for (size_t i = 0; i < m->host.object_count; i++) {
		if (digest_equal(&m->objects[i].digest, digest)) {
			*content = m->objects[i].content;
			return 0;
		}
	}
	return error_set(err, ERROR_STORE, 0, "no such object");
}

/* A host that has all of them. */
static struct host_maker *make_host(void)
{
	struct host_maker *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	host_maker_start(m, "host", 1795000000);
	for (size_t i = 0; i < sections.count; i++) {
		const struct rpm_section_of *s = &sections.section[i];
		char name[64], version[64], arch[64];

		(void)snprintf(name, sizeof(name), "%.*s", (int)s->key.part[2].len,
			       (const char *)s->key.part[2].data);
		(void)snprintf(version, sizeof(version), "%.*s", (int)s->key.part[3].len,
			       (const char *)s->key.part[3].data);
		(void)snprintf(arch, sizeof(arch), "%.*s", (int)s->key.part[4].len,
			       (const char *)s->key.part[4].data);
		host_maker_section(m, s->key.kind, "rpm", name, version, arch, s->content);
	}
	return m;
}

struct bed {
	struct place place;
	struct store *store;
	struct baseline *baseline;
	struct proofs *proofs;
	struct host_maker *m;
	struct object_source source;
};

static void open_proofs(struct bed *bed)
{
	char path[200];
	struct error err = {0};

	(void)snprintf(path, sizeof(path), "%s/base", made.path);
	if (baseline_open(path, NULL, &bed->baseline, &err) < 0 ||
	    proofs_new(bed->store, bed->baseline, NULL, true, &bed->proofs, &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

static void close_proofs(struct bed *bed)
{
	proofs_free(bed->proofs);
	baseline_close(bed->baseline);
}

static void begin(struct bed *bed)
{
	struct error err = {0};

	if (proofs_begin(bed->proofs, &bed->m->observation, &bed->source, &err) < 0) {
		fail_msg("%s", err.msg);
	}
}

static void bed_make(struct bed *bed)
{
	*bed = (struct bed){.m = make_host()};
	place_make(&bed->place);
	bed->store = open_store(bed->place.path, STORE_WRITE);
	bed->source = (struct object_source){load, bed->m};
	open_proofs(bed);
}

static void bed_remove(struct bed *bed)
{
	close_proofs(bed);
	store_close(bed->store);
	place_remove(&bed->place);
	host_maker_clear(bed->m);
	free(bed->m);
}

static const struct rpm_proof *ask(struct bed *bed, const char *package, struct section_key *key)
{
	const struct rpm_proof_source *source = proofs_source(bed->proofs);
	const struct rpm_proof *proof = NULL;
	struct error err = {0};

	for (size_t i = 0; i < bed->m->observation.section_count; i++) {
		const struct observed_section *section = &bed->m->observation.sections[i];

		assert_true(section_key_decode(section->key, key));
		if (key->kind == SECTION_HEADER && bytes_equal_string(key->part[2], package)) {
			assert_int_equal(
				source->find(source->context, &section->content, &proof, &err), 0);
			return proof;
		}
	}
	fail_msg("no package %s", package);
	return NULL;
}

static void judge_is_told_what_a_signature_says(void **state)
{
	const struct rpm_proof *proof, *again;
	const struct manifest_entry *entry;
	struct section_key key;
	struct bed bed;

	(void)state;
	need_rpm();
	bed_make(&bed);
	begin(&bed);
	assert_int_equal(proofs_counts(bed.proofs).verified, PACKAGES);
	proof = ask(&bed, "good", &key);
	assert_non_null(proof);
	assert_int_equal(proof->verdict, RPM_PROOF_GOOD);
	assert_string_equal(proof->origin, "vendor-origin");
	assert_int_equal(strlen(proof->fingerprint), 40);
	assert_true(rpm_proof_is_of(proof, &key));
	key.part[2] = BYTES_LITERAL("other");
	assert_false(rpm_proof_is_of(proof, &key));
	assert_int_equal(proof->manifest->trust, MANIFEST_SIGNED);
	entry = manifest_find(proof->manifest, BYTES_LITERAL("/usr/bin/good-tool"));
	assert_non_null(entry);
	assert_int_equal(entry->entry.mode, 04755);
	assert_true(entry->entry.has_sha256 && entry->rpm);
	/* Asked again it is the same, without reading it again. */
	loads = 0;
	again = ask(&bed, "good", &key);
	assert_ptr_equal(again, proof);
	assert_int_equal(loads, 0);
	/* What is not proved is told, too: rpm -V would believe it. */
	proof = ask(&bed, "unsigned", &key);
	assert_int_equal(proof->verdict, RPM_PROOF_UNSIGNED);
	assert_string_equal(proof->fingerprint, "");
	assert_true(proof->header && proof->manifest);
	assert_int_equal(proof->manifest->trust, MANIFEST_UNSIGNED);
	proof = ask(&bed, "outside", &key);
	assert_int_equal(proof->verdict, RPM_PROOF_OUTSIDE);
	assert_string_equal(proof->origin, "limited-origin");
	assert_int_equal(proof->manifest->trust, MANIFEST_UNSIGNED);
	proofs_end(bed.proofs);
	bed_remove(&bed);
}

/* gpgv runs on the thread that judges all hosts. */
static void headers_without_end_are_over_the_limit(void **state)
{
	struct error err = {0};
	struct bed bed;
	size_t runs;

	(void)state;
	need_rpm();
	bed_make(&bed);
	begin(&bed);
	proofs_end(bed.proofs);
	runs = proofs_counts(bed.proofs).runs;
	assert_in_range(runs, 2, PACKAGES * RPM_SIGNATURES_MAX);
	/* Of headers that the run knows none. */
	begin(&bed);
	proofs_end(bed.proofs);
	assert_int_equal(proofs_counts(bed.proofs).runs, 0);
	bed_remove(&bed);
	/* As many as it may, and one more. */
	for (size_t more = 0; more < 2; more++) {
		bed_make(&bed);
		proofs_set_runs_max(bed.proofs, runs - more);
		assert_int_equal(proofs_begin(bed.proofs, &bed.m->observation, &bed.source, &err),
				 more == 0 ? 0 : -1);
		proofs_end(bed.proofs);
		if (more == 1) {
			assert_int_equal(err.kind, ERROR_LIMIT);
			assert_non_null(strstr(err.msg, "signatures"));
			/* What was verified is not verified again. */
			begin(&bed);
			assert_int_equal(proofs_counts(bed.proofs).runs, 0);
			proofs_end(bed.proofs);
		}
		bed_remove(&bed);
	}
}

static void second_run_verifies_nothing(void **state)
{
	struct section_key key;
	struct bed bed;

	(void)state;
	need_rpm();
	bed_make(&bed);
	begin(&bed);
	proofs_end(bed.proofs);
	/* Another host of this run. */
	loads = 0;
	begin(&bed);
	proofs_end(bed.proofs);
	assert_int_equal(proofs_counts(bed.proofs).verified, PACKAGES);
	assert_int_equal(proofs_counts(bed.proofs).recalled, 0);
	assert_int_equal(loads, 0);
	/* Another run. */
	close_proofs(&bed);
	open_proofs(&bed);
	begin(&bed);
	assert_int_equal(proofs_counts(bed.proofs).verified, 0);
	assert_int_equal(proofs_counts(bed.proofs).recalled, PACKAGES);
	assert_int_equal(loads, 0);
	assert_int_equal(ask(&bed, "good", &key)->verdict, RPM_PROOF_GOOD);
	assert_int_equal(ask(&bed, "gone", &key)->verdict, RPM_PROOF_REVOKED);
	proofs_end(bed.proofs);
	bed_remove(&bed);
}

/* Hosts may make up as many headers as they like, and there are many hosts. */
static void what_is_held_from_host_to_host_is_bounded(void **state)
{
	struct bed bed;

	(void)state;
	need_rpm();
	bed_make(&bed);
	for (size_t most = PACKAGES; most >= PACKAGES - 1; most--) {
		proofs_set_known_max(bed.proofs, most);
		begin(&bed);
		proofs_end(bed.proofs);
		begin(&bed);
		proofs_end(bed.proofs);
		/* Held, or forgotten and asked of the store: nothing is verified twice. */
		assert_int_equal(proofs_counts(bed.proofs).verified, PACKAGES);
		assert_int_equal(proofs_counts(bed.proofs).recalled,
				 most == PACKAGES ? 0 : PACKAGES);
	}
	bed_remove(&bed);
}

static void other_keys_mean_other_verdicts(void **state)
{
	struct section_key key;
	struct bed bed;

	(void)state;
	need_rpm();
	bed_make(&bed);
	begin(&bed);
	assert_int_equal(ask(&bed, "good", &key)->verdict, RPM_PROOF_GOOD);
	proofs_end(bed.proofs);
	close_proofs(&bed);
	/* The same keys, but the vendor's may prove less now. */
	assert_int_equal(fixture_run(&made,
				     "cd base && cp keys/keys.yaml ../all.yaml && "
				     "sed -i \"0,/'\\*'/s//'kernel*'/\" keys/keys.yaml && git "
				     "-c user.name=A -c user.email=a@example.org commit -qam y"),
			 0);
	open_proofs(&bed);
	begin(&bed);
	assert_int_equal(proofs_counts(bed.proofs).verified, PACKAGES);
	assert_int_equal(ask(&bed, "good", &key)->verdict, RPM_PROOF_OUTSIDE);
	assert_int_equal(ask(&bed, "good-eddsa", &key)->verdict, RPM_PROOF_GOOD);
	proofs_end(bed.proofs);
	assert_int_equal(ask_number(bed.place.path, "SELECT count(*) FROM proof"), PACKAGES);
	bed_remove(&bed);
	assert_int_equal(fixture_run(&made, "cd base && cp ../all.yaml keys/keys.yaml && git -c "
					    "user.name=A -c user.email=a@example.org commit -qam "
					    "z"),
			 0);
}

static void without_a_baseline_no_key_is_known(void **state)
{
	struct section_key key;
	struct bed bed;

	(void)state;
	need_rpm();
	bed_make(&bed);
	close_proofs(&bed);
	bed.baseline = NULL;
	{
		struct error err = {0};

		assert_int_equal(proofs_new(bed.store, NULL, NULL, false, &bed.proofs, &err), 0);
	}
	begin(&bed);
	assert_int_equal(ask(&bed, "good", &key)->verdict, RPM_PROOF_UNKNOWN_KEY);
	assert_int_equal(ask(&bed, "unsigned", &key)->verdict, RPM_PROOF_UNSIGNED);
	assert_true(ask(&bed, "good", &key)->manifest != NULL);
	proofs_end(bed.proofs);
	assert_int_equal(ask_number(bed.place.path, "SELECT count(*) FROM proof"), 0);
	bed_remove(&bed);
}

static void keys_of_a_folder_replace_the_baselines(void **state)
{
	struct section_key key;
	struct error err = {0};
	struct bed bed;
	char path[200];

	(void)state;
	need_rpm();
	bed_make(&bed);
	proofs_free(bed.proofs);
	assert_int_equal(fixture_run(&made,
				     "rm -rf few && mkdir few && cp made/keys/eddsa.asc few && "
				     "grep -A3 \"$(cat made/fpr/eddsa)\" made/keys/keys.yaml "
				     ">few/keys.yaml"),
			 0);
	(void)snprintf(path, sizeof(path), "%s/few", made.path);
	assert_int_equal(proofs_new(bed.store, bed.baseline, path, true, &bed.proofs, &err), 0);
	begin(&bed);
	assert_int_equal(ask(&bed, "good-eddsa", &key)->verdict, RPM_PROOF_GOOD);
	assert_int_equal(ask(&bed, "good", &key)->verdict, RPM_PROOF_UNKNOWN_KEY);
	proofs_end(bed.proofs);
	bed_remove(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge_is_told_what_a_signature_says),
		cmocka_unit_test(headers_without_end_are_over_the_limit),
		cmocka_unit_test(second_run_verifies_nothing),
		cmocka_unit_test(what_is_held_from_host_to_host_is_bounded),
		cmocka_unit_test(other_keys_mean_other_verdicts),
		cmocka_unit_test(without_a_baseline_no_key_is_known),
		cmocka_unit_test(keys_of_a_folder_replace_the_baselines),
	};

	return cmocka_run_group_tests(tests, make, clean_up);
}
