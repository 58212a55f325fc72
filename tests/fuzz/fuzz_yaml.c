// SPDX-License-Identifier: MIT
/*
 * Walks any document as its own shape asks, so that every getter meets every kind of value. Without
 * recursion: a list of open collections, as deep as the reader lets them be.
 */
#include <assert.h>
#include <stdlib.h>

#include "baselines/yaml.h"
#include "tests/fuzz/fuzz.h"

static int take_value(struct yaml_reader *r, bool *is_map, size_t *depth, struct error *err)
{
	enum yaml_value value;
	char *text = NULL;

	if (yaml_reader_peek(r, &value, err) < 0) {
		return -1;
	}
	switch (value) {
	case YAML_VALUE_MAP:
	case YAML_VALUE_LIST:
		if ((value == YAML_VALUE_MAP ? yaml_reader_map(r, err) : yaml_reader_list(r, err)) <
		    0) {
			return -1;
		}
		assert(*depth < YAML_DEPTH_MAX);
		is_map[(*depth)++] = value == YAML_VALUE_MAP;
		return 0;
	case YAML_VALUE_SCALAR:
		if (yaml_reader_text_new(r, &text, err) < 0) {
			return -1;
		}
		free(text);
		return 0;
	case YAML_VALUE_NULL:
		return yaml_reader_null(r, err);
	case YAML_VALUE_NONE:
		break;
	}
	return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"hosts", "vars", "inventory", "port", NULL};
	bool is_map[YAML_DEPTH_MAX];
	struct yaml_reader *r = NULL;
	struct error err = {0};
	size_t depth = 0, key;
	char name[64];

	if (yaml_reader_new(&r, "fuzz", bytes_make(data, size), &err) < 0) {
		return 0;
	}
	if (take_value(r, is_map, &depth, &err) < 0) {
		goto out;
	}
	while (depth > 0) {
		int more = !is_map[depth - 1] ? yaml_reader_item(r, &err)
			   : depth == 1       ? yaml_reader_key(r, keys, &key, &err)
					      : yaml_reader_any_key(r, name, sizeof(name), &err);

		if (more == 0) {
			depth--;
		} else if (more < 0 || take_value(r, is_map, &depth, &err) < 0) {
			break;
		}
	}
	if (depth == 0) {
		(void)!yaml_reader_done(r, &err);
	}
out:
	yaml_reader_free(r);
	return 0;
}
