// SPDX-License-Identifier: MIT
/* What parses must fold, and the folded text must give the same set back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/inventory/fold.h"
#include "tests/fuzz/fuzz.h"

#define NAMES_FOLDED 20000 /* more only takes longer */

static int add_group(void *context, const char *group, struct nodeset *set, struct error *err)
{
	(void)context;
	return nodeset_add(set, group, err);
}

static void check_fold(struct nodeset *set)
{
	struct nodeset *back = NULL;
	struct error err = {0};
	char *text = NULL;
	int failed;

	failed = fold_nodeset(set, &text, &err);
	assert(!failed);
	if (nodeset_count(set) > 0) {
		failed = nodeset_parse(&back, text, NULL, &err);
		assert(!failed && nodeset_count(back) == nodeset_count(set));
		for (size_t i = 0; i < nodeset_count(set); i++) {
			assert(strcmp(nodeset_name(set, i), nodeset_name(back, i)) == 0);
		}
	}
	free(text);
	nodeset_free(back);
}

static int reach(void *context, struct nodeset *hosts, const char *user, uint16_t port,
		 struct error *err)
{
	(void)context;
	(void)err;
	assert(*user || port);
	for (size_t i = 0; i < nodeset_count(hosts); i++) {
		assert(nodeset_name_is_valid(nodeset_name(hosts, i)));
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nodeset_groups groups = {.add = add_group, .reach = reach, .context = NULL};
	struct nodeset *set = NULL;
	struct error err = {0};
	char *text = malloc(size + 1);

	if (!text) {
		return 0;
	}
	if (size > 0) {
		memcpy(text, data, size);
	}
	text[size] = '\0';
	if (nodeset_parse(&set, text, &groups, &err) == 0 && nodeset_count(set) <= NAMES_FOLDED) {
		check_fold(set);
	}
	nodeset_free(set);
	free(text);
	return 0;
}
