// SPDX-License-Identifier: MIT
#include "controller/ssh/session/probe_pack.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#define GZIP_WINDOW (16 + MAX_WBITS) /* zlib.h: gzip's header and trailer */

uint8_t *probe_pack(struct bytes probe, size_t *size)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)probe.data,
		      .avail_in = (uInt)probe.len};
	uint8_t *packed = probe.len <= UINT_MAX ? malloc(probe.len) : NULL;
	int result;

	*size = 0;
	if (!packed || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
				    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(packed);
		return NULL;
	}
	z.next_out = packed;
	z.avail_out = (uInt)probe.len;
	result = deflate(&z, Z_FINISH);
	*size = probe.len - z.avail_out;
	(void)deflateEnd(&z);
	if (result != Z_STREAM_END) {
		free(packed);
		*size = 0;
		return NULL;
	}
	return packed;
}
