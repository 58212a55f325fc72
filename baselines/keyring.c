// SPDX-License-Identifier: MIT
#include "baselines/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "baselines/armour.h"
#include "schema/escape.h"

/* A temporary file, because gpgv opens its keyring by name. */
struct keyring {
	char *path;
	FILE *file;
	size_t len;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a keyring");
}

static int keyring_new(struct keyring **keyring, struct error *err)
{
	const char *folder = getenv("TMPDIR");
	struct keyring *k = calloc(1, sizeof(*k));
	int fd;

	if (!k || asprintf(&k->path, "%s/muster-keys.XXXXXX",
			   folder && folder[0] == '/' ? folder : "/tmp") < 0) {
		free(k);
		return no_memory(err);
	}
	fd = mkostemp(k->path, O_CLOEXEC);
	k->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!k->file) {
		(void)error_set(err, ERROR_SYSTEM, errno, "%s: %s", k->path, strerror(errno));
		if (fd >= 0) {
			(void)close(fd);
			(void)unlink(k->path);
		}
		free(k->path);
		free(k);
		return -1;
	}
	*keyring = k;
	return 0;
}

/*
 * The first packet of a keyring is a public key (tag 6): 0x98, 0x99 (old form) or 0xc6 (new form). A
 * keybox begins with a length and has "KBXf" at 8; it is no packets, and cannot stand behind another file.
 */
static bool is_keys(struct bytes data)
{
	return data.len > 16 && (data.data[0] == 0x98 || data.data[0] == 0x99 ||
				 data.data[0] == 0x9a || data.data[0] == 0xc6);
}

static int add(struct keyring *k, const char *where, struct bytes data, struct error *err)
{
	uint8_t *plain = NULL;
	char shown[300];
	int result = -1;

	(void)escape_text(bytes_from_string(where), shown, sizeof(shown));
	if (armour_is(data)) {
		size_t len = 0;

		plain = malloc(data.len + 1);
		if (!plain) {
			return no_memory(err);
		}
		data = armour_undo(data, plain, &len) ? bytes_make(plain, len)
						      : bytes_make(NULL, 0);
	}
	if (!is_keys(data)) {
		(void)error_set(err, ERROR_CONFIG, 0,
				"%s: no OpenPGP public keys (expected what gpg --export writes, "
				"armoured or not)",
				shown);
	} else if (data.len > KEYRING_MAX - k->len) {
		(void)error_set(err, ERROR_CONFIG, 0, "%s: more than %zu MiB of keys", shown,
				KEYRING_MAX >> 20);
	} else if (fwrite(data.data, 1, data.len, k->file) != data.len) {
		(void)error_set(err, ERROR_SYSTEM, errno, "%s: %s", k->path, strerror(errno));
	} else {
		k->len += data.len;
		result = 0;
	}
	free(plain);
	return result;
}

static int finish(struct keyring *k, struct error *err)
{
	FILE *file = k->file;

	k->file = NULL;
	return fclose(file) == 0
		       ? 0
		       : error_set(err, ERROR_SYSTEM, errno, "%s: %s", k->path, strerror(errno));
}

static int add_blob(struct keyring *k, struct repository *repository, const struct trust_key *key,
		    struct error *err)
{
	struct repository_blob blob;
	char path[600];
	bool found;
	int result;

	(void)snprintf(path, sizeof(path), TRUST_FOLDER "/%.500s", key->file);
	if (repository_read(repository, path, KEYRING_MAX, &blob, &found, err) < 0) {
		return -1;
	}
	if (!found) {
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: %s is not in the baseline: put the key there and commit it",
				 key->source, path);
	}
	result = add(k, path, blob.content, err);
	repository_blob_close(&blob);
	return result;
}

/* Several keys may share a file. */
static bool was_added(const struct trust *trust, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(trust->item[i].file, trust->item[index].file) == 0) {
			return true;
		}
	}
	return false;
}

int keyring_of_trust(const struct trust *trust, struct repository *repository,
		     struct keyring **keyring, struct error *err)
{
	struct keyring *k = NULL;
	int result = keyring_new(&k, err);

	for (size_t i = 0; result == 0 && i < trust->count; i++) {
		result = was_added(trust, i) ? 0 : add_blob(k, repository, &trust->item[i], err);
	}
	if (result < 0 || finish(k, err) < 0) {
		keyring_free(k);
		return -1;
	}
	*keyring = k;
	return 0;
}

static int read_file(const char *path, uint8_t **data, size_t *len, struct error *err)
{
	FILE *file = fopen(path, "rbe");

	*data = malloc(KEYRING_MAX + 1);
	*len = *data && file ? fread(*data, 1, KEYRING_MAX + 1, file) : 0;
	if (!file || ferror(file)) {
		(void)error_set(err, ERROR_CONFIG, errno, "%s: %s", path, strerror(errno));
	} else if (!*data) {
		(void)no_memory(err);
	} else {
		(void)fclose(file);
		return 0;
	}
	if (file) {
		(void)fclose(file);
	}
	return -1;
}

int keyring_of_file(const char *file, struct keyring **keyring, struct error *err)
{
	struct keyring *k = NULL;
	uint8_t *data = NULL;
	size_t len = 0;
	int result = read_file(file, &data, &len, err);

	if (result == 0) {
		result = keyring_new(&k, err);
	}
	if (result == 0) {
		result = add(k, file, bytes_make(data, len), err);
	}
	free(data);
	if (result < 0 || finish(k, err) < 0) {
		keyring_free(k);
		return -1;
	}
	*keyring = k;
	return 0;
}

const char *keyring_path(const struct keyring *keyring)
{
	return keyring->path;
}

void keyring_free(struct keyring *keyring)
{
	if (!keyring) {
		return;
	}
	if (keyring->file) {
		(void)fclose(keyring->file);
	}
	(void)unlink(keyring->path);
	free(keyring->path);
	free(keyring);
}
