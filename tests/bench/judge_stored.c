// SPDX-License-Identifier: MIT
/*
 * Judges the newest observation of a host in a database once more, by its own first sight and the
 * built-in policy, and prints what is said of objects that no package owns, and what judging cost.
 *
 *	judge_stored FILE HOST [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "controller/judge/judge.h"
#include "controller/store/store.h"
#include "schema/escape.h"

struct source {
	struct store *store;
	uint8_t *data;
};

static int load(void *context, const struct digest *digest, struct bytes *content,
		struct error *err)
{
	struct source *source = context;
	size_t len;

	free(source->data);
	source->data = NULL;
	if (store_object_load(source->store, digest, &source->data, &len, err) < 0) {
		return -1;
	}
	*content = bytes_make(source->data, len);
	return 0;
}

static double cpu_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t count_unowned(struct source *source, const struct observation *seen)
{
	size_t count = 0;

	for (size_t i = 0; i < seen->section_count; i++) {
		struct section_key key;
		struct cbor_reader r;
		struct bytes content;
		struct entry entry;
		struct error err;

		if (!section_key_decode(seen->sections[i].key, &key) || key.kind != SECTION_TREE ||
		    load(source, &seen->sections[i].content, &content, &err) < 0) {
			continue;
		}
		cbor_reader_init(&r, content);
		while (cbor_reader_has_more(&r) && entry_decode(&r, &entry)) {
			count++;
		}
	}
	return count;
}

static size_t print(const struct findings *findings)
{
	static char subject[ESCAPE_ROOM(ENTRY_PATH_MAX)];
	size_t lines = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *one = &findings->item[i];

		if (strncmp(rule_name(one->rule), "unowned.", 8) != 0) {
			continue;
		}
		lines++;
		printf("  %-8s %-18s %s  %.*s\n", severity_name(one->severity),
		       rule_name(one->rule), escape_text(one->subject, subject, sizeof(subject)),
		       one->new_value.len < 70 ? (int)one->new_value.len : 70,
		       (const char *)one->new_value.data);
	}
	return lines;
}

int main(int argc, char **argv)
{
	struct observation *first = NULL, *now = NULL;
	struct source source = {0};
	struct object_source objects = {.load = load, .context = &source};
	struct judge_input input = {.policy = policy_default(), .objects = &objects};
	int rounds = argc > 3 ? atoi(argv[3]) : 1, status = 1;
	struct findings findings = {0};
	struct judge_counts counts;
	struct error err = {0};
	double start, spent;
	size_t lines;

	if (argc < 3 || store_open(argv[1], STORE_READ, &source.store, &err) < 0 ||
	    store_observation_load(source.store, argv[2], STORE_FIRST, &first, &err) < 0 ||
	    store_observation_load(source.store, argv[2], STORE_LATEST, &now, &err) < 0 || !now) {
		(void)fprintf(stderr, "judge_stored: %s\n", err.msg);
		goto out;
	}
	input.now = now;
	input.first = first;
	start = cpu_seconds();
	for (int i = 0; i < rounds; i++) {
		findings_clear(&findings);
		if (judge_host(&input, &findings, &counts, &err) < 0) {
			(void)fprintf(stderr, "judge_stored: %s\n", err.msg);
			goto out;
		}
	}
	spent = (cpu_seconds() - start) / rounds;

	lines = print(&findings);
	printf("%zu unowned objects, %zu lines; judged in %.0f ms of CPU\n",
	       count_unowned(&source, now), lines, spent * 1000);
	status = 0;
out:
	findings_clear(&findings);
	store_observation_free(first);
	store_observation_free(now);
	store_close(source.store);
	free(source.data);
	return status;
}
