// SPDX-License-Identifier: MIT
#include "baselines/digests.h"

#include <stdlib.h>

#include <openssl/evp.h>

struct digests {
	EVP_MD_CTX *sha256;
	EVP_MD_CTX *md5;
};

static int failed(struct error *err)
{
	return error_set(err, ERROR_SYSTEM, 0, "OpenSSL computes no SHA-256 or MD5");
}

int digests_new(struct digests **digests, struct error *err)
{
	struct digests *made = calloc(1, sizeof(*made));

	if (made) {
		made->sha256 = EVP_MD_CTX_new();
		made->md5 = EVP_MD_CTX_new();
	}
	if (!made || !made->sha256 || !made->md5) {
		digests_free(made);
		return error_set(err, ERROR_NOMEM, 0, "no memory for a digest");
	}
	*digests = made;
	return 0;
}

void digests_free(struct digests *digests)
{
	if (digests) {
		EVP_MD_CTX_free(digests->sha256);
		EVP_MD_CTX_free(digests->md5);
		free(digests);
	}
}

int digests_begin(struct digests *digests, struct error *err)
{
	return EVP_DigestInit_ex(digests->sha256, EVP_sha256(), NULL) == 1 &&
			       EVP_DigestInit_ex(digests->md5, EVP_md5(), NULL) == 1
		       ? 0
		       : failed(err);
}

int digests_add(struct digests *digests, struct bytes data, struct error *err)
{
	return EVP_DigestUpdate(digests->sha256, data.data, data.len) == 1 &&
			       EVP_DigestUpdate(digests->md5, data.data, data.len) == 1
		       ? 0
		       : failed(err);
}

int digests_end(struct digests *digests, struct digest *sha256, uint8_t md5[MD5_SIZE],
		struct error *err)
{
	return EVP_DigestFinal_ex(digests->sha256, sha256->bytes, NULL) == 1 &&
			       EVP_DigestFinal_ex(digests->md5, md5, NULL) == 1
		       ? 0
		       : failed(err);
}
