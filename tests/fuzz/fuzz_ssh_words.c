// SPDX-License-Identifier: MIT
#include <assert.h>

#include "controller/ssh/openssh/ssh_words.h"
#include "tests/fuzz/fuzz.h"

/* ssh's log quotes hosts: whatever they say, the reason is short, printable, and the same in one piece or many. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssh_words whole, pieces;
	char reason[400], again[400];
	bool login = false, logins = false;

	ssh_words_init(&whole);
	ssh_words_init(&pieces);
	login = ssh_words_feed(&whole, bytes_make(data, size));
	for (size_t i = 0; i < size; i++) {
		logins |= ssh_words_feed(&pieces, bytes_make(data + i, 1));
	}
	assert(login == logins && login == whole.authenticated);
	assert(ssh_words_reason(&whole, reason, sizeof(reason)) ==
	       ssh_words_reason(&pieces, again, sizeof(again)));
	assert(strcmp(reason, again) == 0);
	for (const char *c = reason; *c; c++) {
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	return 0;
}
