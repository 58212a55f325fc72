// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "payloads/digest/md5.h"
#include "payloads/digest/sha256.h"

#define LENGTHS 1025

static uint8_t data[LENGTHS];
static uint64_t seed = 1;

static size_t random_below(size_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(seed >> 33) % n;
}

static void hex(const uint8_t *from, size_t len, char *to)
{
	for (size_t i = 0; i < len; i++) {
		(void)snprintf(to + 2 * i, 3, "%02x", from[i]);
	}
}

static void openssl_digest(const EVP_MD *md, size_t len, uint8_t *to)
{
	unsigned size = 0;

	assert_int_equal(EVP_Digest(data, len, to, &size, md, NULL), 1);
}

static void sha256_in_chunks(size_t len, uint8_t digest[DIGEST_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	for (size_t at = 0; at < len;) {
		size_t take = 1 + random_below(len - at);

		sha256_update(&hash, data + at, take);
		at += take;
	}
	sha256_final(&hash, digest);
}

static void check_all_lengths(enum sha256_implementation implementation)
{
	if (!sha256_force(implementation)) {
		print_message("SKIP: this CPU or build has not implementation %d\n",
			      (int)implementation);
		skip();
	}
	assert_int_equal(sha256_implementation(), implementation);
	for (size_t len = 0; len < LENGTHS; len++) {
		uint8_t want[EVP_MAX_MD_SIZE];
		uint8_t got[DIGEST_SIZE];
		struct sha256 hash;

		openssl_digest(EVP_sha256(), len, want);
		sha256_init(&hash);
		sha256_update(&hash, data, len);
		sha256_final(&hash, got);
		assert_memory_equal(got, want, DIGEST_SIZE);
		for (int i = 0; i < 4; i++) {
			sha256_in_chunks(len, got);
			assert_memory_equal(got, want, DIGEST_SIZE);
		}
	}
}

static void portable_equals_openssl(void **state)
{
	(void)state;
	check_all_lengths(SHA256_PORTABLE);
}

static void avx2_equals_openssl(void **state)
{
	(void)state;
	check_all_lengths(SHA256_AVX2);
}

static void sha_ni_equals_openssl(void **state)
{
	(void)state;
	check_all_lengths(SHA256_SHA_NI);
}

static void armv8_equals_openssl(void **state)
{
	(void)state;
	check_all_lengths(SHA256_ARMV8);
}

/* FIPS 180-4 examples, and the million times "a" of NIST's SHA-256 example set. */
static void nist_vectors_hold_in_each_implementation(void **state)
{
	static const struct {
		const char *text;
		const char *digest;
	} vectors[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char text[2 * DIGEST_SIZE + 1];

	(void)state;
	for (int i = SHA256_PORTABLE; i <= SHA256_ARMV8; i++) {
		struct sha256 hash;
		uint8_t digest[DIGEST_SIZE];
		uint8_t as[1000];

		if (!sha256_force((enum sha256_implementation)i)) {
			continue;
		}
		for (size_t j = 0; j < sizeof(vectors) / sizeof(vectors[0]); j++) {
			sha256_init(&hash);
			sha256_update(&hash, vectors[j].text, strlen(vectors[j].text));
			sha256_final(&hash, digest);
			hex(digest, DIGEST_SIZE, text);
			assert_string_equal(text, vectors[j].digest);
		}
		memset(as, 'a', sizeof(as));
		sha256_init(&hash);
		for (int j = 0; j < 1000; j++) {
			sha256_update(&hash, as, sizeof(as));
		}
		sha256_final(&hash, digest);
		hex(digest, DIGEST_SIZE, text);
		assert_string_equal(
			text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
}

static void two_hashed_at_once_are_as_each_alone(void **state)
{
	const enum sha256_implementation all[] = {SHA256_PORTABLE, SHA256_AVX2, SHA256_SHA_NI,
						  SHA256_ARMV8};
	const size_t most = LENGTHS / SHA256_BLOCK;
	unsigned done = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!sha256_force(all[i])) {
			continue;
		}
		done++;
		for (size_t count = 0; count < most; count++) {
			uint8_t expected[DIGEST_SIZE];
			uint8_t got[DIGEST_SIZE];
			struct sha256 a;
			struct sha256 b;

			/* One of them has a block behind it, and both a part of one after them. */
			sha256_init(&a);
			sha256_init(&b);
			sha256_update(&b, data, SHA256_BLOCK);
			sha256_update_pair(&a, data, &b, data + SHA256_BLOCK, count);
			sha256_update(&a, data + count * SHA256_BLOCK, 13);
			sha256_update(&b, data + (count + 1) * SHA256_BLOCK, 1);
			openssl_digest(EVP_sha256(), count * SHA256_BLOCK + 13, expected);
			sha256_final(&a, got);
			assert_memory_equal(got, expected, DIGEST_SIZE);
			openssl_digest(EVP_sha256(), (count + 1) * SHA256_BLOCK + 1, expected);
			sha256_final(&b, got);
			assert_memory_equal(got, expected, DIGEST_SIZE);
		}
	}
	assert_true(done > 0);
}

static void md5_equals_openssl(void **state)
{
	(void)state;
	for (size_t len = 0; len < LENGTHS; len++) {
		uint8_t want[EVP_MAX_MD_SIZE];
		uint8_t got[MD5_SIZE];

		openssl_digest(EVP_md5(), len, want);
		for (int i = 0; i < 4; i++) {
			struct md5 hash;

			md5_init(&hash);
			for (size_t at = 0; at < len;) {
				size_t take = i == 0 ? len : 1 + random_below(len - at);

				md5_update(&hash, data + at, take);
				at += take;
			}
			md5_final(&hash, got);
			assert_memory_equal(got, want, MD5_SIZE);
		}
	}
}

static int fill(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTHS; i++) {
		data[i] = (uint8_t)random_below(256);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(portable_equals_openssl),
		cmocka_unit_test(avx2_equals_openssl),
		cmocka_unit_test(sha_ni_equals_openssl),
		cmocka_unit_test(armv8_equals_openssl),
		cmocka_unit_test(nist_vectors_hold_in_each_implementation),
		cmocka_unit_test(two_hashed_at_once_are_as_each_alone),
		cmocka_unit_test(md5_equals_openssl),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
