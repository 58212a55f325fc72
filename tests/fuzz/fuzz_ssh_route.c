// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ssh/route/route.h"
#include "tests/fuzz/fuzz.h"

/* What is read prints as text that reads as the same, so that equal ways have equal names. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[ROUTE_TEXT_MAX], again[ROUTE_TEXT_MAX];
	struct route route, second;
	struct error err;
	char *input = size < ROUTE_TEXT_MAX ? strndup((const char *)data, size) : NULL;

	if (!input) {
		return 0;
	}
	if (route_read_jumps(input, &route, &err) == 0) {
		/* A host of that name would be the direct way. */
		if (route_print(&route, text, sizeof(text)) && strcmp(text, "none") != 0 &&
		    route.jump_count > 0) {
			assert(route_read_jumps(text, &second, &err) == 0);
			assert(second.jump_count == route.jump_count);
			assert(route_print(&second, again, sizeof(again)));
			assert(strcmp(text, again) == 0);
			route_clear(&second);
		}
		route_clear(&route);
	}
	free(input);
	return 0;
}
