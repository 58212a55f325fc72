// SPDX-License-Identifier: MIT
/*
 * probe_full PROBE [OPTION...]: one conversation with the probe over a pipe on this machine,
 * everything hashed, and what it cost. Figures on standard output as `name value` lines.
 *   --md5        package sections both ways      --want      fetch every section
 *   --same       ask for the proof only          --every N   hash one section of N
 *   --checks N   plan.checks                     --list      sections and coverage too
 *   --slice P/N  plan.slice_part, plan.slice_of
 *   --files FILE writes the paths of all hashed files there, NUL between (implies --want)
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "schema/entry.h"
#include "schema/escape.h"
#include "schema/section.h"
#include "tests/fake/probe_talk.h"

static unsigned every = 1;

static bool choose(const struct talk_section *section)
{
	static unsigned turn;

	(void)section;
	return turn++ % every == 0;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_sections(const struct talk *talk)
{
	for (size_t i = 0; i < talk->count; i++) {
		const struct talk_section *section = &talk->section[i];
		struct section_key key;
		char text[1024];

		(void)section_key_decode(bytes_make(section->key, section->key_len), &key);
		for (size_t p = 0; p < key.count; p++) {
			printf("%s%s", p ? " " : "", escape_text(key.part[p], text, sizeof(text)));
		}
		printf(" content=");
		for (size_t b = 0; b < DIGEST_SIZE; b++) {
			printf("%02x", section->digest.content.bytes[b]);
		}
		printf(" stat=%016llx always=%d size=%llu settled=%d unread=%u\n",
		       (unsigned long long)section->stat, section->always,
		       (unsigned long long)section->digest.size, section->digest.settled,
		       (unsigned)section->digest.unread);
	}
}

/* What a peer has to read for the same work. */
static int write_files(const struct talk *talk, const char *path)
{
	FILE *to = fopen(path, "w");

	if (!to) {
		perror(path);
		return 1;
	}
	for (size_t i = 0; i < talk->count; i++) {
		const struct talk_section *section = &talk->section[i];
		struct section_key key;
		struct cbor_reader r;
		struct entry entry;

		if (!section->data ||
		    !section_key_decode(bytes_make(section->key, section->key_len), &key) ||
		    !section_kind_has_entries(key.kind)) {
			continue;
		}
		cbor_reader_init(&r, bytes_make(section->data, section->len));
		while (cbor_reader_has_more(&r) && entry_decode(&r, &entry)) {
			if (entry.has_sha256) {
				fwrite(entry.path.data, 1, entry.path.len, to);
				fputc(0, to);
			}
		}
	}
	return fclose(to) == 0 ? 0 : 1;
}

static void print_rows(const struct talk *talk)
{
	static const char *const states[] = {"done", "partial", "skipped", "unsupported"};

	for (size_t i = 0; i < talk->row_count; i++) {
		const struct talk_row *row = &talk->row[i];
		char text[1024];

		printf("coverage %s %s %s \"%s\" %llu\n", row->check, states[row->state],
		       row->reason[0] ? row->reason : "-",
		       escape_text(bytes_from_string(row->subject), text, sizeof(text)),
		       (unsigned long long)row->count);
	}
}

int main(int argc, char **argv)
{
	static char stdio[] = "--stdio";
	static struct talk talk;
	static struct plan plan;
	char *child[] = {argc > 1 ? argv[1] : NULL, stdio, NULL};
	enum talk_want want = TALK_WANT_NONE;
	bool md5 = false;
	bool same = false;
	bool list = false;
	const char *files = NULL;
	double start = now_s();
	double rooted;
	double ended;

	if (argc < 2) {
		fprintf(stderr, "usage: probe_full PROBE [--md5] [--want] [--same] [--list]\n");
		return 2;
	}
	talk_plan_default(&plan);
	for (int i = 2; i < argc; i++) {
		md5 = md5 || strcmp(argv[i], "--md5") == 0;
		same = same || strcmp(argv[i], "--same") == 0;
		list = list || strcmp(argv[i], "--list") == 0;
		if (strcmp(argv[i], "--want") == 0) {
			want = TALK_WANT_ALL;
		}
		if (strcmp(argv[i], "--files") == 0 && i + 1 < argc) {
			files = argv[++i];
			want = TALK_WANT_ALL;
		}
		if (strcmp(argv[i], "--every") == 0 && i + 1 < argc) {
			every = (unsigned)strtoul(argv[++i], NULL, 0);
			every = every > 0 ? every : 1;
		}
		if (strcmp(argv[i], "--slice") == 0 && i + 1 < argc) {
			char *of;

			plan.slice_part = (uint32_t)strtoul(argv[++i], &of, 10);
			plan.slice_of = *of ? (uint32_t)strtoul(of + 1, NULL, 10) : 0;
		}
		if (strcmp(argv[i], "--checks") == 0 && i + 1 < argc) {
			plan.checks = (uint32_t)strtoul(argv[++i], NULL, 0);
		}
	}
	talk_start(&talk, child, NULL);
	talk_hello(&talk);
	talk_plan(&talk, &plan);
	talk_root(&talk);
	rooted = now_s();
	talk_ask(&talk, same ? ASK_SAME : ASK_LIST);
	if (!same) {
		talk_list(&talk);
		talk_hash(&talk, choose, md5, want);
	}
	talk_finish(&talk);
	ended = now_s();
	talk_stop(&talk);
	if (list) {
		print_sections(&talk);
		print_rows(&talk);
	}
	if (same) {
		printf("proof ");
		for (size_t b = 0; b < DIGEST_SIZE; b++) {
			printf("%02x", talk.proof.content_root.bytes[b]);
		}
		printf("\n");
	}
	printf("status %d\nsections %u\nentries %llu\nfiles %llu\nbytes %llu\nunread %llu\n",
	       talk.status, (unsigned)talk.root.sections, (unsigned long long)talk.end.entries,
	       (unsigned long long)talk.end.files, (unsigned long long)talk.end.bytes,
	       (unsigned long long)talk.end.unread);
	printf("stat_wall_s %.3f\nwall_s %.3f\ncpu_s %.3f\nuser_s %.3f\npeak_kib %llu\n",
	       rooted - start, ended - start, (double)talk.end.cpu_us / 1e6,
	       (double)talk.use.ru_utime.tv_sec + (double)talk.use.ru_utime.tv_usec / 1e6,
	       (unsigned long long)talk.end.peak_kib);
	printf("received_bytes %llu\n", (unsigned long long)talk.received);
	if (files && write_files(&talk, files) != 0) {
		return 1;
	}
	talk_free(&talk);
	return 0;
}
