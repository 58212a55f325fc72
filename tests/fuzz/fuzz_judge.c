// SPDX-License-Identifier: MIT
/*
 * Hostile section bytes, given to the judge of an otherwise honest host. The input is a list of
 * parts: a byte that says which section (the highest bit: of the first sight), a byte of options,
 * two bytes of length, the section's bytes.
 */
#include <assert.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/controller/judge/builder.h"

enum { OPTION_CAPTURED = 1, OPTION_NO_FIRST = 2, OPTION_RAW_KEY = 4 };

static const struct {
	enum section_kind kind;
	const char *dir; /* NULL: of a package */
} targets[] = {
	{SECTION_PACKAGE, NULL}, {SECTION_CONFIG, NULL},     {SECTION_CLAIMS, NULL},
	{SECTION_MD5, NULL},     {SECTION_PACKAGES, "dpkg"}, {SECTION_EXCEPTIONS, "dpkg"},
	{SECTION_DIRS, ""},      {SECTION_TREE, "/usr/bin"}, {SECTION_VOLATILE, "/tmp"},
	{SECTION_SETID, ""},     {SECTION_FLAGS, ""},        {SECTION_MOUNTS, ""},
	{SECTION_TREE, "/etc"},
};
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

static struct section_key key_of(unsigned which)
{
	unsigned target = which % TARGETS;

	if (targets[target].dir) {
		return build_dir_key(targets[target].kind, targets[target].dir);
	}
	return build_key(targets[target].kind, which / TARGETS % 2 ? build_local : build_coreutils);
}

static void take_part(struct world *w, const uint8_t *data, size_t len, uint8_t which,
		      uint8_t options)
{
	struct side *side = which & 0x80 ? &w->first : &w->now;
	struct build_section *section;

	if (side->count + 1 >= BUILD_SECTIONS) {
		return;
	}
	section = side_section(side, key_of(which & 0x7f));
	if (options & OPTION_RAW_KEY && len > 0) {
		section->raw_key = bytes_make(data, len);
		return;
	}
	/* Not NULL, or the honest encoding stays. */
	section->raw = len > 0 ? (const char *)data : "";
	section->raw_len = len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_new();
	size_t once;

	world_standard(w);
	if (size > 1 && data[1] & OPTION_CAPTURED) {
		world_capture(w);
	}
	w->has_first = !(size > 1 && data[1] & OPTION_NO_FIRST);
	for (size_t at = 0; size - at >= 4;) {
		size_t len = (size_t)data[at + 2] << 8 | data[at + 3];

		len = len < size - at - 4 ? len : size - at - 4;
		take_part(w, data + at + 4, len, data[at], data[at + 1]);
		at += 4 + len;
	}
	world_judge(w);
	once = w->findings.count;
	/* Every finding stands for itself, in order. */
	for (size_t i = 1; i < once; i++) {
		assert(w->findings.item[i - 1].severity >= w->findings.item[i].severity);
	}
	assert(w->counts.packages_by_witness[WITNESS_MANIFEST] <= w->counts.packages);
	world_free(w);
	return 0;
}
