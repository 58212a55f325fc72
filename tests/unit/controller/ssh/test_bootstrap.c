// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/ssh/bootstrap.h"
#include "controller/ssh/pinned.h"
#include "controller/ssh/session/probe_pack.h"

#define TAG "0123456789abcdeffedcba9876543210"
#define MARK "MUSTER" TAG

/* Feeds `text` in pieces of `piece` bytes; the first event that is not MORE, or MORE at the end. */
static enum bootstrap_event feed(struct bootstrap *bootstrap, struct bytes text, size_t piece,
				 struct bytes *rest)
{
	while (text.len > 0) {
		size_t len = text.len < piece ? text.len : piece;
		struct bytes part = {text.data, len};
		enum bootstrap_event event = bootstrap_feed(bootstrap, &part);

		*rest = (struct bytes){part.data, text.len - (size_t)(part.data - text.data)};
		if (event != BOOTSTRAP_MORE) {
			return event;
		}
		assert_int_equal(part.len, 0);
		text = *rest;
	}
	return BOOTSTRAP_MORE;
}

static void command_passes_every_shell(void **state)
{
	static const enum become becomes[] = {BECOME_NONE, BECOME_SUDO, BECOME_PINNED};
	char command[BOOTSTRAP_COMMAND_MAX];

	(void)state;
	for (size_t b = 0; b < 3; b++) {
		size_t len = bootstrap_command(TAG, becomes[b], 131072, command, sizeof(command));
		size_t quotes = 0;

		assert_true(len > 0 && len == strlen(command));
		/* Some shells end a line at 1024 bytes. */
		assert_true(len < 1024);
		assert_null(strchr(command, '!'));
		assert_null(strchr(command, '\n'));
		for (size_t i = 0; i < len; i++) {
			quotes += command[i] == '\'';
		}
		assert_int_equal(quotes, becomes[b] == BECOME_SUDO ? 4 : 2);
		assert_null(strstr(command, MARK));
		assert_int_equal(bootstrap_command(TAG, becomes[b], 131072, command, len), 0);
	}
}

static void a_pinned_probe_stands_where_the_rule_says(void **state)
{
	char command[BOOTSTRAP_COMMAND_MAX], path[128], arguments[512];
	size_t i;

	(void)state;
	assert_true(bootstrap_command(TAG, BECOME_PINNED, 131072, command, sizeof(command)) > 0);
	for (i = 0; pinned_path(i, "inspect", path, sizeof(path)); i++) {
		char *slash = strstr(path, "/.muster-inspect/probe");

		assert_non_null(slash);
		*slash = '\0';
		assert_non_null(strstr(command, path));
	}
	assert_int_equal(i, 3);
	assert_false(pinned_path(0, "inspect", path, 10));
	assert_true(pinned_arguments("/p", 12, "ab", arguments, sizeof(arguments)));
	assert_string_equal(arguments, "--stdio --self /p --size 12 --sha256 ab");
	/* As the command has them, word for word. */
	assert_non_null(strstr(command, "; sudo -n \"$p\" --stdio --self \"$p\" --size \"$s\" "
					"--sha256 \"$h\""));
	assert_non_null(strstr(command, "t=$d/.muster-$r"));
	assert_null(strstr(command, "sudo -n /bin/sh"));
}

static void marker_is_found_in_any_noise(void **state)
{
	static const char *const noise[] = {
		"",       "motd\n",           "no newline",         "MUSTER", "MUSTERMUSTER\n",
		"\n\n\n", "MUSTER0123456789", "\xff\xfe\033[31m\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		for (size_t piece = 1; piece < 60; piece++) {
			char text[256];
			struct bootstrap bootstrap;
			struct bytes rest;

			(void)strcpy(text, noise[i]);           // NOLINT: a table of short strings
			(void)strcat(text, MARK " a x86_64\n"); // NOLINT
			bootstrap_init(&bootstrap, TAG);
			assert_int_equal(feed(&bootstrap, bytes_from_string(text), piece, &rest),
					 BOOTSTRAP_READY);
			assert_string_equal(bootstrap.word, "x86_64");
			assert_int_equal(rest.len, 0);
		}
	}
}

static void stream_begins_at_the_first_byte_of_a_frame(void **state)
{
	struct bootstrap bootstrap;
	struct bytes rest = BYTES_LITERAL(MARK " s\n");

	(void)state;
	bootstrap_init(&bootstrap, TAG);
	assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_SHELL);
	rest = BYTES_LITERAL(MARK " a aarch64\r\n");
	assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_READY);
	assert_string_equal(bootstrap.word, "aarch64");
	rest = BYTES_LITERAL("\0\0\0\1x");
	assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_STREAM);
	assert_int_equal(rest.len, 5);
}

static void failure_after_the_marker_is_read(void **state)
{
	struct bootstrap bootstrap;
	struct bytes rest = BYTES_LITERAL(MARK " a x86_64\n");

	(void)state;
	bootstrap_init(&bootstrap, TAG);
	assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_READY);
	rest = BYTES_LITERAL(MARK " e short\n");
	assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_FAILED);
	assert_string_equal(bootstrap.word, "short");
}

static void lines_that_are_none_of_ours_are_refused(void **state)
{
	static const char *const bad[] = {
		MARK "\n",
		MARK " a\n",
		MARK " a \n",
		MARK " x y\n",
		MARK " a x86 64\n",
		MARK " a x86;64\n",
		MARK " e $(id)\n",
		MARK " a aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bootstrap bootstrap;
		struct bytes rest = bytes_from_string(bad[i]);

		bootstrap_init(&bootstrap, TAG);
		assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_TOO_MUCH);
	}
}

