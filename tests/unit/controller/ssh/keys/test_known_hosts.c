// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/ssh/keys/known_hosts.h"

/* Two ed25519 keys, their bytes of no meaning. */
#define KEY_A "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"

static struct known_hosts *parse(const char *text)
{
	struct known_hosts *known = NULL;
	struct error err = {0};

	assert_int_equal(known_hosts_new(&known, &err), 0);
	assert_int_equal(known_hosts_parse(known, bytes_from_string(text), "FILE", &err), 0);
	return known;
}

static void names_match_as_in_openssh(void **state)
{
	static const struct {
		const char *names;
		const char *host;
		uint16_t port;
		size_t found;
	} rows[] = {
		{"web1", "web1", 0, 1},
		{"web1", "web1", 22, 1},
		{"web1", "WEB1", 22, 1},
		{"Web1", "web1", 22, 1},
		{"web1", "web10", 22, 0},
		{"web1", "web1", 2222, 0},
		{"[web1]:2222", "web1", 2222, 1},
		{"[web1]:2222", "web1", 22, 0},
		{"web1,web2,10.0.0.1", "web2", 0, 1},
		{"web1,web2,10.0.0.1", "10.0.0.1", 0, 1},
		{"web1,,web2", "web2", 0, 1},
		{"web*", "web10", 0, 1},
		{"web?", "web1", 0, 1},
		{"web?", "web10", 0, 0},
		{"*.example.com,!db.example.com", "web.example.com", 0, 1},
		{"*.example.com,!db.example.com", "db.example.com", 0, 0},
		{"!db.example.com,*.example.com", "db.example.com", 0, 0},
		{"!db.example.com", "web.example.com", 0, 0},
		{"*", "anything", 0, 1},
		{"*a*b*c", "xxaxxbxxc", 0, 1},
		{"*a*b*c", "xxaxxcxxb", 0, 0},
		{"[*]:2222", "web1", 2222, 1},
		{"::1", "::1", 22, 1},
		{"[::1]:2222", "::1", 2222, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct known_host found[4];
		struct known_hosts *known;
		const char *first;
		char line[256];

		(void)snprintf(line, sizeof(line), "%s " KEY_A "\n", rows[i].names);
		known = parse(line);
		if (known_hosts_find(known, rows[i].host, rows[i].port, found, 4) !=
		    rows[i].found) {
			print_error("%s against %s:%u\n", rows[i].names, rows[i].host,
				    rows[i].port);
			fail();
		}
		assert_int_equal(known_hosts_bad_lines(known, &first), 0);
		known_hosts_free(known);
	}
}

static void lines_keep_file_and_number(void **state)
{
	struct known_hosts *known = parse("# comment\n\nweb1 " KEY_A " a comment\n"
					  "  \t\n@revoked web1 " KEY_B "\r\n"
					  "@cert-authority *.com,web1 " KEY_B "\nweb1 " KEY_B);
	struct known_host found[8];
	const char *first;

	(void)state;
	assert_int_equal(known_hosts_find(known, "web1", 22, found, 8), 4);
	assert_int_equal(found[0].kind, KNOWN_KEY);
	assert_int_equal(found[0].line, 3);
	assert_string_equal(found[0].file, "FILE");
	assert_int_equal(found[0].blob.len, 51);
	assert_int_equal(found[1].kind, KNOWN_REVOKED);
	assert_int_equal(found[1].line, 5);
	assert_int_equal(found[2].kind, KNOWN_AUTHORITY);
	assert_int_equal(found[2].line, 6);
	assert_int_equal(found[3].kind, KNOWN_KEY);
	assert_int_equal(found[3].line, 7);
	assert_int_equal(known_hosts_bad_lines(known, &first), 0);
	assert_int_equal(known_hosts_find(known, "web1", 22, found, 2), 2);
	known_hosts_free(known);
}

static void bad_lines_are_counted_and_skipped(void **state)
{
	static const char *const bad[] = {
		"web1",
		"web1 ssh-ed25519",
		"web1 ssh-ed25519 !!!!",
		"web1 ssh-ed25519 AAAA",
		"web1 ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"@unknown web1 " KEY_A,
		"@revoked",
		"|1|AAAA|AAAA " KEY_A,
		"|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA= " KEY_A,
		"|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|MTIzNDU2 " KEY_A,
		"|2|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA= " KEY_A,
		"1024 65537 1234567890",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct known_host found[4];
		struct known_hosts *known;
		const char *first;
		char text[512];

		(void)snprintf(text, sizeof(text), "%s\nweb1 " KEY_A "\n", bad[i]);
		known = parse(text);
		assert_int_equal(known_hosts_bad_lines(known, &first), 1);
		assert_string_equal(first, "FILE:1");
		assert_int_equal(known_hosts_find(known, "web1", 22, found, 4), 1);
		assert_int_equal(found[0].line, 2);
		known_hosts_free(known);
	}
}

static void truncation_at_each_byte_is_safe(void **state)
{
	static const char text[] =
		"@revoked *.a,!b.a " KEY_A " c\n"
		"|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA= " KEY_B "\n";
	struct known_host found[4];

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		uint8_t *copy = malloc(cut + 1);
		struct known_hosts *known = NULL;
		struct error err = {0};

		assert_non_null(copy);
		memcpy(copy, text, cut);
		assert_int_equal(known_hosts_new(&known, &err), 0);
		assert_int_equal(known_hosts_parse(known, bytes_make(copy, cut), "cut", &err), 0);
		free(copy);
		(void)known_hosts_find(known, "x.a", 22, found, 4);
		known_hosts_free(known);
	}
}

