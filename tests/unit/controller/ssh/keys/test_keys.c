// SPDX-License-Identifier: MIT
/* Keys as ssh-keygen makes them: read, signed with, verified; and what may be signed at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <cmocka.h>

#include "controller/ssh/keys/authreq.h"
#include "controller/ssh/keys/keys.h"
#include "controller/ssh/keys/privkey.h"
#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/wire.h"

static char folder[] = "/tmp/muster-keys.XXXXXX";

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command) == 0; // NOLINT(cert-env33-c): fixed commands on files of ours
}

static const char *file(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const struct {
	const char *name;
	const char *options; /* of ssh-keygen */
	const char *algorithms[3];
} kinds[] = {
	{"ed25519", "-t ed25519", {"ssh-ed25519"}},
	{"p256", "-t ecdsa -b 256", {"ecdsa-sha2-nistp256"}},
	{"p384", "-t ecdsa -b 384", {"ecdsa-sha2-nistp384"}},
	{"p521", "-t ecdsa -b 521", {"ecdsa-sha2-nistp521"}},
	{"rsa", "-t rsa -b 2048", {"rsa-sha2-256", "rsa-sha2-512"}},
	{"rsa_pem", "-t rsa -b 2048 -m PEM", {"rsa-sha2-256", "rsa-sha2-512"}},
	{"p256_pem", "-t ecdsa -b 256 -m PEM", {"ecdsa-sha2-nistp256"}},
	{"p384_pkcs8", "-t ecdsa -b 384 -m PKCS8", {"ecdsa-sha2-nistp384"}},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int make_keys(void **state)
{
	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	for (size_t i = 0; i < KINDS; i++) {
		if (!run("ssh-keygen -q -N '' %s -f %s/%s </dev/null", kinds[i].options, folder,
			 kinds[i].name)) {
			return -1;
		}
	}
	return run("ssh-keygen -q -N secret -t ed25519 -f %s/locked", folder) &&
			       run("ssh-keygen -q -N secret -t rsa -m PEM -f %s/locked_pem",
				   folder) &&
			       run("ssh-keygen -q -s %s/ed25519 -I x -n x %s/rsa.pub", folder,
				   folder)
		       ? 0
		       : -1;
}

static int remove_keys(void **state)
{
	(void)state;
	return run("rm -rf %s", folder) ? 0 : -1;
}

/* The blob of NAME.pub as ssh-keygen wrote it. */
static size_t public_blob(const char *name, uint8_t *to, size_t room)
{
	char path[256], line[4096], *word;
	FILE *in;
	int len;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	(void)fclose(in);
	word = strchr(line, ' ') + 1;
	*strchr(word, ' ') = '\0';
	assert_true(strlen(word) / 4 * 3 <= room);
	len = EVP_DecodeBlock(to, (unsigned char *)word, (int)strlen(word));
	assert_true(len > 0);
	while (*word && word[strlen(word) - 1] == '=') {
		word[strlen(word) - 1] = '\0';
		len--;
	}
	return (size_t)len;
}

static size_t sign(EVP_PKEY *key, const char *algorithm, struct bytes data, uint8_t *to,
		   size_t room)
{
	struct wire_writer w = {.data = to, .room = room};
	struct error err = {0};
	uint8_t *value = NULL;
	size_t len = 0;

	assert_int_equal(privkey_sign(key, bytes_from_string(algorithm), data, &value, &len, &err),
			 0);
	wire_write_string(&w, bytes_from_string(algorithm));
	wire_write_string(&w, bytes_make(value, len));
	free(value);
	assert_false(w.overflow);
	return w.len;
}

static void key_of_each_kind_signs_and_verifies(void **state)
{
	struct bytes data = BYTES_LITERAL("what is signed");

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		EVP_PKEY *key = NULL;
		struct error err = {0};
		uint8_t *blob = NULL, expected[4096], signature[4096];
		size_t len = 0, expected_len;
		char name[64];

		assert_int_equal(privkey_load(file(kinds[i].name), &key, &err), 0);
		assert_int_equal(pubkey_blob(key, &blob, &len, &err), 0);
		(void)snprintf(name, sizeof(name), "%s.pub", kinds[i].name);
		expected_len = public_blob(name, expected, sizeof(expected));
		assert_int_equal(len, expected_len);
		assert_memory_equal(blob, expected, len);
		for (size_t j = 0; kinds[i].algorithms[j]; j++) {
			size_t n = sign(key, kinds[i].algorithms[j], data, signature,
					sizeof(signature));

			assert_true(pubkey_verify(bytes_make(blob, len), bytes_make(signature, n),
						  data));
			assert_false(pubkey_verify(bytes_make(blob, len), bytes_make(signature, n),
						   BYTES_LITERAL("something else")));
			for (size_t cut = 0; cut < n; cut += 3) {
				assert_false(pubkey_verify(bytes_make(blob, len),
							   bytes_make(signature, cut), data));
			}
			signature[n - 1] ^= 1;
			assert_false(pubkey_verify(bytes_make(blob, len), bytes_make(signature, n),
						   data));
		}
		free(blob);
		EVP_PKEY_free(key);
	}
}

