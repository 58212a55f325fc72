// SPDX-License-Identifier: MIT
#include "controller/judge/observation.h"

const struct observed_section *observation_find(const struct observation *o, struct bytes key)
{
	size_t low = 0, high = o->section_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(o->sections[middle].key, key);

		if (order == 0) {
			return &o->sections[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}