static void hashes_of_ssh_keygen_are_found(void **state)
{
	char path[] = "/tmp/muster-known.XXXXXX", command[256];
	struct known_hosts *known = NULL;
	struct known_host found[4];
	struct error err = {0};
	int fd = mkstemp(path);
	FILE *file;

	(void)state;
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	(void)fprintf(file, "web1,10.0.0.1 " KEY_A "\n[web2]:2222 " KEY_B "\nweb1 " KEY_B "\n");
	assert_int_equal(fclose(file), 0);
	(void)snprintf(command, sizeof(command),
		       "ssh-keygen -q -H -f %s >/dev/null 2>&1 && rm -f %s.old", path, path);
	if (system(command) != 0) { // NOLINT(cert-env33-c): a fixed command on a file of ours
		(void)unlink(path);
		print_message("SKIPPED: no ssh-keygen\n");
		skip();
	}
	assert_int_equal(known_hosts_new(&known, &err), 0);
	assert_int_equal(known_hosts_load(known, path, true, &err), 0);
	(void)unlink(path);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(known_hosts_find(known, "WEB1", 22, found, 4), 2);
		assert_int_equal(known_hosts_find(known, "10.0.0.1", 22, found, 4), 1);
		assert_int_equal(known_hosts_find(known, "web2", 2222, found, 4), 1);
		assert_int_equal(known_hosts_find(known, "web2", 22, found, 4), 0);
	}
	known_hosts_free(known);
}

static void missing_file_matters_only_if_required(void **state)
{
	struct known_hosts *known = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(known_hosts_new(&known, &err), 0);
	assert_int_equal(known_hosts_load(known, "/nonexistent/known_hosts", false, &err), 0);
	assert_int_equal(known_hosts_load(known, "/dev/null", true, &err), 0);
	assert_int_equal(known_hosts_load(known, "/nonexistent/known_hosts", true, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	known_hosts_free(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_match_as_in_openssh),
		cmocka_unit_test(lines_keep_file_and_number),
		cmocka_unit_test(bad_lines_are_counted_and_skipped),
		cmocka_unit_test(truncation_at_each_byte_is_safe),
		cmocka_unit_test(hashes_of_ssh_keygen_are_found),
		cmocka_unit_test(missing_file_matters_only_if_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
