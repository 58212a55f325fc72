// SPDX-License-Identifier: MIT
/* What says whom to trust: keys.yaml, ASCII armour, overrides and the comments of manifests. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/mtree.h"
#include "baselines/overrides.h"
#include "baselines/signature/armour.h"
#include "baselines/signature/trust.h"
#include "tests/fuzz/fuzz.h"

static void read_keys(struct bytes text)
{
	struct trust *trust = NULL;
	struct error err = {0};

	if (trust_parse("fuzz", text, &trust, &err) < 0) {
		assert(err.kind == ERROR_CONFIG && err.msg[0] != '\0');
		return;
	}
	for (size_t i = 0; i < trust->count; i++) {
		const struct trust_key *key = &trust->item[i];

		assert(trust_find(trust, key->fingerprint) == key);
		assert(key->origins.count > 0 && !strchr(key->file, '/'));
		assert(trust_proves_origin(key, key->origins.item[0]));
		(void)trust_proves(key, key->origins.item[0], "package");
	}
	trust_free(trust);
}

static void read_armour(struct bytes text)
{
	uint8_t *to = malloc(text.len + 1);
	size_t len = 0;

	assert(to);
	if (armour_undo(text, to, &len)) {
		assert(len > 0 && len < text.len);
	}
	(void)armour_is(text);
	free(to);
}

static void read_overrides(struct bytes text)
{
	struct record_list *list = NULL;
	struct error err = {0};

	if (overrides_parse("fuzz", text, &list, &err) == 0) {
		for (size_t i = 0; i < list->count; i++) {
			assert(records_has(list, list->line[i]));
		}
		records_free(list);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_make(data, size);
	struct mtree_comments comments;

	read_keys(text);
	read_armour(text);
	read_overrides(text);
	mtree_comments_read(text, &comments);
	assert(strlen(comments.signer) < sizeof(comments.signer));
	return 0;
}
