// SPDX-License-Identifier: MIT
#include "baselines/signature/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "baselines/signature/armour.h"
#include "baselines/signature/openpgp.h"
#include "schema/escape.h"

#define VERSION_COMMON 4U /* of keys that every gpgv knows: RFC 4880 */

/* gpgv opens its keyring by name. In memory, so that nothing is left of it however we end. */
struct keyring {
	char path[64];
	FILE *file;
	size_t len;
	uint8_t *first; /* the first key, once more */
	size_t first_len;
	uint8_t *later; /* keys that not every gpgv knows: behind all others */
	size_t later_len;
	size_t later_count;
	char put_back[300];
};

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_NOMEM, 0, "no memory for a keyring");
}

static int keyring_new(struct keyring **keyring, struct error *err)
{
	struct keyring *k = calloc(1, sizeof(*k));
	int fd;

	if (!k) {
		return no_memory(err);
	}
	fd = memfd_create("muster-keys", MFD_CLOEXEC);
	k->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!k->file) {
		(void)error_set(err, ERROR_SYSTEM, errno, "a keyring in memory: %s",
				strerror(errno));
		if (fd >= 0) {
			(void)close(fd);
		}
		free(k);
		return -1;
	}
	(void)snprintf(k->path, sizeof(k->path), "/proc/%d/fd/%d", (int)getpid(), fd);
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

static int write_keys(struct keyring *k, struct bytes keys, struct error *err)
{
	return keys.len == 0 || fwrite(keys.data, 1, keys.len, k->file) == keys.len
		       ? 0
		       : error_set(err, ERROR_SYSTEM, errno, "%s: %s", k->path, strerror(errno));
}

static int keep_first(struct keyring *k, struct bytes block, struct error *err)
{
	k->first = malloc(block.len + 1);
	if (!k->first) {
		return no_memory(err);
	}
	memcpy(k->first, block.data, block.len);
	k->first_len = block.len;
	return 0;
}

static int keep_for_later(struct keyring *k, const char *shown, struct bytes block,
			  unsigned version, struct error *err)
{
	uint8_t *grown = realloc(k->later, k->later_len + block.len);

	if (!grown) {
		return no_memory(err);
	}
	memcpy(grown + k->later_len, block.data, block.len);
	k->later = grown;
	k->later_len += block.len;
	k->later_count++;
	if (k->later_count == 1) {
		(void)snprintf(k->put_back, sizeof(k->put_back), "%.200s has a key of version %u",
			       shown, version);
	}
	return 0;
}

/* What is no whole packets is left to gpgv as it is. */
static int add_keys(struct keyring *k, const char *shown, struct bytes keys, struct error *err)
{
	struct bytes rest = keys, block;
	int result = 0;

	while (result == 0 && rest.len > 0) {
		const struct bytes from = rest;
		unsigned version;

		if (openpgp_next_key(&rest, &block) < 0) {
			block = from;
			rest.len = 0;
		}
		version = openpgp_key_version(block);
		if (version <= VERSION_COMMON && !k->first && keep_first(k, block, err) < 0) {
			return -1;
		}
		result = version > VERSION_COMMON ? keep_for_later(k, shown, block, version, err)
						  : write_keys(k, block, err);
	}
	return result;
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
	} else {
		k->len += data.len;
		result = add_keys(k, shown, data, err);
	}
	free(plain);
	return result;
}

static int finish(struct keyring *k, struct error *err)
{
	/*
	 * To see where a key ends gpgv reads on, and gives that key up as well where what follows is of a
	 * version that it does not know: behind the last of the others stands the first once more.
	 */
	if (k->later_len > 0 && (write_keys(k, bytes_make(k->first, k->first_len), err) < 0 ||
				 write_keys(k, bytes_make(k->later, k->later_len), err) < 0)) {
		return -1;
	}
	if (k->later_count > 1) {
		size_t len = strlen(k->put_back);

		(void)snprintf(k->put_back + len, sizeof(k->put_back) - len,
			       ", and there are %zu more", k->later_count - 1);
	}
	return fflush(k->file) == 0
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

const char *keyring_put_back(const struct keyring *keyring)
{
	return keyring->put_back;
}

void keyring_free(struct keyring *keyring)
{
	if (!keyring) {
		return;
	}
	if (keyring->file) {
		(void)fclose(keyring->file);
	}
	free(keyring->first);
	free(keyring->later);
	free(keyring);
}
