// SPDX-License-Identifier: MIT
#include <assert.h>

#include "controller/ssh/keys/known_hosts.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct known_hosts *known = NULL;
	struct known_host found[8];
	const char *first;
	struct error err;

	if (known_hosts_new(&known, &err) == 0 &&
	    known_hosts_parse(known, bytes_make(data, size), "fuzz", &err) == 0) {
		size_t count = known_hosts_find(known, "web1", 22, found, 8);

		/* What was found by its hash is found again without. */
		assert(known_hosts_find(known, "WEB1", 22, found, 8) == count);
		(void)known_hosts_find(known, "db.example.com", 2222, found, 8);
		(void)known_hosts_bad_lines(known, &first);
	}
	known_hosts_free(known);
	return 0;
}