static void sha1_and_foreign_algorithms_are_refused(void **state)
{
	static const char *const bad[] = {"ssh-rsa", "", "ssh-dss", "ssh-ed25519",
					  "ecdsa-sha2-nistp256"};
	EVP_PKEY *key = NULL;
	struct error err = {0};
	uint8_t *value = NULL;
	size_t len;

	(void)state;
	assert_int_equal(privkey_load(file("rsa"), &key, &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(privkey_sign(key, bytes_from_string(bad[i]), BYTES_LITERAL("x"),
					      &value, &len, &err),
				 -1);
	}
	EVP_PKEY_free(key);
}

static void unusable_files_say_why(void **state)
{
	EVP_PKEY *key = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(privkey_load(file("locked"), &key, &err), -1);
	assert_non_null(strstr(err.msg, "ssh-add"));
	assert_int_equal(privkey_load(file("locked_pem"), &key, &err), -1);
	assert_non_null(strstr(err.msg, "ssh-add"));
	assert_int_equal(privkey_load(file("rsa.pub"), &key, &err), -1);
	assert_int_equal(privkey_load(file("absent"), &key, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_int_equal(chmod(file("p521"), 0644), 0);
	assert_int_equal(privkey_load(file("p521"), &key, &err), -1);
	assert_non_null(strstr(err.msg, "chmod 600"));
	assert_int_equal(chmod(file("p521"), 0600), 0);
}

static void damaged_key_is_refused(void **state)
{
	static const char *const names[] = {"ed25519", "p256", "rsa", "rsa_pem"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[8192];
		FILE *in = fopen(file(names[i]), "r");
		size_t len;

		assert_non_null(in);
		len = fread(text, 1, sizeof(text), in);
		(void)fclose(in);
		for (size_t cut = 0; cut + 40 < len; cut += 7) {
			char *copy = malloc(cut + 1);
			EVP_PKEY *key = NULL;
			struct error err = {0};

			assert_non_null(copy);
			memcpy(copy, text, cut);
			assert_int_equal(privkey_parse(bytes_make(copy, cut), "cut", &key, &err),
					 -1);
			free(copy);
		}
	}
}

static void certificate_is_offered_before_its_key(void **state)
{
	struct error err = {0};
	struct keys *keys = NULL;
	size_t first = 9, count = 0;

	(void)state;
	assert_int_equal(keys_new(NULL, &keys, &err), 0);
	assert_int_equal(keys_add_file(keys, file("ed25519"), &first, &count, &err), 0);
	assert_int_equal(first, 0);
	assert_int_equal(count, 1);
	assert_int_equal(keys_add_file(keys, file("rsa"), &first, &count, &err), 0);
	assert_int_equal(first, 1);
	assert_int_equal(count, 2);
	assert_int_equal(keys_count(keys), 3);
	assert_true(pubkey_is_certificate(keys_blob(keys, 1)));
	assert_false(pubkey_is_certificate(keys_blob(keys, 2)));
	/* Again: nothing new. */
	assert_int_equal(keys_add_file(keys, file("ed25519"), &first, &count, &err), 0);
	assert_int_equal(first, 0);
	assert_int_equal(count, 1);
	assert_int_equal(keys_count(keys), 3);
	assert_int_equal(keys_find(keys, keys_blob(keys, 2)), 2);
	assert_int_equal(keys_find(keys, BYTES_LITERAL("x")), 3);
	keys_free(keys);
}

static size_t request(uint8_t *to, size_t room, size_t id_len, const char *algorithm)
{
	struct wire_writer w = {.data = to, .room = room};
	uint8_t id[64] = {1};

	wire_write_string(&w, bytes_make(id, id_len));
	wire_write_byte(&w, 50);
	wire_write_string(&w, BYTES_LITERAL("root"));
	wire_write_string(&w, BYTES_LITERAL("ssh-connection"));
	wire_write_string(&w, BYTES_LITERAL("publickey"));
	wire_write_byte(&w, 1);
	wire_write_string(&w, bytes_from_string(algorithm));
	wire_write_string(&w, BYTES_LITERAL("the blob"));
	return w.len;
}

static void only_a_login_request_is_one(void **state)
{
	struct authreq parsed;
	uint8_t data[512];
	size_t len = request(data, sizeof(data), 32, "rsa-sha2-512-cert-v01@openssh.com");

	(void)state;
	assert_true(authreq_read(bytes_make(data, len), &parsed));
	assert_int_equal(parsed.session_id.len, 32);
	assert_true(bytes_equal_string(parsed.user, "root"));
	assert_true(bytes_equal_string(parsed.algorithm, "rsa-sha2-512"));
	assert_true(bytes_equal_string(parsed.blob, "the blob"));
	for (size_t cut = 0; cut < len; cut++) {
		assert_false(authreq_read(bytes_make(data, cut), &parsed));
	}
	assert_false(authreq_read(bytes_make(data, len + 1), &parsed));
	len = request(data, sizeof(data), 20, "ssh-ed25519");
	assert_false(authreq_read(bytes_make(data, len), &parsed));
	len = request(data, sizeof(data), 64, "ssh-ed25519");
	assert_true(authreq_read(bytes_make(data, len), &parsed));
	/* Each byte that is fixed by the format is looked at. */
	for (size_t i = 0; i < len; i++) {
		bool free_text = (i >= 4 && i < 68) ||            /* session id */
				 (i >= 73 && i < 77) ||           /* user */
				 (i >= len - 8) ||                /* blob */
				 (i >= len - 23 && i < len - 12); /* algorithm */

		if (!free_text) {
			data[i] ^= 1;
			assert_false(authreq_read(bytes_make(data, len), &parsed));
			data[i] ^= 1;
		}
	}
}

static void fingerprint_is_as_openssh_shows_it(void **state)
{
	char command[256], shown[256], ours[PUBKEY_FINGERPRINT_SIZE];
	uint8_t blob[4096];
	size_t len = public_blob("p256.pub", blob, sizeof(blob));
	FILE *out;

	(void)state;
	(void)snprintf(command, sizeof(command), "ssh-keygen -l -f %s", file("p256.pub"));
	out = popen(command, "r"); // NOLINT(cert-env33-c): a fixed command on a file of ours
	assert_non_null(out);
	assert_non_null(fgets(shown, sizeof(shown), out));
	(void)pclose(out);
	pubkey_fingerprint(bytes_make(blob, len), ours);
	assert_non_null(strstr(shown, ours));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_of_each_kind_signs_and_verifies),
		cmocka_unit_test(sha1_and_foreign_algorithms_are_refused),
		cmocka_unit_test(unusable_files_say_why),
		cmocka_unit_test(damaged_key_is_refused),
		cmocka_unit_test(certificate_is_offered_before_its_key),
		cmocka_unit_test(only_a_login_request_is_one),
		cmocka_unit_test(fingerprint_is_as_openssh_shows_it),
	};

	if (system("command -v ssh-keygen >/dev/null") != 0) { // NOLINT(cert-env33-c)
		(void)printf("SKIPPED: no ssh-keygen\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
