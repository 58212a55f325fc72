// SPDX-License-Identifier: MIT
#include <assert.h>

#include "controller/ssh/keys/pubkey.h"
#include "controller/ssh/session/exchange.h"
#include "tests/fuzz/fuzz.h"

static void inside(struct bytes part, const uint8_t *data, size_t size)
{
	assert(part.len == 0 || (part.data >= data && part.data + part.len <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[EXCHANGE_LISTS] = {"curve25519-sha256,ext-info-c",
							  "ssh-ed25519",
							  "aes256-ctr",
							  "aes256-ctr",
							  "hmac-sha2-256",
							  "hmac-sha2-256"};
	struct bytes ours[EXCHANGE_LISTS];
	struct exchange exchange;
	char printed[64];

	for (int i = 0; i < EXCHANGE_LISTS; i++) {
		ours[i] = bytes_from_string(names[i]);
	}

	exchange_read(bytes_make(data, size), &exchange);
	inside(exchange.banner, data, size);
	inside(exchange.hostkey, data, size);
	inside(exchange.signature, data, size);
	for (int i = 0; i < EXCHANGE_LISTS; i++) {
		inside(exchange.list[i], data, size);
		(void)exchange_has_common(BYTES_LITERAL("ssh-ed25519,aes256-ctr"),
					  exchange.list[i]);
	}
	for (enum exchange_list i = exchange_failed_list(ours, exchange.list); i < EXCHANGE_LISTS;
	     i++) {
		for (const char *c = exchange_print(exchange.list[i], printed, sizeof(printed)); *c;
		     c++) {
			/* As escape_text leaves it: printable UTF-8 stays. */
			assert((uint8_t)*c >= ' ' && *c != 0x7f);
		}
	}
	if (exchange.hostkey.len > 0) {
		/* What comes out goes into the parent's check. */
		(void)pubkey_verify(exchange.hostkey, exchange.signature,
				    BYTES_LITERAL("0123456789abcdef0123456789abcdef"));
	}
	return 0;
}
