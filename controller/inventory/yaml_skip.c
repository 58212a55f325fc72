// SPDX-License-Identifier: MIT
#include "controller/inventory/yaml_skip.h"

#include <stdlib.h>

#define KEY_MAX 4096

/* Takes one value that is no mapping or list, or enters one: *entered says which. */
static int take(struct yaml_reader *reader, enum yaml_value value, bool *entered, struct error *err)
{
	char *text = NULL;
	int status;

	*entered = value == YAML_VALUE_MAP || value == YAML_VALUE_LIST;
	switch (value) {
	case YAML_VALUE_MAP:
		return yaml_reader_map(reader, err);
	case YAML_VALUE_LIST:
		return yaml_reader_list(reader, err);
	case YAML_VALUE_NULL:
		return yaml_reader_null(reader, err);
	case YAML_VALUE_SCALAR:
	case YAML_VALUE_NONE:
		break;
	}
	status = yaml_reader_text_new(reader, &text, err);
	free(text);
	return status;
}

int yaml_skip(struct yaml_reader *reader, struct error *err)
{
	bool is_map[YAML_DEPTH_MAX + 1], entered;
	enum yaml_value value;
	char key[KEY_MAX];
	size_t depth = 0;
	int more;

	do {
		if (yaml_reader_peek(reader, &value, err) < 0 ||
		    take(reader, value, &entered, err) < 0) {
			return -1;
		}
		if (entered) {
			/* The reader refuses what is deeper. */
			is_map[depth++] = value == YAML_VALUE_MAP;
		}
		while (depth > 0) {
			more = is_map[depth - 1]
				       ? yaml_reader_any_key(reader, key, sizeof(key), err)
				       : yaml_reader_item(reader, err);
			if (more < 0) {
				return -1;
			}
			if (more > 0) {
				break;
			}
			depth--;
		}
	} while (depth > 0);
	return 0;
}

int yaml_scalar_or_skip(struct yaml_reader *reader, char **text, struct error *err)
{
	enum yaml_value value;

	*text = NULL;
	if (yaml_reader_peek(reader, &value, err) < 0) {
		return -1;
	}
	return value == YAML_VALUE_SCALAR ? yaml_reader_text_new(reader, text, err)
					  : yaml_skip(reader, err);
}
