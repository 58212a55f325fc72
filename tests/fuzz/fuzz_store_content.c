// SPDX-License-Identifier: MIT
/*
 * What the store decodes of a host's own making: the two contents of a section that a diff compares
 * (a byte for the kind, two for the first one's length), and os-release in the section of facts.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/store/diff_items.h"
#include "controller/store/inner.h"
#include "tests/fuzz/fuzz.h"

static void check(bool fine)
{
	if (!fine) {
		abort();
	}
}

static bool is_plain(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] > 0x7e) {
			return false;
		}
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diff_items items = {0}, same = {0};
	struct bytes old_content, new_content;
	struct error err = {0};
	enum section_kind kind;
	char os[512];
	size_t len;

	if (size < 3) {
		return 0;
	}
	kind = (enum section_kind)(data[0] % SECTION_KINDS);
	len = ((size_t)data[1] << 8 | data[2]) % (size - 2);
	old_content = bytes_make(data + 3, len);
	new_content = bytes_make(data + 3 + len, size - 3 - len);

	check(diff_items_make(kind, old_content, new_content, &items, &err) == 0);
	for (size_t i = 0; i < items.count; i++) {
		/* What is shown as it stands is plain. */
		check(is_plain(items.item[i].old_value) && is_plain(items.item[i].new_value));
	}
	check(diff_items_make(kind, new_content, new_content, &same, &err) == 0);
	check(same.count == 0 || kind == SECTION_HEADER || same.item[0].subject.len == 0);
	os_release_name(old_content, os, sizeof(os));
	check(strlen(os) < sizeof(os));
	diff_items_clear(&items);
	diff_items_clear(&same);
	return 0;
}
