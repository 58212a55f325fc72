// SPDX-License-Identifier: MIT
/* A line of /proc/self/mountinfo: names in it are anybody's. */
#include "payloads/mounts.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t text[MOUNT_LINE_MAX];
	struct mount mount;

	if (size <= sizeof(text) && mount_parse(bytes_make(data, size), text, &mount)) {
		size_t used = mount.root.len + mount.point.len + mount.options.len +
			      mount.type.len + mount.source.len;

		if (used > size || mount.point.data[0] != '/') {
			__builtin_trap();
		}
	}
	return 0;
}