static void noise_is_bounded(void **state)
{
	static uint8_t noise[2 * BOOTSTRAP_PREAMBLE_MAX];

	(void)state;
	for (int newlines = 0; newlines < 2; newlines++) {
		struct bootstrap bootstrap;
		struct bytes rest = {noise, sizeof(noise)};

		memset(noise, newlines ? '\n' : 'x', sizeof(noise));
		bootstrap_init(&bootstrap, TAG);
		assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_TOO_MUCH);
		assert_true(sizeof(noise) - rest.len <= BOOTSTRAP_PREAMBLE_MAX + 1024);
	}
}

static void another_sessions_marker_is_noise(void **state)
{
	struct bootstrap bootstrap;
	struct bytes rest = BYTES_LITERAL("MUSTER0123456789abcdeffedcba9876543211 a x86_64\n");

	(void)state;
	bootstrap_init(&bootstrap, TAG);
	assert_int_equal(bootstrap_feed(&bootstrap, &rest), BOOTSTRAP_MORE);
}

/* A probe that only says that it runs, and cleans up. */
#define PROBE                                             \
	"#!/bin/sh\nrm -rf \"${3%/*}\"\necho ran $5 $7\n" \
	"# padding padding padding padding padding padding padding padding padding padding\n"

static void write_file(const char *path, const char *text, struct bytes data)
{
	FILE *to = fopen(path, "wb");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fwrite(data.data, 1, data.len, to), data.len);
	assert_int_equal(fclose(to), 0);
}

/* What /bin/sh does with the command where it is given `head` and `data`. */
static void run_command(const char *head, struct bytes data, char *said, size_t room)
{
	char folder[] = "/tmp/muster-bootstrap-XXXXXX", command[BOOTSTRAP_COMMAND_MAX];
	char line[256], path[64];
	FILE *from;
	size_t len;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/in", folder);
	write_file(path, head, data);
	assert_true(bootstrap_command(TAG, BECOME_NONE, 4096, command, sizeof(command)) > 0);
	(void)snprintf(path, sizeof(path), "%s/command", folder);
	write_file(path, command, BYTES_LITERAL("\n"));
	(void)snprintf(line, sizeof(line), "cat %s/in | /bin/sh %s/command; rm -r %s", folder,
		       folder, folder);
	from = popen(line, "r"); // NOLINT(cert-env33-c): the shell is what is tested
	assert_non_null(from);
	len = fread(said, 1, room - 1, from);
	said[len] = '\0';
	(void)pclose(from);
}

static void a_probe_is_taken_as_it_is_and_packed(void **state)
{
	struct bytes plain = BYTES_LITERAL(PROBE);
	char head[64], said[256], ran[64];
	size_t packed_size = 0;
	uint8_t *packed = probe_pack(plain, &packed_size);

	(void)state;
	assert_non_null(packed);
	assert_true(packed_size < plain.len);
	(void)snprintf(ran, sizeof(ran), "\nran %zu abc\n", plain.len);
	(void)snprintf(head, sizeof(head), "%zu abc\n", plain.len);
	run_command(head, plain, said, sizeof(said));
	assert_non_null(strstr(said, MARK " z "));
	assert_non_null(strstr(said, ran));
	(void)snprintf(head, sizeof(head), "%zu abc %zu\n", plain.len, packed_size);
	run_command(head, bytes_make(packed, packed_size), said, sizeof(said));
	assert_non_null(strstr(said, ran));
	/* Cut short, and of another size. */
	(void)snprintf(head, sizeof(head), "%zu abc %zu\n", plain.len, packed_size / 2);
	run_command(head, bytes_make(packed, packed_size / 2), said, sizeof(said));
	assert_non_null(strstr(said, MARK " e short\n"));
	(void)snprintf(head, sizeof(head), "%zu abc %zu\n", plain.len + 1, packed_size);
	run_command(head, bytes_make(packed, packed_size), said, sizeof(said));
	assert_non_null(strstr(said, MARK " e short\n"));
	free(packed);
}

static void what_gains_nothing_is_not_packed(void **state)
{
	size_t size = 1;

	(void)state;
	assert_null(probe_pack(BYTES_LITERAL("x"), &size));
	assert_int_equal(size, 0);
}

static void a_host_says_whether_it_unpacks(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct bytes line = i == 0 ? BYTES_LITERAL(MARK " a x86_64\n")
					   : BYTES_LITERAL(MARK " z x86_64\n");
		struct bootstrap bootstrap;

		(void)state;
		bootstrap_init(&bootstrap, TAG);
		assert_int_equal(bootstrap_feed(&bootstrap, &line), BOOTSTRAP_READY);
		assert_string_equal(bootstrap.word, "x86_64");
		assert_true(bootstrap.unpacks == (i == 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_passes_every_shell),
		cmocka_unit_test(a_pinned_probe_stands_where_the_rule_says),
		cmocka_unit_test(marker_is_found_in_any_noise),
		cmocka_unit_test(stream_begins_at_the_first_byte_of_a_frame),
		cmocka_unit_test(failure_after_the_marker_is_read),
		cmocka_unit_test(lines_that_are_none_of_ours_are_refused),
		cmocka_unit_test(noise_is_bounded),
		cmocka_unit_test(another_sessions_marker_is_noise),
		cmocka_unit_test(a_host_says_whether_it_unpacks),
		cmocka_unit_test(a_probe_is_taken_as_it_is_and_packed),
		cmocka_unit_test(what_gains_nothing_is_not_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
