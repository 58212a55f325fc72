// SPDX-License-Identifier: MIT
/* OpenPGP packets, base64, and what gpgv says: the first byte chooses. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "baselines/signature/base64.h"
#include "baselines/signature/gpgv_batch.h"
#include "tests/fuzz/fuzz.h"

static void read_packets(struct bytes data)
{
	char fingerprint[OPENPGP_FINGERPRINT_SIZE];
	uint8_t id[OPENPGP_ID_SIZE];
	struct openpgp_signature signature;
	struct openpgp_packet packet;
	struct bytes rest = data;

	while (openpgp_next(&rest, &packet) > 0) {
		assert(packet.body.len <= packet.whole.len);
		if (openpgp_key_read(&packet, fingerprint, id)) {
			assert(strlen(fingerprint) == 40 || strlen(fingerprint) == 64);
		}
		(void)openpgp_signature_read(packet.whole, &signature);
	}
	if (openpgp_signature_read(data, &signature)) {
		assert(signature.version >= 3 && signature.version <= 6);
	}
}

static void read_base64(struct bytes data)
{
	uint8_t *to = malloc(data.len + 1);
	long len = to ? base64_decode(data, to) : 0;

	assert(len <= (long)(data.len / 4 * 3 + 3));
	free(to);
}

static void read_status(struct bytes data)
{
	char *text = malloc(data.len + 1);
	struct gpgv_check check;

	if (text) {
		memcpy(text, data.data, data.len);
		text[data.len] = '\0';
		gpgv_batch_parse(text, &check);
		assert(check.state != GPGV_GOOD || (check.fingerprint[0] && check.signer[0]));
		assert(check.state != GPGV_GOOD || strstr(text, "[GNUPG:] VALIDSIG "));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest;

	if (size < 1) {
		return 0;
	}
	rest = bytes_make(data + 1, size - 1);
	switch (data[0]) {
	case 'p':
		read_packets(rest);
		break;
	case 'b':
		read_base64(rest);
		break;
	default:
		read_status(rest);
		break;
	}
	return 0;
}
