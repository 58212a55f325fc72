// SPDX-License-Identifier: MIT
#include <openssl/evp.h>

#include "controller/ssh/keys/privkey.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EVP_PKEY *key = NULL;
	struct error err;

	if (privkey_parse(bytes_make(data, size), "fuzz", &key, &err) == 0) {
		EVP_PKEY_free(key);
	}
	return 0;
}
