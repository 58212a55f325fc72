// SPDX-License-Identifier: MIT
#include "controller/cmd/probes.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/ssh/helper.h"
#include "schema/bytes.h"

static const char *const names[] = {"probe-x86_64", "probe-aarch64"};

const char *probes_name(size_t index)
{
	return index < sizeof(names) / sizeof(names[0]) ? names[index] : NULL;
}

int probes_read(const char *name, struct probe_file *probe, struct error *err)
{
	uint8_t *data = NULL, sha256[DIGEST_SIZE];
	int status = -1;

	if (helper_path(name, probe->path, sizeof(probe->path), err) < 0 ||
	    helper_read(probe->path, HELPER_PROBE_MAX, &data, &probe->size, err) < 0) {
		goto out;
	}
	if (EVP_Digest(data, probe->size, sha256, NULL, EVP_sha256(), NULL) != 1) {
		(void)error_set(err, ERROR_SYSTEM, 0, "%s: no SHA-256", name);
		goto out;
	}
	for (size_t i = 0; i < sizeof(sha256); i++) {
		(void)snprintf(probe->sha256 + 2 * i, 3, "%02x", sha256[i]);
	}
	status = 0;
out:
	free(data);
	return status;
}
