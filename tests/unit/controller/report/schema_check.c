// SPDX-License-Identifier: MIT
#include "tests/unit/controller/report/schema_check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "schema/findings.schema.json"

static bool type_fits(const char *type, const json_t *value)
{
	return (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "string") == 0 && json_is_string(value)) ||
	       (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "null") == 0 && json_is_null(value));
}

static bool types_fit(const json_t *types, const json_t *value)
{
	if (!types) {
		return true;
	}
	if (json_is_string(types)) {
		return type_fits(json_string_value(types), value);
	}
	for (size_t i = 0; i < json_array_size(types); i++) {
		if (type_fits(json_string_value(json_array_get(types, i)), value)) {
			return true;
		}
	}
	return false;
}

static bool is_one_of(const json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (json_equal(json_array_get(list, i), value)) {
			return true;
		}
	}
	return false;
}

static const json_t *resolve(const json_t *defs, const json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	return ref ? json_object_get(defs, strrchr(ref, '/') + 1) : schema;
}

static bool fits(const json_t *defs, const json_t *schema, json_t *value, const char *name);

static bool members_fit(const json_t *defs, const json_t *schema, json_t *value, const char *name)
{
	const json_t *others = json_object_get(schema, "additionalProperties"), *member;
	const json_t *required = json_object_get(schema, "required");
	json_t *inner;
	const char *key;

	for (size_t i = 0; i < json_array_size(required); i++) {
		key = json_string_value(json_array_get(required, i));
		if (!json_object_get(value, key)) {
			printf("%s: %s is missing\n", name, key);
			return false;
		}
	}
	json_object_foreach(value, key, inner)
	{
		member = json_object_get(json_object_get(schema, "properties"), key);
		if (!member && json_is_false(others)) {
			printf("%s: %s is not in the schema\n", name, key);
			return false;
		}
		member = member ? member : others;
		if (json_is_object(member) && !fits(defs, member, inner, key)) {
			return false;
		}
	}
	return true;
}

/* Recursion as deep as the schema. */
static bool fits(const json_t *defs, const json_t *schema, json_t *value, const char *name)
{
	const json_t *words, *constant;
	size_t i;
	json_t *inner;

	schema = resolve(defs, schema);
	words = json_object_get(schema, "enum");
	constant = json_object_get(schema, "const");
	if (!schema || !types_fit(json_object_get(schema, "type"), value) ||
	    (words && !is_one_of(words, value)) || (constant && !json_equal(constant, value))) {
		printf("%s: of another kind\n", name);
		return false;
	}
	json_array_foreach(value, i, inner)
	{
		if (!fits(defs, json_object_get(schema, "items"), inner, name)) {
			return false;
		}
	}
	return !json_is_object(value) || members_fit(defs, schema, value, name);
}

static bool line_fits(const json_t *schema, const char *line, size_t len)
{
	const json_t *defs = json_object_get(schema, "$defs"), *shape;
	json_t *value = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	const char *type = json_string_value(json_object_get(value, "type"));
	bool ok = false;

	shape = type ? json_object_get(defs, type) : NULL;
	if (!shape) {
		printf("no line of a known type: %.*s\n", (int)len, line);
	} else if (fits(defs, shape, value, type) && fits(defs, schema, value, "line")) {
		ok = true;
	} else {
		printf("in: %.*s\n", (int)len, line);
	}
	json_decref(value);
	return ok;
}

bool schema_check_lines(const char *text, unsigned *lines)
{
	json_t *schema = json_load_file(SCHEMA, JSON_REJECT_DUPLICATES, NULL);
	bool ok = schema != NULL;

	*lines = 0;
	while (ok && *text) {
		const char *end = strchr(text, '\n');

		ok = end && line_fits(schema, text, (size_t)(end - text));
		text = end ? end + 1 : text;
		(*lines)++;
	}
	json_decref(schema);
	return ok;
}
