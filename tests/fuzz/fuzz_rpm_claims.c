// SPDX-License-Identifier: MIT
/*
 * What a host says beside a signed header: [claims, rpm, ...] and the names of [host]. The first byte
 * says which; whatever it is, judging a file by it stays within its bytes.
 */
#include <assert.h>
#include <sys/stat.h>

#include "controller/judge/rpm_claims.h"
#include "controller/judge/rpm_verify.h"
#include "tests/fuzz/fuzz.h"

static void check_claims(struct bytes content)
{
	struct rpm_claims claims;
	struct error err = {0};

	if (rpm_claims_read(content, &claims, &err) < 0) {
		assert(err.kind == ERROR_PEER && err.msg[0] != '\0');
		return;
	}
	for (size_t i = 0; i <= claims.count; i++) {
		enum rpm_state state = rpm_claims_state(&claims, i);

		assert(state >= RPM_STATE_NONE && state <= RPM_STATE_WRONG_COLOR);
	}
	rpm_claims_clear(&claims);
}

static void check_names(struct bytes content)
{
	const struct rpm_header header = {.digest_algorithm = RPM_DIGEST_SHA256};
	const struct entry now = {.path = BYTES_LITERAL("/x"),
				  .type = ENTRY_DIR,
				  .owner = BYTES_LITERAL("daemon"),
				  .group = BYTES_LITERAL("#7")};
	const struct rpm_file file = {.path = now.path,
				      .mode = S_IFDIR,
				      .user = BYTES_LITERAL("bin"),
				      .group = BYTES_LITERAL("mail"),
				      .verify = 0xffffffff};
	struct rpm_verify_input input = {.header = &header, .file = &file, .now = &now};
	struct rpm_verify_result result;
	struct rpm_names names;
	char line[64];

	rpm_names_read(content, &names);
	input.names = &names;
	rpm_verify(&input, &result);
	assert(rpm_verify_line(&input, &result, line, sizeof(line)) < sizeof(line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] % 2 == 0) {
		check_claims(bytes_make(data + 1, size - 1));
	} else if (size > 0) {
		check_names(bytes_make(data + 1, size - 1));
	}
	return 0;
}
