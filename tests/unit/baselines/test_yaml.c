// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "baselines/yaml.h"

/* A grammar with every kind of value in it. */
enum {
	KEY_NAME,
	KEY_PORT,
	KEY_DEEP,
	KEY_LIST,
	KEY_SURE,
	KEY_WHEN,
	KEY_COLOR,
	KEY_NOTHING,
	KEY_FREE
};
static const char *const keys[] = {"name", "port",  "deep",    "list", "sure",
				   "when", "color", "nothing", "free", NULL};
static const char *const deep_keys[] = {"port", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

struct sample {
	char name[32];
	uint64_t port, deep_port, when_s;
	size_t items, color, free_keys;
	bool sure;
};

static int read_deep(struct yaml_reader *r, struct sample *sample, struct error *err)
{
	size_t key;
	int more;

	if (yaml_reader_map(r, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_key(r, deep_keys, &key, err)) > 0) {
		if (yaml_reader_number(r, 1, 65535, &sample->deep_port, err) < 0) {
			return -1;
		}
	}
	return more;
}

static int read_list(struct yaml_reader *r, struct sample *sample, struct error *err)
{
	char *text = NULL;
	int more;

	if (yaml_reader_list(r, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_item(r, err)) > 0) {
		if (yaml_reader_text_new(r, &text, err) < 0) {
			return -1;
		}
		free(text);
		sample->items++;
	}
	return more;
}

static int read_free(struct yaml_reader *r, struct sample *sample, struct error *err)
{
	char key[16];
	int more;

	if (yaml_reader_map(r, err) < 0) {
		return -1;
	}
	while ((more = yaml_reader_any_key(r, key, sizeof(key), err)) > 0) {
		if (yaml_reader_null(r, err) < 0) {
			return -1;
		}
		sample->free_keys++;
	}
	return more;
}

static int read_value(struct yaml_reader *r, size_t key, struct sample *sample, struct error *err)
{
	switch (key) {
	case KEY_NAME:
		return yaml_reader_text(r, sample->name, sizeof(sample->name), err);
	case KEY_PORT:
		return yaml_reader_number(r, 1, 65535, &sample->port, err);
	case KEY_DEEP:
		return read_deep(r, sample, err);
	case KEY_LIST:
		return read_list(r, sample, err);
	case KEY_SURE:
		return yaml_reader_bool(r, &sample->sure, err);
	case KEY_WHEN:
		return yaml_reader_duration(r, 1, 864000, &sample->when_s, err);
	case KEY_COLOR:
		return yaml_reader_word(r, colors, &sample->color, err);
	case KEY_NOTHING:
		return yaml_reader_null(r, err);
	default:
		return read_free(r, sample, err);
	}
}

static int read_sample(struct bytes text, struct sample *sample, struct error *err)
{
	struct yaml_reader *r = NULL;
	enum yaml_value value;
	int status = -1;
	size_t key;
	int more = 0;

	memset(sample, 0, sizeof(*sample));
	if (yaml_reader_new(&r, "t.yaml", text, err) < 0) {
		return -1;
	}
	if (yaml_reader_peek(r, &value, err) < 0) {
		goto out;
	}
	if (value != YAML_VALUE_NONE) {
		if (yaml_reader_map(r, err) < 0) {
			goto out;
		}
		while ((more = yaml_reader_key(r, keys, &key, err)) > 0) {
			if (read_value(r, key, sample, err) < 0) {
				goto out;
			}
		}
	}
	if (more == 0) {
		status = yaml_reader_done(r, err);
	}
out:
	yaml_reader_free(r);
	return status;
}

static void every_kind_of_value_is_read(void **state)
{
	struct sample s;
	struct error err = {0};

	(void)state;
	assert_int_equal(read_sample(BYTES_LITERAL("---\n"
						   "name: \"a b\"\n"
						   "port: 22\n"
						   "deep: {port: 2222}\n"
						   "list: [a, 'b', \"c\"]\n"
						   "sure: yes\n"
						   "when: 15m\n"
						   "color: never\n"
						   "nothing:\n"
						   "free: {x: , y: ~, z: null}\n"),
				     &s, &err),
			 0);
	assert_string_equal(s.name, "a b");
	assert_int_equal(s.port, 22);
	assert_int_equal(s.deep_port, 2222);
	assert_int_equal(s.items, 3);
	assert_true(s.sure);
	assert_int_equal(s.when_s, 900);
	assert_int_equal(s.color, 2);
	assert_int_equal(s.free_keys, 3);
	assert_int_equal(read_sample(BYTES_LITERAL(""), &s, &err), 0);
	assert_int_equal(read_sample(BYTES_LITERAL("# only a comment\n"), &s, &err), 0);
}

static void fault_names_line_column_and_nearest_word(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"name: x\nprot: 1\n", "t.yaml:2:1: unknown key \"prot\": did you mean \"port\"?"},
		{"deep:\n  prt: 1\n", "t.yaml:2:3: unknown key \"prt\": did you mean \"port\"?"},
		{"deep: {zzz: 1}\n", "t.yaml:1:8: unknown key \"zzz\": known are port"},
		{"color: nevr\n", "t.yaml:1:8: unknown value \"nevr\": did you mean \"never\"?"},
		{"port: 1\nport: 2\n", "t.yaml:2:1: key \"port\" stands twice"},
		{"port: 0\n", "t.yaml:1:7: expected a number from 1 to 65535"},
		{"port: 65536\n", "t.yaml:1:7: expected a number from 1 to 65535"},
		{"port: -1\n", "t.yaml:1:7: expected a number from 1 to 65535"},
		{"port: 0x16\n", "t.yaml:1:7: expected a number from 1 to 65535"},
		{"port: 99999999999999999999\n", "t.yaml:1:7: expected a number from 1 to 65535"},
		{"port: [1]\n", "t.yaml:1:7: expected a number, found a list"},
		{"port:\nname: x\n", "t.yaml:1:6: expected a number, found nothing"},
		{"name: {a: b}\n", "t.yaml:1:7: expected a text, found a mapping"},
		{"name: &a x\n", "t.yaml:1:7: anchors and aliases (&, *) are not allowed"},
		{"name: *a\n", "t.yaml:1:7: anchors and aliases (&, *) are not allowed"},
		{"name: !!str x\n", "t.yaml:1:7: tags (!) are not allowed"},
		{"<<: {a: b}\n",
		 "t.yaml:1:1: unknown key \"<<\": known are name, port, deep, list, "
		 "sure, when, color, nothing, free"},
		{"[a]: b\n", "t.yaml:1:1: a key must be one word"},
		{"- a\n", "t.yaml:1:1: expected a mapping, found a list"},
		{"name: a\n---\nname: b\n", "t.yaml:2:1: a second document is not allowed"},
		{"name: \"a\\0b\"\n", "t.yaml:1:7: a NUL byte is not allowed"},
		{"name: \"0123456789012345678901234567890123\"\n",
		 "t.yaml:1:7: longer than 31 bytes"},
		{"when: 5 minutes\n", "t.yaml:1:7: expected a time such as 90s, 15m, 6h or 30d, "
				      "from 1 to 864000 seconds"},
		{"nothing: x\n", "t.yaml:1:10: expected nothing, found one value"},
		{"\"\\e[31m\": x\n", "t.yaml:1:1: unknown key \"\\033[31m\": known are name, port, "
				     "deep, list, sure, when, color, nothing, free"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct sample s;

		assert_int_equal(read_sample(bytes_from_string(rows[i].text), &s, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_string_equal(err.msg, rows[i].message);
	}
}

static void what_is_no_yaml_names_its_place(void **state)
{
	static const struct {
		const char *text;
		const char *start;
	} rows[] = {
		{"list: [a\n", "t.yaml:2:1: no YAML"},
		{"name: a\n\tport: 1\n", "t.yaml:2:1: no YAML"},
		{"name: \"a\n", "t.yaml:2:1: no YAML"},
		{"name: a\nport: \xff\n", "t.yaml:2:7: no YAML text"},
		{"name: \x01\n", "t.yaml:1:7: no YAML text"},
		{"%FOO\n", "t.yaml:1:5: no YAML"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct sample s;

		assert_int_equal(read_sample(bytes_from_string(rows[i].text), &s, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (strncmp(err.msg, rows[i].start, strlen(rows[i].start)) != 0) {
			assert_string_equal(err.msg, rows[i].start);
		}
	}
}

static void nesting_is_bounded(void **state)
{
	struct yaml_reader *r = NULL;
	struct error err = {0};
	char text[YAML_DEPTH_MAX + 2];

	(void)state;
	memset(text, '[', sizeof(text));
	assert_int_equal(yaml_reader_new(&r, "t", bytes_make(text, sizeof(text)), &err), 0);
	for (int i = 0; i < YAML_DEPTH_MAX; i++) {
		assert_int_equal(yaml_reader_list(r, &err), 0);
		assert_int_equal(yaml_reader_item(r, &err), 1);
	}
	assert_int_equal(yaml_reader_list(r, &err), -1);
	assert_string_equal(err.msg, "t:1:17: nested deeper than 16");
	yaml_reader_free(r);
}

static void oversize_text_is_refused(void **state)
{
	struct yaml_reader *r = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(yaml_reader_new(&r, "t", bytes_make("", YAML_SIZE_MAX + 1), &err), -1);
	assert_null(r);
	assert_int_equal(err.kind, ERROR_CONFIG);
}

static void file_that_cannot_be_read_says_why(void **state)
{
	struct yaml_reader *r = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(yaml_reader_open(&r, "/nonexistent/x.yaml", &err), -1);
	assert_int_equal(err.os_errno, ENOENT);
	assert_string_equal(err.msg, "/nonexistent/x.yaml: No such file or directory");
	assert_int_equal(yaml_reader_open(&r, "/", &err), -1);
	assert_string_equal(err.msg, "/: not a regular file");
	assert_null(r);
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		uint64_t seconds;
	} rows[] = {
		{"0", true, 0},
		{"90", true, 90},
		{"90s", true, 90},
		{"2m", true, 120},
		{"6h", true, 21600},
		{"30d", true, 2592000},
		{"1w", true, 604800},
		{"", false, 0},
		{"m", false, 0},
		{"-1", false, 0},
		{"1.5h", false, 0},
		{"1y", false, 0},
		{" 1", false, 0},
		{"99999999999999999999", false, 0},
		{"18446744073709551615w", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t seconds = 0;

		assert_int_equal(yaml_parse_duration(rows[i].text, &seconds), rows[i].valid);
		if (rows[i].valid) {
			assert_int_equal(seconds, rows[i].seconds);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value_is_read),
		cmocka_unit_test(fault_names_line_column_and_nearest_word),
		cmocka_unit_test(what_is_no_yaml_names_its_place),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(oversize_text_is_refused),
		cmocka_unit_test(file_that_cannot_be_read_says_why),
		cmocka_unit_test(durations_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
