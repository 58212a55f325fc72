// SPDX-License-Identifier: MIT
#include <assert.h>

#include "baselines/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy = NULL;
	struct error err = {0};

	if (policy_parse("fuzz", bytes_make(data, size), &policy, &err) < 0) {
		assert(err.kind == ERROR_CONFIG && err.msg[0] != '\0');
		return 0;
	}
	assert(policy->generated.count == policy->generated_reasons.count);
	for (size_t i = 0; i < policy->roots.count; i++) {
		assert(policy->roots.item[i][0] == '/');
	}
	policy_free(policy);
	return 0;
}
