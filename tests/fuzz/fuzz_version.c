// SPDX-License-Identifier: MIT
/* Two versions, or a pattern and a text, parted by the first NUL: the order must be one. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/judge/judge.h"
#include "schema/glob.h"
#include "tests/fuzz/fuzz.h"

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	struct bytes a = bytes_make(data, len);
	struct bytes b = nul ? bytes_make(nul + 1, size - len - 1) : bytes_make(data, 0);

	assert(sign(judge_deb_version_compare(a, b)) == -sign(judge_deb_version_compare(b, a)));
	assert(judge_deb_version_compare(a, a) == 0);
	(void)glob_match(a, b);
	(void)glob_match_path(a, b);
	assert(glob_match(BYTES_LITERAL("*"), a));
	assert(glob_literal_prefix(a).len <= a.len);
	return 0;
}
