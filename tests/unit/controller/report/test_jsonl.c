// SPDX-License-Identifier: MIT
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/report/jsonl.h"
#include "tests/unit/controller/report/hostile.h"

static void nesting_and_commas_are_right(void **state)
{
	struct jsonl json;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	jsonl_init(&json, out);
	jsonl_object(&json, NULL);
	jsonl_string(&json, "a", "x");
	jsonl_object(&json, "b");
	jsonl_close(&json, '}');
	jsonl_array(&json, "c");
	jsonl_number(&json, NULL, -1);
	jsonl_unsigned(&json, NULL, UINT64_MAX);
	jsonl_close(&json, ']');
	jsonl_null(&json, "d");
	jsonl_time(&json, "e", 1763690400);
	jsonl_time(&json, "f", 0);
	jsonl_close(&json, '}');
	jsonl_object(&json, NULL);
	jsonl_close(&json, '}');
	(void)fclose(out);
	assert_string_equal(text,
			    "{\"a\":\"x\",\"b\":{},\"c\":[-1,18446744073709551615],\"d\":null,"
			    "\"e\":\"2025-11-21T02:00:00Z\",\"f\":null}\n{}\n");
	free(text);
}

static void hostile_text_comes_back_exactly_or_as_base64(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOSTILE_COUNT; i++) {
		struct jsonl json;
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);
		json_t *root, *path;

		jsonl_init(&json, out);
		jsonl_object(&json, NULL);
		jsonl_bytes(&json, "path", hostile[i]);
		jsonl_close(&json, '}');
		(void)fclose(out);
		assert_true(hostile_is_harmless(text, len));
		root = json_loads(text, JSON_ALLOW_NUL, NULL);
		assert_non_null(root);
		path = json_object_get(root, "path");
		if (jsonl_is_exact(hostile[i])) {
			assert_int_equal(json_string_length(path), hostile[i].len);
			assert_memory_equal(json_string_value(path), hostile[i].data,
					    hostile[i].len);
		} else {
			assert_non_null(strstr(text, "\\ufffd"));
		}
		json_decref(root);
		free(text);
	}
	assert_true(jsonl_is_exact(BYTES_LITERAL("/tmp/ume\xc3\xa5")));
	assert_false(jsonl_is_exact(BYTES_LITERAL("/tmp/\xff")));
}

static void base64_is_that_of_the_rfc(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const rows[][2] = {{"", ""},
					      {"f", "Zg=="},
					      {"fo", "Zm8="},
					      {"foo", "Zm9v"},
					      {"foob", "Zm9vYg=="},
					      {"fooba", "Zm9vYmE="},
					      {"foobar", "Zm9vYmFy"},
					      {"\xff\xef\xfe", "/+/+"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct jsonl json;
		char *text = NULL, expected[64];
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		jsonl_init(&json, out);
		jsonl_array(&json, NULL);
		jsonl_base64(&json, NULL, bytes_from_string(rows[i][0]));
		jsonl_close(&json, ']');
		(void)fclose(out);
		(void)snprintf(expected, sizeof(expected), "[\"%s\"]\n", rows[i][1]);
		assert_string_equal(text, expected);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas_are_right),
		cmocka_unit_test(hostile_text_comes_back_exactly_or_as_base64),
		cmocka_unit_test(base64_is_that_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
