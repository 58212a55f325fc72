// SPDX-License-Identifier: MIT
#include "controller/ssh/keys/authreq.h"
#include "controller/ssh/keys/pubkey.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char fingerprint[PUBKEY_FINGERPRINT_SIZE];
	struct authreq request;

	if (authreq_read(bytes_make(data, size), &request)) {
		pubkey_fingerprint(request.blob, fingerprint);
		(void)pubkey_is_certificate(request.blob);
		(void)pubkey_verify(request.blob, request.user, request.session_id);
	}
	return 0;
}
