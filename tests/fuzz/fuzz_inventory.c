// SPDX-License-Identifier: MIT
/* All formats: the first byte says which name it has. Every host that comes out has a valid name. */
#include <assert.h>

#include "controller/inventory/inventory.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inventory *inventory = NULL;
	struct nodeset *hosts = NULL;
	struct error err = {0};
	const char *groups[4];

	if (size == 0 || inventory_new(&inventory, &err) < 0) {
		return 0;
	}
	if (inventory_read_text(inventory,
				data[0] == 'y'   ? "/nowhere/i.yaml"
				: data[0] == 'i' ? "/nowhere/i.ini"
						 : "/nowhere/list",
				bytes_make(data + 1, size - 1), &err) == 0 &&
	    inventory_select(inventory, "@all", &hosts, &err) == 0) {
		assert(nodeset_count(hosts) == inventory_count(inventory));
		for (size_t i = 0; i < inventory_count(inventory) && i < 1000; i++) {
			const struct inventory_host *host = inventory_host(inventory, i);

			assert(nodeset_name_is_valid(host->name));
			assert(!host->vars.address || nodeset_name_is_valid(host->vars.address));
			(void)inventory_groups_of(inventory, host->name, groups, 4);
		}
	}
	nodeset_free(hosts);
	inventory_free(inventory);
	return 0;
}
