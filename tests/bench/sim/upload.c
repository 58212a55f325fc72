// SPDX-License-Identifier: MIT
#include "tests/bench/sim/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define SIZE_MOST ((size_t)16 << 20)

bool upload_begin(struct upload *upload, const char *line, struct upload_known *known)
{
	bool is_known;
	char hex[65];

	*upload = (struct upload){.known = known};
	if (sscanf(line, "%zu %64[0-9a-f] %zu", &upload->size, hex, &upload->packed_size) != 3 ||
	    strlen(hex) != sizeof(hex) - 1 || upload->size == 0 || upload->size > SIZE_MOST ||
	    upload->packed_size == 0 || upload->packed_size > SIZE_MOST) {
		return false;
	}
	for (size_t i = 0; i < sizeof(upload->sha256); i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		upload->sha256[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	is_known = known->is_set &&
		   memcmp(known->sha256, upload->sha256, sizeof(known->sha256)) == 0;
	upload->kept = is_known ? NULL : malloc(upload->packed_size);
	upload->digest = EVP_MD_CTX_new();
	if ((!is_known && !upload->kept) || !upload->digest ||
	    EVP_DigestInit_ex(upload->digest, EVP_sha256(), NULL) != 1) {
		abort();
	}
	return true;
}

size_t upload_take(struct upload *upload, struct bytes data)
{
	size_t left = upload->packed_size - upload->have;
	size_t count = data.len < left ? data.len : left;

	(void)EVP_DigestUpdate(upload->digest, data.data, count);
	if (upload->kept) {
		memcpy(upload->kept + upload->have, data.data, count);
	}
	upload->have += count;
	return count;
}

bool upload_is_over(const struct upload *upload)
{
	return upload->have == upload->packed_size;
}

static bool unpacks_to(const struct upload *upload)
{
	z_stream z = {.next_in = upload->kept, .avail_in = (uInt)upload->packed_size};
	uint8_t *plain = malloc(upload->size), sha256[EVP_MAX_MD_SIZE];
	bool ok = false;

	if (!plain || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
		abort();
	}
	z.next_out = plain;
	z.avail_out = (uInt)upload->size;
	if (inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0) {
		ok = EVP_Digest(plain, upload->size, sha256, NULL, EVP_sha256(), NULL) == 1 &&
		     memcmp(sha256, upload->sha256, sizeof(upload->sha256)) == 0;
	}
	(void)inflateEnd(&z);
	free(plain);
	return ok;
}

bool upload_is_whole(struct upload *upload)
{
	struct upload_known *known = upload->known;
	uint8_t packed[EVP_MAX_MD_SIZE];

	(void)EVP_DigestFinal_ex(upload->digest, packed, NULL);
	if (upload->kept && unpacks_to(upload)) {
		memcpy(known->sha256, upload->sha256, sizeof(known->sha256));
		memcpy(known->packed, packed, sizeof(known->packed));
		known->is_set = true;
		return true;
	}
	return !upload->kept && memcmp(known->packed, packed, sizeof(known->packed)) == 0 &&
	       memcmp(known->sha256, upload->sha256, sizeof(known->sha256)) == 0;
}

void upload_clear(struct upload *upload)
{
	EVP_MD_CTX_free(upload->digest);
	free(upload->kept);
	*upload = (struct upload){0};
}
