// SPDX-License-Identifier: MIT
/* A [header] section as a host sends it, up to the packets that gpgv would be given. */
#include <assert.h>

#include "baselines/rpm/signature.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpm_signatures signatures;
	struct rpm_section section;
	struct error err = {0};

	if (rpm_section_read(bytes_make(data, size), &section, &err) < 0) {
		assert(err.kind == ERROR_PEER);
		return 0;
	}
	assert(rpm_signatures_read(&section, &signatures, &err) == 0);
	assert(signatures.count <= RPM_SIGNATURES_MAX);
	for (size_t i = 0; i < signatures.count; i++) {
		const struct rpm_signature *s = &signatures.item[i];
		struct bytes rest = s->packet;
		struct openpgp_packet packet;

		/* One packet, a signature over binary data, and nothing else. */
		assert(openpgp_next(&rest, &packet) == 1 && rest.len == 0);
		assert(packet.tag == OPENPGP_SIGNATURE && s->info.type == 0);
	}
	rpm_signatures_clear(&signatures);
	rpm_section_clear(&section);
	return 0;
}
