// SPDX-License-Identifier: MIT
/*
 * sections DB HOST: the latest observation's sections, one a line: content digest, then the parts of
 * the key, escaped. For tests that compare hosts section by section.
 */
#include <stdio.h>

#include "controller/store/store.h"
#include "schema/escape.h"

static void print_section(const struct observed_section *section)
{
	struct section_key key;
	char text[ESCAPE_ROOM(SECTION_KEY_MAX)];

	if (!section_key_decode(section->key, &key)) {
		return;
	}
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		printf("%02x", section->content.bytes[i]);
	}
	for (size_t i = 0; i < key.count; i++) {
		printf(" %s", escape_text(key.part[i], text, sizeof(text)));
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	struct observation *seen = NULL;
	struct store *store = NULL;
	struct error err = {0};
	int status = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: sections DB HOST\n");
		return 2;
	}
	if (store_open(argv[1], STORE_READ, &store, &err) != 0 ||
	    store_observation_load(store, argv[2], STORE_LATEST, &seen, &err) != 0 || !seen) {
		fprintf(stderr, "sections: %s\n", err.msg);
		goto out;
	}
	for (size_t i = 0; i < seen->section_count; i++) {
		print_section(&seen->sections[i]);
	}
	status = 0;
out:
	store_observation_free(seen);
	store_close(store);
	return status;
}
