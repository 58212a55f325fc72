// SPDX-License-Identifier: MIT
/* Whatever a file says, numbers stay in their ranges. */
#include <assert.h>

#include "controller/config/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct error err = {0};

	if (config_new(&config, &err) < 0) {
		return 0;
	}
	(void)!config_read_text(config, "dir/fuzz.yaml", bytes_make(data, size), &err);
	assert(config_number(config, CONFIG_PORT) <= 65535);
	assert(config_number(config, CONFIG_PARALLEL) <= 10000);
	assert(config_number(config, CONFIG_FAIL_ON) <= CONFIG_FAIL_NEVER);
	for (int key = 0; key < CONFIG_KEYS; key++) {
		assert(config_origin(config, (enum config_key)key));
	}
	config_free(config);
	return 0;
}
