// SPDX-License-Identifier: MIT
/*
 * The digests against fixed answers, without a test library: what runs under an emulator of the
 * other architecture. The answers are of another implementation.
 */
#include <stdio.h>
#include <string.h>

#include "payloads/digest/md5.h"
#include "payloads/digest/sha256.h"

#define LENGTHS 600

static uint8_t data[LENGTHS];

/* SHA-256 over the SHA-256 of every length. */
static void chain_sha256(uint8_t digest[DIGEST_SIZE])
{
	struct sha256 all;

	sha256_init(&all);
	for (size_t len = 0; len < LENGTHS; len++) {
		struct sha256 hash;

		sha256_init(&hash);
		sha256_update(&hash, data, len / 3);
		sha256_update(&hash, data + len / 3, len - len / 3);
		sha256_final(&hash, digest);
		sha256_update(&all, digest, DIGEST_SIZE);
	}
	sha256_final(&all, digest);
}

static void chain_md5(uint8_t digest[MD5_SIZE])
{
	struct md5 all;

	md5_init(&all);
	for (size_t len = 0; len < LENGTHS; len++) {
		struct md5 hash;

		md5_init(&hash);
		md5_update(&hash, data, len / 3);
		md5_update(&hash, data + len / 3, len - len / 3);
		md5_final(&hash, digest);
		md5_update(&all, digest, MD5_SIZE);
	}
	md5_final(&all, digest);
}

static int check(const char *name, const uint8_t *digest, size_t len, const char *expected)
{
	char shown[2 * DIGEST_SIZE + 1] = "";

	for (size_t i = 0; i < len; i++) {
		(void)snprintf(shown + 2 * i, 3, "%02x", digest[i]);
	}
	printf("%s: %s\n", name, strcmp(shown, expected) == 0 ? "right" : shown);
	return strcmp(shown, expected) != 0;
}

int main(void)
{
	static const char *const names[] = {"sha256 portable", "sha256 avx2", "sha256 sha-ni",
					    "sha256 armv8"};
	uint8_t digest[DIGEST_SIZE];
	int wrong = 0;

	for (size_t i = 0; i < LENGTHS; i++) {
		data[i] = (uint8_t)(i * 167 + i / 7);
	}
	for (int i = SHA256_PORTABLE; i <= SHA256_ARMV8; i++) {
		if (sha256_force((enum sha256_implementation)i)) {
			chain_sha256(digest);
			wrong += check(
				names[i], digest, DIGEST_SIZE,
				"6ac0e21e7432646169ee6d89d9a98a95b89f7ab499538e22cf14f69375a92c85");
		}
	}
	chain_md5(digest);
	wrong += check("md5", digest, MD5_SIZE, "822ab9cd4e83c16d5b7def29aac1085a");
	return wrong != 0;
}
