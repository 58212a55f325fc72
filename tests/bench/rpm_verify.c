// SPDX-License-Identifier: MIT
/*
 * rpm_verify DIR COUNT: what verifying COUNT distinct headers (DIR/message/N, DIR/signature/N) by the
 * keys of the baseline DIR/base costs: when the fleet sees them first, in the next run, and for the
 * next host of a run. CPU is this process and its children's. Made by rpm_bench.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <openssl/evp.h>

#include "baselines/arena.h"
#include "controller/fleet/proofs.h"
#include "schema/record.h"
#include "tests/rpm/sections.h"

struct bench {
	size_t count;
	struct bytes *content;
	struct observation observation;
	struct store *store;
	struct baseline *baseline;
};

static void die(const char *what)
{
	(void)fprintf(stderr, "rpm_verify: %s\n", what);
	exit(2);
}

static double wall_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_of(int who)
{
	struct rusage use;

	(void)getrusage(who, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static double cpu_s(void)
{
	return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
}

static struct bytes slurp(const char *dir, const char *kind, size_t number)
{
	char path[512];
	uint8_t *data = malloc((size_t)8 << 20);
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s/%zu", dir, kind, number);
	file = fopen(path, "rb");
	if (!file || !data) {
		die(path);
		return bytes_make(NULL, 0);
	}
	len = fread(data, 1, (size_t)8 << 20, file);
	(void)fclose(file);
	return bytes_make(data, len);
}

static int by_key(const void *a, const void *b)
{
	const struct observed_section *x = a, *y = b;

	return bytes_compare(x->key, y->key);
}

/* A host that has all of them. */
static void make_host(struct bench *b, const char *dir)
{
	b->content = calloc(b->count, sizeof(*b->content));
	b->observation.sections = calloc(b->count, sizeof(*b->observation.sections));
	b->observation.section_count = b->count;
	if (!b->content || !b->observation.sections) {
		die("no memory");
	}
	for (size_t i = 0; i < b->count; i++) {
		struct observed_section *section = &b->observation.sections[i];
		struct bytes message = slurp(dir, "message", i);
		struct bytes signature = slurp(dir, "signature", i);
		const struct rpm_part_of parts[] = {{HEADER_REGION, 63, 7, message},
						    {HEADER_SIGNATURE, 268, 7, signature}};
		char name[32];
		struct section_key key;
		uint8_t *room = malloc(SECTION_KEY_MAX);
		struct cbor_writer w;
		unsigned len;

		(void)snprintf(name, sizeof(name), "%zu", i);
		key = section_key_make(SECTION_HEADER, BYTES_LITERAL("rpm"),
				       bytes_from_string(name), BYTES_LITERAL("0:1-1"),
				       BYTES_LITERAL("x86_64"));
		cbor_writer_init(&w, room, SECTION_KEY_MAX);
		section_key_encode(&w, &key);
		section->key = bytes_make(room, w.len);
		b->content[i] = rpm_section_write(parts, 2);
		if (EVP_Digest(b->content[i].data, b->content[i].len, section->content.bytes, &len,
			       EVP_sha256(), NULL) != 1) {
			die("no SHA-256");
		}
		/* Where `load` finds it once the sections are sorted. */
		section->stat = i;
		free((void *)(uintptr_t)message.data);
		free((void *)(uintptr_t)signature.data);
	}
	qsort(b->observation.sections, b->count, sizeof(*b->observation.sections), by_key);
}

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	const struct bench *b = context;

	for (size_t i = 0; i < b->count; i++) {
		if (digest_equal(&b->observation.sections[i].content, digest)) {
			*content = b->content[b->observation.sections[i].stat];
			return 0;
		}
	}
	return error_set(err, ERROR_STORE, 0, "no such object");
}

static void tell(const char *what, double wall, double cpu, const struct bench *b)
{
	printf("%-34s %8.3f s wall %8.3f s CPU %8.1f us a header\n", what, wall_s() - wall,
	       cpu_s() - cpu, (cpu_s() - cpu) * 1e6 / (double)b->count);
}

static void ask_all(struct bench *b, struct proofs *proofs, size_t *good, size_t *bytes)
{
	const struct rpm_proof_source *source = proofs_source(proofs);
	struct error err = {0};

	*good = *bytes = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct rpm_proof *proof = NULL;

		if (source->find(source->context, &b->observation.sections[i].content, &proof,
				 &err) != 0 ||
		    !proof) {
			die(err.msg);
			return;
		}
		*good += proof->verdict == RPM_PROOF_GOOD;
		*bytes += proof->header ? proof->header->memory->total : 0;
		*bytes += proof->manifest ? proof->manifest->memory->total : 0;
	}
}

static void run(struct bench *b, const char *first, bool again)
{
	const struct object_source source = {load, b};
	struct proofs *proofs = NULL;
	struct error err = {0};
	double wall = wall_s(), cpu = cpu_s();
	size_t good, bytes;

	if (proofs_new(b->store, b->baseline, NULL, true, &proofs, &err) < 0 ||
	    proofs_begin(proofs, &b->observation, &source, &err) < 0) {
		die(err.msg);
	}
	tell(first, wall, cpu, b);
	printf("    verified by gpgv %zu, from the store %zu\n", proofs_counts(proofs).verified,
	       proofs_counts(proofs).recalled);
	if (again) {
		wall = wall_s(), cpu = cpu_s();
		ask_all(b, proofs, &good, &bytes);
		tell("reading all headers and manifests", wall, cpu, b);
		printf("    good %zu, %.1f MB in memory\n", good, (double)bytes / 1e6);
		proofs_end(proofs);
		wall = wall_s(), cpu = cpu_s();
		if (proofs_begin(proofs, &b->observation, &source, &err) < 0) {
			die(err.msg);
		}
		ask_all(b, proofs, &good, &bytes);
		tell("another host of the same run", wall, cpu, b);
	}
	proofs_end(proofs);
	proofs_free(proofs);
}

int main(int argc, char **argv)
{
	struct bench b = {.count = argc == 3 ? (size_t)strtoul(argv[2], NULL, 10) : 0};
	struct error err = {0};
	char path[512];

	if (b.count == 0) {
		die("usage: rpm_verify DIR COUNT");
	}
	(void)snprintf(path, sizeof(path), "%s/base", argv[1]);
	if (baseline_open(path, NULL, &b.baseline, &err) < 0) {
		die(err.msg);
	}
	(void)snprintf(path, sizeof(path), "%s/bench.db", argv[1]);
	(void)remove(path);
	if (store_open(path, STORE_WRITE, &b.store, &err) < 0) {
		die(err.msg);
	}
	make_host(&b, argv[1]);
	run(&b, "first sight", false);
	run(&b, "the next run", true);
	store_close(b.store);
	baseline_close(b.baseline);
	for (size_t i = 0; i < b.count; i++) {
		free((void *)(uintptr_t)b.content[i].data);
		free((void *)(uintptr_t)b.observation.sections[i].key.data);
	}
	free(b.content);
	free(b.observation.sections);
	return 0;
}
