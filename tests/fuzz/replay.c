// SPDX-License-Identifier: MIT
/*
 * Replays corpus files through a fuzz target, so that the ordinary test run covers what fuzzing
 * found. Arguments are files or folders. Every input is also given cut short, because a decoder's
 * faults live where its input ends.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX ((size_t)16 << 20)
/* Truncation at each byte is quadratic: long inputs are cut only this often. */
#define CUTS_MAX 512

static size_t inputs;

/* The copy has its exact size, so that a sanitizer sees the first byte read past the end. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy) {
		fprintf(stderr, "replay: out of memory\n");
		exit(1);
	}
	if (size) {
		memcpy(copy, data, size);
	}
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static bool replay_file(const char *path)
{
	uint8_t *data = NULL;
	size_t size = 0;
	size_t step;
	bool ok = false;
	struct stat st;
	FILE *file = fopen(path, "rb");

	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		goto out;
	}
	if (st.st_size < 0 || (size_t)st.st_size > INPUT_MAX) {
		fprintf(stderr, "%s: larger than %zu bytes\n", path, INPUT_MAX);
		goto out;
	}
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, file) != size) {
		fprintf(stderr, "%s: cannot be read\n", path);
		goto out;
	}
	run_exact(data, size);
	step = size / CUTS_MAX + 1;
	for (size_t cut = 0; cut < size; cut += step) {
		run_exact(data, cut);
	}
	inputs++;
	ok = true;
out:
	free(data);
	if (file) {
		(void)fclose(file);
	}
	return ok;
}

static bool replay_folder(const char *path)
{
	char name[4096];
	struct dirent *entry;
	bool ok = true;
	DIR *dir = opendir(path);

	if (!dir) {
		perror(path);
		return false;
	}
	while (ok && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
		    sizeof(name)) {
			fprintf(stderr, "%s: name too long\n", path);
			ok = false;
			break;
		}
		ok = replay_file(name);
	}
	(void)closedir(dir);
	return ok;
}

int main(int argc, char **argv)
{
	run_exact((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) < 0) {
			perror(argv[i]);
			return 1;
		}
		if (!(S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]))) {
			return 1;
		}
	}
	if (inputs == 0) {
		fprintf(stderr, "replay: the corpus is empty\n");
		return 1;
	}
	printf("%zu inputs replayed\n", inputs);
	return 0;
}
